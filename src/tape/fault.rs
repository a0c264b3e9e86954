//! What can happen to a real reply on its way: [`Fault`] × reply → [`Script`] of what is written to the client.

use std::io::Write;
use std::sync::Arc;

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
    /// Each byte in a chunk of its own. Legal.
    Bytewise,
    /// The connection is dropped after this many events.
    DropAfter(usize),
    /// The reply ends after this many events, as if that were all.
    EndAfter(usize),
    /// Nothing more comes after this many events, and the connection stays.
    StallAfter(usize),
    /// The reply comes whole, and the connection, which stays, ends without an answer when the next request on it begins.
    Leave,
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

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bytewise => f.write_str("Bytewise"),
            Self::DropAfter(events) => write!(f, "DropAfter({events})"),
            Self::EndAfter(events) => write!(f, "EndAfter({events})"),
            Self::StallAfter(events) => write!(f, "StallAfter({events})"),
            Self::Leave => f.write_str("Leave"),
            Self::NoiseAfter(events) => write!(f, "NoiseAfter({events})"),
            Self::RepeatAfter(events) => write!(f, "RepeatAfter({events})"),
            Self::Double(event) => write!(f, "Double({event})"),
            Self::Swap(event) => write!(f, "Swap({event})"),
            Self::Longer(bytes) => write!(f, "Longer({bytes})"),
            Self::Pad(bytes) => write!(f, "Pad({bytes})"),
            Self::Nest(levels) => write!(f, "Nest({levels})"),
            Self::Fragment(count) => write!(f, "Fragment({count})"),
            Self::Gzip => f.write_str("Gzip"),
            Self::Edit(_) => f.write_str("Edit(…)"),
        }
    }
}

impl Fault {
    /// What is written to the client for this reply.
    pub(super) fn script(&self, reply: &Exchange) -> Script {
        let mut script = Script::of(reply);
        let writes = &mut script.writes;
        match self {
            Self::None => {}
            Self::Bytewise => *writes = writes.iter().flatten().map(|byte| vec![*byte]).collect(),
            Self::DropAfter(events) => {
                writes.truncate(*events);
                script.ending = Ending::Dropped;
            }
            Self::EndAfter(events) => writes.truncate(*events),
            Self::StallAfter(events) => {
                writes.truncate(*events);
                script.ending = Ending::Stalled;
            }
            Self::Leave => script.ending = Ending::Left,
            Self::NoiseAfter(events) => {
                writes.truncate(*events);
                writes.push(noise(4096));
            }
            Self::RepeatAfter(events) => {
                let again = writes.get(*events).or(writes.last()).cloned().unwrap_or_default();
                writes.truncate(*events);
                script.ending = Ending::Repeated(again);
            }
            Self::Double(event) => {
                if let Some(twin) = event.checked_sub(1).and_then(|at| writes.get(at)).cloned() {
                    writes.insert(*event, twin);
                }
            }
            Self::Swap(event) => {
                if *event > 0 && *event < writes.len() {
                    writes.swap(event - 1, *event);
                }
            }
            Self::Longer(bytes) => {
                script.framing = Framing::Length(writes.iter().map(Vec::len).sum::<usize>() + bytes);
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
        }
        script
    }
}

/// Bytes without meaning, the same each time.
fn noise(length: u32) -> Vec<u8> {
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
    fn check(fault: &Fault, media: &str, body: &str, writes: &str, ending: &Ending) {
        let script = fault.script(&reply_of(200, media, body.as_bytes()));
        let written: Vec<String> = script.writes.iter().map(|write| String::from_utf8_lossy(write).into_owned()).collect();
        assert_eq!(written.join("|"), writes, "{fault:?}");
        assert_eq!(&script.ending, ending, "{fault:?}");
    }

    #[test]
    fn faults_of_streams() {
        const ALL: &str = "data: {1}\n\ndata: {2}\n\ndata: {3}\n\n";
        let stream = |fault: &Fault, writes: &str, ending: &Ending| check(fault, "text/event-stream", ALL, writes, ending);
        stream(&Fault::None, "data: {1}\n\n|data: {2}\n\n|data: {3}\n\n", &Ending::Proper);
        stream(&Fault::DropAfter(1), "data: {1}\n\n", &Ending::Dropped);
        stream(&Fault::EndAfter(2), "data: {1}\n\n|data: {2}\n\n", &Ending::Proper);
        stream(&Fault::StallAfter(0), "", &Ending::Stalled);
        stream(&Fault::RepeatAfter(1), "data: {1}\n\n", &Ending::Repeated(b"data: {2}\n\n".to_vec()));
        stream(&Fault::Double(1), "data: {1}\n\n|data: {1}\n\n|data: {2}\n\n|data: {3}\n\n", &Ending::Proper);
        stream(&Fault::Swap(2), "data: {1}\n\n|data: {3}\n\n|data: {2}\n\n", &Ending::Proper);
        stream(&Fault::Swap(3), "data: {1}\n\n|data: {2}\n\n|data: {3}\n\n", &Ending::Proper);
        stream(&Fault::Pad(2), ":  \n\n|data: {1}\n\n|data: {2}\n\n|data: {3}\n\n", &Ending::Proper);
        check(&Fault::Bytewise, "text/event-stream", ":\n\n", ":|\n|\n", &Ending::Proper);
    }

    #[test]
    fn faults_of_whole_replies() {
        let whole = |fault: &Fault, writes: &str| check(fault, "application/json", r#"{"a":1}"#, writes, &Ending::Proper);
        whole(&Fault::Pad(3), r#"{   "a":1}"#);
        whole(&Fault::Nest(2), r#"{"nested":[[]],"a":1}"#);
        whole(&Fault::Edit(Arc::new(|body| body.truncate(2))), r#"{""#);
        let script = Fault::Longer(5).script(&reply_of(200, "application/json", b"{}"));
        assert_eq!(script.framing, Framing::Length(7));
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
