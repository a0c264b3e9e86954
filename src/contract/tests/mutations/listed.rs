//! The corruptions and legal variations of the catalogue, by their numbers.

use serde_json::json;

use super::change::*;
use super::*;

/// A tool whose one argument is a tree of named nodes.
fn tree() -> Change {
    ask(|body| {
        body["tools"][0]["function"]["strict"] = json!(true);
        body["tools"][0]["function"]["parameters"] = json!({
            "type": "object", "$defs": {"node": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}},
            "properties": {"root": {"$ref": "#/$defs/node"}}, "required": ["root"], "additionalProperties": false});
    })
}

fn strict() -> Change {
    ask(|body| body["tools"][0]["function"]["strict"] = json!(true))
}

/// Other arguments of the first call of a whole reply.
pub(super) fn arguments(text: &'static str) -> Change {
    put("/choices/0/message/tool_calls/0/function/arguments", json!(text))
}

pub(super) fn rows() -> Vec<Row> {
    [corrupted(), legal_ones()].into_iter().flatten().collect()
}

fn corrupted() -> Vec<Row> {
    let call_streams = [CALLS, "llamacpp/tool-required-stream", "vllm-mlx/tool-required-stream"];
    let strange = "data: {\"error\":{\"message\":\"gone\",\"type\":\"server_error\"}}\n\n";
    vec![
        caught("M01 no [DONE]", STREAM, swap("data: [DONE]\n\n", ""), &["W017"]).on(STREAMS),
        caught("M03 cut before the finish", STREAM, events(|list| list.truncate(place(list, "\"stop\""))), &["W061"]).on(STREAMS),
        caught(
            "M05 the finish twice",
            STREAM,
            frames(|list| list.insert(nth(list, "\"stop\"", 0), list[nth(list, "\"stop\"", 0)].clone())),
            &["W058"],
        )
        .on(STREAMS),
        caught("M07 a payload after [DONE]", STREAM, events(|list| list.push(list[1].clone())), &["W016"]).on(STREAMS),
        caught(
            "M09 no role",
            STREAM,
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta") {
                    delta.as_object_mut().expect("a delta").shift_remove("role");
                }
            }),
            &["W056"],
        )
        .on(STREAMS),
        caught("M11 tool_calls without calls", WHOLE, put("/choices/0/finish_reason", json!("tool_calls")), &["W082"]).on(WHOLES),
        caught("M11 tool_calls without calls, streamed", STREAM, swap_all("\"stop\"", "\"tool_calls\""), &["W082"]).on(STREAMS),
        caught("M11 an empty list of calls", CALL, put("/choices/0/message/tool_calls", json!([])), &["W082"]),
        caught(
            "M13 two fragments swapped",
            CALLS,
            frames(|list| {
                let (a, b) = (nth(list, "\"arguments\"", 1), nth(list, "\"arguments\"", 2));
                list.swap(a, b);
            }),
            &["W094"],
        )
        .on(&[CALLS, "llamacpp/tool-required-stream"]),
        caught(
            "M13 two fragments swapped, still JSON",
            CALLS,
            both(swap(r#""arguments":"city""#, r#""arguments":"Par""#), swap(r#""arguments":"Paris""#, r#""arguments":"city""#)),
            &["W080"],
        ),
        caught(
            "M15 fragments without index",
            CALLS,
            each(|frame| {
                if frame.pointer("/choices/0/delta/tool_calls/0").is_some() {
                    cut_at(frame, "/choices/0/delta/tool_calls/0/index");
                }
            }),
            &["W090"],
        )
        .on(&call_streams),
        caught(
            "M15 a later fragment without index",
            CALLS,
            frames(|list| {
                let at = nth(list, "\"arguments\"", 2);
                cut_at(&mut list[at], "/choices/0/delta/tool_calls/0/index");
            }),
            &["W090"],
        ),
        caught(
            "M17 another id in a later fragment",
            CALLS,
            frames(|list| {
                let at = nth(list, "\"arguments\"", 2);
                put_at(&mut list[at], "/choices/0/delta/tool_calls/0/id", json!("call_x"));
            }),
            &["W092"],
        )
        .on(&[CALLS, "llamacpp/tool-required-stream"]),
        caught("M19 arguments encoded twice", CALL, arguments(r#""{\"city\": \"Paris\"}""#), &["W079"]),
        caught("M21 a required argument removed", CALL, arguments("{}"), &["W080"]).given(strict()),
        caught("M21 an argument of a wrong type", CALL, arguments(r#"{"city": 3}"#), &["W080"]).given(strict()),
        caught("M21 an argument outside its enum", CALL, arguments(r#"{"city": "Paris", "unit": "kelvin"}"#), &["W080"])
            .given(strict()),
        caught(
            "M21 an argument that is not in the schema",
            CALL,
            arguments(r#"{"city": "Paris", "country": "France"}"#),
            &["W080"],
        )
        .given(strict()),
        caught(
            "M23 a fault three levels down, below a reference",
            CALL,
            arguments(r#"{"root":{"name":"a","kids":[{"name":"b","kids":[{"name":3}]}]}}"#),
            &["W080"],
        )
        .given(both(tree(), arguments(r#"{"root":{"name":"a","kids":[{"name":"b","kids":[{"name":"c"}]}]}}"#))),
        caught(
            "M25 a total off by one",
            WHOLE,
            json(|body| body["usage"]["total_tokens"] = json!(body["usage"]["total_tokens"].as_u64().expect("a count") + 1)),
            &["W030"],
        )
        .on(WHOLES),
        caught(
            "M25 a total off by one, streamed",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"total_tokens\"", 0);
                put_at(&mut list[at], "/usage/total_tokens", json!(44));
            }),
            &["W030"],
        )
        .on(STREAMS),
        caught(
            "M27 more cached tokens than the prompt has",
            WHOLE,
            put("/usage/prompt_tokens_details", json!({"cached_tokens": 9_999})),
            &["W034"],
        )
        .on(WHOLES),
        caught("M29 length relabelled", "llamacpp/chat-length", put("/choices/0/finish_reason", json!("stop")), &["W033"]).on(&[
            "llamacpp/chat-length",
            "vllm/chat-length",
            "litellm/chat-length",
            "ollama/chat-length",
            "mlx/chat-length",
        ]),
        caught(
            "M31 the thinking again in the content",
            THOUGHT,
            json(|body| {
                let message = &mut body["choices"][0]["message"];
                let thought = ["reasoning_content", "reasoning"]
                    .iter()
                    .find_map(|name| message[name].as_str())
                    .expect("thinking")
                    .to_owned();
                message["content"] = json!(format!("{thought}{}", message["content"].as_str().unwrap_or_default()));
            }),
            &["W114"],
        )
        .on(&[THOUGHT, "vllm/think-default", "ollama/think-default", "mlx/think-default"]),
        caught(
            "M33 the stop text left in the content",
            "llamacpp/chat-stop",
            json(|body| {
                let content = body["choices"][0]["message"]["content"].as_str().expect("content").to_owned();
                body["choices"][0]["message"]["content"] = json!(format!("{content} Paris."));
            }),
            &["W037"],
        )
        .on(&["llamacpp/chat-stop", "vllm/chat-stop", "litellm/chat-stop", "ollama/chat-stop"]),
        caught(
            "M35 content as a list of parts",
            WHOLE,
            put("/choices/0/message/content", json!([{"type": "text", "text": "The capital of France is Paris."}])),
            &["W026"],
        )
        .on(WHOLES),
        caught(
            "M37 an error under 200",
            WHOLE,
            raw(r#"{"error":{"message":"upstream failed","type":"server_error","param":null,"code":null}}"#),
            &["W010"],
        )
        .on(WHOLES),
        caught(
            "M37 an error beside the answer",
            WHOLE,
            json(|body| body["error"] = json!({"message": "half of it failed"})),
            &["W010"],
        )
        .on(WHOLES),
        caught(
            "M39 a stack trace",
            BAD,
            put("/error/message", json!("Traceback (most recent call last):\n  File \"/app/server.py\", line 7, in run")),
            &["W009"],
        ),
        caught(
            "M41 an error, and then the finish",
            STREAM,
            events(move |list| list.insert(place(list, "\"stop\""), strange.to_owned())),
            &["W062"],
        )
        .on(STREAMS),
        caught(
            "M43 a continuation byte dropped",
            "llamacpp/chat-unicode-stream",
            bytes(|body| {
                let at = body.iter().position(|byte| *byte >= 0x80).expect("a character of several bytes");
                body.remove(at + 1);
            }),
            &["W015", "W068"],
        ),
        caught(
            "M43 a continuation byte dropped in a whole reply",
            "llamacpp/chat-unicode",
            bytes(|body| {
                let at = body.iter().position(|byte| *byte >= 0x80).expect("a character of several bytes");
                body.remove(at + 1);
            }),
            &["W004"],
        ),
    ]
}

fn legal_ones() -> Vec<Row> {
    vec![
        legal("M57 comments and blank lines between events", STREAM, swap_all("\n\n", "\n\n: alive\n\n\n")).on(STREAMS),
        legal("M57 a comment before the first event", STREAM, text(|text| format!(": hello\n\n{text}"))).on(STREAMS),
        legal("M57 a comment within an event", STREAM, swap_all("data: {", ":\ndata: {")).on(STREAMS),
        legal("M59 one event over several data lines", STREAM, swap_all(r#","created""#, "\ndata: ,\"created\"")).on(STREAMS),
        legal("M59 a byte order mark before the events", STREAM, text(|text| format!("\u{FEFF}{text}"))).on(STREAMS),
        legal("M61 an upper-case media type with a charset", STREAM, header("content-type", "TEXT/EVENT-STREAM; Charset=UTF-8"))
            .on(STREAMS),
        legal(
            "M61 a media type of JSON with a quoted charset",
            WHOLE,
            header("content-type", "Application/JSON;charset=\"utf-8\""),
        )
        .on(WHOLES),
        legal("M61 no length and no chunks", WHOLE, only_header("content-type")).on(WHOLES),
        legal("M61 no length and no chunks, streamed", STREAM, only_header("content-type")).on(STREAMS),
        legal(
            "M63 an empty delta",
            STREAM,
            frames(|list| {
                let mut empty = list[1].clone();
                empty["choices"][0]["delta"] = json!({});
                list.insert(2, empty);
            }),
        )
        .on(STREAMS),
        legal("M63 a first delta with content null", STREAM, put_first_content(json!(null))),
        legal("M63 a first delta with empty content", STREAM, put_first_content(json!(""))),
        legal(
            "M63 a first delta without content",
            STREAM,
            swap(r#""delta":{"role":"assistant","content":null}"#, r#""delta":{"role":"assistant"}"#),
        ),
        legal("M63 content null beside calls", CALL, put("/choices/0/message/content", json!(null))),
        legal("M63 empty content beside calls", "mlx/tool-auto", put("/choices/0/message/content", json!(""))),
        legal("M63 no content beside calls", CALL, cut("/choices/0/message/content")),
        legal("M65 arguments with other spaces and escapes", CALL, arguments("{ \"city\" :\n\"Par\\u0069s\" }")).given(strict()),
        legal("M65 arguments in another order", CALL, arguments(r#"{"unit":"celsius","city":"Paris"}"#)).given(strict()),
        legal("M65 1.0 for 1", CALL, arguments(r#"{"days":1.0}"#)).given(both(
            ask(|body| {
                body["tools"][0]["function"]["strict"] = json!(true);
                body["tools"][0]["function"]["parameters"] =
                    json!({"type": "object", "properties": {"days": {"type": "integer"}}});
            }),
            arguments(r#"{"days":1}"#),
        )),
        legal("M67 a named tool finishes with stop", CALL, put("/choices/0/finish_reason", json!("stop")))
            .given(asked("tool_choice", json!({"type": "function", "function": {"name": "get_weather"}}))),
        legal(
            "M69 thinking between two calls",
            CALLS,
            frames(|list| {
                let at = nth(list, "\"tool_calls\"", 3);
                let mut thought = list[at].clone();
                thought["choices"][0]["delta"] = json!({"reasoning": "And now the unit."});
                list.insert(at, thought);
            }),
        ),
        legal("M71 fewer alternatives than asked", LOGPROBS, asked("top_logprobs", json!(5))),
        legal("M71 a log probability of -9999.0", LOGPROBS, put("/choices/0/logprobs/content/0/logprob", json!(-9999.0))),
        legal(
            "M75 refusal and logprobs removed",
            "vllm/chat",
            json(|body| {
                cut_at(body, "/choices/0/message/refusal");
                cut_at(body, "/choices/0/logprobs");
            }),
        ),
        legal("M75 no system_fingerprint", WHOLE, cut("/system_fingerprint")).on(&[
            WHOLE,
            "vllm/chat",
            "ollama/chat",
            "mlx/chat",
        ]),
        legal(
            "M75 param and code removed from an error",
            BAD,
            json(|body| {
                cut_at(body, "/error/param");
                cut_at(body, "/error/code");
            }),
        ),
    ]
}

fn put_first_content(content: serde_json::Value) -> Change {
    frames(move |list| {
        list[0]["choices"][0]["delta"] = json!({"role": "assistant", "content": content, "refusal": null});
    })
}
