//! The order of events in a stream of the Responses API: its beginning, its one end, its numbers, its names.

use super::object::Held;
use crate::contract::finding::{Findings, Spot};
use crate::contract::json;
use crate::contract::rule::{Rule, Scope, Severity, Surface};
use crate::contract::seen::Seen;
use crate::wire::json::Value;
use crate::wire::responses::{EventKind, Need, ResponsesReply};

/// The rules of this topic.
pub(in crate::contract) static RULES: &[&Rule] = &[&W129, &W130, &W131, &W132, &W133, &W140, &W142, &W311, &W312];

pub(in crate::contract) static W129: Rule = Rule {
    id: "W129",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the first event is response.created, with a response that is in_progress or queued",
    why: "helpers of client libraries raise when anything else comes first",
    source: "openai-python, ResponseStreamState; llama.cpp sends a response of three keys",
    breaks: "a stream that begins with response.output_item.added",
};

pub(in crate::contract) static W130: Rule = Rule {
    id: "W130",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "exactly one event ends the response, and it is the last one",
    why: "a stream that was cut looks like one that is done, or a reader waits for ever",
    source: "OpenAI API reference, streaming; openresponses, specification",
    breaks: "a stream whose last event is response.output_item.done",
};

pub(in crate::contract) static W131: Rule = Rule {
    id: "W131",
    surface: Surface::Responses,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the event that ends a response is named by its status",
    why: "readers that go by the event and readers that go by the status disagree",
    source: "OpenAI API reference, streaming; vLLM ends incomplete responses with response.completed",
    breaks: r#"response.completed with "status":"incomplete""#,
};

pub(in crate::contract) static W132: Rule = Rule {
    id: "W132",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`sequence_number` counts the events up one by one from 0 or 1; none at all is dialect",
    why: "lost, doubled and swapped events cannot be seen",
    source: "OpenAI API reference, streaming; llama.cpp sends none",
    breaks: r#""sequence_number":4 and then 4"#,
};

pub(in crate::contract) static W133: Rule = Rule {
    id: "W133",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the name of an event is its `type`; no name at all is dialect",
    why: "readers that choose by name and readers that choose by type see different streams",
    source: "OpenAI API reference, streaming; llama-stack sends no names",
    breaks: r#"event: response.created before {"type":"response.in_progress"}"#,
};

pub(in crate::contract) static W140: Rule = Rule {
    id: "W140",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "all events of one response have its `id`; another `created_at` is dialect",
    why: "the response cannot be fetched, cancelled or continued",
    source: "OpenAI API reference; Ollama measures the time anew",
    breaks: r#""id":"resp_1" and then "resp_2""#,
};

pub(in crate::contract) static W142: Rule = Rule {
    id: "W142",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an error event says what went wrong, and nothing but response.failed comes after it; one without a type is dialect",
    why: "callers show an empty error, or go on with a broken answer",
    source: "OpenAI API reference, error event; openresponses, specification; llama.cpp sends it without a type",
    breaks: r#"{"type":"error"} and then more text"#,
};

pub(in crate::contract) static W311: Rule = Rule {
    id: "W311",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each event carries what its type requires, of the right type; indexes that are missing are dialect",
    why: "typed clients raise in the middle of an answer",
    source: "OpenAI API reference, streaming; llama.cpp sends no indexes",
    breaks: r#"{"type":"response.output_text.delta","delta":5}"#,
};

pub(in crate::contract) static W312: Rule = Rule {
    id: "W312",
    surface: Surface::Responses,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "created, queued and in_progress come once each, in this order, before any item",
    why: "progress that goes back confuses who shows it",
    source: "OpenAI API reference, streaming; openresponses, specification",
    breaks: "response.in_progress after the first text",
};

/// The greatest whole number that every reader of JSON takes as it is.
const EXACT: i64 = 1 << 53;

/// Checks one exchange.
pub(in crate::contract) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(reply) = seen.responses.filter(|reply| reply.streamed && seen.is_success()) else { return };
    if reply.events.is_empty() {
        if !seen.cut_by_us() {
            out.add(&W130, Spot::whole(), "a stream without any event", "a response, or an error");
        }
        return;
    }
    beginning(seen, reply, out);
    ends(seen, reply, out);
    sequence(seen, reply, out);
    life(seen, reply, out);
    errors(seen, reply, out);
    for frame in seen.frames {
        let Some(value) = frame.value().filter(|value| value.is_object()) else { continue };
        names(frame.number, value, seen, out);
        fields(frame.number, value, out);
    }
}

/// The value of an event.
fn value<'s>(seen: &'s Seen<'_>, number: u64) -> Option<&'s Value<'s>> {
    let at = seen.frames.binary_search_by_key(&number, |frame| frame.number).ok()?;
    seen.frames[at].value()
}

fn beginning(seen: &Seen<'_>, reply: &ResponsesReply, out: &mut Findings<'_>) {
    let first = &reply.events[0];
    let spot = Spot::event(first.number).path("type");
    if first.kind != EventKind::Created {
        if first.kind != EventKind::Error {
            out.add(&W129, spot, "the stream does not begin with response.created", "response.created");
        }
        return;
    }
    let Some(held) = value(seen, first.number).and_then(|value| value.get("response")) else { return };
    let held = Held { value: held, event: Some(first.number) };
    match held.value.get("status").and_then(Value::as_str) {
        Some("in_progress" | "queued") => {}
        other => {
            let found = other.map_or_else(|| "no status".to_owned(), |status| format!("`status` is {status:?}"));
            out.add(&W129, held.spot("status"), found, "in_progress or queued");
        }
    }
    if held.value.get("id").and_then(Value::as_str).is_none_or(str::is_empty) {
        out.add(&W129, held.spot("id"), "no id", "the id of the response");
    }
    let missing: Vec<&str> =
        ["object", "created_at", "model", "output", "tools"].into_iter().filter(|key| held.value.get(key).is_none()).collect();
    if !missing.is_empty() {
        let found = format!("without {}", missing.join(", "));
        out.weigh(&W129, Severity::Dialect, held.spot(""), found, "the whole response, with an empty output");
    }
}

fn ends(seen: &Seen<'_>, reply: &ResponsesReply, out: &mut Findings<'_>) {
    let end = seen.exchange.body.len();
    let Some(number) = reply.ended_at else {
        if !seen.cut_by_us() && reply.error_at.is_none() {
            let spot = Spot::whole().bytes(end.saturating_sub(160)..end);
            let right = "response.completed, response.incomplete or response.failed";
            out.add(&W130, spot, "the stream ended before the response did", right);
        }
        return;
    };
    if reply.ends > 1 {
        let again = reply.events.iter().filter(|event| event.kind.is_end()).nth(1);
        let spot = Spot::event(again.map_or(number, |event| event.number)).path("type");
        out.add(&W130, spot, format!("{} events that end the response", reply.ends), "one");
    } else if let Some(more) = reply.events.iter().find(|event| event.number > number && event.kind != EventKind::Error) {
        out.add(&W130, Spot::event(more.number).path("type"), "more came after the response ended", "nothing but `[DONE]`");
    }
    let kind = reply.events.iter().find(|event| event.number == number).and_then(|event| event.kind.status());
    let said = reply.response_status();
    if let (Some(kind), Some(said)) = (kind, said)
        && kind != said
    {
        out.add(
            &W131,
            Spot::event(number).path("type"),
            format!("response.{kind} with the status {said:?}"),
            format!("response.{said}"),
        );
    }
}

fn sequence(seen: &Seen<'_>, reply: &ResponsesReply, out: &mut Findings<'_>) {
    let raw = |number: u64| value(seen, number).and_then(|value| value.get("sequence_number")).filter(|value| !value.is_null());
    if !reply.events.iter().any(|event| event.sequence.is_some() || raw(event.number).is_some()) {
        let spot = Spot::event(reply.events[0].number);
        return out.weigh(&W132, Severity::Dialect, spot, "no event has a sequence_number", "0, 1, 2, …");
    }
    let mut last: Option<i64> = None;
    for event in &reply.events {
        let spot = || Spot::event(event.number).path("sequence_number");
        let right = last.map_or_else(|| "0 or 1".to_owned(), |last| last.saturating_add(1).to_string());
        match (event.sequence, last) {
            (None, _) if event.kind == EventKind::Error => {}
            (None, _) => {
                let found = raw(event.number).map_or_else(|| "no number".to_owned(), json::kind);
                out.add(&W132, spot(), found, right);
            }
            (Some(now), _) if !(0..=EXACT).contains(&now) => out.add(&W132, spot(), format!("{now}"), right),
            (Some(now), None) if now > 1 => out.add(&W132, spot(), format!("the first number is {now}"), right),
            (Some(now), Some(last)) if now != last.saturating_add(1) => {
                out.add(&W132, spot(), format!("{now} after {last}"), right);
            }
            _ => {}
        }
        last = event.sequence.or(last);
    }
}

fn names(number: u64, value: &Value<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let (Some(event), Some(type_name)) = (seen.event(number), value.get("type").and_then(Value::as_str)) else { return };
    match event.name.as_deref() {
        None => {
            let found = "events without a name";
            out.weigh(&W133, Severity::Dialect, Spot::event(number), found, format_args!("event: {type_name}"));
        }
        Some(name) if name != type_name => {
            let found = format_args!("the event {name:?} of the type {type_name:?}");
            out.add(&W133, Spot::event(number).path("type"), found, "the same");
        }
        Some(_) => {}
    }
}

fn fields(number: u64, value: &Value<'_>, out: &mut Findings<'_>) {
    let Some(name) = value.get("type").and_then(Value::as_str) else {
        if !value.get("error").is_some_and(Value::is_truthy) {
            out.add(&W311, Spot::event(number).path("type"), "an event without a type", "the type of the event");
        }
        return;
    };
    for need in EventKind::needs(name) {
        let key = need.key();
        let there = value.get(key).filter(|value| !value.is_null());
        let fits = there.is_some_and(|value| match need {
            Need::Text(_) => value.is_string(),
            Need::Index(_) => value.is_u64(),
            Need::Object(_) => value.is_object(),
        });
        let spot = || Spot::event(number).path(key);
        match there {
            _ if fits => {}
            None if matches!(need, Need::Index(_)) => {
                out.weigh(&W311, Severity::Dialect, spot(), format_args!("{name} without `{key}`"), "an index from 0");
            }
            None => out.add(&W311, spot(), format_args!("{name} without `{key}`"), "what the type of the event requires"),
            Some(other) => {
                let found = format_args!("`{key}` of {name} is {}", json::kind(other));
                out.add(&W311, spot(), found, "what the type of the event requires");
            }
        }
    }
}

/// The id on all events of its life, and their order.
fn life(seen: &Seen<'_>, reply: &ResponsesReply, out: &mut Findings<'_>) {
    let mut first: Option<&Value<'_>> = None;
    let mut stage = 0;
    let mut worked = false;
    for event in &reply.events {
        worked |= event.item.is_some();
        if !event.kind.is_life() {
            continue;
        }
        if !event.kind.is_end() {
            let now = match event.kind {
                EventKind::Created => 1,
                EventKind::Queued => 2,
                _ => 3,
            };
            let spot = Spot::event(event.number).path("type");
            if worked {
                out.add(&W312, spot, "it came after the first item", "before any item");
            } else if now <= stage {
                out.add(&W312, spot, "it came again, or too late", "created, queued, in_progress, each once");
            }
            stage = stage.max(now);
        }
        let Some(response) = value(seen, event.number).and_then(|value| value.get("response")).filter(|it| it.is_object()) else {
            continue;
        };
        let Some(first) = first else {
            first = Some(response);
            continue;
        };
        let differs = |key: &str| match (first.get(key), response.get(key)) {
            (Some(then), Some(now)) if then != now && !then.is_null() => Some(format!("`{key}` is {now} after {then}")),
            _ => None,
        };
        let spot = |key: &str| Spot::event(event.number).path(format!("response.{key}"));
        if let Some(found) = differs("id") {
            out.add(&W140, spot("id"), found, "one id for all events of a response");
        }
        if let Some(found) = differs("created_at") {
            out.weigh(&W140, Severity::Dialect, spot("created_at"), found, "one time for all events of a response");
        }
    }
}

fn errors(seen: &Seen<'_>, reply: &ResponsesReply, out: &mut Findings<'_>) {
    let Some(number) = reply.error_at else { return };
    let untyped = value(seen, number).is_some_and(|value| value.get("type").is_none());
    if reply.error.as_ref().is_none_or(|error| error.message.trim().is_empty()) {
        out.add(&W142, Spot::event(number), "an error without a message", "{\"type\":\"error\",\"message\":\"…\"}");
    } else if untyped {
        out.weigh(&W142, Severity::Dialect, Spot::event(number), "an error without a type", "{\"type\":\"error\",…}");
    }
    let later = reply.events.iter().find(|event| event.number > number && event.kind != EventKind::Failed);
    if let Some(later) = later {
        out.add(&W142, Spot::event(later.number).path("type"), "more came after an error", "response.failed, or the end");
    }
}
