//! Reads what runs left: a JSON summary, or a run record, whose seal must fit.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::event::{EntryRecord, Outcome, RunEvent, Seal};
use crate::report::RunSummary;
use crate::report::json;

/// Newest version of the summary's shape that is read.
const SHAPE: u32 = 1;
/// Longest summary that is read. **Units**: bytes.
const LONGEST: u64 = 512 << 20;

/// Why a report was not read.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The system said no.
    #[error("cannot read the report {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no report, or one of another version.
    #[error("{path} is no report that can be read: {why}")]
    Broken {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A run record that was not sealed, or was changed afterwards.
    #[error("{path} is no evidence: {why}")]
    Inadmissible {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// One report.
#[derive(Debug, Clone, Deserialize)]
pub struct Source {
    pub(super) schema: u32,
    pub(super) run: Run,
    pub(super) cells: Vec<RunCell>,
    pub(super) scenarios: Vec<Scenario>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Run {
    #[serde(rename = "run_id")]
    pub id: String,
    pub fireassay: String,
    pub at: DateTime<Utc>,
    pub mode: String,
    pub commit: Option<String>,
    pub dirty: Option<bool>,
    pub whole: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RunCell {
    pub cell: String,
    pub suite: String,
    pub setup: String,
    #[serde(default)]
    pub models: Map<String, Value>,
    pub contract: String,
    pub catalogue: Option<EntryRecord>,
    pub server: Option<Server>,
    #[serde(default)]
    pub not_run: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Server {
    pub name: String,
    pub start_ms: Option<f64>,
    pub peak_rss_bytes: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Scenario {
    pub cell: String,
    pub id: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub cause: Option<Cause>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Cause {
    pub headline: String,
}

/// Reads reports: a file is a JSON summary, a folder a run record or a folder of these. **Order**: as found, folders sorted.
pub fn read_sources(paths: &[PathBuf]) -> Result<Vec<Source>, MatrixError> {
    let mut sources = Vec::new();
    for path in paths {
        if path.join("events.ndjson").is_file() {
            sources.push(record(path)?);
        } else if path.is_dir() {
            let records = records_in(path)?;
            if records.is_empty() {
                let why = "the folder is no run record (no events.ndjson), and holds none".to_owned();
                return Err(MatrixError::Broken { path: path.clone(), why });
            }
            for path in records {
                sources.push(record(&path)?);
            }
        } else {
            sources.push(summary(path)?);
        }
    }
    Ok(sources)
}

/// The run records in a folder; links such as `latest` lead to one of them.
fn records_in(folder: &Path) -> Result<Vec<PathBuf>, MatrixError> {
    let fail = |source| MatrixError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if !path.is_symlink() && path.join("events.ndjson").is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn summary(path: &Path) -> Result<Source, MatrixError> {
    let fail = |source| MatrixError::Read { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length > LONGEST {
        let why = format!("it has {} MiB, at most {} are read", length >> 20, LONGEST >> 20);
        return Err(MatrixError::Broken { path: path.to_owned(), why });
    }
    let text = std::fs::read_to_string(path).map_err(fail)?;
    let value =
        serde_json::from_str(&text).map_err(|error| MatrixError::Broken { path: path.to_owned(), why: error.to_string() })?;
    source(path, value)
}

fn source(path: &Path, value: Value) -> Result<Source, MatrixError> {
    let broken = |why: String| MatrixError::Broken { path: path.to_owned(), why };
    let source =
        Source::deserialize(value).map_err(|error| broken(format!("{error}; `fireassay run --report json=FILE` writes one")))?;
    if source.schema > SHAPE {
        return Err(broken(format!("its shape is of version {}, this fireassay reads up to {SHAPE}", source.schema)));
    }
    if let Some(stray) = source.scenarios.iter().find(|one| !source.cells.iter().any(|cell| cell.cell == one.cell)) {
        return Err(broken(format!("the scenario `{}` is of a cell that it does not have", stray.id)));
    }
    Ok(source)
}

/// A run record: the same summary, out of its events.
fn record(folder: &Path) -> Result<Source, MatrixError> {
    let events = folder.join("events.ndjson");
    let inadmissible = |why: String| MatrixError::Inadmissible { path: folder.to_owned(), why };
    let seal = std::fs::read_to_string(folder.join("seal.json"));
    let seal = seal
        .map_err(|_| inadmissible("it is not sealed: the run was ended before its end; remove it, or run it again".to_owned()))?;
    let seal: Seal = serde_json::from_str(&seal).map_err(|error| inadmissible(format!("its seal cannot be read: {error}")))?;
    let fail = |source| MatrixError::Read { path: events.clone(), source };
    let file = std::fs::File::open(&events).map_err(fail)?;
    let mut hash = Sha256::new();
    let mut run = RunSummary::default();
    for (number, line) in std::io::BufReader::new(file).split(b'\n').enumerate() {
        let mut line = line.map_err(fail)?;
        let event: RunEvent = serde_json::from_slice(&line)
            .map_err(|error| MatrixError::Broken { path: events.clone(), why: format!("line {}: {error}", number + 1) })?;
        run.push(&event);
        line.push(b'\n');
        hash.update(&line);
    }
    let found = format!("{:x}", hash.finalize());
    let sealed = seal.sha256.iter().find(|(name, _)| name == "events.ndjson").map(|(_, digest)| digest.as_str());
    if sealed != Some(found.as_str()) {
        return Err(inadmissible("its events are not those that were sealed".to_owned()));
    }
    source(folder, json::value(&run, seal.exit))
}
