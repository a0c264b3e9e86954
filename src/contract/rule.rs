//! What a rule is: [`Rule`] with its [`Surface`], [`Severity`] and [`Scope`].

use crate::event::Whose;

/// How much a broken rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Breaks an official SDK, a parser, or the meaning of the reply. Fails the scenario.
    Violation,
    /// A difference that clients survive. Fails, unless it is written down for the server or the contract is generic.
    Dialect,
    /// Worth knowing. Never changes a verdict.
    Advice,
}

impl Severity {
    /// The word shown to people and written to records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Dialect => "dialect",
            Self::Advice => "advice",
        }
    }

    /// Its letter in tables.
    pub fn letter(self) -> char {
        match self {
            Self::Violation => 'V',
            Self::Dialect => 'D',
            Self::Advice => 'A',
        }
    }
}

/// Which part of the wire a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Surface {
    /// Any HTTP reply.
    Http,
    /// Any stream of events.
    Sse,
    /// A chat reply, whole or folded.
    Chat,
    /// A chat reply as it streams.
    Stream,
    /// Tool calls.
    Tools,
    /// JSON Schema, of tools and of replies.
    Schema,
    /// Thinking.
    Reasoning,
    /// Error replies.
    Errors,
    /// Lists of models.
    Models,
    /// Health and metrics.
    Operations,
    /// Token counting.
    Tokens,
    /// A reply of the Responses API.
    Responses,
}

impl Surface {
    /// The word shown to people and written to records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sse => "sse",
            Self::Chat => "chat",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::Schema => "schema",
            Self::Reasoning => "reasoning",
            Self::Errors => "errors",
            Self::Models => "models",
            Self::Operations => "operations",
            Self::Tokens => "tokens",
            Self::Responses => "responses",
        }
    }
}

/// What a rule needs to see before it can say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One exchange: held on every exchange of every scenario, unasked.
    Exchange,
    /// Several exchanges of one scenario: held on every scenario that has them, unasked.
    Scenario,
    /// A probe that provokes it: scenarios of the base suite claim it.
    Probe,
    /// What the author wrote: held when files are compiled.
    Files,
}

impl Scope {
    /// What it says to people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Exchange => "every exchange",
            Self::Scenario => "exchanges of one scenario",
            Self::Probe => "scenarios that provoke it",
            Self::Files => "the files of a suite",
        }
    }
}

/// One rule of the wire, as data. Its check stands beside it, in the file of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `W` and three digits; from `W200` on they are our own additions.
    pub id: &'static str,
    /// What it is about.
    pub surface: Surface,
    /// What it weighs, unless a finding says otherwise.
    pub severity: Severity,
    /// What it needs to see.
    pub scope: Scope,
    /// What must hold, in a line.
    pub statement: &'static str,
    /// What goes wrong for a client when it does not hold.
    pub why: &'static str,
    /// Where it comes from, and who is known to break it.
    pub source: &'static str,
    /// A reply that breaks it.
    pub breaks: &'static str,
}

/// Rules about an option that was asked for and not honoured; all others are about the protocol itself.
const OPTIONS: &[&str] = &[
    "W024", "W032", "W036", "W037", "W038", "W039", "W040", "W041", "W046", "W047", "W072", "W080", "W083", "W084", "W085",
    "W086", "W087", "W099", "W101", "W102", "W115", "W116", "W119", "W143", "W167", "W310", "W314",
];

impl Rule {
    /// Whose promise it is: that of the protocol, or that of an option.
    pub fn whose(&self) -> Whose {
        if OPTIONS.contains(&self.id) { Whose::Capability } else { Whose::Wire }
    }
}
