//! Why a stack is not there.

/// A stack could not be provisioned, started or stopped. The text says what, where and the next move.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StackError {
    /// `infra.provision`, `infra.start`, `infra.ready`, `infra.identity`, `infra.stop`.
    pub kind: &'static str,
    /// One line.
    pub message: String,
    /// Tail of the log or output, may be empty.
    pub detail: String,
}
