//! What did the run amount to? [`RunSummary`]: cells, scenarios by their last attempt, totals. Every report reads it.
//!
//! What must hold: the sum of a cell's final totals is its number of planned scenarios; what never finished is errored, or
//! skipped with the whole cell.

use std::collections::HashMap;
use std::sync::Arc;

use super::rules::RuleTallies;
use crate::event::{
    Attempt, CellId, CellPlanned, DialectRecord, ExchangeRecord, FindingRecord, HostRecord, Outcome, Place, ScenarioId,
    ServiceRecord, StepRecord, TapeRecord, Totals, Trouble, UsageRecord,
};

use super::fold::Shared;
use super::text::amount;

/// A measured amount is far from a stated one when it is so many times as much, or as little.
const FAR: f64 = 1.5;

/// The run as far as its events have come.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// What was said at the start.
    pub run: RunInfo,
    /// Cells in the order they were announced.
    pub cells: Vec<CellSummary>,
    /// The signal that ended it, where one did.
    pub interrupted: Option<i32>,
    /// The last event, where it came.
    pub finished: Option<RunEnd>,
    pub(super) shared: Shared,
}

/// What a run says of itself at its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunInfo {
    /// Version of the record.
    pub schema: u32,
    /// Run id.
    pub run_id: String,
    /// Hash of the plan, may be empty.
    pub plan_id: String,
    /// Version of fireassay.
    pub fireassay: String,
    /// Start, UTC, RFC 3339.
    pub at: String,
    /// Command line.
    pub argv: Vec<String>,
    /// `live`, `replay`, ….
    pub mode: String,
    /// Commit, and whether the folder was dirty.
    pub commit: Option<(String, bool)>,
    /// Host.
    pub hostname: String,
    /// Whether whole suites were asked for, where the record tells.
    pub whole: Option<bool>,
    /// The machine, where the record tells.
    pub host: Option<HostRecord>,
}

/// How the run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Exit code.
    pub exit: u8,
    /// Verdict line.
    pub verdict: String,
    /// **Units**: microseconds.
    pub took_us: u64,
}

/// The server of a cell as it identified itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerIdentity {
    /// Name and version.
    pub name: String,
    /// Base address.
    pub url: String,
    /// Models it listed.
    pub models: Vec<String>,
    /// Its services, where we started them.
    pub services: Vec<ServiceSummary>,
}

/// A service that we started, and what it took at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSummary {
    /// Who, where, and how long it took to be ready.
    pub record: ServiceRecord,
    /// Most resident memory: what the system kept of it, else of all samples; `None` where there was none. **Units**: bytes.
    pub peak_rss: Option<u64>,
    /// Processor time by the last sample. **Units**: milliseconds.
    pub cpu_ms: Option<u64>,
}

impl ServerIdentity {
    /// Until the last of its services was ready, one after the other. **Units**: microseconds.
    pub fn start_us(&self) -> Option<u64> {
        (!self.services.is_empty()).then(|| self.services.iter().map(|service| service.record.start_us).sum())
    }

    /// Sum of the services' peaks. **Units**: bytes.
    pub fn peak_rss(&self) -> Option<u64> {
        self.start_us()?;
        self.services.iter().map(|service| service.peak_rss).sum()
    }

    /// Takes a sample in.
    pub(super) fn take(&mut self, sample: &[UsageRecord]) {
        for service in &mut self.services {
            if let Some(usage) = sample.iter().find(|usage| usage.name == service.record.name) {
                let now = usage.rss.max(usage.peak_rss.unwrap_or(0));
                service.peak_rss = Some(service.peak_rss.unwrap_or(0).max(now));
                service.cpu_ms = Some(service.cpu_ms.unwrap_or(0).max(usage.cpu_ms));
            }
        }
    }
}

/// One cell as far as it has come.
#[derive(Debug)]
pub struct CellSummary {
    /// What was announced.
    pub plan: CellPlanned,
    /// Who answered.
    pub server: Option<ServerIdentity>,
    /// The tape that answered in its place.
    pub tape: Option<TapeRecord>,
    /// Scenarios that ended, by their last attempt, in that order.
    pub scenarios: Vec<ScenarioSummary>,
    /// Scenarios with a try that is running or was followed by none, in the order they began.
    pub running: Vec<Running>,
    /// Counts over `scenarios`.
    pub totals: Totals,
    /// Deviations that the profile grants to the server.
    pub dialects: Vec<DialectRecord>,
    /// Wire rules that were broken, over all tries.
    pub rules: RuleTallies,
    /// Profile entries that did not fire.
    pub stale: Vec<String>,
    /// Why its stack did not serve, where so.
    pub trouble: Option<Trouble>,
    /// Why the whole cell is not applicable, where so.
    pub skipped: Option<String>,
    /// Whether it began.
    pub started: bool,
    /// Wall time, once it ended. **Units**: microseconds.
    pub took_us: Option<u64>,
    /// Failed attempts of scenarios that have not ended.
    pub(super) earlier: HashMap<ScenarioId, Vec<Try>>,
}

/// A try that began and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which.
    pub id: ScenarioId,
    /// Which try.
    pub attempt: Attempt,
    /// **Units**: microseconds after the run's start.
    pub at_us: u64,
}

impl Running {
    /// Class name and name, as the id holds them.
    pub fn names(&self) -> (&str, &str) {
        self.id.0.split_once('/').unwrap_or(("", &self.id.0))
    }
}

/// One scenario by its last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioSummary {
    /// Id within the cell.
    pub id: ScenarioId,
    /// `suite.setup.feature`.
    pub classname: Arc<str>,
    /// Title with its row.
    pub name: Arc<str>,
    /// Where it is written.
    pub at: Place,
    /// Tags, with `@`.
    pub tags: Arc<[String]>,
    /// The outcome that counts.
    pub outcome: Outcome,
    /// Tries made.
    pub attempts: u32,
    /// Claims evaluated in the last try.
    pub assertions: u64,
    /// **Units**: microseconds after the run's start.
    pub started_us: u64,
    /// All tries together. **Units**: microseconds.
    pub took_us: u64,
    /// First content or tool call of the first generating exchange. **Units**: microseconds.
    pub first_token_us: Option<u64>,
    /// What a plain pass does not need.
    pub detail: Option<Box<Detail>>,
}

/// What is kept of a scenario that is more than a plain pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// Declared reason of skipped, known, not evaluated.
    pub reason: Option<String>,
    /// One line that runs it again.
    pub rerun: String,
    /// Tries in order, the last one counts; a skipped scenario has its one try without steps.
    pub tries: Vec<Try>,
}

/// One try with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Which.
    pub attempt: Attempt,
    /// How it ended.
    pub outcome: Outcome,
    /// Steps in order.
    pub steps: Vec<StepRecord>,
    /// Wire rules that fail it.
    pub findings: Vec<FindingRecord>,
    /// Why it could not be judged, outside any step.
    pub trouble: Option<Trouble>,
    /// Its exchanges, bodies capped.
    pub exchanges: Vec<ExchangeRecord>,
    /// Server's log in its window.
    pub server_log: String,
    /// **Units**: microseconds.
    pub took_us: u64,
}

impl ScenarioSummary {
    /// The declared reason, where there is one.
    pub fn reason(&self) -> Option<&str> {
        self.detail.as_ref().and_then(|detail| detail.reason.as_deref())
    }

    /// Tries that were kept; none for a plain pass.
    pub fn tries(&self) -> &[Try] {
        self.detail.as_ref().map_or(&[], |detail| &detail.tries)
    }

    /// Whether it was planned and never began: its one try has a trouble of its own and no step that was reached.
    pub fn never_ran(&self) -> bool {
        let not_run = |one: &Try| one.trouble.as_ref().is_some_and(|trouble| trouble.kind == "infra.not_run");
        self.outcome == Outcome::Errored && self.last_try().is_some_and(not_run)
    }

    /// The try that counts, where it was kept.
    pub fn last_try(&self) -> Option<&Try> {
        self.tries().last()
    }
}

impl CellSummary {
    /// A cell of which nothing has come yet.
    pub fn new(plan: CellPlanned) -> Self {
        Self {
            plan,
            server: None,
            tape: None,
            scenarios: Vec::new(),
            running: Vec::new(),
            totals: Totals::default(),
            dialects: Vec::new(),
            rules: RuleTallies::default(),
            stale: Vec::new(),
            trouble: None,
            skipped: None,
            started: false,
            took_us: None,
            earlier: HashMap::new(),
        }
    }

    /// Id.
    pub fn id(&self) -> &CellId {
        &self.plan.cell
    }

    /// Planned scenarios without an end.
    pub fn missing(&self) -> u64 {
        self.plan.planned.saturating_sub(self.scenarios.len() as u64)
    }

    /// Whether the trouble of this cell is why a scenario of it did not run.
    pub fn kept_from_running(&self, scenario: &ScenarioSummary) -> bool {
        scenario.never_ran() && scenario.last_try().is_some_and(|last| self.tells_of(last))
    }

    /// Whether the trouble of this cell is that of a try: told once, with the cell.
    pub fn tells_of(&self, one: &Try) -> bool {
        self.trouble.is_some() && one.trouble.as_ref().is_some_and(|trouble| trouble.of_cell)
    }

    /// Counts as they stand when nothing more comes: what is missing is errored, or skipped with the whole cell.
    pub fn final_totals(&self) -> Totals {
        let mut totals = self.totals;
        if self.skipped.is_some() {
            totals.skipped += self.missing();
        } else {
            totals.errored += self.missing();
        }
        totals
    }

    /// What the catalogue says of the model's memory, where it is far from what was measured.
    pub fn memory_advice(&self) -> Option<String> {
        let entry = self.plan.entry.as_ref()?;
        let (stated, peak) = (entry.memory?, self.server.as_ref()?.peak_rss()?);
        let (more, less) = (peak.max(stated) as f64, peak.min(stated) as f64);
        let far = more > FAR * less;
        let words = || {
            let (stated, peak, name) = (amount(stated), amount(peak), &entry.name);
            format!("models.yaml states {stated} of memory for `{name}`, the server took {peak} at most: correct its `memory`")
        };
        far.then(words)
    }

    /// Scenarios that began or failed once and never ended.
    pub fn unfinished(&self) -> Vec<ScenarioId> {
        let mut ids: Vec<ScenarioId> = self.running.iter().map(|running| running.id.clone()).collect();
        let mut waiting: Vec<ScenarioId> = self.earlier.keys().filter(|id| !ids.contains(id)).cloned().collect();
        waiting.sort_unstable();
        ids.append(&mut waiting);
        ids
    }
}

impl RunSummary {
    /// Counts of scenarios that ended, over all cells.
    pub fn totals(&self) -> Totals {
        sum(self.cells.iter().map(|cell| cell.totals))
    }

    /// Counts when nothing more comes; see [`CellSummary::final_totals`].
    pub fn final_totals(&self) -> Totals {
        sum(self.cells.iter().map(CellSummary::final_totals))
    }

    /// Scenarios announced.
    pub fn planned(&self) -> u64 {
        self.cells.iter().map(|cell| cell.plan.planned).sum()
    }

    /// Profile entries that did not fire.
    pub fn stale(&self) -> u64 {
        self.cells.iter().map(|cell| cell.stale.len() as u64).sum()
    }

    /// Wall time, of the run if it ended, else of the cells that did. **Units**: microseconds.
    pub fn took_us(&self) -> u64 {
        let of_cells = || self.cells.iter().filter_map(|cell| cell.took_us).sum();
        self.finished.as_ref().map_or_else(of_cells, |end| end.took_us)
    }

    /// All scenarios that ended, with their cells.
    pub fn scenarios(&self) -> impl Iterator<Item = (&CellSummary, &ScenarioSummary)> {
        self.cells.iter().flat_map(|cell| cell.scenarios.iter().map(move |scenario| (cell, scenario)))
    }
}

fn sum(all: impl Iterator<Item = Totals>) -> Totals {
    all.fold(Totals::default(), |sum, one| Totals {
        passed: sum.passed + one.passed,
        flaky: sum.flaky + one.flaky,
        known: sum.known + one.known,
        failed: sum.failed + one.failed,
        errored: sum.errored + one.errored,
        skipped: sum.skipped + one.skipped,
        not_evaluated: sum.not_evaluated + one.not_evaluated,
    })
}
