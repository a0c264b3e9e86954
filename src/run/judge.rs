//! From steps to the outcome of an attempt: known failures, flakiness, retries.

use crate::event::{Outcome, StepOutcome, StepRecord};
use crate::plan::{CellPlan, ScenarioPlan};
use crate::spec::profile::Known;

use super::versions;

/// Outcome of one attempt before retries are considered, and the reason that goes with it.
pub(super) fn outcome(steps: &[StepRecord], errored_outside: bool) -> (Outcome, Option<String>) {
    if errored_outside {
        return (Outcome::Errored, None);
    }
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

/// If a failed attempt is exactly what the profile wrote down: indexes of the entries that cover it, all mismatches covered.
pub(super) fn known(cell: &CellPlan, scenario: &ScenarioPlan, steps: &[StepRecord], version: &str) -> Option<Vec<usize>> {
    let profile = cell.profile.as_ref()?;
    let entries: Vec<(usize, &Known)> = scenario
        .known
        .iter()
        .filter_map(|claim| profile.known.get(claim.entry).map(|entry| (claim.entry, entry)))
        .filter(|(_, entry)| entry.versions.as_deref().is_none_or(|bound| versions::meets(bound, version)))
        .collect();
    let (step, mismatches) = steps.iter().find_map(|step| match &step.outcome {
        StepOutcome::Failed { mismatches } => Some((step, mismatches)),
        _ => None,
    })?;
    let mut used = Vec::new();
    for mismatch in mismatches {
        let covers = |entry: &Known| match (&entry.rule, &entry.step) {
            (Some(rule), _) => mismatch.rule.as_ref() == Some(rule),
            (None, Some(sentence)) => {
                sentence.trim() == &*step.text
                    && entry.actual.as_deref().is_none_or(|pattern| {
                        regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(mismatch.actual.as_deref().unwrap_or("")))
                    })
            }
            (None, None) => false,
        };
        used.push(entries.iter().find(|(_, entry)| covers(entry))?.0);
    }
    (!used.is_empty()).then_some(used)
}
