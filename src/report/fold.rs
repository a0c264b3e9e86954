//! How do events become a [`RunSummary`]? One at a time, the same for a running run and for a stored record.
//!
//! What must hold: a plain pass keeps names, place and times only; evidence stays with what is to be explained, bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::event::{
    CellId, CellPlanned, ExchangeRecord, Outcome, Place, RunEvent, ScenarioFinished, ScenarioId, StepOutcome, StepRecord, Weight,
};

use super::summary::{
    CellSummary, Detail, RunEnd, RunInfo, RunSummary, Running, ScenarioSummary, ServerIdentity, ServiceSummary, Try,
};
use super::text;

/// Evidence kept of one body, one side of a comparison, one log. **Units**: bytes.
const BODY_LIMIT: usize = 60 * 1024;
/// Exchanges kept of one try, the last ones.
const EXCHANGE_LIMIT: usize = 32;

impl RunSummary {
    /// Takes one event in. Events of a stored record and of a running one are the same.
    pub fn push(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { schema, run_id, plan_id, fireassay, at, argv, mode, commit, hostname, whole, host, cells } => {
                self.run = RunInfo {
                    schema: *schema,
                    run_id: run_id.clone(),
                    plan_id: plan_id.clone(),
                    fireassay: fireassay.clone(),
                    at: at.clone(),
                    argv: argv.clone(),
                    mode: mode.clone(),
                    commit: commit.clone(),
                    hostname: hostname.clone(),
                    whole: *whole,
                    host: host.as_deref().cloned(),
                };
                self.cells = cells.iter().cloned().map(CellSummary::new).collect();
            }
            RunEvent::CellStarted { cell } => self.cell(cell).started = true,
            RunEvent::Stack { .. } => {}
            RunEvent::Server { cell, server, url, models, services, dialects } => {
                let cell = self.cell(cell);
                cell.dialects.clone_from(dialects);
                let services = services.iter().cloned();
                let services = services.map(|record| ServiceSummary { record, peak_rss: None, cpu_ms: None }).collect();
                let (name, url, models) = (server.clone(), url.clone(), models.clone());
                cell.server = Some(ServerIdentity { name, url, models, services });
            }
            RunEvent::Tape { cell, tape } => self.cell(cell).tape = Some(tape.clone()),
            RunEvent::Resources { cell, services, .. } => {
                if let Some(server) = &mut self.cell(cell).server {
                    server.take(services);
                }
            }
            RunEvent::ScenarioStarted { cell, id, attempt, at_us } => {
                self.cell(cell).running.push(Running { id: id.clone(), attempt: *attempt, at_us: *at_us });
            }
            RunEvent::Exchange(record) => self.shared.keep_exchange(record),
            RunEvent::ScenarioFinished(end) => self.finish(end),
            RunEvent::CellFinished { cell, stale, trouble, skipped, took_us, .. } => {
                let cell = self.cell(cell);
                cell.stale.clone_from(stale);
                cell.trouble.clone_from(trouble);
                cell.skipped.clone_from(skipped);
                cell.took_us = Some(*took_us);
            }
            RunEvent::Interrupted { signal } => self.interrupted = Some(*signal),
            RunEvent::RunFinished { exit, verdict, took_us, .. } => {
                self.finished = Some(RunEnd { exit: *exit, verdict: verdict.clone(), took_us: *took_us });
            }
        }
    }

    /// Folds a whole record.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Self {
        let mut summary = Self::default();
        for event in events {
            summary.push(event);
        }
        summary
    }

    /// The cell of an id; one that was never announced is taken in, since evidence is not dropped.
    fn cell(&mut self, id: &CellId) -> &mut CellSummary {
        let at = self.cells.iter().position(|cell| cell.id() == id).unwrap_or_else(|| {
            self.cells.push(CellSummary::new(unannounced(id)));
            self.cells.len() - 1
        });
        &mut self.cells[at]
    }

    fn finish(&mut self, end: &ScenarioFinished) {
        let exchanges = self.shared.exchanges.remove(&end.id).unwrap_or_default();
        let first_token_us = exchanges.iter().find_map(|record| record.clocks.first_content_us.or(record.clocks.first_tool_us));
        let mut scenario = self.shared.scenario(end, first_token_us);
        let cell = self.cell(&end.cell);
        cell.running.retain(|running| running.id != end.id);
        cell.rules.add(&end.name, &end.findings);
        if end.will_retry {
            cell.earlier.entry(end.id.clone()).or_default().push(Try::new(end, exchanges));
            return;
        }
        let mut tries = cell.earlier.remove(&end.id).unwrap_or_default();
        scenario.took_us += tries.iter().map(|earlier| earlier.took_us).sum::<u64>();
        if end.outcome != Outcome::Passed || !tries.is_empty() {
            tries.push(Try::new(end, exchanges));
            scenario.detail = Some(Box::new(Detail { reason: end.reason.clone(), rerun: end.rerun.clone(), tries }));
        }
        cell.totals.add(end.outcome);
        cell.scenarios.push(scenario);
    }
}

impl Try {
    /// A passed try keeps its steps only, no evidence.
    fn new(end: &ScenarioFinished, exchanges: Vec<ExchangeRecord>) -> Self {
        let explain = matches!(end.outcome, Outcome::Failed | Outcome::Errored | Outcome::Known);
        Self {
            attempt: end.attempt,
            outcome: end.outcome,
            steps: end.steps.iter().cloned().map(bounded).collect(),
            findings: end.findings.iter().filter(|finding| finding.weight == Weight::Fails).cloned().collect(),
            trouble: end.trouble.clone(),
            exchanges: if explain { exchanges } else { Vec::new() },
            server_log: text::clip(&end.server_log, BODY_LIMIT).into_owned(),
            took_us: end.took_us,
        }
    }
}

/// A step whose comparisons fit into memory; a writer of events bounds them already, a foreign record may not.
fn bounded(mut step: StepRecord) -> StepRecord {
    if let StepOutcome::Failed { mismatches } = &mut step.outcome {
        for mismatch in mismatches {
            for side in [&mut mismatch.expected, &mut mismatch.actual].into_iter().flatten() {
                if side.len() > BODY_LIMIT {
                    *side = text::clip(side, BODY_LIMIT).into_owned();
                }
            }
        }
    }
    step
}

/// What scenarios share, and exchanges that wait for their scenario's end.
#[derive(Debug, Default)]
pub(super) struct Shared {
    strings: HashSet<Arc<str>>,
    tags: HashSet<Arc<[String]>>,
    exchanges: HashMap<ScenarioId, Vec<ExchangeRecord>>,
}

impl Shared {
    /// One allocation for equal texts: a stored record repeats class names and files in every line.
    fn string(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(same) = self.strings.get(text) {
            return Arc::clone(same);
        }
        self.strings.insert(Arc::clone(text));
        Arc::clone(text)
    }

    fn tags(&mut self, tags: &Arc<[String]>) -> Arc<[String]> {
        if let Some(same) = self.tags.get(tags) {
            return Arc::clone(same);
        }
        self.tags.insert(Arc::clone(tags));
        Arc::clone(tags)
    }

    fn keep_exchange(&mut self, record: &ExchangeRecord) {
        let kept = self.exchanges.entry(record.scenario.clone()).or_default();
        if kept.len() == EXCHANGE_LIMIT {
            kept.remove(0);
        }
        kept.push(ExchangeRecord {
            request_body: text::clip(&record.request_body, BODY_LIMIT).into_owned(),
            response_body: text::clip(&record.response_body, BODY_LIMIT).into_owned(),
            ..record.clone()
        });
    }

    fn scenario(&mut self, end: &ScenarioFinished, first_token_us: Option<u64>) -> ScenarioSummary {
        ScenarioSummary {
            id: end.id.clone(),
            classname: self.string(&end.classname),
            name: Arc::clone(&end.name),
            at: Place { file: self.string(&end.at.file), line: end.at.line, column: end.at.column },
            tags: self.tags(&end.tags),
            outcome: end.outcome,
            attempts: end.attempt.number,
            assertions: end.assertions,
            started_us: end.started_us,
            took_us: end.took_us,
            first_token_us,
            detail: None,
        }
    }
}

fn unannounced(id: &CellId) -> CellPlanned {
    CellPlanned {
        cell: id.clone(),
        suite: id.0.split('[').next().unwrap_or_default().to_owned(),
        setup: id.0.split(['[', ']']).nth(1).unwrap_or_default().to_owned(),
        models: Vec::new(),
        profile: None,
        contract: String::new(),
        planned: 0,
        entry: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{RUNS, events, summary};

    #[test]
    fn totals_are_those_that_the_record_states() {
        for name in RUNS {
            let run = summary(name);
            let Some(RunEvent::RunFinished { totals, exit, verdict, .. }) = events(name).into_iter().next_back() else {
                panic!("{name} has no end");
            };
            assert_eq!(run.final_totals(), totals.totals, "{name}");
            assert_eq!(run.stale(), totals.stale, "{name}");
            assert_eq!(run.final_totals().all(), run.planned(), "{name}");
            assert_eq!(crate::report::verdict_line(&run, exit), verdict, "{name}");
        }
    }

    #[test]
    fn a_plain_pass_keeps_no_evidence_and_a_failure_keeps_its_own() {
        let run = summary("failing");
        let kept: Vec<(Outcome, usize)> = run
            .scenarios()
            .map(|(_, scenario)| (scenario.outcome, scenario.last_try().map_or(0, |last| last.exchanges.len())))
            .collect();
        let (failed, errored) = ((Outcome::Failed, 1), (Outcome::Errored, 1));
        assert_eq!(kept, [(Outcome::Passed, 0), failed, failed, failed, errored]);
    }

    #[test]
    fn attempts_before_the_last_are_kept_in_order() {
        let run = summary("flaky");
        let tries: Vec<Vec<(u32, Outcome)>> = run
            .scenarios()
            .map(|(_, scenario)| scenario.tries().iter().map(|one| (one.attempt.number, one.outcome)).collect())
            .collect();
        assert_eq!(tries[0], [(1, Outcome::Failed), (2, Outcome::Flaky)]);
        assert_eq!(tries[1], [(1, Outcome::Failed), (2, Outcome::Errored), (3, Outcome::Failed)]);
    }
}
