//! The append-only event log of a run: one JSON object a line, written as things happen.
//!
//! What the engine says of scenarios in one breath (evidence, the end, the next start) goes to the disk in one write, when
//! the engine begins to wait: [`EventLog::settle`].

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

/// Appends events to `events.ndjson`; what was written survives a kill.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: std::fs::File,
    /// Whole lines that are not written yet.
    lines: Vec<u8>,
}

/// Lines waiting for [`EventLog::settle`] are written without it beyond this. **Units**: bytes.
const MOST_WAITING: usize = 64 << 10;

impl EventLog {
    /// Creates the file anew; the folder must exist.
    pub fn create(path: &Path) -> Result<Self, EventLogError> {
        let file = std::fs::File::create(path).map_err(|source| EventLogError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, lines: Vec::new() })
    }

    /// Appends one event. Events of scenarios wait for [`settle`](Self::settle) or for the next event of another kind.
    pub fn append(&mut self, event: &RunEvent) -> Result<(), EventLogError> {
        let before = self.lines.len();
        if let Err(error) = serde_json::to_writer(&mut self.lines, event) {
            self.lines.truncate(before);
            return Err(self.failed(error.into()));
        }
        self.lines.push(b'\n');
        let waits = matches!(event, RunEvent::ScenarioStarted { .. } | RunEvent::Exchange(_) | RunEvent::ScenarioFinished(_));
        if waits && self.lines.len() < MOST_WAITING { Ok(()) } else { self.settle() }
    }

    /// Writes what waits with a single write, so that a reader never sees half a line except after a kill.
    pub fn settle(&mut self) -> Result<(), EventLogError> {
        let written = self.file.write_all(&self.lines);
        self.lines.clear();
        written.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> EventLogError {
        EventLogError { path: self.path.clone(), source }
    }
}
