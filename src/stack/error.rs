//! Why a stack is not there.

/// A stack could not be provisioned, started or stopped. The text says what, where and the next move.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StackError {
    /// `infra.provision`, `infra.start`, `infra.ready`, `infra.identity`, `infra.memory`, `infra.stop`, `infra.client`,
    /// `infra.not_run`, `infra.tape`; `author.step`.
    pub kind: &'static str,
    /// One line.
    pub message: String,
    /// Tail of the log or output, may be empty.
    pub detail: String,
}

impl StackError {
    pub(super) fn provision(message: impl Into<String>) -> Self {
        Self::of("infra.provision", message)
    }

    pub(super) fn start(message: impl Into<String>) -> Self {
        Self::of("infra.start", message)
    }

    pub(super) fn ready(message: impl Into<String>) -> Self {
        Self::of("infra.ready", message)
    }

    pub(super) fn identity(message: impl Into<String>) -> Self {
        Self::of("infra.identity", message)
    }

    pub(super) fn memory(message: impl Into<String>) -> Self {
        Self::of("infra.memory", message)
    }

    pub(super) fn stop(message: impl Into<String>) -> Self {
        Self::of("infra.stop", message)
    }

    /// The run was stopped first.
    pub fn not_run(message: impl Into<String>) -> Self {
        Self::of("infra.not_run", message)
    }

    /// A tape cannot stand for the stack.
    pub fn tape(message: impl Into<String>) -> Self {
        Self::of("infra.tape", message)
    }

    pub(super) fn client(message: impl Into<String>) -> Self {
        Self::of("infra.client", message)
    }

    /// What a scenario asked of the stack cannot be done.
    pub(super) fn author(message: impl Into<String>) -> Self {
        Self::of("author.step", message)
    }

    /// An error that another process of ours told.
    pub(super) fn from_words(kind: &str, message: String, detail: String) -> Self {
        const KINDS: [&str; 5] = ["infra.provision", "infra.ready", "infra.identity", "infra.stop", "infra.memory"];
        let kind = KINDS.iter().find(|known| **known == kind).copied().unwrap_or("infra.start");
        Self { kind, message, detail }
    }

    pub(super) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds that what was there could not be stopped either.
    pub(super) fn and(mut self, stop: &Self) -> Self {
        self.message = format!("{}; and then: {stop}", self.message);
        self
    }

    fn of(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), detail: String::new() }
    }
}
