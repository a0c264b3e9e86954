//! What is written to a client: head, pieces, and how it ends. Bytes of a real reply → [`Script`].

use bytes::Bytes;

use crate::wire::Exchange;

/// A reply to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// HTTP status.
    pub(super) status: u16,
    /// Headers, those of the connection and of the framing left out.
    pub(super) headers: Vec<(String, Bytes)>,
    /// How the length of the body is told.
    pub(super) framing: Framing,
    /// Pieces in order, each written by itself.
    pub(super) writes: Vec<Vec<u8>>,
    /// What comes after the last piece.
    pub(super) ending: Ending,
}

/// How the length of a body is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Framing {
    /// In chunks, one for each piece.
    Chunked,
    /// By a length header of this many bytes.
    Length(usize),
    /// Not at all: by its status, the reply has no body.
    Bodiless,
}

/// What comes after the last piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The end as the framing has it.
    Proper,
    /// The end of the connection.
    Dropped,
    /// Nothing, until the client leaves.
    Stalled,
    /// The end as the framing has it; the connection stays until the next request on it begins, and ends without an answer.
    Left,
    /// This piece again and again, until the client leaves.
    Repeated(Vec<u8>),
}

/// Headers that belong to one connection, or that the framing writes.
const OWN: &[&str] = &["connection", "keep-alive", "transfer-encoding", "content-length"];

impl Script {
    /// A reply as it came: in chunks, an event each.
    pub(super) fn of(reply: &Exchange) -> Self {
        let writes = if reply.is_event_stream() { events(&reply.body) } else { vec![reply.body.to_vec()] };
        Self { writes, ..Self::head_of(reply.status.unwrap_or(502), &reply.headers, Framing::Chunked) }
    }

    /// A reply of which only the head is known.
    pub(super) fn head_of(status: u16, headers: &[(String, Bytes)], framing: Framing) -> Self {
        let headers = headers.iter().filter(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str())).cloned().collect();
        Self { status, headers, framing, writes: Vec::new(), ending: Ending::Proper }
    }

    /// The head as bytes.
    pub(super) fn head(&self) -> Vec<u8> {
        let connection = if self.ending == Ending::Left { "" } else { "connection: close\r\n" };
        let mut head = format!("HTTP/1.1 {} Relayed\r\n{connection}", self.status).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(format!("{name}: ").as_bytes());
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        match self.framing {
            Framing::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
            Framing::Bodiless => head.extend_from_slice(b"\r\n"),
            Framing::Length(length) => head.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes()),
        }
        head
    }
}

/// Events with the blank line that closes each; what is not closed is the last one.
fn events(body: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    let mut rest = body;
    while let Some(at) = memchr::memmem::find(rest, b"\n\n") {
        list.push(rest[..at + 2].to_vec());
        rest = &rest[at + 2..];
    }
    if !rest.is_empty() {
        list.push(rest.to_vec());
    }
    list
}
