//! What is known of a stack that stays: [`Record`], in `.fireassay/stacks/NAME/state.json`, for its owner's eyes only.
//!
//! A process is recognised by its number, the time it started and the machine's life ([`Recorded`]), never by its number or
//! its port alone: after a restart of the machine, or when the number was given to another program, nothing is touched.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::spec::SetupSpec;
use crate::stack::cache::key;
use crate::stack::{StackError, os};

/// Version of the file; another one is refused.
const SCHEMA: u32 = 1;
const FILE: &str = "state.json";

/// A process, so that it can be told from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number; that of its group as well.
    pub pid: i32,
    /// When it started, in the system's words.
    pub started: String,
}

/// What became of a recorded process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stack) enum Fate {
    /// It lives.
    Lives,
    /// Nobody has its number.
    Gone,
    /// Another process has its number now: its command.
    Replaced(String),
}

impl Recorded {
    /// A process that lives now.
    pub(in crate::stack) fn of(pid: Pid) -> Option<Self> {
        Some(Self { pid: pid.as_raw(), started: os::started(pid)? })
    }

    pub(in crate::stack) fn pid(&self) -> Pid {
        Pid::from_raw(self.pid)
    }

    pub(in crate::stack) fn fate(&self) -> Fate {
        match os::started(self.pid()) {
            Some(started) if started == self.started => Fate::Lives,
            Some(_) => Fate::Replaced(os::command_of(self.pid())),
            None => Fate::Gone,
        }
    }
}

/// Where a stack that stays is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It is being brought up.
    Starting,
    /// It came up.
    Up,
    /// It is being ended.
    Stopping,
}

/// One service of a stack that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Its name in the setup.
    pub name: String,
    /// Its first process.
    pub process: Recorded,
    /// Where it listens on this machine.
    pub port: u16,
    /// How it ended without being asked to, with its last words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// The state file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    schema: u32,
    /// Name of the setup.
    pub setup: String,
    /// Hash of the setup: a changed one is another stack.
    pub fingerprint: String,
    /// The machine's life in which it was started.
    boot: String,
    /// The process that keeps it.
    pub keeper: Recorded,
    /// Where it is in its life.
    pub phase: Phase,
    /// When that began, UTC, RFC 3339.
    pub since: String,
    /// Base address; empty until it is up.
    #[serde(default)]
    pub url: String,
    /// Server name and version.
    #[serde(default)]
    pub server: String,
    /// Models that the server lists.
    #[serde(default)]
    pub models: Vec<String>,
    /// The key that was made for this stack.
    #[serde(default)]
    pub key: String,
    /// The setup's `auth`, not yet filled in: what it reads from the environment is not written down.
    #[serde(default)]
    pub auth: Option<String>,
    /// Services in start order.
    #[serde(default)]
    pub services: Vec<ServiceRecord>,
    /// Path that answers health.
    #[serde(default)]
    pub health: String,
    /// Model that is asked whether it generates; without one it is not asked.
    #[serde(default)]
    pub warm_up: Option<String>,
    /// Time in which a healthy server generates. **Units**: milliseconds.
    #[serde(default)]
    pub generates_within_ms: u64,
    /// What its services may take to end, together. **Units**: milliseconds.
    #[serde(default)]
    pub(super) stop_within_ms: u64,
    /// What went wrong while it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Record {
    /// The record of a stack that this process begins to bring up.
    pub(super) fn begin(setup: &SetupSpec) -> Result<Self, StackError> {
        let keeper = Recorded::of(nix::unistd::getpid());
        Ok(Self {
            schema: SCHEMA,
            setup: setup.name.clone(),
            fingerprint: fingerprint(setup),
            boot: os::boot(),
            keeper: keeper.ok_or_else(|| StackError::start("the system does not tell when a process started"))?,
            phase: Phase::Starting,
            since: now(),
            url: String::new(),
            server: String::new(),
            models: Vec::new(),
            key: String::new(),
            auth: setup.auth.as_ref().map(|auth| auth.bearer.clone()),
            services: Vec::new(),
            health: String::new(),
            warm_up: None,
            generates_within_ms: 0,
            stop_within_ms: millis(setup.services.values().map(|service| service.stop.grace.0).sum()),
            trouble: None,
        })
    }

    /// Notes that another phase begins now.
    pub(super) fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, now());
    }

    /// Whether the machine was restarted since this was written.
    pub(in crate::stack) fn is_of_another_boot(&self) -> bool {
        self.boot != os::boot()
    }

    /// Whether it came up and its keeper still keeps it.
    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up && self.keeper_lives() && self.services.iter().all(|service| service.ended.is_none())
    }

    /// Whether its keeper lives, in whichever phase.
    pub fn keeper_lives(&self) -> bool {
        !self.is_of_another_boot() && self.keeper.fate() == Fate::Lives
    }

    /// Bearer token for requests.
    pub fn bearer(&self, environment: &[(String, String)]) -> Result<Option<String>, StackError> {
        self.auth.as_deref().map(|auth| crate::stack::handle::bearer_from(auth, &self.key, environment)).transpose()
    }

    /// What is written down of a setup's stack in a project; `None` where there is nothing.
    pub fn load(project: &Path, setup: &str) -> Result<Option<Self>, StackError> {
        let path = folder_of(project, setup).join(FILE);
        let mut text = String::new();
        match std::fs::File::open(&path).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(StackError::start(format!("cannot read {}: {error}", path.display()))),
        }
        let next = "end what it started by hand, then remove the file";
        match serde_json::from_str::<Self>(&text) {
            Ok(record) if record.schema == SCHEMA => Ok(Some(record)),
            Ok(record) => {
                let message = format!("{} is of another version of fireassay ({}); {next}", path.display(), record.schema);
                Err(StackError::start(message))
            }
            Err(error) => Err(StackError::start(format!("{} is damaged ({error}); {next}", path.display()))),
        }
    }

    /// Writes it whole or not at all, readable for its owner alone.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StackError> {
        let path = folder.join(FILE);
        let part = path.with_added_extension("part");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&part)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)
        };
        write().map_err(|error| StackError::start(format!("cannot write {}: {error}", path.display())))
    }

    /// Removes it: the stack is no more.
    pub(super) fn remove(folder: &Path) -> Result<(), StackError> {
        let path = folder.join(FILE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StackError::stop(format!("cannot remove {}: {error}", path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// The folder of a setup's stack that stays: state and logs.
pub fn folder_of(project: &Path, setup: &str) -> PathBuf {
    project.join(".fireassay/stacks").join(setup)
}

/// Setups of which something is written down in a project, sorted.
pub fn names(project: &Path) -> Vec<String> {
    // No folder, no stacks.
    let entries = std::fs::read_dir(project.join(".fireassay/stacks")).into_iter().flatten().flatten();
    let recorded = entries.filter(|entry| entry.path().join(FILE).exists());
    let mut names: Vec<String> = recorded.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Hash of a setup.
pub fn fingerprint(setup: &SetupSpec) -> String {
    let text = serde_json::to_vec(setup).expect("a setup is plain data");
    key(&[&text])
}

/// As a whole number. **Units**: milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let project = tempfile::tempdir().unwrap();
        let setup = SetupSpec { name: "lab".to_owned(), ..SetupSpec::default() };
        assert_eq!(Record::load(project.path(), "lab").unwrap(), None);
        let mut record = Record::begin(&setup).unwrap();
        let folder = folder_of(project.path(), "lab");
        std::fs::create_dir_all(&folder).unwrap();
        record.write(&folder).unwrap();
        assert_eq!(Record::load(project.path(), "lab").unwrap(), Some(record.clone()));
        assert_eq!(names(project.path()), ["lab"]);
        assert_eq!(folder.join(FILE).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(record.keeper_lives() && !record.is_up());
        record.enter(Phase::Up);
        assert!(record.is_up());
        record.boot = "another".to_owned();
        assert!(!record.is_up());
        record.schema = 99;
        record.write(&folder).unwrap();
        assert!(Record::load(project.path(), "lab").unwrap_err().message.contains("another version of fireassay (99)"));
        std::fs::write(folder.join(FILE), "{").unwrap();
        assert!(Record::load(project.path(), "lab").unwrap_err().message.contains("is damaged"));
        Record::remove(&folder).unwrap();
        assert!(names(project.path()).is_empty());
    }

    #[test]
    fn a_number_alone_is_not_a_process() {
        let us = Recorded::of(nix::unistd::getpid()).unwrap();
        assert_eq!(us.fate(), Fate::Lives);
        let replaced = Recorded { started: "long ago".to_owned(), ..us };
        assert!(matches!(replaced.fate(), Fate::Replaced(command) if !command.is_empty()));
        assert_eq!(Recorded { pid: i32::MAX - 1, started: String::new() }.fate(), Fate::Gone);
    }

    #[test]
    fn a_changed_setup_is_another_stack() {
        let setup = SetupSpec { name: "lab".to_owned(), ..SetupSpec::default() };
        let other = SetupSpec { description: "other".to_owned(), ..setup.clone() };
        assert_eq!(fingerprint(&setup), fingerprint(&setup.clone()));
        assert_ne!(fingerprint(&setup), fingerprint(&other));
    }
}
