//! One way to change a reply: [`Operator`], and the table of all of them.

use super::good::Good;
use super::operators::TABLES;
use crate::wire::Exchange;

/// What a suite must make of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expect {
    /// The change breaks a promise: some claim or rule must fail.
    Detect,
    /// The change is legal: nothing may fail.
    Tolerate,
}

impl Expect {
    /// The word shown to people and written to records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Tolerate => "tolerate",
        }
    }
}

/// What part of a reply a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Events of a stream as bytes.
    Framing,
    /// Chunks of a stream, one after the other.
    Order,
    /// Ids, names, times, kinds of objects.
    Identity,
    /// Counts of tokens.
    Counts,
    /// Why an answer ended.
    Finish,
    /// Tool calls.
    Calls,
    /// Forms that were asked for: JSON, schemas, stop texts.
    Schema,
    /// Thinking.
    Reasoning,
    /// Keys and types of choices and messages.
    Structure,
    /// Error replies, and errors in place of answers.
    Errors,
    /// HTTP, labels, bytes, JSON as text.
    Encoding,
    /// Lists of models, metrics.
    Lists,
}

impl Family {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::Framing,
        Self::Order,
        Self::Identity,
        Self::Counts,
        Self::Finish,
        Self::Calls,
        Self::Schema,
        Self::Reasoning,
        Self::Structure,
        Self::Errors,
        Self::Encoding,
        Self::Lists,
    ];

    /// The word shown to people and written to records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Order => "order",
            Self::Identity => "identity",
            Self::Counts => "counts",
            Self::Finish => "finish",
            Self::Calls => "tool calls",
            Self::Schema => "schema",
            Self::Reasoning => "reasoning",
            Self::Structure => "structure",
            Self::Errors => "errors",
            Self::Encoding => "encoding",
            Self::Lists => "lists",
        }
    }
}

/// One way to change a recorded reply.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// Words with hyphens, unique: `finish-chunk-duplicated`.
    pub id: &'static str,
    /// What it is about.
    pub family: Family,
    /// Whether a suite must notice.
    pub expect: Expect,
    /// Rules that name the break, any of which will do. None where it is legal, or where only claims of authors can see it.
    pub rules: &'static [&'static str],
    /// What it makes of the reply, in a line.
    pub what: &'static str,
    /// The changed exchange, different in bytes, headers, status or end; `None` where the change says nothing about it.
    pub apply: fn(&Good<'_>) -> Option<Exchange>,
}

impl Operator {
    /// A break of the contract, in every exchange that it applies to.
    pub(super) const fn detect(
        family: Family,
        id: &'static str,
        rules: &'static [&'static str],
        what: &'static str,
        apply: fn(&Good<'_>) -> Option<Exchange>,
    ) -> Self {
        Self { id, family, expect: Expect::Detect, rules, what, apply }
    }

    /// A change that is legal in every exchange that it applies to.
    pub(super) const fn tolerate(
        family: Family,
        id: &'static str,
        what: &'static str,
        apply: fn(&Good<'_>) -> Option<Exchange>,
    ) -> Self {
        Self { id, family, expect: Expect::Tolerate, rules: &[], what, apply }
    }
}

/// All operators, family by family.
pub fn operators() -> impl Iterator<Item = &'static Operator> {
    TABLES.iter().copied().flatten()
}

/// An operator by its id.
pub fn operator(id: &str) -> Option<&'static Operator> {
    operators().find(|operator| operator.id == id)
}
