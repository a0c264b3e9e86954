//! The claims authors make: is this true of what came? Values in, [`Held`] out.
//!
//! Nothing here asks a server or knows a step. A claim that does not hold says, in words for a QA author, what was wanted and
//! what came; where the server answered an error in place of a reply, that error is what came. A claim that something is
//! *not* so does not hold of an empty or missing reply: nothing proves nothing.
//!
//! | kind | file | whose, mostly |
//! |---|---|---|
//! | `assert.text` | `text` | model |
//! | `assert.json_path` | `json_path` | model in a reply, wire in a response |
//! | `assert.schema` | `fits_schema`, `structured` | model in a reply, wire in a response |
//! | `assert.finish`, `assert.choices` | `finish`, `choices` | capability |
//! | `assert.usage` | `usage` | wire for sums, capability for bounds |
//! | `assert.status`, `assert.header` | `status`, `header` | wire |
//! | `assert.error` | `error` | wire |
//! | `assert.timing` | `timing` | capability |
//! | `assert.stream` | `stream` | wire |
//! | `assert.models` | `models` | wire for form, capability for members |
//! | `assert.metrics` | `metrics` | capability for gauges, wire for sums |
//! | `assert.tokens` | `tokens` | wire |
//! | `assert.compare` | `compare` | capability |
//! | `assert.response` | `responses` | capability; wire for the order of events |
//! | `assert.embeddings` | `embeddings` | wire |
//! | `assert.thinking` | `thinking` | wire for what is not kept apart, capability, model for what is thought |
//! | `assert.tool` | `tool_calls` | model; wire for what is not even a call |

pub mod choices;
pub mod compare;
pub mod embeddings;
pub mod error;
pub mod finish;
pub mod fits_schema;
pub mod header;
pub mod json_path;
pub mod metrics;
pub mod models;
pub mod responses;
pub mod status;
pub mod stream;
pub mod structured;
pub mod text;
pub mod thinking;
pub mod timing;
pub mod tokens;
pub mod tool_calls;
pub mod usage;

mod said;
#[cfg(test)]
pub(crate) mod sample;

pub use said::Said;

use crate::event::{Mismatch, Whose};

/// Whether a claim holds. Boxed: a mismatch is large and rare.
pub type Held = Result<(), Box<Mismatch>>;

/// A claim that does not hold.
fn broken(kind: &str, whose: Whose, message: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Held {
    Err(Box::new(Mismatch::new(kind, whose, message).expected(expected).actual(actual)))
}

/// `1 word`, `2 words`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
