//! Gherkin 6: text → [`Document`] with a place for every tag, cell and doc string → [`Pickle`]s.
//!
//! Held against the official test data through `fireassay ast`. Linear in the size of the text; reports every mistake.

mod ast;
mod dialect;
mod line;
mod messages;
mod mistake;
mod parse;
mod pickle;
mod scenario;
mod template;
#[cfg(test)]
mod tests;
mod tree;

pub use ast::{
    Background, Cell, Child, Comment, DocString, Document, Examples, Feature, Row, Rule, Scenario, Step, StepKind, Table, Tag,
};
pub use messages::{ast_ndjson, pickles_ndjson};
pub use parse::parse;
pub use pickle::{Pickle, PickleDocString, PickleRow, PickleStep};
pub use scenario::{ScenarioNode, scenarios};
