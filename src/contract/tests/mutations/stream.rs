//! Corruptions of the chunks of a chat stream: envelope, choices, deltas.

use serde_json::{Value, json};

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [envelope(), choices()].into_iter().flatten().collect()
}

/// Changes the delta of the chunk that says " of".
fn delta(change: impl Fn(&mut Value) + 'static) -> Change {
    frame("\" of\"", move |frame| change(&mut frame["choices"][0]))
}

fn envelope() -> Vec<Row> {
    let of = |key: &'static str, value: Value| frame("\" of\"", move |frame| frame[key] = value.clone());
    let without =
        |key: &'static str| frame("\" of\"", move |frame| drop(frame.as_object_mut().expect("a frame").shift_remove(key)));
    vec![
        caught("a chunk without id", STREAM, without("id"), &["W049"]).on(STREAMS),
        caught("a chunk without object", STREAM, without("object"), &["W049"]).on(STREAMS),
        caught("a chunk without created", STREAM, without("created"), &["W049"]).on(STREAMS),
        caught("a chunk without model", STREAM, without("model"), &["W049"]).on(STREAMS),
        caught("a chunk without choices", STREAM, without("choices"), &["W049"]).on(STREAMS),
        caught("an id of a number", STREAM, of("id", json!(7)), &["W049"]),
        caught("an id of null", STREAM, of("id", json!(null)), &["W049"]),
        caught("an id that changes", STREAM, of("id", json!("chatcmpl-other")), &["W051"]).on(STREAMS),
        caught("an empty id on one chunk", STREAM, of("id", json!("")), &["W051"]),
        caught(
            "an id of its own on each chunk",
            STREAM,
            frames(|list| {
                for (at, frame) in list.iter_mut().enumerate() {
                    frame["id"] = json!(format!("chatcmpl-{at}"));
                }
            }),
            &["W051"],
        )
        .on(STREAMS),
        caught("another id on the finish chunk", STREAM, frame("\"stop\"", |frame| frame["id"] = json!("chatcmpl-x")), &["W051"])
            .on(STREAMS),
        caught(
            "another id on the usage chunk",
            STREAM,
            frame("\"total_tokens\"", |frame| frame["id"] = json!("chatcmpl-x")),
            &["W051"],
        )
        .on(STREAMS),
        caught("a whole reply's object", STREAM, of("object", json!("chat.completion")), &["W050"]).on(STREAMS),
        caught("an object of null", STREAM, of("object", json!(null)), &["W049"]),
        caught("created that changes", STREAM, of("created", json!(1_795_239_999)), &["W052"]).on(&[
            STREAM,
            "vllm/chat-stream",
            "ollama/chat-stream",
        ]),
        caught("created with a fraction", STREAM, of("created", json!(1_795_239_531.5)), &["W049"]).on(STREAMS),
        caught("created as text", STREAM, of("created", json!("now")), &["W049"]),
        caught(
            "created in milliseconds on all chunks",
            STREAM,
            each(|frame| frame["created"] = json!(1_795_239_531_000_i64)),
            &["W022"],
        )
        .on(STREAMS),
        caught("another model on one chunk", STREAM, of("model", json!("other")), &["W053"]).on(STREAMS),
        caught("an empty model on one chunk", STREAM, of("model", json!("")), &["W053"]),
        caught("a model of a number", STREAM, of("model", json!(2)), &["W049"]),
        caught("a fingerprint that changes", STREAM, of("system_fingerprint", json!("b1-other")), &["W267"])
            .on(&[STREAM, "ollama/chat-stream"]),
        caught(
            "choices as an object",
            STREAM,
            frame("\" of\"", |frame| frame["choices"] = frame["choices"][0].take()),
            &["W049"],
        ),
        caught("choices of null", STREAM, of("choices", json!(null)), &["W049"]),
        caught("a chunk of nothing", STREAM, of("choices", json!([])), &["W054"]).on(STREAMS),
        caught("an empty object", STREAM, events(|list| list.insert(2, event("{}"))), &["W049"]),
        caught(
            "a whole reply as one event",
            STREAM,
            frames(|list| {
                let mut whole = list[0].clone();
                whole["object"] = json!("chat.completion");
                whole["choices"] = json!([{"index": 0, "message": {"role": "assistant", "content": "The capital of France is Paris."}, "finish_reason": "stop"}]);
                list.splice(.., [whole]).for_each(drop);
            }),
            &["W050", "W263"],
        ),
    ]
}

fn choices() -> Vec<Row> {
    vec![
        caught("an index beyond n", STREAM, delta(|choice| choice["index"] = json!(3)), &["W055"]).on(STREAMS),
        caught("an index of text", STREAM, delta(|choice| choice["index"] = json!("0")), &["W055"]),
        caught("an index with a fraction", STREAM, delta(|choice| choice["index"] = json!(0.0)), &["W055"]),
        caught("an index of null", STREAM, delta(|choice| choice["index"] = json!(null)), &["W055"]),
        caught("an index below 0", STREAM, delta(|choice| choice["index"] = json!(-1)), &["W055"]),
        caught(
            "no index",
            STREAM,
            delta(|choice| drop(choice.as_object_mut().expect("a choice").shift_remove("index"))),
            &["W055"],
        )
        .on(STREAMS),
        caught("a choice that is null", STREAM, frame("\" of\"", |frame| frame["choices"][0] = json!(null)), &["W260"]),
        caught(
            "a choice twice in one chunk",
            STREAM,
            frame("\" of\"", |frame| {
                let twin = frame["choices"][0].clone();
                frame["choices"].as_array_mut().expect("choices").push(twin);
            }),
            &["W055"],
        ),
        caught(
            "no delta",
            STREAM,
            delta(|choice| drop(choice.as_object_mut().expect("a choice").shift_remove("delta"))),
            &["W260"],
        )
        .on(STREAMS),
        caught("a delta of text", STREAM, delta(|choice| choice["delta"] = json!(" of")), &["W260"]).on(STREAMS),
        caught("a delta of null", STREAM, delta(|choice| choice["delta"] = json!(null)), &["W260"]),
        caught("a delta that is a list", STREAM, delta(|choice| choice["delta"] = json!([])), &["W260"]),
        caught(
            "a message in place of a delta",
            STREAM,
            delta(|choice| {
                let delta = choice["delta"].take();
                *choice = json!({"index": 0, "message": delta, "finish_reason": null});
            }),
            &["W263"],
        ),
        caught("messages in place of all deltas", STREAM, swap_all("\"delta\"", "\"message\""), &["W263"]).on(STREAMS),
        caught(
            "text in place of a delta",
            STREAM,
            delta(|choice| *choice = json!({"index": 0, "text": " of", "finish_reason": null})),
            &["W260"],
        ),
        caught(
            "content that is an object",
            STREAM,
            delta(|choice| choice["delta"]["content"] = json!({"text": " of"})),
            &["W060"],
        )
        .on(STREAMS),
        caught("content that is a list", STREAM, delta(|choice| choice["delta"]["content"] = json!([" of"])), &["W060"]),
        caught("content that is a number", STREAM, delta(|choice| choice["delta"]["content"] = json!(3)), &["W060"]),
        caught("a refusal that is true", STREAM, delta(|choice| choice["delta"]["refusal"] = json!(true)), &["W060"]),
        caught("a role that is a number", STREAM, delta(|choice| choice["delta"]["role"] = json!(1)), &["W060"]),
        caught(
            "calls that are an object",
            STREAM,
            delta(|choice| choice["delta"]["tool_calls"] = json!({"index": 0})),
            &["W073"],
        ),
        caught("finish_reason false", STREAM, delta(|choice| choice["finish_reason"] = json!(false)), &["W265"]).on(STREAMS),
        caught(
            "finish_reason a list",
            STREAM,
            frame("\"stop\"", |frame| frame["choices"][0]["finish_reason"] = json!(["stop"])),
            &["W265"],
        ),
        caught("the role twice", STREAM, delta(|choice| choice["delta"]["role"] = json!("assistant")), &["W057"]).on(&[
            STREAM,
            "vllm/chat-stream",
            "vllm-mlx/chat-stream",
        ]),
        caught("the role user", STREAM, swap_all(r#""role":"assistant""#, r#""role":"user""#), &["W025"]).on(STREAMS),
        caught("a role that changes", STREAM, delta(|choice| choice["delta"]["role"] = json!("user")), &["W025"]).on(STREAMS),
        caught(
            "a role too late",
            STREAM,
            frames(|list| {
                cut_at(&mut list[0], "/choices/0/delta/role");
                list[3]["choices"][0]["delta"]["role"] = json!("assistant");
            }),
            &["W056"],
        )
        .on(&[STREAM, "vllm/chat-stream", "vllm-mlx/chat-stream"]),
        caught("logprobs of text", STREAM, delta(|choice| choice["logprobs"] = json!("none")), &["W228"]).on(STREAMS),
    ]
}
