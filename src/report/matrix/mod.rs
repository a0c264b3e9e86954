//! What works with what? Models × servers × abilities, out of what runs left: JSON summaries and run records.
//!
//! Only a verdict that was reached counts. What never ran, could not be judged, or ran on another version of the server than
//! the newest is *not run*; it is never a pass. Reports are read in `read`, merged in `fold`, worded in `markdown`.

mod fold;
mod markdown;
mod read;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::event::Totals;

pub use markdown::render_markdown;
pub use read::{MatrixError, Source, read_sources};

/// The matrix. **Shape** as JSON: `{"schema", "as_of", "reports", "abilities", "rows": […]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    /// Version of the shape.
    pub schema: u32,
    /// When it was made; ages count from here.
    pub as_of: DateTime<Utc>,
    /// Number of reports that were read.
    pub reports: usize,
    /// Columns: the abilities that some scenario asked for.
    pub abilities: Vec<String>,
    /// One row for each model on each server in each setup.
    pub rows: Vec<Row>,
}

/// One model on one server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Model that was asked: its name in the catalogue, where it was run from there.
    pub model: String,
    /// The server with its version, as it last identified itself; `None` where none ever did.
    pub server: Option<String>,
    /// Setup.
    pub setup: String,
    /// Contract that it was held to.
    pub contract: String,
    /// The newest run.
    pub last_run: LastRun,
    /// Scenarios of the newest run that were planned and never ended.
    #[serde(skip_serializing_if = "is_zero")]
    pub unfinished: u64,
    /// How long the server took to be ready when it was last started by us. **Units**: milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<f64>,
    /// Most resident memory of its services then. **Units**: bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
    /// One cell for each column, in their order.
    pub cells: Vec<Cell>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The newest run of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastRun {
    /// Run id.
    pub run_id: String,
    /// Start.
    pub at: DateTime<Utc>,
    /// Git commit of the project, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether files differed from that commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Version of fireassay.
    pub fireassay: String,
    /// `live`, `replay`.
    pub mode: String,
}

/// What a cell comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything that ran passed, and nothing that ran before was left out.
    Pass,
    /// Passed, some only after a failure.
    Flaky,
    /// Fails as its profile says, and not otherwise.
    Known,
    /// A claim is false.
    Fail,
    /// Declared not applicable.
    Skipped,
    /// Nothing was judged, or not all of it.
    NotRun,
}

impl State {
    /// The words shown.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Flaky => "flaky",
            Self::Known => "known",
            Self::Fail => "FAIL",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

/// One ability of one row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The ability.
    pub ability: String,
    /// What it comes to.
    pub state: State,
    /// Scenarios by how they ended last.
    pub counts: Counts,
    /// Why it was skipped or not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Start of the oldest run that a verdict in it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Age of that, when the matrix was made. **Units**: seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<i64>,
    /// Runs that its verdicts come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<String>,
}

/// Scenarios of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// By outcome.
    #[serde(flatten)]
    pub totals: Totals,
    /// Known from another run, and not run on this version of the server.
    pub not_run: u64,
}

impl Matrix {
    /// Merges reports. `abilities` are the words that tags are taken for abilities by, in the order of the columns.
    pub fn of(sources: &[Source], abilities: &[&str], as_of: DateTime<Utc>) -> Self {
        fold::fold(sources, abilities, as_of)
    }

    /// Whether any verdict is in it.
    pub fn has_verdict(&self) -> bool {
        self.rows.iter().flat_map(|row| &row.cells).any(|cell| cell.counts.totals.judged() > 0)
    }
}
