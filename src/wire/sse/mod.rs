//! What events does this body hold, and what is odd about its framing? Bytes → [`EventStream`], as the WHATWG says.
//!
//! The standard's reader repairs and hides; this one repairs in the same way and reports each repair as a
//! [`FramingFault`]. Every event keeps its byte range, so that [`super::Exchange::arrival`] tells when it was complete.
//! **Source**: WHATWG HTML, "Server-sent events", parsing and interpretation.

mod counter;
mod reader;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use counter::EventCounter;
pub use reader::read;

/// The data that ends OpenAI's streams.
pub const DONE: &str = "[DONE]";

/// A body read as a stream of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventStream<'a> {
    /// Dispatched events in order, the end marker included.
    pub events: Vec<SseEvent<'a>>,
    /// What is odd, one entry per kind in order of first sight.
    pub faults: Vec<FramingFault>,
    /// Comment lines (keep-alives).
    pub comments: u64,
    /// The event that was begun at the end of the body and never closed; the standard drops it.
    pub tail: Option<SseEvent<'a>>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// `event:` where it has one that is not empty.
    pub name: Option<Cow<'a, str>>,
    /// `data:` lines joined with line feeds.
    pub data: Cow<'a, str>,
    /// Offset of its first field line.
    pub start: usize,
    /// Offset after the blank line that closed it.
    pub end: usize,
}

impl SseEvent<'_> {
    /// Whether this is the marker that ends a stream.
    pub fn is_done(&self) -> bool {
        self.data == DONE
    }

    /// Where it stands in the body.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// What is odd about the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FramingFaultKind {
    /// A byte order mark at the start.
    Bom,
    /// Bytes that are not UTF-8; read as replacement characters.
    BadUtf8,
    /// A zero character.
    Nul,
    /// A line ended by a carriage return alone.
    BareCr,
    /// A field that the standard does not know; a line of plain JSON is one as well.
    UnknownField,
    /// An `id:` line: some SDKs dispatch an empty event after it.
    Id,
    /// A `retry:` line whose value is not a number.
    BadRetry,
    /// A blank line after fields without data: nothing is dispatched.
    NoData,
    /// An event whose data is empty.
    EmptyData,
    /// Data that was never closed by a blank line; the standard drops it.
    Unterminated,
    /// An end marker that was never closed by a blank line; harmless.
    UnterminatedDone,
    /// An event after the end marker.
    AfterDone,
}

/// One kind of oddity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FramingFault {
    /// Which.
    pub kind: FramingFaultKind,
    /// Offset of the first one.
    pub offset: usize,
    /// How often it was seen.
    pub count: u64,
}
