//! One process group of ours, from spawn to verified gone.
//!
//! The group is announced to the guardian before its command runs: a shell waits on a pipe for our `go`, and if we die
//! before saying it, the shell reads the end of the pipe and leaves. So there is no moment at which a command of ours runs
//! unguarded.
//!
//! A process that leaves its group (a daemon) keeps the mark that it inherited; it is found by that and ended as well.

use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpgid};

use super::guardian::Guardian;
use super::logs::Logs;
use super::scratch::random_hex;
use super::{StackError, os};

/// How often we look whether something has happened.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// Time that the kernel may need to end a group after SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// Waits for `go`, then becomes the command.
pub(super) const GATE: &str = r#"read -r go || exit 143; exec "$@" </dev/null"#;

/// What to run.
#[derive(Debug, Clone, Default)]
pub(super) struct Launch {
    /// Name in logs and messages.
    pub name: String,
    /// The command.
    pub words: Vec<String>,
    /// Variables set, or removed where there is no value.
    pub env: Vec<(String, Option<String>)>,
    /// Folder it runs in, if not ours.
    pub folder: Option<PathBuf>,
}

/// A running process with its group.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    child: Child,
    guardian: Guardian,
    /// Inherited by all that it starts.
    mark: String,
    pump: Option<std::thread::JoinHandle<()>>,
    exited: Option<ExitStatus>,
    gone: bool,
}

impl Process {
    /// Starts the command in a group of its own, its output going to the logs.
    pub(super) fn spawn(launch: &Launch, guardian: &Guardian, logs: &Logs) -> Result<Self, StackError> {
        let name = &launch.name;
        let failed = |error: std::io::Error| StackError::start(format!("cannot start `{name}`: {error}"));
        let (reader, writer) = std::io::pipe().map_err(failed)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GATE, "fireassay"]).args(&launch.words).process_group(0);
        command.stdin(Stdio::piped()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        // It would make every Python start compile everything again.
        command.env_remove("PYTHONDONTWRITEBYTECODE");
        let mark = random_hex()?;
        command.env(os::MARK, &mark);
        for (key, value) in &launch.env {
            match value {
                Some(value) => command.env(key, value),
                None => command.env_remove(key),
            };
        }
        if let Some(folder) = &launch.folder {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(failed)?;
        // Our copies of the pipe's writing end would keep it open for ever.
        drop(command);
        let mut gate = child.stdin.take().expect("stdin is piped");
        let guardian = guardian.clone();
        let mut process = Self { name: name.clone(), child, guardian, mark, pump: None, exited: None, gone: false };
        process.pump = Some(logs.pump(name, reader)?);
        process.guardian.mark(&process.mark)?;
        process.guardian.group(process.group())?;
        gate.write_all(b"go\n").map_err(failed)?;
        Ok(process)
    }

    /// Its name in logs and messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The group, whose number is the first process's.
    pub(super) fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process number fits"))
    }

    /// How the first process ended, if it has.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        if self.exited.is_none() {
            // An error means that nothing is known yet; the next look tells.
            self.exited = self.child.try_wait().ok().flatten();
        }
        self.exited
    }

    /// Waits for the first process to end and its output to be read.
    pub(super) async fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.exited() {
                self.drain().await;
                return status;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits shortly for the last lines of the output; a process that left the group may hold the pipe open.
    pub(super) async fn drain(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(500);
        while self.pump.as_ref().is_some_and(|pump| !pump.is_finished()) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Ends the group: the signal, `grace`, SIGKILL; returns when nobody is left, and whether SIGKILL was needed.
    pub(super) async fn stop(&mut self, signal: Signal, grace: Duration) -> Result<bool, StackError> {
        self.signal(signal)?;
        // One that was stopped obeys when it goes on.
        self.signal(Signal::SIGCONT)?;
        let polite = self.wait_gone(grace).await;
        if !polite {
            self.signal(Signal::SIGKILL)?;
            if !self.wait_gone(AFTER_KILL).await {
                let left = os::living(self.group());
                return Err(StackError::stop(format!("`{}` does not end: processes {left:?} survive SIGKILL", self.name)));
            }
        }
        self.end_strays().await?;
        self.gone = true;
        self.guardian.release(self.group())?;
        self.drain().await;
        Ok(!polite)
    }

    /// Processes of it that left the group. Each is asked for its own group: against a list of the group made a moment
    /// earlier, a child born since would count as one that left.
    pub(super) fn strays(&self) -> Vec<Pid> {
        let group = self.group();
        os::marked(&self.mark).into_iter().filter(|pid| getpgid(Some(*pid)).is_ok_and(|of| of != group)).collect()
    }

    /// Kills what left the group, and waits until it is gone.
    async fn end_strays(&self) -> Result<(), StackError> {
        let deadline = Instant::now() + AFTER_KILL;
        loop {
            let strays = self.strays();
            if strays.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(StackError::stop(format!("`{}` does not end: processes {strays:?} survive SIGKILL", self.name)));
            }
            strays.into_iter().for_each(os::kill_one);
            tokio::time::sleep(POLL).await;
        }
    }

    fn signal(&self, signal: Signal) -> Result<(), StackError> {
        os::send(self.group(), signal)
            .map_err(|error| StackError::stop(format!("cannot send {signal} to `{}`: {error}", self.name)))
    }

    async fn wait_gone(&mut self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            if self.exited().is_some() && os::living(self.group()).is_empty() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Process {
    /// Last resort, for a process that was not stopped.
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        // Until the first process is collected, its number cannot be given to a stranger; after that, only while the group
        // still has members. Nobody can be told of an error here; what is not released, the guardian kills again.
        let killed = (self.exited.is_none() || !os::living(self.group()).is_empty()) && os::kill(self.group());
        if killed {
            drop(self.child.wait());
        }
        os::marked(&self.mark).into_iter().for_each(os::kill_one);
        drop(self.guardian.release(self.group()));
    }
}

/// `exit code 1`, `signal 9 (SIGKILL)`.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal().map(|number| (number, Signal::try_from(number)))) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some((number, Ok(name)))) => format!("signal {number} ({name})"),
        (None, Some((number, Err(_)))) => format!("signal {number}"),
        (None, None) => status.to_string(),
    }
}

/// The signal of a setup's `stop:`.
pub(super) fn signal_named(name: &str) -> Option<Signal> {
    match name.trim_start_matches("SIG") {
        "TERM" => Some(Signal::SIGTERM),
        "INT" => Some(Signal::SIGINT),
        "KILL" => Some(Signal::SIGKILL),
        _ => None,
    }
}
