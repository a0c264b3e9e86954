//! One exchange, prepared once for all rules: [`Seen`]. The reading and the folded form are the steps' own.

use std::ops::Range;

use super::asked::{self, Asked, Call, Format};
use super::excerpt;
use super::judge::Context;
use super::rule::Surface;
use crate::wire::json::{Parsed, Value};
use crate::wire::sse::{EventStream, SseEvent};
use crate::wire::{ChatReply, End, Exchange, Frame, Reading, ResponsesReply, TransportKind};

/// One exchange, prepared once.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Bytes, headers, times.
    pub exchange: &'a Exchange,
    /// Folded as a chat reply, or as claims look at it where another surface was asked.
    pub chat: &'a ChatReply,
    /// Folded as a reply of the Responses API, where that was asked.
    pub responses: Option<&'a ResponsesReply>,
    /// What is known of the stack.
    pub context: &'a Context<'a>,
    /// Which call it is.
    pub call: Call,
    /// What was asked.
    pub asked: Asked,
    /// The events, where the body is a stream of them.
    pub stream: Option<&'a EventStream<'a>>,
    /// Its frames in order.
    pub frames: &'a [Frame<'a>],
    /// The body as one JSON value, where it is no stream and not empty.
    pub body: Option<&'a Result<Parsed<'a>, serde_json::Error>>,
    /// The body as text.
    pub text: &'a str,
}

impl<'a> Seen<'a> {
    /// Prepares an exchange.
    pub fn of(reading: &'a Reading<'a>, chat: &'a ChatReply, context: &'a Context<'a>) -> Self {
        let Reading { exchange, stream, frames, body, text, .. } = reading;
        let call = asked::call(exchange);
        let asked = Asked::of(exchange, &call, context.key, context.models);
        let responses = reading.responses();
        Self { exchange, chat, responses, context, call, asked, stream: stream.as_ref(), frames, body: body.as_ref(), text }
    }

    /// Whether the body is a stream of events.
    pub fn streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether the reply says that all is well.
    pub fn is_success(&self) -> bool {
        self.exchange.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the reply says that something went wrong.
    pub fn is_failure(&self) -> bool {
        self.exchange.status.is_some_and(|status| status >= 400)
    }

    /// Whether it is we who ended the reply, by plan or by a limit: then it is not judged for what is missing at its end.
    pub fn cut_by_us(&self) -> bool {
        match &self.exchange.end {
            End::Complete => false,
            End::HungUp => true,
            End::Failed(error) => matches!(
                error.kind,
                TransportKind::Timeout | TransportKind::TooLong | TransportKind::NotSent | TransportKind::Connect
            ),
        }
    }

    /// The body as an object, where it is a successful whole reply.
    pub fn whole(&self) -> Option<&Value<'a>> {
        let value = &self.body.as_ref()?.as_ref().ok()?.value;
        (self.is_success() && value.is_object()).then_some(value)
    }

    /// Whether this is a chat reply that can be judged as one: a success, with a choice or a stream.
    pub fn is_chat(&self) -> bool {
        self.call == Call::Chat && self.is_success() && !self.exchange.body.is_empty()
    }

    /// What it shows: rules about these had the occasion to be broken.
    pub fn surfaces(&self) -> Vec<Surface> {
        let choice = self.chat.first();
        let shown = [
            (Surface::Http, self.exchange.status.is_some()),
            (Surface::Sse, self.streamed()),
            (Surface::Chat, self.is_chat()),
            (Surface::Stream, self.is_chat() && self.streamed()),
            (Surface::Tools, self.call == Call::Chat && !self.chat.tool_calls().is_empty()),
            (Surface::Schema, self.is_chat() && (!self.asked.tools.is_empty() || self.asked.format != Format::Text)),
            (Surface::Reasoning, self.is_chat() && choice.is_some_and(|choice| choice.reasoning.is_some())),
            (Surface::Errors, self.is_failure()),
            (Surface::Models, matches!(self.call, Call::Models | Call::Model(_))),
            (Surface::Operations, matches!(self.call, Call::Health | Call::Metrics)),
            (Surface::Tokens, self.call == Call::Tokenize),
            (Surface::Responses, self.responses.is_some() && self.is_success()),
        ];
        shown.into_iter().filter(|(_, shown)| *shown).map(|(surface, _)| surface).collect()
    }

    /// Whether an error frame came in the stream.
    pub fn failed_in_stream(&self) -> bool {
        self.streamed() && self.chat.error.is_some()
    }

    /// Events of the stream with their numbers, from 1.
    pub fn events(&self) -> impl Iterator<Item = (u64, &SseEvent<'a>)> {
        (1..).zip(self.stream.iter().flat_map(|stream| &stream.events))
    }

    /// The event of this number.
    pub(super) fn event(&self, number: u64) -> Option<&SseEvent<'a>> {
        self.stream?.events.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The byte range of a path in an event.
    pub(super) fn range_of(&self, number: u64, path: &str) -> Option<Range<usize>> {
        let range = self.event(number)?.range();
        if path.is_empty() {
            return Some(range);
        }
        Some(excerpt::locate(&self.exchange.body, range, path))
    }
}
