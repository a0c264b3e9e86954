//! One service of a stack: its command with everything filled in, its port, from start to warm.
//!
//! A port that we choose is free when we choose it and may be taken the next moment. So nothing is sent before the kernel
//! says that the listening socket belongs to our own process group; if it is a stranger's, the service moves to another port.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::guardian::Guardian;
use super::logs::Logs;
use super::needs::on_path;
use super::os::{self, Listening};
use super::probe::{Probe, WarmUpReply};
use super::process::{Launch, POLL, Process, describe, signal_named};
use super::{Progress, StackError};
use crate::event::StackPhase;
use crate::spec::setup::Service;

const LOG_LINES: usize = 30;
/// How often a stranger may take the port that we chose.
const PORT_TRIES: usize = 5;
/// One look at the health address.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// A service that runs.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    port: u16,
    signal: Signal,
    grace: Duration,
    /// From the start of its process until it was ready.
    took: Duration,
}

/// How a service ended that we ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Its name in the setup.
    pub name: String,
    /// From the signal until its processes and its port were gone.
    pub took: Duration,
    /// The time it was given before SIGKILL, where it needed that.
    pub killed_after: Option<Duration>,
}

/// What a start needs to know.
pub(super) struct Start<'a> {
    pub name: &'a str,
    pub service: &'a Service,
    /// Where it must listen; `None`: anywhere.
    pub port: Option<u16>,
    /// Its command and environment for a port.
    pub launch: &'a dyn Fn(u16) -> Result<Launch, StackError>,
    /// Model that is asked for the warm-up.
    pub warm_up: Option<&'a str>,
    pub bearer: Option<&'a str>,
    pub guardian: &'a Guardian,
    pub logs: &'a Logs,
    pub progress: &'a Progress,
}

/// Why a try did not come up.
enum Setback {
    /// A stranger has the port; another may do.
    Port(String),
    Fatal(StackError),
}

impl Running {
    /// Starts a service and returns when it is ready and warm.
    pub(super) async fn start(start: &Start<'_>) -> Result<Self, StackError> {
        let mut stranger = String::new();
        for _ in 0..if start.port.is_some() { 1 } else { PORT_TRIES } {
            match Self::attempt(start).await {
                Ok(running) => return Ok(running),
                Err(Setback::Fatal(error)) => return Err(error),
                Err(Setback::Port(who)) => {
                    (start.progress)(StackPhase::Start, &format!("{}: {who}", start.name));
                    stranger = who;
                }
            }
        }
        let next = if start.port.is_some() { "end it, or set `port: auto`" } else { "too many programs take ports here" };
        Err(StackError::start(format!("`{}` cannot listen: {stranger}; {next}", start.name)))
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// From the start of its process until it was ready.
    pub(super) fn took(&self) -> Duration {
        self.took
    }

    /// Its process group.
    pub(super) fn group(&self) -> Pid {
        self.process.group()
    }

    /// How it ended, with its last words, if it has.
    pub(super) fn ended(&mut self, logs: &Logs) -> Option<String> {
        let status = self.process.exited()?;
        Some(format!("{}; last words: {}", describe(status), last_words(&logs.tail(self.process.name(), LOG_LINES))))
    }

    /// An error if the process has ended.
    pub(super) fn alive(&mut self, logs: &Logs) -> Result<(), StackError> {
        match self.process.exited() {
            None => Ok(()),
            Some(status) => {
                let message = format!("`{}` died: {}; see its log", self.process.name(), describe(status));
                Err(StackError::start(message).with_detail(logs.tail(self.process.name(), LOG_LINES)))
            }
        }
    }

    /// Ends it and verifies that its group and its port are gone.
    pub(super) async fn stop(mut self, grace_at_most: Duration, progress: &Progress) -> Result<Gone, StackError> {
        let (name, began) = (self.process.name().to_owned(), Instant::now());
        let group = self.process.group();
        progress(StackPhase::Stop, &format!("{name}: stopping"));
        let grace = self.grace.min(grace_at_most);
        let killed = self.process.stop(self.signal, grace).await?;
        let deadline = Instant::now() + Duration::from_secs(2);
        // A socket may outlive its process for a moment. A stranger who took the port since then is none of ours.
        while os::listening(self.port, Some(group)) == Listening::Ours {
            if Instant::now() > deadline {
                return Err(StackError::stop(format!("port {} of `{name}` is still open after its end", self.port)));
            }
            tokio::time::sleep(POLL).await;
        }
        let how = match (killed, self.signal) {
            (true, _) => format!("killed, it did not end within {:.1} s", grace.as_secs_f64()),
            (false, Signal::SIGKILL) => "killed".to_owned(),
            (false, _) => "ended".to_owned(),
        };
        let took = began.elapsed();
        progress(StackPhase::Gone, &format!("{name}: {how}, gone after {:.2} s", took.as_secs_f64()));
        Ok(Gone { name, took, killed_after: killed.then_some(grace) })
    }

    /// Ends it with SIGKILL, as a crash would; verifies the same.
    pub(super) async fn kill(mut self, progress: &Progress) -> Result<Gone, StackError> {
        self.signal = Signal::SIGKILL;
        self.stop(Duration::MAX, progress).await
    }

    async fn attempt(start: &Start<'_>) -> Result<Self, Setback> {
        let port = match start.port {
            Some(port) => port,
            None => os::free_port().map_err(|error| {
                Setback::Fatal(StackError::start(format!("no free port on 127.0.0.1 for `{}`: {error}", start.name)))
            })?,
        };
        if let Listening::Stranger(who) = os::listening(port, None) {
            return Err(Setback::Port(format!("port {port} is taken by {who}")));
        }
        let launch = (start.launch)(port).map_err(Setback::Fatal)?;
        found(&launch).map_err(Setback::Fatal)?;
        let process = Process::spawn(&launch, start.guardian, start.logs).map_err(Setback::Fatal)?;
        let message = format!("{}: started as process {}, port {port}", start.name, process.group());
        (start.progress)(StackPhase::Start, &message);
        let stop = &start.service.stop;
        let signal = signal_named(&stop.signal).ok_or_else(|| {
            let message = format!("`stop: {{signal: {}}}` of `{}` is not TERM, INT or KILL", stop.signal, start.name);
            Setback::Fatal(StackError::start(message))
        })?;
        let mut running = Self { process, port, signal, grace: stop.grace.0, took: Duration::ZERO };
        match running.come_up(start).await {
            Ok(()) => Ok(running),
            Err(setback) => Err(running.give_up(setback).await),
        }
    }

    /// Ends what did not come up, its children too, before anyone is told.
    async fn give_up(&mut self, setback: Setback) -> Setback {
        match (self.process.stop(Signal::SIGKILL, Duration::ZERO).await, setback) {
            (Ok(_), setback) => setback,
            (Err(stop), Setback::Fatal(error)) => Setback::Fatal(error.and(&stop)),
            (Err(stop), Setback::Port(who)) => Setback::Fatal(StackError::start(who).and(&stop)),
        }
    }

    async fn come_up(&mut self, start: &Start<'_>) -> Result<(), Setback> {
        let (began, port) = (Instant::now(), self.port);
        let deadline = began + start.service.ready.within.0;
        self.until_listening(start, deadline).await?;
        let origin = format!("http://127.0.0.1:{port}");
        let probe = Probe::new(&origin, start.bearer).map_err(Setback::Fatal)?;
        self.until_healthy(start, &probe, deadline).await.map_err(Setback::Fatal)?;
        let healthy = began.elapsed();
        if let Some(model) = start.warm_up {
            let probe = probe.at(&format!("{origin}{}", start.service.base_path));
            self.until_warm(start, &probe, model, deadline).await.map_err(Setback::Fatal)?;
        }
        self.took = began.elapsed();
        let warm = self.took.saturating_sub(healthy).as_secs_f64();
        let warm = if start.warm_up.is_some() { format!(", warm-up took {warm:.2} s") } else { String::new() };
        (start.progress)(StackPhase::Ready, &format!("{}: healthy after {:.2} s{warm}", start.name, healthy.as_secs_f64()));
        Ok(())
    }

    async fn until_listening(&mut self, start: &Start<'_>, deadline: Instant) -> Result<(), Setback> {
        loop {
            match os::listening(self.port, Some(self.process.group())) {
                Listening::Ours => return Ok(()),
                Listening::Stranger(_) if !self.process.strays().is_empty() => {
                    return Err(Setback::Fatal(self.went_away(start)));
                }
                Listening::Stranger(who) => return Err(Setback::Port(format!("port {} was taken by {who}", self.port))),
                Listening::Nobody => {}
            }
            let last = format!("it does not listen on port {}", self.port);
            self.tick(start, deadline, &last).await.map_err(Setback::Fatal)?;
        }
    }

    async fn until_healthy(&mut self, start: &Start<'_>, probe: &Probe, deadline: Instant) -> Result<(), StackError> {
        loop {
            let last = match probe.get(&start.service.ready.http, HEALTH_TIMEOUT).await {
                Ok(reply) if reply.status == 200 => return Ok(()),
                Ok(reply) => reply.brief(),
                Err(error) => error,
            };
            self.tick(start, deadline, &format!("GET {}: {last}", start.service.ready.http)).await?;
        }
    }

    async fn until_warm(&mut self, start: &Start<'_>, probe: &Probe, model: &str, deadline: Instant) -> Result<(), StackError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let last = match self.while_alive(start, probe.warm_up(model, left)).await? {
                WarmUpReply::Generated => return Ok(()),
                WarmUpReply::NotYet(last) => last,
                WarmUpReply::Refused(why) => {
                    let message = format!("`{}` refuses to generate with the model `{model}`: {why}", start.name);
                    return Err(StackError::ready(message).with_detail(start.logs.tail(start.name, LOG_LINES)));
                }
            };
            self.tick(start, deadline, &format!("warm-up: {last}")).await?;
        }
    }

    /// Waits for an answer, but not for a dead process's.
    async fn while_alive<T>(&mut self, start: &Start<'_>, answer: impl Future<Output = T>) -> Result<T, StackError> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match tokio::time::timeout(POLL, &mut answer).await {
                Ok(value) => return Ok(value),
                Err(_) if self.process.exited().is_some() => return Err(self.died(start).await),
                Err(_) => {}
            }
        }
    }

    /// One turn of waiting: dead ends it, late ends it with the last status, else a short sleep.
    async fn tick(&mut self, start: &Start<'_>, deadline: Instant, last: &str) -> Result<(), StackError> {
        if self.process.exited().is_some() {
            return Err(self.died(start).await);
        }
        if Instant::now() >= deadline {
            let within = start.service.ready.within;
            let message = format!("`{}` was not ready within {within}; last: {last}", start.name);
            return Err(StackError::ready(message).with_detail(start.logs.tail(start.name, LOG_LINES)));
        }
        tokio::time::sleep(POLL).await;
        Ok(())
    }

    /// It listens in a process that left its group.
    fn went_away(&self, start: &Start<'_>) -> StackError {
        let stray = self.process.strays().first().map(|pid| os::command_of(*pid)).unwrap_or_default();
        let message = format!("`{}` left `{stray}` in the background; a service must stay in the foreground", start.name);
        StackError::start(message).with_detail(start.logs.tail(start.name, LOG_LINES))
    }

    async fn died(&mut self, start: &Start<'_>) -> StackError {
        let status = self.process.wait().await;
        let log = start.logs.tail(start.name, LOG_LINES);
        let (how, last) = (describe(status), last_words(&log));
        if !self.process.strays().is_empty() {
            return self.went_away(start);
        }
        let message = format!("`{}` died before it was ready: {how}; last words: {last}", start.name);
        StackError::start(message).with_detail(log)
    }
}

/// The last line of a log that says anything.
pub(super) fn last_words(log: &str) -> &str {
    log.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("its log is empty")
}

/// A command that is not there is said before anything is started; the shell in front of it would only say 127.
fn found(launch: &Launch) -> Result<(), StackError> {
    let Some(command) = launch.words.first() else { return Ok(()) };
    let own = launch.env.iter().rev().find(|(key, _)| key == "PATH").map(|(_, value)| value.clone());
    let path = own.unwrap_or_else(|| std::env::var("PATH").ok());
    let there = if command.contains('/') {
        launch.folder.as_ref().map_or_else(|| Path::new(command).exists(), |folder| folder.join(command).exists())
    } else {
        // Without PATH the shell looks where it likes.
        path.is_none() || on_path(command, &|_| path.clone()).is_some()
    };
    if there {
        return Ok(());
    }
    let message = format!("the command `{command}` of service `{}` is not found; install it, or correct `command`", launch.name);
    Err(StackError::start(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, path: &str, expect: bool) {
        let env = vec![("PATH".to_owned(), Some(path.to_owned()))];
        let launch = Launch { name: "server".to_owned(), words: vec![command.to_owned()], env, folder: Some("/".into()) };
        let message = format!("the command `{command}` of service `server` is not found; install it, or correct `command`");
        assert_eq!(found(&launch), if expect { Ok(()) } else { Err(StackError::start(message)) }, "{command}");
    }

    #[test]
    fn a_command_that_is_not_there_is_said_before_the_start() {
        check("sh", "/nonexistent:/bin", true);
        check("sh", "/nonexistent", false);
        check("nonesuch-serve", "/bin", false);
        check("/bin/sh", "", true);
        check("bin/sh", "", true);
        check("/bin/nonesuch-serve", "/bin", false);
    }
}
