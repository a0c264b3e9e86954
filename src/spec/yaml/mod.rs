//! YAML with places: text → JSON value and a tree of places → every schema mistake at once → a Rust type.
//!
//! The one module that names `serde_yaml` and the YAML event parser (they share a grammar and move together). The events
//! give the places, the duplicate keys, and the bounds on depth and aliases; `serde_yaml` gives the values; the schema of
//! the Rust type decides what is allowed, and that a scalar such as `1.10` stays the text it is where a text is meant.

mod check;
mod load;
mod places;
mod shape;
mod span;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use check::got;
pub use load::{Loaded, load, load_list, load_value, load_value_list, parse_plain};
pub(crate) use load::{finish, read_one};
pub use places::{Places, escape};
pub(crate) use shape::schema_of;
pub use shape::{AS_WRITTEN, Scalar};
pub use span::Span;
