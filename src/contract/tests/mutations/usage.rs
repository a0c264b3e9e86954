//! Corruptions of the counts of tokens.

use serde_json::json;

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    let streamed = |key: &'static str, value: serde_json::Value| {
        frames(move |list| {
            let at = nth(list, "\"total_tokens\"", 0);
            put_at(&mut list[at], &format!("/usage/{key}"), value.clone());
        })
    };
    let details = |value: serde_json::Value| put("/usage/completion_tokens_details", value);
    vec![
        caught("a total of text", WHOLE, put("/usage/total_tokens", json!("45")), &["W029"]).on(WHOLES),
        caught("a count with a fraction", WHOLE, put("/usage/completion_tokens", json!(8.0)), &["W029"]).on(WHOLES),
        caught("a count below 0", WHOLE, put("/usage/completion_tokens", json!(-8)), &["W029"]),
        caught("a count of null", WHOLE, put("/usage/prompt_tokens", json!(null)), &["W029"]),
        caught("no total", WHOLE, cut("/usage/total_tokens"), &["W029"]).on(WHOLES),
        caught("no completion_tokens", WHOLE, cut("/usage/completion_tokens"), &["W029"]),
        caught("no usage", WHOLE, cut("/usage"), &["W029"]).on(WHOLES),
        caught("a usage of null", WHOLE, put("/usage", json!(null)), &["W029"]),
        caught("a usage of text", WHOLE, put("/usage", json!("45 tokens")), &["W029"]),
        caught("a usage that is a list", WHOLE, put("/usage", json!([37, 8, 45])), &["W029"]),
        caught("an empty usage", WHOLE, put("/usage", json!({})), &["W029"]),
        caught(
            "the names of another API",
            WHOLE,
            put("/usage", json!({"input_tokens": 37, "output_tokens": 8, "total_tokens": 45})),
            &["W029"],
        ),
        caught("a total that leaves the prompt out", WHOLE, put("/usage/total_tokens", json!(8)), &["W030"]).on(WHOLES),
        caught(
            "prompt and completion swapped",
            WHOLE,
            json(|body| {
                let usage = &mut body["usage"];
                let prompt = usage["prompt_tokens"].take();
                usage["prompt_tokens"] = usage["completion_tokens"].take();
                usage["completion_tokens"] = prompt;
            }),
            &["W032"],
        )
        .on(&[WHOLE, "vllm/chat", "litellm/chat", "ollama/chat"]),
        caught(
            "an answer of no tokens",
            WHOLE,
            json(|body| {
                body["usage"]["completion_tokens"] = json!(0);
                body["usage"]["total_tokens"] = body["usage"]["prompt_tokens"].clone();
            }),
            &["W031"],
        )
        .on(WHOLES),
        caught(
            "calls of no tokens",
            CALL,
            json(|body| {
                body["usage"]["completion_tokens"] = json!(0);
                body["usage"]["total_tokens"] = body["usage"]["prompt_tokens"].clone();
            }),
            &["W031"],
        ),
        caught("more tokens than max_tokens", WHOLE, asked("max_tokens", json!(4)), &["W032"]).on(WHOLES),
        caught(
            "more tokens than max_completion_tokens",
            WHOLE,
            ask(|body| {
                cut_at(body, "/max_tokens");
                body["max_completion_tokens"] = json!(4);
            }),
            &["W032"],
        ),
        caught("a streamed answer over its bound", STREAM, asked("max_tokens", json!(4)), &["W032"]).on(STREAMS),
        caught(
            "more cached tokens than the prompt, streamed",
            STREAM,
            streamed("prompt_tokens_details", json!({"cached_tokens": 38})),
            &["W034"],
        )
        .on(STREAMS),
        caught("a detail below 0", WHOLE, details(json!({"reasoning_tokens": -1})), &["W034"]),
        caught("a detail of text", WHOLE, details(json!({"audio_tokens": "0"})), &["W034"]),
        caught("details that are a list", WHOLE, details(json!([])), &["W034"]),
        caught("details that are a number", WHOLE, put("/usage/prompt_tokens_details", json!(36)), &["W034"]),
        caught("more thinking than tokens", WHOLE, details(json!({"reasoning_tokens": 999})), &["W117"]),
        caught(
            "tokens without text",
            WHOLE,
            json(|body| {
                body["usage"]["completion_tokens"] = json!(800);
                body["usage"]["total_tokens"] = json!(837);
            }),
            &["W032", "W240"],
        ),
        caught("text without tokens", WHOLE, put("/choices/0/message/content", json!("Paris, ".repeat(300))), &["W240"]),
        caught(
            "a prompt of no tokens",
            WHOLE,
            json(|body| {
                body["usage"]["prompt_tokens"] = json!(0);
                body["usage"]["total_tokens"] = body["usage"]["completion_tokens"].clone();
            }),
            &["W241"],
        )
        .on(WHOLES),
        caught(
            "a prompt of one token",
            WHOLE,
            json(|body| {
                body["usage"]["prompt_tokens"] = json!(1);
                body["usage"]["total_tokens"] = json!(9);
                body["usage"]["prompt_tokens_details"] = json!(null);
            }),
            &["W241"],
        ),
        caught(
            "fewer tokens than pieces",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                list[at]["usage"]["completion_tokens"] = json!(5);
                list[at]["usage"]["total_tokens"] = json!(42);
            }),
            &["W262"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught("a streamed total that does not add up", STREAM, streamed("total_tokens", json!(8)), &["W030"]).on(STREAMS),
        caught("a streamed count of text", STREAM, streamed("completion_tokens", json!("8")), &["W029"]),
        caught(
            "a streamed usage of null",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                list[at]["usage"] = json!(null);
            }),
            &["W065"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "no usage in the stream",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                list.remove(at);
            }),
            &["W065"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "usage beside choices",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                list[at]["choices"] = json!([{"index": 0, "delta": {}, "finish_reason": null}]);
            }),
            &["W066"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "usage before the text",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                let usage = list.remove(at);
                list.insert(1, usage);
            }),
            &["W264"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "usage before the finish",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                let usage = list.remove(at);
                let at = nth(list, "\"stop\"", 0);
                list.insert(at, usage);
            }),
            &["W264"],
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        caught(
            "usage that falls",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                let mut more = list[at].clone();
                more["usage"]["completion_tokens"] = json!(3);
                more["usage"]["total_tokens"] = json!(40);
                list.insert(at + 1, more);
            }),
            &["W264"],
        ),
        caught("unasked usage", STREAM, ask(|body| cut_at(body, "/stream_options")), &["W067"]).on(STREAMS),
    ]
}
