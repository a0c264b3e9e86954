//! Do health, metrics and token counts agree with what happened?

use super::asked::Call;
use super::finding::{Finding, Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::trace::Trace;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W169, &W170, &W292];

pub(super) static W169: Rule = Rule {
    id: "W169",
    surface: Surface::Operations,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "health is 2xx before and after, metrics parse, and counters never fall",
    why: "watchers restart what is well, and rates go wrong",
    source: "Prometheus, exposition formats; vLLM and llama.cpp have counters of tokens",
    breaks: "a counter of 120 and then of 80 without a restart",
};

pub(super) static W170: Rule = Rule {
    id: "W170",
    surface: Surface::Tokens,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "the count of tokens agrees with usage.prompt_tokens up to special tokens",
    why: "callers cut their prompts by it",
    source: "vLLM and llama.cpp, /tokenize",
    breaks: "37 tokens counted and 90 billed",
};

pub(super) static W292: Rule = Rule {
    id: "W292",
    surface: Surface::Operations,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "metrics are valid Prometheus text",
    why: "one bad line loses the whole scrape",
    source: "Prometheus, exposition formats",
    breaks: "llamacpp:tokens_total one hundred",
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if seen.call != Call::Metrics || !seen.is_success() {
        return;
    }
    let mut at = 0;
    for line in seen.text.split_inclusive('\n') {
        let text = line.trim();
        if !text.is_empty() && !text.starts_with('#') && sample(text).is_none() {
            let spot = Spot::whole().bytes(at..at + line.trim_end().len());
            return out.add(&W292, spot, "a line that is no sample", "name{label=\"value\"} number");
        }
        at += line.len();
    }
}

/// Counters of a metrics page: what is called `…_total`, or is declared to be a counter.
pub(super) fn counters(text: &str) -> Vec<(String, f64)> {
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).map(str::trim).collect();
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(sample);
    let counts = |name: &str| {
        let bare = name.split('{').next().unwrap_or_default();
        bare.ends_with("_total") || declared.contains(&bare)
    };
    samples.filter(|(name, _)| counts(name)).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Name with labels, and value, of one line.
fn sample(line: &str) -> Option<(&str, f64)> {
    let end = match line.find('{') {
        Some(open) => open + line[open..].rfind('}')? + 1,
        None => line.find(char::is_whitespace)?,
    };
    let name = &line[..end];
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let bare = name.split('{').next().unwrap_or_default();
    let value = line[end..].split_whitespace().next()?;
    let number = match value {
        "+Inf" | "-Inf" | "NaN" => f64::NAN,
        value => value.parse().ok()?,
    };
    (!bare.is_empty() && bare.chars().all(fits)).then_some((name, number))
}

/// Checks the exchanges of one scenario.
pub(super) fn across(traces: &[Trace], out: &mut Vec<Finding>) {
    let mut before: Option<&Trace> = None;
    for trace in traces.iter().filter(|trace| !trace.counters.is_empty()) {
        if let Some(before) = before {
            for (name, value) in &trace.counters {
                let then = before.counters.iter().find(|(known, _)| known == name);
                if let Some((_, then)) = then.filter(|(_, then)| value < then) {
                    let found = format!("{name} is {value} after {then}");
                    out.push(Finding::across(&W169, trace.exchange, found, "a counter that does not fall"));
                    break;
                }
            }
        }
        before = Some(trace);
    }
    let sick = |trace: &&Trace| trace.call == Some(Call::Health) && trace.status.is_some_and(|status| status >= 300);
    let well = |trace: &Trace| trace.call == Some(Call::Health) && trace.status.is_some_and(|status| status < 300);
    if let (true, Some(trace)) = (traces.first().is_some_and(well), traces.iter().rfind(sick)) {
        let found = format!("health was good, and then {}", trace.status.unwrap_or_default());
        out.push(Finding::across(&W169, trace.exchange, found, "a status of 2xx throughout"));
    }
    tokens(traces, out);
}

/// Special tokens that a template may add to what was counted.
const SPECIAL: u64 = 64;

fn tokens(traces: &[Trace], out: &mut Vec<Finding>) {
    for count in traces.iter().filter(|trace| trace.call == Some(Call::Tokenize)) {
        let same = |trace: &&Trace| trace.is_answer() && trace.messages == count.messages && !count.messages.is_empty();
        let (Some(counted), Some(answer)) = (count.counted, traces.iter().find(same)) else { continue };
        if let Some(billed) = answer.prompt_tokens.filter(|billed| billed.abs_diff(counted) > SPECIAL) {
            let found = format!("{counted} tokens counted, {billed} billed");
            out.push(Finding::across(&W170, answer.exchange, found, "the same, but for special tokens"));
        }
    }
}
