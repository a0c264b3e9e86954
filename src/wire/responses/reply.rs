//! What was answered: [`ResponsesReply`] and its parts.

use std::time::Duration;

use serde_json::Value;

use super::event::ResponseEvent;
use crate::event::ClockRecord;
use crate::wire::sse::FramingFault;
use crate::wire::{ApiError, FoldFault, FoldFaultKind};

/// A reply of `/v1/responses`, the same whether it came whole or as a stream of typed events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResponsesReply {
    /// Whether it came as a stream of events.
    pub streamed: bool,
    /// HTTP status, when a head came.
    pub status: Option<u16>,
    /// The response as it was first told of: that of the first event of its life; `None` for a whole reply.
    pub created: Option<ResponseObject>,
    /// The response at its end: the whole body, or that of the last event of its life that came.
    pub response: Option<ResponseObject>,
    /// Number of the event that ended it (completed, incomplete, failed), from 1; the first one where there are several.
    pub ended_at: Option<u64>,
    /// Events that ended it.
    pub ends: u64,
    /// The output: that of the ended response, else what the events built.
    pub output: Vec<OutputItem>,
    /// The items of a stream in the order in which they were first heard of, each with its life.
    pub items: Vec<Lifecycle>,
    /// The events of a stream in order, each in short; `[DONE]` and what is not JSON left out.
    pub events: Vec<ResponseEvent>,
    /// First error, from the status, the body, an error event or a failed response.
    pub error: Option<ApiError>,
    /// Number of the first error event, from 1.
    pub error_at: Option<u64>,
    /// Whether `[DONE]` was seen.
    pub done_marker: bool,
    /// Dispatched events, the end marker included; 0 for a whole reply.
    pub dispatched: u64,
    /// Comment lines of the stream.
    pub comments: u64,
    /// What is odd about the stream's framing.
    pub framing: Vec<FramingFault>,
    /// What was repaired, chosen or skipped while folding, one entry per kind and path.
    pub faults: Vec<FoldFault>,
    /// When things were first seen. A whole reply has only its first and last byte.
    pub clocks: ClockRecord,
    /// Times between events with text.
    pub gaps: Vec<Duration>,
}

/// A response object, whole or as an event holds it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResponseObject {
    /// Number of the event that holds it, from 1; 0 for a whole body.
    pub event: u64,
    /// `id`.
    pub id: Option<String>,
    /// `object`.
    pub object: Option<String>,
    /// `status`: `completed`, `failed`, `in_progress`, `cancelled`, `queued`, `incomplete`.
    pub status: Option<String>,
    /// `model`.
    pub model: Option<String>,
    /// `created_at`. **Units**: seconds since 1970; a fraction is cut off.
    pub created_at: Option<i64>,
    /// `completed_at`, likewise.
    pub completed_at: Option<i64>,
    /// `previous_response_id`.
    pub previous: Option<String>,
    /// `instructions`, where they are a text.
    pub instructions: Option<String>,
    /// `incomplete_details.reason`.
    pub incomplete: Option<String>,
    /// Whether `incomplete_details` is there and not null.
    pub has_incomplete: bool,
    /// `error`, where it is not null.
    pub error: Option<ApiError>,
    /// `output`, where it is a list.
    pub output: Option<Vec<OutputItem>>,
    /// `usage`, as it came.
    pub usage: Option<Value>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ItemKind {
    /// `message`.
    Message,
    /// `function_call`.
    FunctionCall,
    /// `custom_tool_call`.
    CustomCall,
    /// `reasoning`.
    Reasoning,
    /// A vendor's, a newer one, or one of the tools that a server runs itself: kept as it came.
    #[default]
    Other,
}

/// One item of an output.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OutputItem {
    /// What it is.
    pub kind: ItemKind,
    /// `type` as it came.
    pub type_name: Option<String>,
    /// `id`.
    pub id: Option<String>,
    /// `status`.
    pub status: Option<String>,
    /// `role` of a message.
    pub role: Option<String>,
    /// `call_id` of a call.
    pub call_id: Option<String>,
    /// `name` of a call.
    pub name: Option<String>,
    /// `arguments` of a function call, `input` of a custom one; `None` where they are no text.
    pub arguments: Option<String>,
    /// `content`: text and refusals of a message, thoughts of a reasoning item.
    pub parts: Vec<Part>,
    /// `summary` of a reasoning item.
    pub summary: Vec<Part>,
    /// All of it, as it goes back with a history.
    pub raw: Value,
}

/// What a part of an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PartKind {
    /// `output_text`.
    Text,
    /// `refusal`.
    Refusal,
    /// `reasoning_text`, or `text` of a reasoning item.
    Thought,
    /// `summary_text`.
    Summary,
    /// Anything else.
    #[default]
    Other,
}

/// One part of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its text or refusal; empty where it has none.
    pub text: String,
    /// `logprobs`, where they are a list with something in it.
    pub logprobs: Option<Value>,
}

/// An item of a stream, phase by phase.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lifecycle {
    /// `output_index` that it was first named by.
    pub output_index: Option<i64>,
    /// Id that it was first named by.
    pub id: Option<String>,
    /// Event that first spoke of it, from 1.
    pub begun_at: u64,
    /// The item as `output_item.added` tells of it: the first one.
    pub added: Option<OutputItem>,
    /// Number of the event that added it.
    pub added_at: Option<u64>,
    /// How often it was added.
    pub adds: u64,
    /// The item as `output_item.done` tells of it: the last one.
    pub done: Option<OutputItem>,
    /// Number of the event that ended it first.
    pub done_at: Option<u64>,
    /// How often it was done.
    pub dones: u64,
    /// Number of the first event of its own that came after it was done.
    pub after_done: Option<u64>,
    /// Parts of its content in the order in which they were first heard of.
    pub parts: Vec<StreamedPart>,
    /// Parts of its summary, likewise.
    pub summary: Vec<StreamedPart>,
    /// Arguments or input, joined from their deltas; `None` where no delta came.
    pub arguments: Option<String>,
    /// Deltas of arguments that were not empty.
    pub pieces: u64,
    /// The whole arguments as their done event tells them, and its number.
    pub arguments_done: Option<(u64, String)>,
    /// Whether that event names the function.
    pub arguments_named: bool,
    /// Ids under which its events named it that differ from the first one, each once, with the event; at most a few.
    pub renamed: Vec<(u64, String)>,
}

/// A part of an item of a stream, phase by phase.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamedPart {
    /// `content_index` or `summary_index`; 0 where none came.
    pub index: i64,
    /// What it is, by the part itself or by the names of its events.
    pub kind: PartKind,
    /// Number of the event that added it.
    pub added_at: Option<u64>,
    /// Number of the first event with text of it.
    pub begun_at: Option<u64>,
    /// Its text, joined from deltas.
    pub text: String,
    /// Deltas that were not empty.
    pub pieces: u64,
    /// The whole text as its own done event tells it, and its number.
    pub text_done: Option<(u64, String)>,
    /// The part as its done event tells of it, and its number.
    pub done: Option<(u64, Part)>,
    /// Number of the first delta that came after its text or the part was done.
    pub after_done: Option<u64>,
}

impl ResponsesReply {
    /// Text of all messages, joined.
    pub fn text(&self) -> String {
        self.texts(ItemKind::Message, PartKind::Text).unwrap_or_default()
    }

    /// Calls of functions and custom tools, in order.
    pub fn calls(&self) -> impl Iterator<Item = &OutputItem> {
        self.output.iter().filter(|item| item.kind.is_call())
    }

    /// Status of the response.
    pub fn response_status(&self) -> Option<&str> {
        self.response.as_ref()?.status.as_deref()
    }

    /// Whether a response came, it says how it ended, and no error came.
    pub fn is_complete(&self) -> bool {
        let over = matches!(self.response_status(), Some("completed" | "incomplete"));
        self.error.is_none() && over && (!self.streamed || self.ended_at.is_some())
    }

    /// The first fault of a kind.
    pub fn fault(&self, kind: FoldFaultKind) -> Option<&FoldFault> {
        self.faults.iter().find(|fault| fault.kind == kind)
    }

    /// Texts of one kind in all items of one kind, joined; `None` where there is no such part.
    pub(super) fn texts(&self, item: ItemKind, part: PartKind) -> Option<String> {
        let items = self.output.iter().filter(|known| known.kind == item);
        let parts = items.flat_map(|item| item.parts.iter().chain(&item.summary)).filter(|known| known.kind == part);
        parts.map(|part| part.text.as_str()).fold(None, |all: Option<String>, text| Some(all.unwrap_or_default() + text))
    }
}

impl ItemKind {
    /// What an item of this type is.
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "message" => Self::Message,
            "function_call" => Self::FunctionCall,
            "custom_tool_call" => Self::CustomCall,
            "reasoning" => Self::Reasoning,
            _ => Self::Other,
        }
    }

    /// Whether it is a call that the caller answers.
    pub fn is_call(self) -> bool {
        matches!(self, Self::FunctionCall | Self::CustomCall)
    }
}

impl PartKind {
    /// What a part of this type is.
    pub fn of(type_name: &str) -> Self {
        match type_name {
            "output_text" => Self::Text,
            "refusal" => Self::Refusal,
            "reasoning_text" | "text" => Self::Thought,
            "summary_text" => Self::Summary,
            _ => Self::Other,
        }
    }
}

impl OutputItem {
    /// Its text of one kind, joined.
    pub fn text_of(&self, kind: PartKind) -> String {
        self.parts.iter().chain(&self.summary).filter(|part| part.kind == kind).map(|part| part.text.as_str()).collect()
    }
}

/// Whether a method and a path are a call that is answered with a response object: to make one, to get one, to cancel one.
pub fn is_response_address(method: &str, path: &str) -> bool {
    let Some((_, rest)) = path.split_once("/responses") else { return false };
    let (post, get) = (method.eq_ignore_ascii_case("post"), method.eq_ignore_ascii_case("get"));
    match rest.strip_prefix('/') {
        None => post && rest.is_empty(),
        Some(rest) if get => !rest.is_empty() && !rest.contains('/'),
        Some(rest) => post && rest.split_once('/').is_some_and(|(id, verb)| !id.is_empty() && verb == "cancel"),
    }
}
