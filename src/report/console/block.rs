//! What does a failure look like? One block: name, place, steps with marks, what differs, what was sent, how to run it again.

use super::diff::compare;
use super::paint::{Paint, Tone, duration, fit, outcome_mark, step_mark, wrap};
use crate::event::{ExchangeRecord, FindingRecord, Outcome, Whose};
use crate::report::cause::{Cause, What, causes};
use crate::report::curl::curl;
use crate::report::summary::{CellSummary, ScenarioSummary, Try};
use crate::report::text::{clip, one_line, visible};

/// Lines of the server's log in a block.
const LOG_LINES: usize = 8;
/// Lines of a trouble's detail.
const DETAIL_LINES: usize = 12;
/// Exchanges of one block.
const EXCHANGES: usize = 3;
/// Lines of a reply that is no success.
const REPLY_LINES: usize = 6;

/// Draws blocks of one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub(super) paint: Paint,
    pub(super) width: usize,
}

impl Blocks {
    /// The whole block of a scenario that did not pass, without a blank line around it.
    pub(super) fn scenario(self, cell: &CellSummary, scenario: &ScenarioSummary) -> Vec<String> {
        let paint = self.paint;
        let (mark, tone) = outcome_mark(scenario.outcome);
        let name = visible(&one_line(&scenario.name, 400)).into_owned();
        let mut out = vec![format!("{} {}", paint.tone(tone, mark), paint.tone(Tone::Strong, &fit(&name, self.width - 2)))];
        out.push(format!("  {}", self.facts(cell, scenario)));
        if let Some(last) = scenario.last_try() {
            self.steps(&mut out, cell, last);
            self.exchanges(&mut out, last);
            // The end of a dead server's log stands with its cell.
            if !last.server_log.is_empty() && !cell.tells_of(last) {
                out.push(format!("  {}", paint.tone(Tone::Quiet, "server log")));
                self.quote(&mut out, &last.server_log, LOG_LINES, 4);
            }
        }
        if let Some(detail) = scenario.detail.as_ref().filter(|detail| !detail.rerun.is_empty()) {
            out.push(format!("  {} {}", paint.tone(Tone::Quiet, "rerun:"), visible(&detail.rerun)));
        }
        out
    }

    /// `features/a.feature:14:5  base × llamacpp  @tools  482 ms  attempt 3 of 3`.
    fn facts(self, cell: &CellSummary, scenario: &ScenarioSummary) -> String {
        let mut facts = vec![super::cell_name(&cell.plan)];
        if !scenario.tags.is_empty() {
            facts.push(fit(&scenario.tags.join(" "), self.width / 2));
        }
        facts.push(duration(scenario.took_us));
        match scenario.last_try() {
            Some(last) if last.attempt.of > 1 => facts.push(format!("attempt {} of {}", last.attempt.number, last.attempt.of)),
            _ => {}
        }
        format!("{}  {}", visible(&scenario.at.to_string()), self.paint.tone(Tone::Quiet, &facts.join("  ")))
    }

    fn steps(self, out: &mut Vec<String>, cell: &CellSummary, one: &Try) {
        let mut all = causes(one);
        all.retain(|cause| cause.step.is_some() || !matches!(cause.what, What::Hindered(_)) || !cell.tells_of(one));
        for (number, step) in (1..).zip(&one.steps) {
            let (mark, tone) = step_mark(&step.outcome);
            let own: Vec<&Cause<'_>> = all.iter().filter(|cause| cause.step.is_some_and(|(of, _)| of == number)).collect();
            let sentence = fit(&format!("{} {}", step.keyword, one_line(&step.text, 400)), self.width.saturating_sub(12));
            let (sentence, place) = if own.is_empty() {
                (self.paint.tone(Tone::Quiet, &sentence), String::new())
            } else {
                (sentence, self.paint.tone(Tone::Quiet, &format!("  {}", step.at)))
            };
            out.push(format!("    {} {sentence}{place}", self.paint.tone(tone, mark)));
            for cause in own {
                self.cause(out, cause);
            }
        }
        for cause in all.iter().filter(|cause| cause.step.is_none()) {
            match cause.what {
                What::Broken(finding) => self.broken(out, finding),
                _ => self.cause(out, cause),
            }
        }
        self.explained(out, one);
    }

    /// A broken wire rule: what it says, what came, what would be right, and where.
    fn broken(self, out: &mut Vec<String>, finding: &FindingRecord) {
        let quiet = |text: &str| self.paint.tone(Tone::Quiet, text);
        let (mark, tone) = outcome_mark(if finding.known.is_some() { Outcome::Known } else { Outcome::Failed });
        let kind = quiet(&format!("{} · {}", finding.severity, whose(finding.whose)));
        out.push(format!("    {} {}  {kind}", self.paint.tone(tone, mark), self.paint.tone(tone, &finding.rule)));
        let times = if finding.count > 1 { format!("{} ({} times)", finding.place(), finding.count) } else { finding.place() };
        let rows = [
            ("", tone, finding.statement.as_str(), 3),
            ("found", Tone::Bad, &finding.found, 3),
            ("right", Tone::Good, &finding.right, 2),
            ("where", Tone::Quiet, &times, 2),
            ("bytes", Tone::Quiet, &finding.excerpt, 3),
            ("known", Tone::Odd, finding.known.as_deref().unwrap_or_default(), 2),
        ];
        let bar = quiet("│");
        for (word, tone, text, most) in rows.into_iter().filter(|(_, _, text, _)| !text.is_empty()) {
            let indent = if word.is_empty() { 0 } else { 7 };
            let lines = self.bounded(&one_line(text, 2000), most, self.width.saturating_sub(8 + indent));
            for (at, line) in lines.iter().enumerate() {
                let line = if word.is_empty() { self.paint.tone(tone, line) } else { line.clone() };
                let label = self.paint.tone(tone, &format!("{:indent$}", if at == 0 { word } else { "" }));
                out.push(format!("      {bar} {label}{line}"));
            }
        }
    }

    /// The command that explains the broken rules.
    fn explained(self, out: &mut Vec<String>, one: &Try) {
        let mut rules: Vec<&str> = one.findings.iter().map(|finding| finding.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        if !rules.is_empty() {
            out.push(format!("  {} fireassay rules {}", self.paint.tone(Tone::Quiet, "why:"), visible(&rules.join(" "))));
        }
    }

    /// The claim and its comparison, set off by a bar.
    fn cause(self, out: &mut Vec<String>, cause: &Cause<'_>) {
        let bar = self.paint.tone(Tone::Quiet, "│");
        let (kind, tone) = match cause.what {
            What::Claim(mismatch) => (format!("{} · {}", cause.kind(), whose(mismatch.whose)), Tone::Bad),
            What::Broken(_) | What::Hindered(_) => (String::new(), Tone::Hindered),
        };
        let room = self.width.saturating_sub(8);
        let mut lines: Vec<String> = wrap(cause.message(), room).iter().take(4).map(|line| self.paint.tone(tone, line)).collect();
        match lines.last_mut() {
            _ if kind.is_empty() => {}
            Some(last) => *last = format!("{last}  {}", self.paint.tone(Tone::Quiet, &kind)),
            None => lines.push(kind),
        }
        match cause.what {
            What::Claim(mismatch) => {
                lines.extend(compare(mismatch.expected.as_deref(), mismatch.actual.as_deref(), room, self.paint));
            }
            What::Broken(_) => {}
            What::Hindered(trouble) => lines.extend(self.bounded(&trouble.detail, DETAIL_LINES, room)),
        }
        if let Some(reason) = cause.known() {
            lines.push(format!("{}{reason}", self.paint.tone(Tone::Odd, "known     ")));
        }
        out.extend(lines.iter().map(|line| format!("      {bar} {line}")));
    }

    /// The exchanges that were judged, each once.
    fn exchanges(self, out: &mut Vec<String>, one: &Try) {
        let mut shown: Vec<&ExchangeRecord> = Vec::new();
        for record in causes(one).iter().filter_map(|cause| cause.exchange) {
            if shown.iter().any(|other| other.id == record.id) {
                continue;
            }
            shown.push(record);
            if shown.len() > EXCHANGES {
                continue;
            }
            out.push(format!("  {}", exchange_line(record)));
            let success = record.status.is_some_and(|status| status < 400);
            if !success && !record.response_body.is_empty() {
                self.quote(out, &record.response_body, REPLY_LINES, 4);
            }
            // Every line of the command: it is there to be pasted.
            let command = curl(record);
            out.extend(visible(&command).lines().map(|line| format!("    {}", self.paint.tone(Tone::Quiet, line))));
        }
        if shown.len() > EXCHANGES {
            let more: Vec<String> = shown[EXCHANGES..].iter().map(|record| record.id.to_string()).collect();
            out.push(format!(
                "  {}",
                self.paint.tone(Tone::Quiet, &format!("and {}; `fireassay show` has all", more.join(", ")))
            ));
        }
    }

    fn quote(self, out: &mut Vec<String>, text: &str, lines: usize, indent: usize) {
        let bar = self.paint.tone(Tone::Quiet, "│");
        for line in self.bounded(text, lines, self.width.saturating_sub(indent + 2)) {
            out.push(format!("{:indent$}{bar} {line}", ""));
        }
    }

    /// First lines of a text, and how many there are beyond.
    fn bounded(self, text: &str, limit: usize, width: usize) -> Vec<String> {
        let mut lines = wrap(&clip(text, 16 * 1024), width);
        if lines.len() > limit {
            let more = lines.len() - limit;
            lines.truncate(limit);
            lines.push(self.paint.tone(Tone::Quiet, &format!("… {more} more lines")));
        }
        lines
    }
}

fn whose(whose: Whose) -> &'static str {
    match whose {
        Whose::Wire => "wire",
        Whose::Capability => "capability",
        Whose::Model => "model",
    }
}

/// `x2  POST http://… → 200, request id abc, 114 bytes`.
fn exchange_line(record: &ExchangeRecord) -> String {
    let mut said = match (record.status, &record.transport_error) {
        (Some(status), None) => format!("HTTP {status}"),
        (Some(status), Some(error)) => format!("HTTP {status}, then {error}"),
        (None, Some(error)) => error.clone(),
        (None, None) => "no reply".to_owned(),
    };
    if let Some(id) = &record.request_id {
        said = format!("{said}, request id {id}");
    }
    if record.status.is_some() {
        said = format!("{said}, {} bytes", record.response_bytes);
    }
    let line = format!("{}  {} {} → {said}", record.id, record.method, record.url);
    visible(&one_line(&line, 400)).into_owned()
}
