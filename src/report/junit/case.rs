//! What does one case say? [`Case`]: a scenario, or something of a cell that stands for scenarios that never ran.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::event::{Outcome, Place, StepOutcome, bounded_name};
use crate::report::cause::{What, causes, is_error};
use crate::report::curl::curl;
use crate::report::summary::{ScenarioSummary, Try};
use crate::report::text::{clip, one_line, xml_text};

/// Bound of one `system-out` or `system-err`. **Units**: bytes.
pub(super) const OUTPUT_LIMIT: usize = 64 * 1024;
/// Bound of a verdict's text. **Units**: bytes.
const TEXT_LIMIT: usize = 32 * 1024;
/// Bound of one side of a comparison. **Units**: bytes.
const SIDE_LIMIT: usize = 8 * 1024;
/// Bound of a reply in `system-out`. **Units**: bytes.
const REPLY_LIMIT: usize = 16 * 1024;
/// Longest message. **Units**: characters.
const MESSAGE_LIMIT: usize = 250;

/// Cases by verdict; what the counters of both levels are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) tests: u64,
    pub(super) failures: u64,
    pub(super) errors: u64,
    pub(super) skipped: u64,
}

impl Counters {
    pub(super) fn add(&mut self, verdict: &Verdict) {
        self.tests += 1;
        match verdict {
            Verdict::Passed => {}
            Verdict::Failure(_) => self.failures += 1,
            Verdict::Error(_) => self.errors += 1,
            Verdict::Skipped(_) => self.skipped += 1,
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }
}

/// One `testcase`.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) classname: Cow<'a, str>,
    pub(super) name: String,
    pub(super) took_us: u64,
    pub(super) timestamp: Option<String>,
    pub(super) at: Option<&'a Place>,
    pub(super) assertions: Option<u64>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) verdict: Verdict,
    pub(super) retries: Vec<Retry>,
    pub(super) system_out: String,
    pub(super) system_err: String,
}

/// At most one of these per case.
#[derive(Debug)]
pub(super) enum Verdict {
    Passed,
    Failure(Said),
    Error(Said),
    Skipped(Said),
}

/// Type, message and text of a verdict.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) text: String,
}

impl Said {
    pub(super) fn new(kind: &str, message: &str, text: &str) -> Self {
        let message = one_line(&xml_text(message), MESSAGE_LIMIT);
        let text = if text.trim().is_empty() { message.clone() } else { clip(text, TEXT_LIMIT).into_owned() };
        Self { kind: kind.to_owned(), message, text }
    }
}

/// An attempt before the last one.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) error: bool,
    pub(super) said: Said,
    pub(super) system_out: String,
}

/// A name that stays itself in every reader: one line, 250 bytes.
pub(super) fn case_name(name: &str) -> String {
    bounded_name(&one_line(&xml_text(name), usize::MAX))
}

/// The case of a scenario that ended. `err_room` is what its suite may still hold of server logs; it is drawn down.
pub(super) fn scenario_case<'a>(scenario: &'a ScenarioSummary, begin: Option<DateTime<Utc>>, err_room: &mut usize) -> Case<'a> {
    let last = scenario.last_try();
    let log = last.map_or("", |last| last.server_log.as_str());
    let system_err = clip(log, OUTPUT_LIMIT.min(*err_room)).into_owned();
    let system_err = if system_err.len() > *err_room { String::new() } else { system_err };
    *err_room -= system_err.len();
    Case {
        classname: Cow::Borrowed(&scenario.classname),
        name: case_name(&scenario.name),
        took_us: scenario.took_us,
        timestamp: begin.map(|begin| stamp(begin, scenario.started_us)),
        at: Some(&scenario.at),
        assertions: Some(scenario.assertions),
        properties: properties(scenario),
        verdict: verdict(scenario),
        retries: retries(scenario),
        system_out: last.map(output).unwrap_or_default(),
        system_err,
    }
}

/// A moment of the run, UTC with `Z`.
pub(super) fn stamp(begin: DateTime<Utc>, after_us: u64) -> String {
    let after = TimeDelta::microseconds(i64::try_from(after_us).unwrap_or(i64::MAX));
    begin.checked_add_signed(after).unwrap_or(begin).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn properties(scenario: &ScenarioSummary) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if !scenario.tags.is_empty() {
        out.push(("fireassay.tags".to_owned(), scenario.tags.join(" ")));
    }
    if scenario.attempts > 1 {
        out.push(("fireassay.attempts".to_owned(), scenario.attempts.to_string()));
    }
    if let Some(us) = scenario.first_token_us {
        out.push(("evals.scores.ttft_ms.type".to_owned(), "float".to_owned()));
        out.push(("evals.scores.ttft_ms.value".to_owned(), format!("{}.{:03}", us / 1000, us % 1000)));
    }
    out
}

fn verdict(scenario: &ScenarioSummary) -> Verdict {
    let declared = || scenario.reason().unwrap_or("no reason was declared");
    match scenario.outcome {
        Outcome::Passed | Outcome::Flaky => Verdict::Passed,
        Outcome::Failed => Verdict::Failure(said(scenario, "assert.other")),
        Outcome::Errored => Verdict::Error(said(scenario, "infra.other")),
        Outcome::Skipped => Verdict::Skipped(Said::new("capability", declared(), "")),
        Outcome::NotEvaluated => Verdict::Skipped(Said::new("not_evaluated", &format!("not evaluated: {}", declared()), "")),
        Outcome::Known => {
            let mut text = format!("known: {}\n", declared());
            if let Some(last) = scenario.last_try() {
                explain(&mut text, scenario, last);
            }
            Verdict::Skipped(Said::new("known", &format!("known: {}", declared()), &text))
        }
    }
}

fn said(scenario: &ScenarioSummary, otherwise: &str) -> Said {
    scenario.last_try().map_or_else(|| Said::new(otherwise, "it ended without a cause", ""), |last| said_of(scenario, last))
}

/// First cause as type and message, all of them as text.
fn said_of(scenario: &ScenarioSummary, one: &Try) -> Said {
    let mut text = String::new();
    explain(&mut text, scenario, one);
    match causes(one).first() {
        Some(first) => Said::new(&first.kind(), &first.headline(), &text),
        None if is_error(one.outcome) => Said::new("infra.other", "it could not be judged, and no cause was recorded", &text),
        None => Said::new("assert.other", "it failed, and no cause was recorded", &text),
    }
}

/// Every cause: place and step, claim, expected, actual, request; then the line that runs it again.
fn explain(out: &mut String, scenario: &ScenarioSummary, one: &Try) {
    const ROOM: &str = "a string takes all";
    for cause in causes(one) {
        match cause.step {
            Some((number, step)) => writeln!(out, "{}  step {number}: {} {}", step.at, step.keyword, step.text),
            None => writeln!(out, "{}  {}", scenario.at, scenario.name),
        }
        .expect(ROOM);
        writeln!(out, "{} ({})", cause.message(), cause.kind()).expect(ROOM);
        match cause.what {
            What::Claim(mismatch) => {
                for (word, side) in [("expected", &mismatch.expected), ("actual", &mismatch.actual)] {
                    if let Some(side) = side {
                        let gap = if side.contains('\n') { '\n' } else { ' ' };
                        writeln!(out, "{word}:{gap}{}", clip(side, SIDE_LIMIT)).expect(ROOM);
                    }
                }
            }
            What::Broken(finding) => {
                let count = if finding.count > 1 { format!(" ({} times)", finding.count) } else { String::new() };
                let excerpt = clip(&finding.excerpt, SIDE_LIMIT);
                let sides = [
                    ("found", finding.found.as_str()),
                    ("right", &finding.right),
                    ("where", &finding.place()),
                    ("bytes", &excerpt),
                ];
                for (word, side) in sides.iter().filter(|(_, side)| !side.is_empty()) {
                    writeln!(out, "{word}: {side}{}", if *word == "where" { count.as_str() } else { "" }).expect(ROOM);
                }
            }
            What::Hindered(trouble) => {
                if !trouble.detail.is_empty() {
                    writeln!(out, "{}", clip(&trouble.detail, SIDE_LIMIT)).expect(ROOM);
                }
            }
        }
        if let Some(reason) = cause.known().filter(|_| scenario.outcome != Outcome::Known) {
            writeln!(out, "known: {reason}").expect(ROOM);
        }
        if let Some(record) = cause.exchange {
            let status = record.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
            write!(out, "request: {} {} -> {status}", record.method, record.url).expect(ROOM);
            match &record.request_id {
                Some(id) => writeln!(out, ", request id {id}").expect(ROOM),
                None => out.push('\n'),
            }
        }
    }
    if let Some(detail) = scenario.detail.as_ref().filter(|detail| !detail.rerun.is_empty()) {
        writeln!(out, "rerun: {}", detail.rerun).expect(ROOM);
    }
}

fn retries(scenario: &ScenarioSummary) -> Vec<Retry> {
    let Some((_, earlier)) = scenario.tries().split_last() else { return Vec::new() };
    let retry = |one: &Try| Retry { error: is_error(one.outcome), said: said_of(scenario, one), system_out: output(one) };
    earlier.iter().map(retry).collect()
}

/// The steps with marks, then the exchanges that were judged: how to send them again, and what came.
fn output(one: &Try) -> String {
    const ROOM: &str = "a string takes all";
    let mut out = String::new();
    for step in &one.steps {
        let (mark, word) = mark(&step.outcome);
        let seconds = step.took_us / 1000;
        writeln!(out, "{mark} {} {} ... {word} ({seconds} ms, {})", step.keyword, step.text, step.at).expect(ROOM);
    }
    let mut shown = Vec::new();
    for record in causes(one).iter().filter_map(|cause| cause.exchange) {
        if shown.contains(&record.id) {
            continue;
        }
        shown.push(record.id);
        writeln!(out, "\nexchange {}\n{}", record.id, curl(record)).expect(ROOM);
        match (&record.transport_error, record.status) {
            (Some(error), _) => writeln!(out, "no whole reply: {error}").expect(ROOM),
            (None, Some(status)) => writeln!(out, "HTTP {status}, {} bytes", record.response_bytes).expect(ROOM),
            (None, None) => out.push_str("no reply\n"),
        }
        out.push_str(&clip(&record.response_body, REPLY_LIMIT));
    }
    match clip(&out, OUTPUT_LIMIT) {
        Cow::Borrowed(_) => out,
        Cow::Owned(cut) => cut,
    }
}

fn mark(outcome: &StepOutcome) -> (char, &'static str) {
    match outcome {
        StepOutcome::Passed => ('✓', "passed"),
        StepOutcome::Failed { .. } => ('✗', "failed"),
        StepOutcome::Errored { .. } => ('!', "errored"),
        StepOutcome::NotReached => ('–', "not reached"),
        StepOutcome::NotEvaluated { .. } => ('○', "not evaluated"),
    }
}
