//! One cell after another: [`run`]. The stack comes up, the engine runs the scenarios, the stack goes down, whatever happened.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use cucumber::Cucumber;
use tokio::sync::{Mutex, mpsc};

use super::books::{Books, Weighed};
use super::engine::{Engine, Tally};
use super::feature::PlanParser;
use super::queue::Task;
use super::resources::{Over, Watch};
use super::scenario::{self, Attempted};
use super::telling::Telling;
use super::worker::{Blueprint, Desk, Worker};
use super::{Bus, Control, compose, services};
use crate::event::{
    Attempt, DialectRecord, FindingRecord, Outcome, RunEvent, RunTotals, ScenarioFinished, ServiceRecord, StackPhase,
    StepOutcome, StepRecord, Totals, Trouble,
};
use crate::plan::{CellPlan, Connect, Plan};
use crate::stack::client::Clients;
use crate::stack::{Asked, Door, LogMark, Served, Stack, StackError, StackOptions, Wanted};
use crate::steps::StepFunction;

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
    let mut trouble = None;
    if let Some(reason) = &cell.skip {
        run.skip_all(reason);
    } else if cell.features.iter().flat_map(|feature| &feature.scenarios).all(|scenario| scenario.skip.is_some()) {
        // Nothing can run here, so nothing is started; each scenario has its own reason.
        run.not_run_all("nothing of this cell can run");
    } else if control.finishing().is_cancelled() {
        run.not_run_all("the run was stopped before this cell");
    } else {
        match connect(cell, options, bus, control).await {
            Err(error) => {
                trouble = Some(run.not_served(error));
            }
            Ok(stack) => {
                run.books = Books::new(cell.contract, cell.profile.as_ref(), stack.server());
                let mut blueprint = announce(cell, &stack, run.books.dialects(), bus, options, ids);
                let sampler = stack.sampler();
                let met = cell.profile.as_ref().map_or(Ok(()), |profile| stack.meets(&cell.setup, profile));
                run.stack = Some(stack);
                let ready = match met {
                    Ok(()) => clients(cell, &blueprint, options, bus, control).await,
                    Err(error) => Err(error),
                };
                match ready {
                    Ok(ready) => {
                        blueprint.clients = ready;
                        let (ways, over) = ((bus.clone(), run.control.clone()), run.over.clone());
                        let watch = sampler.map(|it| Watch::begin(it, cell.id.clone(), options.epoch, ways, over));
                        run = drive(run, blueprint, functions).await;
                        let over = match watch {
                            Some(watch) => watch.end().await,
                            None => None,
                        };
                        trouble = over.map(told).or(run.trouble.take());
                    }
                    // Nothing is asked of a stranger.
                    Err(error) => {
                        trouble = Some(run.not_served(error));
                    }
                }
                if let Some(stack) = run.stack.take() {
                    let hurry = control.signal().is_some();
                    let telling = Telling::new(&cell.id, bus);
                    let down = stack.down(hurry, telling.progress()).await;
                    telling.told().await;
                    if let Err(error) = down {
                        trouble.get_or_insert(told(error));
                    }
                }
            }
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

fn told(error: StackError) -> Trouble {
    Trouble::new(error.kind, error.message).detail(error.detail)
}

/// Brings the stack up or attaches; a signal ends the wait, and what was started is stopped by the stack room.
async fn connect(cell: &CellPlan, options: &RunOptions, bus: &Bus, control: &Control) -> Result<Stack, StackError> {
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
    blueprint: &Blueprint,
    options: &RunOptions,
    bus: &Bus,
    control: &Control,
) -> Result<Option<Arc<Clients>>, StackError> {
    let telling = Telling::new(&cell.id, bus);
    let (secrets, progress) = (blueprint.secrets(), telling.progress());
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
    let mut served = stack.models().to_vec();
    if !served.is_empty() {
        // A list need not name every name that a server takes; those of the setup are meant to be taken.
        served.extend(models.iter().map(|(_, id)| id.clone()));
    }
    let plain = Blueprint::new(cell, stack.url(), stack.bearer(), models, options.epoch, Arc::clone(ids));
    Blueprint {
        routes: compose::routes(cell, stack),
        services: services::of(cell, stack, plain.wanted_key.as_deref()),
        served,
        body_limit: options.body_limit,
        ..plain
    }
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

/// The judge's desk of one cell: what came back, what was counted, what was written down.
pub(super) struct CellRun {
    plan: Arc<CellPlan>,
    bus: Bus,
    control: Control,
    fail_fast: bool,
    epoch: Instant,
    rerun: String,
    books: Books,
    stack: Option<Stack>,
    /// The end of the server's log when the engine last waited or handed out a scenario.
    mark: Option<LogMark>,
    marks: HashMap<(usize, usize), LogMark>,
    /// Scenarios that are tried again.
    failed_before: HashSet<(usize, usize)>,
    totals: Totals,
    /// Scenarios counted that never ran (skipped, not run).
    unrun: u64,
    trouble: Option<Trouble>,
    /// A service that took more than it may.
    over: Over,
}

impl CellRun {
    fn new(plan: Arc<CellPlan>, options: &RunOptions, bus: Bus, control: Control) -> Self {
        Self {
            books: Books::new(plan.contract, plan.profile.as_ref(), ""),
            rerun: options.rerun.replace(CELL_MODEL, plan.entry.as_ref().map_or("", |entry| &entry.name)),
            plan,
            bus,
            control,
            fail_fast: options.fail_fast,
            epoch: options.epoch,
            stack: None,
            mark: None,
            marks: HashMap::new(),
            failed_before: HashSet::new(),
            totals: Totals::default(),
            unrun: 0,
            trouble: None,
            over: Over::default(),
        }
    }

    /// The cell's plan.
    pub fn plan(&self) -> &Arc<CellPlan> {
        &self.plan
    }

    /// How this cell is asked to end.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The engine begins to wait.
    pub fn settle(&mut self) {
        self.bus.settle();
        self.mark();
    }

    /// What the server logs from now on may be of scenarios that begin.
    pub fn mark(&mut self) {
        self.mark = self.stack.as_ref().map(Stack::log_mark);
    }

    /// A try begins, or did since the last mark.
    pub fn started(&mut self, task: &Task) {
        if let Some(mark) = &self.mark {
            self.marks.insert((task.feature, task.index), mark.clone());
        }
        self.bus.emit(&RunEvent::ScenarioStarted {
            cell: self.plan.id.clone(),
            id: task.plan.id.clone(),
            attempt: attempt(task),
            at_us: micros(self.epoch),
        });
    }

    /// A try ended: judge it, tell it. Returns whether it is tried again.
    pub fn ended(&mut self, ended: Attempted) -> bool {
        let Attempted { task, mut steps, exchanges, judged, assertions, started_us, took_us } = ended;
        let key = (task.feature, task.index);
        let mark = self.marks.remove(&key).unwrap_or_default();
        for exchange in exchanges {
            self.bus.emit(&RunEvent::Exchange(Box::new(exchange)));
        }
        let Weighed { mut outcome, reason, findings } = self.books.weigh(&task.plan, &mut steps, judged);
        let bad = matches!(outcome, Outcome::Failed | Outcome::Errored);
        let again = bad && task.attempt <= task.plan.retries && !self.control.finishing().is_cancelled();
        if again {
            self.failed_before.insert(key);
        } else if self.failed_before.remove(&key) && outcome == Outcome::Passed {
            outcome = Outcome::Flaky;
        }
        let server_log = match (&self.stack, bad) {
            (Some(stack), true) => stack.log_since(&mark, 16 * 1024),
            _ => String::new(),
        };
        let lost = bad && connection_lost(&steps);
        let mut trouble = None;
        if lost
            && let Some(stack) = &mut self.stack
            && let Err(error) = stack.alive()
        {
            trouble = Some(Trouble::new("infra.server_died", error.message).detail(error.detail));
        }
        let evidence = (steps, findings);
        let own = trouble.clone().map(Trouble::of_cell);
        self.finished(&task, outcome, reason, own, evidence, (assertions, started_us, took_us), again, server_log);
        if let Some(trouble) = trouble {
            self.trouble.get_or_insert(trouble);
            self.control.abort();
        }
        if bad && !again && self.fail_fast {
            self.control.abort();
        }
        again
    }

    /// Restarts the services after a destructive scenario; a stack that does not come back ends the cell.
    pub async fn restart(&mut self) {
        if self.control.finishing().is_cancelled() {
            return;
        }
        let (id, bus) = (self.plan.id.clone(), self.bus.clone());
        bus.emit(&RunEvent::Stack {
            cell: id,
            phase: StackPhase::Start,
            message: "restarting after a destructive scenario".to_owned(),
        });
        let Some(stack) = &mut self.stack else { return };
        let telling = Telling::new(&self.plan.id, &self.bus);
        let restarted = stack.restart(telling.progress()).await;
        telling.told().await;
        if let Err(error) = restarted {
            self.trouble.get_or_insert(told(error));
            self.control.abort();
        }
    }

    /// Does to the stack what a scenario has ordered, and tells it how that went; not once all is to stop.
    pub async fn obey(&mut self, asked: Asked) {
        let Some(stack) = &mut self.stack else { return };
        let telling = Telling::new(&self.plan.id, &self.bus);
        let went = tokio::select! {
            went = stack.obey(&asked.order, telling.progress()) => Some(went),
            () = self.control.aborting().cancelled() => None,
        };
        telling.told().await;
        if let Some(went) = went {
            asked.tell(went);
        }
    }

    /// A scenario that is declared not applicable.
    pub fn skipped(&mut self, task: &Task, reason: &str) {
        self.unrun += 1;
        let steps = scenario::not_reached(&task.plan);
        self.finished(
            task,
            Outcome::Skipped,
            Some(reason.to_owned()),
            None,
            (steps, Vec::new()),
            (0, micros(self.epoch), 0),
            false,
            String::new(),
        );
    }

    /// A scenario that was planned and never started: an error, never a skip.
    pub fn not_run(&mut self, task: &Task) {
        let over = self.over.borrow().as_ref().map(|error| error.message.clone());
        let trouble = match self.trouble.as_ref().map(|trouble| trouble.message.clone()).or(over) {
            Some(message) => not_run(&message).of_cell(),
            None => not_run("the run was stopped before it"),
        };
        self.not_run_because(task, trouble);
    }

    fn not_run_because(&mut self, task: &Task, trouble: Trouble) {
        self.unrun += 1;
        let evidence = (scenario::not_reached(&task.plan), Vec::new());
        self.finished(task, Outcome::Errored, None, Some(trouble), evidence, (0, micros(self.epoch), 0), false, String::new());
    }

    /// Nothing runs, for this reason.
    fn not_run_all(&mut self, reason: &str) {
        self.none_runs(&not_run(reason));
    }

    /// Nothing runs, as the stack does not serve; returns the cell's trouble.
    fn not_served(&mut self, error: StackError) -> Trouble {
        self.none_runs(&not_run(&error.message).of_cell());
        told(error)
    }

    fn none_runs(&mut self, trouble: &Trouble) {
        self.each_task(|run, task| match &task.plan.skip {
            Some(skip) => run.skipped(task, &skip.clone()),
            None => run.not_run_because(task, trouble.clone()),
        });
    }

    fn skip_all(&mut self, reason: &str) {
        self.each_task(|run, task| run.skipped(task, reason));
    }

    fn each_task(&mut self, mut tell: impl FnMut(&mut Self, &Task)) {
        let plan = Arc::clone(&self.plan);
        for (number, feature) in plan.features.iter().enumerate() {
            for (index, scenario) in feature.scenarios.iter().enumerate() {
                tell(self, &Task { feature: number, index, plan: Arc::clone(scenario), attempt: 1 });
            }
        }
    }

    /// The engine cannot go on.
    pub fn broken(&mut self, words: &str) {
        self.trouble.get_or_insert(Trouble::new("internal.worker", words));
        self.control.abort();
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where an attempt becomes its event")]
    fn finished(
        &mut self,
        task: &Task,
        outcome: Outcome,
        reason: Option<String>,
        trouble: Option<Trouble>,
        (steps, findings): (Vec<StepRecord>, Vec<FindingRecord>),
        (assertions, started_us, took_us): (u64, u64, u64),
        will_retry: bool,
        server_log: String,
    ) {
        if !will_retry {
            self.totals.add(outcome);
        }
        let plan = &task.plan;
        let rerun = match outcome {
            Outcome::Passed | Outcome::Skipped => String::new(),
            _ => self.rerun.replace("{}", &format!("{}:{}", plan.at.file, plan.at.line)),
        };
        self.bus.emit(&RunEvent::ScenarioFinished(Box::new(ScenarioFinished {
            id: plan.id.clone(),
            cell: self.plan.id.clone(),
            classname: Arc::clone(&plan.classname),
            name: Arc::clone(&plan.name),
            at: plan.at.clone(),
            tags: Arc::clone(&plan.tags),
            attempt: attempt(task),
            will_retry,
            outcome,
            reason,
            trouble,
            steps,
            findings,
            assertions,
            started_us,
            took_us,
            server_log,
            rerun,
        })));
    }
}

/// The trouble of a scenario that did not begin.
fn not_run(reason: &str) -> Trouble {
    Trouble::new("infra.not_run", format!("not run: {reason}"))
}

fn connection_lost(steps: &[StepRecord]) -> bool {
    steps.iter().any(|step| match &step.outcome {
        StepOutcome::Errored { trouble } => trouble.kind == "infra.connect",
        StepOutcome::Failed { mismatches } => mismatches.iter().any(|mismatch| mismatch.kind == "wire.no_reply"),
        _ => false,
    })
}

fn attempt(task: &Task) -> Attempt {
    Attempt { number: task.attempt, of: task.plan.retries + 1 }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
