//! What does a reply hold? [`Exchange`] → [`Reading`]: its events and their JSON, or its body's JSON, read once for all that
//! fold and judge it.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::chat::{self, ChatReply};
use super::exchange::{Exchange, TransportKind, text_of};
use super::json::{self, Parsed, Value};
use super::responses::{self, ResponsesReply, is_response_address};
use super::sse::{self, EventStream};

/// One event of a stream, read as JSON.
#[derive(Debug)]
pub struct Frame<'a> {
    /// Number of the event, from 1.
    pub number: u64,
    /// Its data as JSON, or why it is none; `[DONE]` is no frame.
    pub json: Result<Parsed<'a>, serde_json::Error>,
}

impl<'a> Frame<'a> {
    /// Its value, where it is JSON.
    pub fn value(&self) -> Option<&Value<'a>> {
        self.json.as_ref().ok().map(|parsed| &parsed.value)
    }

    /// Whether it says that something went wrong: an `error` that is not empty, as SDKs read it.
    pub fn is_error(&self) -> bool {
        self.value().is_some_and(|value| {
            value.get("error").is_some_and(Value::is_truthy) || value.get("object").and_then(Value::as_str) == Some("error")
        })
    }
}

/// One reply, read once.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Bytes, headers, times.
    pub exchange: &'a Exchange,
    /// The events, where the body is a stream of them: by its label, unless it begins like the other kind.
    pub stream: Option<EventStream<'a>>,
    /// Its frames in order, `[DONE]` and events with empty data left out; of a reply that was cut for its length or its time
    /// only the first 10 000.
    pub frames: Vec<Frame<'a>>,
    /// The body as one JSON value, where it is no stream and not empty.
    pub body: Option<Result<Parsed<'a>, serde_json::Error>>,
    /// The body as text, replacement characters where it is not UTF-8.
    pub text: Cow<'a, str>,
    responses: OnceCell<Option<ResponsesReply>>,
}

/// Frames that are read of a reply that was cut for its length or its time: it has failed already, and its beginning says
/// what it was.
const ENOUGH: usize = 10_000;

impl<'a> Reading<'a> {
    /// Reads a reply, whatever came.
    pub fn of(exchange: &'a Exchange) -> Self {
        let streamed = looks_streamed(&exchange.body, exchange.is_event_stream()) && exchange.status.is_some();
        let stream = streamed.then(|| sse::read(&exchange.body));
        let events = (1..).zip(stream.iter().flat_map(|stream| &stream.events));
        let frames = events
            .take(if is_limited(exchange) { ENOUGH } else { usize::MAX })
            .filter(|(_, event)| !event.is_done() && !event.data.is_empty())
            .map(|(number, event)| Frame { number, json: json::parse_cow(&event.data) })
            .collect();
        let text = text_of(&exchange.body);
        let body = (!streamed && !text.trim().is_empty()).then(|| json::parse_cow(&text));
        Self { exchange, stream, frames, body, text, responses: OnceCell::new() }
    }

    /// Whether the body is a stream of events.
    pub fn streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// The reply folded in the one form that claims look at, whatever surface it came by.
    pub fn reply(&self) -> ChatReply {
        self.responses().map_or_else(|| self.chat(), ResponsesReply::to_chat)
    }

    /// Folds a reply of `/v1/responses`, once; `None` where another address was asked.
    pub fn responses(&self) -> Option<&ResponsesReply> {
        let fold = || {
            let exchange = self.exchange;
            is_response_address(&exchange.request.method, exchange.path()).then(|| responses::fold(self))
        };
        self.responses.get_or_init(fold).as_ref()
    }

    /// Folds a reply of `/v1/chat/completions`.
    pub fn chat(&self) -> ChatReply {
        chat::fold(self, chat::Surface::Chat)
    }

    /// Folds a reply of `/v1/completions`: the text of each choice is its content.
    pub fn completion(&self) -> ChatReply {
        chat::fold(self, chat::Surface::Completions)
    }
}

fn looks_streamed(body: &[u8], labelled: bool) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    let field = [b"data:".as_slice(), b"event:", b"id:", b"retry:", b":"].iter().any(|name| body.starts_with(name));
    if labelled { field || !matches!(body.first(), Some(b'{' | b'[' | b'<')) } else { field }
}

fn is_limited(exchange: &Exchange) -> bool {
    exchange.failure().is_some_and(|error| matches!(error.kind, TransportKind::TooLong | TransportKind::Timeout))
}
