//! What the whole front end makes of a text: trees, mistakes, pickles, messages.

mod messages;
mod mistakes;
mod pickles;
mod trees;

use super::parse::parse_as_official;
use super::{Child, Document, Scenario, parse};
use crate::source::{Diagnostics, SourceMap};

/// A text as the only file of a map, parsed.
fn read(text: &str) -> (SourceMap, Document, Diagnostics) {
    let mut map = SourceMap::new();
    let file = map.add("a.feature", text);
    let (document, diagnostics) = parse(&map, file);
    (map, document, diagnostics)
}

/// The mistakes of a text as the official parsers report them.
fn official(text: &str) -> (SourceMap, Diagnostics) {
    let mut map = SourceMap::new();
    let file = map.add("a.feature", text);
    let (_, diagnostics) = parse_as_official(&map, file);
    (map, diagnostics)
}

/// The document of a text without mistakes.
#[track_caller]
fn document(text: &str) -> Document {
    let (_, document, diagnostics) = read(text);
    assert_eq!(diagnostics, [], "{text}");
    document
}

/// The scenarios of a document that stand outside rules.
fn plain_scenarios(document: &Document) -> Vec<&Scenario> {
    let children = document.feature.iter().flat_map(|feature| &feature.children);
    children.filter_map(|child| if let Child::Scenario(scenario) = child { Some(scenario) } else { None }).collect()
}
