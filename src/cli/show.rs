//! `fireassay show SCENARIO`: what was sent and what came, of any outcome, from the record alone.

use std::io::{BufRead, BufReader};
use std::path::Path;

use super::args::ShowArgs;
use super::exit::Exit;
use super::{record, terminal};
use crate::event::{ExchangeRecord, FindingRecord, RunEvent, ScenarioFinished, StepOutcome, Weight};
use crate::report::text::{one_line, visible};

pub(super) fn show(args: &ShowArgs) -> Exit {
    let folder = args.run.clone().unwrap_or_else(record::latest);
    let wanted = args.scenario.to_lowercase();
    let mut found = 0;
    let read = each_event(&folder.join("events.ndjson"), |event| match event {
        RunEvent::ScenarioFinished(ended) if ended.id.0.to_lowercase().contains(&wanted) => {
            found += 1;
            terminal::out(&scenario(&ended));
        }
        RunEvent::Exchange(exchange) if exchange.scenario.0.to_lowercase().contains(&wanted) => {
            terminal::out(&exchange_text(&exchange));
        }
        _ => {}
    });
    if let Err(error) = read {
        terminal::err(&format!("error: {error}\nhelp: run a suite first, or name a record by --run DIR"));
        return Exit::Usage;
    }
    if found == 0 {
        terminal::err(&format!("error: no scenario of {} holds `{}`", folder.display(), args.scenario));
        return Exit::Usage;
    }
    Exit::Accepted
}

/// Reads a record event by event; a last line cut by a kill is left out.
fn each_event(path: &Path, mut take: impl FnMut(RunEvent)) -> Result<(), String> {
    let file = std::fs::File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut lines = BufReader::new(file).lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        match serde_json::from_str(&line) {
            Ok(event) => take(event),
            Err(_) if lines.peek().is_none() => {}
            Err(error) => return Err(format!("{}: not a record of this version: {error}", path.display())),
        }
    }
    Ok(())
}

fn exchange_text(exchange: &ExchangeRecord) -> String {
    let mut out = format!("── {} of {} (try {})\n", exchange.id, exchange.scenario, exchange.attempt);
    out.push_str(&format!("→ {} {}\n", exchange.method, exchange.url));
    for (name, value) in &exchange.request_headers {
        out.push_str(&format!("  {name}: {}\n", visible(value)));
    }
    out.push_str(&indented(&exchange.request_body));
    let status = exchange.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
    let us = exchange.clocks.end_us.unwrap_or_default();
    out.push_str(&format!(
        "← {status}, {} bytes in {} reads, {:.3} s\n",
        exchange.response_bytes,
        exchange.chunks,
        us as f64 / 1e6
    ));
    if let Some(error) = &exchange.transport_error {
        out.push_str(&format!("  {}\n", visible(error)));
    }
    for (name, value) in &exchange.response_headers {
        out.push_str(&format!("  {name}: {}\n", visible(value)));
    }
    out.push_str(&indented(&exchange.response_body));
    out
}

fn scenario(ended: &ScenarioFinished) -> String {
    let mut out = format!("── {}: {} ({})\n", ended.name, ended.outcome.word(), ended.at);
    if let Some(reason) = &ended.reason {
        out.push_str(&format!("  {reason}\n"));
    }
    for step in &ended.steps {
        let (mark, words) = match &step.outcome {
            StepOutcome::Passed => ("✓", String::new()),
            StepOutcome::NotReached => ("–", String::new()),
            StepOutcome::Failed { mismatches } => {
                let lines = mismatches.iter().map(|m| {
                    let part = |name: &str, text: &Option<String>| {
                        text.as_ref().map_or_else(String::new, |text| format!("\n      {name}: {text}"))
                    };
                    format!("\n    {}{}{}", m.message, part("expected", &m.expected), part("actual", &m.actual))
                });
                ("✗", lines.collect())
            }
            StepOutcome::Errored { trouble } => ("!", format!("\n    {} {}", trouble.message, trouble.detail)),
            StepOutcome::NotEvaluated { reason } => ("?", format!("\n    {reason}")),
        };
        let exchanges: String = step.exchanges.iter().map(|id| format!(" {id}")).collect();
        out.push_str(&format!(
            "  {mark} {} {}{exchanges}{}\n",
            step.keyword,
            visible(&step.text),
            visible(&words).replace("\\n", "\n")
        ));
    }
    for finding in &ended.findings {
        let FindingRecord { rule, statement, severity, found, right, excerpt, count, .. } = finding;
        let meant = match (finding.weight, &finding.known) {
            (Weight::Fails, None) => "✗",
            (Weight::Fails, Some(_)) => "≈",
            (Weight::Lenient | Weight::Advice, _) => "·",
        };
        out.push_str(&visible(&format!("  {meant} {rule} {severity}, {count} ×, {}: {statement}\n", finding.place())));
        let known = finding.known.as_deref().unwrap_or_default();
        for (word, text) in [("found", found.as_str()), ("right", right), ("bytes", excerpt), ("known", known)] {
            if !text.is_empty() {
                out.push_str(&format!("      {word}: {}\n", visible(&one_line(text, 2000))));
            }
        }
    }
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", visible(line))).collect()
}
