//! Corruptions of a chat stream as it goes: order, ends, errors, several choices.

use serde_json::{Value, json};

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [order(), ends(), pairs()].into_iter().flatten().collect()
}

fn order() -> Vec<Row> {
    vec![
        caught(
            "all pieces twice",
            STREAM,
            frames(|list| {
                let end = nth(list, "\"stop\"", 0);
                let twice: Vec<Value> = list[1..end].to_vec();
                list.splice(1..1, twice).for_each(drop);
            }),
            &["W262"],
        )
        .on(&[STREAM, "vllm/chat-stream"]),
        caught(
            "a piece after the finish",
            STREAM,
            frames(|list| {
                let (stop, of) = (nth(list, "\"stop\"", 0), nth(list, "\" of\"", 0));
                list.swap(stop, of);
            }),
            &["W059"],
        )
        .on(STREAMS),
        caught(
            "the finish first",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let stop = list.remove(at);
                list.insert(1, stop);
            }),
            &["W059"],
        )
        .on(STREAMS),
        caught("the events backwards", STREAM, frames(|list| list.reverse()), &["W059"]).on(&[STREAM, "vllm/chat-stream"]),
        caught(
            "a role after the finish",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let mut late = list[0].clone();
                late["choices"][0]["delta"] = json!({"role": "assistant"});
                list.insert(at + 1, late);
            }),
            &["W059"],
        ),
        caught(
            "an empty delta after the finish",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let mut late = list[at].clone();
                late["choices"][0]["delta"] = json!({});
                late["choices"][0]["finish_reason"] = json!(null);
                list.insert(at + 1, late);
            }),
            &["W059"],
        ),
        caught(
            "the stream twice",
            STREAM,
            events(|list| {
                let twice = list.clone();
                list.extend(twice);
            }),
            &["W016"],
        )
        .on(STREAMS),
        caught(
            "the stream twice, [DONE] once",
            STREAM,
            frames(|list| {
                let twice = list.clone();
                list.extend(twice);
            }),
            &["W058", "W059"],
        )
        .on(STREAMS),
        caught(
            "another answer from the middle on",
            STREAM,
            frames(|list| {
                let half = list.len() / 2;
                for frame in &mut list[half..] {
                    frame["id"] = json!("chatcmpl-b");
                    frame["model"] = json!("b");
                }
            }),
            &["W051", "W053"],
        )
        .on(STREAMS),
        caught(
            "the text so far in each chunk",
            STREAM,
            frames(|list| {
                let mut all = String::new();
                for frame in list {
                    if let Some(Value::String(text)) = frame.pointer_mut("/choices/0/delta/content") {
                        all.push_str(text);
                        text.clone_from(&all);
                    }
                }
            }),
            &["W261"],
        )
        .on(STREAMS),
    ]
}

fn ends() -> Vec<Row> {
    let error = |data: &'static str| events(move |list| list.splice(4.., [event(data)]).for_each(drop));
    let good = r#"{"error":{"message":"gone","type":"server_error"}}"#;
    vec![
        caught("another finish reason", STREAM, swap(r#""finish_reason":"stop""#, r#""finish_reason":"done""#), &["W058"])
            .on(STREAMS),
        caught("an empty finish reason", STREAM, swap(r#""finish_reason":"stop""#, r#""finish_reason":"""#), &["W058", "W061"])
            .on(STREAMS),
        caught("a finish reason of null", STREAM, swap(r#""finish_reason":"stop""#, r#""finish_reason":null"#), &["W061"])
            .on(STREAMS),
        caught(
            "the finish lost",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                list.remove(at);
            }),
            &["W061"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "stop and length",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let mut more = list[at].clone();
                more["choices"][0]["finish_reason"] = json!("length");
                list.insert(at + 1, more);
            }),
            &["W058"],
        )
        .on(STREAMS),
        caught(
            "stop on every chunk",
            STREAM,
            each(|frame| {
                if let Some(choice) = frame.pointer_mut("/choices/0") {
                    choice["finish_reason"] = json!("stop");
                }
            }),
            &["W058", "W059"],
        )
        .on(STREAMS),
        caught(
            "length well below the bound",
            STREAM,
            swap(r#""finish_reason":"stop""#, r#""finish_reason":"length""#),
            &["W242"],
        )
        .on(STREAMS),
        caught("cut after the first chunk", STREAM, events(|list| list.truncate(1)), &["W061"]).on(STREAMS),
        caught(
            "cut, and [DONE]",
            STREAM,
            events(|list| {
                let at = place(list, "\"stop\"");
                let end = list.len() - 1;
                list.drain(at..end).for_each(drop);
            }),
            &["W061"],
        )
        .on(STREAMS),
        caught("an error without words", STREAM, error(r#"{"error":{"code":7}}"#), &["W063"]).on(STREAMS),
        caught("an error with empty words", STREAM, error(r#"{"error":{"message":""}}"#), &["W063"]),
        caught("an error as the first event", STREAM, events(move |list| *list = vec![event(good)]), &["W064"]).on(STREAMS),
        caught(
            "an error as the first event, and [DONE]",
            STREAM,
            events(move |list| *list = vec![event(good), event("[DONE]")]),
            &["W064"],
        ),
        caught(
            "an error after the role",
            STREAM,
            events(move |list| {
                list.truncate(1);
                list.push(event(good));
            }),
            &["W064"],
        ),
        caught("an error, and then text", STREAM, events(move |list| list.insert(4, event(good))), &["W062"]).on(STREAMS),
        caught(
            "an error with a stack trace",
            STREAM,
            error(r#"{"error":{"message":"Traceback (most recent call last):\n  File \"/app/x.py\""}}"#),
            &["W009"],
        ),
        caught(
            "no chunk with text",
            STREAM,
            frames(|list| {
                list.retain(|frame| !frame.to_string().contains("\"content\":\"") || frame.to_string().contains("\"role\""));
            }),
            &["W028"],
        )
        .on(&[STREAM, "vllm/chat-stream"]),
        caught("log probabilities in no chunk", STREAM, asked("logprobs", json!(true)), &["W072"]).on(STREAMS),
        caught("a lost character in two halves", STREAM, swap(r#"" of""#, "\" o\u{FFFD}\""), &["W068"]).on(STREAMS),
        caught("the stop text over two chunks", STREAM, asked("stop", json!(["of France"])), &["W037"]).on(STREAMS),
    ]
}

/// A stream of two choices, made of one: each chunk for either index.
fn two() -> Change {
    both(
        asked("n", json!(2)),
        frames(|list| {
            let twins: Vec<Value> = list
                .iter()
                .flat_map(|frame| {
                    let mut twin = frame.clone();
                    let choices = twin["choices"].as_array_mut().expect("choices");
                    for choice in choices.iter_mut() {
                        choice["index"] = json!(1);
                    }
                    let some = !choices.is_empty();
                    [Some(frame.clone()), some.then_some(twin)]
                })
                .flatten()
                .collect();
            *list = twins;
            let at = nth(list, "\"total_tokens\"", 0);
            let total = &mut list[at]["usage"];
            total["completion_tokens"] = json!(16);
            total["total_tokens"] = json!(53);
        }),
    )
}

fn pairs() -> Vec<Row> {
    vec![
        caught(
            "one of two choices never finishes",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 1);
                list.remove(at);
            }),
            &["W061"],
        )
        .given(two()),
        caught(
            "one of two choices missing",
            STREAM,
            frames(|list| list.retain(|frame| frame.pointer("/choices/0/index") != Some(&json!(1)))),
            &["W024"],
        )
        .given(two()),
        caught(
            "one of two choices without role",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"role\"", 1);
                cut_at(&mut list[at], "/choices/0/delta/role");
            }),
            &["W056"],
        )
        .given(two()),
        caught(
            "both finishes at one index",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 1);
                list[at]["choices"][0]["index"] = json!(0);
            }),
            &["W058", "W061"],
        )
        .given(two()),
        caught(
            "a third choice",
            STREAM,
            frames(|list| {
                let at = nth(list, "\" of\"", 1);
                list[at]["choices"][0]["index"] = json!(2);
            }),
            &["W055"],
        )
        .given(two()),
        legal("two choices side by side", STREAM, swap("data: [DONE]", ": the end\n\ndata: [DONE]")).given(two()),
        legal(
            "both choices in one chunk",
            STREAM,
            frames(|list| {
                let mut at = 0;
                while at + 1 < list.len() {
                    if list[at + 1].pointer("/choices/0/index") == Some(&json!(1)) {
                        let twin = list.remove(at + 1)["choices"][0].take();
                        list[at]["choices"].as_array_mut().expect("choices").push(twin);
                    }
                    at += 1;
                }
            }),
        )
        .given(two()),
    ]
}
