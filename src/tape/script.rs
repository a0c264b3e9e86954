//! What is written to a client past hyper: head, pieces, and how it ends. Bytes of a real reply → [`Script`].

use bytes::Bytes;
use hyper::StatusCode;

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
}

/// What comes after the last piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The end as the framing has it.
    Proper,
    /// The end of the connection.
    Dropped,
    /// The connection is reset.
    Reset,
    /// The end of what we say, while the client may go on.
    HalfClosed,
    /// Nothing, until the client leaves.
    Stalled,
    /// Noise, then the end as the framing has it.
    Noise,
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

    /// All headers as they are written.
    pub(super) fn all_headers(&self) -> Vec<(String, Bytes)> {
        let mut headers = vec![("connection".to_owned(), Bytes::from_static(b"close"))];
        headers.extend(self.headers.iter().cloned());
        headers.push(match self.framing {
            Framing::Chunked => ("transfer-encoding".to_owned(), Bytes::from_static(b"chunked")),
            Framing::Length(length) => ("content-length".to_owned(), length.to_string().into()),
        });
        headers
    }

    /// The head as bytes.
    pub(super) fn head(&self) -> Vec<u8> {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default();
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status).into_bytes();
        for (name, value) in self.all_headers() {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(&value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}

impl Framing {
    /// A piece as it is on the wire.
    pub(super) fn piece(&self, piece: &[u8]) -> Vec<u8> {
        match self {
            Self::Length(_) => piece.to_vec(),
            // A chunk of no bytes would be the last one.
            Self::Chunked if piece.is_empty() => Vec::new(),
            Self::Chunked => {
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.extend_from_slice(piece);
                chunk.extend_from_slice(b"\r\n");
                chunk
            }
        }
    }

    /// The end of the body.
    pub(super) fn end(&self) -> &'static [u8] {
        match self {
            Self::Chunked => b"0\r\n\r\n",
            Self::Length(_) => b"",
        }
    }
}

/// Where the first event of a stream ends, with the blank line that closes it.
pub(super) fn event_end(stream: &[u8]) -> Option<usize> {
    let plain = memchr::memmem::find(stream, b"\n\n").map(|at| at + 2);
    let with_returns = memchr::memmem::find(stream, b"\r\n\r\n").map(|at| at + 4);
    plain.into_iter().chain(with_returns).min()
}

/// Events with the blank line that closes each; what is not closed is the last one.
fn events(body: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    let mut rest = body;
    while let Some(end) = event_end(rest) {
        list.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        list.push(rest.to_vec());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], framing: Framing, expect: &str) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), Bytes::from((*value).to_owned()))).collect();
        assert_eq!(String::from_utf8(Script::head_of(status, &headers, framing).head()).unwrap(), expect);
    }

    #[test]
    fn the_head_is_the_servers_but_for_the_connection() {
        check(
            200,
            &[("Content-Type", "a/b"), ("Connection", "keep-alive"), ("Content-Length", "3"), ("X-Id", "7")],
            Framing::Length(5),
            "HTTP/1.1 200 OK\r\nconnection: close\r\nContent-Type: a/b\r\nX-Id: 7\r\ncontent-length: 5\r\n\r\n",
        );
        check(
            599,
            &[("transfer-encoding", "chunked")],
            Framing::Chunked,
            "HTTP/1.1 599 \r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        );
    }

    #[test]
    fn events_end_with_a_blank_line() {
        let split = |body: &str| -> Vec<String> {
            events(body.as_bytes()).into_iter().map(|event| String::from_utf8(event).unwrap()).collect()
        };
        assert_eq!(split("data: 1\n\ndata: 2\r\n\r\ndata"), ["data: 1\n\n", "data: 2\r\n\r\n", "data"]);
    }
}
