//! What is kept of an exchange so that later ones of the scenario can be held against it: [`Trace`]; small, whatever came.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::asked::Call;
use super::ops;
use super::responses::Told;
use super::seen::Seen;
use crate::event::ExchangeId;

/// One exchange in short.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// Which one.
    pub exchange: ExchangeId,
    /// The address that it went to.
    pub url: String,
    /// How often servers of the stack had been ended or started on purpose by then.
    pub life: u32,
    /// Which call; `None` for an empty trace.
    pub call: Option<Call>,
    /// HTTP status, where a head came.
    pub status: Option<u16>,
    /// Whether the reply ended as it should, without an error in it.
    pub complete: bool,
    /// Whether it was asked to stream.
    pub streamed: bool,
    /// Whether the request is one that a server must refuse.
    pub mistaken: bool,
    /// Whether we hung up before its end.
    pub cut_by_us: bool,
    /// Fingerprint of the request without its messages and without what only says how the reply travels.
    pub settings: u64,
    /// Fingerprint of each message, in order.
    pub messages: Vec<u64>,
    /// Whether its sampling has one outcome (temperature 0).
    pub greedy: bool,
    /// `id` of the reply.
    pub id: Option<String>,
    /// `usage.prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// Finish reason of the first choice.
    pub finish: Option<String>,
    /// Ids of the calls of the first choice.
    pub call_ids: Vec<String>,
    /// Names of the calls of the first choice.
    pub call_names: Vec<String>,
    /// Counters of a metrics page, by name and labels.
    pub counters: Vec<(String, f64)>,
    /// Whether a chat template may write its history anew: it takes thoughts out, and shows tools where the talk now stands.
    pub rewritable: bool,
    /// Tokens that a count of tokens found.
    pub counted: Option<u64>,
    /// What a request for a response and its reply say beside this.
    pub told: Option<Told>,
}

impl Trace {
    /// The trace of an exchange.
    pub(super) fn of(seen: &Seen<'_>) -> Self {
        let chat = seen.chat;
        let first = chat.first();
        let body = seen.asked.body.as_ref().and_then(Value::as_object);
        let messages = body.and_then(|body| body.get("messages")).and_then(Value::as_array);
        let input = body.and_then(|body| body.get("input")).filter(|_| seen.call == Call::Responses);
        let said = messages.map_or_else(|| items(input), |messages| messages.iter().collect());
        let calls = chat.tool_calls();
        Self {
            exchange: seen.exchange.id,
            url: seen.exchange.url.clone(),
            life: 0,
            call: Some(seen.call.clone()),
            status: seen.exchange.status,
            complete: seen.exchange.failure().is_none() && chat.is_complete(),
            streamed: seen.asked.stream,
            mistaken: !seen.asked.mistakes.is_empty(),
            cut_by_us: seen.cut_by_us(),
            settings: body.map_or(0, |body| {
                let kept = body.iter().filter(|(key, _)| !TRAVEL.contains(&key.as_str()));
                fingerprint(kept.map(|(key, value)| format!("{key}={value}")))
            }),
            messages: said.into_iter().map(|message| fingerprint([message.to_string()].into_iter())).collect(),
            greedy: body.is_some_and(|body| body.get("temperature").and_then(Value::as_f64) == Some(0.0)),
            id: chat.id.clone(),
            prompt_tokens: chat.usage.as_ref().and_then(|usage| usage.prompt),
            finish: first.and_then(|choice| choice.finish_reason.clone()),
            call_ids: calls.iter().filter_map(|call| call.id.clone()).collect(),
            call_names: calls.iter().filter_map(|call| call.name.clone()).collect(),
            counters: if seen.call == Call::Metrics && seen.is_success() { ops::counters(seen.text) } else { Vec::new() },
            rewritable: !seen.asked.tools.is_empty()
                || messages
                    .into_iter()
                    .flatten()
                    .any(|message| REWRITTEN.iter().any(|key| message.get(*key).is_some_and(|value| !value.is_null()))),
            counted: seen.whole().filter(|_| seen.call == Call::Tokenize).and_then(|body| {
                let listed = || body.get("tokens")?.as_array().map(|tokens| tokens.len() as u64);
                let said = ["count", "input_tokens"].iter().find_map(|key| body.get(key)?.as_u64());
                said.or_else(listed)
            }),
            told: Told::of(seen),
        }
    }

    /// Whether it is a chat that was answered.
    pub fn is_answer(&self) -> bool {
        self.call == Some(Call::Chat) && self.status.is_some_and(|status| (200..300).contains(&status)) && self.complete
    }
}

/// Keys of a request that say nothing about what is answered.
const TRAVEL: &[&str] = &["messages", "input", "stream", "stream_options", "user", "metadata"];

/// Keys of a message that templates show in one place today and in another one later, or not at all.
const REWRITTEN: &[&str] = &["reasoning_content", "reasoning", "thinking", "tool_calls", "tool_call_id"];

/// The items of an input: a text is one.
fn items(input: Option<&Value>) -> Vec<&Value> {
    match input {
        Some(Value::Array(items)) => items.iter().collect(),
        input => input.into_iter().collect(),
    }
}

fn fingerprint(parts: impl Iterator<Item = String>) -> u64 {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
