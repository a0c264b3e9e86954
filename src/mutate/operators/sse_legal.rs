//! What a stream may look like: variations of its events that every client must take.

use serde_json::{Value, json};

use crate::mutate::change::{bytes, chunks, done, events, last, pieces, put, text};
use crate::mutate::good::{Event, Good};
use crate::mutate::operator::{Family, Operator};
use crate::wire::Exchange;

const fn legal(id: &'static str, what: &'static str, apply: fn(&Good<'_>) -> Option<Exchange>) -> Operator {
    Operator::tolerate(Family::Framing, id, what, apply)
}

const fn order(id: &'static str, what: &'static str, apply: fn(&Good<'_>) -> Option<Exchange>) -> Operator {
    Operator::tolerate(Family::Order, id, what, apply)
}

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    legal("comments-between-events", "comments and blank lines stand between all events", |good| {
        every(good, |event| format!(": alive\n\n\n{event}"))
    }),
    legal("comment-first", "a comment comes before the first event", |good| {
        text(good, |text| good.stream().map(|_| format!(": hello\n\n{text}")))
    }),
    legal("comment-within-event", "a comment stands within each event", |good| every(good, |event| format!(":\n{event}"))),
    legal("comment-after-done", "a comment comes behind `[DONE]`", |good| {
        text(good, |text| good.stream().map(|_| format!("{}\n\n: bye\n\n", text.trim_end())))
    }),
    legal("payload-over-many-lines", "each payload stands on a data line for each of its keys", |good| {
        payloads(good, |json| format!("data: {}\n\n", json.replace('\n', "\ndata: ")))
    }),
    legal("byte-order-mark-before-events", "a byte order mark comes before the first event", |good| {
        text(good, |text| good.stream().map(|_| format!("\u{FEFF}{text}")))
    }),
    legal("lines-end-in-crlf", "all lines end in carriage return and line feed", |good| {
        every(good, |event| event.replace('\n', "\r\n"))
    }),
    legal("lines-end-in-cr", "all lines end in a carriage return", |good| every(good, |event| event.replace('\n', "\r"))),
    legal("line-ends-mixed", "every second event ends its lines in carriage return and line feed", |good| {
        events(good, |list| {
            for event in list.iter_mut().step_by(2) {
                *event = plain(event).replace('\n', "\r\n");
            }
            Some(())
        })
    }),
    legal("no-blank-after-colon", "no blank stands behind `data:`", |good| {
        every(good, |event| if event.contains("data:  ") { event } else { event.replace("data: ", "data:") })
    }),
    legal("retry-line", "the stream begins with a time to come again", |good| {
        text(good, |text| good.stream().map(|_| format!("retry: 3000\n\n{text}")))
    }),
    legal("event-named-message", "all events are named `message`", |good| {
        every(good, |event| format!("event: message\n{event}"))
    }),
    legal("event-ids", "all events have an id", |good| every(good, |event| format!("id: 7\n{event}"))),
    legal("unknown-field", "all events have a line that the standard does not know", |good| {
        every(good, |event| format!("trace: 7\n{event}"))
    }),
    legal("done-unclosed", "no blank line closes `[DONE]`", |good| {
        events(good, |list| {
            let at = done(list).filter(|at| at + 1 == list.len())?;
            list[at] = list[at].trim_end().to_owned();
            Some(())
        })
    }),
    legal("blanks-within-payloads", "blanks stand around the colons and commas of all payloads", |good| {
        payloads(good, |json| format!("data: {}\n\n", json.replace('\n', " ")))
    }),
    order("empty-delta", "a chunk with an empty delta comes between two pieces", |good| {
        chunks(good, |list| {
            let at = *pieces(list, "content").get(1)?;
            let mut empty = list[at].clone();
            *empty.pointer_mut("/choices/0/delta")? = json!({});
            empty.pointer("/choices/0/logprobs").is_none_or(Value::is_null).then(|| list.insert(at, empty))
        })
    }),
    order("first-content-null", "the first delta has the content null", |good| first(good, Some(json!(null)))),
    order("first-content-empty", "the first delta has an empty content", |good| first(good, Some(json!("")))),
    order("first-content-absent", "the first delta has no content", |good| first(good, None)),
    order("finish-on-last-piece", "the last piece of text comes on the chunk that finishes", |good| {
        chunks(good, |list| {
            let end = last(list)?;
            let at = *pieces(list, "content").last().filter(|at| **at + 1 == end)?;
            let quiet = |at: usize| list[at].pointer("/choices/0/logprobs").is_none_or(Value::is_null);
            if !(quiet(at) && quiet(end) && list[at].get("usage").is_none_or(Value::is_null) && at > 0) {
                return None;
            }
            let delta = list[at].pointer_mut("/choices/0/delta")?.take();
            delta.get("role").is_none_or(Value::is_null).then_some(())?;
            *list[end].pointer_mut("/choices/0/delta")? = delta;
            list.remove(at);
            Some(())
        })
    }),
    order("two-pieces-in-one", "two pieces of text come as one", |good| {
        chunks(good, |list| {
            let places = pieces(list, "content");
            let pair = places.windows(2).rev().find(|pair| pair[0] + 1 == pair[1] && pair[0] > 0).map(|pair| pair[0])?;
            let piece = |at: usize| list[at].pointer("/choices/0/delta/content").and_then(Value::as_str);
            let both = format!("{}{}", piece(pair)?, piece(pair + 1)?);
            let plain = |at: usize| list[at].pointer("/choices/0/logprobs").is_none_or(Value::is_null);
            if places.len() < 4 || !plain(pair) || list[pair].get("usage").is_some_and(|usage| !usage.is_null()) {
                return None;
            }
            *list[pair + 1].pointer_mut("/choices/0/delta/content")? = json!(both);
            list.remove(pair);
            Some(())
        })
    }),
    order("usage-null-on-chunks", "all other chunks have the usage null", |good| {
        chunks(good, |list| {
            let missing = |value: &&mut Value| value.get("usage").is_none();
            list.iter_mut().filter(missing).try_for_each(|value| put(value, "usage", json!(null)))
        })
    }),
    order("padding-on-chunks", "all chunks have padding", |good| {
        chunks(good, |list| list.iter_mut().try_for_each(|value| put(value, "obfuscation", json!("a8Xq"))))
    }),
    order("filter-results-first", "a chunk about filters comes before the first", |good| {
        chunks(good, |list| {
            let mut filter = list.first()?.clone();
            filter["choices"] = json!([]);
            filter["prompt_filter_results"] = json!([{"prompt_index": 0}]);
            list.insert(0, filter);
            Some(())
        })
    }),
    order("nulls-in-deltas", "all deltas have the keys of a message as null", |good| {
        chunks(good, |list| {
            for delta in list.iter_mut().filter_map(|value| value.pointer_mut("/choices/0/delta")?.as_object_mut()) {
                for key in ["refusal", "tool_calls", "function_call"] {
                    delta.entry(key).or_insert(Value::Null);
                }
            }
            Some(())
        })
    }),
];

/// Every event with a payload, its lines ended by line feeds, written another way.
fn every(good: &Good<'_>, change: fn(String) -> String) -> Option<Exchange> {
    events(good, |list| {
        for event in list.iter_mut().filter(|event| event.contains("data:")) {
            *event = change(plain(event));
        }
        Some(())
    })
}

/// Every payload, laid out over many lines, written another way.
fn payloads(good: &Good<'_>, write: fn(&str) -> String) -> Option<Exchange> {
    let text = |event: &Event<'_>| match &event.data {
        Some(data) => serde_json::to_string_pretty(data).ok().map(|json| write(&json)),
        None => Some(event.raw.to_owned()),
    };
    bytes(good, good.stream()?.iter().map(text).collect::<Option<String>>()?)
}

/// An event with lines that end in line feeds.
fn plain(event: &str) -> String {
    event.replace("\r\n", "\n").replace('\r', "\n")
}

/// Another content of the first delta, where it brings no text.
fn first(good: &Good<'_>, content: Option<Value>) -> Option<Exchange> {
    chunks(good, |list| {
        let delta = list.first_mut()?.pointer_mut("/choices/0/delta")?.as_object_mut()?;
        let empty = delta.get("content").is_none_or(|text| text.is_null() || text.as_str() == Some(""));
        if !empty || !delta.contains_key("role") {
            return None;
        }
        match content {
            Some(content) => drop(delta.insert("content".to_owned(), content)),
            None => drop(delta.shift_remove("content")),
        }
        Some(())
    })
}
