//! Claims about how a reply travelled.

use super::{Held, Said, broken, counted, status};
use crate::event::Whose;
use crate::wire::sse::{FramingFault, FramingFaultKind};
use crate::wire::{ChatReply, End, Exchange, FoldFaultKind};

const KIND: &str = "assert.stream";

/// The text of the first choice came in at least so many pieces.
pub fn at_least_pieces(reply: &ChatReply, said: &Said<'_>, bound: u64) -> Held {
    let pieces = pieces(reply);
    if said.is_reply() && reply.streamed && pieces >= bound {
        return Ok(());
    }
    let wanted = format!("at least {}", counted(bound, "piece"));
    broken(KIND, Whose::Capability, format!("the reply came in {wanted}"), wanted, shown(reply, said))
}

/// The text came in one piece, streamed or whole.
pub fn one_piece(reply: &ChatReply, said: &Said<'_>) -> Held {
    if said.is_reply() && (!reply.streamed || pieces(reply) == 1) {
        return Ok(());
    }
    broken(KIND, Whose::Capability, "the reply came in one piece", "one piece", shown(reply, said))
}

/// A stream of events under its media type, each one JSON, framed as the standard says, with a finish reason for every
/// choice, no error and nothing after the end marker.
pub fn well_formed(exchange: &Exchange, reply: &ChatReply) -> Held {
    let faults = stream_faults(exchange, reply);
    if faults.is_empty() {
        return Ok(());
    }
    let expected = "a stream of events, each one JSON, with a finish reason for every choice";
    broken(KIND, Whose::Wire, format!("the stream is well-formed: {}", faults[0]), expected, faults.join("\n"))
}

/// The last event is `[DONE]`.
pub fn ends_with_done(exchange: &Exchange, reply: &ChatReply) -> Held {
    if reply.streamed && reply.done_marker {
        return Ok(());
    }
    let actual = if reply.streamed {
        format!("{} and no [DONE]", counted(reply.events, "event"))
    } else {
        format!("no stream; the server answered {}", status::shown(exchange))
    };
    broken(KIND, Whose::Wire, "the stream ends with [DONE]", "data: [DONE] at the end", actual)
}

/// A whole stream, or an error that says why it is none, in the stream or in its place.
pub fn whole_or_told(exchange: &Exchange, reply: &ChatReply) -> Held {
    if reply.error.is_some() {
        return Ok(());
    }
    let faults = stream_faults(exchange, reply);
    if faults.is_empty() {
        return Ok(());
    }
    let expected = "a finish reason for every choice, or an error";
    let actual = format!("{}; {}", counted(reply.events, "event"), faults.join("; "));
    broken(KIND, Whose::Wire, "the stream ends whole or with an error", expected, actual)
}

/// The response is one body, not a stream of events.
pub fn is_not_a_stream(exchange: &Exchange, reply: &ChatReply) -> Held {
    if exchange.status.is_some() && !reply.streamed && !exchange.is_event_stream() {
        return Ok(());
    }
    let actual = match exchange.status {
        Some(_) => format!("{}, {}", exchange.header("content-type").unwrap_or("no media type"), counted(reply.events, "event")),
        None => status::shown(exchange),
    };
    broken(KIND, Whose::Wire, "the response is not a stream", "one body", actual)
}

fn stream_faults(exchange: &Exchange, reply: &ChatReply) -> Vec<String> {
    if !reply.streamed {
        return vec![format!("it is no stream; the server answered {}", status::shown(exchange))];
    }
    let mut faults = Vec::new();
    let media = exchange.header("content-type").unwrap_or("none");
    if !exchange.is_event_stream() {
        faults.push(format!("its media type is {media}, not text/event-stream"));
    }
    let harmless = |fault: &&FramingFault| fault.kind == FramingFaultKind::UnknownField && !holds_payload(exchange, fault.offset);
    let framing = reply.framing.iter().filter(|fault| !harmless(fault));
    faults.extend(framing.filter_map(|fault| self::framing(fault.kind).map(|what| format!("{what}, at byte {}", fault.offset))));
    let folded = reply.faults.iter().filter(|fault| breaks_form(fault.kind));
    faults.extend(folded.map(|fault| format!("event {}: {}", fault.event, fault.message)));
    if let Some(error) = &reply.error {
        faults.push(format!("it carries an error: {}", error.message));
    }
    if let End::Failed(error) = &exchange.end {
        faults.push(format!("it did not end: {}", error.message));
    } else if exchange.end == End::Complete && !reply.is_complete() && reply.error.is_none() {
        faults.push(if reply.choices.is_empty() {
            "it has no choices".to_owned()
        } else {
            "a choice has no finish reason".to_owned()
        });
    }
    faults
}

/// Whether the line at this place holds an object: a field that the standard does not know is skipped by clients, and with it
/// what it holds.
fn holds_payload(exchange: &Exchange, offset: usize) -> bool {
    let rest = exchange.body.get(offset..).unwrap_or_default();
    rest.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).any(|byte| *byte == b'{')
}

/// Framing that loses or garbles something; what the standard repairs without loss is nobody's fault.
fn framing(kind: FramingFaultKind) -> Option<&'static str> {
    match kind {
        FramingFaultKind::BadUtf8 => Some("it has bytes that are not UTF-8"),
        FramingFaultKind::UnknownField => Some("it has a payload on a line that is no field of an event"),
        FramingFaultKind::Unterminated => Some("its last event is not closed by a blank line"),
        FramingFaultKind::AfterDone => Some("it has an event after [DONE]"),
        _ => None,
    }
}

fn breaks_form(kind: FoldFaultKind) -> bool {
    matches!(kind, FoldFaultKind::NotJson | FoldFaultKind::NotAnObject | FoldFaultKind::WrongType | FoldFaultKind::AfterFinish)
}

fn pieces(reply: &ChatReply) -> u64 {
    reply.first().map_or(0, |choice| choice.content_pieces)
}

fn shown(reply: &ChatReply, said: &Said<'_>) -> String {
    match &said.instead {
        Some(instead) => instead.clone(),
        None if !reply.streamed => format!("the reply is not a stream: {}", said.shown()),
        None => format!("{}: {}", counted(pieces(reply), "piece"), said.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, finish, piece, stream, whole};
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(exchange: &Exchange, expect: [bool; 6]) {
        let reply = fold_chat(exchange);
        let said = Said::of(&reply, exchange);
        let seen = [
            at_least_pieces(&reply, &said, 2),
            one_piece(&reply, &said),
            well_formed(exchange, &reply),
            ends_with_done(exchange, &reply),
            is_not_a_stream(exchange, &reply),
            whole_or_told(exchange, &reply),
        ];
        assert_eq!(seen.map(|held| held.is_ok()), expect, "{}", String::from_utf8_lossy(&exchange.body));
    }

    #[test]
    fn both_directions() {
        check(&stream(&[&piece("a"), &piece("b"), &finish("stop"), "[DONE]"]), [true, false, true, true, false, true]);
        check(&stream(&[&piece("a"), &finish("stop")]), [false, true, true, false, false, true]);
        check(&stream(&[&piece("a"), &piece("b")]), [true, false, false, false, false, false]);
        check(&stream(&[&piece("a"), "{not json", &finish("stop"), "[DONE]"]), [false, true, false, true, false, false]);
        check(&stream(&[&piece("a"), &finish("stop"), "[DONE]", &piece("b")]), [true, false, false, true, false, false]);
        check(&exchange(200, &whole(&choice(0, "a", "stop"), "")), [false, true, false, false, true, false]);
        let error = r#"{"error":{"message":"the backend is gone","type":"server_error"}}"#;
        check(&stream(&[&piece("a"), error]), [false, false, false, false, false, true]);
        check(&exchange(503, error), [false, false, false, false, true, true]);
        check(&exchange(500, ""), [false, false, false, false, true, true]);
    }
}
