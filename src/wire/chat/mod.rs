//! Chat completions: what is asked ([`ChatRequest`]) and what was answered ([`ChatReply`]), in one form for whole and
//! streamed replies.
//!
//! Folding tolerates every known dialect and hides none: whatever it had to repair, choose or skip is a [`FoldFault`] with
//! the event and the byte range where it was first seen. It judges nothing.

mod choice;
mod faults;
mod fold;
mod frame;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod tools;

pub(super) use faults::Faults;
pub use fold::fold_chat;
pub(super) use fold::{Surface, fold};
pub use reply::{ChatReply, Choice, FoldFault, FoldFaultKind, ToolCall, Usage};
pub use request::ChatRequest;
