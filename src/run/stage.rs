//! Scenarios of a cell against its tape, one at a time and again and again, with no process and no socket: [`Stage`], and a
//! [`Player`] for each thread.
//!
//! What a scenario did is judged as in any run, but under several contracts at once: its claims are the same under all of
//! them, and only what is written down of the server differs.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::books::Books;
use super::queue::{Queue, Task};
use super::worker::Blueprint;
use super::{scenario, tapes};
use crate::event::{FindingRecord, Outcome, StepRecord};
use crate::plan::{CellPlan, Contract, ScenarioPlan};
use crate::steps::{CellContext, StepFunction};
use crate::tape::{Manifest, Reel, Rehearsal};
use crate::wire::{Exchange, Secrets};

/// A cell with its tape.
#[derive(Debug)]
pub struct Stage {
    cell: CellPlan,
    blueprint: Blueprint,
    functions: Arc<Vec<StepFunction>>,
    manifest: Manifest,
}

/// What one attempt amounts to under one contract.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its outcome.
    pub outcome: Outcome,
    /// Its steps, those that are written down marked.
    pub steps: Vec<StepRecord>,
    /// Its broken rules.
    pub findings: Vec<FindingRecord>,
}

/// What plays scenarios on one thread.
pub struct Player {
    runtime: tokio::runtime::Runtime,
    context: Rc<CellContext>,
    rehearsal: Rc<Rehearsal>,
    functions: Arc<Vec<StepFunction>>,
    books: Vec<Books>,
    epoch: Instant,
}

impl Stage {
    /// Makes ready. **Errors**: there is no tape, or it was recorded of another server than the cell's.
    pub fn open(cell: &CellPlan, reel: Reel) -> Result<Self, String> {
        let (deck, manifest) = tapes::open(cell, Some(reel), &Secrets::default())?;
        let blueprint = tapes::blueprint(cell, &deck, &manifest, Instant::now(), Arc::new(AtomicU64::new(0)));
        Ok(Self { cell: cell.clone(), blueprint, functions: Arc::new(crate::steps::functions()), manifest })
    }

    /// What the tape is of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The cell.
    pub fn cell(&self) -> &CellPlan {
        &self.cell
    }

    /// The scenarios that run here, in the order of a run of one at a time: a tape gives its replies in that order.
    pub fn scenarios(&self) -> Vec<Arc<ScenarioPlan>> {
        let mut queue = Queue::default();
        for (number, feature) in self.cell.features.iter().enumerate() {
            for (index, plan) in feature.scenarios.iter().enumerate().filter(|(_, plan)| plan.skip.is_none()) {
                queue.push(Task { feature: number, index, plan: Arc::clone(plan), attempt: 1 });
            }
        }
        let mut scenarios = Vec::new();
        while let Some(task) = queue.next(1, true) {
            queue.done(&task.plan);
            scenarios.push(task.plan);
        }
        scenarios
    }

    /// A player that judges by these contracts. **Errors**: the system refuses a runtime or a client.
    pub fn player(&self, contracts: &[Contract]) -> Result<Player, String> {
        let (runtime, client) = self.blueprint.equip()?;
        let rehearsal = Rc::new(Rehearsal::default());
        let context = CellContext { rehearsal: Some(Rc::clone(&rehearsal)), ..self.blueprint.clone().context(client) };
        let profile = self.cell.profile.as_ref();
        let books = contracts.iter().map(|contract| Books::new(*contract, profile, &self.manifest.server)).collect();
        let (functions, epoch) = (Arc::clone(&self.functions), self.blueprint.epoch);
        Ok(Player { runtime, context: Rc::new(context), rehearsal, functions, books, epoch })
    }
}

impl Player {
    /// Plays a scenario as the tape has it; the exchanges that it made, and what it amounts to under each contract.
    pub fn listen(&mut self, scenario: &Arc<ScenarioPlan>) -> (Vec<Exchange>, Vec<Told>) {
        self.rehearsal.listen();
        let told = self.play(scenario);
        (self.rehearsal.heard(), told)
    }

    /// Plays a scenario with one of its replies changed; what it amounts to under each contract.
    pub fn again(
        &mut self,
        scenario: &Arc<ScenarioPlan>,
        replies: &Arc<Vec<Exchange>>,
        at: usize,
        changed: Exchange,
    ) -> Vec<Told> {
        self.rehearsal.follow(replies, at, changed);
        self.play(scenario)
    }

    fn play(&mut self, plan: &Arc<ScenarioPlan>) -> Vec<Told> {
        let task = Task { feature: 0, index: 0, plan: Arc::clone(plan), attempt: 1 };
        let cancel = CancellationToken::new();
        let attempt = scenario::attempt(task, Rc::clone(&self.context), &self.functions, &cancel, self.epoch);
        let attempted = self.runtime.block_on(attempt);
        let weigh = |books: &mut Books| {
            let mut steps = attempted.steps.clone();
            let weighed = books.weigh(plan, &mut steps, attempted.judged.clone());
            Told { outcome: weighed.outcome, steps, findings: weighed.findings }
        };
        self.books.iter_mut().map(weigh).collect()
    }
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("context", &self.context).finish_non_exhaustive()
    }
}
