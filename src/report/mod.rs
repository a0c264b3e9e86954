//! What do people and machines read of a run? Console, JUnit, JSON: pure functions of the events, folded once into a
//! [`RunSummary`].
//!
//! One file and one row of [`REPORTERS`] per kind. Text that a model or a server wrote is hostile: every reporter passes it
//! through [`text`] first. Nothing here decides a verdict; [`verdict_line`] words the one that the exit code states.

mod cause;
mod curl;
mod file;
mod fold;
mod junit;
#[cfg(test)]
mod samples;
mod summary;
pub mod text;
mod verdict;

pub use cause::{Cause, causes};
pub use curl::curl;
pub use file::ReportError;
pub use junit::{JunitProfile, remove_stale, write_error_junit, write_junit};
pub use summary::{CellSummary, Detail, RunEnd, RunInfo, RunSummary, Running, ScenarioSummary, ServerIdentity, Try};
pub use verdict::{counts, verdict_line, verdict_word};
