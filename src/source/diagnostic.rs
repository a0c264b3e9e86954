//! A mistake in a user's file, as data: [`Diagnostic`].

use super::At;

/// A stable, documented name of one kind of mistake, `topic/what`: `suite/unknown-setup`, `gherkin/bad-table`.
pub type Code = &'static str;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the command goes on.
    Warning,
    /// The command ends with exit 2 and starts nothing.
    Error,
}

/// One mistake: what, where, and what to do next. **Shape** of the texts: lower case, no final period, names in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where; `None` only where no file is involved (a flag, say).
    pub at: Option<At>,
    /// Words under the caret; may be empty.
    pub label: String,
    /// Other places that matter ("first defined here").
    pub notes: Vec<(Option<At>, String)>,
    /// The next move ("did you mean `setup`?").
    pub help: Option<String>,
    /// Id of the wire rule that says why (`W104`), where there is one: `fireassay rules ID` explains it.
    pub rule: Option<&'static str>,
}

/// The mistakes of one stage; loaders return `(T, Diagnostics)` so that all of them are shown at once.
pub type Diagnostics = Vec<Diagnostic>;

impl Diagnostic {
    /// An error with a place.
    pub fn error(code: Code, at: impl Into<Option<At>>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            at: at.into(),
            label: String::new(),
            notes: Vec::new(),
            help: None,
            rule: None,
        }
    }

    /// A warning with a place.
    pub fn warning(code: Code, at: impl Into<Option<At>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, at, message) }
    }

    /// Adds words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn note(mut self, at: impl Into<Option<At>>, text: impl Into<String>) -> Self {
        self.notes.push((at.into(), text.into()));
        self
    }

    /// Adds the next move.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        if let Some(help) = help.into() {
            self.help = Some(help);
        }
        self
    }

    /// Adds the wire rule that says why.
    #[must_use]
    pub fn rule(mut self, id: impl Into<Option<&'static str>>) -> Self {
        self.rule = id.into();
        self
    }

    /// Whether it stops the command.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
