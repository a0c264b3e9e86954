//! The entry points: [`judge`] for one exchange, [`judge_scenario`] for what only several show.

use std::time::SystemTime;

use super::TOPICS;
use super::finding::{Finding, Findings};
use super::seen::Seen;
use super::trace::Trace;
use crate::wire::{ChatReply, Exchange};

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
}

/// Judges one exchange by every rule that applies to it. `chat` is its folded form, whatever came.
pub fn judge(exchange: &Exchange, chat: &ChatReply, context: &Context<'_>) -> Judgement {
    let seen = Seen::of(exchange, chat, context);
    let mut findings = Findings::new(&seen);
    for check in TOPICS.iter().filter_map(|topic| topic.exchange) {
        check(&seen, &mut findings);
    }
    Judgement { findings: findings.done(), trace: Trace::of(&seen) }
}

/// Judges the exchanges of one scenario against each other, in the order they were made.
pub fn judge_scenario(traces: &[Trace]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in TOPICS.iter().filter_map(|topic| topic.scenario) {
        check(traces, &mut findings);
    }
    findings
}
