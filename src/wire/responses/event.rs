//! The typed events of a stream: [`EventKind`] with what each type must carry, and [`ResponseEvent`], what is kept of one.
//!
//! **Source**: OpenAI API reference, streaming events of the Responses API; openresponses, `schema/events.tsp`. Types that are
//! in neither are a vendor's own and are let pass.

use super::reply::PartKind;

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `response.created`.
    Created,
    /// `response.queued`.
    Queued,
    /// `response.in_progress`.
    InProgress,
    /// `response.completed`.
    Completed,
    /// `response.incomplete`.
    Incomplete,
    /// `response.failed`.
    Failed,
    /// `error`, or an error without a type.
    Error,
    /// `response.output_item.added`.
    ItemAdded,
    /// `response.output_item.done`.
    ItemDone,
    /// `response.content_part.added`.
    PartAdded,
    /// `response.content_part.done`.
    PartDone,
    /// `response.reasoning_summary_part.added`.
    SummaryAdded,
    /// `response.reasoning_summary_part.done`.
    SummaryDone,
    /// A piece of a text: of an answer, a refusal, a thought or a summary.
    Delta(PartKind),
    /// The whole of such a text.
    Done(PartKind),
    /// A piece of the arguments of a function, or of the input of a custom tool.
    ArgumentsDelta,
    /// The whole of them.
    ArgumentsDone,
    /// An annotation of a text.
    Annotation,
    /// A step of a tool that the server runs itself.
    Tool,
    /// Anything else.
    Other,
}

/// A field that an event must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A string.
    Text(&'static str),
    /// A whole number, not below 0.
    Index(&'static str),
    /// An object.
    Object(&'static str),
}

use EventKind as Kind;
use Need::{Index, Object, Text};

const RESPONSE: &[Need] = &[Object("response")];
const ITEM: &[Need] = &[Index("output_index"), Object("item")];
const PART: &[Need] = &[Text("item_id"), Index("output_index"), Index("content_index"), Object("part")];
const SUMMARY: &[Need] = &[Text("item_id"), Index("output_index"), Index("summary_index"), Object("part")];
const DELTA: &[Need] = &[Text("item_id"), Index("output_index"), Index("content_index"), Text("delta")];
const DONE: &[Need] = &[Text("item_id"), Index("output_index"), Index("content_index"), Text("text")];
const REFUSED: &[Need] = &[Text("item_id"), Index("output_index"), Index("content_index"), Text("refusal")];
const SUMMARY_DELTA: &[Need] = &[Text("item_id"), Index("output_index"), Index("summary_index"), Text("delta")];
const SUMMARY_TEXT: &[Need] = &[Text("item_id"), Index("output_index"), Index("summary_index"), Text("text")];
const PIECE: &[Need] = &[Text("item_id"), Index("output_index"), Text("delta")];
const ARGUMENTS: &[Need] = &[Text("item_id"), Index("output_index"), Text("arguments")];
const INPUT: &[Need] = &[Text("item_id"), Index("output_index"), Text("input")];
const ANNOTATION: &[Need] = &[Text("item_id"), Index("output_index"), Index("content_index"), Index("annotation_index")];

/// Every type of the specifications, with what it says and what it must carry beside `type` and `sequence_number`.
static TYPES: &[(&str, Kind, &[Need])] = &[
    ("response.created", Kind::Created, RESPONSE),
    ("response.queued", Kind::Queued, RESPONSE),
    ("response.in_progress", Kind::InProgress, RESPONSE),
    ("response.completed", Kind::Completed, RESPONSE),
    ("response.incomplete", Kind::Incomplete, RESPONSE),
    ("response.failed", Kind::Failed, RESPONSE),
    ("error", Kind::Error, &[]),
    ("response.output_item.added", Kind::ItemAdded, ITEM),
    ("response.output_item.done", Kind::ItemDone, ITEM),
    ("response.content_part.added", Kind::PartAdded, PART),
    ("response.content_part.done", Kind::PartDone, PART),
    ("response.reasoning_summary_part.added", Kind::SummaryAdded, SUMMARY),
    ("response.reasoning_summary_part.done", Kind::SummaryDone, SUMMARY),
    ("response.output_text.delta", Kind::Delta(PartKind::Text), DELTA),
    ("response.output_text.done", Kind::Done(PartKind::Text), DONE),
    ("response.refusal.delta", Kind::Delta(PartKind::Refusal), DELTA),
    ("response.refusal.done", Kind::Done(PartKind::Refusal), REFUSED),
    ("response.reasoning_text.delta", Kind::Delta(PartKind::Thought), DELTA),
    ("response.reasoning_text.done", Kind::Done(PartKind::Thought), DONE),
    ("response.reasoning.delta", Kind::Delta(PartKind::Thought), DELTA),
    ("response.reasoning.done", Kind::Done(PartKind::Thought), DONE),
    ("response.reasoning_summary_text.delta", Kind::Delta(PartKind::Summary), SUMMARY_DELTA),
    ("response.reasoning_summary_text.done", Kind::Done(PartKind::Summary), SUMMARY_TEXT),
    ("response.function_call_arguments.delta", Kind::ArgumentsDelta, PIECE),
    ("response.function_call_arguments.done", Kind::ArgumentsDone, ARGUMENTS),
    ("response.custom_tool_call_input.delta", Kind::ArgumentsDelta, PIECE),
    ("response.custom_tool_call_input.done", Kind::ArgumentsDone, INPUT),
    ("response.output_text.annotation.added", Kind::Annotation, ANNOTATION),
];

/// Beginnings of the types of tools that a server runs itself.
const TOOLS: &[&str] = &[
    "response.file_search_call.",
    "response.web_search_call.",
    "response.code_interpreter_call",
    "response.image_generation_call.",
    "response.mcp_",
    "response.audio",
];

impl EventKind {
    /// What an event of this type says.
    pub fn of(type_name: &str) -> Self {
        match TYPES.iter().find(|(known, ..)| *known == type_name) {
            Some((_, kind, _)) => *kind,
            None if TOOLS.iter().any(|tool| type_name.starts_with(tool)) => Self::Tool,
            None => Self::Other,
        }
    }

    /// What an event of this type must carry; nothing for types that no specification knows.
    pub fn needs(type_name: &str) -> &'static [Need] {
        TYPES.iter().find(|(known, ..)| *known == type_name).map_or(&[], |(.., needs)| needs)
    }

    /// Whether it is about the response as a whole.
    pub fn is_life(self) -> bool {
        matches!(self, Self::Created | Self::Queued | Self::InProgress) || self.is_end()
    }

    /// Whether it ends the response.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Incomplete | Self::Failed)
    }

    /// The status that a response has in such an event.
    pub fn status(self) -> Option<&'static str> {
        match self {
            Self::Queued => Some("queued"),
            Self::InProgress => Some("in_progress"),
            Self::Completed => Some("completed"),
            Self::Incomplete => Some("incomplete"),
            Self::Failed => Some("failed"),
            _ => None,
        }
    }
}

impl Need {
    /// The key.
    pub fn key(self) -> &'static str {
        match self {
            Text(key) | Index(key) | Object(key) => key,
        }
    }
}

/// One event in short.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseEvent {
    /// Number of the event in the stream, from 1.
    pub number: u64,
    /// What it says.
    pub kind: EventKind,
    /// `sequence_number`, where it is a whole number.
    pub sequence: Option<i64>,
    /// `output_index`.
    pub output_index: Option<i64>,
    /// `content_index` or `summary_index`.
    pub part_index: Option<i64>,
    /// Place of its item among the reply's items.
    pub item: Option<usize>,
}
