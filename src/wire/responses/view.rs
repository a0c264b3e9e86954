//! [`ResponsesReply`] → [`ChatReply`]: the one form that claims look at, whatever surface a reply came by.
//!
//! A response is one choice. Its status is the reason it finished: completed is `stop`, or `tool_calls` where it calls a tool;
//! incomplete is `length` or `content_filter`. Its usage is counted under the names that chat has.

use serde_json::{Map, Value, json};

use super::reply::{ItemKind, OutputItem, PartKind, ResponsesReply};
use crate::wire::chat::{ChatReply, Choice, ToolCall, Usage};

/// Names of usage on this surface, and what chat calls them.
const COUNTS: &[(&str, &str)] = &[
    ("input_tokens", "prompt_tokens"),
    ("output_tokens", "completion_tokens"),
    ("total_tokens", "total_tokens"),
    ("input_tokens_details", "prompt_tokens_details"),
    ("output_tokens_details", "completion_tokens_details"),
];

impl ResponsesReply {
    /// The reply as claims look at it.
    pub fn to_chat(&self) -> ChatReply {
        let response = self.response.as_ref().or(self.created.as_ref());
        let ended = self.response.as_ref();
        let choices = if self.output.is_empty() && ended.is_none_or(|response| response.output.is_none()) {
            Vec::new()
        } else {
            vec![self.choice()]
        };
        ChatReply {
            streamed: self.streamed,
            status: self.status,
            id: response.and_then(|response| response.id.clone()),
            object: response.and_then(|response| response.object.clone()),
            created: response.and_then(|response| response.created_at),
            model: response.and_then(|response| response.model.clone()),
            system_fingerprint: None,
            choices,
            usage: ended.and_then(|response| response.usage.as_ref()).map(usage),
            error: self.error.clone(),
            done_marker: self.done_marker,
            events: self.dispatched,
            comments: self.comments,
            framing: self.framing.clone(),
            faults: self.faults.clone(),
            clocks: self.clocks,
            gaps: self.gaps.clone(),
        }
    }

    fn choice(&self) -> Choice {
        let thought = self.texts(ItemKind::Reasoning, PartKind::Thought).filter(|text| !text.is_empty());
        let reasoning = thought.or_else(|| self.texts(ItemKind::Reasoning, PartKind::Summary)).filter(|text| !text.is_empty());
        let message = self.output.iter().find(|item| item.kind == ItemKind::Message);
        let parts = self.items.iter().flat_map(|life| &life.parts);
        Choice {
            index: 0,
            role: message.map(|item| item.role.clone().unwrap_or_else(|| "assistant".to_owned())),
            content: self.texts(ItemKind::Message, PartKind::Text),
            reasoning_field: reasoning.is_some().then_some("reasoning"),
            reasoning,
            refusal: self.texts(ItemKind::Message, PartKind::Refusal),
            tool_calls: (0..).zip(self.calls()).map(|(place, item)| self.call(place, item)).collect(),
            finish_reason: self.finish_reason(),
            logprobs: self.logprobs(),
            content_pieces: if self.streamed {
                parts.filter(|part| part.kind == PartKind::Text).map(|part| part.pieces).sum()
            } else {
                u64::from(!self.text().is_empty())
            },
        }
    }

    fn call(&self, index: i64, item: &OutputItem) -> ToolCall {
        let life = item.id.as_ref().and_then(|id| self.items.iter().find(|life| life.id.as_ref() == Some(id)));
        let arguments = item.arguments.clone().unwrap_or_default();
        ToolCall {
            index,
            id: item.call_id.clone().or_else(|| item.id.clone()),
            kind: Some(if item.kind == ItemKind::CustomCall { "custom" } else { "function" }.to_owned()),
            name: item.name.clone(),
            pieces: life.map_or(u64::from(!arguments.is_empty()), |life| life.pieces),
            arguments,
        }
    }

    fn finish_reason(&self) -> Option<String> {
        let response = self.response.as_ref()?;
        let reason = match response.status.as_deref()? {
            "completed" if self.calls().next().is_some() => "tool_calls",
            "completed" => "stop",
            "incomplete" => match response.incomplete.as_deref() {
                Some("max_output_tokens") | None => "length",
                Some(other) => other,
            },
            _ => return None,
        };
        Some(reason.to_owned())
    }

    fn logprobs(&self) -> Option<Value> {
        let parts = self.output.iter().flat_map(|item| &item.parts);
        let lists: Vec<&Value> = parts.filter_map(|part| part.logprobs.as_ref()).collect();
        let tokens: Vec<Value> = lists.iter().filter_map(|list| list.as_array()).flatten().cloned().collect();
        (!lists.is_empty()).then(|| json!({ "content": tokens }))
    }
}

/// Usage under the names that chat has; what has no other name keeps its own.
fn usage(raw: &Value) -> Usage {
    let count = |key: &str| raw.get(key).and_then(Value::as_u64);
    let named = |key: &String| COUNTS.iter().find(|(known, _)| known == key).map_or(key.as_str(), |(_, name)| name).to_owned();
    let entries = raw.as_object().into_iter().flatten().map(|(key, value)| (named(key), value.clone()));
    Usage {
        prompt: count("input_tokens"),
        completion: count("output_tokens"),
        total: count("total_tokens"),
        raw: Value::Object(entries.collect::<Map<_, _>>()),
    }
}
