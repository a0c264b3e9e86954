//! Does this value fit that JSON Schema? Schema as a value → [`Schema`]; value → every [`Fault`] with its place.
//!
//! Draft 2020-12 unless `$schema` names another one; `format` is checked. References must resolve inside the schema itself
//! (or in the drafts' own meta-schemas): nothing is ever fetched from a network or read from a file.

mod compile;
mod lint;
mod references;
mod strict;

pub use compile::{Fault, Schema, SchemaError};
pub use lint::{Lint, each_keyword, lint};
pub use references::bad_references;
pub use strict::strict_lint;
