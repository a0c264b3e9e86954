//! Which wire rules did a cell break, and how often? [`RuleTallies`], over all scenarios and tries.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{FindingRecord, Weight};

use super::summary::CellSummary;

/// Broken rules of a cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTallies(BTreeMap<(Weight, String), RuleTally>);

/// One broken rule, as far as it meant the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTally {
    /// What the rule says.
    pub statement: String,
    /// How often it was seen.
    pub count: u64,
    /// Tries of scenarios that showed it.
    pub tries: u64,
    /// What was wrong where it was seen first.
    pub found: String,
    /// The scenario that showed it first.
    pub scenario: Arc<str>,
}

impl RuleTallies {
    /// Counts what one try showed.
    pub(super) fn add(&mut self, scenario: &Arc<str>, findings: &[FindingRecord]) {
        let mut seen = Vec::new();
        for finding in findings {
            let key = (finding.weight, finding.rule.clone());
            let tally = self.0.entry(key.clone()).or_insert_with(|| RuleTally {
                statement: finding.statement.clone(),
                count: 0,
                tries: 0,
                found: finding.found.clone(),
                scenario: Arc::clone(scenario),
            });
            tally.count += finding.count;
            // A rule that fails a try at several places stands there several times.
            if !seen.contains(&key) {
                tally.tries += 1;
                seen.push(key);
            }
        }
    }

    /// Rules of one weight in the order of their ids.
    pub fn of(&self, weight: Weight) -> impl Iterator<Item = (&str, &RuleTally)> {
        self.0.iter().filter(move |((of, _), _)| *of == weight).map(|((_, rule), tally)| (rule.as_str(), tally))
    }
}

impl CellSummary {
    /// Why a deviation is tolerated, where the profile says so.
    pub fn dialect_reason(&self, rule: &str) -> Option<&str> {
        self.dialects.iter().find(|dialect| dialect.rule == rule).map(|dialect| dialect.reason.as_str())
    }
}
