//! Did a scenario notice? What failed before and after a change → [`Fate`].

use std::collections::{BTreeMap, BTreeSet};

use super::operator::{Expect, Operator};
use crate::event::{Outcome, StepOutcome, Weight};
use crate::run::Told;

/// What became of one change in one scenario, under one contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It had to be noticed and was: by a rule of the wire, by a claim of the scenario, or by both.
    Killed {
        /// A rule fires that did not before.
        rule: bool,
        /// A step fails that did not before.
        claim: bool,
    },
    /// It had to be noticed and was not.
    Survived,
    /// It is a dialect that the profile grants to this server: noticed, and tolerated.
    Granted,
    /// Only a claim could notice it, and the scenario's claims fail already.
    Moot,
    /// It is legal, and was let pass.
    Passed,
    /// It is legal, and something fails.
    FalseAlarm,
    /// The scenario could not be judged with it.
    Errored,
}

impl Fate {
    /// Its letter in the cache.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Killed { rule: true, claim: true } => 'b',
            Self::Killed { claim: true, .. } => 'c',
            Self::Killed { .. } => 'r',
            Self::Survived => 's',
            Self::Granted => 'g',
            Self::Moot => 'm',
            Self::Passed => 'p',
            Self::FalseAlarm => 'f',
            Self::Errored => 'e',
        }
    }

    /// The fate of a letter.
    pub(super) fn of_letter(letter: char) -> Option<Self> {
        let all = [Self::Survived, Self::Granted, Self::Moot, Self::Passed, Self::FalseAlarm, Self::Errored];
        let killed = [(true, true), (false, true), (true, false)].map(|(rule, claim)| Self::Killed { rule, claim });
        all.into_iter().chain(killed).find(|fate| fate.letter() == letter)
    }
}

/// What failed in one attempt, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rules that fail it, with their place; whether that is written down, and how often they are broken.
    rules: BTreeMap<(String, String), (bool, u64)>,
    /// Rules that were broken and tolerated.
    lenient: BTreeSet<String>,
    /// The step that failed, by its number; whether all of it is written down.
    step: Option<(usize, bool)>,
    /// Whether it could not be judged.
    errored: bool,
    /// What failed, in a line.
    words: String,
}

impl Verdict {
    /// In short what an attempt amounts to.
    pub fn of(told: &Told) -> Self {
        let mut verdict = Self { errored: told.outcome == Outcome::Errored, ..Self::default() };
        for (number, step) in told.steps.iter().enumerate() {
            match &step.outcome {
                StepOutcome::Failed { mismatches } => {
                    verdict.step = Some((number, mismatches.iter().all(|mismatch| mismatch.known.is_some())));
                    verdict.words = format!("{} {}", step.keyword, step.text);
                }
                StepOutcome::Errored { trouble } => {
                    verdict.words = format!("{} {}: {}", step.keyword, step.text, trouble.message);
                }
                _ => {}
            }
        }
        for finding in &told.findings {
            match finding.weight {
                Weight::Fails => {
                    let place = (finding.rule.clone(), finding.path.clone());
                    verdict.rules.insert(place, (finding.known.is_some(), finding.count));
                    if verdict.words.is_empty() {
                        verdict.words = format!("{} {}", finding.rule, finding.found);
                    }
                }
                Weight::Lenient => drop(verdict.lenient.insert(finding.rule.clone())),
                Weight::Advice => {}
            }
        }
        verdict
    }

    /// What failed, in a line; empty where nothing did.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether it could not be judged.
    pub fn is_errored(&self) -> bool {
        self.errored
    }

    /// What became of a change that made of `self` this.
    pub fn fate(&self, operator: &Operator, after: &Self) -> Fate {
        let rule = after.rules.iter().any(|(place @ (id, _), (known, count))| {
            // What is written down of the scenario is no failure, but of the operator's own rules it is noticed all the same;
            // and so is one of these that was broken before, and is broken once more.
            let own = operator.rules.contains(&id.as_str());
            let before = self.rules.get(place);
            (own || !known) && before.is_none_or(|(was_known, before)| *was_known && !known || own && count > before)
        });
        let other_step = |number: usize| self.step.is_none_or(|(before, _)| before != number);
        let claim = match operator.expect {
            // What fails as written down in other words than these, fails no more than before.
            Expect::Tolerate => after.step.is_some_and(|(number, known)| !known && other_step(number)),
            Expect::Detect => after.step.is_some_and(|(number, known)| {
                !known && (other_step(number) || self.step.is_some_and(|(_, was_known)| was_known))
            }),
        };
        match operator.expect {
            Expect::Detect if rule || claim => Fate::Killed { rule, claim },
            Expect::Tolerate if rule || claim => Fate::FalseAlarm,
            _ if after.errored && !self.errored => Fate::Errored,
            Expect::Tolerate => Fate::Passed,
            Expect::Detect if operator.rules.iter().any(|id| after.lenient.contains(*id)) => Fate::Granted,
            Expect::Detect if operator.rules.is_empty() && self.step.is_some() => Fate::Moot,
            Expect::Detect => Fate::Survived,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::{operator, operators};

    fn verdict(rules: &[(&str, &str, bool)], lenient: &[&str], step: Option<(usize, bool)>, errored: bool) -> Verdict {
        Verdict {
            rules: rules.iter().map(|(id, path, known)| (((*id).to_owned(), (*path).to_owned()), (*known, 1))).collect(),
            lenient: lenient.iter().map(|id| (*id).to_owned()).collect(),
            step,
            errored,
            words: String::new(),
        }
    }

    #[track_caller]
    fn check(id: &str, before: &Verdict, after: &Verdict, expect: Fate) {
        assert_eq!(before.fate(operator(id).expect("an operator"), after), expect);
    }

    #[test]
    fn what_is_new_counts() {
        let good = Verdict::default();
        let killed = |rule, claim| Fate::Killed { rule, claim };
        let w017 = &verdict(&[("W017", "", false)], &[], None, false);
        check("done-dropped", &good, &good, Fate::Survived);
        check("done-dropped", &good, w017, killed(true, false));
        check("done-dropped", w017, w017, Fate::Survived);
        let mut twice = w017.clone();
        twice.rules.values_mut().for_each(|(_, count)| *count += 1);
        check("done-dropped", w017, &twice, killed(true, false));
        check("id-lost", w017, &twice, Fate::Survived);
        check("done-dropped", &good, &verdict(&[], &[], Some((2, false)), false), killed(false, true));
        check(
            "done-dropped",
            &verdict(&[], &[], Some((2, false)), false),
            &verdict(&[], &[], Some((2, false)), false),
            Fate::Survived,
        );
        check(
            "done-dropped",
            &verdict(&[], &[], Some((3, false)), false),
            &verdict(&[], &[], Some((2, false)), false),
            killed(false, true),
        );
        check(
            "done-dropped",
            &verdict(&[], &[], Some((2, true)), false),
            &verdict(&[], &[], Some((2, false)), false),
            killed(false, true),
        );
        check("comment-first", &good, w017, Fate::FalseAlarm);
        check("comment-first", &good, &good, Fate::Passed);
    }

    #[test]
    fn what_is_written_down_or_granted_is_told_apart() {
        let good = Verdict::default();
        // Known of the scenario: the operator's own rule is noticed, another one says nothing.
        check(
            "done-dropped",
            &good,
            &verdict(&[("W017", "", true)], &[], None, false),
            Fate::Killed { rule: true, claim: false },
        );
        check("done-dropped", &good, &verdict(&[("W061", "", true)], &[], None, false), Fate::Survived);
        check("done-dropped", &good, &verdict(&[], &["W017"], None, false), Fate::Granted);
        check("done-dropped", &good, &verdict(&[], &["W002"], None, false), Fate::Survived);
        // Nothing but a claim could notice it, and one fails already.
        let failing = verdict(&[], &[], Some((1, true)), false);
        check("answer-refused", &failing, &failing, Fate::Moot);
        check("answer-refused", &good, &good, Fate::Survived);
        // A legal reply in which a step fails as before, in other words than are written down.
        check("comment-first", &failing, &verdict(&[], &[], Some((1, false)), false), Fate::Passed);
        check("comment-first", &failing, &verdict(&[], &[], Some((2, false)), false), Fate::FalseAlarm);
        check("done-dropped", &good, &verdict(&[], &[], None, true), Fate::Errored);
        check("comment-first", &good, &verdict(&[], &[], Some((1, true)), false), Fate::Passed);
    }

    #[test]
    fn every_fate_has_its_letter() {
        for letter in ['b', 'c', 'r', 's', 'g', 'm', 'p', 'f', 'e'] {
            assert_eq!(Fate::of_letter(letter).map(Fate::letter), Some(letter));
        }
        assert!(Fate::of_letter('x').is_none() && operators().count() > 0);
    }
}
