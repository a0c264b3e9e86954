//! What do people and machines read of a run? Console, JUnit, JSON: pure functions of the events, folded once into a
//! [`RunSummary`].
//!
//! One file and one row of [`REPORTERS`] per kind. Text that a model or a server wrote is hostile: every reporter passes it
//! through [`text`] first. Nothing here decides a verdict; [`verdict_line`] words the one that the exit code states.

mod cause;
mod console;
mod curl;
mod file;
mod fold;
mod json;
mod junit;
pub mod matrix;
mod rules;
#[cfg(test)]
mod samples;
mod summary;
pub mod text;
mod verdict;

pub use cause::{Cause, What, causes};
pub use console::{ColorChoice, Console, ConsoleOptions, Verbosity, render_console};
pub use curl::curl;
pub use file::{ReportError, write_text};
pub use json::write_json;
pub use junit::{JunitProfile, remove_stale, write_error_junit, write_junit};
pub use rules::{RuleTallies, RuleTally};
pub use summary::{
    CellSummary, Detail, RunEnd, RunInfo, RunSummary, Running, ScenarioSummary, ServerIdentity, ServiceSummary, Try,
};
pub use verdict::{counts, verdict_line, verdict_word};

use std::path::{Path, PathBuf};

/// What reporters need beside the summary.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReportOptions {
    /// The exit code that the run ends with.
    pub exit: u8,
    /// `--junit-profile`.
    pub junit: JunitProfile,
}

/// One kind of `--report KIND=FILE`.
#[derive(Debug)]
pub struct Reporter {
    /// The word before `=`.
    pub kind: &'static str,
    /// One line for the help.
    pub about: &'static str,
    /// Writes the report and names its files.
    pub write: fn(&RunSummary, &Path, ReportOptions) -> Result<Vec<PathBuf>, ReportError>,
}

/// All kinds of reports.
pub static REPORTERS: &[Reporter] = &[
    Reporter {
        kind: "console",
        about: "what the terminal shows at the end, without colours",
        write: |summary, path, options| {
            let text = render_console(summary, options.exit, ConsoleOptions::default());
            Ok(vec![file::write_file(path, |out| out.write_all(text.as_bytes()))?])
        },
    },
    Reporter {
        kind: "junit",
        about: "JUnit XML, which every CI system reads",
        write: |summary, path, options| write_junit(summary, path, options.junit),
    },
    Reporter {
        kind: "json",
        about: "the whole result for programs: run, cells, scenarios with outcome and first cause",
        write: |summary, path, options| Ok(vec![write_json(summary, path, options.exit)?]),
    },
];

/// The reporter of a kind. **Errors**: [`ReportError::UnknownKind`] with all kinds.
pub fn reporter(kind: &str) -> Result<&'static Reporter, ReportError> {
    REPORTERS.iter().find(|reporter| reporter.kind == kind).ok_or_else(|| ReportError::UnknownKind {
        kind: kind.to_owned(),
        kinds: REPORTERS.iter().map(|reporter| reporter.kind).collect::<Vec<_>>().join(", "),
    })
}
