//! The trial of a suite: every scenario once as the tape has it, then again with each of its replies changed by each operator
//! that applies, on as many threads as there are cores. [`Trial`] → [`Sheet`].

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::cache::{Cache, Fates};
use super::fate::Verdict;
use super::good::Good;
use super::operator::Operator;
use super::sheet::{Row, Sheet, Tried};
use crate::plan::{Contract, ScenarioPlan};
use crate::run::{Player, Stage};
use crate::wire::Exchange;

/// What is tried, and how.
#[derive(Debug)]
pub struct Trial<'a> {
    /// The cell with its tape.
    pub stage: &'a Stage,
    /// Contracts that are judged by; the first is the one that counts where only one can.
    pub contracts: Vec<Contract>,
    /// Operators that are tried.
    pub operators: Vec<&'static Operator>,
    /// Where fates are kept from one trial to the next.
    pub cache: Option<Cache>,
}

/// A scenario before anything is changed.
struct Base {
    plan: Arc<ScenarioPlan>,
    replies: Arc<Vec<Exchange>>,
    verdicts: Vec<Verdict>,
    /// Its name in the cache.
    key: String,
}

impl Trial<'_> {
    /// Runs it. `tell` is called now and then with how many exchanges were tried, and how many there are. **Errors**: the system
    /// refuses a thread or a client; the cache cannot be written.
    pub fn run(&self, tell: &(dyn Fn(usize, usize) + Sync)) -> Result<Sheet, String> {
        let mut sheet = Sheet::new(self.stage, &self.contracts, &self.operators);
        let bases = self.bases(&mut sheet)?;
        let kept: Vec<Option<Fates>> =
            bases.iter().map(|base| self.cache.as_ref().and_then(|cache| cache.load(&base.key, &self.operators))).collect();
        let mut jobs: Vec<(usize, usize)> = Vec::new();
        for (number, base) in bases.iter().enumerate().filter(|(number, _)| kept[*number].is_none()) {
            if base.verdicts.iter().all(|verdict| !verdict.is_errored()) {
                jobs.extend((0..base.replies.len()).map(|at| (number, at)));
            }
        }
        // Long ones first, so that no thread is left with one at the end.
        jobs.sort_by_key(|(number, at)| {
            let base = &bases[*number];
            std::cmp::Reverse(base.replies.iter().map(|reply| reply.body.len()).sum::<usize>() + base.replies[*at].body.len())
        });
        let mut fates = self.play(&bases, &jobs, tell)?;
        for (number, (base, kept)) in bases.iter().zip(kept).enumerate() {
            let now = match kept {
                Some(kept) => kept,
                None => self.settle(&base.key, fates.remove(&number).unwrap_or_default())?,
            };
            sheet.rows.extend(now.into_iter().map(|row| Row { scenario: number, ..row }));
        }
        sheet.rows.sort_by_key(|row| (row.scenario, row.exchange));
        Ok(sheet)
    }

    /// Fates that are new go into the cache.
    fn settle(&self, key: &str, fates: Fates) -> Result<Fates, String> {
        if let Some(cache) = &self.cache {
            cache.store(key, &fates, &self.operators)?;
        }
        Ok(fates)
    }

    /// Every scenario as the tape has it.
    fn bases(&self, sheet: &mut Sheet) -> Result<Vec<Base>, String> {
        let mut player = self.stage.player(&self.contracts)?;
        let mut bases = Vec::new();
        for plan in self.stage.scenarios() {
            let (replies, told) = player.listen(&plan);
            let verdicts: Vec<Verdict> = told.iter().map(Verdict::of).collect();
            let replies = Arc::new(replies);
            let key = self.cache.as_ref().map_or_else(String::new, |cache| cache.key(self, &plan, &replies, &verdicts));
            sheet.scenarios.push(Tried {
                name: Arc::clone(&plan.name),
                at: plan.at.clone(),
                outcomes: told.iter().map(|told| told.outcome).collect(),
                why: verdicts.first().map(|verdict| verdict.words().to_owned()).unwrap_or_default(),
                errored: verdicts.iter().any(Verdict::is_errored),
                replies: Arc::clone(&replies),
            });
            bases.push(Base { plan, replies, verdicts, key });
        }
        Ok(bases)
    }

    /// Plays these exchanges of scenarios with every operator, on all cores.
    fn play(
        &self,
        bases: &[Base],
        jobs: &[(usize, usize)],
        tell: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<BTreeMap<usize, Fates>, String> {
        let next = AtomicUsize::new(0);
        let all: Mutex<BTreeMap<usize, Fates>> = Mutex::default();
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
        let work = || -> Result<(), String> {
            let mut player = self.stage.player(&self.contracts)?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((scenario, at)) = jobs.get(number).copied() else { return Ok(()) };
                let rows = self.exchange(&mut player, &bases[scenario], at);
                all.lock().unwrap_or_else(PoisonError::into_inner).entry(scenario).or_default().extend(rows);
                tell(number + 1, jobs.len());
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads)
                .map(|_| std::thread::Builder::new().name("fireassay-mutate".to_owned()).spawn_scoped(scope, work))
                .collect();
            for thread in threads {
                let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
                thread.join().map_err(|_| "a thread of the trial panicked; please report it".to_owned())??;
            }
            Ok::<(), String>(())
        })?;
        Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// One exchange of a scenario with every operator that applies to it.
    fn exchange(&self, player: &mut Player, base: &Base, at: usize) -> Fates {
        let Some(good) = Good::of(&base.replies[at]) else { return Fates::new() };
        let mut fates = Fates::new();
        for operator in &self.operators {
            let Some(changed) = (operator.apply)(&good) else { continue };
            let after: Vec<Verdict> = player.again(&base.plan, &base.replies, at, changed).iter().map(Verdict::of).collect();
            let of_each = base.verdicts.iter().zip(&after).map(|(before, after)| before.fate(operator, after)).collect();
            let words = after.first().map(|after| after.words().to_owned()).unwrap_or_default();
            fates.push(Row { scenario: 0, exchange: at, operator, fates: of_each, words });
        }
        fates
    }
}
