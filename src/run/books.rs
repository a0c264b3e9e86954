//! What does an attempt amount to, with all that is written down of the server? [`Books`]: steps and broken wire rules of an
//! attempt → its outcome; and which entries of the profile fired, so that those which do not are found stale.
//!
//! One way for both kinds of failure: each failing claim and each failing rule is covered by an entry of `known:` or is not;
//! an attempt is known where all of them are.

use std::sync::Arc;

use regex::Regex;

use super::{judge, versions};
use crate::contract::{Finding, Judged, Leniency, Surface, Verdict, rule};
use crate::event::{DialectRecord, FindingRecord, Mismatch, Outcome, StepOutcome, StepRecord, Weight};
use crate::plan::{Contract, ScenarioPlan};
use crate::spec::ProfileSpec;
use crate::spec::profile::Known;

/// Findings of one attempt that are told by rule and place; beyond it they are told by rule.
const MOST: usize = 40;
/// What is told of a finding that fails nothing. **Units**: characters.
const BRIEF: usize = 160;

/// The profile of a cell while its scenarios run.
#[derive(Debug)]
pub(super) struct Books {
    /// The profile, where the contract knows leniency.
    profile: Arc<ProfileSpec>,
    leniency: Leniency,
    known: Vec<Entry>,
    dialect: Vec<Entry>,
}

/// How an entry of the profile fares.
#[derive(Debug, Default)]
struct Entry {
    /// Whether its version bound is met.
    holds: bool,
    /// The pattern of `actual`, compiled once.
    actual: Option<Regex>,
    /// Whether a scenario ran that would show it.
    judged: bool,
    /// Whether it showed.
    fired: bool,
}

impl Entry {
    fn new(bound: Option<&str>, version: &str, actual: Option<&str>) -> Self {
        let holds = bound.is_none_or(|bound| versions::meets(bound, version));
        // A pattern that is none was refused when the profile was loaded.
        Self { holds, actual: actual.and_then(|pattern| Regex::new(pattern).ok()), ..Self::default() }
    }

    fn is_stale(&self) -> bool {
        self.holds && self.judged && !self.fired
    }
}

/// What an attempt amounts to.
#[derive(Debug)]
pub(super) struct Weighed {
    /// Its outcome, retries not considered.
    pub outcome: Outcome,
    /// For known and not evaluated: the declared reason.
    pub reason: Option<String>,
    /// Its broken rules, those that fail it first.
    pub findings: Vec<FindingRecord>,
}

impl Books {
    /// The books of a cell whose server said this of itself; a version that it does not say meets no bound.
    pub fn new(contract: Contract, profile: Option<&Arc<ProfileSpec>>, server: &str) -> Self {
        // The contract itself knows no leniency, of neither kind.
        let profile = profile.filter(|_| contract != Contract::Openai).cloned().unwrap_or_default();
        let entry = |entry: &Known| Entry::new(entry.versions.as_deref(), server, entry.actual.as_deref());
        let known = profile.known.iter().map(entry).collect();
        let dialect = profile.dialect.iter().map(|entry| Entry::new(entry.versions.as_deref(), server, None));
        // Where every dialect is tolerated, none of the list can show.
        let dialect: Vec<Entry> = dialect.filter(|_| contract == Contract::Profile).collect();
        let leniency = match contract {
            Contract::Openai => Leniency::None,
            Contract::Generic => Leniency::Generic,
            Contract::Profile => Leniency::Listed(
                dialect
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| entry.holds)
                    .filter_map(|(at, _)| Some((at, profile.dialect.get(at)?.rule.clone())))
                    .collect(),
            ),
        };
        Self { profile, leniency, known, dialect }
    }

    /// What is granted to the server.
    pub fn dialects(&self) -> Vec<DialectRecord> {
        let Leniency::Listed(listed) = &self.leniency else { return Vec::new() };
        let entry = |at: usize| self.profile.dialect.get(at).map(|entry| (entry.rule.clone(), entry.reason.clone()));
        listed.iter().filter_map(|(at, _)| entry(*at)).map(|(rule, reason)| DialectRecord { rule, reason }).collect()
    }

    /// Judges an attempt. Failures that are written down are marked, in the steps as in the findings.
    pub fn weigh(&mut self, scenario: &ScenarioPlan, steps: &mut [StepRecord], judged: Judged) -> Weighed {
        let (mut outcome, mut reason) = judge::outcome(steps);
        let mut findings = self.records(judged.findings);
        let mut reasons: Vec<String> = Vec::new();
        let mut uncovered = 0;
        for step in steps.iter_mut() {
            let StepOutcome::Failed { mismatches } = &mut step.outcome else { continue };
            for mismatch in mismatches {
                mismatch.known = self.cover(scenario, |entry, known| covers_step(entry, known, &step.text, mismatch));
                tally(mismatch.known.as_ref(), &mut reasons, &mut uncovered);
            }
        }
        for finding in findings.iter_mut().filter(|finding| finding.weight == Weight::Fails) {
            finding.known = self.cover(scenario, |_, known| known.rule.as_deref() == Some(&finding.rule));
            tally(finding.known.as_ref(), &mut reasons, &mut uncovered);
        }
        if uncovered > 0 {
            outcome = Outcome::Failed;
        } else if !reasons.is_empty() && outcome != Outcome::Errored {
            (outcome, reason) = (Outcome::Known, Some(reasons.join(" ")));
        }
        if matches!(outcome, Outcome::Passed | Outcome::Known | Outcome::Failed) {
            self.mark_judged(scenario, &judged.surfaces);
        }
        findings.sort_by_key(|finding| (finding.weight, finding.known.is_some()));
        Weighed { outcome, reason, findings }
    }

    /// The reason of the first entry about the scenario that covers a failure; the entry has fired.
    fn cover(&mut self, scenario: &ScenarioPlan, covers: impl Fn(&Entry, &Known) -> bool) -> Option<String> {
        for claim in &scenario.known {
            let Some(entry) = self.known.get(claim.entry).filter(|entry| entry.holds) else { continue };
            let Some(known) = self.profile.known.get(claim.entry).filter(|known| covers(entry, known)) else { continue };
            let reason = known.reason.clone();
            self.known[claim.entry].fired = true;
            return Some(reason);
        }
        None
    }

    /// Findings as they are told: those that fail by rule and place, the others once a rule.
    fn records(&mut self, findings: Vec<Finding>) -> Vec<FindingRecord> {
        let mut records: Vec<FindingRecord> = Vec::new();
        for finding in findings {
            let weight = match self.leniency.verdict(&finding) {
                Verdict::Fails => Weight::Fails,
                Verdict::Advice => Weight::Advice,
                Verdict::Lenient(entry) => {
                    if let Some(entry) = entry.and_then(|at| self.dialect.get_mut(at)) {
                        entry.fired = true;
                    }
                    Weight::Lenient
                }
            };
            let of_rule = |known: &FindingRecord| known.rule == finding.rule.id && known.weight == weight;
            let full = records.len() >= MOST;
            let same = records
                .iter()
                .position(|known| of_rule(known) && (weight != Weight::Fails || full || known.path == finding.spot.path));
            match same {
                Some(at) => records[at].count += finding.count,
                None => records.push(record(finding, weight)),
            }
        }
        records
    }

    fn mark_judged(&mut self, scenario: &ScenarioPlan, surfaces: &[Surface]) {
        for claim in &scenario.known {
            if let Some(entry) = self.known.get_mut(claim.entry) {
                entry.judged = true;
            }
        }
        for (at, (entry, dialect)) in self.dialect.iter_mut().zip(&self.profile.dialect).enumerate() {
            // An entry that does not say where it shows must show wherever its subject does.
            let subject = || rule(&dialect.rule).is_some_and(|rule| surfaces.contains(&rule.surface));
            entry.judged |= if dialect.place().is_empty() { subject() } else { scenario.shows.contains(&at) };
        }
    }

    /// Entries of the profile that did not show although scenarios ran that would show them.
    pub fn stale(&self) -> Vec<String> {
        let at = |entries: &[Entry]| -> Vec<usize> {
            entries.iter().enumerate().filter(|(_, entry)| entry.is_stale()).map(|(at, _)| at).collect()
        };
        let dialect = at(&self.dialect).into_iter().filter_map(|at| self.profile.dialect.get(at));
        let known = at(&self.known).into_iter().filter_map(|at| self.profile.known.get(at));
        let known = known.map(|entry| match &entry.rule {
            Some(rule) => format!("{rule} of {}: {}", entry.place(), entry.reason),
            None => format!("{}: {}", entry.place(), entry.reason),
        });
        dialect.map(|entry| format!("dialect {}: {}", entry.rule, entry.reason)).chain(known).collect()
    }
}

fn tally(known: Option<&String>, reasons: &mut Vec<String>, uncovered: &mut u32) {
    match known {
        Some(reason) if reasons.contains(reason) => {}
        Some(reason) => reasons.push(reason.clone()),
        None => *uncovered += 1,
    }
}

fn covers_step(entry: &Entry, known: &Known, step: &str, mismatch: &Mismatch) -> bool {
    match (&known.rule, &known.step) {
        (Some(rule), _) => mismatch.rule.as_ref() == Some(rule),
        (None, Some(sentence)) => {
            let actual = mismatch.actual.as_deref().unwrap_or_default();
            sentence.trim() == step
                && (known.actual.is_none() || entry.actual.as_ref().is_some_and(|pattern| pattern.is_match(actual)))
        }
        (None, None) => false,
    }
}

fn record(finding: Finding, weight: Weight) -> FindingRecord {
    let Finding { exchange, rule, severity, spot, found, right, excerpt, count } = finding;
    let fails = weight == Weight::Fails;
    let brief = |text: String| match text.char_indices().nth(BRIEF) {
        Some((cut, _)) if !fails => format!("{}…", &text[..cut]),
        _ => text,
    };
    FindingRecord {
        rule: rule.id.to_owned(),
        statement: rule.statement.to_owned(),
        severity: severity.word().to_owned(),
        weight,
        whose: rule.whose(),
        known: None,
        exchange,
        event: spot.event,
        bytes: spot.bytes.map(|range| (range.start as u64, range.end as u64)),
        path: spot.path.into_owned(),
        found: brief(found),
        right: if fails { right } else { String::new() },
        excerpt: if fails { excerpt } else { String::new() },
        count,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::contract::{Spot, rule};
    use crate::event::{ExchangeId, Place, ScenarioId, Trouble, Whose};
    use crate::plan::{Flags, KnownClaim};

    /// Books of a profile with one dialect, one known step and two known rules, for a server of version 2.
    fn books(contract: Contract) -> Books {
        let entry = |more: serde_json::Value| {
            let mut entry = json!({"scenario": "s", "reason": "r", "source": "s"});
            entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            entry
        };
        let profile = json!({
            "name": "p", "server": {"like": "x"},
            "dialect": [
                {"rule": "W052", "reason": "clock", "source": "s"},
                {"rule": "W057", "reason": "old", "source": "s", "versions": "<2"},
            ],
            "known": [
                entry(json!({"step": "it holds", "actual": "^no$", "reason": "step"})),
                entry(json!({"rule": "W087", "reason": "calls"})),
                entry(json!({"rule": "W056", "reason": "old role", "versions": "<2"})),
            ],
        });
        let profile = Arc::new(serde_json::from_value(profile).expect("a profile"));
        Books::new(contract, Some(&profile), "server 2.0")
    }

    fn scenario() -> ScenarioPlan {
        ScenarioPlan {
            id: ScenarioId("c/s".into()),
            classname: "c".into(),
            name: "s".into(),
            at: Place { file: "f".into(), line: 1, column: 1 },
            tags: Arc::from([]),
            role: "text",
            steps: Arc::from([]),
            skip: None,
            known: (0..3).map(|entry| KnownClaim { entry }).collect(),
            shows: Vec::new(),
            flags: Flags::default(),
            locks: Vec::new(),
            retries: 0,
            timeout: Duration::from_secs(1),
            step_timeout: Duration::from_secs(1),
        }
    }

    fn step(outcome: StepOutcome) -> Vec<StepRecord> {
        let at = Place { file: "f".into(), line: 1, column: 1 };
        vec![StepRecord { keyword: "Then".into(), text: "it holds".into(), at, outcome, took_us: 0, exchanges: Vec::new() }]
    }

    fn failed(actual: &str) -> StepOutcome {
        StepOutcome::Failed { mismatches: vec![Mismatch::new("assert.text", Whose::Model, "it holds").actual(actual)] }
    }

    fn errored() -> StepOutcome {
        StepOutcome::Errored { trouble: Trouble::new("infra.connect", "gone") }
    }

    fn judged(rules: &[&str]) -> Judged {
        let finding = |id: &&str| {
            let rule = rule(id).expect("a rule");
            let (found, right) = ("found".to_owned(), "right".to_owned());
            let excerpt = String::new();
            let (exchange, severity, spot) = (ExchangeId(1), rule.severity, Spot::event(3));
            Finding { exchange, rule, severity, spot, found, right, excerpt, count: 1 }
        };
        Judged { findings: rules.iter().map(finding).collect(), surfaces: vec![Surface::Stream] }
    }

    #[track_caller]
    fn check(contract: Contract, last: StepOutcome, rules: &[&str], expect: Outcome, reason: &str, stale: &[&str]) -> Weighed {
        let mut books = books(contract);
        let weighed = books.weigh(&scenario(), &mut step(last), judged(rules));
        assert_eq!((weighed.outcome, weighed.reason.as_deref().unwrap_or_default()), (expect, reason));
        assert_eq!(books.stale(), stale);
        weighed
    }

    const STALE: &[&str] = &["dialect W052: clock", "s: step", "W087 of s: calls"];

    #[test]
    fn what_is_not_written_down_fails() {
        use Outcome::{Errored, Failed, Known, Passed};
        let own = Contract::Profile;
        check(own, StepOutcome::Passed, &[], Passed, "", STALE);
        check(own, StepOutcome::Passed, &["W052", "W043"], Passed, "", &STALE[1..]);
        check(own, StepOutcome::Passed, &["W087"], Known, "calls", &STALE[..2]);
        check(own, failed("no"), &["W087", "W087"], Known, "step calls", &STALE[..1]);
        check(own, failed("maybe"), &["W087"], Failed, "", &STALE[..2]);
        check(own, failed("no"), &["W087", "W031"], Failed, "", &STALE[..1]);
        // A bound that this version does not meet.
        check(own, StepOutcome::Passed, &["W057"], Failed, "", STALE);
        check(own, StepOutcome::Passed, &["W056"], Failed, "", STALE);
        // What cannot be judged shows nothing, but a rule that is broken before it is.
        check(own, errored(), &["W087"], Errored, "", &[]);
        check(own, errored(), &["W031"], Failed, "", STALE);
    }

    #[test]
    fn contracts_differ_in_what_they_tolerate() {
        use Outcome::{Failed, Known, Passed};
        check(Contract::Generic, StepOutcome::Passed, &["W057"], Passed, "", &STALE[1..]);
        check(Contract::Generic, failed("no"), &["W057"], Known, "step", &STALE[2..]);
        check(Contract::Openai, StepOutcome::Passed, &["W052"], Failed, "", &[]);
        check(Contract::Openai, failed("no"), &[], Failed, "", &[]);
    }

    #[test]
    fn failing_rules_come_first_and_the_others_are_told_once() {
        let rules = ["W043", "W052", "W052", "W087", "W031", "W043"];
        let weighed = check(Contract::Profile, StepOutcome::Passed, &rules, Outcome::Failed, "", &STALE[1..2]);
        let told: Vec<(&str, Weight, u64, bool)> = weighed
            .findings
            .iter()
            .map(|finding| (finding.rule.as_str(), finding.weight, finding.count, finding.known.is_some()))
            .collect();
        let (fails, lenient, advice) = (Weight::Fails, Weight::Lenient, Weight::Advice);
        let expect =
            [("W031", fails, 1, false), ("W087", fails, 1, true), ("W052", lenient, 2, false), ("W043", advice, 2, false)];
        assert_eq!(told, expect);
        assert!(weighed.findings[0].right == "right" && weighed.findings[2].right.is_empty());
    }
}
