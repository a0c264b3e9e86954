//! Nothing is left behind, even if we are killed: a process in a session of its own that waits for our pipe to close.
//!
//! **Protocol**, one line each: `group PGID` (kill it if the pipe closes), `release PGID` (it is gone), `mark TEXT` (kill what
//! inherited it and left its group), `scratch PATH` (remove it at the end). A group is announced before its command is run: see `process`.
//! The guardian answers `ready` once it has a session of its own, so that a Ctrl-C cannot reach it any more.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::Pid;

use super::{StackError, os};

/// Hidden first argument under which our binary is the guardian.
pub const ARGUMENT: &str = "__guardian";
/// Scratch folders begin so; the guardian removes no other folder.
pub(super) const SCRATCH_PREFIX: &str = "fireassay-scratch-";
const READY: &str = "ready";

static PROGRAM: OnceLock<(PathBuf, Vec<String>)> = OnceLock::new();

/// For programs that embed this library: what is run as the guardian. It must end in [`main`]. Without this, it is the
/// running executable with [`ARGUMENT`]. The first call counts.
pub fn set_program(program: PathBuf, arguments: Vec<String>) {
    PROGRAM.get_or_init(|| (program, arguments));
}

/// Our end of the pipe; cheap to clone. When the last clone is dropped, the guardian kills what was not released and ends.
#[derive(Debug, Clone)]
pub(super) struct Guardian(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pipe: Mutex<Option<ChildStdin>>,
    child: Mutex<Child>,
    /// Kept open: what stands in for the guardian in tests may say more, and must not die of it.
    _answer: Mutex<Lines<BufReader<ChildStdout>>>,
}

impl Guardian {
    /// Starts a guardian and waits until it is on its own.
    pub(super) fn start() -> Result<Self, StackError> {
        let own = std::env::current_exe().map(|program| (program, vec![ARGUMENT.to_owned()]));
        let (program, arguments) = PROGRAM.get().cloned().map_or(own, Ok).map_err(cannot_start)?;
        let mut child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot_start)?;
        let mut answer = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let ready = answer.by_ref().map_while(Result::ok).any(|line| line.ends_with(READY));
        let pipe = child.stdin.take();
        let guardian = Self(Arc::new(Inner { pipe: Mutex::new(pipe), child: Mutex::new(child), _answer: Mutex::new(answer) }));
        if ready { Ok(guardian) } else { Err(cannot_start(format!("{} did not answer", program.display()))) }
    }

    /// Announces a group.
    pub(super) fn group(&self, group: Pid) -> Result<(), StackError> {
        self.say(&format!("group {group}"))
    }

    /// Says that a group is gone.
    pub(super) fn release(&self, group: Pid) -> Result<(), StackError> {
        self.say(&format!("release {group}"))
    }

    /// Announces what a service and all that it starts inherit.
    pub(super) fn mark(&self, mark: &str) -> Result<(), StackError> {
        self.say(&format!("mark {mark}"))
    }

    /// Announces a scratch folder.
    pub(super) fn scratch(&self, folder: &Path) -> Result<(), StackError> {
        self.say(&format!("scratch {}", folder.display()))
    }

    fn say(&self, line: &str) -> Result<(), StackError> {
        let mut pipe = self.0.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let pipe = pipe.as_mut().expect("the pipe is open while a handle lives");
        pipe.write_all(format!("{line}\n").as_bytes())
            .map_err(|error| StackError::start(format!("the guardian process is gone ({error}); it must not be killed")))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.pipe.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let deadline = Instant::now() + Duration::from_secs(3);
        // It ends by itself; an error means that it was collected already.
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn cannot_start(error: impl std::fmt::Display) -> StackError {
    StackError::start(format!("cannot start the guardian process: {error}"))
}

/// The guardian's life. Call it first thing in `main` when the first argument is [`ARGUMENT`]; returns the exit code.
pub fn main() -> i32 {
    ignore_signals();
    // A session of its own: the terminal's Ctrl-C and hang-up go to ours only. It fails only where we lead a group already.
    if nix::unistd::setsid().is_err() && nix::unistd::getpgrp() != nix::unistd::getpid() {
        return 1;
    }
    let mut stdout = std::io::stdout();
    if stdout.write_all(format!("{READY}\n").as_bytes()).and_then(|()| stdout.flush()).is_err() {
        return 1;
    }
    let mut wards = Wards::default();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        wards.hear(&line);
    }
    wards.end();
    0
}

/// A polite signal to everybody must not end the guardian before those it guards.
#[expect(unsafe_code, reason = "setting a signal to `ignore` runs no handler, and this process has one thread")]
fn ignore_signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        // SAFETY: `SigIgn` installs no code; see the reason above.
        let set = unsafe { nix::sys::signal::signal(signal, SigHandler::SigIgn) };
        debug_assert!(set.is_ok(), "these signals can be ignored");
    }
}

/// What is to be ended when the pipe closes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wards {
    groups: BTreeSet<i32>,
    marks: BTreeSet<String>,
    scratch: BTreeSet<PathBuf>,
}

impl Wards {
    fn hear(&mut self, line: &str) {
        match line.split_once(' ') {
            Some(("group", group)) => self.groups.extend(group.parse::<i32>().ok().filter(|group| *group > 1)),
            Some(("release", group)) => self.groups.retain(|known| known.to_string() != group),
            Some(("mark", mark)) => self.marks.extend(Some(mark.to_owned()).filter(|mark| !mark.is_empty())),
            Some(("scratch", path)) => self.scratch.extend(scratch_folder(path)),
            _ => {}
        }
    }

    fn end(&self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let left: Vec<Pid> = self.groups.iter().map(|group| Pid::from_raw(*group)).collect();
            // A group that cannot be killed is looked at again until the deadline.
            let left = left.into_iter().filter(|group| !os::living(*group).is_empty());
            let left: Vec<bool> = left.map(os::kill).collect();
            let strays: Vec<Pid> = self.marks.iter().flat_map(|mark| os::marked(mark)).collect();
            strays.iter().copied().for_each(os::kill_one);
            if (left.is_empty() && strays.is_empty()) || Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for folder in &self.scratch {
            // It may be gone already, and there is nobody to tell.
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

/// Only a folder that we named ourselves.
fn scratch_folder(path: &str) -> Option<PathBuf> {
    let path = PathBuf::from(path);
    let ours = path.is_absolute() && path.file_name()?.to_str()?.starts_with(SCRATCH_PREFIX);
    ours.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard_and_nothing_foreign_is_taken() {
        let mut wards = Wards::default();
        for line in
            ["group 41", "group 42", "release 41", "group 1", "group -7", "group x", "noise", "scratch /home/me", "mark a1"]
        {
            wards.hear(line);
        }
        wards.hear("scratch /tmp/fireassay-scratch-1 2");
        wards.hear("scratch fireassay-scratch-relative");
        let expect = Wards {
            groups: [42].into(),
            marks: ["a1".to_owned()].into(),
            scratch: [PathBuf::from("/tmp/fireassay-scratch-1 2")].into(),
        };
        assert_eq!(wards, expect);
    }
}
