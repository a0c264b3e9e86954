//! Worker threads: each owns a current-thread runtime and an HTTP client, and runs several scenarios at once.
//!
//! A current-thread runtime per worker was measured to cost a ninth of the CPU of tokio's default one on long streams.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::queue::Task;
use super::scenario::{self, Attempted};
use crate::plan::{CellPlan, Mode, Named, Sampling};
use crate::spec::ToolSpec;
use crate::steps::{CellContext, StepFunction};
use crate::wire;

/// What a worker tells the runner.
#[derive(Debug)]
pub(super) enum Message {
    /// A scenario attempt ended.
    Ended {
        /// Number of the worker.
        worker: usize,
        /// What came of it.
        ended: Box<Attempted>,
    },
    /// The worker cannot work.
    Broken(String),
}

/// Everything a worker needs to build its context; crosses the thread boundary.
#[derive(Debug, Clone)]
pub(super) struct Blueprint {
    pub url: String,
    pub bearer: Option<String>,
    pub models: Vec<(String, String)>,
    pub sampling: Sampling,
    pub named: Named,
    pub tools: Arc<Vec<Arc<ToolSpec>>>,
    pub health: String,
    pub mode: Mode,
    pub next_exchange: Arc<AtomicU64>,
    pub epoch: Instant,
    /// Ids of the models that the stack has; empty where nobody knows.
    pub served: Vec<String>,
    /// The key that the stack is known to want.
    pub wanted_key: Option<String>,
}

impl Blueprint {
    /// From a cell's plan and the address, token and models of its stack.
    pub fn new(
        cell: &CellPlan,
        url: &str,
        bearer: Option<&str>,
        models: Vec<(String, String)>,
        epoch: Instant,
        ids: Arc<AtomicU64>,
    ) -> Self {
        let health = cell.setup.services.get("server").or_else(|| cell.setup.services.values().last());
        Self {
            url: url.to_owned(),
            bearer: bearer.map(str::to_owned),
            models,
            sampling: cell.sampling.clone(),
            named: cell.named.clone(),
            tools: Arc::clone(&cell.tools),
            health: health.map_or_else(|| "/health".to_owned(), |service| service.ready.http.clone()),
            mode: cell.mode,
            next_exchange: ids,
            epoch,
            served: Vec::new(),
            // A key that is not claimed to be wanted is only sent.
            wanted_key: bearer.filter(|_| cell.setup.abilities.iter().any(|ability| ability == "auth")).map(str::to_owned),
        }
    }
}

/// A worker thread that takes tasks until its sender is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    tasks: Option<mpsc::UnboundedSender<Task>>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Tasks given and not yet ended.
    pub load: usize,
}

impl Worker {
    /// Starts the thread.
    pub fn spawn(
        number: usize,
        blueprint: Blueprint,
        functions: Arc<Vec<StepFunction>>,
        out: mpsc::Sender<Message>,
        cancel: CancellationToken,
    ) -> std::io::Result<Self> {
        let (tasks, inbox) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("fireassay-worker".to_owned())
            .spawn(move || work(number, blueprint, &functions, inbox, out, cancel))?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread), load: 0 })
    }

    /// Gives it a task. A thread that has ended already has said why by [`Message::Broken`].
    pub fn give(&mut self, task: Task) {
        self.load += 1;
        if let Some(tasks) = &self.tasks
            && tasks.send(task).is_err()
        {
            self.tasks = None;
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            // A worker that panicked has said so by the panic hook, and its scenarios are reported as lost.
            drop(thread.join());
        }
    }
}

fn work(
    number: usize,
    blueprint: Blueprint,
    functions: &Arc<Vec<StepFunction>>,
    mut inbox: mpsc::UnboundedReceiver<Task>,
    out: mpsc::Sender<Message>,
    cancel: CancellationToken,
) {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))
        .and_then(|runtime| {
            Ok((runtime, wire::Client::new(wire::Base::new(&blueprint.url)).map_err(|error| error.to_string())?))
        });
    let (runtime, client) = match built {
        Ok(built) => built,
        Err(words) => {
            // The runner may be gone already; then nobody is left to tell.
            drop(out.blocking_send(Message::Broken(words)));
            return;
        }
    };
    let secrets = blueprint.bearer.iter().cloned().collect();
    let epoch = blueprint.epoch;
    let cell = Rc::new(CellContext {
        client,
        url: blueprint.url,
        bearer: blueprint.bearer,
        models: blueprint.models,
        sampling: blueprint.sampling,
        named: blueprint.named,
        tools: blueprint.tools,
        health: blueprint.health,
        mode: blueprint.mode,
        next_exchange: blueprint.next_exchange,
        secrets,
        wanted_key: blueprint.wanted_key,
        served: blueprint.served,
    });
    let local = tokio::task::LocalSet::new();
    let functions = Arc::clone(functions);
    runtime.block_on(local.run_until(async move {
        let mut running = tokio::task::JoinSet::new();
        while let Some(task) = inbox.recv().await {
            let (cell, functions, out, cancel) = (Rc::clone(&cell), Arc::clone(&functions), out.clone(), cancel.clone());
            running.spawn_local(async move {
                let ended = scenario::attempt(task, cell, &functions, &cancel, epoch).await;
                // A runner that is gone has stopped listening on purpose.
                drop(out.send(Message::Ended { worker: number, ended: Box::new(ended) }).await);
            });
            while running.try_join_next().is_some() {}
        }
        while running.join_next().await.is_some() {}
    }));
}
