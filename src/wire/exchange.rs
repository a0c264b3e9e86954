//! One request with its reply: [`Exchange`].

use std::borrow::Cow;
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
    /// Headers in order, as sent (the client adds only `host`, `content-length`, and `accept: */*` where there is none).
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Bytes>,
    /// Time limit for the whole exchange.
    pub timeout: Option<Duration>,
    /// How much of the reply is read.
    pub read: ReadPlan,
}

impl Request {
    /// A `GET` that accepts JSON.
    pub fn get(target: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), target: target.into(), ..Self::default() }.header("accept", "application/json")
    }

    /// A `POST` of a JSON value; a body that asks for a stream accepts events as well.
    pub fn post_json(target: impl Into<String>, body: &serde_json::Value) -> Self {
        let streams = body.get("stream").and_then(serde_json::Value::as_bool) == Some(true);
        let accept = if streams { "text/event-stream, application/json" } else { "application/json" };
        Self::post_raw(target, "application/json", body.to_string()).header("accept", accept)
    }

    /// A `POST` of any bytes under any media type: broken JSON, say.
    pub fn post_raw(target: impl Into<String>, content_type: &str, body: impl Into<Bytes>) -> Self {
        let request = Self { method: "POST".to_owned(), target: target.into(), body: Some(body.into()), ..Self::default() };
        request.header("content-type", content_type)
    }

    /// Adds a header after those that are there.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds `authorization: Bearer …`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Limits the time of the whole exchange.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Says how much of the reply is read.
    #[must_use]
    pub fn read(mut self, plan: ReadPlan) -> Self {
        self.read = plan;
        self
    }
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
    /// The request could not be written down: a bad address, method or header. Nothing was sent.
    NotSent,
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
    /// The body was longer than we are willing to keep; what came before the limit is there.
    TooLong,
}

/// A transport failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// Kind.
    pub kind: TransportKind,
    /// One line, cause included.
    pub message: String,
}

/// One request with its reply. Everything that came is here unchanged, but that a packed body is unpacked.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Number in the run.
    pub id: ExchangeId,
    /// What was sent.
    pub request: Request,
    /// Whole address.
    pub url: String,
    /// When it was sent; the last time, where it was sent again.
    pub sent: Instant,
    /// Why it was sent again: the connection that was kept after a stream was closed before an answer.
    pub resent: Option<String>,
    /// HTTP status, when a head came.
    pub status: Option<u16>,
    /// Headers in order, values as bytes; names in lower case, values of one name together.
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
    /// A request that is being sent, and nothing of its reply yet.
    pub fn begun(id: ExchangeId, request: Request, url: String) -> Self {
        Self {
            id,
            request,
            url,
            sent: Instant::now(),
            resent: None,
            status: None,
            headers: Vec::new(),
            head_at: None,
            body: Bytes::new(),
            chunks: Vec::new(),
            end: End::Complete,
            took: Duration::ZERO,
        }
    }

    /// First value of a header, name without case, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)?;
        std::str::from_utf8(value).ok()
    }

    /// The path that it went to, without what stands before and behind it.
    pub fn path(&self) -> &str {
        let address = if self.url.is_empty() { &self.request.target } else { &self.url };
        let path = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
    }

    /// Whether the reply calls itself a stream of events.
    pub fn is_event_stream(&self) -> bool {
        self.header("content-type").is_some_and(|value| {
            value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
        })
    }

    /// The body as one JSON value.
    pub fn json(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The transport failure, where there was one.
    pub fn failure(&self) -> Option<&TransportError> {
        match &self.end {
            End::Failed(error) => Some(error),
            End::Complete | End::HungUp => None,
        }
    }

    /// When the byte at this offset of the body had arrived.
    pub fn arrival(&self, offset: usize) -> Option<Duration> {
        let at = self.chunks.partition_point(|chunk| chunk.end <= offset);
        self.chunks.get(at).map(|chunk| chunk.at)
    }
}

/// Bytes as text, replacement characters where they are not UTF-8. The strict reader comes first: it is many times faster
/// than the lossy one, and nearly always enough.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A complete reply that came in one read, for tests of what reads it.
#[cfg(test)]
pub(crate) fn reply_of(status: u16, media: &str, body: &[u8]) -> Exchange {
    Exchange {
        status: Some(status),
        headers: vec![("content-type".to_owned(), Bytes::copy_from_slice(media.as_bytes()))],
        head_at: Some(Duration::from_millis(5)),
        body: Bytes::copy_from_slice(body),
        chunks: vec![Chunk { at: Duration::from_millis(10), end: body.len() }],
        took: Duration::from_secs(1),
        ..Exchange::begun(ExchangeId(1), Request::default(), String::new())
    }
}
