//! One request with its reply: [`Exchange`].

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::event::ExchangeId;

/// What is sent.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ….
    pub method: String,
    /// Path below the base address (`/v1/chat/completions`) or a whole address.
    pub target: String,
    /// Headers in order, as sent (the client adds only `host` and `content-length`).
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Bytes>,
    /// Time limit for the whole exchange.
    pub timeout: Option<Duration>,
    /// How much of the reply is read.
    pub read: ReadPlan,
}

/// How much of a reply is read before we hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadPlan {
    /// All of it.
    #[default]
    All,
    /// Hang up after this many stream events.
    Events(u64),
    /// Hang up after this time.
    For(Duration),
}

/// One network read. **Units**: `at` after the request was sent; `end` is the length of the body after this read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// When it arrived.
    pub at: Duration,
    /// Body length so far, bytes.
    pub end: usize,
}

/// How the reply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The message was complete by its framing.
    Complete,
    /// We hung up as the [`ReadPlan`] says.
    HungUp,
    /// The transport failed.
    Failed(TransportError),
}

/// What kind of transport failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportKind {
    /// No connection.
    Connect,
    /// Time limit reached.
    Timeout,
    /// Cut before a response head.
    NoReply,
    /// Cut in the body: chunk framing or length says more was to come.
    Truncated,
    /// Not HTTP.
    Malformed,
}

/// A transport failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Kind.
    pub kind: TransportKind,
    /// One line, cause included.
    pub message: String,
}

/// One request with its reply. Everything that came is here unchanged.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Number in the run.
    pub id: ExchangeId,
    /// What was sent.
    pub request: Request,
    /// Whole address.
    pub url: String,
    /// When it was sent.
    pub sent: Instant,
    /// HTTP status, when a head came.
    pub status: Option<u16>,
    /// Headers in order, values as bytes.
    pub headers: Vec<(String, Bytes)>,
    /// Time to the response head.
    pub head_at: Option<Duration>,
    /// Body as it came.
    pub body: Bytes,
    /// Network reads.
    pub chunks: Vec<Chunk>,
    /// How it ended.
    pub end: End,
    /// Time to the end.
    pub took: Duration,
}

impl Exchange {
    /// First value of a header, name without case, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)?;
        std::str::from_utf8(value).ok()
    }

    /// Whether the reply calls itself a stream of events.
    pub fn is_event_stream(&self) -> bool {
        self.header("content-type").is_some_and(|value| {
            value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
        })
    }

    /// When the byte at this offset of the body had arrived.
    pub fn arrival(&self, offset: usize) -> Option<Duration> {
        let at = self.chunks.partition_point(|chunk| chunk.end <= offset);
        self.chunks.get(at).map(|chunk| chunk.at)
    }
}
