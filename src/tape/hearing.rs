//! What one exchange said, as its client sent and got it: [`Hearing`] → [`Passed`]. Bodies are kept up to a limit, and pass on
//! whatever their length.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use tokio::sync::watch;

use crate::event::ExchangeId;
use crate::wire::{Chunk, End, Exchange, Request, TransportError, Unpack, packed, too_long};

/// An exchange that went through a proxy.
#[derive(Debug, Clone)]
pub struct Passed {
    /// What was said. Where a body was longer than what is kept, its beginning, and the end says so.
    pub exchange: Exchange,
    /// How it ended, whatever was kept.
    pub end: End,
    /// Length of the request's body.
    pub asked: u64,
    /// Length of the reply's body, as it was on the wire.
    pub came: u64,
    /// Who answered.
    pub by: By,
}

/// Who answered a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The server.
    Server,
    /// A tape.
    Tape,
    /// The server, or somebody in its place, with this fault.
    Fault(String),
    /// Nobody: the tape has no such request, as it says here.
    Miss(String),
}

/// Takes exchanges that are over.
pub(super) type Ended = dyn Fn(Passed);

/// Listens to one exchange. One that is dropped before its end was hung up by the client.
pub(super) struct Hearing {
    inner: RefCell<Inner>,
    limit: usize,
    ended: Rc<Ended>,
    busy: Rc<watch::Sender<usize>>,
}

struct Inner {
    passed: Option<Passed>,
    question: BytesMut,
    answer: BytesMut,
    unpack: Unpack,
    /// Why the kept body is not the whole one.
    broken: Option<TransportError>,
}

/// Headers that belong to a connection or tell the length of a body.
pub(super) const OF_CONNECTION: &[&str] = &["host", "connection", "content-length", "transfer-encoding"];

impl Hearing {
    pub(super) fn begin(request: Request, limit: usize, ended: Rc<Ended>, busy: Rc<watch::Sender<usize>>) -> Self {
        busy.send_modify(|busy| *busy += 1);
        let exchange = Exchange::begun(ExchangeId(0), request, String::new());
        let passed = Passed { exchange, end: End::HungUp, asked: 0, came: 0, by: By::Server };
        let inner = Inner {
            passed: Some(passed),
            question: BytesMut::new(),
            answer: BytesMut::new(),
            unpack: Unpack::of(None),
            broken: None,
        };
        Self { inner: RefCell::new(inner), limit, ended, busy }
    }

    /// A piece of the request's body.
    pub(super) fn asked(&self, piece: &[u8]) {
        let mut inner = self.inner.borrow_mut();
        let room = self.limit.saturating_sub(inner.question.len());
        inner.question.extend_from_slice(&piece[..piece.len().min(room)]);
        if let Some(passed) = &mut inner.passed {
            passed.asked += piece.len() as u64;
        }
    }

    /// The request with what has come of its body.
    pub(super) fn request(&self) -> Request {
        let inner = self.inner.borrow();
        let request = inner.passed.as_ref().map(|passed| passed.exchange.request.clone()).unwrap_or_default();
        let body = (!inner.question.is_empty()).then(|| Bytes::copy_from_slice(&inner.question));
        Request { body, ..request }
    }

    /// The request as it goes on, and where it goes.
    pub(super) fn goes_on(&self, request: &Request, url: String) {
        if let Some(passed) = &mut self.inner.borrow_mut().passed {
            passed.exchange.request = Request { body: None, ..request.clone() };
            passed.exchange.url = url;
        }
    }

    /// Who will answer, where it is not the server.
    pub(super) fn answered_by(&self, by: By) {
        if let Some(passed) = &mut self.inner.borrow_mut().passed {
            passed.by = by;
        }
    }

    /// The head of the reply as the client gets it.
    pub(super) fn head(&self, status: u16, headers: Vec<(String, Bytes)>) {
        let mut inner = self.inner.borrow_mut();
        let coding = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
        inner.unpack = Unpack::of(coding.map(|(_, value)| &value[..]));
        if let Some(passed) = &mut inner.passed {
            let exchange = &mut passed.exchange;
            exchange.head_at = Some(exchange.sent.elapsed());
            exchange.status = Some(status);
            exchange.headers = headers;
        }
    }

    /// A piece of the reply's body as the client gets it.
    pub(super) fn came(&self, piece: &[u8]) {
        let mut inner = self.inner.borrow_mut();
        let Inner { passed: Some(passed), answer, unpack, broken, .. } = &mut *inner else { return };
        passed.came += piece.len() as u64;
        if broken.is_some() || self.limit == 0 {
            return;
        }
        match unpack.feed(piece) {
            Ok(piece) => {
                let room = self.limit - answer.len();
                answer.extend_from_slice(&piece[..piece.len().min(room)]);
                passed.exchange.chunks.push(Chunk { at: passed.exchange.sent.elapsed(), end: answer.len() });
                if room < piece.len() {
                    *broken = Some(too_long(self.limit));
                }
            }
            Err(error) => *broken = Some(packed(&error, answer.len())),
        }
    }

    /// Length of the reply so far.
    pub(super) fn length(&self) -> usize {
        let inner = self.inner.borrow();
        inner.passed.as_ref().map_or(0, |passed| usize::try_from(passed.came).unwrap_or(usize::MAX))
    }

    /// Whether the last event that came says that it is the last: libraries leave then, before the end of the framing.
    pub(super) fn said_all(&self) -> bool {
        said_all(&self.inner.borrow().answer)
    }

    /// The end; a second one changes nothing.
    pub(super) fn end(&self, end: End) {
        let mut inner = self.inner.borrow_mut();
        let Some(mut passed) = inner.passed.take() else { return };
        if end == End::Complete && inner.broken.is_none() {
            match inner.unpack.end() {
                Ok(rest) => inner.answer.extend(rest),
                Err(error) => inner.broken = Some(packed(&error, inner.answer.len())),
            }
        }
        let exchange = &mut passed.exchange;
        exchange.took = exchange.sent.elapsed();
        exchange.body = std::mem::take(&mut inner.answer).freeze();
        let question = std::mem::take(&mut inner.question).freeze();
        exchange.request.body = (!question.is_empty()).then_some(question);
        exchange.end = inner.broken.take().map_or_else(|| end.clone(), End::Failed);
        passed.end = end;
        drop(inner);
        (self.ended)(passed);
        self.busy.send_modify(|busy| *busy -= 1);
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        self.end(End::HungUp);
    }
}

/// Whether a stream's last event is the one after which nothing is expected.
fn said_all(body: &[u8]) -> bool {
    let body = body.trim_ascii_end();
    let from = memchr::memmem::rfind(body, b"\n\n").map_or(0, |at| at + 2);
    let last = [b"data: [DONE]".as_slice(), b"data:[DONE]", b"event: message_stop", b"event: response.completed"];
    last.iter().any(|word| body[from..].starts_with(word))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::wire::TransportKind;

    #[track_caller]
    fn check(body: &str, expect: bool) {
        assert_eq!(said_all(body.as_bytes()), expect, "{body:?}");
    }

    #[test]
    fn a_stream_says_that_it_said_all() {
        check("data: {}\n\ndata: [DONE]\n\n", true);
        check("data: [DONE]", true);
        check("event: message_stop\ndata: {}\n\n", true);
        check("data: {}\n\n", false);
        check("data: [DONE]\n\ndata: {}\n\n", false);
        check("", false);
    }

    /// What is heard of a reply in these pieces, with room for 8 bytes.
    fn heard(pieces: &[&str], end: End) -> Passed {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, busy) = (Arc::clone(&heard), Rc::new(watch::channel(0).0));
        let ended: Rc<Ended> = Rc::new(move |passed| kept.lock().unwrap().push(passed));
        let hearing = Hearing::begin(Request::get("/"), 8, ended, Rc::clone(&busy));
        hearing.head(200, Vec::new());
        for piece in pieces {
            hearing.came(piece.as_bytes());
        }
        assert_eq!(*busy.borrow(), 1);
        hearing.end(end);
        drop(hearing);
        assert_eq!(*busy.borrow(), 0);
        let mut heard = heard.lock().unwrap();
        assert_eq!(heard.len(), 1, "it ends once");
        heard.remove(0)
    }

    #[test]
    fn a_body_is_kept_up_to_the_limit() {
        let whole = heard(&["1234", "5678"], End::Complete);
        assert_eq!((&whole.exchange.body[..], whole.exchange.end), (b"12345678".as_slice(), End::Complete));
        let long = heard(&["123456", "789", "0"], End::Complete);
        assert_eq!((&long.exchange.body[..], long.came), (b"12345678".as_slice(), 10));
        assert!(matches!(long.exchange.end, End::Failed(error) if error.kind == TransportKind::TooLong));
        assert_eq!(long.end, End::Complete, "it passed whole all the same");
    }
}
