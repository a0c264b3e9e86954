//! One cell after another: [`run`]. The stack comes up, the engine runs the scenarios, the stack goes down, whatever happened.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use cucumber::Cucumber;
use tokio::sync::{Mutex, mpsc};

use super::account::{CellRun, micros};
use super::books::Books;
use super::engine::{Engine, Tally};
use super::feature::PlanParser;
use super::resources::Watch;
use super::telling::Telling;
use super::worker::{Blueprint, Desk, Worker};
use super::{Bus, Control, compose, services, tapes};
use crate::event::{CellId, DialectRecord, RunEvent, RunTotals, ServiceRecord, StackPhase, Totals, Trouble};
use crate::plan::{CellPlan, Connect, Mode, Plan};
use crate::stack::client::Clients;
use crate::stack::{Door, Served, Stack, StackError, StackOptions, Wanted};
use crate::steps::StepFunction;
use crate::tape::Reel;

/// How a run behaves beyond its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Where stacks live.
    pub stack: StackOptions,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// Start of the run; times in events count from here.
    pub epoch: Instant,
    /// Bearer token of attached stacks by setup name, already read from the environment.
    pub bearers: HashMap<String, String>,
    /// The line that runs one scenario again; `{}` stands for its `FILE:LINE`, [`CELL_MODEL`] for the catalogue's model.
    pub rerun: String,
    /// Longest body of a reply that is kept. **Units**: bytes.
    pub body_limit: usize,
    /// The tapes of cells whose replies come from one, or are kept on one.
    pub reels: HashMap<CellId, Reel>,
}

/// What stands for the catalogue's model of a cell in a line that runs a scenario again.
pub const CELL_MODEL: &str = "{model}";

/// Runs every cell of a plan in order. Returns the counts; what happened went to the bus.
pub async fn run(plan: &Plan, options: &RunOptions, bus: &Bus, control: &Control) -> RunTotals {
    let functions = Arc::new(crate::steps::functions());
    let ids = Arc::new(AtomicU64::new(0));
    let mut sum = RunTotals::default();
    for cell in &plan.cells {
        let end = Box::pin(run_cell(cell, options, bus, control, &functions, &ids)).await;
        sum.totals.merge(&end.totals);
        sum.stale += end.stale.len() as u64;
        if options.fail_fast && end.totals.failed + end.totals.errored > 0 {
            control.abort();
        }
    }
    sum
}

struct CellEnd {
    totals: Totals,
    stale: Vec<String>,
}

async fn run_cell(
    cell: &CellPlan,
    options: &RunOptions,
    bus: &Bus,
    control: &Control,
    functions: &Arc<Vec<StepFunction>>,
    ids: &Arc<AtomicU64>,
) -> CellEnd {
    let began = Instant::now();
    bus.emit(&RunEvent::CellStarted { cell: cell.id.clone() });
    let plan = Arc::new(cell.clone());
    let mut run = CellRun::new(Arc::clone(&plan), options, bus.clone(), control.child());
    let way = Way { cell, options, bus, control, functions, ids };
    let mut trouble = None;
    if let Some(reason) = &cell.skip {
        run.skip_all(reason);
    } else if cell.features.iter().flat_map(|feature| &feature.scenarios).all(|scenario| scenario.skip.is_some()) {
        // Nothing can run here, so nothing is started; each scenario has its own reason.
        run.not_run_all("nothing of this cell can run");
    } else if control.finishing().is_cancelled() {
        run.not_run_all("the run was stopped before this cell");
    } else if cell.mode == Mode::Replay {
        (run, trouble) = Box::pin(way.replay(run)).await;
    } else {
        match connect(cell, options, bus, control).await {
            Err(error) => trouble = Some(run.not_served(error)),
            Ok(stack) => (run, trouble) = Box::pin(way.on_stack(run, stack)).await,
        }
    }
    let end = CellEnd { totals: run.totals, stale: run.books.stale() };
    bus.emit(&RunEvent::CellFinished {
        cell: cell.id.clone(),
        totals: end.totals,
        stale: end.stale.clone(),
        trouble,
        skipped: cell.skip.clone(),
        took_us: micros(began),
    });
    end
}

/// All that a cell is run with.
#[derive(Clone, Copy)]
struct Way<'a> {
    cell: &'a CellPlan,
    options: &'a RunOptions,
    bus: &'a Bus,
    control: &'a Control,
    functions: &'a Arc<Vec<StepFunction>>,
    ids: &'a Arc<AtomicU64>,
}

impl Way<'_> {
    /// Runs the scenarios against a stack that is up, and takes it down.
    async fn on_stack(self, mut run: CellRun, stack: Stack) -> (CellRun, Option<Trouble>) {
        let Self { cell, options, bus, control, functions, ids } = self;
        let (server, listed) = (stack.server().to_owned(), stack.models().to_vec());
        run.books = Books::new(cell.contract, cell.profile.as_ref(), &server);
        let mut blueprint = announce(cell, &stack, run.books.dialects(), bus, options, ids);
        let sampler = stack.sampler();
        let met = cell.profile.as_ref().map_or(Ok(()), |profile| stack.meets(&cell.setup, profile));
        run.stack = Some(stack);
        let ready = match met {
            Ok(()) => clients(cell, options, bus, control).await,
            Err(error) => Err(error),
        };
        let mut trouble = match ready {
            Ok(ready) => {
                blueprint.clients = ready;
                let reel = options.reels.get(&cell.id).cloned();
                let deck = reel.map(|reel| Arc::new(reel.start(blueprint.tokens(), options.stack.secrets.clone())));
                let manifest = tapes::manifest(cell, &server, listed, &blueprint);
                blueprint.deck.clone_from(&deck);
                let (ways, over) = ((bus.clone(), run.control.clone()), run.over.clone());
                let watch = sampler.map(|it| Watch::begin(it, cell.id.clone(), options.epoch, ways, over));
                run = drive(run, blueprint, functions).await;
                let over = match watch {
                    Some(watch) => watch.end().await,
                    None => None,
                };
                run.trouble = over.map(told).or(run.trouble.take());
                if let Some(deck) = deck {
                    tapes::write(&mut run, cell, &deck, manifest);
                }
                run.trouble.take()
            }
            // Nothing is asked of a stranger.
            Err(error) => Some(run.not_served(error)),
        };
        if let Some(stack) = run.stack.take() {
            let hurry = control.signal().is_some();
            let telling = Telling::new(&cell.id, bus);
            let down = stack.down(hurry, telling.progress()).await;
            telling.told().await;
            if let Err(error) = down {
                trouble.get_or_insert(told(error));
            }
        }
        (run, trouble)
    }

    /// Runs the scenarios against a tape.
    async fn replay(self, mut run: CellRun) -> (CellRun, Option<Trouble>) {
        let Self { cell, options, bus, control, functions, ids } = self;
        let (deck, manifest) = match tapes::open(cell, options.reels.get(&cell.id).cloned(), &options.stack.secrets) {
            Ok(opened) => opened,
            Err(message) => {
                let trouble = run.not_served(StackError::tape(message));
                return (run, Some(trouble));
            }
        };
        run.books = Books::new(cell.contract, cell.profile.as_ref(), &manifest.server);
        bus.emit(&RunEvent::Server {
            cell: cell.id.clone(),
            server: manifest.server.clone(),
            url: deck.folder().display().to_string(),
            models: manifest.served.clone(),
            services: Vec::new(),
            dialects: run.books.dialects(),
        });
        tapes::announce(&cell.id, &deck, bus);
        let mut blueprint = tapes::blueprint(cell, &deck, &manifest, options.epoch, Arc::clone(ids));
        blueprint.body_limit = options.body_limit;
        blueprint.secrets = options.stack.secrets.clone();
        match clients(cell, options, bus, control).await {
            Ok(ready) => blueprint.clients = ready,
            Err(error) => {
                let trouble = run.not_served(error);
                return (run, Some(trouble));
            }
        }
        run = drive(run, blueprint, functions).await;
        tapes::tell_unused(&cell.id, &deck, bus);
        let trouble = run.trouble.take();
        (run, trouble)
    }
}

pub(super) fn told(error: StackError) -> Trouble {
    Trouble::new(error.kind, error.message).detail(error.detail)
}

/// Brings the stack up or attaches; a signal ends the wait, and what was started is stopped by the stack room.
pub(super) async fn connect(cell: &CellPlan, options: &RunOptions, bus: &Bus, control: &Control) -> Result<Stack, StackError> {
    let up = async {
        let telling = Telling::new(&cell.id, bus);
        let progress = telling.progress();
        let stack = match &cell.connect {
            Connect::Attach { url } => Stack::attach(url, options.bearers.get(&cell.setup.name).cloned()).await,
            Connect::Start => Stack::up(&cell.setup, &cell.models, &options.stack, progress).await,
            Connect::Compose { parts } => compose::up(cell, parts, &options.stack, &options.bearers, progress).await,
            Connect::Serve { port } => {
                let wanted = Wanted { setup: &cell.setup, models: &cell.models, profile: cell.profile.as_deref(), port: *port };
                Stack::serve(&wanted, &options.stack, progress).await
            }
        };
        telling.told().await;
        stack
    };
    tokio::select! {
        stack = up => stack,
        () = control.finishing().cancelled() => Err(StackError::not_run("the run was stopped before the stack was ready")),
    }
}

/// Makes the clients of a cell's scenarios ready, before any of them runs.
async fn clients(
    cell: &CellPlan,
    options: &RunOptions,
    bus: &Bus,
    control: &Control,
) -> Result<Option<Arc<Clients>>, StackError> {
    let telling = Telling::new(&cell.id, bus);
    let (secrets, progress) = (options.stack.secrets.clone(), telling.progress());
    let ready = tokio::select! {
        ready = Clients::prepare(&cell.clients, &options.stack, secrets, &progress) => ready,
        () = control.finishing().cancelled() => Err(StackError::not_run("the run was stopped before its clients were ready")),
    };
    telling.told().await;
    Ok(ready?.map(Arc::new))
}

fn announce(
    cell: &CellPlan,
    stack: &Stack,
    dialects: Vec<DialectRecord>,
    bus: &Bus,
    options: &RunOptions,
    ids: &Arc<AtomicU64>,
) -> Blueprint {
    let mut models = cell.models.clone();
    if models.is_empty()
        && let Some(first) = stack.models().first()
    {
        models.push(("text".to_owned(), first.clone()));
    }
    bus.emit(&RunEvent::Server {
        cell: cell.id.clone(),
        server: stack.server().to_owned(),
        url: stack.url().to_owned(),
        models: stack.models().to_vec(),
        services: stack.services().into_iter().map(service).collect(),
        dialects,
    });
    if !stack.is_known() && cell.profile.is_none() {
        let message = "the server does not say what it is; going on, as the setup names no profile".to_owned();
        bus.emit(&RunEvent::Stack { cell: cell.id.clone(), phase: StackPhase::Ready, message });
    }
    let served = taken(stack.models(), &models);
    let plain = Blueprint::new(cell, stack.url(), stack.bearer(), models, options.epoch, Arc::clone(ids));
    Blueprint {
        routes: compose::routes(cell, stack),
        services: services::of(cell, stack, plain.wanted_key.as_deref()),
        served,
        body_limit: options.body_limit,
        secrets: options.stack.secrets.clone(),
        ..plain
    }
}

/// Names of models that a server takes: those that it lists, and those of the setup, which are meant to be taken. None where it
/// lists none.
pub(super) fn taken(listed: &[String], models: &[(String, String)]) -> Vec<String> {
    let meant = models.iter().filter(|_| !listed.is_empty()).map(|(_, id)| id);
    listed.iter().chain(meant).cloned().collect()
}

/// The models of some roles.
pub(super) fn of_roles(models: &[(String, String)], roles: &[String]) -> Vec<(String, String)> {
    models.iter().filter(|(role, _)| roles.contains(role)).cloned().collect()
}

fn service(served: Served) -> ServiceRecord {
    let start_us = u64::try_from(served.took.as_micros()).unwrap_or(u64::MAX);
    ServiceRecord { name: served.name, pid: served.group.as_raw(), port: served.port, start_us }
}

/// Scenarios that are handed out beyond those that run, at least; enough for a worker not to fall asleep between short ones.
const AHEAD: usize = 8;

/// Runs the scenarios through cucumber's seams: our parser, our runner, our writer.
async fn drive(mut run: CellRun, mut blueprint: Blueprint, functions: &Arc<Vec<StepFunction>>) -> CellRun {
    let plan = Arc::clone(&run.plan);
    let concurrency = plan.concurrency.max(1) as usize;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (out, inbox) = mpsc::channel(1024);
    let (door, orders) = Door::new();
    blueprint.services = services::with_door(blueprint.services, door);
    let mut workers = Vec::new();
    let (tasks, untaken) = async_channel::unbounded();
    let (finishing, abort) = (run.control.finishing().clone(), run.control.aborting().clone());
    let desk = Desk { tasks: untaken.clone(), out, finishing, abort };
    let threads = concurrency.min(cores);
    for number in 0..threads {
        let slots = concurrency / threads + usize::from(number < concurrency % threads);
        match Worker::spawn(blueprint.clone(), Arc::clone(functions), slots, desk.clone()) {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                run.not_run_all(&format!("cannot start a worker thread: {error}"));
                return run;
            }
        }
    }
    drop(desk);
    // One at a time stays strictly so, and after a failure that ends the run nothing further begins.
    let ahead = if concurrency == 1 || run.fail_fast { 0 } else { concurrency.max(AHEAD) };
    let shared = Rc::new(Mutex::new(run));
    let engine = Engine { cell: Rc::clone(&shared), tasks, untaken, inbox, orders, concurrency, ahead };
    let started = shared.lock().await.totals.all();
    let cucumber: Cucumber<_, _, _, _, _, cucumber::cli::Empty> = Cucumber::custom(PlanParser, engine, Tally::default());
    let tally = cucumber.with_default_cli().run(plan).await;
    drop(workers);
    let mut run = Rc::into_inner(shared).expect("the engine ended with its stream").into_inner();
    let counted = run.totals.all() - started - run.unrun;
    if run.trouble.is_none() && (tally.errors > 0 || tally.ended != counted) {
        let words = format!("{counted} scenarios were judged, {} were reported; please report this", tally.ended);
        run.trouble = Some(Trouble::new("internal.lost", words));
    }
    run
}
