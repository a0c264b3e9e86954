//! YAML with places: text → JSON value and a map from JSON pointer to place → every schema mistake at once → a Rust type.
//!
//! The one module that names `serde_yaml` and the YAML event parser. Aliases and depth are bounded.

mod load;
mod places;
mod span;

pub use load::{Loaded, load, load_value};
pub use places::Places;
pub use span::Span;
