//! The account of one cell: what came back, what was counted, what was written down. [`CellRun`] turns attempts into events.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use super::books::{Books, Weighed};
use super::cell::{CELL_MODEL, RunOptions, told};
use super::queue::Task;
use super::resources::Over;
use super::scenario::{self, Attempted};
use super::telling::Telling;
use super::{Bus, Control};
use crate::event::{
    Attempt, FindingRecord, Outcome, RunEvent, ScenarioFinished, StackPhase, StepOutcome, StepRecord, Totals, Trouble,
};
use crate::plan::CellPlan;
use crate::stack::{Asked, LogMark, Stack, StackError};

/// The judge's desk of one cell: what came back, what was counted, what was written down.
pub(super) struct CellRun {
    pub plan: Arc<CellPlan>,
    pub bus: Bus,
    pub control: Control,
    pub fail_fast: bool,
    pub epoch: Instant,
    rerun: String,
    pub books: Books,
    pub stack: Option<Stack>,
    /// The end of the server's log when the engine last waited or handed out a scenario.
    mark: Option<LogMark>,
    marks: HashMap<(usize, usize), LogMark>,
    /// Scenarios that are tried again.
    failed_before: HashSet<(usize, usize)>,
    pub totals: Totals,
    /// Scenarios counted that never ran (skipped, not run).
    pub unrun: u64,
    pub trouble: Option<Trouble>,
    /// A service that took more than it may.
    pub over: Over,
}

impl CellRun {
    pub fn new(plan: Arc<CellPlan>, options: &RunOptions, bus: Bus, control: Control) -> Self {
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

    /// Restarts the services of this run after a destructive scenario; a stack that does not come back ends the cell.
    pub async fn restart(&mut self) {
        let ours = self.stack.as_ref().is_some_and(Stack::is_ours);
        if !ours || self.control.finishing().is_cancelled() {
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
    pub fn not_run_all(&mut self, reason: &str) {
        self.none_runs(&not_run(reason));
    }

    /// Nothing runs, as the stack does not serve; returns the cell's trouble.
    pub fn not_served(&mut self, error: StackError) -> Trouble {
        self.none_runs(&not_run(&error.message).of_cell());
        told(error)
    }

    fn none_runs(&mut self, trouble: &Trouble) {
        self.each_task(|run, task| match &task.plan.skip {
            Some(skip) => run.skipped(task, &skip.clone()),
            None => run.not_run_because(task, trouble.clone()),
        });
    }

    pub fn skip_all(&mut self, reason: &str) {
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

pub(super) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
