//! The entry points: [`judge`] for one exchange, [`judge_scenario`] for what only several show, [`Docket`] for a scenario as it
//! goes on.

use std::time::SystemTime;

use super::TOPICS;
use super::finding::{Finding, Findings};
use super::rule::Surface;
use super::seen::Seen;
use super::trace::Trace;
use crate::event::ExchangeId;
use crate::wire::{ChatReply, Reading};

/// What is known of the stack that answered; what is unknown is not held against it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The key that the stack was told to want; `None` where it wants none or nobody knows.
    pub key: Option<&'a str>,
    /// Ids of the models that the stack has; empty where nobody knows.
    pub models: &'a [String],
    /// When the exchange was made, for the dates in it.
    pub now: Option<SystemTime>,
}

/// What came of judging one exchange.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Broken rules, heaviest first.
    pub findings: Vec<Finding>,
    /// What the rules across a scenario need to know of it.
    pub trace: Trace,
    /// What it showed: rules about these had the occasion to be broken.
    pub surfaces: Vec<Surface>,
}

/// What the rules found in a scenario.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Broken rules: those of the exchanges in the order they were made, then those that only several of them show.
    pub findings: Vec<Finding>,
    /// What its exchanges showed, each once.
    pub surfaces: Vec<Surface>,
}

/// Judgements of a scenario while its exchanges come in, in any order.
#[derive(Debug, Default)]
pub struct Docket {
    judgements: Vec<Judgement>,
    /// How often servers were ended or started on purpose.
    life: u32,
}

impl Docket {
    /// Takes the judgement of an exchange.
    pub fn add(&mut self, mut judgement: Judgement) {
        judgement.trace.life = self.life;
        self.judgements.push(judgement);
    }

    /// Servers were ended or started on purpose: their counters begin anew, and health may be another.
    pub fn new_life(&mut self) {
        self.life += 1;
    }

    /// The author says that these exchanges break a rule: whether one of them does. It is no longer found in them then.
    pub fn expect(&mut self, rule: &str, exchanges: &[ExchangeId]) -> bool {
        let mut is_broken = false;
        for judgement in self.judgements.iter_mut().filter(|judgement| exchanges.contains(&judgement.trace.exchange)) {
            let before = judgement.findings.len();
            judgement.findings.retain(|finding| finding.rule.id != rule);
            is_broken |= judgement.findings.len() < before;
        }
        is_broken
    }

    /// What was found in these exchanges, in a line.
    pub fn told(&self, exchanges: &[ExchangeId]) -> String {
        let all = self.judgements.iter().filter(|judgement| exchanges.contains(&judgement.trace.exchange));
        let found: Vec<String> = all
            .flat_map(|judgement| &judgement.findings)
            .map(|finding| format!("{} ({})", finding.rule.id, finding.found))
            .collect();
        if found.is_empty() { "no rule is broken".to_owned() } else { found.join("; ") }
    }

    /// The end of the scenario: judges its exchanges against each other as well.
    pub fn close(mut self) -> Judged {
        self.judgements.sort_by_key(|judgement| judgement.trace.exchange);
        let mut judged = Judged::default();
        let mut traces = Vec::with_capacity(self.judgements.len());
        for judgement in self.judgements {
            judged.findings.extend(judgement.findings);
            traces.push(judgement.trace);
            for surface in judgement.surfaces {
                if !judged.surfaces.contains(&surface) {
                    judged.surfaces.push(surface);
                }
            }
        }
        judged.findings.extend(judge_scenario(&traces));
        judged
    }
}

/// Judges one exchange by every rule that applies to it. `chat` is its folded form, whatever came.
pub fn judge(reading: &Reading<'_>, chat: &ChatReply, context: &Context<'_>) -> Judgement {
    let seen = Seen::of(reading, chat, context);
    let mut findings = Findings::new(&seen);
    for check in TOPICS.iter().filter_map(|topic| topic.exchange) {
        check(&seen, &mut findings);
    }
    Judgement { findings: findings.done(), trace: Trace::of(&seen), surfaces: seen.surfaces() }
}

/// Judges the exchanges of one scenario against each other, in the order they were made.
pub fn judge_scenario(traces: &[Trace]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in TOPICS.iter().filter_map(|topic| topic.scenario) {
        check(traces, &mut findings);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::rule;

    fn judgement(exchange: u64, rules: &[&str]) -> Judgement {
        let exchange = ExchangeId(exchange);
        let finding = |id: &&str| Finding::across(rule(id).expect(id), exchange, "x".to_owned(), "y");
        let trace = Trace { exchange, ..Trace::default() };
        Judgement { findings: rules.iter().map(finding).collect(), trace, surfaces: Vec::new() }
    }

    #[test]
    fn a_rule_that_must_be_broken_is_found_no_longer_where_it_is() {
        let mut docket = Docket::default();
        docket.add(judgement(1, &["W011", "W061"]));
        docket.add(judgement(2, &["W011"]));
        assert!(!docket.expect("W003", &[ExchangeId(1), ExchangeId(2)]), "it is not broken");
        assert!(!docket.expect("W061", &[ExchangeId(2)]), "it is broken in another exchange");
        assert!(docket.expect("W011", &[ExchangeId(2)]));
        assert_eq!(docket.told(&[ExchangeId(1)]), "W011 (x); W061 (x)");
        assert_eq!(docket.told(&[ExchangeId(2)]), "no rule is broken");
        let left: Vec<&str> = docket.close().findings.iter().map(|finding| finding.rule.id).collect();
        assert_eq!(left, ["W011", "W061"]);
    }
}
