//! From steps to the outcome of an attempt; what is written down of the server is weighed by [`super::books`].

use crate::event::{Outcome, StepOutcome, StepRecord};

/// Outcome of one attempt by its steps alone, and the reason that goes with it.
pub(super) fn outcome(steps: &[StepRecord]) -> (Outcome, Option<String>) {
    let mut not_evaluated = None;
    for step in steps {
        match &step.outcome {
            StepOutcome::Passed | StepOutcome::NotReached => {}
            StepOutcome::Failed { .. } => return (Outcome::Failed, None),
            StepOutcome::Errored { .. } => return (Outcome::Errored, None),
            // What follows may still fail.
            StepOutcome::NotEvaluated { reason } => drop(not_evaluated.get_or_insert_with(|| reason.clone())),
        }
    }
    let outcome = if not_evaluated.is_some() { Outcome::NotEvaluated } else { Outcome::Passed };
    (outcome, not_evaluated)
}
