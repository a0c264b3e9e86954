//! What came of a trial: [`Sheet`]; counts of it by operator, by family, by scenario.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fate::Fate;
use super::good::Good;
use super::operator::{Expect, Operator};
use crate::event::{Outcome, Place};
use crate::plan::Contract;
use crate::run::Stage;
use crate::wire::Exchange;

/// What came of a trial.
#[derive(Debug)]
pub struct Sheet {
    /// Suite and setup.
    pub cell: String,
    /// The server that was recorded.
    pub server: String,
    /// When it was recorded.
    pub recorded: String,
    /// Contracts that were judged by.
    pub contracts: Vec<Contract>,
    /// Operators that were tried.
    pub operators: Vec<&'static Operator>,
    /// Scenarios in the order in which they ran.
    pub scenarios: Vec<Tried>,
    /// Every change that was made.
    pub rows: Vec<Row>,
}

/// A scenario of the trial.
#[derive(Debug)]
pub struct Tried {
    /// Its name.
    pub name: Arc<str>,
    /// Where it is written.
    pub at: Place,
    /// How it ended with nothing changed, under each contract.
    pub outcomes: Vec<Outcome>,
    /// What failed with nothing changed, in a line.
    pub why: String,
    /// Whether it could not be judged: then nothing was changed in it.
    pub errored: bool,
    /// What it asked and got.
    pub replies: Arc<Vec<Exchange>>,
}

/// One change of one reply.
#[derive(Debug, Clone)]
pub struct Row {
    /// Number of the scenario.
    pub scenario: usize,
    /// Number of the exchange in it.
    pub exchange: usize,
    /// What was done.
    pub operator: &'static Operator,
    /// What became of it under each contract.
    pub fates: Vec<Fate>,
    /// What failed, in a line; empty where nothing did.
    pub words: String,
}

/// Counts of changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Had to be noticed and were.
    pub killed: usize,
    /// Had to be noticed and were not.
    pub survived: usize,
    /// Dialects that are granted to the server.
    pub granted: usize,
    /// Only claims could notice them, and those fail already.
    pub moot: usize,
    /// Legal, and let pass.
    pub passed: usize,
    /// Legal, and something failed.
    pub false_alarms: usize,
    /// Could not be judged.
    pub errored: usize,
}

impl Counts {
    fn add(&mut self, fate: Fate) {
        *match fate {
            Fate::Killed { .. } => &mut self.killed,
            Fate::Survived => &mut self.survived,
            Fate::Granted => &mut self.granted,
            Fate::Moot => &mut self.moot,
            Fate::Passed => &mut self.passed,
            Fate::FalseAlarm => &mut self.false_alarms,
            Fate::Errored => &mut self.errored,
        } += 1;
    }

    /// Breaks of a promise that nobody noticed, for whatever reason.
    pub fn missed(&self) -> usize {
        self.survived + self.granted + self.moot + self.errored
    }

    /// Killed of those that break a promise, in per cent. `None` where nothing had to be.
    pub fn score(&self) -> Option<f64> {
        let all = self.killed + self.missed();
        (all > 0).then(|| self.killed as f64 * 100.0 / all as f64)
    }
}

impl Sheet {
    pub(super) fn new(stage: &Stage, contracts: &[Contract], operators: &[&'static Operator]) -> Self {
        let manifest = stage.manifest();
        Self {
            cell: stage.cell().id.0.to_string(),
            server: manifest.server.clone(),
            recorded: manifest.recorded.clone(),
            contracts: contracts.to_vec(),
            operators: operators.to_vec(),
            scenarios: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Counts under the contract of this number, of the rows that `which` picks.
    pub fn counts(&self, contract: usize, which: impl Fn(&Row) -> bool) -> Counts {
        let mut counts = Counts::default();
        for row in self.rows.iter().filter(|row| which(row)) {
            if let Some(fate) = row.fates.get(contract) {
                counts.add(*fate);
            }
        }
        counts
    }

    /// Rows with this fate under any contract.
    pub fn of(&self, fate: Fate) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.fates.contains(&fate))
    }

    /// Operators that no exchange gave occasion to.
    pub fn not_exercised(&self) -> Vec<&'static Operator> {
        let used: BTreeSet<&str> = self.rows.iter().map(|row| row.operator.id).collect();
        self.operators.iter().copied().filter(|operator| !used.contains(operator.id)).collect()
    }

    /// Scenarios that no change makes fail, though there were some that had to.
    pub fn vacuous(&self) -> Vec<&Tried> {
        self.blind(|fate| matches!(fate, Fate::Killed { .. }))
    }

    /// Scenarios of which no change makes a claim fail: only the rules of the wire notice anything in them.
    pub fn idle_claims(&self) -> Vec<&Tried> {
        let vacuous: Vec<*const Tried> = self.vacuous().into_iter().map(std::ptr::from_ref).collect();
        let mut blind = self.blind(|fate| matches!(fate, Fate::Killed { claim: true, .. }));
        blind.retain(|tried| !vacuous.contains(&std::ptr::from_ref(*tried)));
        blind
    }

    fn blind(&self, sees: impl Fn(&Fate) -> bool) -> Vec<&Tried> {
        let had = |number: usize| self.rows.iter().any(|row| row.scenario == number && row.operator.expect == Expect::Detect);
        let saw = |number: usize| self.rows.iter().any(|row| row.scenario == number && row.fates.first().is_some_and(&sees));
        let blind = |(number, _): &(usize, &Tried)| had(*number) && !saw(*number);
        self.scenarios.iter().enumerate().filter(blind).map(|(_, tried)| tried).collect()
    }

    /// Scenarios in which nothing could be changed, each with the reason.
    pub fn untouched(&self) -> Vec<(&Tried, String)> {
        let touched: BTreeSet<usize> = self.rows.iter().map(|row| row.scenario).collect();
        let reason = |tried: &Tried| {
            if tried.errored {
                format!("it cannot be judged by the tape: {}", tried.why)
            } else if tried.replies.is_empty() {
                "it asks nothing that a tape can answer".to_owned()
            } else {
                "none of its replies ended by itself".to_owned()
            }
        };
        let all = self.scenarios.iter().enumerate().filter(|(number, _)| !touched.contains(number));
        all.map(|(_, tried)| (tried, reason(tried))).collect()
    }

    /// The changed exchange of a row, made again.
    pub fn changed(&self, row: &Row) -> Option<(&Exchange, Exchange)> {
        let was = self.scenarios.get(row.scenario)?.replies.get(row.exchange)?;
        Some((was, (row.operator.apply)(&Good::of(was)?)?))
    }
}
