//! Replies of a tape for a client that is not ours: [`Recorded`] → what is written, piece by piece, at a [`Pace`].

use std::borrow::Cow;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::bodies::{Download, Played};
use super::deck::Deck;
use super::entry::Recorded;
use super::hearing::{By, Hearing, OF_CONNECTION, Passed};
use super::key::{BLOTTED, CREDENTIALS};
use crate::event::ExchangeId;
use crate::wire::{End, Exchange, Request, TransportKind};

/// Type of the error that a client gets for a request that is not on the tape.
pub const NOT_ON_THE_TAPE: &str = "not_on_the_tape";

/// How fast the replies of a tape come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Pace {
    /// At once.
    #[default]
    None,
    /// So many times as fast as they were recorded.
    Times(f64),
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<f64>()) {
            ("none", _) => Ok(Self::None),
            ("recorded", _) => Ok(Self::Times(1.0)),
            (_, Ok(times)) if times.is_finite() && times > 0.0 => Ok(Self::Times(times)),
            _ => Err(format!("`{text}` is none of `none`, `recorded`, and a number: 2 is twice as fast as recorded")),
        }
    }
}

impl Pace {
    fn of(self, time: Duration) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Times(times) => time.div_f64(times),
        }
    }
}

/// A tape for clients that are not ours.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) deck: Arc<Deck>,
    pub(super) pace: Pace,
    /// Whether whose key a request carries is the server's business alone.
    pub(super) any_key: bool,
}

impl Player {
    /// What the tape answers; `None` where the server is to be asked.
    pub(super) fn answer(&self, request: &Request, hearing: &Rc<Hearing>) -> Option<Response<Download>> {
        match self.deck.reply(&self.known(request)) {
            Ok(None) => None,
            Ok(Some(recorded)) => {
                hearing.answered_by(By::Tape);
                Some(self.played(&recorded, hearing))
            }
            Err(miss) => {
                hearing.answered_by(By::Miss(miss.to_string()));
                let error =
                    serde_json::json!({"message": miss.to_string(), "type": NOT_ON_THE_TAPE, "param": null, "code": null});
                let headers = [("content-type", "application/json".to_owned())];
                Some(super::server::made(hearing, 400, &headers, serde_json::json!({"error": error}).to_string()))
            }
        }
    }

    /// Keeps what the server answered, where it did and all of it is there.
    pub(super) fn keep(&self, passed: &Passed) {
        let exchange = &passed.exchange;
        let kept = exchange.request.body.as_ref().map_or(0, Bytes::len) as u64;
        let is_there = !matches!(&exchange.end, End::Failed(error)
            if matches!(error.kind, TransportKind::TooLong | TransportKind::NotSent | TransportKind::Connect));
        if passed.by == By::Server && exchange.status.is_some() && is_there && kept == passed.asked {
            let request = self.known(&exchange.request).into_owned();
            self.deck.keep(&Exchange { request, ..exchange.clone() });
        }
    }

    /// A request as the tape knows it.
    fn known<'a>(&self, request: &'a Request) -> Cow<'a, Request> {
        if !self.any_key {
            return Cow::Borrowed(request);
        }
        let mut request = request.clone();
        request.headers.retain(|(name, _)| !CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()));
        Cow::Owned(request.header("authorization", BLOTTED))
    }

    fn played(&self, recorded: &Recorded, hearing: &Rc<Hearing>) -> Response<Download> {
        let exchange = recorded.exchange(ExchangeId(0), Request::default(), String::new());
        let mut response = Response::builder().status(exchange.status.unwrap_or(502));
        for (name, value) in headers(&exchange) {
            response = response.header(name, value);
        }
        let now = Instant::now();
        let pieces = pieces(&exchange).map(|(at, piece)| (now + self.pace.of(at), piece)).collect();
        let headers = response.headers_ref().into_iter().flatten();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())));
        // A stream is framed on this connection as it was on that of the server.
        let framing = exchange.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")).cloned();
        hearing.head(exchange.status.unwrap_or(502), headers.chain(framing).collect());
        let body = Download::Played(Box::new(Played::new(pieces, exchange.end.clone(), Rc::clone(hearing))));
        response.body(body).expect("a status and headers that were recorded")
    }
}

/// The headers of a recorded reply as they fit the body that was kept: unpacked, and of its own length.
fn headers(exchange: &Exchange) -> Vec<(HeaderName, HeaderValue)> {
    let valid = |(name, value): &(String, Bytes)| {
        Some((HeaderName::from_str(name).ok()?, HeaderValue::from_maybe_shared(value.clone()).ok()?))
    };
    let mut headers: Vec<_> = exchange.headers.iter().filter_map(valid).collect();
    headers
        .retain(|(name, _)| name != "content-encoding" && (name == "content-length" || !OF_CONNECTION.contains(&name.as_str())));
    let length = if exchange.end == End::Complete { Some(exchange.body.len()) } else { None };
    for (name, value) in &mut headers {
        if let (true, Some(length)) = (name == "content-length", length) {
            *value = HeaderValue::from(length);
        }
    }
    headers
}

/// The pieces of a recorded body with their times.
fn pieces(exchange: &Exchange) -> impl Iterator<Item = (Duration, Bytes)> {
    let mut from = 0;
    let rest = exchange.chunks.last().map_or(0, |last| last.end).min(exchange.body.len());
    let chunks = exchange.chunks.iter().filter_map(move |chunk| {
        let to = chunk.end.min(exchange.body.len());
        let piece = exchange.body.slice(from.min(to)..to);
        from = to;
        (!piece.is_empty()).then_some((chunk.at, piece))
    });
    // What was unpacked at the very end belongs to no read.
    let last = Some((exchange.took, exchange.body.slice(rest..))).filter(|(_, piece)| !piece.is_empty());
    chunks.chain(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Chunk, reply_of};

    #[test]
    fn paces() {
        assert_eq!("none".parse(), Ok(Pace::None));
        assert_eq!("recorded".parse(), Ok(Pace::Times(1.0)));
        assert_eq!("2".parse(), Ok(Pace::Times(2.0)));
        for bad in ["0", "-1", "nan", "inf", "fast"] {
            assert!(bad.parse::<Pace>().is_err(), "{bad}");
        }
        assert_eq!(Pace::Times(2.0).of(Duration::from_secs(3)), Duration::from_millis(1500));
        assert_eq!(Pace::None.of(Duration::from_secs(3)), Duration::ZERO);
    }

    #[test]
    fn pieces_are_those_of_the_reads() {
        let mut exchange = reply_of(200, "text/event-stream", b"abcdef");
        let at = Duration::from_millis;
        exchange.chunks = vec![Chunk { at: at(1), end: 2 }, Chunk { at: at(2), end: 2 }, Chunk { at: at(3), end: 5 }];
        exchange.took = at(9);
        let found: Vec<_> = pieces(&exchange).collect();
        let expect = [(at(1), "ab"), (at(3), "cde"), (at(9), "f")].map(|(at, piece)| (at, Bytes::from(piece)));
        assert_eq!(found, expect);
    }

    #[test]
    fn headers_fit_the_body_that_was_kept() {
        let mut exchange = reply_of(200, "application/json", b"{\"a\":1}");
        for (name, value) in [("content-encoding", "gzip"), ("content-length", "3"), ("transfer-encoding", "chunked"), ("x", "1")]
        {
            exchange.headers.push((name.to_owned(), Bytes::from(value)));
        }
        let found: Vec<String> =
            headers(&exchange).iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        assert_eq!(found, ["content-type: application/json", "content-length: 7", "x: 1"]);
    }
}
