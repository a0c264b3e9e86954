//! The rules of tools on recorded replies, as they came and changed in one place each: every change is found under its rule,
//! every legal variation stays silent.

use serde_json::{Value, json};

use super::trace::Trace;
use super::{Context, judge, judge_scenario};
use crate::event::ExchangeId;
use crate::wire::{Exchange, Reading, Request, reply_of};

const WHOLE: &str = include_str!("../../tests/data/wire/llamacpp-tool.json");
const STREAM: &str = include_str!("../../tests/data/wire/llamacpp-tool.sse");

fn weather() -> Value {
    json!({"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}}})
}

/// What was asked, with more keys.
fn asked(more: &Value) -> Value {
    let mut body =
        json!({"model": "m", "messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tools": [weather()]});
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

fn exchange(request: &Value, reply: &str) -> Exchange {
    let streamed = reply.starts_with("data:");
    let media = if streamed { "text/event-stream" } else { "application/json" };
    let mut request = request.clone();
    if streamed {
        request["stream"] = json!(true);
    }
    let mut exchange = reply_of(200, media, reply.as_bytes());
    exchange.request = Request::post_json("/v1/chat/completions", &request);
    exchange
}

/// Letters and ids of broken rules among W073 to W109, heaviest first.
fn broken(exchange: &Exchange) -> Vec<String> {
    let reading = Reading::of(exchange);
    let judgement = judge(&reading, &reading.chat(), &Context::default());
    let ours = judgement.findings.iter().filter(|finding| ("W073".."W110").contains(&finding.rule.id));
    ours.map(|finding| format!("{}{}", finding.severity.letter(), &finding.rule.id[1..])).collect()
}

#[track_caller]
fn check(more: &Value, reply: &str, expect: &[&str]) {
    assert_eq!(broken(&exchange(&asked(more), reply)), expect, "{reply}");
}

/// The recorded whole reply with its message changed.
fn whole(change: impl FnOnce(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(WHOLE).expect("a recorded reply");
    change(&mut body["choices"][0]);
    body.to_string()
}

/// The recorded whole reply with other arguments.
fn arguments(text: &str) -> String {
    whole(|choice| choice["message"]["tool_calls"][0]["function"]["arguments"] = json!(text))
}

/// The recorded stream with its frames changed; `[DONE]` stays.
fn stream(change: impl FnOnce(&mut Vec<Value>)) -> String {
    let frames = STREAM.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let mut frames: Vec<Value> = frames.map(|data| serde_json::from_str(data).expect("a recorded frame")).collect();
    change(&mut frames);
    let mut out: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
    out.push_str("data: [DONE]\n\n");
    out
}

/// Places of the frames with a fragment of a call.
fn fragments(frames: &[Value]) -> Vec<usize> {
    let has = |frame: &Value| frame["choices"][0]["delta"]["tool_calls"].is_array();
    (0..frames.len()).filter(|at| has(&frames[*at])).collect()
}

fn fragment(frames: &mut [Value], nth: usize) -> &mut Value {
    let at = fragments(frames)[nth];
    &mut frames[at]["choices"][0]["delta"]["tool_calls"][0]
}

#[test]
fn recorded_replies_break_no_rule_of_tools() {
    check(&json!({}), WHOLE, &[]);
    check(&json!({}), STREAM, &[]);
    check(&json!({"tool_choice": "required", "parallel_tool_calls": false}), STREAM, &[]);
}

#[test]
fn m11_a_finish_without_calls() {
    let reply = whole(|choice| choice["message"] = json!({"role": "assistant", "content": "It is warm."}));
    check(&json!({}), &reply, &["V082"]);
    check(&json!({"tool_choice": "required"}), &reply, &["V082", "V084"]);
}

#[test]
fn m13_two_fragments_swapped() {
    let reply = stream(|frames| {
        let places = fragments(frames);
        frames.swap(places[1], places[2]);
    });
    check(&json!({}), &reply, &["V094"]);
}

#[test]
fn m15_fragments_without_index() {
    let reply = stream(|frames| {
        for nth in 0..fragments(frames).len() {
            fragment(frames, nth).as_object_mut().expect("a fragment").remove("index");
        }
    });
    check(&json!({}), &reply, &["V090"; 1]);
}

#[test]
fn m17_an_id_that_changes_and_one_that_comes_again() {
    let changed = stream(|frames| fragment(frames, 1)["id"] = json!("call_other"));
    check(&json!({}), &changed, &["V092"]);
    let repeated = stream(|frames| {
        let id = fragment(frames, 0)["id"].clone();
        fragment(frames, 1)["id"] = id;
    });
    check(&json!({}), &repeated, &["D092"]);
    let name = stream(|frames| fragment(frames, 1)["function"]["name"] = json!("get_time"));
    check(&json!({}), &name, &["V092"]);
}

#[test]
fn heads_and_indexes_of_fragments() {
    let headless = stream(|frames| {
        fragment(frames, 0).as_object_mut().expect("a fragment").remove("id");
    });
    check(&json!({}), &headless, &["V091"]);
    let hole = stream(|frames| {
        for nth in 0..fragments(frames).len() {
            fragment(frames, nth)["index"] = json!(1);
        }
    });
    check(&json!({}), &hole, &["D093"]);
    let shared = stream(|frames| {
        let last = *fragments(frames).last().expect("fragments");
        let mut second = frames[last].clone();
        let call = json!({"index": 0, "id": "call_2", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Rome\"}"}});
        second["choices"][0]["delta"]["tool_calls"][0] = call;
        frames.insert(last + 1, second);
    });
    check(&json!({}), &shared, &["V093"]);
}

#[test]
fn m19_arguments_encoded_twice() {
    check(&json!({}), &arguments(r#""{\"city\": \"Paris\"}""#), &["V079"]);
    let tool = json!({"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "object"}}}}});
    check(&json!({"tools": [tool]}), &arguments(r#"{"city": "{\"name\": \"Paris\"}"}"#), &["V079"]);
}

#[test]
fn m21_arguments_that_do_not_fit() {
    let strict = {
        let mut tool = weather();
        tool["function"]["strict"] = json!(true);
        tool["function"]["parameters"]["properties"]["city"]["enum"] = json!(["Paris", "Rome"]);
        json!({"tools": [tool]})
    };
    for wrong in ["{}", r#"{"city": 3}"#, r#"{"city": "Oslo"}"#, r#"{"city": "Paris", "unit": "c"}"#] {
        check(&strict, &arguments(wrong), &["V080"]);
    }
    check(&json!({}), &arguments("{}"), &["A080"]);
    check(&json!({"tool_choice": "required"}), &arguments("{}"), &["V080"]);
}

#[test]
fn m23_a_fault_three_levels_down_below_a_reference() {
    let node = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}});
    let tool = json!({"type": "function", "function": {"name": "get_weather", "strict": true, "parameters": {
        "type": "object", "$defs": {"node": node}, "properties": {"root": {"$ref": "#/$defs/node"}}}}});
    let deep = |name: &str| format!(r#"{{"root": {{"name": "a", "kids": [{{"name": "b", "kids": [{{"name": {name}}}]}}]}}}}"#);
    check(&json!({"tools": [tool]}), &arguments(&deep("\"c\"")), &[]);
    check(&json!({"tools": [tool]}), &arguments(&deep("3")), &["V080"]);
}

#[test]
fn m65_arguments_written_otherwise_are_the_same() {
    for same in [r#"{"city":"Paris"}"#, "{ \"city\" :\n\"Par\\u0069s\" }"] {
        check(&json!({"tool_choice": "required"}), &arguments(same), &[]);
    }
    let tool = json!({"type": "function", "function": {"name": "get_weather", "strict": true, "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}});
    check(&json!({"tools": [tool]}), &arguments(r#"{"n": 1.0}"#), &[]);
}

#[test]
fn m67_a_named_tool_may_finish_with_stop() {
    let named = json!({"tool_choice": {"type": "function", "function": {"name": "get_weather"}}});
    let stopped = whole(|choice| choice["finish_reason"] = json!("stop"));
    check(&named, &stopped, &[]);
    check(&json!({}), &stopped, &["V081"]);
}

#[test]
fn m69_reasoning_between_calls_is_legal() {
    let reply = stream(|frames| {
        let at = fragments(frames)[1];
        let mut thought = frames[at].clone();
        thought["choices"][0]["delta"] = json!({"reasoning_content": "Now the city."});
        frames.insert(at, thought);
    });
    check(&json!({}), &reply, &[]);
}

#[test]
fn shapes_of_calls() {
    let call = |key: &str, value: Value| {
        let key = key.to_owned();
        whole(move |choice| *choice.pointer_mut(&format!("/message/tool_calls/0{key}")).expect("a part of the call") = value)
    };
    check(&json!({}), &call("/id", json!("")), &["V073"]);
    check(&json!({}), &call("/type", json!("tool")), &["V073"]);
    check(&json!({}), &call("/function/arguments", json!({"city": "Paris"})), &["V073"]);
    check(&json!({}), &call("/function/name", json!("get_lost")), &["V076"]);
    check(&json!({"tools": []}), WHOLE, &["V077"]);
    check(&json!({}), &arguments(r#"{"city": "Paris"} That is all."#), &["V078"]);
    check(&json!({}), &arguments(""), &["V078"]);
    let ping =
        json!({"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}});
    check(&json!({"tools": [ping]}), &arguments(""), &["D078"]);
    let custom = whole(|choice| {
        choice["message"]["tool_calls"][0] =
            json!({"id": "a", "type": "custom", "custom": {"name": "run", "input": {"code": 1}}});
    });
    check(&json!({"tools": [{"type": "custom", "custom": {"name": "run"}}]}), &custom, &["V099"]);
    let cut = whole(|choice| {
        choice["finish_reason"] = json!("length");
        choice["message"]["tool_calls"][0]["function"]["arguments"] = json!("{\"ci");
    });
    check(&json!({"tool_choice": "required"}), &cut, &[]);
}

#[test]
fn what_was_chosen_for_the_model() {
    let two = whole(|choice| {
        let mut second = choice["message"]["tool_calls"][0].clone();
        second["id"] = json!("call_2");
        choice["message"]["tool_calls"].as_array_mut().expect("calls").push(second);
    });
    let twins = whole(|choice| {
        let second = choice["message"]["tool_calls"][0].clone();
        choice["message"]["tool_calls"].as_array_mut().expect("calls").push(second);
    });
    let text =
        whole(|choice| *choice = json!({"index": 0, "message": {"role": "assistant", "content": "18"}, "finish_reason": "stop"}));
    let time = json!({"type": "function", "function": {"name": "get_time"}});
    let both = json!([weather(), time]);
    let named = |name: &str| json!({"tools": both, "tool_choice": {"type": "function", "function": {"name": name}}});
    let allowed = json!({"tools": both, "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "get_time"}}]}}});
    check(&json!({}), &two, &[]);
    check(&json!({}), &twins, &["V074"]);
    check(&json!({"parallel_tool_calls": false}), &two, &["V087"]);
    check(&json!({"tool_choice": "none"}), WHOLE, &["V083"]);
    check(&json!({"tool_choice": "none"}), &text, &[]);
    check(&json!({"tool_choice": "required"}), &text, &["V084"]);
    check(&named("get_weather"), WHOLE, &[]);
    check(&named("get_time"), WHOLE, &["V085"]);
    check(&named("get_time"), &text, &["V085"]);
    check(&allowed, WHOLE, &["V086"]);
    check(&named("get_lost"), &text, &["D088"]);
    check(&json!({"tools": [], "tool_choice": "required"}), &text, &["D088"]);
    let markup = whole(|choice| {
        *choice = json!({"index": 0, "message": {"role": "assistant", "content": "<tool_call>{}"}, "finish_reason": "stop"});
    });
    check(&json!({}), &markup, &["V089"]);
    check(&json!({"messages": [{"role": "user", "content": "What is <tool_call>?"}]}), &markup, &[]);
}

#[test]
fn results_and_calls_of_a_history_belong_together() {
    let user = json!({"role": "user", "content": "What is the weather in Paris and in Rome?"});
    let call = |id: &str| json!({"id": id, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}});
    let calls = json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "18"});
    let text =
        whole(|choice| *choice = json!({"index": 0, "message": {"role": "assistant", "content": "18"}, "finish_reason": "stop"}));
    for (messages, expect) in [
        (vec![&user, &calls, &result("a"), &result("b")], &[][..]),
        (vec![&user, &calls, &result("b"), &result("a"), &user], &[]),
        (vec![&user, &calls, &json!({"role": "tool", "content": "18"}), &result("b")], &[]),
        (vec![&user, &result("a")], &["A098"]),
        (vec![&user, &calls, &result("a"), &result("a")], &["A098"]),
        (vec![&user, &calls, &result("a"), &user], &["A098"]),
        (vec![&user, &calls], &["A098"]),
    ] {
        check(&json!({"messages": messages}), &text, expect);
    }
}

#[test]
fn an_empty_list_of_tools_is_none_or_refused() {
    let text =
        whole(|choice| *choice = json!({"index": 0, "message": {"role": "assistant", "content": "18"}, "finish_reason": "stop"}));
    check(&json!({"tools": []}), &text, &[]);
    check(&json!({"tools": []}), WHOLE, &["V077"]);
    for (tools, status, expect) in [(json!([]), 400, &[][..]), (json!([]), 500, &["D100"]), (json!([weather()]), 500, &[])] {
        let mut exchange = exchange(&asked(&json!({"tools": tools})), r#"{"error":{"message":"no","type":"x"}}"#);
        exchange.status = Some(status);
        assert_eq!(broken(&exchange), expect, "{status} for {tools}");
    }
}

#[test]
fn a_schema_that_cannot_be_used_is_refused() {
    let broken_tool =
        json!({"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "wrong"}}}]});
    check(&broken_tool, WHOLE, &["D103"]);
    let format =
        json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"$ref": "#/$defs/a"}}}});
    check(&format, WHOLE, &["D103"]);
    for (status, expect) in [(400, &[][..]), (500, &["D103"])] {
        let mut exchange = exchange(&asked(&broken_tool), r#"{"error":{"message":"no","type":"x","code":null,"param":null}}"#);
        exchange.status = Some(status);
        assert_eq!(broken(&exchange), expect, "{status}");
    }
}

#[test]
fn ids_are_unique_in_a_conversation() {
    let trace = |exchange: u64, messages: &[u64], id: &str| Trace {
        exchange: ExchangeId(exchange),
        messages: messages.to_vec(),
        call_ids: vec![id.to_owned()],
        ..Trace::default()
    };
    let found = |traces: &[Trace]| judge_scenario(traces).iter().filter(|finding| finding.rule.id == "W075").count();
    assert_eq!(found(&[trace(1, &[1], "a"), trace(2, &[1, 2, 3], "a")]), 1);
    assert_eq!(found(&[trace(1, &[1], "a"), trace(2, &[1, 2, 3], "b")]), 0);
    assert_eq!(found(&[trace(1, &[1], "a"), trace(2, &[4, 5], "a")]), 0, "another conversation");
    assert_eq!(found(&[trace(1, &[1], "a"), trace(2, &[1], "a")]), 0, "the same question again");
}
