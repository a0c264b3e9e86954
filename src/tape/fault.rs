//! What can happen to a real reply on its way: [`Fault`].
//!
//! Most faults cut, repeat, reorder, pad or delay the server's own bytes. Those that stand for somebody else who answers in its
//! place (a limiter's status, a gateway's page) say so in their name. The text form is that of [`Fault::parse`].

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::script::{Ending, Framing, Script};
use crate::wire::Exchange;

/// A change of a body.
pub type Edit = dyn Fn(&mut Vec<u8>) + Send + Sync;

/// One corruption of a reply. Events are counted from 1; a whole reply is one event.
#[derive(Clone, Default)]
pub enum Fault {
    /// None: the reply as it came.
    #[default]
    None,
    /// The request goes on only after this time.
    Delay(Duration),
    /// The reply comes at so many bytes a second: to the client the server writes slowly, to the server the client reads slowly.
    SlowReply(u64),
    /// The request goes on at so many bytes a second: to the client the server reads slowly, to the server the client writes slowly.
    SlowRequest(u64),
    /// The reply lacks this header.
    Without(String),
    /// The reply comes whole, and the connection, which stays, ends without an answer when the next request on it begins.
    Leave,
    /// A limiter or gateway answers with this status and OpenAI's error body; the server is not asked.
    Status(u16, Option<u64>),
    /// A gateway answers with this status and a page of HTML; the server is not asked.
    Html(u16),
    /// What comes in place of the reply is no HTTP.
    Garbage,
    /// Each byte in a chunk of its own. Legal.
    Bytewise,
    /// The connection is dropped after this many events.
    CutAfter(usize),
    /// The connection is reset after this many events.
    ResetAfter(usize),
    /// After this many events the server's side of the connection is closed, and the client's stays open.
    HalfCloseAfter(usize),
    /// The reply ends after this many events, as if that were all.
    EndAfter(usize),
    /// Nothing more comes after this many events, and the connection stays.
    StallAfter(usize),
    /// Noise in place of what comes after this many events.
    NoiseAfter(usize),
    /// The event after this many comes over and over, without end.
    RepeatAfter(usize),
    /// The event of this number comes twice.
    Double(usize),
    /// The event of this number comes after the next one.
    Swap(usize),
    /// The length header promises this many bytes more than come.
    Longer(usize),
    /// The length header promises this many bytes fewer than come.
    Shorter(usize),
    /// The connection is dropped after this many bytes of the body, whose length header is right.
    CutAt(usize),
    /// This many blanks are added within the JSON, or as a comment before the events. Legal, as such.
    Pad(usize),
    /// A value nested this deeply is added to the first JSON object.
    Nest(usize),
    /// The arguments of the first streamed call get this many fragments more, each of one blank. Legal.
    Fragment(usize),
    /// Packed with gzip, piece by piece, though nobody asked. Legal.
    Gzip,
    /// Anything else: a change of the body.
    Edit(Arc<Edit>),
}

/// How a fault is written.
pub(super) enum Manner {
    /// The server's reply goes on as HTTP, with another head or at another pace.
    Http,
    /// Somebody else answers: status, headers and body.
    Answered(u16, Vec<(&'static str, String)>, String),
    /// Event by event, while they come.
    Events,
    /// The whole reply is needed first.
    Whole,
}

impl Fault {
    /// How it is written.
    pub(super) fn manner(&self) -> Manner {
        match self {
            Self::None | Self::Delay(_) | Self::SlowReply(_) | Self::SlowRequest(_) | Self::Without(_) | Self::Leave => {
                Manner::Http
            }
            Self::Status(status, retry) => answered(*status, *retry),
            Self::Html(status) => Manner::Answered(*status, vec![("content-type", "text/html".to_owned())], page(*status)),
            Self::Garbage
            | Self::Bytewise
            | Self::CutAfter(_)
            | Self::ResetAfter(_)
            | Self::HalfCloseAfter(_)
            | Self::EndAfter(_)
            | Self::StallAfter(_)
            | Self::NoiseAfter(_)
            | Self::RepeatAfter(_)
            | Self::Double(_)
            | Self::Swap(_) => Manner::Events,
            Self::Longer(_)
            | Self::Shorter(_)
            | Self::CutAt(_)
            | Self::Pad(_)
            | Self::Nest(_)
            | Self::Fragment(_)
            | Self::Gzip
            | Self::Edit(_) => Manner::Whole,
        }
    }

    /// What is written to the client for this whole reply.
    pub(super) fn script(&self, reply: &Exchange) -> Script {
        let mut script = Script::of(reply);
        let writes = &mut script.writes;
        let length = writes.iter().map(Vec::len).sum::<usize>();
        match self {
            Self::Longer(bytes) => script.framing = Framing::Length(length + bytes),
            Self::Shorter(bytes) => script.framing = Framing::Length(length.saturating_sub(*bytes)),
            Self::CutAt(bytes) => {
                let mut body = writes.concat();
                body.truncate(*bytes);
                *writes = vec![body];
                script.framing = Framing::Length(length);
                script.ending = Ending::Dropped;
            }
            Self::Pad(bytes) => pad(writes, *bytes),
            Self::Nest(levels) => {
                let nested = format!("\"nested\":{}{},", "[".repeat(*levels), "]".repeat(*levels));
                within_object(writes, nested.as_bytes());
            }
            Self::Fragment(count) => fragment(writes, *count),
            Self::Gzip => {
                script.headers.push(("content-encoding".to_owned(), Bytes::from_static(b"gzip")));
                gzip(writes);
            }
            Self::Edit(change) => {
                let mut body = writes.concat();
                change(&mut body);
                *writes = vec![body];
            }
            _ => {}
        }
        script
    }
}

/// A limiter's answer, as OpenAI words one.
fn answered(status: u16, retry: Option<u64>) -> Manner {
    let (kind, message) = match status {
        429 => ("rate_limit_error", "Rate limit reached; a fault of the test asked for this."),
        400..=499 => ("invalid_request_error", "Refused; a fault of the test asked for this."),
        _ => ("server_error", "The server is overloaded; a fault of the test asked for this."),
    };
    let code = if status == 429 { Value::from("rate_limit_exceeded") } else { Value::Null };
    let body = serde_json::json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(retry.map(|seconds| ("retry-after", seconds.to_string())));
    Manner::Answered(status, headers, body.to_string())
}

/// What gateways show when their server is away.
fn page(status: u16) -> String {
    let reason = hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    format!("<html>\n<head><title>{status} {reason}</title></head>\n<body><h1>{status} {reason}</h1></body>\n</html>\n")
}

/// Bytes without meaning, the same each time.
pub(super) fn noise(length: u32) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

/// Packs the pieces as one body, each so that it can be unpacked as it comes.
fn gzip(writes: &mut Vec<Vec<u8>>) {
    let mut pack = GzEncoder::new(Vec::new(), Compression::fast());
    for write in writes.iter_mut() {
        pack.write_all(write).and_then(|()| pack.flush()).expect("memory takes all");
        *write = std::mem::take(pack.get_mut());
    }
    writes.push(pack.finish().expect("memory takes all"));
}

/// Puts bytes after the first brace.
fn within_object(writes: &mut [Vec<u8>], bytes: &[u8]) {
    for write in writes {
        if let Some(at) = memchr::memchr(b'{', write) {
            write.splice(at + 1..=at, bytes.iter().copied()).for_each(drop);
            return;
        }
    }
}

fn pad(writes: &mut Vec<Vec<u8>>, bytes: usize) {
    if writes.first().is_some_and(|first| first.starts_with(b"data:")) {
        let mut comment = vec![b' '; bytes + 3];
        comment[0] = b':';
        comment[bytes + 1..].copy_from_slice(b"\n\n");
        writes.insert(0, comment);
    } else {
        within_object(writes, &vec![b' '; bytes]);
    }
}

/// The arguments of the first call of an event, where it has some.
fn arguments(event: &[u8]) -> Option<(Value, String)> {
    let data = event.strip_prefix(b"data: ")?;
    let frame: Value = serde_json::from_slice(data).ok()?;
    let text = frame.pointer("/choices/0/delta/tool_calls/0/function/arguments")?.as_str()?.to_owned();
    Some((frame, text))
}

/// Adds blanks after the brace that opens the arguments, in frames made of the server's own.
fn fragment(writes: &mut Vec<Vec<u8>>, count: usize) {
    let opens = |event: &Vec<u8>| arguments(event).is_some_and(|(_, text)| text.starts_with('{'));
    let Some(at) = writes.iter().position(opens) else { return };
    let Some((mut frame, text)) = arguments(&writes[at]) else { return };
    let call = &mut frame["choices"][0]["delta"]["tool_calls"][0];
    let mut open = call.clone();
    open["function"]["arguments"] = "{".into();
    let index = call["index"].clone();
    let part = |arguments: &str| serde_json::json!({"index": index, "function": {"arguments": arguments}});
    let mut event = |call: Value| {
        frame["choices"][0]["delta"]["tool_calls"][0] = call;
        format!("data: {frame}\n\n").into_bytes()
    };
    let first = event(open);
    let blank = event(part(" "));
    let mut all = vec![first];
    all.extend(std::iter::repeat_n(blank, count));
    if text.len() > 1 {
        all.push(event(part(&text[1..])));
    }
    writes.splice(at..=at, all).for_each(drop);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::reply_of;

    const STREAM: &[u8] = include_bytes!("../../tests/data/wire/llamacpp-tool.sse");

    #[track_caller]
    fn check(fault: &Fault, body: &str, writes: &str, framing: &Framing, ending: &Ending) {
        let media = if body.starts_with('{') { "application/json" } else { "text/event-stream" };
        let script = fault.script(&reply_of(200, media, body.as_bytes()));
        let written: Vec<String> = script.writes.iter().map(|write| String::from_utf8_lossy(write).into_owned()).collect();
        assert_eq!(written.join("|"), writes, "{fault:?}");
        assert_eq!((&script.framing, &script.ending), (framing, ending), "{fault:?}");
    }

    #[test]
    fn faults_that_need_the_whole_reply() {
        const EVENTS: &str = "data: {1}\n\ndata: {2}\n\n";
        const WHOLE: &str = r#"{"a":1}"#;
        let chunked = |fault: &Fault, body: &str, writes: &str| check(fault, body, writes, &Framing::Chunked, &Ending::Proper);
        chunked(&Fault::Pad(2), EVENTS, ":  \n\n|data: {1}\n\n|data: {2}\n\n");
        chunked(&Fault::Pad(3), WHOLE, r#"{   "a":1}"#);
        chunked(&Fault::Nest(2), WHOLE, r#"{"nested":[[]],"a":1}"#);
        chunked(&Fault::Edit(Arc::new(|body| body.truncate(2))), WHOLE, r#"{""#);
        check(&Fault::Longer(5), WHOLE, WHOLE, &Framing::Length(12), &Ending::Proper);
        check(&Fault::Shorter(5), WHOLE, WHOLE, &Framing::Length(2), &Ending::Proper);
        check(&Fault::CutAt(4), WHOLE, r#"{"a""#, &Framing::Length(7), &Ending::Dropped);
        check(&Fault::CutAt(12), EVENTS, "data: {1}\n\nd", &Framing::Length(22), &Ending::Dropped);
    }

    #[test]
    fn fragments_are_the_servers_own_and_join_to_the_same_arguments() {
        let mut exchange = reply_of(200, "text/event-stream", STREAM);
        let before = crate::wire::fold_chat(&exchange).tool_calls()[0].clone();
        let script = Fault::Fragment(1000).script(&exchange);
        exchange.body = script.writes.concat().into();
        let after = crate::wire::fold_chat(&exchange).tool_calls()[0].clone();
        assert!(after.pieces >= before.pieces + 1000, "{} after {}", after.pieces, before.pieces);
        assert_eq!((&after.id, &after.name), (&before.id, &before.name));
        assert_eq!(after.parsed().expect("JSON"), before.parsed().expect("JSON"));
    }
}
