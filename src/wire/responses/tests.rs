//! Folding responses, whole and streamed, into one form; and writing requests.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::wire::exchange::reply_of;
use crate::wire::{ChatRequest, Exchange, FoldFaultKind, Reading, Request};

const SSE: &str = "text/event-stream";

fn exchange(media: &str, body: &[u8]) -> Exchange {
    let request = Request::post_json("/v1/responses", &json!({"input": "Hi"}));
    Exchange { request, ..reply_of(200, media, body) }
}

/// The reply of a recording of a real server.
fn recorded(name: &str) -> ResponsesReply {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/contract").join(name).with_extension("http");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (_, reply) = text.split_once("\n### RESPONSE\n").expect("a reply");
    let (reply, _) = reply.rsplit_once("\n\n### curl").expect("the line of the client");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    let media = if head.contains("event-stream") { SSE } else { "application/json" };
    folded(&exchange(media, body.as_bytes()))
}

fn folded(exchange: &Exchange) -> ResponsesReply {
    Reading::of(exchange).responses().expect("a response").clone()
}

fn events(list: &[Value]) -> ResponsesReply {
    let body: String =
        list.iter().map(|data| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or("x"))).collect();
    folded(&exchange(SSE, body.as_bytes()))
}

const SERVERS: &[&str] = &["llamacpp", "ollama", "vllm", "litellm", "vllm-mlx"];

#[test]
fn whole_and_streamed_replies_of_real_servers_fold_alike() {
    for server in SERVERS {
        for delivery in ["responses", "responses-stream"] {
            let name = format!("{server}/{delivery}");
            let reply = recorded(&name);
            assert_eq!(reply.text(), "The capital of France is Paris.", "{name}");
            assert_eq!(reply.response_status(), Some("completed"), "{name}");
            assert!(reply.is_complete() && reply.error.is_none() && reply.output.len() == 1, "{name}");
            assert!(reply.faults.is_empty(), "{name}: {:?}", reply.faults);
            let chat = reply.to_chat();
            assert_eq!(chat.first().and_then(|choice| choice.finish_reason.as_deref()), Some("stop"), "{name}");
            let usage = chat.usage.expect("usage");
            assert_eq!(usage.prompt, Some(37), "{name}");
            assert_eq!(usage.total, Some(37 + usage.completion.expect("a count")), "{name}");
            let pieces = reply.items.iter().flat_map(|life| &life.parts).map(|part| part.pieces).sum::<u64>();
            assert_eq!(pieces, if reply.streamed { 7 } else { 0 }, "{name}");
        }
    }
}

#[test]
fn calls_of_real_servers_fold_alike() {
    for server in SERVERS {
        for delivery in ["responses-tool", "responses-tool-stream"] {
            let name = format!("{server}/{delivery}");
            let reply = recorded(&name);
            let chat = reply.to_chat();
            let [call] = chat.tool_calls() else { panic!("{name}: {:?}", reply.output) };
            assert_eq!(call.name.as_deref(), Some("get_weather"), "{name}");
            assert_eq!(call.parsed().expect("JSON"), json!({"city": "Paris"}), "{name}");
            assert!(call.id.as_deref().is_some_and(|id| id.starts_with("call_") || id.starts_with("chatcmpl-tool-")), "{name}");
            assert_eq!(chat.choices[0].finish_reason.as_deref(), Some("tool_calls"), "{name}");
            if reply.streamed {
                let life = &reply.items[0];
                assert_eq!(life.arguments, life.done.as_ref().and_then(|item| item.arguments.clone()), "{name}");
                assert_eq!((life.adds, life.dones, life.renamed.len()), (1, 1, 0), "{name}");
            }
        }
    }
}

#[test]
fn thoughts_of_real_servers_are_told_apart_from_the_answer() {
    for name in [
        "llamacpp/think-responses",
        "llamacpp/think-responses-stream",
        "ollama/think-responses-stream",
        "vllm/think-responses-stream",
    ] {
        let reply = recorded(name);
        let chat = reply.to_chat();
        let choice = chat.first().expect("a choice");
        assert!(choice.reasoning.as_deref().is_some_and(|text| text.starts_with("The user asks")), "{name}: {choice:?}");
        assert_eq!(choice.content.as_deref().map(str::trim), Some("The capital of France is Paris."), "{name}");
        assert_eq!(
            reply.output.iter().map(|item| item.kind).collect::<Vec<_>>(),
            [ItemKind::Reasoning, ItemKind::Message],
            "{name}"
        );
    }
}

#[test]
fn a_response_that_was_cut_says_so() {
    let cut = recorded("vllm/responses-length");
    assert_eq!(cut.response_status(), Some("incomplete"));
    assert_eq!(cut.to_chat().first().and_then(|choice| choice.finish_reason.as_deref()), Some("length"));
    assert_eq!(cut.response.as_ref().and_then(|response| response.incomplete.as_deref()), Some("max_output_tokens"));
}

#[test]
fn only_calls_that_are_answered_with_a_response_are_folded() {
    for (method, path, is_one) in [
        ("POST", "/v1/responses", true),
        ("POST", "/responses", true),
        ("GET", "/v1/responses/resp_1", true),
        ("POST", "/v1/responses/resp_1/cancel", true),
        ("GET", "/v1/responses/resp_1/input_items", false),
        ("DELETE", "/v1/responses/resp_1", false),
        ("POST", "/v1/responses/input_tokens", false),
        ("GET", "/v1/responses", false),
        ("POST", "/v1/responses_of_mine", false),
        ("POST", "/v1/chat/completions", false),
    ] {
        assert_eq!(is_response_address(method, path), is_one, "{method} {path}");
    }
}

fn life(kind: &str, status: &str, output: &Value) -> Value {
    json!({"type": format!("response.{kind}"), "response": {"id": "resp_1", "object": "response", "status": status, "output": output}})
}

fn added(index: i64, item: &Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn delta(id: &str, text: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": id, "output_index": 0, "content_index": 0, "delta": text})
}

#[test]
fn items_and_events_of_vendors_are_kept() {
    let odd = json!({"type": "acme:telescope", "id": "t_1", "zoom": 3});
    let reply = events(&[
        life("created", "in_progress", &json!([])),
        added(0, &odd),
        json!({"type": "acme.telescope.focus", "item_id": "t_1", "level": 1}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": odd}),
        life("completed", "completed", &json!([odd])),
    ]);
    assert!(reply.faults.is_empty(), "{:?}", reply.faults);
    assert_eq!((reply.output[0].kind, &reply.output[0].raw), (ItemKind::Other, &odd));
    assert_eq!(reply.events[2].kind, EventKind::Other);
    assert_eq!(reply.events.len(), 5);
}

#[test]
fn a_stream_that_breaks_off_keeps_what_came() {
    let message = json!({"type": "message", "id": "m", "role": "assistant", "content": []});
    let reply = events(&[life("created", "in_progress", &json!([])), added(0, &message), delta("m", "Pa"), delta("m", "ris")]);
    assert_eq!((reply.text().as_str(), reply.is_complete(), reply.ended_at), ("Paris", false, None));
    let chat = reply.to_chat();
    assert_eq!((chat.text(), chat.choices[0].finish_reason.as_deref(), chat.choices[0].content_pieces), ("Paris", None, 2));
}

#[test]
fn an_event_without_its_item_is_a_fault_and_its_text_is_kept() {
    let reply = events(&[life("created", "in_progress", &json!([])), delta("m", "Paris")]);
    assert_eq!(reply.fault(FoldFaultKind::Unplaced).map(|fault| fault.event), Some(2));
    assert_eq!(reply.text(), "Paris");
    let later = events(&[delta("m", "Par"), added(0, &json!({"type": "message", "id": "m"})), delta("m", "is")]);
    assert_eq!((later.items.len(), later.items[0].begun_at, later.items[0].added_at), (1, 1, Some(2)));
}

#[test]
fn items_that_share_an_index_stay_two() {
    let call = json!({"type": "function_call", "id": "f", "call_id": "c", "name": "get", "arguments": ""});
    let reply = events(&[
        added(0, &json!({"type": "message", "id": "m", "role": "assistant", "content": []})),
        delta("m", "Let me look."),
        added(0, &call),
        json!({"type": "response.function_call_arguments.delta", "item_id": "f", "output_index": 0, "delta": "{}"}),
    ]);
    assert_eq!(reply.items.len(), 2);
    assert_eq!(reply.items[1].arguments.as_deref(), Some("{}"));
    assert_eq!(reply.to_chat().text(), "Let me look.");
    let renamed = events(&[
        added(0, &call),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "function_call", "id": "g"}}),
    ]);
    assert_eq!(renamed.items.len(), 1);
    assert_eq!(renamed.items[0].renamed, [(2, "g".to_owned())]);
}

#[test]
fn errors_in_a_stream_are_read_flat_nested_and_without_a_type() {
    for data in [
        json!({"type": "error", "code": "server_error", "message": "boom", "param": null, "sequence_number": 3}),
        json!({"type": "error", "error": {"type": "server_error", "message": "boom"}}),
        json!({"error": {"message": "boom", "code": 500}}),
        json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "boom"}}}),
    ] {
        let reply = events(&[life("created", "in_progress", &json!([])), data.clone()]);
        assert_eq!(reply.error.as_ref().map(|error| error.message.as_str()), Some("boom"), "{data}");
        assert!(!reply.is_complete() && reply.to_chat().error.is_some(), "{data}");
    }
    let whole = folded(&exchange(
        "application/json",
        br#"{"id":"r","object":"response","status":"failed","error":{"code":"x","message":"boom"},"output":[]}"#,
    ));
    assert_eq!(whole.error.map(|error| error.to_string()), Some("200 boom".to_owned()));
    let shape = folded(&exchange("application/json", br#"{"error":{"message":"no"}}"#));
    assert_eq!(shape.error.map(|error| error.message), Some("no".to_owned()));
}

#[test]
fn what_is_not_a_response_is_named() {
    for (body, kind) in [("", FoldFaultKind::EmptyBody), ("<p>", FoldFaultKind::NotJson), ("[]", FoldFaultKind::NotAnObject)] {
        let reply = folded(&exchange("application/json", body.as_bytes()));
        assert!(reply.fault(kind).is_some() && reply.to_chat().choices.is_empty(), "{body}: {:?}", reply.faults);
    }
    let odd =
        folded(&exchange("application/json", br#"{"id":7,"object":"response","status":"completed","output":[3,{"id":"a"}]}"#));
    let paths: Vec<&str> = odd.faults.iter().map(|fault| fault.path.as_ref()).collect();
    assert_eq!(paths, ["id", "output[]", "output[].type"]);
}

#[test]
fn many_parts_and_items_cost_no_more_than_they_are() {
    let mut list = vec![life("created", "in_progress", &json!([]))];
    for number in 0..5_000 {
        list.push(json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": number, "delta": "x"}));
        list.push(json!({"type": "response.output_text.delta", "item_id": format!("m{number}"), "output_index": number, "content_index": i64::MAX, "delta": "y"}));
    }
    let reply = events(&list);
    assert_eq!((reply.items.len(), reply.items[0].parts.len(), reply.text().len()), (5_000, 5_001, 10_000));
    assert_eq!(reply.faults.len(), 1, "{:?}", reply.faults);
}

#[track_caller]
fn check(request: &ResponsesRequest, expect: &Value) {
    assert_eq!(request.to_value().expect("it can be said").to_string(), expect.to_string());
}

#[test]
fn a_chat_request_is_said_in_the_words_of_responses() {
    let question = ResponsesRequest {
        model: Some("m".to_owned()),
        messages: vec![ChatRequest::message("user", "Hi")],
        ..Default::default()
    };
    check(&question, &json!({"model": "m", "input": "Hi"}));
    let mut full = ResponsesRequest { stream: true, ..question };
    full.messages.insert(0, ChatRequest::message("system", "Be brief."));
    for (key, value) in [("temperature", json!(0)), ("max_tokens", json!(8)), ("seed", json!(7))] {
        full.params.insert(key.to_owned(), value);
    }
    full.params.insert("tool_choice".to_owned(), json!({"type": "function", "function": {"name": "f"}}));
    let schema = json!({"type": "object"});
    full.params.insert(
        "response_format".to_owned(),
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}}),
    );
    full.tools = vec![ChatRequest::function("f", "does", schema.clone())];
    check(
        &full,
        &json!({"model": "m", "instructions": "Be brief.", "input": "Hi", "temperature": 0, "max_output_tokens": 8,
            "tool_choice": {"type": "function", "name": "f"},
            "text": {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": true}},
            "stream": true,
            "tools": [{"type": "function", "name": "f", "description": "does", "parameters": schema}]}),
    );
    full.params.insert("n".to_owned(), json!(2));
    assert_eq!(full.to_value().expect_err("it cannot be said").to_string(), "the Responses API has no `n`");
}

#[test]
fn a_history_becomes_items_and_items_go_back_as_they_came() {
    let kept = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    let request = ResponsesRequest {
        messages: vec![
            json!({"role": "user", "content": [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}}]}),
            kept.clone(),
            json!({"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
            ChatRequest::tool_result("c", "18"),
            ChatRequest::message("assistant", "18 degrees."),
            ChatRequest::message("user", "Sure?"),
        ],
        ..Default::default()
    };
    check(
        &request,
        &json!({"input": [
            {"role": "user", "content": [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}]},
            kept,
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "18"},
            {"role": "assistant", "content": "18 degrees."},
            {"role": "user", "content": "Sure?"},
        ]}),
    );
}
