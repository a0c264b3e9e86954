//! How a step ends the scenario: [`Failure`], carried through cucumber's `()`-returning functions as a typed panic payload.

use crate::event::{Mismatch, Trouble};

/// What a step function returns.
pub type StepResult = Result<(), Failure>;

/// Why a step did not hold.
#[derive(Debug)]
pub enum Failure {
    /// False claims; never empty.
    Mismatch(Vec<Mismatch>),
    /// It could not be judged.
    Trouble(Trouble),
    /// A claim that needs a live server met a tape; the reason.
    NotEvaluated(String),
}

impl Failure {
    /// Leaves the step function; the engine (ours or cucumber's own) catches it. The panic hook is not called.
    pub fn raise(self) -> ! {
        std::panic::resume_unwind(Box::new(self))
    }

    /// The author wrote something that only shows at run time (an index that does not exist, a bad expression).
    pub fn author(message: impl Into<String>) -> Self {
        Self::Trouble(Trouble::new("author.step", message))
    }
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(vec![mismatch])
    }
}

impl From<Box<Mismatch>> for Failure {
    fn from(mismatch: Box<Mismatch>) -> Self {
        Self::Mismatch(vec![*mismatch])
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
