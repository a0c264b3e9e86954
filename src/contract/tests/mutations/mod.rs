//! Recorded good replies, each corrupted in one way. What breaks the wire must be found under the rule that names it, and
//! under no leniency; what is legal must add nothing but advice. A row is one corruption: [`Row`].
//!
//! [`listed`] holds those of the catalogue by their numbers (M01 …); the others are our own, by topic.

mod change;
mod errors;
mod framing;
mod legal;
mod listed;
mod message;
mod order;
mod responses;
mod stream;
mod sweep;
mod thinking;
mod tools;
mod usage;

use std::collections::BTreeSet;

use change::Change;

use super::recorded::{found, load};
use crate::contract::{Finding, Severity};
use crate::wire::Exchange;

const WHOLE: &str = "llamacpp/chat";
const STREAM: &str = "llamacpp/chat-stream";
const LOGPROBS: &str = "llamacpp/chat-logprobs";
const OBJECT: &str = "llamacpp/json-object";
const SCHEMA: &str = "llamacpp/json-schema";
const THOUGHT: &str = "llamacpp/think-default";
const THINK: &str = "llamacpp/think-stream";
const CALL: &str = "llamacpp/tool-auto";
const TWO_CALLS: &str = "llamacpp/tool-parallel";
const CALLS: &str = "vllm/tool-required-stream";
const BAD: &str = "litellm/bad-no-messages";
const MODELS: &str = "llamacpp/models";

/// The same question to servers that write their replies each in their own way.
const WHOLES: &[&str] = &[WHOLE, "vllm/chat", "litellm/chat", "ollama/chat", "mlx/chat", "llama-stack/chat", "vllm-mlx/chat"];
const STREAMS: &[&str] = &[STREAM, "vllm/chat-stream", "ollama/chat-stream", "vllm-mlx/chat-stream"];

/// One corruption of recorded replies.
struct Row {
    /// Its number in the catalogue, or what is done, in words.
    name: &'static str,
    /// The recordings.
    good: Vec<&'static str>,
    /// What was asked otherwise, before and after: a bound, a schema.
    given: Option<Change>,
    change: Change,
    /// Rules that fire; none for a legal variation.
    rules: &'static [&'static str],
    /// Whether the rules are only advice, which no other row looks at.
    advice: bool,
}

/// A corruption that these rules name.
fn caught(name: &'static str, good: &'static str, change: Change, rules: &'static [&'static str]) -> Row {
    assert!(!rules.is_empty(), "{name}: no rule");
    Row { name, good: vec![good], given: None, change, rules, advice: false }
}

/// A corruption of which these rules only advise.
fn advised(name: &'static str, good: &'static str, change: Change, rules: &'static [&'static str]) -> Row {
    Row { advice: true, ..caught(name, good, change, rules) }
}

/// A legal variation.
fn legal(name: &'static str, good: &'static str, change: Change) -> Row {
    Row { name, good: vec![good], given: None, change, rules: &[], advice: false }
}

impl Row {
    /// Other recordings in place of the one.
    fn on(mut self, good: &[&'static str]) -> Self {
        self.good = good.to_vec();
        self
    }

    /// What was asked otherwise in the good exchange as well.
    fn given(mut self, given: Change) -> Self {
        self.given = Some(given);
        self
    }

    /// What is wrong with the row on one recording; a change that does not take is wrong as well.
    fn judge(&self, good: &str) -> Result<(), String> {
        let work = std::panic::AssertUnwindSafe(|| self.apply(good));
        std::panic::catch_unwind(work).unwrap_or_else(|_| Err(format!("{} on {good}: cannot be applied", self.name)))
    }

    fn apply(&self, good: &str) -> Result<(), String> {
        let mut exchange = load(good);
        if let Some(given) = &self.given {
            given(&mut exchange);
        }
        let ids: fn(&[Finding]) -> BTreeSet<&'static str> = if self.advice { advisory } else { weighty };
        let before = ids(&look(&exchange));
        (self.change)(&mut exchange);
        let findings = look(&exchange);
        let after = ids(&findings);
        let name = format!("{} on {good}", self.name);
        if self.rules.is_empty() {
            let more: Vec<&Finding> = findings
                .iter()
                .filter(|finding| finding.severity != Severity::Advice && !before.contains(finding.rule.id))
                .collect();
            return if more.is_empty() { Ok(()) } else { Err(format!("{name}: legal, and found: {more:#?}")) };
        }
        for rule in self.rules {
            if before.contains(rule) {
                return Err(format!("{name}: {rule} fires before the change"));
            }
            if !after.contains(rule) {
                return Err(format!("{name}: {rule} is not among {after:?}"));
            }
        }
        Ok(())
    }
}

fn look(exchange: &Exchange) -> Vec<Finding> {
    found(exchange, None, &[])
}

/// What weighs more than advice, by rule.
fn weighty(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().filter(|finding| finding.severity != Severity::Advice).map(|finding| finding.rule.id).collect()
}

/// What is advice, by rule.
fn advisory(findings: &[Finding]) -> BTreeSet<&'static str> {
    findings.iter().filter(|finding| finding.severity == Severity::Advice).map(|finding| finding.rule.id).collect()
}

/// All rows.
fn rows() -> Vec<Row> {
    let tables: [fn() -> Vec<Row>; 11] = [
        listed::rows,
        framing::rows,
        message::rows,
        usage::rows,
        stream::rows,
        order::rows,
        tools::rows,
        thinking::rows,
        errors::rows,
        legal::rows,
        responses::rows,
    ];
    tables.into_iter().flat_map(|table| table()).collect()
}

#[test]
fn every_corruption_is_found_and_every_legal_variation_is_let_pass() {
    let rows = rows();
    let wrong: Vec<String> = rows.iter().flat_map(|row| row.good.iter().filter_map(|good| row.judge(good).err())).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let legal = rows.iter().filter(|row| row.rules.is_empty()).count();
    assert!(rows.len() - legal > 500 && legal > 80, "{} rows, {legal} of them legal: a table is not read", rows.len());
}

/// Numbers of the catalogue that one exchange shows; M51 and M55 take a scenario, M46, M48 and M53 are other surfaces.
/// M45, M47 and M49 stand with the responses.
const NUMBERS: [&str; 31] = [
    "M01", "M03", "M05", "M07", "M09", "M11", "M13", "M15", "M17", "M19", "M21", "M23", "M25", "M27", "M29", "M31", "M33", "M35",
    "M37", "M39", "M41", "M43", "M57", "M59", "M61", "M63", "M65", "M67", "M69", "M71", "M75",
];

#[test]
fn every_number_of_the_catalogue_has_its_row() {
    let rows = listed::rows();
    let known = |number: &&&str| !rows.iter().any(|row| row.name.starts_with(**number));
    let missing: Vec<_> = NUMBERS.iter().filter(known).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
