//! Merges reports into the matrix: of each scenario the newest verdict counts.
//!
//! What must hold: a pass needs a verdict of every scenario that was ever seen of that ability in that row, on the version of
//! the server that was met last. A trouble that came after a verdict takes its place; a later declaration (skipped, not
//! evaluated) does not.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::read::{Run, RunCell, Scenario, Source};
use super::{Cell, Counts, LastRun, Matrix, Row, State};
use crate::event::{Outcome, Totals, role_of};

/// The column of scenarios without an ability tag.
const UNTAGGED: &str = "untagged";

/// What makes a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    model: String,
    /// Name of the server without its version; empty where none was ever met.
    product: String,
    setup: String,
    contract: String,
}

/// One scenario as one run left it.
struct Seen<'a> {
    run: &'a Run,
    server: Option<&'a str>,
    scenario: &'a Scenario,
}

#[derive(Default)]
struct Gathered<'a> {
    /// By ability, then by suite and scenario.
    seen: BTreeMap<String, BTreeMap<(&'a str, &'a str), Vec<Seen<'a>>>>,
    runs: Vec<(&'a Run, &'a RunCell)>,
}

impl Gathered<'_> {
    /// Scenarios that the newest whole run of their suite has no more were renamed or taken out: they are expected no longer.
    fn forget_what_is_gone(&mut self) {
        let whole = |(run, cell): &&(&Run, &RunCell)| run.whole == Some(true) && cell.server.is_some() && cell.not_run == 0;
        let mut newest: BTreeMap<&str, &Run> = BTreeMap::new();
        for (run, cell) in self.runs.iter().filter(whole) {
            let known = newest.entry(&cell.suite).or_insert(run);
            if run.at > known.at {
                *known = run;
            }
        }
        for scenarios in self.seen.values_mut() {
            scenarios.retain(|(suite, _), all| {
                let Some(run) = newest.get(suite) else { return true };
                all.iter().any(|seen| seen.run.at >= run.at)
            });
        }
        self.seen.retain(|_, scenarios| !scenarios.is_empty());
    }
}

pub(super) fn fold(sources: &[Source], abilities: &[&str], as_of: DateTime<Utc>) -> Matrix {
    let mut rows: BTreeMap<Key, Gathered<'_>> = BTreeMap::new();
    for source in sources {
        for cell in &source.cells {
            let mut models: Vec<String> = Vec::new();
            for scenario in source.scenarios.iter().filter(|one| one.cell == cell.cell) {
                let model = model_of(cell, &scenario.tags);
                let row = rows.entry(key(cell, &model, sources)).or_default();
                let seen =
                    || Seen { run: &source.run, server: cell.server.as_ref().map(|server| server.name.as_str()), scenario };
                for ability in abilities_of(&scenario.tags, abilities) {
                    let scenarios = row.seen.entry(ability.to_owned()).or_default();
                    scenarios.entry((&cell.suite, &scenario.id)).or_default().push(seen());
                }
                models.push(model);
            }
            models.push(model_of(cell, &[]));
            models.sort_unstable();
            models.dedup();
            for model in models {
                rows.entry(key(cell, &model, sources)).or_default().runs.push((&source.run, cell));
            }
        }
    }
    rows.values_mut().for_each(Gathered::forget_what_is_gone);
    // A model that no scenario was for, in a cell that has others, makes no row.
    rows.retain(|_, row| !row.seen.is_empty() || row.runs.iter().all(|(_, cell)| cell.not_run > 0));
    let columns: Vec<String> = abilities
        .iter()
        .copied()
        .chain([UNTAGGED])
        .filter(|ability| rows.values().any(|row| row.seen.contains_key(*ability)))
        .map(str::to_owned)
        .collect();
    let rows = rows.into_iter().map(|(key, row)| finish(key, &row, &columns, as_of)).collect();
    Matrix { schema: 1, as_of, reports: sources.len(), abilities: columns, rows }
}

/// The model that a scenario with these tags asked; what embeds has a role of its own beside those that chat.
fn model_of(cell: &RunCell, tags: &[String]) -> String {
    if let Some(entry) = &cell.catalogue {
        return entry.name.clone();
    }
    let embeds = tags.iter().any(|tag| tag == "@embeddings");
    let role = match role_of(tags) {
        role if role == "vision" || !embeds => role,
        _ => "embedding",
    };
    let of = |role: &str| cell.models.get(role).and_then(Value::as_str);
    let first = || cell.models.values().find_map(Value::as_str);
    of(role).or_else(|| of("text")).or_else(first).unwrap_or("(the first listed)").to_owned()
}

/// The abilities that a scenario shows: all of its own, but plain chat only where it is nothing else.
fn abilities_of<'a>(tags: &'a [String], abilities: &[&str]) -> Vec<&'a str> {
    let words = tags.iter().map(|tag| tag.trim_start_matches('@'));
    let all: Vec<&str> = words.filter(|word| abilities.contains(word)).collect();
    let special: Vec<&str> = all.iter().copied().filter(|word| *word != "chat").collect();
    match (special.is_empty(), all.is_empty()) {
        (false, _) => special,
        (true, false) => all,
        (true, true) => vec![UNTAGGED],
    }
}

/// `llama.cpp` of `llama.cpp (xllamacpp 2026.10)`.
fn product(server: &str) -> &str {
    server.split_whitespace().next().unwrap_or(server)
}

fn key(cell: &RunCell, model: &str, sources: &[Source]) -> Key {
    let own = cell.server.as_ref().map(|server| product(&server.name));
    // A stack that never answered is taken for the one that answered in other runs of its setup.
    let elsewhere = || {
        let same = |other: &&RunCell| other.setup == cell.setup && other.models == cell.models && other.server.is_some();
        let cells = || sources.iter().flat_map(|source| source.cells.iter().map(move |cell| (source.run.at, cell)));
        let newest = cells().filter(|(_, other)| same(other)).max_by_key(|(at, _)| *at);
        newest.and_then(|(_, other)| other.server.as_ref()).map(|server| product(&server.name))
    };
    Key {
        model: model.to_owned(),
        product: own.or_else(elsewhere).unwrap_or_default().to_owned(),
        setup: cell.setup.clone(),
        contract: cell.contract.clone(),
    }
}

fn finish(key: Key, row: &Gathered<'_>, columns: &[String], as_of: DateTime<Utc>) -> Row {
    let (run, newest) = row.runs.iter().max_by_key(|(run, _)| run.at).expect("a row was made by a run");
    let met = row.runs.iter().filter(|(_, cell)| cell.server.is_some()).max_by_key(|(run, _)| run.at);
    let server = met.and_then(|(_, cell)| cell.server.as_ref()).map(|server| server.name.clone());
    let figures = met.and_then(|(_, cell)| cell.server.as_ref());
    let (start_ms, peak_rss_bytes) = (figures.and_then(|it| it.start_ms), figures.and_then(|it| it.peak_rss_bytes));
    let none = BTreeMap::new();
    let cells = columns.iter().map(|ability| cell(ability, row.seen.get(ability).unwrap_or(&none), server.as_deref(), as_of));
    Row {
        cells: cells.collect(),
        model: key.model,
        setup: key.setup,
        contract: key.contract,
        last_run: LastRun {
            run_id: run.id.clone(),
            at: run.at,
            commit: run.commit.clone(),
            dirty: run.dirty,
            fireassay: run.fireassay.clone(),
            mode: run.mode.clone(),
        },
        unfinished: newest.not_run,
        start_ms,
        peak_rss_bytes,
        server,
    }
}

type Scenarios<'a> = BTreeMap<(&'a str, &'a str), Vec<Seen<'a>>>;

fn cell(ability: &str, scenarios: &Scenarios<'_>, server: Option<&str>, as_of: DateTime<Utc>) -> Cell {
    let mut counts = Counts::default();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut since: Option<DateTime<Utc>> = None;
    let mut runs = Vec::new();
    for all in scenarios.values() {
        let Some(seen) = telling(all, server) else {
            counts.not_run += 1;
            continue;
        };
        counts.totals.add(seen.scenario.outcome);
        if judged(seen.scenario.outcome) {
            since = Some(since.map_or(seen.run.at, |oldest| oldest.min(seen.run.at)));
            runs.push(seen.run.id.clone());
        } else {
            let headline = seen.scenario.cause.as_ref().map(|cause| cause.headline.clone());
            let reason = seen.scenario.reason.clone().or(headline);
            *reasons.entry(reason.unwrap_or_else(|| seen.scenario.outcome.word().to_owned())).or_default() += 1;
        }
    }
    runs.sort_unstable();
    runs.dedup();
    let most = reasons.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| reason.clone());
    let (state, reason) = judge(&counts, most);
    let age_s = since.map(|since| (as_of - since).num_seconds().max(0));
    Cell { ability: ability.to_owned(), state, counts, reason, since, age_s, runs }
}

fn judged(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Passed | Outcome::Flaky | Outcome::Known | Outcome::Failed)
}

/// The run that tells of a scenario: the newest that judged it or could not, on this version; else the newest declaration.
fn telling<'a, 'b>(all: &'b [Seen<'a>], server: Option<&str>) -> Option<&'b Seen<'a>> {
    let tried = |seen: &&Seen<'_>| judged(seen.scenario.outcome) || seen.scenario.outcome == Outcome::Errored;
    // A stack that did not come up has no version, and says something of the one that should have.
    let here = |seen: &&Seen<'_>| seen.server.is_none() || seen.server == server;
    let newest = all.iter().filter(tried).filter(here).max_by_key(|seen| seen.run.at);
    newest.or_else(|| all.iter().filter(|seen| !tried(seen)).max_by_key(|seen| seen.run.at))
}

/// What counts come to, with the reason where there is one to give.
fn judge(counts: &Counts, reason: Option<String>) -> (State, Option<String>) {
    let Counts { totals, not_run } = *counts;
    let Totals { passed, flaky, known, failed, errored, skipped, not_evaluated } = totals;
    if failed > 0 {
        return (State::Fail, None);
    }
    if errored > 0 {
        let reason = reason.unwrap_or_default();
        return (State::NotRun, Some(format!("{errored} could not be judged: {reason}")));
    }
    if not_run > 0 {
        let ran = totals.judged();
        return (State::NotRun, Some(format!("{ran} of {} ran on this version of the server", ran + not_run)));
    }
    match (flaky, known, passed) {
        (1.., _, _) => (State::Flaky, None),
        (0, 1.., _) => (State::Known, None),
        (0, 0, 1..) => (State::Pass, None),
        (0, 0, 0) if not_evaluated > 0 => (State::NotRun, Some(format!("not evaluated: {}", reason.unwrap_or_default()))),
        (0, 0, 0) if skipped > 0 => (State::Skipped, reason),
        (0, 0, 0) => (State::NotRun, None),
    }
}
