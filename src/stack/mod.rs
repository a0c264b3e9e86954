//! Process life of a stack: provision, start, ready, identity, stop; nothing is left behind.
//!
//! [`Stack::up`] returns only when the server has really generated; [`Stack::down`] returns only when the port is closed and
//! the process group is gone. We never kill what we did not start.

mod error;
mod handle;

pub use error::StackError;
pub use handle::{LogMark, Progress, Stack, StackOptions};
