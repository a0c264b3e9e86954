//! The events of a run: [`RunEvent`] and the records in them. Written as one JSON object a line to `events.ndjson`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{DialectRecord, FindingRecord, HostRecord, Outcome, Place, StepOutcome, Trouble};

/// Version of the record format; a reader refuses a newer one.
pub const SCHEMA: u32 = 1;

/// `suite[setup]` or `suite[setup][model]`: one cell of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(pub Arc<str>);

/// Stable id of a scenario within its cell: `classname/name`, unique, free of host, time and order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScenarioId(pub Arc<str>);

/// Numbers the exchanges of a run from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub u64);

impl std::fmt::Display for CellId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for ScenarioId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "x{}", self.0)
    }
}

/// Counts by outcome. The sum is the number of scenarios.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Passed at the first attempt.
    pub passed: u64,
    /// Passed after a failed attempt.
    pub flaky: u64,
    /// Failed as written down.
    pub known: u64,
    /// Failed.
    pub failed: u64,
    /// Errored, planned-but-not-run included.
    pub errored: u64,
    /// Declared not applicable.
    pub skipped: u64,
    /// Needs live, met a tape.
    pub not_evaluated: u64,
}

impl Totals {
    /// Counts one scenario.
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Flaky => &mut self.flaky,
            Outcome::Known => &mut self.known,
            Outcome::Failed => &mut self.failed,
            Outcome::Errored => &mut self.errored,
            Outcome::Skipped => &mut self.skipped,
            Outcome::NotEvaluated => &mut self.not_evaluated,
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.passed += other.passed;
        self.flaky += other.flaky;
        self.known += other.known;
        self.failed += other.failed;
        self.errored += other.errored;
        self.skipped += other.skipped;
        self.not_evaluated += other.not_evaluated;
    }

    /// All scenarios.
    pub fn all(&self) -> u64 {
        self.passed + self.flaky + self.known + self.failed + self.errored + self.skipped + self.not_evaluated
    }

    /// Scenarios that really ran to a judgement.
    pub fn judged(&self) -> u64 {
        self.passed + self.flaky + self.known + self.failed
    }
}

/// What a cell is going to do, said before anything starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellPlanned {
    /// Id.
    pub cell: CellId,
    /// Suite name; `(files)` for scenarios given by path.
    pub suite: String,
    /// Setup name; `(url)` for a bare address.
    pub setup: String,
    /// Model by role.
    pub models: Vec<(String, String)>,
    /// Profile name, if any.
    pub profile: Option<String>,
    /// `profile`, `generic` or `openai`.
    pub contract: String,
    /// Scenarios planned (repeats included).
    pub planned: u64,
    /// The model of the catalogue that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryRecord>,
}

/// The model of the catalogue that a cell is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// Its name there.
    pub name: String,
    /// Memory that the catalogue says a server takes with it. **Units**: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Whether it was asked for by its name: then it has to run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wished: bool,
}

/// One try of one scenario. **Units**: from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Number of this try, from 1.
    pub number: u32,
    /// Number of tries allowed.
    pub of: u32,
}

/// A header as it came or went; secrets already masked.
pub type HeaderRecord = (String, String);

/// The five clocks of a reply. **Units**: microseconds after the request was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockRecord {
    /// Response head or first byte of the body.
    pub first_byte_us: Option<u64>,
    /// First frame with a role.
    pub first_role_us: Option<u64>,
    /// First reasoning text.
    pub first_reasoning_us: Option<u64>,
    /// First content text.
    pub first_content_us: Option<u64>,
    /// First tool call delta.
    pub first_tool_us: Option<u64>,
    /// Last byte.
    pub end_us: Option<u64>,
}

/// Evidence of one exchange; bodies are capped (head, tail, hash) by the writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// Id, referred to by steps and mismatches.
    pub id: ExchangeId,
    /// Scenario it belongs to.
    pub scenario: ScenarioId,
    /// Attempt number.
    pub attempt: u32,
    /// `POST`, ….
    pub method: String,
    /// Whole address.
    pub url: String,
    /// Sent headers, secrets masked.
    pub request_headers: Vec<HeaderRecord>,
    /// Sent body as text, capped.
    pub request_body: String,
    /// HTTP status; `None` when no head came.
    pub status: Option<u16>,
    /// Received headers.
    pub response_headers: Vec<HeaderRecord>,
    /// Received body as text (replacement characters for bytes that are not UTF-8), capped.
    pub response_body: String,
    /// Received bytes in all.
    pub response_bytes: u64,
    /// SHA-256 of the whole received body, hex; empty while the body was not capped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub response_sha256: String,
    /// Number of network chunks.
    pub chunks: u64,
    /// Transport failure in one line, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport_error: Option<String>,
    /// Why the request was sent again, where it was: a kept connection was closed before an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<String>,
    /// The server's request id header, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Clocks.
    pub clocks: ClockRecord,
}

/// One step as it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// `Given`, `When`, … as written, without trailing space; `*` allowed; YAML cases write `given`, `ask`, `expect`.
    pub keyword: Arc<str>,
    /// The sentence.
    pub text: Arc<str>,
    /// Where it is written.
    pub at: Place,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Wall time. **Units**: microseconds.
    pub took_us: u64,
    /// Exchanges it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<ExchangeId>,
}

/// One scenario attempt as it ended; the last attempt carries the outcome that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioFinished {
    /// Id within the cell.
    pub id: ScenarioId,
    /// Cell.
    pub cell: CellId,
    /// `suite.setup.feature-slug`.
    pub classname: Arc<str>,
    /// Title with ` [key=value]` of its row.
    pub name: Arc<str>,
    /// Where it is written.
    pub at: Place,
    /// Tags, with `@`.
    pub tags: Arc<[String]>,
    /// Which try.
    pub attempt: Attempt,
    /// Whether another attempt follows; then this outcome does not count yet.
    pub will_retry: bool,
    /// How this attempt ended (`Known` already applied; `Flaky` on a pass after failures).
    pub outcome: Outcome,
    /// For skipped, known and not evaluated: the declared reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For errored outside any step: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Steps in order.
    pub steps: Vec<StepRecord>,
    /// Wire rules that its exchanges break, those that fail it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingRecord>,
    /// Claims really evaluated.
    pub assertions: u64,
    /// Start. **Units**: microseconds after the run's start.
    pub started_us: u64,
    /// Wall time. **Units**: microseconds.
    pub took_us: u64,
    /// Lines of the server's log in this scenario's window, capped; only where it failed or errored.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_log: String,
    /// One line that runs it again.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rerun: String,
}

/// Where a stack is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackPhase {
    /// Downloading, converting.
    Provision,
    /// Process started, port known.
    Start,
    /// Health answers, warm-up generated.
    Ready,
    /// Being stopped.
    Stop,
    /// Port and group verified gone.
    Gone,
    /// A tape was read or written.
    Tape,
}

/// A service that we started and that is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Its name in the setup.
    pub name: String,
    /// Number of its first process, and of its group.
    pub pid: i32,
    /// Where it listens on this machine.
    pub port: u16,
    /// From the start of its process until it was ready and warm. **Units**: microseconds.
    pub start_us: u64,
}

/// What the process group of a service takes at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageRecord {
    /// Its name in the setup.
    pub name: String,
    /// Resident memory of its processes together. **Units**: bytes.
    pub rss: u64,
    /// Most that each of them ever had, together, where the system keeps it: an upper bound of their peak. **Units**: bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss: Option<u64>,
    /// Processor time since they started. **Units**: milliseconds.
    pub cpu_ms: u64,
    /// How many processes it is.
    pub processes: u64,
}

/// The tape that answers in place of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeRecord {
    /// Where it lies: `tapes/base/llamacpp`, `built-in tapes/base/llamacpp.tar.gz`.
    pub place: String,
    /// When it was recorded, RFC 3339 in UTC.
    pub recorded: String,
    /// How long that was ago when the run began; absent where the tape says no time. **Units**: days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i64>,
    /// Version of fireassay that recorded it.
    pub fireassay: String,
    /// How many exchanges are on it.
    pub exchanges: u64,
    /// Files of those that people edited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edited: Vec<String>,
    /// Files of those that nobody asked for; absent before the end, and where a part of a suite ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused: Option<Vec<String>>,
}

/// The run's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunTotals {
    /// Sum over cells.
    pub totals: Totals,
    /// Profile entries that did not fire although their scenarios ran.
    pub stale: u64,
}

/// One thing that happened. **Shape**: `{"event":"scenario_started",…}`, one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// First event.
    RunStarted {
        /// Record format.
        schema: u32,
        /// `20261121T101500Z-base-llamacpp`.
        run_id: String,
        /// Hash of the plan that is run; empty in records that have none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        plan_id: String,
        /// Version of fireassay.
        fireassay: String,
        /// Start, UTC, RFC 3339 with milliseconds.
        at: String,
        /// The command line, secrets masked.
        argv: Vec<String>,
        /// `live`, `replay`, ….
        mode: String,
        /// Git commit of the working folder, if it is one, and whether it is dirty.
        commit: Option<(String, bool)>,
        /// Host name.
        hostname: String,
        /// Whether whole suites were asked for, not a part of them; absent in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<bool>,
        /// The machine; absent in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<Box<HostRecord>>,
        /// Cells to come, in order.
        cells: Vec<CellPlanned>,
    },
    /// A cell begins.
    CellStarted {
        /// Which.
        cell: CellId,
    },
    /// Progress of the stack's life, in words for people.
    Stack {
        /// Which cell.
        cell: CellId,
        /// Phase.
        phase: StackPhase,
        /// One line.
        message: String,
    },
    /// The server behind a cell, as it identified itself.
    Server {
        /// Which cell.
        cell: CellId,
        /// Name and version as reported or provisioned (`llama.cpp b11549`).
        server: String,
        /// Base address.
        url: String,
        /// Models it listed.
        models: Vec<String>,
        /// Its services in start order, where we started them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        services: Vec<ServiceRecord>,
        /// Deviations that its profile grants to it in this version.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dialects: Vec<DialectRecord>,
    },
    /// The tape that answers in a cell; again at its end where a whole suite ran.
    Tape {
        /// Which cell.
        cell: CellId,
        /// Which tape.
        tape: TapeRecord,
    },
    /// What the services of a cell take, about once a second while its scenarios run.
    Resources {
        /// Which cell.
        cell: CellId,
        /// **Units**: microseconds after the run's start.
        at_us: u64,
        /// Each service.
        services: Vec<UsageRecord>,
        /// Memory that the machine (or its container) has left, where it tells. **Units**: bytes.
        free: Option<u64>,
    },
    /// A try begins.
    ScenarioStarted {
        /// Which cell.
        cell: CellId,
        /// Which scenario.
        id: ScenarioId,
        /// Which try.
        attempt: Attempt,
        /// **Units**: microseconds after the run's start.
        at_us: u64,
    },
    /// A request and its reply.
    Exchange(Box<ExchangeRecord>),
    /// A try ended.
    ScenarioFinished(Box<ScenarioFinished>),
    /// A cell ended; `trouble` when its stack never became ready.
    CellFinished {
        /// Which.
        cell: CellId,
        /// Counts over last attempts.
        totals: Totals,
        /// Profile entries that did not fire: their text.
        stale: Vec<String>,
        /// Why nothing could run, where so.
        trouble: Option<Trouble>,
        /// Why the whole cell is not applicable here, where so.
        skipped: Option<String>,
        /// **Units**: microseconds.
        took_us: u64,
    },
    /// A signal arrived.
    Interrupted {
        /// Signal number.
        signal: i32,
    },
    /// Last event; `seal.json` follows.
    RunFinished {
        /// Counts.
        totals: RunTotals,
        /// The exit code; the printed verdict comes from the same value.
        exit: u8,
        /// The verdict line.
        verdict: String,
        /// **Units**: microseconds.
        took_us: u64,
    },
}
