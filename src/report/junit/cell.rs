//! What does a suite say? One cell: its head with properties, and cases for what it planned and never ran.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::case::{Case, Said, Verdict, case_name, stamp};
use crate::event::{TapeRecord, Trouble, Weight, slug};
use crate::report::cause::closed_kind;
use crate::report::summary::{CellSummary, RunSummary, ServerIdentity};

/// Attributes and properties of a suite, or of the whole file.
#[derive(Debug, Default)]
pub(super) struct SuiteHead {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) took_us: u64,
    pub(super) timestamp: Option<String>,
    pub(super) hostname: String,
    pub(super) properties: Vec<(String, String)>,
}

/// When the run began, if the record says so in a form we know.
pub(super) fn begin(summary: &RunSummary) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&summary.run.at).ok().map(|at| at.to_utc())
}

/// The head of a cell.
pub(super) fn suite_head(summary: &RunSummary, cell: &CellSummary) -> SuiteHead {
    let first = cell.scenarios.iter().map(|scenario| scenario.started_us).min().unwrap_or(0);
    let took = || cell.scenarios.iter().map(|scenario| scenario.took_us).sum();
    SuiteHead {
        name: case_name(&cell.id().0),
        id: suite_id(cell),
        took_us: cell.took_us.unwrap_or_else(took),
        timestamp: begin(summary).map(|begin| stamp(begin, first)),
        hostname: summary.run.hostname.clone(),
        properties: properties(summary, cell),
    }
}

/// `suite.setup`, with the model's part where the cell has one; a dot only between parts.
fn suite_id(cell: &CellSummary) -> String {
    let parts = cell.id().0.split(['[', ']']).filter(|part| !part.is_empty()).map(slug);
    parts.collect::<Vec<_>>().join(".")
}

/// Where the evidence is from. Twice: by our names, and by those that one collector reads as tags.
fn properties(summary: &RunSummary, cell: &CellSummary) -> Vec<(String, String)> {
    let run = &summary.run;
    let (commit, dirty) = run.commit.clone().map_or((String::new(), String::new()), |(id, dirty)| (id, dirty.to_string()));
    let models: Vec<String> = cell.plan.models.iter().map(|(role, model)| format!("{role}={model}")).collect();
    let values = [
        ("schema", run.schema.to_string()),
        ("plan_id", run.plan_id.clone()),
        ("run_id", run.run_id.clone()),
        ("commit", commit),
        ("dirty", dirty),
        ("suite", cell.plan.suite.clone()),
        ("setup", cell.plan.setup.clone()),
        ("catalogue", cell.plan.entry.as_ref().map(|entry| entry.name.clone()).unwrap_or_default()),
        ("mode", run.mode.clone()),
        ("contract", cell.plan.contract.clone()),
        ("profile", cell.plan.profile.clone().unwrap_or_default()),
        ("server", cell.server.as_ref().map(|server| server.name.clone()).unwrap_or_default()),
        ("tape", of_tape(cell, |tape| Some(tape.place.clone()))),
        ("tape_recorded", of_tape(cell, |tape| Some(tape.recorded.clone()))),
        ("tape_age_days", of_tape(cell, |tape| tape.age_days.map(|days| days.to_string()))),
        ("tape_edited", of_tape(cell, |tape| Some(tape.edited.join(" ")))),
        ("tape_unused", of_tape(cell, |tape| tape.unused.as_ref().map(|unused| unused.len().to_string()))),
        ("process", process(cell)),
        ("start_ms", figure(cell, |server| server.start_us().map(|us| us / 1000))),
        ("peak_rss_mib", figure(cell, |server| server.peak_rss().map(|bytes| bytes >> 20))),
        ("memory_advice", cell.memory_advice().unwrap_or_default()),
        ("model", models.join(" ")),
        ("dialects", rules(cell, Weight::Lenient)),
        ("advice", rules(cell, Weight::Advice)),
    ];
    let known: Vec<(&str, String)> = values.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let plain = known.iter().map(|(name, value)| (format!("fireassay.{name}"), value.clone()));
    let tags = known.iter().map(|(name, value)| (format!("dd_tags[fireassay.{name}]"), value.clone()));
    plain.chain(tags).collect()
}

/// `server=4711:41023`: each service that we started, with its process and port.
fn process(cell: &CellSummary) -> String {
    let services = cell.server.iter().flat_map(|server| &server.services).map(|service| &service.record);
    services.map(|it| format!("{}={}:{}", it.name, it.pid, it.port)).collect::<Vec<_>>().join(" ")
}

/// What is said of the tape that answered; empty where none did.
fn of_tape(cell: &CellSummary, said: impl Fn(&TapeRecord) -> Option<String>) -> String {
    cell.tape.as_ref().and_then(said).unwrap_or_default()
}

fn figure(cell: &CellSummary, of: impl Fn(&ServerIdentity) -> Option<u64>) -> String {
    cell.server.as_ref().and_then(of).map(|number| number.to_string()).unwrap_or_default()
}

/// `W052:14 W057:3`: rules that were broken without failing anything, and how often.
fn rules(cell: &CellSummary, weight: Weight) -> String {
    let all: Vec<String> = cell.rules.of(weight).map(|(rule, tally)| format!("{rule}:{}", tally.count)).collect();
    all.join(" ")
}

/// Cases for what has no end: the scenarios that are known by name, one for all others, and the cell's own trouble.
pub(super) fn unfinished_cases(summary: &RunSummary, cell: &CellSummary) -> Vec<Case<'static>> {
    let missing = cell.missing();
    let classname = format!("{}.cell", suite_id(cell));
    if let Some(reason) = cell.skipped.as_ref().filter(|_| missing > 0 || cell.scenarios.is_empty()) {
        let text = format!("{missing} planned scenarios: {reason}");
        return vec![whole(&classname, "(cell not applicable)", Verdict::Skipped(Said::new("capability", reason, &text)))];
    }
    if let Some(trouble) = cell.trouble.as_ref().filter(|_| cell.scenarios.is_empty()) {
        let text = format!("{missing} planned scenarios did not run\n{}\n{}", trouble.message, trouble.detail);
        let error = Verdict::Error(Said::new(trouble_kind(trouble), &trouble.message, &text));
        return vec![whole(&classname, "(cell did not start)", error)];
    }
    let why = why_unfinished(summary, cell);
    let not_run = |classname: &str, name: &str, message: &str| {
        let text = format!("{message}: {why}");
        whole(classname, name, Verdict::Error(Said::new("infra.not_run", &text, &text)))
    };
    let mut cases = Vec::new();
    for id in cell.unfinished() {
        let (of, name) = id.0.split_once('/').unwrap_or((&classname, &id.0));
        cases.push(not_run(of, name, "it began and did not end"));
    }
    let unnamed = missing.saturating_sub(cases.len() as u64);
    if unnamed > 0 {
        cases.push(not_run(&classname, "(not run)", &format!("{unnamed} planned scenarios did not run")));
    }
    if let Some(trouble) = cell.trouble.as_ref().filter(|_| cases.is_empty() && cell.totals.errored == 0) {
        let error = Verdict::Error(Said::new(
            trouble_kind(trouble),
            &trouble.message,
            &format!("{}\n{}", trouble.message, trouble.detail),
        ));
        cases.push(whole(&classname, "(cell did not end well)", error));
    }
    cases
}

fn why_unfinished(summary: &RunSummary, cell: &CellSummary) -> String {
    match (&cell.trouble, summary.interrupted, &summary.finished) {
        (Some(trouble), ..) => trouble.message.clone(),
        (None, Some(signal), _) => format!("the run was ended by signal {signal}"),
        (None, None, None) => "the record of the run has no end".to_owned(),
        (None, None, Some(_)) => "the run ended before them".to_owned(),
    }
}

fn trouble_kind(trouble: &Trouble) -> &str {
    closed_kind(&trouble.kind).unwrap_or("infra.other")
}

/// A case that is no scenario.
pub(super) fn whole(classname: &str, name: &str, verdict: Verdict) -> Case<'static> {
    Case {
        classname: Cow::Owned(classname.to_owned()),
        name: case_name(name),
        took_us: 0,
        timestamp: None,
        at: None,
        assertions: None,
        properties: Vec::new(),
        verdict,
        retries: Vec::new(),
        system_out: String::new(),
        system_err: String::new(),
    }
}
