//! What breaks HTTP around a reply: the connection, the length, the label, the status.

use bytes::Bytes;

use crate::contract::Call;
use crate::mutate::change::{bytes, header, no_header, status};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::{End, Exchange, TransportError, TransportKind};

family!(Encoding: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("connection-closed", &["W001"], "the connection closes before the status line", |good| {
        let lost = failed(good, TransportKind::NoReply, "the connection was closed before a reply");
        Some(Exchange { status: None, headers: Vec::new(), body: Bytes::new(), chunks: Vec::new(), ..lost })
    }),
    detect("connection-cut", &["W011"], "the connection is cut in the middle of the body", |good| {
        let half = bytes(good, good.exchange.body[..good.exchange.body.len() / 2].to_vec())?;
        let length = good.exchange.header("content-length").map(str::to_owned);
        let mut cut = Exchange { end: failed(good, TransportKind::Truncated, "the body was cut").end, ..half };
        for (_, value) in cut.headers.iter_mut().filter(|(name, _)| name == "content-length") {
            *value = Bytes::from(length.clone().unwrap_or_default());
        }
        Some(cut)
    }),
    detect("connection-cut-at-the-end", &["W011"], "the connection is cut where the body should have ended", |good| {
        (!good.exchange.body.is_empty()).then(|| failed(good, TransportKind::Truncated, "the body did not end"))
    }),
    detect("length-too-long", &["W011"], "content-length says more than came", |good| length(good, 99)),
    detect("length-too-short", &["W011"], "content-length says less than came", |good| length(good, -1)),
    detect("json-as-plain-text", &["W002"], "JSON calls itself plain text", |good| label(good, "text/plain; charset=utf-8")),
    detect("json-as-html", &["W002"], "JSON calls itself HTML", |good| label(good, "text/html; charset=utf-8")),
    detect("json-as-bytes", &["W002"], "JSON calls itself bytes of any kind", |good| label(good, "application/octet-stream")),
    detect("json-label-lost", &["W002"], "JSON has no label", |good| {
        (good.is_api() && good.body.is_some()).then(|| no_header(good, "content-type"))?
    }),
    detect("stream-as-json", &["W006"], "a stream calls itself JSON", |good| stream(good, "application/json")),
    detect("stream-as-plain-text", &["W006"], "a stream calls itself plain text", |good| stream(good, "text/plain")),
    detect("stream-as-lines", &["W006"], "a stream calls itself lines of JSON", |good| stream(good, "application/x-ndjson")),
    detect("stream-label-lost", &["W006"], "a stream has no label", |good| {
        good.stream().and_then(|_| no_header(good, "content-type"))
    }),
    detect("charset-latin-1", &["W200"], "the label says ISO 8859-1", |good| {
        let media = good.exchange.header("content-type").filter(|_| good.is_json() || good.stream().is_some())?;
        header(good, "content-type", &format!("{}; charset=iso-8859-1", media.split(';').next()?.trim()))
    }),
    detect("charset-utf-16", &["W200"], "the label says UTF-16", |good| {
        let media = good.exchange.header("content-type").filter(|_| good.is_json() || good.stream().is_some())?;
        header(good, "content-type", &format!("{}; charset=utf-16", media.split(';').next()?.trim()))
    }),
    detect("status-201", &["W202"], "a success has status 201", |good| success(good, 201)),
    detect("status-202", &["W202"], "a success has status 202", |good| success(good, 202)),
    detect("status-206", &["W202"], "a success has status 206", |good| success(good, 206)),
    detect("status-307", &["W203"], "a success has the status of a redirect", |good| success(good, 307)),
    detect("no-content", &["W202"], "a success has status 204 and no body", |good| {
        let empty = Exchange { body: Bytes::new(), chunks: Vec::new(), ..success(good, 204)? };
        Some(Exchange { headers: head(&empty, &["content-length", "content-type", "transfer-encoding"]), ..empty })
    }),
    detect("status-500-over-success", &["W280", "W281", "W154", "W155"], "a success has status 500", |good| success(good, 500)),
    detect("status-404-over-success", &["W280", "W281", "W154", "W155"], "a success has status 404", |good| success(good, 404)),
    detect("status-700", &["W282"], "the status is one that does not exist", |good| good.is_api().then(|| status(good, 700))?),
    detect("health-503", &["W169"], "the server says that it is not well", |good| {
        (good.call == Call::Health && good.is_success()).then(|| status(good, 503))?
    }),
    legal("headers-more", "there are more headers", |good| {
        let mut changed = good.exchange.clone();
        changed.headers.extend([("x-request-id", "r1"), ("openai-processing-ms", "12")].map(|(a, b)| (a.to_owned(), b.into())));
        Some(changed)
    }),
    legal("label-in-capitals", "the media type is in capitals, its charset in quotes", |good| {
        let media = good.exchange.header("content-type").filter(|_| good.is_json() || good.stream().is_some())?;
        header(good, "content-type", &format!("{};charset=\"utf-8\"", media.split(';').next()?.trim().to_ascii_uppercase()))
    }),
    legal("length-absent", "the reply ends with its connection", |good| {
        let names = ["content-length", "transfer-encoding"];
        names.iter().any(|name| good.exchange.header(name).is_some()).then(|| {
            let mut changed = Exchange { headers: head(good.exchange, &names), ..good.exchange.clone() };
            changed.headers.push(("connection".to_owned(), Bytes::from_static(b"close")));
            changed
        })
    }),
    legal("body-packed", "the body was packed on its way", |good| {
        let packed = good.exchange.body.len() / 2;
        let mut changed = header(good, "content-encoding", "gzip").filter(|_| packed > 0)?;
        for (_, value) in changed.headers.iter_mut().filter(|(name, _)| name == "content-length") {
            *value = Bytes::from(packed.to_string());
        }
        Some(changed)
    }),
];

fn failed(good: &Good<'_>, kind: TransportKind, message: &str) -> Exchange {
    Exchange { end: End::Failed(TransportError { kind, message: message.to_owned() }), ..good.exchange.clone() }
}

/// Headers without some.
fn head(exchange: &Exchange, without: &[&str]) -> Vec<(String, Bytes)> {
    exchange.headers.iter().filter(|(name, _)| !without.contains(&name.as_str())).cloned().collect()
}

/// A length that is not that of the body.
fn length(good: &Good<'_>, more: isize) -> Option<Exchange> {
    let plain = good.exchange.header("content-encoding").is_none() && !good.exchange.request.method.eq_ignore_ascii_case("head");
    let said = good.exchange.body.len().checked_add_signed(more).filter(|_| plain)?;
    header(good, "content-length", &said.to_string())
}

/// Another label of a JSON reply of the API.
fn label(good: &Good<'_>, media: &str) -> Option<Exchange> {
    (good.is_api() && good.is_json()).then(|| header(good, "content-type", media))?
}

/// Another label of a stream.
fn stream(good: &Good<'_>, media: &str) -> Option<Exchange> {
    good.stream().and_then(|_| header(good, "content-type", media))
}

/// Another status of a reply of the API that says that all is well.
fn success(good: &Good<'_>, code: u16) -> Option<Exchange> {
    (good.is_api() && good.is_success() && !good.exchange.body.is_empty()).then(|| status(good, code))?
}
