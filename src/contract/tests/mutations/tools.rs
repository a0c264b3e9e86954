//! Corruptions of tool calls, whole and streamed.

use serde_json::{Value, json};

use super::change::*;
use super::listed::arguments;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [shapes(), values(), choice(), fragments()].into_iter().flatten().collect()
}

const WHOLE_CALLS: &[&str] =
    &[CALL, "vllm/tool-auto", "litellm/tool-auto", "ollama/tool-auto", "mlx/tool-auto", "vllm-mlx/tool-auto"];

/// Changes the first call of a whole reply.
fn call(key: &'static str, value: Value) -> Change {
    json(move |body| put_at(&mut body["choices"][0]["message"]["tool_calls"][0], key, value.clone()))
}

fn without(key: &'static str) -> Change {
    json(move |body| cut_at(&mut body["choices"][0]["message"]["tool_calls"][0], key))
}

fn shapes() -> Vec<Row> {
    const CALLS: &str = "/choices/0/message/tool_calls";
    vec![
        advised("an empty content beside calls", CALL, put("/choices/0/message/content", json!("")), &["W302"])
            .given(put("/choices/0/message/content", json!(null))),
        caught("a call without id", CALL, without("/id"), &["W073"]).on(WHOLE_CALLS),
        caught("an id of null", CALL, call("/id", json!(null)), &["W073"]),
        caught("an empty id", CALL, call("/id", json!("")), &["W073"]),
        caught("an id of a number", CALL, call("/id", json!(7)), &["W073"]),
        caught("a call without type", CALL, without("/type"), &["W073"]).on(WHOLE_CALLS),
        caught("another type", CALL, call("/type", json!("tool")), &["W073"]),
        caught("a call without function", CALL, without("/function"), &["W073"]),
        caught("a function of text", CALL, call("/function", json!("get_weather")), &["W073"]),
        caught(
            "name and arguments beside function",
            CALL,
            json(|body| {
                let call = &mut body["choices"][0]["message"]["tool_calls"][0];
                let part = call["function"].take();
                call["name"] = part["name"].clone();
                call["arguments"] = part["arguments"].clone();
            }),
            &["W073"],
        ),
        caught("a call without name", CALL, without("/function/name"), &["W073"]).on(WHOLE_CALLS),
        caught("a name of null", CALL, call("/function/name", json!(null)), &["W073"]),
        caught("a call without arguments", CALL, without("/function/arguments"), &["W073"]).on(WHOLE_CALLS),
        caught("arguments that are an object", CALL, call("/function/arguments", json!({"city": "Paris"})), &["W073"])
            .on(WHOLE_CALLS),
        caught("arguments that are null", CALL, call("/function/arguments", json!(null)), &["W073"]),
        caught(
            "arguments under another name",
            CALL,
            json(|body| {
                let part = &mut body["choices"][0]["message"]["tool_calls"][0]["function"];
                part["parameters"] = part["arguments"].take();
            }),
            &["W073"],
        ),
        caught(
            "calls that are an object",
            CALL,
            json(|body| body["choices"][0]["message"]["tool_calls"] = body["choices"][0]["message"]["tool_calls"][0].take()),
            &["W073"],
        )
        .on(WHOLE_CALLS),
        caught(
            "calls that are text",
            CALL,
            json(|body| {
                body["choices"][0]["message"]["tool_calls"] = json!(body["choices"][0]["message"]["tool_calls"].to_string());
            }),
            &["W073"],
        ),
        caught("a call that is null", CALL, put(CALLS, json!([null])), &["W073"]),
        caught("a call that is text", CALL, put(CALLS, json!(["get_weather"])), &["W073"]),
        caught("calls of null under tool_calls", CALL, put(CALLS, json!(null)), &["W082"]).on(WHOLE_CALLS),
        caught("no calls under tool_calls", CALL, cut(CALLS), &["W082"]).on(WHOLE_CALLS),
        caught(
            "the call as function_call",
            CALL,
            json(|body| {
                let message = &mut body["choices"][0]["message"];
                message["function_call"] = message["tool_calls"][0]["function"].clone();
                message["tool_calls"] = json!(null);
            }),
            &["W082"],
        ),
        caught(
            "the call beside the message",
            CALL,
            json(|body| {
                let calls = body["choices"][0]["message"]["tool_calls"].take();
                body["choices"][0]["tool_calls"] = calls;
            }),
            &["W082"],
        ),
        caught(
            "two calls of one id",
            TWO_CALLS,
            json(|body| {
                let id = body["choices"][0]["message"]["tool_calls"][0]["id"].clone();
                body["choices"][0]["message"]["tool_calls"][1]["id"] = id;
            }),
            &["W074"],
        ),
        caught(
            "a call twice",
            CALL,
            json(|body| {
                let twin = body["choices"][0]["message"]["tool_calls"][0].clone();
                body["choices"][0]["message"]["tool_calls"].as_array_mut().expect("calls").push(twin);
            }),
            &["W074"],
        )
        .on(WHOLE_CALLS),
    ]
}

fn values() -> Vec<Row> {
    vec![
        caught("an unknown tool", CALL, call("/function/name", json!("get_lost")), &["W076"]).on(WHOLE_CALLS),
        caught("a name with a blank", CALL, call("/function/name", json!(" get_weather")), &["W076"]),
        caught("a name in capitals", CALL, call("/function/name", json!("Get_Weather")), &["W076"]),
        caught("a name with its space", CALL, call("/function/name", json!("functions.get_weather")), &["W076"]),
        caught("a name with a marker", CALL, call("/function/name", json!("get_weather<|channel|>")), &["W076", "W112"]),
        caught("words after the arguments", CALL, arguments(r#"{"city": "Paris"} That is all."#), &["W078"]).on(WHOLE_CALLS),
        caught("a marker after the arguments", CALL, arguments(r#"{"city": "Paris"}</tool_call>"#), &["W078", "W112"]),
        caught("two objects as arguments", CALL, arguments(r#"{"city": "Paris"}{"city": "London"}"#), &["W078"]),
        caught("a fence around the arguments", CALL, arguments("```json\n{\"city\": \"Paris\"}\n```"), &["W078"]),
        caught("arguments of Python", CALL, arguments("{'city': 'Paris'}"), &["W078"]),
        caught("arguments without quotes", CALL, arguments("{city: Paris}"), &["W078"]),
        caught("arguments cut", CALL, arguments(r#"{"city": "Par"#), &["W078"]),
        caught("arguments that are a list", CALL, arguments(r#"["Paris"]"#), &["W078"]),
        caught("arguments that are text", CALL, arguments(r#""Paris""#), &["W078"]),
        caught("arguments that are null", CALL, arguments("null"), &["W078"]),
        caught("empty arguments of a tool that needs some", CALL, arguments(""), &["W078"]).on(WHOLE_CALLS),
        caught("NaN in arguments", CALL, arguments(r#"{"city": NaN}"#), &["W078"]),
        caught("arguments encoded three times", CALL, arguments(r#""\"{\\\"city\\\": \\\"Paris\\\"}\"""#), &["W079"]),
        caught(
            "arguments wrapped in arguments",
            "llamacpp/tool-required",
            arguments(r#"{"arguments": {"city": "Paris"}}"#),
            &["W080"],
        )
        .on(&["llamacpp/tool-required", "vllm/tool-required"]),
        caught(
            "a schema in place of arguments",
            "llamacpp/tool-required",
            arguments(r#"{"type": "object", "properties": {"city": "Paris"}}"#),
            &["W080"],
        ),
        caught("null for a required argument", "llamacpp/tool-required", arguments(r#"{"city": null}"#), &["W080"]),
        caught("an object within a string", CALL, arguments(r#"{"where": "{\"city\": \"Paris\"}"}"#), &["W079"]).given(ask(
            |body| {
                body["tools"][0]["function"]["parameters"] =
                    json!({"type": "object", "properties": {"where": {"type": "object"}}});
            },
        )),
        caught("a list within a string", CALL, arguments(r#"{"cities": "[\"Paris\"]"}"#), &["W079"]).given(ask(|body| {
            body["tools"][0]["function"]["parameters"] =
                json!({"type": "object", "properties": {"cities": {"type": ["array", "null"]}}});
        })),
        caught("a lost character in arguments", CALL, arguments("{\"city\": \"Pari\u{FFFD}\"}"), &["W224"]),
    ]
}

fn choice() -> Vec<Row> {
    let named = |name: &'static str| asked("tool_choice", json!({"type": "function", "function": {"name": name}}));
    let said = json!({"role": "assistant", "content": "It is warm.", "refusal": null});
    vec![
        caught("calls under none", CALL, asked("tool_choice", json!("none")), &["W083"]).on(WHOLE_CALLS),
        caught("calls without tools", CALL, ask(|body| { cut_at(body, "/tools"); cut_at(body, "/tool_choice"); }), &["W077"])
            .given(asked("tool_choice", json!("auto"))).on(WHOLE_CALLS),
        caught("text under required", "llamacpp/tool-required", both(put("/choices/0/message", said.clone()), put("/choices/0/finish_reason", json!("stop"))), &["W084"]).on(&["llamacpp/tool-required", "vllm/tool-required", "litellm/tool-required"]),
        caught("another tool than the named one", TWO_CALLS, named("get_time"), &["W085"]),
        caught("text where a tool was named", CALL, both(put("/choices/0/message", said), put("/choices/0/finish_reason", json!("stop"))), &["W085"]).given(named("get_weather")),
        caught("a tool that is not allowed now", TWO_CALLS, asked("tool_choice", json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "get_time"}}]}})), &["W086"]),
        caught("two calls where one was allowed", TWO_CALLS, asked("parallel_tool_calls", json!(false)), &["W087"]),
        caught("a tool that nobody offered was named", WHOLE, named("get_lost"), &["W088"]),
        caught("calls that finish with stop", CALL, put("/choices/0/finish_reason", json!("stop")), &["W081"]).on(WHOLE_CALLS),
        caught("calls that finish with function_call", CALL, put("/choices/0/finish_reason", json!("function_call")), &["W081"]),
        caught("calls that finish with tool_call", CALL, put("/choices/0/finish_reason", json!("tool_call")), &["W027"]),
        caught("markup left in the content", CALL, json(|body| { body["choices"][0]["message"] = json!({"role": "assistant", "content": "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>"}); body["choices"][0]["finish_reason"] = json!("stop"); }), &["W089"]).on(WHOLE_CALLS),
        caught("another markup left in the content", CALL, put("/choices/0/message/content", json!("[TOOL_CALLS][{\"name\": \"get_weather\"}]")), &["W089"]),
        caught("the call as JSON in the content", CALL, json(|body| { body["choices"][0]["message"] = json!({"role": "assistant", "content": "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}"}); body["choices"][0]["finish_reason"] = json!("stop"); }), &["W301"]).on(WHOLE_CALLS),
    ]
}

/// Changes the nth fragment of a call.
fn fragment(which: usize, change: impl Fn(&mut Value) + 'static) -> Change {
    frames(move |list| {
        let at = nth(list, "\"tool_calls\":[", which);
        change(&mut list[at]["choices"][0]["delta"]["tool_calls"][0]);
    })
}

fn fragments() -> Vec<Row> {
    let streams: &[&str] = &[CALLS, "llamacpp/tool-required-stream"];
    let all: &[&str] = &[CALLS, "llamacpp/tool-required-stream", "ollama/tool-required-stream", "vllm-mlx/tool-required-stream"];
    let cut_all = |key: &'static str| {
        each(move |frame| {
            if frame.pointer("/choices/0/delta/tool_calls/0").is_some() {
                frame["choices"][0]["delta"]["tool_calls"][0].as_object_mut().expect("a fragment").shift_remove(key);
            }
        })
    };
    vec![
        caught("an index of text", CALLS, fragment(0, |part| part["index"] = json!("0")), &["W090"]).on(all),
        caught("an index with a fraction", CALLS, fragment(0, |part| part["index"] = json!(0.0)), &["W090"]),
        caught("an index of null", CALLS, fragment(1, |part| part["index"] = json!(null)), &["W090"]),
        caught("an index below 0", CALLS, fragment(1, |part| part["index"] = json!(-1)), &["W090"]),
        caught("indexes from 1", CALLS, each(|frame| if let Some(part) = frame.pointer_mut("/choices/0/delta/tool_calls/0") { part["index"] = json!(1); }), &["W093"]).on(all),
        caught("a hole between indexes", CALLS, frames(|list| { let at = nth(list, "\"tool_calls\":[", 0); let mut more = list[at].clone(); more["choices"][0]["delta"]["tool_calls"][0] = json!({"index": 2, "id": "call_b", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Rome\"}"}}); let stop = nth(list, "\"finish_reason\":\"tool_calls\"", 0); list.insert(stop, more); }), &["W093"]).on(streams),
        caught("two calls at one index", CALLS, frames(|list| { let at = nth(list, "\"tool_calls\":[", 0); let mut more = list[at].clone(); more["choices"][0]["delta"]["tool_calls"][0] = json!({"index": 0, "id": "call_b", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Rome\"}"}}); let stop = nth(list, "\"finish_reason\":\"tool_calls\"", 0); list.insert(stop, more); }), &["W093"]).on(streams),
        caught("a later fragment at another index", CALLS, fragment(2, |part| part["index"] = json!(1)), &["W091"]).on(streams),
        caught("no id", CALLS, cut_all("id"), &["W091"]).on(all),
        caught("the id late", CALLS, frames(|list| { let (a, b) = (nth(list, "\"tool_calls\":[", 0), nth(list, "\"tool_calls\":[", 1)); let id = list[a]["choices"][0]["delta"]["tool_calls"][0]["id"].clone(); cut_at(&mut list[a], "/choices/0/delta/tool_calls/0/id"); list[b]["choices"][0]["delta"]["tool_calls"][0]["id"] = id; }), &["W091"]).on(streams),
        caught("an id of a number", CALLS, fragment(0, |part| part["id"] = json!(7)), &["W073"]).on(all),
        caught("no name", CALLS, fragment(0, |part| cut_at(part, "/function/name")), &["W091"]).on(all),
        caught("a name in two parts", CALLS, both(fragment(0, |part| part["function"]["name"] = json!("get_")), fragment(1, |part| part["function"]["name"] = json!("weather"))), &["W092"]).on(streams),
        caught("the id again", CALLS, frames(|list| { let id = list[nth(list, "\"tool_calls\":[", 0)]["choices"][0]["delta"]["tool_calls"][0]["id"].clone(); let at = nth(list, "\"tool_calls\":[", 1); list[at]["choices"][0]["delta"]["tool_calls"][0]["id"] = id.clone(); }), &["W092"]).on(streams),
        caught("the name again", CALLS, fragment(2, |part| part["function"]["name"] = json!("get_weather")), &["W092"]).on(streams),
        caught("no type in any fragment", CALLS, cut_all("type"), &["W300"]).on(all),
        caught("another type", CALLS, fragment(0, |part| part["type"] = json!("tool")), &["W073"]).on(all),
        caught("a fragment that is null", CALLS, frames(|list| { let at = nth(list, "\"tool_calls\":[", 1); list[at]["choices"][0]["delta"]["tool_calls"][0] = json!(null); }), &["W090"]).on(streams),
        caught("arguments that are an object", CALLS, fragment(1, |part| part["function"]["arguments"] = json!({"city": "Paris"})), &["W073"]).on(streams),
        caught("arguments that are a number", CALLS, fragment(1, |part| part["function"]["arguments"] = json!(1)), &["W073"]).on(streams),
        caught("a fragment twice", CALLS, frames(|list| { let at = nth(list, "\"tool_calls\":[", 3); list.insert(at, list[at].clone()); }), &["W094"]).on(streams),
        caught("a fragment lost", CALLS, frames(|list| { let at = nth(list, "\"tool_calls\":[", 3); list.remove(at); }), &["W094"]).on(streams),
        caught("the last fragment lost", CALLS, frames(|list| { let at = nth(list, "\"}\"}", 0); list.remove(at); }), &["W094"]).on(streams),
        caught("a fragment after the finish", CALLS, frames(|list| { let (stop, part) = (nth(list, "\"finish_reason\":\"tool_calls\"", 0), nth(list, "\"tool_calls\":[", 3)); list.swap(stop, part); }), &["W059"]).on(streams),
        caught("streamed calls that finish with stop", CALLS, swap(r#""finish_reason":"tool_calls""#, r#""finish_reason":"stop""#), &["W081"]).on(all),
        caught("streamed calls lost", CALLS, each(|frame| if let Some(delta) = frame.pointer_mut("/choices/0/delta") { delta.as_object_mut().expect("a delta").shift_remove("tool_calls"); }), &["W082", "W084"]).on(all),
        caught("streamed calls of an unknown tool", CALLS, swap_all(r#""name":"get_weather""#, r#""name":"get_lost""#), &["W076"]).on(all),
        caught("streamed calls under none", CALLS, asked("tool_choice", json!("none")), &["W083"]).on(all),
        caught("streamed arguments that do not fit", CALLS, swap_all("Paris", r#"\",\"country\":\"France"#), &["W080"]).on(streams),
    ]
}
