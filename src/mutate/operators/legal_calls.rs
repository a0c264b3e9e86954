//! What tool calls may look like.

use serde_json::{Value, json};

use super::calls::{FIRST, arguments, fragments};
use crate::contract::ToolChoice;
use crate::mutate::change::{chunks, cut, finish, last, message, put};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Calls: legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    legal("content-null-beside-calls", "the content beside calls is null", |good| content(good, Some(json!(null)))),
    legal("content-empty-beside-calls", "the content beside calls is empty", |good| content(good, Some(json!("")))),
    legal("content-lost-beside-calls", "there is no content beside calls", |good| content(good, None)),
    legal("arguments-spaced", "the arguments have other blanks", |good| {
        arguments(good, |text| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).ok()?).ok())
    }),
    legal("arguments-reversed", "the keys of the arguments stand in another order", |good| {
        arguments(good, |text| {
            let object: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
            Some(Value::Object(object.into_iter().rev().collect()).to_string())
        })
    }),
    legal("arguments-escaped", "a letter of the arguments is written as an escape", |good| {
        arguments(good, |text| {
            let object: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
            let key = object.keys().next()?;
            let first = key.chars().next().filter(char::is_ascii_alphabetic)?;
            Some(text.replacen(&format!("\"{key}\""), &format!("\"\\u{:04x}{}\"", u32::from(first), &key[1..]), 1))
        })
    }),
    legal("integers-as-decimals", "a whole number of the arguments is written 1.0", |good| {
        arguments(good, |text| {
            let object: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
            let (key, number) = object.iter().find(|(_, value)| value.is_u64())?;
            ["", " "].iter().find_map(|blank| {
                let was = format!("\"{key}\":{blank}{number}");
                text.contains(&was).then(|| text.replacen(&was, &format!("{was}.0"), 1))
            })
        })
    }),
    legal("call-with-index", "a whole call has an index", |good| {
        message(good, |message| {
            let calls = message.get_mut("tool_calls")?.as_array_mut()?;
            calls.iter_mut().enumerate().try_for_each(|(at, call)| put(call, "index", json!(at)))
        })
    }),
    legal("calls-empty-beside-text", "an answer of text has an empty list of calls", |good| {
        good.said()?;
        message(good, |message| put(message, "tool_calls", json!([])))
    }),
    legal("call-in-three-fragments", "a streamed call comes in three fragments: its head, and its arguments in halves", |good| {
        let [call] = good.reply.tool_calls() else { return None };
        chunks(good, |list| {
            let places = fragments(list);
            let (first, end) = (*places.first()?, last(list)?);
            let alone = places.iter().all(|at| *at < end) && places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            let half = call.arguments.floor_char_boundary(call.arguments.len() / 2);
            let mut head = list[first].clone();
            head.pointer_mut(FIRST)?.pointer_mut("/function")?["arguments"] = json!("");
            let index = list[first].pointer(FIRST)?.get("index")?.clone();
            let part = |text: &str| {
                let mut chunk = list[first].clone();
                let choice = chunk.pointer_mut("/choices/0")?;
                let piece = json!({"index": index, "function": {"arguments": text}});
                *choice = json!({"index": choice.get("index")?, "delta": {"tool_calls": [piece]}, "finish_reason": null});
                Some(chunk)
            };
            let parts = [head, part(&call.arguments[..half])?, part(&call.arguments[half..])?];
            list.splice(first..=*places.last()?, parts).for_each(drop);
            (alone && places.len() > 3).then_some(())
        })
    }),
    legal("empty-arguments-first", "an empty fragment of arguments comes behind the first", |good| {
        chunks(good, |list| {
            let at = *fragments(list).get(1)?;
            let mut empty = list[at].clone();
            let part = empty.pointer_mut(FIRST)?;
            *part = json!({"index": part.get("index")?, "function": {"arguments": ""}});
            list.insert(at, empty);
            Some(())
        })
    }),
    legal("thinking-between-fragments", "a thought comes between two fragments", |good| {
        chunks(good, |list| {
            let at = *fragments(list).get(1).filter(|_| good.asked.thinking != crate::contract::Thinking::Off)?;
            let spoken = list[..at].iter().any(|chunk| {
                chunk.pointer("/choices/0/delta/content").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
            });
            let mut thought = list[at].clone();
            let key = good.reply.first()?.reasoning_field.unwrap_or("reasoning_content");
            let choice = thought.pointer_mut("/choices/0")?;
            *choice = json!({"index": choice.get("index")?, "delta": {key: "And now the unit."}, "finish_reason": null});
            list.insert(at, thought);
            (!spoken).then_some(())
        })
    }),
    legal("named-tool-that-stops", "the reason for a call of the named tool is stop", |good| {
        let named = matches!(good.asked.tool_choice, ToolChoice::Named(_)) && !good.reply.tool_calls().is_empty();
        (named && good.finish() == Some("tool_calls")).then(|| finish(good, |reason| *reason = json!("stop")))?
    }),
];

/// Another content beside calls, where there is none or an empty one.
fn content(good: &Good<'_>, new: Option<Value>) -> Option<Exchange> {
    good.reply.tool_calls().first()?;
    message(good, |message| {
        message.get("content").is_none_or(|text| text.is_null() || text == "").then_some(())?;
        match new {
            Some(new) => put(message, "content", new),
            None => cut(message, "content"),
        }
    })
}
