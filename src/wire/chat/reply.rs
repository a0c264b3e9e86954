//! What was answered: [`ChatReply`] and its parts.

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::event::ClockRecord;
use crate::wire::ApiError;
use crate::wire::sse::FramingFault;

/// A chat or completions reply, the same whether it came whole or streamed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatReply {
    /// Whether it came as a stream of events.
    pub streamed: bool,
    /// HTTP status, when a head came.
    pub status: Option<u16>,
    /// First `id` that is not empty.
    pub id: Option<String>,
    /// First `object`.
    pub object: Option<String>,
    /// First `created`.
    pub created: Option<i64>,
    /// First `model` that is not empty.
    pub model: Option<String>,
    /// First `system_fingerprint`.
    pub system_fingerprint: Option<String>,
    /// Choices by index.
    pub choices: Vec<Choice>,
    /// Last usage that came.
    pub usage: Option<Usage>,
    /// First error, from the status, the body or a frame.
    pub error: Option<ApiError>,
    /// Whether `[DONE]` was seen.
    pub done_marker: bool,
    /// Dispatched events, the end marker included; 0 for a whole reply.
    pub events: u64,
    /// Comment lines of the stream.
    pub comments: u64,
    /// What is odd about the stream's framing.
    pub framing: Vec<FramingFault>,
    /// What was repaired, chosen or skipped while folding, one entry per kind and path.
    pub faults: Vec<FoldFault>,
    /// When things were first seen. A whole reply has only its first and last byte.
    pub clocks: ClockRecord,
    /// Times between frames with content.
    pub gaps: Vec<Duration>,
}

/// One choice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Choice {
    /// `index`; the place in the list where it was missing.
    pub index: i64,
    /// Role that came first.
    pub role: Option<String>,
    /// Text; `None` while only null or nothing came.
    pub content: Option<String>,
    /// Reasoning under any of its names.
    pub reasoning: Option<String>,
    /// The name under which reasoning came.
    pub reasoning_field: Option<&'static str>,
    /// Refusal.
    pub refusal: Option<String>,
    /// Tool calls in order.
    pub tool_calls: Vec<ToolCall>,
    /// First finish reason that is not empty.
    pub finish_reason: Option<String>,
    /// Log probabilities; lists of a stream are joined.
    pub logprobs: Option<Value>,
    /// Frames that carried content that is not empty.
    pub content_pieces: u64,
}

/// One tool call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// `index` of its fragments; the place in the list for whole replies.
    pub index: i64,
    /// `id`.
    pub id: Option<String>,
    /// `type`: `function`, `custom`.
    pub kind: Option<String>,
    /// Name of the function or custom tool.
    pub name: Option<String>,
    /// Arguments as text, joined; the input of a custom tool.
    pub arguments: String,
    /// Fragments that carried arguments that are not empty.
    pub pieces: u64,
}

/// Token counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// `prompt_tokens`.
    pub prompt: Option<u64>,
    /// `completion_tokens`.
    pub completion: Option<u64>,
    /// `total_tokens`.
    pub total: Option<u64>,
    /// All of it.
    pub raw: Value,
}

/// What folding met. Facts, not verdicts: many are ordinary dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldFaultKind {
    /// A body that should be JSON is empty.
    EmptyBody,
    /// Not JSON.
    NotJson,
    /// JSON, but no object.
    NotAnObject,
    /// Body bytes that are not UTF-8.
    BadUtf8,
    /// A JSON body calls itself a stream of events, or the other way round.
    Mislabelled,
    /// A value of a wrong type; left out, or turned into text where the meaning is plain.
    WrongType,
    /// A key that stands twice; the last one counts.
    DuplicateKey,
    /// A required key is missing or null.
    MissingKey,
    /// `id`, `object`, `created` or `model` (its path) differs from the first one, or is empty.
    Changed,
    /// A role came again for a choice.
    RoleRepeated,
    /// The role came after the first frame of its choice.
    RoleLate,
    /// A second finish reason for a choice.
    FinishRepeated,
    /// A finish reason `""`; not taken as one.
    FinishEmpty,
    /// Text, reasoning or a tool fragment after the finish reason of its choice.
    AfterFinish,
    /// A choice with something in it after an error frame.
    AfterError,
    /// A second frame with usage; the last counts.
    UsageRepeated,
    /// Usage on a frame that also has choices, in a stream.
    UsageWithChoices,
    /// Two reasoning names with different text; the first counts.
    ReasoningDiffers,
    /// A fragment of a tool call without `index`.
    ToolIndexMissing,
    /// A later fragment repeats the same id or name (its path).
    ToolRepeated,
    /// A later fragment has another id or name (its path); the first counts.
    ToolChanged,
    /// The index of a call was used again for another call; kept as two calls.
    ToolIndexReused,
    /// The first fragment of a call has no id or no name (its path).
    ToolHeadMissing,
    /// An event about an item that was not added, in a stream of typed events.
    Unplaced,
}

/// One kind of thing that folding met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldFault {
    /// Which.
    pub kind: FoldFaultKind,
    /// What it is about, free of numbers: `choices[].delta.content`; empty for a frame as such.
    pub path: Cow<'static, str>,
    /// Number of the first event that shows it, from 1; 0 for a whole body.
    pub event: u64,
    /// Where that event stands in the body.
    pub at: Range<usize>,
    /// How often it was seen.
    pub count: u64,
    /// One line for people about the first one.
    pub message: String,
}

impl ChatReply {
    /// The choice of index 0, else the first.
    pub fn first(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.index == 0).or_else(|| self.choices.first())
    }

    /// Text of the first choice; empty where there is none.
    pub fn text(&self) -> &str {
        self.first().and_then(|choice| choice.content.as_deref()).unwrap_or_default()
    }

    /// Tool calls of the first choice.
    pub fn tool_calls(&self) -> &[ToolCall] {
        self.first().map(|choice| choice.tool_calls.as_slice()).unwrap_or_default()
    }

    /// Whether there is a choice, every choice has a finish reason, and no error came.
    pub fn is_complete(&self) -> bool {
        self.error.is_none() && !self.choices.is_empty() && self.choices.iter().all(|choice| choice.finish_reason.is_some())
    }

    /// The first fault of a kind.
    pub fn fault(&self, kind: FoldFaultKind) -> Option<&FoldFault> {
        self.faults.iter().find(|fault| fault.kind == kind)
    }
}

impl Choice {
    /// The message as it is sent back in a history: role, content, calls, and the reasoning under its own name if wanted.
    pub fn to_message(&self, with_reasoning: bool) -> Value {
        let mut message = Map::new();
        message.insert("role".to_owned(), self.role.as_deref().unwrap_or("assistant").into());
        message.insert("content".to_owned(), self.content.clone().into());
        if let (true, Some(field), Some(text)) = (with_reasoning, self.reasoning_field, &self.reasoning) {
            message.insert(field.to_owned(), text.as_str().into());
        }
        if !self.tool_calls.is_empty() {
            message.insert("tool_calls".to_owned(), self.tool_calls.iter().map(ToolCall::to_value).collect());
        }
        Value::Object(message)
    }
}

impl ToolCall {
    /// The call as on the wire.
    pub fn to_value(&self) -> Value {
        if self.kind.as_deref() == Some("custom") {
            return json!({"id": self.id, "type": "custom", "custom": {"name": self.name, "input": self.arguments}});
        }
        let kind = self.kind.as_deref().unwrap_or("function");
        json!({"id": self.id, "type": kind, "function": {"name": self.name, "arguments": self.arguments}})
    }

    /// The arguments as JSON.
    pub fn parsed(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(&self.arguments)
    }
}

impl Usage {
    /// A count at a path below usage, such as `completion_tokens_details.reasoning_tokens`.
    pub fn detail(&self, path: &str) -> Option<u64> {
        path.split('.').try_fold(&self.raw, |value, key| value.get(key))?.as_u64()
    }
}
