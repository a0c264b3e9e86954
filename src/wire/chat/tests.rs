//! Folding chat replies, whole and streamed, into one form.

use std::time::Duration;

use serde_json::{Value, json};

use super::FoldFaultKind::{
    AfterError, AfterFinish, BadUtf8, Changed, DuplicateKey, EmptyBody, FinishEmpty, FinishRepeated, Mislabelled, MissingKey,
    NotAnObject, NotJson, ReasoningDiffers, RoleLate, RoleRepeated, ToolChanged, ToolHeadMissing, ToolIndexMissing,
    ToolIndexReused, ToolRepeated, UsageRepeated, UsageWithChoices, WrongType,
};
use super::*;
use crate::wire::exchange::reply_of;
use crate::wire::sse::FramingFaultKind;
use crate::wire::{Chunk, Exchange, Reading};

const SSE: &str = "text/event-stream; charset=utf-8";

/// An exchange as the client would have left it; reads end at `ends` and arrive 10 ms apart.
fn exchange(status: u16, media: &str, body: &[u8], ends: &[usize]) -> Exchange {
    let chunks = ends.iter().zip(1..).map(|(end, number)| Chunk { at: Duration::from_millis(10 * number), end: *end }).collect();
    Exchange { chunks, ..reply_of(status, media, body) }
}

fn stream(body: &str) -> ChatReply {
    fold_chat(&exchange(200, SSE, body.as_bytes(), &[body.len()]))
}

fn whole(body: &str) -> ChatReply {
    fold_chat(&exchange(200, "application/json", body.as_bytes(), &[body.len()]))
}

/// A stream of chunks that share id, object, created and model; each is given as its other keys.
fn frames(chunks: &[Value]) -> String {
    let event = |chunk: &Value| {
        let mut frame = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"});
        for (key, value) in chunk.as_object().expect("an object") {
            frame[key] = value.clone();
        }
        format!("data: {frame}\n\n")
    };
    chunks.iter().map(event).collect::<String>() + "data: [DONE]\n\n"
}

/// Chunks with one choice each, given as its other keys.
fn deltas(choices: &[Value]) -> String {
    let chunks: Vec<Value> = choices
        .iter()
        .map(|choice| {
            let mut choice = choice.clone();
            if choice.get("index").is_none() {
                choice["index"] = 0.into();
            }
            json!({"choices": [choice]})
        })
        .collect();
    frames(&chunks)
}

fn delta(delta: Value) -> Value {
    Value::Object([("delta".to_owned(), delta)].into_iter().collect())
}

#[track_caller]
fn faults(reply: &ChatReply, expect: &[(FoldFaultKind, &str)]) {
    let got: Vec<(FoldFaultKind, &str)> = reply.faults.iter().map(|fault| (fault.kind, &*fault.path)).collect();
    assert_eq!(got, expect, "{:#?}", reply.faults);
}

/// Real replies: text, reasoning, calls, finish, usage, and what folding notes about them.
#[track_caller]
fn real(body: &[u8], media: &str, expect: &str, noted: &[(FoldFaultKind, &str)]) -> ChatReply {
    let reply = fold_chat(&exchange(200, media, body, &[body.len()]));
    let first = reply.first().expect("a choice");
    let calls: Vec<String> =
        first.tool_calls.iter().map(|call| format!(" {}{}", call.name.as_deref().unwrap_or("?"), call.arguments)).collect();
    let usage = reply.usage.as_ref().map(|usage| (usage.prompt, usage.completion, usage.total));
    let (Some(prompt), Some(completion), Some(total)) = usage.expect("usage") else { panic!("counts") };
    let line = format!(
        "{}|{}|{}|{}|{prompt}+{completion}={total}",
        first.reasoning.as_deref().unwrap_or("-"),
        first.content.as_deref().unwrap_or("-"),
        calls.concat(),
        first.finish_reason.as_deref().unwrap_or("-"),
    );
    assert_eq!(line, expect);
    assert_eq!(first.role.as_deref(), Some("assistant"));
    assert!(reply.is_complete() && reply.id.is_some() && reply.model.is_some() && reply.created.is_some());
    assert_eq!(reply.done_marker, reply.streamed);
    faults(&reply, noted);
    reply
}

#[test]
fn real_streams() {
    let paris = "-|The capital of France is Paris.||stop|37+8=45";
    real(include_bytes!("../../../tests/data/wire/llamacpp-chat.sse"), SSE, paris, &[]);
    let role = (RoleRepeated, "choices[].delta.role");
    let object = (Changed, "object");
    real(include_bytes!("../../../tests/data/wire/mlx-chat.sse"), SSE, paris, &[role, object]);
    real(include_bytes!("../../../tests/data/wire/ollama-chat.sse"), SSE, paris, &[role]);
    let call = r#" get_weather{"city": "Paris"}|tool_calls"#;
    let text = format!("-|-|{call}|342+31=373");
    let reply = real(include_bytes!("../../../tests/data/wire/llamacpp-tool.sse"), SSE, &text, &[(Changed, "created")]);
    assert_eq!((reply.events, reply.tool_calls()[0].kind.as_deref()), (12, Some("function")));
    let reply = real(include_bytes!("../../../tests/data/wire/mlx-tool.sse"), SSE, &text, &[role, object]);
    assert_eq!(reply.comments, 2);
    real(
        include_bytes!("../../../tests/data/wire/ollama-tool.sse"),
        SSE,
        r#"-|| get_weather{"city":"Paris"}|tool_calls|324+31=355"#,
        &[role],
    );
    let think = include_bytes!("../../../tests/data/wire/vllm-think.sse");
    let reply = real(
        think,
        SSE,
        "The user asks about the capital of France. The capital of France is Paris.\n|\n\nThe capital of France is Paris.||stop|215+28=243",
        &[],
    );
    assert_eq!((reply.first().and_then(|choice| choice.reasoning_field), reply.gaps.len()), (Some("reasoning"), 8));
}

#[test]
fn real_whole_replies() {
    let json = "application/json";
    real(
        include_bytes!("../../../tests/data/wire/llamacpp-chat.json"),
        json,
        "-|The capital of France is Paris.||stop|37+8=45",
        &[],
    );
    let call = r#"-|| get_weather{"city": "Paris"}|tool_calls|342+31=373"#;
    let reply = real(include_bytes!("../../../tests/data/wire/llamacpp-tool.json"), json, call, &[]);
    assert_eq!(reply.tool_calls()[0].parsed().expect("JSON"), json!({"city": "Paris"}));
    let reply = real(
        include_bytes!("../../../tests/data/wire/llamacpp-n2.json"),
        json,
        "-|The capital of France is Paris.||stop|37+8=45",
        &[],
    );
    assert_eq!(reply.choices.iter().map(|choice| choice.index).collect::<Vec<_>>(), [0, 1]);
    let body = include_bytes!("../../../tests/data/wire/llamacpp-logprobs.json");
    let reply = fold_chat(&exchange(200, json, body, &[body.len()]));
    assert_eq!(reply.choices[0].logprobs.as_ref().map(|logprobs| logprobs["content"].as_array().map(Vec::len)), Some(Some(3)));
}

#[test]
fn clocks_and_gaps_come_from_the_reads_that_completed_each_frame() {
    let body = deltas(&[
        delta(json!({"role": "assistant", "content": ""})),
        delta(json!({"reasoning": "hm"})),
        delta(json!({"content": "a"})),
        delta(json!({"content": "b"})),
        delta(json!({"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": "{}"}}]})),
        json!({"delta": {"content": "c"}, "finish_reason": "stop"}),
    ]);
    // Every read ends in the middle of the next event's first line, so that a frame is complete one read later.
    let mut ends: Vec<usize> = body.match_indices("\n\n").map(|(at, _)| at + 2).collect();
    let last = ends.pop().expect("an end");
    let reads: Vec<usize> = ends.iter().map(|end| end + 4).chain([last]).collect();
    let reply = fold_chat(&exchange(200, SSE, body.as_bytes(), &reads));
    let clocks = reply.clocks;
    assert_eq!((clocks.first_byte_us, clocks.end_us), (Some(5_000), Some(70_000)));
    assert_eq!((clocks.first_role_us, clocks.first_reasoning_us), (Some(10_000), Some(20_000)));
    assert_eq!((clocks.first_content_us, clocks.first_tool_us), (Some(30_000), Some(50_000)));
    assert_eq!(reply.gaps, [Duration::from_millis(10), Duration::from_millis(20)]);
    assert_eq!(reply.first().map(|choice| choice.content_pieces), Some(3));
    let whole = whole(r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"x"}}]}"#);
    assert_eq!((whole.clocks.first_content_us, whole.clocks.end_us), (None, Some(10_000)));
}

#[test]
fn choices_interleave_and_come_out_by_index() {
    let choice = |index: i64, text: &str| json!({"index": index, "delta": {"role": "assistant", "content": text}});
    let reply = stream(&frames(&[
        json!({"choices": [choice(1, "b"), choice(0, "a")]}),
        json!({"choices": [json!({"index": 1, "delta": {"content": "B"}, "finish_reason": "stop"})]}),
        json!({"choices": [json!({"index": 0, "delta": {"content": "A"}, "finish_reason": "length"})]}),
    ]));
    let got: Vec<_> =
        reply.choices.iter().map(|choice| (choice.index, choice.content.as_deref(), choice.finish_reason.as_deref())).collect();
    assert_eq!(got, [(0, Some("aA"), Some("length")), (1, Some("bB"), Some("stop"))]);
    faults(&reply, &[]);
}

/// The calls as `index id name arguments`, and the faults.
#[track_caller]
fn calls(fragments: &[Value], expect: &[&str], noted: &[(FoldFaultKind, &str)]) {
    let fragments: Vec<Value> = fragments.iter().map(|fragment| delta(json!({"tool_calls": [fragment]}))).collect();
    let reply = stream(&deltas(&fragments));
    let got: Vec<String> = reply
        .tool_calls()
        .iter()
        .map(|call| {
            let [id, name] = [&call.id, &call.name].map(|text| text.as_deref().unwrap_or("-"));
            format!("{} {id} {name} {}", call.index, call.arguments)
        })
        .collect();
    assert_eq!(got, expect);
    faults(&reply, noted);
}

#[test]
fn tool_fragments_merge_by_index() {
    const INDEX: &str = "choices[].delta.tool_calls[].index";
    const ID: &str = "choices[].delta.tool_calls[].id";
    const NAME: &str = "choices[].delta.tool_calls[].function.name";
    let head = |index: i64, id: &str, name: &str| json!({"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
    let rest = |index: i64, text: &str| json!({"index": index, "function": {"arguments": text}});
    calls(
        &[head(0, "a", "f"), head(1, "b", "g"), rest(0, "{\"x\""), rest(1, "{"), rest(0, ":1}"), rest(1, "}")],
        &["0 a f {\"x\":1}", "1 b g {}"],
        &[],
    );
    // The same id and name on every fragment are no change.
    calls(
        &[head(0, "a", "f"), json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}})],
        &["0 a f {}"],
        &[(ToolRepeated, ID), (ToolRepeated, NAME)],
    );
    calls(
        &[head(0, "a", "f"), json!({"index": 0, "id": "z", "function": {"arguments": "{}"}})],
        &["0 a f {}"],
        &[(ToolChanged, ID)],
    );
    // An index that never moves: two calls all the same.
    calls(
        &[head(0, "a", "f"), rest(0, "1"), head(0, "b", "g"), rest(0, "2")],
        &["0 a f 1", "0 b g 2"],
        &[(ToolIndexReused, INDEX)],
    );
    let bare = |id: &str, name: &str| json!({"id": id, "function": {"name": name, "arguments": "{}"}});
    calls(&[bare("a", "f"), bare("b", "g")], &["0 a f {}", "1 b g {}"], &[(ToolIndexMissing, INDEX)]);
    calls(&[rest(0, "{}")], &["0 - - {}"], &[(ToolHeadMissing, ID), (ToolHeadMissing, NAME)]);
    calls(
        &[json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}})],
        &["0 a f {\"x\":1}"],
        &[(WrongType, "choices[].delta.tool_calls[].function.arguments")],
    );
    calls(&[json!({"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "free"}})], &["0 a f free"], &[]);
}

#[test]
fn reasoning_has_one_text_under_three_names() {
    let check = |frame: Value, text: Option<&str>, noted: &[(FoldFaultKind, &str)]| {
        let reply = stream(&deltas(&[delta(frame)]));
        assert_eq!(reply.first().expect("a choice").reasoning.as_deref(), text);
        faults(&reply, noted);
    };
    check(json!({"reasoning_content": "a"}), Some("a"), &[]);
    check(json!({"reasoning_content": null, "reasoning": "", "thinking": "b"}), Some("b"), &[]);
    check(json!({"reasoning_content": "a", "reasoning": "a"}), Some("a"), &[]);
    check(json!({"reasoning_content": "a", "reasoning": "b"}), Some("a"), &[(ReasoningDiffers, "choices[].delta.reasoning")]);
    check(json!({"reasoning": ""}), None, &[]);
}

#[test]
fn what_a_stream_does_wrong_is_named() {
    let role = || delta(json!({"role": "assistant", "content": ""}));
    let text = || delta(json!({"content": "x"}));
    let end = |reason: &str| json!({"delta": {}, "finish_reason": reason});
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2});
    let check = |body: &str, noted: &[(FoldFaultKind, &str)]| faults(&stream(body), noted);
    check(&deltas(&[role(), text(), end("stop"), end("length")]), &[(FinishRepeated, "choices[].finish_reason")]);
    check(&deltas(&[role(), text(), end("stop"), text()]), &[(AfterFinish, "choices[].delta")]);
    check(&deltas(&[role(), text(), end("")]), &[(FinishEmpty, "choices[].finish_reason")]);
    check(&deltas(&[text(), role(), end("stop")]), &[(RoleLate, "choices[].delta.role")]);
    check(
        &frames(&[json!({"choices": [], "usage": usage}), json!({"choices": [], "usage": usage})]),
        &[(UsageRepeated, "usage")],
    );
    check(&frames(&[json!({"choices": [{"index": 0, "delta": {}}], "usage": usage})]), &[(UsageWithChoices, "usage")]);
    check(&frames(&[json!({"choices": [], "id": ""})]), &[(Changed, "id")]);
    check(
        &frames(&[json!({"choices": []}), json!({"choices": [], "id": "d", "created": 2})]),
        &[(Changed, "id"), (Changed, "created")],
    );
    check(&frames(&[json!({"other": 1})]), &[(MissingKey, "choices")]);
    check(&frames(&[json!({"choices": [{}]})]), &[(MissingKey, "choices[].index"), (MissingKey, "choices[].delta")]);
    check("data: {\"id\"\n\ndata: [1]\n\n", &[(NotJson, ""), (NotAnObject, "")]);
    check(
        &frames(&[json!({"choices": [{"index": "0", "delta": {"content": 5}}, null]})]),
        &[
            (WrongType, "choices[].index"),
            (WrongType, "choices[].delta.content"),
            (WrongType, "choices[]"),
            (MissingKey, "choices[].index"),
        ],
    );
    check(r#"data: {"id":"a","id":"b","object":"o","created":1,"model":"m","choices":[]}"#, &[]);
    check(
        "data: {\"id\":\"a\",\"id\":\"b\",\"object\":\"o\",\"created\":1,\"model\":\"m\",\"choices\":[]}\n\n",
        &[(DuplicateKey, "")],
    );
}

#[test]
fn a_fault_says_where_it_was_first_seen_and_how_often() {
    let body = deltas(&[delta(json!({"content": "x"})), delta(json!({"content": 5})), delta(json!({"content": 6}))]);
    let reply = stream(&body);
    let fault = reply.fault(WrongType).expect("a fault");
    assert_eq!((fault.event, fault.count, fault.message.as_str()), (2, 2, "`choices[].delta.content` is a number, not a string"));
    assert!(body[fault.at.clone()].contains("\"content\":5"));
}

#[test]
fn errors_inside_a_stream() {
    let start = deltas(&[delta(json!({"role": "assistant", "content": "par"}))]).replace("data: [DONE]\n\n", "");
    let check = |tail: &str, message: &str, noted: &[(FoldFaultKind, &str)]| {
        let reply = stream(&format!("{start}{tail}"));
        let error = reply.error.as_ref().expect("an error");
        assert_eq!((error.message.as_str(), error.status, reply.text()), (message, None, "par"));
        assert!(!reply.is_complete());
        faults(&reply, noted);
    };
    check("data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n", "boom", &[]);
    check("event: error\ndata: {\"message\":\"boom\"}\n\n", "boom", &[]);
    check("event: error\ndata: it broke\n\n", "it broke", &[(NotJson, "")]);
    check("data: {\"object\":\"error\",\"message\":\"flat\"}\n\n", "flat", &[]);
    let lie = deltas(&[json!({"delta": {}, "finish_reason": "stop"})]);
    check(&format!("data: {{\"error\":\"boom\"}}\n\n{lie}"), "boom", &[(AfterError, "choices[]")]);
    let fine = stream(&frames(&[json!({"choices": [], "error": null}), json!({"choices": [], "error": {}})]));
    assert_eq!(fine.error, None);
}

#[test]
fn errors_and_odd_bodies_of_whole_replies() {
    let reply = fold_chat(&exchange(401, "application/json", br#"{"error":"Unauthorized"}"#, &[24]));
    assert_eq!(reply.error.map(|error| error.to_string()), Some("401 Unauthorized".to_owned()));
    let reply = fold_chat(&exchange(500, SSE, b"", &[]));
    assert_eq!(reply.error.map(|error| error.to_string()), Some("500 (no message)".to_owned()));
    let reply = whole(r#"{"error":{"message":"wrapped"}}"#);
    assert_eq!(reply.error.map(|error| error.to_string()), Some("200 wrapped".to_owned()));
    faults(&whole(""), &[(EmptyBody, "")]);
    faults(&whole("<html>"), &[(NotJson, "")]);
    faults(&whole("[]"), &[(NotAnObject, "")]);
    let reply = whole(
        r#"{"id":"a","object":"o","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"text","text":"a"},{"text":"b"}]}}]}"#,
    );
    assert_eq!(reply.text(), "ab");
    faults(&reply, &[(WrongType, "choices[].message.content")]);
    let body = b"{\"id\":\"a\",\"object\":\"o\",\"created\":1,\"model\":\"m\xFF\",\"choices\":[]}";
    faults(&fold_chat(&exchange(200, "application/json", body, &[body.len()])), &[(BadUtf8, "")]);
}

#[test]
fn a_wrong_label_does_not_hide_the_reply() {
    let body = deltas(&[delta(json!({"role": "assistant", "content": "x"}))]);
    let reply = fold_chat(&exchange(200, "application/json", body.as_bytes(), &[body.len()]));
    assert!(reply.streamed && reply.text() == "x");
    faults(&reply, &[(Mislabelled, "content-type")]);
    let body = include_bytes!("../../../tests/data/wire/llamacpp-chat.json");
    let reply = fold_chat(&exchange(200, SSE, body, &[body.len()]));
    assert!(!reply.streamed && reply.is_complete());
    faults(&reply, &[(Mislabelled, "content-type")]);
}

#[test]
fn a_cut_stream_keeps_what_was_whole() {
    let body = include_str!("../../../tests/data/wire/llamacpp-chat.sse");
    let cut = body.find("Paris").expect("the word");
    let reply = stream(&body[..cut]);
    assert_eq!((reply.text(), reply.done_marker, reply.is_complete()), ("The capital of France is", false, false));
    assert_eq!(reply.framing.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FramingFaultKind::Unterminated]);
}

#[test]
fn escapes_and_logprobs_are_joined() {
    let item = |token: &str| json!({"token": token, "logprob": -0.5, "bytes": null});
    let reply = stream(&deltas(&[
        json!({"delta": {"role": "assistant", "content": "a\n\"é"}, "logprobs": {"content": [item("a")], "refusal": null}}),
        json!({"delta": {"content": "\u{1F980}"}, "logprobs": {"content": [item("b")], "refusal": null}, "finish_reason": "stop"}),
    ]));
    assert_eq!(reply.text(), "a\n\"é\u{1F980}");
    let logprobs = reply.choices[0].logprobs.as_ref().expect("logprobs");
    assert_eq!(logprobs, &json!({"content": [item("a"), item("b")], "refusal": null}));
}

#[test]
fn completions_fold_alike() {
    let body = "data: {\"id\":\"c\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\" Paris\",\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
    let exchange = exchange(200, SSE, body.as_bytes(), &[body.len()]);
    let reply = Reading::of(&exchange).completion();
    assert_eq!((reply.text(), reply.is_complete()), (" Paris", true));
    faults(&reply, &[]);
}

#[test]
fn request_bodies_keep_their_order() {
    let mut request = ChatRequest {
        model: Some("m".to_owned()),
        messages: vec![ChatRequest::message("user", "hi")],
        stream: true,
        tools: vec![ChatRequest::function("f", "", json!({"type": "object"}))],
        ..ChatRequest::default()
    };
    request.params.insert("temperature".to_owned(), json!(0));
    let body = request.to_value().to_string();
    assert_eq!(
        body,
        r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0,"stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}"#
    );
    // What the author writes wins, also null.
    request.params.insert("stream_options".to_owned(), Value::Null);
    assert_eq!(request.to_value()["stream_options"], Value::Null);
    assert_eq!(request.to_request().target, "/v1/chat/completions");
}

#[test]
fn a_reply_goes_back_into_the_history() {
    let reply = stream(&deltas(&[
        delta(json!({"role": "assistant", "content": null, "reasoning_content": "hm"})),
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]})),
    ]));
    let call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let choice = reply.first().expect("a choice");
    assert_eq!(choice.to_message(false), json!({"role": "assistant", "content": null, "tool_calls": [call]}));
    assert_eq!(choice.to_message(true)["reasoning_content"], "hm");
}
