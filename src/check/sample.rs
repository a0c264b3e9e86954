//! Exchanges for the tests of claims: values, as if they had come over the wire.

use std::time::Duration;

use crate::event::ExchangeId;
use crate::wire::{Chunk, Exchange, Request};

/// A whole JSON body that came in one read after 10 ms.
pub(crate) fn exchange(status: u16, body: &str) -> Exchange {
    Exchange {
        status: Some(status),
        headers: vec![("content-type".to_owned(), "application/json".into())],
        head_at: Some(Duration::from_millis(5)),
        body: body.to_owned().into(),
        chunks: vec![Chunk { at: Duration::from_millis(10), end: body.len() }],
        took: Duration::from_millis(10),
        ..Exchange::begun(ExchangeId(1), Request::default(), "http://127.0.0.1:1/v1/chat/completions".to_owned())
    }
}

/// A stream of these events, each in a read of its own, 10 ms apart; `[DONE]` is not added.
pub(crate) fn stream(events: &[&str]) -> Exchange {
    let mut body = String::new();
    let mut chunks = Vec::new();
    let mut at = Duration::ZERO;
    for event in events {
        body.extend(["data: ", event, "\n\n"]);
        at += Duration::from_millis(10);
        chunks.push(Chunk { at, end: body.len() });
    }
    let mut out = exchange(200, &body);
    out.headers = vec![("content-type".to_owned(), "text/event-stream".into())];
    (out.chunks, out.took) = (chunks, at);
    out
}

/// The event of one piece of text of choice 0.
pub(super) fn piece(text: &str) -> String {
    format!(
        r#"{{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{"role":"assistant","content":"{text}"}},"finish_reason":null}}]}}"#
    )
}

/// The event that ends choice 0.
pub(super) fn finish(reason: &str) -> String {
    format!(
        r#"{{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#
    )
}

/// A whole reply with these choices, as JSON, and more keys.
pub(crate) fn whole(choices: &str, more: &str) -> String {
    format!(r#"{{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{choices}]{more}}}"#)
}

/// One choice of a whole reply.
pub(super) fn choice(index: u32, text: &str, reason: &str) -> String {
    format!(r#"{{"index":{index},"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"{reason}"}}"#)
}
