//! A recorded exchange, read once for all operators: [`Good`].

use serde_json::Value;

use crate::contract::{Asked, Call, Context, Seen};
use crate::wire::{ChatReply, End, Exchange, Reading};

/// One event of a stream.
#[derive(Debug)]
pub(super) struct Event<'a> {
    /// All of its bytes as text, with the comments before it and the blank line after it.
    pub(super) raw: &'a str,
    /// Its data, where it is JSON.
    pub(super) data: Option<Value>,
}

/// A recorded exchange that ended as it should, read once.
#[derive(Debug)]
pub struct Good<'a> {
    /// As it was recorded.
    pub exchange: &'a Exchange,
    /// Which call it is.
    pub(super) call: Call,
    /// What was asked.
    pub(super) asked: Asked,
    /// The reply, folded.
    pub(super) reply: ChatReply,
    /// The body as text.
    pub(super) text: &'a str,
    /// The body, where it is JSON.
    pub(super) body: Option<Value>,
    /// The events, where it is a stream of them; what stands behind the last one is one more.
    events: Option<Vec<Event<'a>>>,
}

impl<'a> Good<'a> {
    /// Reads an exchange; `None` for one that did not end by itself or is no text, which operators have nothing to say about.
    pub fn of(exchange: &'a Exchange) -> Option<Self> {
        if exchange.status.is_none() || exchange.end != End::Complete {
            return None;
        }
        let text = std::str::from_utf8(&exchange.body).ok()?;
        let reading = Reading::of(exchange);
        let reply = reading.reply();
        let Seen { call, asked, .. } = Seen::of(&reading, &reply, &Context::default());
        let body = if reading.streamed() { None } else { serde_json::from_str(text).ok() };
        let events = reading.stream.as_ref().map(|stream| {
            let mut before = 0;
            let mut list: Vec<Event<'_>> = Vec::with_capacity(stream.events.len() + 1);
            for event in &stream.events {
                let data = serde_json::from_str(&event.data).ok();
                list.push(Event { raw: &text[before..event.end], data });
                before = event.end;
            }
            if before < text.len() {
                list.push(Event { raw: &text[before..], data: None });
            }
            list
        });
        Some(Self { exchange, call, asked, reply, text, body, events })
    }

    /// Whether the status says that all is well.
    pub(super) fn is_success(&self) -> bool {
        self.exchange.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it is a reply of the API itself, which is JSON or events.
    pub(super) fn is_api(&self) -> bool {
        matches!(self.call, Call::Chat | Call::Completions | Call::Models | Call::Model(_) | Call::Tokenize)
    }

    /// Whether the body calls itself JSON, and is.
    pub(super) fn is_json(&self) -> bool {
        let label = self.exchange.header("content-type").unwrap_or_default();
        self.body.is_some() && label.split(';').next().is_some_and(|media| media.trim() == "application/json")
    }

    /// Whether it is a whole answer to a chat.
    pub(super) fn is_chat(&self) -> bool {
        self.call == Call::Chat && self.is_success() && self.reply.is_complete()
    }

    /// The body of a whole answer to a chat.
    pub(super) fn whole(&self) -> Option<&Value> {
        self.body.as_ref().filter(|_| self.is_chat())
    }

    /// The events of an answer to a chat that was streamed to its end.
    pub(super) fn stream(&self) -> Option<&[Event<'a>]> {
        self.events.as_deref().filter(|_| self.is_chat())
    }

    /// The body of an error reply.
    pub(super) fn error(&self) -> Option<&Value> {
        self.body.as_ref().filter(|_| self.exchange.status.is_some_and(|status| status >= 400))
    }

    /// The body of a list of models.
    pub(super) fn models(&self) -> Option<&Value> {
        self.body.as_ref().filter(|_| self.call == Call::Models && self.is_success())
    }

    /// Text of the first choice; `None` where it is empty or there are calls beside it.
    pub(super) fn said(&self) -> Option<&str> {
        let choice = self.reply.first().filter(|_| self.is_chat())?;
        choice.content.as_deref().filter(|text| !text.is_empty() && choice.tool_calls.is_empty())
    }

    /// Why the first choice finished.
    pub(super) fn finish(&self) -> Option<&str> {
        self.reply.first()?.finish_reason.as_deref()
    }

    /// One of the counts of usage.
    pub(super) fn count(&self, key: &str) -> Option<u64> {
        self.reply.usage.as_ref()?.raw.get(key)?.as_u64()
    }

    /// Choices that were asked for.
    pub(super) fn n(&self) -> u64 {
        self.asked.n.unwrap_or(1)
    }
}
