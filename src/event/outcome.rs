//! Verdicts as data: [`Outcome`], [`Mismatch`], [`Trouble`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a scenario ended; the words of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every claim held.
    Passed,
    /// Passed only after a failed attempt.
    Flaky,
    /// Failed exactly as the profile says it would.
    Known,
    /// The stack answered and a claim is false.
    Failed,
    /// We could not judge: environment or harness.
    Errored,
    /// Declared not applicable.
    Skipped,
    /// A claim that needs a live server met a tape.
    NotEvaluated,
}

impl Outcome {
    /// The word shown to people and written to records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Known => "known",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
            Self::NotEvaluated => "not evaluated",
        }
    }
}

/// Whose promise a false claim breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// The protocol is broken.
    Wire,
    /// An asked-for option was ignored.
    Capability,
    /// The model's quality.
    Model,
}

/// A place in a user's file, resolved. **Shape**: `features/a.feature:12:5` as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// File as shown to people.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A claim that is false: what was expected, what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// Dotted kind from a closed list: `assert.text`, `assert.json_path`, `assert.schema`, `assert.finish`, `assert.usage`,
    /// `assert.status`, `assert.timing`, `assert.stream`, `wire.W021`, ….
    pub kind: String,
    /// Whose promise is broken.
    pub whose: Whose,
    /// Wire rule, `W…`, where one is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// One line, with what was looked at: `the reply mentions "Paris"`.
    pub message: String,
    /// What the claim wants, as text (may have many lines).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came, as text (may have many lines, capped by the writer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The exchange that was judged, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<super::ExchangeId>,
    /// Why the profile expects it, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
}

impl Mismatch {
    /// A mismatch about the model's or server's behaviour with expected and actual text.
    pub fn new(kind: &str, whose: Whose, message: impl Into<String>) -> Self {
        let (kind, message) = (kind.to_owned(), message.into());
        Self { kind, whose, rule: None, message, expected: None, actual: None, exchange: None, known: None }
    }

    /// Adds what was wanted.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(text.into());
        self
    }

    /// Adds what came.
    #[must_use]
    pub fn actual(mut self, text: impl Into<String>) -> Self {
        self.actual = Some(text.into());
        self
    }
}

/// Why we could not judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Dotted kind: `infra.connect`, `infra.setup`, `timeout.step`, `timeout.scenario`, `infra.not_run`, `internal.panic`, `author.step`.
    pub kind: String,
    /// One line.
    pub message: String,
    /// More lines: a log's tail, a panic's place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Whether it is that of a scenario's whole cell, which tells it as well: its server died, or never served.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_cell: bool,
}

impl Trouble {
    /// A trouble with its one line.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), detail: String::new(), of_cell: false }
    }

    /// The trouble of a cell, as one of its scenarios has it.
    #[must_use]
    pub fn of_cell(mut self) -> Self {
        self.of_cell = true;
        self
    }

    /// Adds more lines.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// How one step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum StepOutcome {
    /// It held.
    Passed,
    /// It is a false claim; one step may break several rules at once.
    Failed {
        /// All of them, first is the one shown in a line.
        mismatches: Vec<Mismatch>,
    },
    /// It could not be judged.
    Errored {
        /// Why.
        trouble: Trouble,
    },
    /// An earlier step ended the scenario.
    NotReached,
    /// The scenario declared itself not applicable here (replay, say).
    NotEvaluated {
        /// The declaration.
        reason: String,
    },
}
