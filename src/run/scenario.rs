//! One attempt of one scenario on its worker: steps in order, deadlines, cancellation, panics caught.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use cucumber::step;
use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::feature;
use super::panic;
use super::queue::Task;
use crate::contract::Judged;
use crate::event::{ExchangeRecord, StepOutcome, StepRecord, Trouble};
use crate::plan::{ScenarioPlan, StepPlan, StepUse};
use crate::steps::{CellContext, Failure, StepFunction, World};
use crate::tape::Use;

/// What came of one attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    /// What was run.
    pub task: Task,
    /// Every step of the plan, reached or not.
    pub steps: Vec<StepRecord>,
    /// Evidence, in the order the exchanges were made.
    pub exchanges: Vec<ExchangeRecord>,
    /// What the wire rules found in them.
    pub judged: Judged,
    /// Claims evaluated.
    pub assertions: u64,
    /// Start, microseconds after the run's start.
    pub started_us: u64,
    /// Wall time, microseconds.
    pub took_us: u64,
}

/// Runs the steps of a scenario until one ends it; the rest is not reached.
pub(super) async fn attempt(
    task: Task,
    cell: Rc<CellContext>,
    functions: &[StepFunction],
    cancel: &CancellationToken,
    epoch: Instant,
) -> Attempted {
    let plan: Arc<ScenarioPlan> = Arc::clone(&task.plan);
    let began = Instant::now();
    let alone = cell.ours && (cell.concurrency <= 1 || plan.flags.serial || plan.flags.destructive);
    let on_tape = cell.deck.as_ref().is_some_and(|deck| deck.used() != Use::Record);
    let mut world = World::new(cell, plan.id.clone(), plan.role, task.attempt);
    world.alone = alone;
    let mut steps = Vec::with_capacity(plan.steps.len());
    let (mut ended, mut beyond_tapes) = (false, false);
    for step in plan.steps.iter() {
        if ended {
            steps.push(record(step, StepOutcome::NotReached, 0, Vec::new()));
            continue;
        }
        if step.live && on_tape {
            let reason = "only a running server can show it, and this run answers from a tape".to_owned();
            steps.push(record(step, StepOutcome::NotEvaluated { reason }, 0, Vec::new()));
            // What goes on without it would say something of another thing than is written.
            ended = ends_on_tape(&plan, step);
            continue;
        }
        // Neither this step is reached where a tape answers, nor what follows it there.
        world.beyond_tapes = beyond_tapes || step.live;
        beyond_tapes |= step.live && ends_on_tape(&plan, step);
        let start = Instant::now();
        let left = plan.timeout.saturating_sub(began.elapsed());
        let (limit, kind) =
            if left < plan.step_timeout { (left, "timeout.scenario") } else { (plan.step_timeout, "timeout.step") };
        world.doc_media_type = step.doc.as_ref().and_then(|doc| doc.media_type.clone());
        let behind = functions[step.def.0 as usize];
        let running = guarded(behind(&mut world, context(step)));
        let outcome = tokio::select! {
            biased;
            () = cancel.cancelled() => StepOutcome::Errored { trouble: Trouble::new("infra.not_run", "the run was stopped while this step ran") },
            came = tokio::time::timeout(limit, running) => match came {
                Ok(outcome) => outcome,
                Err(_) => StepOutcome::Errored { trouble: Trouble::new(kind, format!("the step did not end within {limit:?}")) },
            },
        };
        ended = !matches!(outcome, StepOutcome::Passed);
        steps.push(record(step, outcome, micros(start), world.take_exchanges()));
    }
    let started_us = u64::try_from(began.duration_since(epoch).as_micros()).unwrap_or(u64::MAX);
    let (exchanges, judged, assertions) = (world.take_records(), world.take_judged(), world.assertions());
    Attempted { task, steps, exchanges, judged, assertions, started_us, took_us: micros(began) }
}

/// Whether a step that only a running server can show ends a scenario where a tape answers.
fn ends_on_tape(plan: &ScenarioPlan, step: &StepPlan) -> bool {
    plan.flags.destructive || step.kind == StepUse::Given
}

/// Awaits a step function; its failure, or its panic, becomes an outcome.
async fn guarded(call: impl Future<Output = ()>) -> StepOutcome {
    let mut call = pin!(AssertUnwindSafe(call).catch_unwind());
    let ended = poll_fn(|context| panic::inside(|| call.as_mut().poll(context))).await;
    let Err(payload) = ended else { return StepOutcome::Passed };
    match payload.downcast::<Failure>() {
        Ok(failure) => match *failure {
            Failure::Mismatch(mismatches) => StepOutcome::Failed { mismatches },
            Failure::Trouble(trouble) => StepOutcome::Errored { trouble },
            Failure::NotEvaluated(reason) => StepOutcome::NotEvaluated { reason },
        },
        Err(payload) => {
            let words = panic::words(payload.as_ref());
            let trouble = Trouble::new("internal.panic", format!("a bug in fireassay: {words}; please report it"))
                .detail(panic::place().unwrap_or_default());
            StepOutcome::Errored { trouble }
        }
    }
}

fn context(plan: &StepPlan) -> step::Context {
    step::Context { step: feature::step(plan), matches: plan.captures.to_vec() }
}

fn record(step: &StepPlan, outcome: StepOutcome, took_us: u64, exchanges: Vec<crate::event::ExchangeId>) -> StepRecord {
    StepRecord {
        keyword: Arc::clone(&step.keyword),
        text: Arc::clone(&step.text),
        at: step.at.clone(),
        outcome,
        took_us,
        exchanges,
    }
}

/// All steps of a scenario that never ran.
pub(super) fn not_reached(plan: &ScenarioPlan) -> Vec<StepRecord> {
    plan.steps.iter().map(|step| record(step, StepOutcome::NotReached, 0, Vec::new())).collect()
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
