//! What does a program read of a run? One JSON object with everything but bodies and logs.
//!
//! **Shape**: `{"schema", "run", "verdict", "planned", "totals", "stale", "cells": […], "scenarios": […]}`; a scenario has its
//! cell, names, place, tags, `outcome`, and where they apply `reason`, `cause` (the first one: kind, message, expected, actual,
//! step, status, request id), `causes` (their number), `findings` (wire rules that fail it) and `rerun`; a cell has its
//! `dialects` and `advice` (rules broken without failing anything, with counts and the first scenario). Times are milliseconds. Keys that do not apply are left out;
//! a reader must bear new ones, a change of meaning raises `schema`.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::cause::{Cause, What, causes};
use super::file::{ReportError, write_file};
use super::rules::RuleTally;
use super::summary::{CellSummary, RunSummary, ScenarioSummary, ServerIdentity, ServiceSummary};
use super::text::clip;
use super::verdict::verdict_line;
use crate::event::{EntryRecord, FindingRecord, HostRecord, Outcome, TapeRecord, Totals, Trouble, Weight, Whose};

/// Version of the shape.
const SHAPE: u32 = 1;
/// Bound of each side of a comparison. **Units**: bytes.
const SIDE_LIMIT: usize = 8 * 1024;

/// Writes the run as one JSON object.
pub fn write_json(summary: &RunSummary, path: &Path, exit: u8) -> Result<PathBuf, ReportError> {
    write_file(path, |out| {
        serde_json::to_writer_pretty(&mut *out, &Document::new(summary, exit))?;
        out.write_all(b"\n")
    })
}

/// The same object as a value, for readers of our own.
pub(super) fn value(summary: &RunSummary, exit: u8) -> serde_json::Value {
    serde_json::to_value(Document::new(summary, exit)).expect("maps with text keys and finite numbers")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    run: Run<'a>,
    verdict: Verdict,
    planned: u64,
    totals: Totals,
    stale: u64,
    cells: Vec<Cell<'a>>,
    scenarios: Scenarios<'a>,
}

impl<'a> Document<'a> {
    fn new(summary: &'a RunSummary, exit: u8) -> Self {
        let run = &summary.run;
        Self {
            schema: SHAPE,
            run: Run {
                id: &run.run_id,
                plan_id: &run.plan_id,
                fireassay: &run.fireassay,
                at: &run.at,
                argv: &run.argv,
                mode: &run.mode,
                commit: run.commit.as_ref().map(|(commit, _)| commit.as_str()),
                dirty: run.commit.as_ref().map(|(_, dirty)| *dirty),
                hostname: &run.hostname,
                whole: run.whole,
                host: run.host.as_ref(),
                interrupted: summary.interrupted,
                took_ms: ms(summary.took_us()),
            },
            verdict: Verdict { exit, line: verdict_line(summary, exit) },
            planned: summary.planned(),
            totals: summary.final_totals(),
            stale: summary.stale(),
            cells: summary.cells.iter().map(Cell::new).collect(),
            scenarios: Scenarios(summary),
        }
    }
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(rename = "run_id")]
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    plan_id: &'a str,
    fireassay: &'a str,
    at: &'a str,
    argv: &'a [String],
    mode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dirty: Option<bool>,
    hostname: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    whole: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a HostRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<i32>,
    took_ms: f64,
}

#[derive(Serialize)]
struct Verdict {
    exit: u8,
    line: String,
}

#[derive(Serialize)]
struct Cell<'a> {
    #[serde(rename = "cell")]
    id: &'a str,
    suite: &'a str,
    setup: &'a str,
    models: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'a str>,
    contract: &'a str,
    /// The model of the catalogue that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<&'a EntryRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server<'a>>,
    /// The tape that answered in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    tape: Option<&'a TapeRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_advice: Option<String>,
    planned: u64,
    /// Planned scenarios without an end; they are in `totals` as errored (or skipped with the cell), not in `scenarios`.
    not_run: u64,
    /// Those of them that began.
    unfinished: Vec<crate::event::ScenarioId>,
    totals: Totals,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dialects: Vec<Tolerated<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    advice: Vec<Tolerated<'a>>,
    stale: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<&'a Trouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<f64>,
}

#[derive(Serialize)]
struct Server<'a> {
    name: &'a str,
    url: &'a str,
    models: &'a [String],
    /// Until all its services were ready, where we started them.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_ms: Option<f64>,
    /// Sum of their peaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_rss_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<Service<'a>>,
}

/// A service that we started.
#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    pid: i32,
    port: u16,
    start_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_rss_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ms: Option<u64>,
}

impl<'a> Server<'a> {
    fn new(server: &'a ServerIdentity) -> Self {
        let service = |service: &'a ServiceSummary| Service {
            name: &service.record.name,
            pid: service.record.pid,
            port: service.record.port,
            start_ms: ms(service.record.start_us),
            peak_rss_bytes: service.peak_rss,
            cpu_ms: service.cpu_ms,
        };
        let services = server.services.iter().map(service).collect();
        let (start_ms, peak_rss_bytes) = (server.start_us().map(ms), server.peak_rss());
        Self { name: &server.name, url: &server.url, models: &server.models, start_ms, peak_rss_bytes, services }
    }
}

impl<'a> Cell<'a> {
    fn new(cell: &'a CellSummary) -> Self {
        let plan = &cell.plan;
        Self {
            id: &plan.cell.0,
            suite: &plan.suite,
            setup: &plan.setup,
            models: plan.models.iter().map(|(role, model)| (role.clone(), model.clone().into())).collect(),
            profile: plan.profile.as_deref(),
            contract: &plan.contract,
            catalogue: plan.entry.as_ref(),
            server: cell.server.as_ref().map(Server::new),
            tape: cell.tape.as_ref(),
            memory_advice: cell.memory_advice(),
            planned: plan.planned,
            not_run: cell.missing(),
            unfinished: cell.unfinished(),
            totals: cell.final_totals(),
            dialects: Tolerated::all(cell, Weight::Lenient),
            advice: Tolerated::all(cell, Weight::Advice),
            stale: &cell.stale,
            trouble: cell.trouble.as_ref(),
            skipped: cell.skipped.as_deref(),
            took_ms: cell.took_us.map(ms),
        }
    }
}

/// A wire rule that was broken without failing anything.
#[derive(Serialize)]
struct Tolerated<'a> {
    rule: &'a str,
    statement: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    count: u64,
    scenarios: u64,
    found: &'a str,
    /// The scenario that showed it first.
    first: &'a str,
}

impl<'a> Tolerated<'a> {
    fn all(cell: &'a CellSummary, weight: Weight) -> Vec<Self> {
        let one = |(rule, tally): (&'a str, &'a RuleTally)| {
            let reason = cell.dialect_reason(rule).filter(|_| weight == Weight::Lenient);
            let RuleTally { statement, count, tries, found, scenario } = tally;
            Self { rule, statement, reason, count: *count, scenarios: *tries, found, first: scenario }
        };
        cell.rules.of(weight).map(one).collect()
    }
}

/// Written one by one: a hundred thousand of them are never held as JSON.
struct Scenarios<'a>(&'a RunSummary);

impl Serialize for Scenarios<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.scenarios().map(|(cell, scenario)| Scenario::new(cell, scenario)))
    }
}

#[derive(Serialize)]
struct Scenario<'a> {
    cell: &'a str,
    id: &'a str,
    classname: &'a str,
    name: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
    tags: &'a [String],
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    attempts: u32,
    assertions: u64,
    started_ms: f64,
    took_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<First<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causes: Option<usize>,
    /// Wire rules that fail it.
    #[serde(skip_serializing_if = "<[FindingRecord]>::is_empty")]
    findings: &'a [FindingRecord],
    #[serde(skip_serializing_if = "str::is_empty")]
    rerun: &'a str,
}

impl<'a> Scenario<'a> {
    fn new(cell: &'a CellSummary, scenario: &'a ScenarioSummary) -> Self {
        // Of a flaky scenario the failure counts that came first.
        let telling = match scenario.outcome {
            Outcome::Flaky => scenario.tries().first(),
            _ => scenario.last_try(),
        };
        let all = telling.map(causes).unwrap_or_default();
        Self {
            cell: &cell.plan.cell.0,
            id: &scenario.id.0,
            classname: &scenario.classname,
            name: &scenario.name,
            file: &scenario.at.file,
            line: scenario.at.line,
            column: scenario.at.column,
            tags: &scenario.tags,
            outcome: scenario.outcome,
            reason: scenario.reason(),
            attempts: scenario.attempts,
            assertions: scenario.assertions,
            started_ms: ms(scenario.started_us),
            took_ms: ms(scenario.took_us),
            first_token_ms: scenario.first_token_us.map(ms),
            cause: all.first().map(First::new),
            causes: Some(all.len()).filter(|count| *count > 0),
            findings: telling.map_or(&[], |one| &one.findings),
            rerun: scenario.detail.as_ref().map_or("", |detail| &detail.rerun),
        }
    }
}

#[derive(Serialize)]
struct First<'a> {
    kind: String,
    message: &'a str,
    headline: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    whose: Option<Whose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Step<'a> {
    number: usize,
    text: String,
    file: &'a str,
    line: u32,
    column: u32,
}

impl<'a> First<'a> {
    fn new(cause: &Cause<'a>) -> Self {
        let (rule, expected, actual) = match cause.what {
            What::Claim(mismatch) => (mismatch.rule.as_deref(), mismatch.expected.as_deref(), mismatch.actual.as_deref()),
            What::Broken(finding) => (Some(finding.rule.as_str()), Some(finding.right.as_str()), Some(finding.found.as_str())),
            What::Hindered(_) => (None, None, None),
        };
        let side = |text: &str| clip(text, SIDE_LIMIT).into_owned();
        Self {
            kind: cause.kind().into_owned(),
            message: cause.message(),
            headline: cause.headline(),
            whose: cause.whose(),
            rule,
            expected: expected.map(side),
            actual: actual.map(side),
            step: cause.step.map(|(number, step)| Step {
                number,
                text: format!("{} {}", step.keyword, step.text),
                file: &step.at.file,
                line: step.at.line,
                column: step.at.column,
            }),
            exchange: cause.exchange.map(|record| record.id.0),
            status: cause.exchange.and_then(|record| record.status),
            request_id: cause.exchange.and_then(|record| record.request_id.as_deref()),
        }
    }
}

/// **Units**: microseconds in, milliseconds out.
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::REPORTERS;
    use crate::report::samples::{RUNS, nasty_run, summary};

    fn written(summary: &RunSummary, exit: u8) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = write_json(summary, &folder.path().join("report.json"), exit).expect("written");
        std::fs::read_to_string(path).expect("UTF-8")
    }

    #[test]
    fn every_stored_run() {
        for name in RUNS {
            let run = summary(name);
            let exit = run.finished.as_ref().expect("an end").exit;
            let text = written(&run, exit);
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let listed = value["scenarios"].as_array().expect("a list").len() as u64;
            let not_run: u64 = run.cells.iter().map(CellSummary::missing).sum();
            assert_eq!(listed + not_run, run.planned(), "{name}: every planned scenario is accounted for");
            insta::assert_snapshot!(name, text);
        }
    }

    #[test]
    fn a_flood_is_bounded() {
        let text = written(&nasty_run(), 1);
        assert!(text.len() < 100_000, "{} bytes", text.len());
    }

    #[test]
    fn every_reporter_writes_the_file_it_names() {
        for reporter in REPORTERS {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(format!("new/{}", reporter.kind));
            let paths = (reporter.write)(&summary("failing"), &path, crate::report::ReportOptions::default()).expect("written");
            assert_eq!(paths, std::slice::from_ref(&path));
            assert!(std::fs::metadata(&path).expect("a file").len() > 100, "{}", reporter.kind);
        }
        let error = crate::report::reporter("junti").expect_err("no such kind").to_string();
        assert_eq!(error, "there is no report of kind `junti`; the kinds are console, junit, json");
    }
}
