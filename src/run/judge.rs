//! From steps to the outcome of an attempt; what is written down of the server is weighed by [`super::books`].

use crate::event::{Outcome, StepOutcome, StepRecord};

/// Outcome of one attempt by its steps alone, and the reason that goes with it.
pub(super) fn outcome(steps: &[StepRecord]) -> (Outcome, Option<String>) {
    for step in steps {
        match &step.outcome {
            StepOutcome::Passed | StepOutcome::NotReached => {}
            StepOutcome::Failed { .. } => return (Outcome::Failed, None),
            StepOutcome::Errored { .. } => return (Outcome::Errored, None),
            StepOutcome::NotEvaluated { reason } => return (Outcome::NotEvaluated, Some(reason.clone())),
        }
    }
    (Outcome::Passed, None)
}
