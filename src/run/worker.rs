//! Worker threads: each owns a current-thread runtime and an HTTP client, and runs as many scenarios at once as it has slots.
//!
//! All slots take from one queue, so that a worker goes on with the next scenario while the engine still writes down the last.
//! A current-thread runtime per worker was measured to cost a ninth of the CPU of tokio's default one on long streams.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::queue::Task;
use super::scenario::{self, Attempted};
use crate::plan::{CellPlan, Connect, Named, Sampling};
use crate::spec::setup::Service;
use crate::spec::{ProfileSpec, ToolSpec};
use crate::stack::asked;
use crate::stack::client::Clients;
use crate::steps::{CellContext, Route, Services, StepFunction};
use crate::tape::Deck;
use crate::wire;

/// What a worker tells the runner.
#[derive(Debug)]
pub(super) enum Message {
    /// A scenario attempt ended.
    Ended(Box<Attempted>),
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
    pub clients: Option<Arc<Clients>>,
    pub profile: Option<Arc<ProfileSpec>>,
    pub ours: bool,
    pub concurrency: u32,
    pub health: String,
    pub deck: Option<Arc<Deck>>,
    pub next_exchange: Arc<AtomicU64>,
    pub epoch: Instant,
    /// Longest body of a reply that is kept. **Units**: bytes.
    pub body_limit: usize,
    /// Ids of the models that the stack has; empty where nobody knows.
    pub served: Vec<String>,
    /// The key that the stack is known to want.
    pub wanted_key: Option<String>,
    /// Where requests of a composed stack go.
    pub routes: Vec<Route>,
    /// The services of a stack of ours.
    pub services: Services,
    /// What must not be written.
    pub secrets: wire::Secrets,
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
        let setup = match &cell.connect {
            Connect::Compose { parts } => parts.iter().find(|part| part.abilities.iter().any(|ability| ability == "health")),
            _ => None,
        };
        let services = &setup.map_or(&cell.setup, |part| &part.setup).services;
        let health = asked(services).map(|name| &services[name]);
        Self {
            url: url.to_owned(),
            bearer: bearer.map(str::to_owned),
            models,
            sampling: cell.sampling.clone(),
            named: cell.named.clone(),
            tools: Arc::clone(&cell.tools),
            clients: None,
            profile: cell.profile.clone(),
            ours: matches!(cell.connect, Connect::Start),
            concurrency: cell.concurrency,
            health: health.map_or_else(|| "/health".to_owned(), |service| health_of(url, service)),
            deck: None,
            next_exchange: ids,
            epoch,
            body_limit: wire::Base::BODY_LIMIT,
            served: Vec::new(),
            routes: Vec::new(),
            services: Services::default(),
            secrets: wire::Secrets::default(),
            // A key that is not claimed to be wanted is only sent.
            wanted_key: bearer.filter(|_| cell.setup.abilities.iter().any(|ability| ability == "auth")).map(str::to_owned),
        }
    }

    /// What one thread works with. **Errors**: the system refuses a runtime or a client.
    pub fn equip(&self) -> Result<(tokio::runtime::Runtime, wire::Client), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
        let base = wire::Base { body_limit: self.body_limit, ..wire::Base::new(&self.url) };
        Ok((runtime, wire::Client::new(base).map_err(|error| error.to_string())?))
    }

    /// The context of a worker with this client.
    pub fn context(self, client: wire::Client) -> CellContext {
        self.secrets.add(self.tokens());
        CellContext {
            client,
            url: self.url,
            bearer: self.bearer,
            models: self.models,
            sampling: self.sampling,
            named: self.named,
            tools: self.tools,
            clients: self.clients,
            profile: self.profile,
            ours: self.ours,
            concurrency: self.concurrency,
            health: self.health,
            deck: self.deck,
            rehearsal: None,
            next_exchange: self.next_exchange,
            secrets: self.secrets,
            wanted_key: self.wanted_key,
            served: self.served,
            routes: self.routes,
            services: self.services,
        }
    }

    /// The keys of the stack and its parts.
    pub fn tokens(&self) -> Vec<String> {
        let of_routes = self.routes.iter().filter_map(|route| route.bearer.clone());
        let of_services = self.services.all.iter().filter_map(|service| service.address.bearer.clone());
        self.bearer.iter().cloned().chain(of_routes).chain(of_services).collect()
    }
}

/// Where a service says that it is well: beside its API where that has a path of its own.
fn health_of(url: &str, service: &Service) -> String {
    let beside = url.strip_suffix(service.base_path.as_str()).filter(|_| !service.base_path.is_empty());
    format!("{}{}", beside.unwrap_or_default(), service.ready.http)
}

/// What the slots of all workers share.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// What to run, oldest first; closed when nothing more comes.
    pub tasks: async_channel::Receiver<Task>,
    /// Where results go.
    pub out: mpsc::Sender<Message>,
    /// Once cancelled, no further task is taken.
    pub finishing: CancellationToken,
    /// Once cancelled, running steps end.
    pub abort: CancellationToken,
}

/// A worker thread that takes tasks until there are no more.
#[derive(Debug)]
pub(super) struct Worker(Option<std::thread::JoinHandle<()>>);

impl Worker {
    /// Starts the thread, which runs at most `slots` scenarios at once.
    pub fn spawn(blueprint: Blueprint, functions: Arc<Vec<StepFunction>>, slots: usize, desk: Desk) -> std::io::Result<Self> {
        let thread = std::thread::Builder::new()
            .name("fireassay-worker".to_owned())
            .spawn(move || work(blueprint, &functions, slots, &desk))?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A worker that panicked has said so by the panic hook, and its scenarios are reported as lost.
            drop(thread.join());
        }
    }
}

fn work(blueprint: Blueprint, functions: &Arc<Vec<StepFunction>>, slots: usize, desk: &Desk) {
    let (runtime, client) = match blueprint.equip() {
        Ok(built) => built,
        Err(words) => {
            // The runner may be gone already; then nobody is left to tell.
            drop(desk.out.blocking_send(Message::Broken(words)));
            return;
        }
    };
    let epoch = blueprint.epoch;
    let cell = Rc::new(blueprint.context(client));
    let slots = (0..slots).map(|_| slot(&cell, functions, desk, epoch));
    runtime.block_on(futures::future::join_all(slots));
}

/// Runs one scenario after another.
async fn slot(cell: &Rc<CellContext>, functions: &[StepFunction], desk: &Desk, epoch: Instant) {
    while !desk.finishing.is_cancelled()
        && let Ok(task) = desk.tasks.recv().await
    {
        let ended = scenario::attempt(task, Rc::clone(cell), functions, &desk.abort, epoch).await;
        // A runner that is gone has stopped listening on purpose.
        drop(desk.out.send(Message::Ended(Box::new(ended))).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, base_path: &str, expect: &str) {
        let service = Service { base_path: base_path.to_owned(), ..Service::default() };
        assert_eq!(health_of(url, &service), expect);
    }

    #[test]
    fn health_is_asked_for_beside_an_api_with_a_path_of_its_own() {
        check("http://127.0.0.1:1", "", "/health");
        check("http://127.0.0.1:1/v1/openai", "/v1/openai", "http://127.0.0.1:1/health");
        check("http://127.0.0.1:1", "/v1/openai", "/health");
    }
}
