//! The append-only event log of a run: one JSON object a line, flushed as things happen.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::RunEvent;

/// Writing the record failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the run record {path}: {source}")]
pub struct EventLogError {
    path: PathBuf,
    source: std::io::Error,
}

/// Appends events to `events.ndjson`; what was appended survives a kill.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: std::fs::File,
    line: Vec<u8>,
}

impl EventLog {
    /// Creates the file anew; the folder must exist.
    pub fn create(path: &Path) -> Result<Self, EventLogError> {
        let file = std::fs::File::create(path).map_err(|source| EventLogError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, line: Vec::new() })
    }

    /// Appends one event with a single write, so that a reader never sees half a line except after a kill.
    pub fn append(&mut self, event: &RunEvent) -> Result<(), EventLogError> {
        self.line.clear();
        let wrap = |source| EventLogError { path: self.path.clone(), source };
        serde_json::to_writer(&mut self.line, event).map_err(|error| wrap(error.into()))?;
        self.line.push(b'\n');
        self.file.write_all(&self.line).map_err(wrap)
    }
}
