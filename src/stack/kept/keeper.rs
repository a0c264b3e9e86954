//! The process that keeps a stack: [`start`] is called by `up`, [`main`] is the keeper's life.
//!
//! **Protocol**: the keeper reads one line, its [`Order`], from standard input, and answers with one JSON value a line:
//! `{"line":…}` of progress, at last `{"up":…}`, `{"failed":…}` or `{"cancelled":…}`. Until then the end of its standard input
//! is an order to stop; afterwards only signals are: SIGTERM ends the stack, a second one in a hurry.

use std::fs::{File, TryLockError};
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::record::{Phase, Record, Recorded, ServiceRecord, folder_of, millis};
use crate::event::StackPhase;
use crate::spec::SetupSpec;
use crate::spec::files::Project;
use crate::stack::{Progress, Stack, StackError, StackOptions, order, os};
use crate::wire::Secrets;

/// Hidden first argument under which our binary is a keeper.
pub const ARGUMENT: &str = "__keeper";
/// How often the keeper looks whether a service has ended.
const LOOK: Duration = Duration::from_millis(200);
/// Time between two looks at what the services take.
const SAMPLE: Duration = Duration::from_secs(1);
/// Beside the state: held while a keeper lives.
const LOCK: &str = "lock";

/// What a keeper brings up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// Root of the project, absolute.
    pub project: PathBuf,
    /// Cache folder, absolute.
    pub cache: PathBuf,
    /// The setup.
    pub setup: SetupSpec,
    /// Where the service that is asked must listen; `None`: as the setup says.
    pub port: Option<u16>,
}

/// How an order ended.
#[derive(Debug)]
pub enum Began {
    /// It is up, and stays.
    Up(Box<Record>),
    /// It was cancelled; nothing is left.
    Cancelled,
}

/// One answer of a keeper.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Line(String),
    Up(Box<Record>),
    Failed { kind: String, message: String, detail: String },
    Cancelled(String),
}

/// Starts a keeper and waits until its stack is up. `environment` is added to ours; `told` hears its progress.
///
/// **Errors**: `infra.…` as [`Stack::up`]; `infra.start` where another keeper has the stack.
pub async fn start(
    order: &Order,
    environment: &[(String, String)],
    cancel: &CancellationToken,
    told: impl Fn(&str),
) -> Result<Began, StackError> {
    let failed = |error: std::io::Error| StackError::start(format!("cannot start the keeper process: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = tokio::process::Command::new(program);
    command.arg(ARGUMENT).envs(environment.iter().cloned()).current_dir(&order.project);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    let mut line = serde_json::to_string(order).expect("an order is plain data");
    line.push('\n');
    let mut pipe = child.stdin.take();
    pipe.as_mut().expect("stdin is piped").write_all(line.as_bytes()).await.map_err(failed)?;
    let mut lines = tokio::io::BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.map_err(failed)?,
            () = cancel.cancelled(), if pipe.is_some() => {
                pipe = None;
                continue;
            }
        };
        let Some(line) = line else {
            return Err(StackError::start("the keeper process was killed; what it had started is being ended"));
        };
        match serde_json::from_str(&line) {
            Ok(Word::Line(line)) => told(&line),
            Ok(Word::Up(record)) => return Ok(Began::Up(record)),
            Ok(Word::Failed { kind, message, detail }) => return Err(StackError::from_words(&kind, message, detail)),
            Ok(Word::Cancelled(_)) => return Ok(Began::Cancelled),
            Err(error) => return Err(StackError::start(format!("the keeper process speaks strangely ({error}): {line}"))),
        }
    }
}

/// The keeper's life. Call it first thing in `main` when the first argument is [`ARGUMENT`]; returns the exit code.
pub fn main() -> i32 {
    // A session of its own: the terminal's Ctrl-C and hang-up do not come here. It fails only where we lead a group already.
    if nix::unistd::setsid().is_err() && nix::unistd::getpgrp() != nix::unistd::getpid() {
        return 1;
    }
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).is_err() {
        return 1;
    }
    let Ok(order) = serde_json::from_str::<Order>(&line) else { return 1 };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 1 };
    runtime.block_on(async {
        match keep(&order).await {
            Ok(()) => 0,
            Err(error) => {
                say(&Word::Failed { kind: error.kind.to_owned(), message: error.message, detail: error.detail });
                1
            }
        }
    })
}

/// Whoever listened may be gone; a keeper whose stack is up has nobody to tell.
fn say(word: &Word) {
    let text = serde_json::to_string(word).expect("a word is plain data");
    let mut stdout = std::io::stdout().lock();
    drop(stdout.write_all(format!("{text}\n").as_bytes()).and_then(|()| stdout.flush()));
}

async fn keep(order: &Order) -> Result<(), StackError> {
    let mut signals = Signals::listen()?;
    let folder = folder_of(&order.project, &order.setup.name);
    let _lock = lock(&folder, order)?;
    clear(&folder)?;
    let mut record = Record::begin(&order.setup)?;
    record.write(&folder)?;
    let begun = tokio::select! {
        begun = bring_up(order, &folder) => Some(begun),
        () = caller_gone() => None,
        () = signals.ended() => None,
    };
    // A cancelled start has ended its services when it was dropped.
    let mut stack = match begun {
        Some(Ok(stack)) => stack,
        Some(Err(error)) => {
            Record::remove(&folder)?;
            return Err(error);
        }
        None => {
            Record::remove(&folder)?;
            say(&Word::Cancelled("stopped before it was up".to_owned()));
            return Ok(());
        }
    };
    if let Err(error) = describe(&mut record, order, &stack).and_then(|()| record.write(&folder)) {
        // What nobody can find again must not stay; it is ended when it is dropped.
        drop(stack);
        Record::remove(&folder)?;
        return Err(error);
    }
    say(&Word::Up(Box::new(record.clone())));
    watch(&mut stack, &mut record, &folder, &mut signals).await?;
    let all_ended = record.services.iter().all(|service| service.ended.is_some());
    if !all_ended {
        record.enter(Phase::Stopping);
        record.write(&folder)?;
    }
    match stop(stack, &mut signals).await {
        // What crashed stays written down until somebody has seen it.
        Ok(()) if all_ended => Ok(()),
        Ok(()) => Record::remove(&folder),
        Err(error) => {
            record.trouble = Some(error.message.clone());
            record.write(&folder)?;
            Err(error)
        }
    }
}

async fn bring_up(order: &Order, folder: &Path) -> Result<Stack, StackError> {
    let options = StackOptions {
        cache: order.cache.clone(),
        record: folder.to_owned(),
        project: Project::new(&order.project),
        port: order.port,
        // Ours are those of the order.
        environment: Vec::new(),
        secrets: Secrets::default(),
    };
    let progress: Progress = Arc::new(|_: StackPhase, line: &str| say(&Word::Line(line.to_owned())));
    Stack::up(&order.setup, &[], &options, progress).await
}

/// Returns when whoever gave the order has closed the pipe.
async fn caller_gone() {
    let (gone, heard) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own: it may wait for ever, and a runtime would wait for it at its end.
    std::thread::spawn(move || {
        // Nothing is sent after the order: whatever comes is the end.
        drop(std::io::stdin().read(&mut [0]));
        drop(gone);
    });
    let _closed: Result<(), _> = heard.await;
}

/// What is known of a stack that has come up.
fn describe(record: &mut Record, order: &Order, stack: &Stack) -> Result<(), StackError> {
    record.enter(Phase::Up);
    stack.url().clone_into(&mut record.url);
    stack.server().clone_into(&mut record.server);
    record.models = stack.models().to_vec();
    stack.key().clone_into(&mut record.key);
    for served in stack.services() {
        let process = Recorded::of(served.group).ok_or_else(|| StackError::start(format!("`{}` died", served.name)))?;
        record.services.push(ServiceRecord { name: served.name, process, port: served.port, ended: None });
    }
    let asked = order::asked(&order.setup.services).map(|name| &order.setup.services[name]);
    if let Some(asked) = asked {
        record.health.clone_from(&asked.ready.http);
        if let Some(warm_up) = &asked.warm_up {
            record.warm_up = stack.model(&warm_up.chat);
            record.generates_within_ms = millis(warm_up.healthy_within.0);
        }
    }
    Ok(())
}

/// Returns when a signal asks for the end, or when no service is left. Ends of services are written down as they are seen.
async fn watch(stack: &mut Stack, record: &mut Record, folder: &Path, signals: &mut Signals) -> Result<(), StackError> {
    let (mut sampler, mut looked) = (stack.sampler(), Instant::now());
    while record.services.iter().any(|service| service.ended.is_none()) {
        tokio::select! {
            () = signals.ended() => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
        let before = record.clone();
        if let Some(sampler) = sampler.as_mut().filter(|_| looked.elapsed() > SAMPLE) {
            looked = Instant::now();
            if let Some((name, over)) = sampler.sample().over {
                end_over_limit(record, &name, &over.message);
            }
        }
        for (name, how) in stack.ended() {
            let known = record.services.iter_mut().find(|service| service.name == name && service.ended.is_none());
            if let Some(service) = known {
                service.ended = Some(how);
            }
        }
        if *record != before {
            record.write(folder)?;
        }
    }
    Ok(())
}

/// Ends a service that takes more memory than it may; what is written down says why.
fn end_over_limit(record: &mut Record, name: &str, why: &str) {
    let service = record.services.iter_mut().find(|service| service.name == name && service.ended.is_none());
    if let Some(service) = service
        && os::kill(service.process.pid())
    {
        service.ended = Some(format!("killed: {why}"));
    }
}

/// Ends the stack; at a second signal, by killing it at once.
async fn stop(stack: Stack, signals: &mut Signals) -> Result<(), StackError> {
    let quiet: Progress = Arc::new(|_: StackPhase, _: &str| {});
    tokio::select! {
        done = stack.down(false, quiet) => done,
        // A stack that is dropped is killed; `down` verifies what it asked for.
        () = signals.ended() => Ok(()),
    }
}

/// The signals that end a keeper; a terminal's hang-up is not one of them.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    _hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, StackError> {
        let of = |kind| signal(kind).map_err(|error| StackError::start(format!("signals cannot be watched here: {error}")));
        Ok(Self {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            _hang_up: of(SignalKind::hangup())?,
        })
    }

    async fn ended(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Held as long as the keeper lives, so that two of them never keep one stack.
fn lock(folder: &Path, order: &Order) -> Result<File, StackError> {
    let failed = |error: &std::io::Error| StackError::start(format!("cannot write {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let file = File::create(folder.join(LOCK)).map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let name = &order.setup.name;
            let who = Record::load(&order.project, name).ok().flatten();
            let who = who.map_or_else(String::new, |record| format!(" (process {})", record.keeper.pid));
            let next = format!("`fireassay status {name}` shows how far it is");
            Err(StackError::start(format!("another fireassay{who} has the stack `{name}`; {next}")))
        }
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// Logs of an earlier stack of this setup; nobody has the lock, so nobody writes them.
fn clear(folder: &Path) -> Result<(), StackError> {
    let logs = folder.join("logs");
    match std::fs::remove_dir_all(&logs) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StackError::start(format!("cannot remove {}: {error}", logs.display())))
        }
        _ => Ok(()),
    }
}
