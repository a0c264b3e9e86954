//! A scenario ready to run: backgrounds in front, tags inherited, placeholders of its row filled in.

use std::sync::Arc;

use super::{StepKind, Tag};
use crate::source::At;

/// One scenario after expansion.
#[derive(Debug, Clone)]
pub struct Pickle {
    /// Title, placeholders filled in.
    pub name: Arc<str>,
    /// Place of the scenario's keyword.
    pub at: At,
    /// Inherited and own tags, in order.
    pub tags: Vec<Tag>,
    /// Steps, backgrounds first.
    pub steps: Vec<PickleStep>,
    /// The row it came from.
    pub row: Option<PickleRow>,
}

/// The example row of a pickle.
#[derive(Debug, Clone)]
pub struct PickleRow {
    /// Place of the row.
    pub at: At,
    /// Column and value, in order.
    pub values: Vec<(Arc<str>, Arc<str>)>,
}

/// One step of a pickle.
#[derive(Debug, Clone)]
pub struct PickleStep {
    /// Keyword as written, with its trailing space.
    pub keyword: Arc<str>,
    /// What it means: And and But take the kind before them.
    pub kind: StepKind,
    /// Sentence, placeholders filled in.
    pub text: Arc<str>,
    /// Place of the keyword.
    pub at: At,
    /// Place of the sentence.
    pub text_at: At,
    /// Table below the step, placeholders filled in: rows of cells, all of one width.
    pub table: Option<Arc<[Vec<Arc<str>>]>>,
    /// Doc string below the step, placeholders filled in. A step may have both.
    pub doc_string: Option<PickleDocString>,
}

/// A doc string of a pickle.
#[derive(Debug, Clone)]
pub struct PickleDocString {
    /// Word after the fence.
    pub media_type: Option<Arc<str>>,
    /// Text.
    pub content: Arc<str>,
}
