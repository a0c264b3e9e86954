//! Do health, metrics and token counts agree with what happened?

use std::collections::HashMap;

use super::asked::Call;
use super::finding::{Finding, Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::trace::Trace;
use crate::wire::Page;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W169, &W170, &W292];

pub(super) static W169: Rule = Rule {
    id: "W169",
    surface: Surface::Operations,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "health is 2xx before and after, counters never fall, and those of tokens grow by what usage says",
    why: "watchers restart what is well, rates go wrong, and costs are not those that were billed",
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
    if let Some(fault) = Page::read(seen.text).faults.into_iter().next() {
        out.add(&W292, Spot::whole().bytes(fault.bytes), fault.what, "name{label=\"value\"} number");
    }
}

/// Counters of a metrics page, by name and labels.
pub(super) fn counters(text: &str) -> Vec<(String, f64)> {
    Page::read(text).counters().map(|sample| (sample.series.to_owned(), sample.value)).collect()
}

/// Checks the exchanges of one scenario.
pub(super) fn across(traces: &[Trace], out: &mut Vec<Finding>) {
    // Each page has counters of its own, and each life of its server.
    let mut pages: HashMap<(&str, u32), HashMap<&str, f64>> = HashMap::new();
    for trace in traces.iter().filter(|trace| !trace.counters.is_empty()) {
        let now: HashMap<&str, f64> = trace.counters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let before = pages.insert((&trace.url, trace.life), now);
        let fell = trace.counters.iter().find_map(|(name, value)| {
            let then = before.as_ref()?.get(name.as_str()).filter(|then| value < then)?;
            Some(format!("{name} is {value} after {then}"))
        });
        if let Some(found) = fell {
            out.push(Finding::across(&W169, trace.exchange, found, "a counter that does not fall"));
        }
    }
    let sick = |trace: &&Trace| trace.call == Some(Call::Health) && trace.status.is_some_and(|status| status >= 300);
    let well = |trace: &&Trace| trace.call == Some(Call::Health) && trace.status.is_some_and(|status| status < 300);
    let same = |one: &Trace, other: &Trace| one.url == other.url && one.life == other.life;
    if let Some(first) = traces.first().filter(well)
        && let Some(trace) = traces.iter().rfind(|trace| sick(trace) && same(first, trace))
    {
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

#[cfg(test)]
mod tests {
    use crate::contract::{Context, Docket, judge, judge_scenario};
    use crate::event::ExchangeId;
    use crate::wire::{Exchange, Reading, Request, reply_of};

    fn page(text: &str) -> Exchange {
        Exchange { request: Request::get("/metrics"), ..reply_of(200, "text/plain", text.as_bytes()) }
    }

    fn post(path: &str, reply: &str) -> Exchange {
        let asked = r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#;
        Exchange {
            request: Request::post_raw(path, "application/json", asked),
            ..reply_of(200, "application/json", reply.as_bytes())
        }
    }

    /// Rules that only these exchanges together show.
    #[track_caller]
    fn check(exchanges: Vec<Exchange>, expect: &[(&str, &str)]) {
        let trace = |(id, exchange): (u64, Exchange)| {
            let exchange = Exchange { id: ExchangeId(id), ..exchange };
            let reading = Reading::of(&exchange);
            judge(&reading, &reading.chat(), &Context::default()).trace
        };
        let traces: Vec<_> = (1..).zip(exchanges).map(trace).collect();
        let findings = judge_scenario(&traces);
        let found: Vec<_> = findings.iter().map(|finding| (finding.rule.id, finding.found.as_str())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn counters_do_not_fall_and_gauges_may() {
        let text = |counter: u64, gauge: u64| {
            page(&format!("# TYPE n counter\nn{{a=\"1\"}} {counter}\nn{{a=\"2\"}} 7\n# TYPE g gauge\ng {gauge}\n"))
        };
        check(vec![text(5, 3), text(5, 0), text(6, 1)], &[]);
        check(vec![text(5, 3), text(4, 3)], &[("W169", "n{a=\"1\"} is 4 after 5")]);
        check(vec![page("x_total 3\n"), page("x_total 1\n")], &[("W169", "x_total is 1 after 3")]);
    }

    #[test]
    fn each_server_and_each_life_of_it_counts_for_itself() {
        let at = |port: u16, text: &str| Exchange { url: format!("http://127.0.0.1:{port}/metrics"), ..page(text) };
        check(vec![at(1, "x_total 3\n"), at(2, "x_total 1\n"), at(1, "x_total 3\n")], &[]);
        check(vec![at(1, "x_total 3\n"), at(2, "x_total 1\n"), at(1, "x_total 2\n")], &[("W169", "x_total is 2 after 3")]);
        let judged = |restarts: bool| {
            let mut docket = Docket::default();
            for (id, text) in [(1, "x_total 3\n"), (2, "x_total 1\n")] {
                let exchange = Exchange { id: ExchangeId(id), ..page(text) };
                let reading = Reading::of(&exchange);
                docket.add(judge(&reading, &reading.chat(), &Context::default()));
                if restarts {
                    docket.new_life();
                }
            }
            docket.close().findings.len()
        };
        assert_eq!((judged(false), judged(true)), (1, 0));
    }

    #[test]
    fn tokens_that_were_counted_are_those_that_are_billed() {
        let answer = |billed: u64| {
            let message = r#"{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}"#;
            let usage = format!(r#"{{"prompt_tokens":{billed},"completion_tokens":1,"total_tokens":{}}}"#, billed + 1);
            post(
                "/v1/chat/completions",
                &format!(r#"{{"id":"c","object":"chat.completion","choices":[{message}],"usage":{usage}}}"#),
            )
        };
        for (path, count) in [
            ("/tokenize", r#"{"count":37,"tokens":[]}"#),
            ("/v1/chat/completions/input_tokens", r#"{"input_tokens":37}"#),
            ("/v1/messages/count_tokens", r#"{"input_tokens":37}"#),
        ] {
            check(vec![post(path, count), answer(40)], &[]);
            check(vec![answer(140), post(path, count)], &[("W170", "37 tokens counted, 140 billed")]);
        }
    }
}
