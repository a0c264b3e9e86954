//! Fates from one trial to the next: [`Cache`]. A file for each scenario, named by all that its fates depend on; what changes
//! has another name, so that nothing in it is ever stale.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::fate::{Fate, Verdict};
use super::operator::{Operator, operator};
use super::sheet::Row;
use super::trial::Trial;
use crate::plan::ScenarioPlan;
use crate::wire::Exchange;

/// The fates of one scenario's changes.
pub(super) type Fates = Vec<Row>;

/// Where fates are kept.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    /// What fireassay itself is: another build has other operators and rules.
    build: String,
}

/// A file of the cache.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    /// Ids of the operators that were tried.
    tried: Vec<String>,
    rows: Vec<StoredRow>,
}

/// Number of the exchange, id of the operator, a letter for each contract, what failed where it was a false alarm.
#[derive(Debug, Serialize, Deserialize)]
struct StoredRow(usize, String, String, String);

impl Cache {
    /// A cache in this folder for this build. **Errors**: the folder cannot be made, or the program cannot be read.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let disk = |doing: &str, path: &Path, error: std::io::Error| format!("cannot {doing} `{}`: {error}", path.display());
        std::fs::create_dir_all(folder).map_err(|error| disk("make", folder, error))?;
        let program = std::env::current_exe().map_err(|error| format!("this program has no file: {error}"))?;
        let bytes = std::fs::read(&program).map_err(|error| disk("read", &program, error))?;
        Ok(Self { folder: folder.to_owned(), build: format!("{:x}", Sha256::digest(bytes)) })
    }

    /// The name of a scenario: what it says, what it asked and got, what it amounted to, and by what it was judged.
    pub(super) fn key(&self, trial: &Trial<'_>, plan: &ScenarioPlan, replies: &[Exchange], verdicts: &[Verdict]) -> String {
        let cell = trial.stage.cell();
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        add(self.build.as_bytes());
        add(format!("{plan:?} {verdicts:?} {:?}", trial.contracts).as_bytes());
        add(format!("{:?} {:?} {:?} {:?} {:?}", cell.profile, cell.tools, cell.sampling, cell.named, cell.models).as_bytes());
        for exchange in replies {
            let Exchange { request, status, headers, body, chunks, end, .. } = exchange;
            add(format!("{} {} {:?} {status:?} {headers:?} {chunks:?} {end:?}", request.method, request.target, request.headers)
                .as_bytes());
            add(request.body.as_deref().unwrap_or_default());
            add(body);
        }
        format!("{:x}", hash.finalize())
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    /// The fates of a scenario, where all of these operators were tried; a file that cannot be read is as none.
    pub(super) fn load(&self, key: &str, operators: &[&'static Operator]) -> Option<Fates> {
        let stored: Stored = serde_json::from_slice(&std::fs::read(self.file(key)).ok()?).ok()?;
        let tried: BTreeSet<&str> = stored.tried.iter().map(String::as_str).collect();
        operators.iter().all(|operator| tried.contains(operator.id)).then_some(())?;
        let wanted: BTreeSet<&str> = operators.iter().map(|operator| operator.id).collect();
        let row = |StoredRow(exchange, id, letters, words): StoredRow| {
            let fates = letters.chars().map(Fate::of_letter).collect::<Option<Vec<_>>>()?;
            Some(Row { scenario: 0, exchange, operator: operator(&id)?, fates, words })
        };
        stored.rows.into_iter().filter(|row| wanted.contains(row.1.as_str())).map(row).collect()
    }

    /// Keeps the fates of a scenario. **Errors**: the disk refuses.
    pub(super) fn store(&self, key: &str, fates: &Fates, operators: &[&'static Operator]) -> Result<(), String> {
        let row = |row: &Row| {
            let letters = row.fates.iter().map(|fate| fate.letter()).collect();
            let told = row.fates.iter().any(|fate| matches!(fate, Fate::FalseAlarm | Fate::Errored));
            let words = if told { row.words.clone() } else { String::new() };
            StoredRow(row.exchange, row.operator.id.to_owned(), letters, words)
        };
        let tried = operators.iter().map(|operator| operator.id.to_owned()).collect();
        let stored = Stored { tried, rows: fates.iter().map(row).collect() };
        let path = self.file(key);
        let text = serde_json::to_vec(&stored).map_err(|error| error.to_string())?;
        // Beside it first: a trial that is cut leaves no half file of that name.
        let beside = path.with_extension("part");
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, &path))
            .map_err(|error| format!("cannot write `{}`: {error}", path.display()))
    }
}
