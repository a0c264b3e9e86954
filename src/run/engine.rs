//! The engine behind cucumber's `Runner`: dispatches scenarios to workers, judges what comes back, tells both event streams.
//!
//! Workers send plain data; cucumber's events are made here, on one thread, because they are never `Send`. Linear in the
//! number of scenarios; features are pulled from the parser only when there is room to run them.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use cucumber::event::{self, Event, Source};
use cucumber::gherkin::{Feature, Scenario};
use cucumber::{Runner, Writer, cli, parser};
use futures::stream::{self, LocalBoxStream, Stream, StreamExt};
use tokio::sync::mpsc;

use super::account::CellRun;
use super::queue::{Queue, Task};
use super::scenario::Attempted;
use super::worker::Message;
use crate::event::StepOutcome;
use crate::stack::Asked;
use crate::steps::{Failure, World};

type CucumberEvent = parser::Result<Event<event::Cucumber<World>>>;

/// Runs the scenarios of one cell.
pub(super) struct Engine {
    /// Judges and reports; shared with the cell's owner.
    pub cell: Rc<tokio::sync::Mutex<CellRun>>,
    /// Where the workers take tasks from, oldest first; dropped with the engine, which ends them.
    pub tasks: async_channel::Sender<Task>,
    /// The other end, to take back what no worker has taken yet.
    pub untaken: async_channel::Receiver<Task>,
    /// What the workers say.
    pub inbox: mpsc::Receiver<Message>,
    /// What scenarios want done to their stack.
    pub orders: mpsc::UnboundedReceiver<Asked>,
    /// Scenarios at once.
    pub concurrency: usize,
    /// Scenarios handed out beyond those that run, so that no worker waits for the engine between two.
    pub ahead: usize,
}

impl Runner<World> for Engine {
    type Cli = cli::Empty;
    type EventStream = LocalBoxStream<'static, CucumberEvent>;

    fn run<S>(self, features: S, _: cli::Empty) -> Self::EventStream
    where
        S: Stream<Item = parser::Result<Feature>> + 'static,
    {
        let drive = Drive {
            engine: self,
            features: Some(features.boxed_local()),
            pulled: 0,
            open: HashMap::new(),
            queue: Queue::default(),
            next: VecDeque::new(),
            out: VecDeque::from([Ok(Event::new(event::Cucumber::Started))]),
            finished: false,
        };
        stream::unfold(drive, |mut drive| async move { drive.next().await.map(|event| (event, drive)) }).boxed_local()
    }
}

/// A feature with scenarios still to end.
struct Open {
    source: Source<Feature>,
    scenarios: Vec<Option<Source<Scenario>>>,
    left: usize,
    started: bool,
}

struct Drive {
    engine: Engine,
    features: Option<LocalBoxStream<'static, parser::Result<Feature>>>,
    pulled: usize,
    open: HashMap<usize, Open>,
    queue: Queue,
    /// Tasks handed out that wait for a slot, oldest first.
    next: VecDeque<Task>,
    out: VecDeque<CucumberEvent>,
    finished: bool,
}

impl Drive {
    /// The next event for cucumber, or the end.
    async fn next(&mut self) -> Option<CucumberEvent> {
        loop {
            if let Some(event) = self.out.pop_front() {
                return Some(event);
            }
            if self.finished {
                return None;
            }
            self.advance().await;
        }
    }

    /// Starts what can start, then waits for one thing to happen.
    async fn advance(&mut self) {
        let finishing = self.engine.cell.lock().await.control().finishing().clone();
        if finishing.is_cancelled() {
            self.take_back();
        } else {
            self.pull().await;
            self.dispatch().await;
        }
        if self.queue.running() == 0 {
            if !finishing.is_cancelled() && self.queue.ready() > 0 {
                return;
            }
            self.finish().await;
            return;
        }
        self.engine.cell.lock().await.settle();
        let first = tokio::select! {
            biased;
            Some(asked) = self.engine.orders.recv() => return self.engine.cell.lock().await.obey(asked).await,
            first = self.engine.inbox.recv() => first,
        };
        let Some(first) = first else {
            // They take nothing more once the run is to end.
            self.take_back();
            if self.queue.running() > 0 {
                self.engine.cell.lock().await.broken("all workers ended");
            }
            return self.finish().await;
        };
        // All that was said by now, before anything further is handed out: a worker that sleeps is woken once for many.
        let mut heard = Some(first);
        while let Some(message) = heard {
            match message {
                Message::Ended(ended) => self.ended(*ended).await,
                Message::Broken(words) => {
                    self.engine.cell.lock().await.broken(&words);
                    return self.finish().await;
                }
            }
            heard = self.engine.inbox.try_recv().ok();
        }
    }

    /// Takes back what was handed out and not begun: the run ends.
    fn take_back(&mut self) {
        while let Ok(task) = self.engine.untaken.try_recv() {
            self.next.retain(|next| (next.feature, next.index) != (task.feature, task.index));
            self.queue.done(&task.plan);
            self.queue.push(task);
        }
    }

    /// Takes features from the parser until there is enough to do.
    async fn pull(&mut self) {
        while self.queue.ready() < self.at_most() {
            let Some(features) = &mut self.features else { return };
            match features.next().await {
                Some(Ok(feature)) => self.accept(feature).await,
                Some(Err(error)) => self.out.push_back(Err(error)),
                None => self.features = None,
            }
        }
    }

    async fn accept(&mut self, mut feature: Feature) {
        let number = self.pulled;
        self.pulled += 1;
        let scenarios: Vec<Scenario> = std::mem::take(&mut feature.scenarios);
        let mut cell = self.engine.cell.lock().await;
        let plan = Arc::clone(cell.plan());
        let Some(planned) = plan.features.get(number) else { return };
        let mut open = Open {
            source: Source::new(feature),
            left: planned.scenarios.len(),
            scenarios: scenarios.into_iter().map(|scenario| Some(Source::new(scenario))).collect(),
            started: false,
        };
        for (index, scenario) in planned.scenarios.iter().enumerate() {
            let task = Task { feature: number, index, plan: Arc::clone(scenario), attempt: 1 };
            if let Some(reason) = &scenario.skip {
                cell.skipped(&task, reason);
                open.left -= 1;
            } else {
                self.queue.push(task);
            }
        }
        if open.left > 0 {
            self.open.insert(number, open);
        }
    }

    /// Scenarios that may be handed out and not ended.
    fn at_most(&self) -> usize {
        self.engine.concurrency + self.engine.ahead
    }

    async fn dispatch(&mut self) {
        while let Some(task) = self.queue.next(self.at_most(), self.features.is_none()) {
            if self.queue.running() - self.next.len() > self.engine.concurrency {
                self.next.push_back(task.clone());
            } else {
                self.engine.cell.lock().await.mark();
                self.begun(&task).await;
            }
            // The workers are gone only when they said why, which is heard next.
            drop(self.engine.tasks.try_send(task));
        }
    }

    /// A slot was free for it.
    async fn begun(&mut self, task: &Task) {
        self.engine.cell.lock().await.started(task);
        if task.attempt == 1 {
            self.announce(task);
        }
    }

    fn announce(&mut self, task: &Task) {
        let Some(open) = self.open.get_mut(&task.feature) else { return };
        if !open.started {
            open.started = true;
            self.out.push_back(feature_event(&open.source, event::Feature::Started));
        }
        if let Some(source) = open.scenarios.get(task.index).and_then(Option::as_ref) {
            self.out.push_back(scenario_event(&open.source, source, task.attempt, event::Scenario::Started));
        }
    }

    async fn ended(&mut self, ended: Attempted) {
        self.queue.done(&ended.task.plan);
        // Its slot went on with the oldest that was handed out.
        if let Some(next) = self.next.pop_front() {
            self.begun(&next).await;
        }
        let retry = Task { attempt: ended.task.attempt + 1, ..ended.task.clone() };
        let destructive = ended.task.plan.flags.destructive;
        let events = self.cucumber_events(&ended);
        let mut cell = self.engine.cell.lock().await;
        let again = cell.ended(ended);
        if destructive {
            cell.restart().await;
        }
        drop(cell);
        if again {
            self.queue.push(retry);
            return;
        }
        self.out.extend(events);
        self.close(retry.feature, retry.index);
    }

    /// The cucumber events of an attempt: its steps, then its end.
    fn cucumber_events(&self, ended: &Attempted) -> Vec<CucumberEvent> {
        let Some(open) = self.open.get(&ended.task.feature) else { return Vec::new() };
        let Some(source) = open.scenarios.get(ended.task.index).and_then(Option::as_ref) else { return Vec::new() };
        let mut events = Vec::with_capacity(ended.steps.len() * 2 + 1);
        for (step, record) in source.steps.iter().zip(&ended.steps) {
            let step = Source::new(step.clone());
            let mut tell = |what| {
                events.push(scenario_event(&open.source, source, ended.task.attempt, event::Scenario::Step(step.clone(), what)));
            };
            if !matches!(record.outcome, StepOutcome::NotReached) {
                tell(event::Step::Started);
            }
            tell(step_event(&record.outcome));
        }
        events.push(scenario_event(&open.source, source, ended.task.attempt, event::Scenario::Finished));
        events
    }

    fn close(&mut self, feature: usize, index: usize) {
        let Some(open) = self.open.get_mut(&feature) else { return };
        if let Some(slot) = open.scenarios.get_mut(index) {
            *slot = None;
        }
        open.left -= 1;
        if open.left == 0
            && let Some(open) = self.open.remove(&feature)
        {
            self.out.push_back(feature_event(&open.source, event::Feature::Finished));
        }
    }

    /// Reports what never started, ends the workers, ends the stream.
    async fn finish(&mut self) {
        let waiting = self.queue.drain();
        let mut cell = self.engine.cell.lock().await;
        for task in &waiting {
            cell.not_run(task);
        }
        let plan = Arc::clone(cell.plan());
        for (number, feature) in plan.features.iter().enumerate().skip(self.pulled) {
            for (index, scenario) in feature.scenarios.iter().enumerate() {
                let task = Task { feature: number, index, plan: Arc::clone(scenario), attempt: 1 };
                match &scenario.skip {
                    Some(reason) => cell.skipped(&task, reason),
                    None => cell.not_run(&task),
                }
            }
        }
        self.out.push_back(Ok(Event::new(event::Cucumber::Finished)));
        self.finished = true;
    }
}

#[expect(clippy::unnecessary_wraps, reason = "cucumber's streams carry results")]
fn feature_event(source: &Source<Feature>, what: event::Feature<World>) -> CucumberEvent {
    Ok(Event::new(event::Cucumber::Feature(source.clone(), what)))
}

fn scenario_event(
    feature: &Source<Feature>,
    scenario: &Source<Scenario>,
    attempt: u32,
    what: event::Scenario<World>,
) -> CucumberEvent {
    let retries = (attempt > 1).then_some(event::Retries { current: attempt as usize - 1, left: 0 });
    feature_event(feature, event::Feature::Scenario(scenario.clone(), event::RetryableScenario { event: what, retries }))
}

fn step_event(outcome: &StepOutcome) -> event::Step<World> {
    let failed = |failure: Failure| {
        let payload: event::Info = Arc::new(failure);
        event::Step::Failed(None, None, None, event::StepError::Panic(payload))
    };
    match outcome {
        StepOutcome::Passed => event::Step::Passed(no_captures(), None),
        StepOutcome::NotReached | StepOutcome::NotEvaluated { .. } => event::Step::Skipped,
        StepOutcome::Failed { mismatches } => failed(Failure::Mismatch(mismatches.clone())),
        StepOutcome::Errored { trouble } => failed(Failure::Trouble(trouble.clone())),
    }
}

/// Cucumber wants the captures of the match; ours are in the plan, so an empty set stands for them.
fn no_captures() -> regex::CaptureLocations {
    thread_local! {
        static EMPTY: regex::CaptureLocations = regex::Regex::new("").expect("the empty expression").capture_locations();
    }
    EMPTY.with(Clone::clone)
}

/// Counts what cucumber was told, so that a scenario that got lost between the two streams is noticed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Scenarios that ended.
    pub ended: u64,
    /// Parser errors, which our parser never makes.
    pub errors: u64,
}

impl Writer<World> for Tally {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: CucumberEvent, _: &cli::Empty) {
        match event.map(Event::into_inner) {
            Ok(event::Cucumber::Feature(_, event::Feature::Scenario(_, scenario))) => {
                self.ended += u64::from(matches!(scenario.event, event::Scenario::Finished));
            }
            Ok(_) => {}
            Err(_) => self.errors += 1,
        }
    }
}

impl cucumber::writer::Normalized for Tally {}
