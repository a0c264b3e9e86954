//! The syntax tree of a feature file, every node with its place.

use std::sync::Arc;

use crate::source::At;

/// A whole file.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The feature, if the file has one.
    pub feature: Option<Feature>,
    /// Comments in order.
    pub comments: Vec<Comment>,
}

/// A comment line.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Place of the whole line.
    pub at: At,
    /// The line as written.
    pub text: String,
}

/// A tag with its `@`.
#[derive(Debug, Clone)]
pub struct Tag {
    /// Place.
    pub at: At,
    /// Name with `@`.
    pub name: Arc<str>,
}

/// A feature.
#[derive(Debug, Clone)]
pub struct Feature {
    /// Place of the keyword.
    pub at: At,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Language code, `en` unless said.
    pub language: String,
    /// Keyword as written.
    pub keyword: String,
    /// Title.
    pub name: String,
    /// Lines below the title.
    pub description: String,
    /// Backgrounds, rules and scenarios in order.
    pub children: Vec<Child>,
}

/// What a feature or a rule holds.
#[derive(Debug, Clone)]
pub enum Child {
    /// A background.
    Background(Background),
    /// A scenario or outline.
    Scenario(Scenario),
    /// A rule (only in a feature).
    Rule(Rule),
}

/// Steps before every scenario.
#[derive(Debug, Clone)]
pub struct Background {
    /// Place of the keyword.
    pub at: At,
    /// Keyword as written.
    pub keyword: String,
    /// Title.
    pub name: String,
    /// Lines below.
    pub description: String,
    /// Steps.
    pub steps: Vec<Step>,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Place of the keyword.
    pub at: At,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Keyword as written.
    pub keyword: String,
    /// Title.
    pub name: String,
    /// Lines below.
    pub description: String,
    /// Background and scenarios in order.
    pub children: Vec<Child>,
}

/// A scenario or an outline.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Place of the keyword.
    pub at: At,
    /// Place of the title; a point where there is none.
    pub name_at: At,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Keyword as written.
    pub keyword: String,
    /// Title.
    pub name: String,
    /// Lines below.
    pub description: String,
    /// Steps.
    pub steps: Vec<Step>,
    /// Example tables.
    pub examples: Vec<Examples>,
}

/// What a step's keyword means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// Given.
    Context,
    /// When.
    Action,
    /// Then.
    Outcome,
    /// And, But.
    Conjunction,
    /// `*`, or a keyword that means several.
    Unknown,
}

/// A step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Place of the keyword.
    pub at: At,
    /// Place of the sentence.
    pub text_at: At,
    /// Keyword as written, with its trailing space.
    pub keyword: Arc<str>,
    /// What the keyword means.
    pub kind: StepKind,
    /// The sentence.
    pub text: Arc<str>,
    /// Table below the step. A step may have a table and a doc string, in either order.
    pub table: Option<Box<Table>>,
    /// Doc string below the step.
    pub doc_string: Option<Box<DocString>>,
}

/// A doc string.
#[derive(Debug, Clone)]
pub struct DocString {
    /// Place of the opening fence.
    pub at: At,
    /// Place of the lines between the fences, as written.
    pub content_at: At,
    /// `"""` or three backticks.
    pub delimiter: &'static str,
    /// Words after the opening fence.
    pub media_type: Option<Arc<str>>,
    /// Text without the fence's indentation.
    pub content: Arc<str>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Place of the first row.
    pub at: At,
    /// Rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Place of the first bar.
    pub at: At,
    /// Cells.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Place of the text.
    pub at: At,
    /// Text, unescaped.
    pub value: Arc<str>,
}

/// An examples table.
#[derive(Debug, Clone)]
pub struct Examples {
    /// Place of the keyword.
    pub at: At,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Keyword as written.
    pub keyword: String,
    /// Title.
    pub name: String,
    /// Lines below.
    pub description: String,
    /// First row.
    pub header: Option<Row>,
    /// Other rows.
    pub rows: Vec<Row>,
}
