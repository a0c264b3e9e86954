//! Corruptions of replies of the Responses API, whole and streamed.

use serde_json::{Value, json};

use super::change::*;
use super::*;

const RESPONSE: &str = "ollama/responses";
const RESPONSES: &[&str] = &[RESPONSE, "vllm/responses", "vllm-mlx/responses"];
const CALLED: &str = "ollama/responses-tool";
const CALLEDS: &[&str] = &[CALLED, "vllm/responses-tool", "vllm-mlx/responses-tool"];
const CUT: &str = "vllm/responses-length";
const EVENTS: &str = "ollama/responses-stream";
const EVENT_STREAMS: &[&str] = &[EVENTS, "vllm/responses-stream", "vllm-mlx/responses-stream"];
const CALL_EVENTS: &str = "ollama/responses-tool-stream";
const CALL_STREAMS: &[&str] = &[CALL_EVENTS, "vllm/responses-tool-stream"];
const THOUGHTS: &str = "vllm/think-responses-stream";

/// Changes the events of a stream as JSON; each is named by its type again.
fn typed(change: impl Fn(&mut Vec<Value>) + 'static) -> Change {
    text(move |text| {
        let data = text.split("\n\n").filter_map(|event| event.split_once("data: ").map(|(_, data)| data));
        let mut list: Vec<Value> = data.map(|data| serde_json::from_str(data).expect("an event")).collect();
        change(&mut list);
        let write = |data: &Value| match data["type"].as_str() {
            Some(name) => format!("event: {name}\ndata: {data}\n\n"),
            None => format!("data: {data}\n\n"),
        };
        list.iter().map(write).collect()
    })
}

/// Numbers the events anew.
fn count(list: &mut [Value]) {
    let first = list[0]["sequence_number"].as_i64().expect("a number");
    for (number, event) in (first..).zip(list) {
        event["sequence_number"] = json!(number);
    }
}

/// Changes the list and numbers it anew: only the change itself is wrong.
fn counted(change: impl Fn(&mut Vec<Value>) + 'static) -> Change {
    typed(move |list| {
        change(list);
        count(list);
    })
}

/// The nth event of a type.
fn find(list: &[Value], name: &str, nth: usize) -> usize {
    let mut found = (0..list.len()).filter(|at| list[*at]["type"] == format!("response.{name}"));
    found.nth(nth).unwrap_or_else(|| panic!("no event {nth} of {name}"))
}

/// Changes the first event of a type.
fn first(name: &'static str, change: impl Fn(&mut Value) + 'static) -> Change {
    typed(move |list| {
        let at = find(list, name, 0);
        change(&mut list[at]);
    })
}

/// Puts a value at a pointer of the first event of a type.
fn set_in(name: &'static str, pointer: &'static str, value: Value) -> Change {
    first(name, move |event| put_at(event, pointer, value.clone()))
}

/// Takes what stands at a pointer out of the first event of a type.
fn cut_in(name: &'static str, pointer: &'static str) -> Change {
    first(name, move |event| cut_at(event, pointer))
}

/// Takes the nth event of a type out.
fn without(name: &'static str, nth: usize) -> Change {
    counted(move |list| {
        let at = find(list, name, nth);
        list.remove(at);
    })
}

/// Moves the first event of one type before the first of another.
fn before(name: &'static str, other: &'static str) -> Change {
    counted(move |list| {
        let event = list.remove(find(list, name, 0));
        let at = find(list, other, 0);
        list.insert(at, event);
    })
}

pub(super) fn rows() -> Vec<Row> {
    [objects(), items(), usages(), orders(), lives(), texts(), legal_ones()].into_iter().flatten().collect()
}

fn objects() -> Vec<Row> {
    let error = json!({"code": "server_error", "message": "out of memory"});
    vec![
        caught("no id", RESPONSE, cut("/id"), &["W123"]).on(&[RESPONSE, "vllm-mlx/responses"]),
        caught("an id of null", RESPONSE, put("/id", json!(null)), &["W123"]),
        caught("another object", RESPONSE, put("/object", json!("chat.completion")), &["W123"]),
        caught("a time as text", RESPONSE, put("/created_at", json!("2026-11-21")), &["W123"]),
        caught("no model", RESPONSE, cut("/model"), &["W123"]),
        caught("no status", RESPONSE, cut("/status"), &["W123"]),
        caught("no output", RESPONSE, cut("/output"), &["W123"]),
        caught("an output of text", RESPONSE, put("/output", json!("Paris")), &["W123"]),
        caught("tools that are an object", RESPONSE, put("/tools", json!({})), &["W123"]),
        caught("no tools, which clients of types miss", RESPONSE, cut("/tools"), &["W123"]),
        caught("another status", RESPONSE, put("/status", json!("done")), &["W124"]).on(RESPONSES),
        caught("failed without an error", RESPONSE, put("/status", json!("failed")), &["W124"]).on(RESPONSES),
        caught("completed with an error", RESPONSE, put("/error", error), &["W124"]),
        caught("incomplete without details", RESPONSE, put("/status", json!("incomplete")), &["W124"]).on(RESPONSES),
        caught("completed with details", CUT, put("/status", json!("completed")), &["W124"]),
        caught("details without a reason", CUT, put("/incomplete_details", json!({})), &["W124"]),
        caught(
            "completed where the bound cut it",
            CUT,
            json(|body| {
                body["status"] = json!("completed");
                body["incomplete_details"] = json!(null);
            }),
            &["W124"],
        ),
        caught("completed while it is queued", RESPONSE, put("/status", json!("queued")), &["W124"]),
        caught("completed with nothing in it", RESPONSE, put("/output", json!([])), &["W313"]).on(RESPONSES),
        caught("a previous response that is not known", RESPONSE, asked("previous_response_id", json!("resp_1")), &["W143"])
            .on(RESPONSES),
        caught("instructions of an earlier response", RESPONSE, put("/instructions", json!("Speak French.")), &["W146"])
            .on(RESPONSES),
        caught("prose where JSON was asked for", RESPONSE, asked("text", json!({"format": {"type": "json_object"}})), &["W314"])
            .on(RESPONSES),
        caught(
            "prose where a schema was asked for",
            RESPONSE,
            asked("text", json!({"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}})),
            &["W314"],
        ),
        caught("a lost character", RESPONSE, put("/output/0/content/0/text", json!("Par\u{FFFD}s")), &["W068"]).on(RESPONSES),
        caught("a request without input is answered", RESPONSE, ask(|body| cut_at(body, "/input")), &["W156"]).on(RESPONSES),
        caught("input that is a number is answered", RESPONSE, asked("input", json!(7)), &["W156"]),
        caught("events for a whole response", EVENTS, ask(|body| cut_at(body, "/stream")), &["W007"]).on(EVENT_STREAMS),
        caught("a whole response for a stream", RESPONSE, asked("stream", json!(true)), &["W006"]).on(RESPONSES),
    ]
}

fn items() -> Vec<Row> {
    const CALL: &str = "/output/0";
    let twice = |key: &'static str| {
        json(move |body| {
            let mut more = body["output"][0].clone();
            more[if key == "id" { "call_id" } else { "id" }] = json!("another");
            body["output"].as_array_mut().expect("items").push(more);
        })
    };
    vec![
        caught("an item of text", RESPONSE, put(CALL, json!("Paris")), &["W125"]),
        caught("an item without a type", RESPONSE, cut("/output/0/type"), &["W125"]).on(&[RESPONSE, "vllm-mlx/responses"]),
        caught("a message of the user", RESPONSE, put("/output/0/role", json!("user")), &["W125"])
            .on(&[RESPONSE, "vllm-mlx/responses"]),
        caught("a message without a role", RESPONSE, cut("/output/0/role"), &["W125"]),
        caught("a message without an id", RESPONSE, cut("/output/0/id"), &["W125"]),
        caught("a message with another status", RESPONSE, put("/output/0/status", json!("done")), &["W125"]),
        caught("content of text", RESPONSE, put("/output/0/content", json!("Paris")), &["W125"]),
        caught("no content", RESPONSE, cut("/output/0/content"), &["W125"]),
        caught("a part of the chat API", RESPONSE, put("/output/0/content/0/type", json!("text")), &["W125"]),
        caught("a part without a type", RESPONSE, cut("/output/0/content/0/type"), &["W125"]),
        caught("a part without its text", RESPONSE, cut("/output/0/content/0/text"), &["W125"]),
        caught("a text of null", RESPONSE, put("/output/0/content/0/text", json!(null)), &["W125"]),
        caught("annotations of text", RESPONSE, put("/output/0/content/0/annotations", json!("")), &["W125"]),
        caught("no annotations", RESPONSE, cut("/output/0/content/0/annotations"), &["W125"]),
        caught("logprobs of null", RESPONSE, put("/output/0/content/0/logprobs", json!(null)), &["W125"]),
        caught("a refusal without words", RESPONSE, put("/output/0/content/0", json!({"type": "refusal"})), &["W125"]),
        caught("a thought without a summary", "ollama/think-responses", cut("/output/0/summary"), &["W125"]),
        caught("a summary of texts", "ollama/think-responses", put("/output/0/summary", json!(["hm"])), &["W125"]),
        caught("no call_id", CALLED, cut("/output/0/call_id"), &["W126"]).on(CALLEDS),
        caught("an empty call_id", CALLED, put("/output/0/call_id", json!("")), &["W126"]),
        caught("no name", CALLED, cut("/output/0/name"), &["W126"]).on(CALLEDS),
        caught("a tool that was not offered", CALLED, put("/output/0/name", json!("get_time")), &["W126"]).on(CALLEDS),
        caught("no arguments", CALLED, cut("/output/0/arguments"), &["W126"]),
        caught("arguments as an object", CALLED, put("/output/0/arguments", json!({"city": "Paris"})), &["W126"]).on(CALLEDS),
        caught("arguments that are cut", CALLED, put("/output/0/arguments", json!("{\"city\": \"Par")), &["W126"]).on(CALLEDS),
        caught("arguments that are a list", CALLED, put("/output/0/arguments", json!("[\"Paris\"]")), &["W126"]),
        caught("an id twice", CALLED, twice("id"), &["W127"]).on(CALLEDS),
        caught("a call_id twice", CALLED, twice("call_id"), &["W127"]).on(CALLEDS),
    ]
}

fn usages() -> Vec<Row> {
    vec![
        caught("a total that does not add up", RESPONSE, put("/usage/total_tokens", json!(8)), &["W128"]).on(RESPONSES),
        caught("a count of text", RESPONSE, put("/usage/input_tokens", json!("37")), &["W128"]).on(RESPONSES),
        caught("no output_tokens", RESPONSE, cut("/usage/output_tokens"), &["W128"]),
        caught("no usage", RESPONSE, put("/usage", json!(null)), &["W128"]).on(RESPONSES),
        caught("a usage of text", RESPONSE, put("/usage", json!("45 tokens")), &["W128"]),
        caught(
            "names of the chat API",
            RESPONSE,
            put("/usage", json!({"prompt_tokens": 37, "completion_tokens": 8, "total_tokens": 45})),
            &["W128"],
        ),
        caught("no details", RESPONSE, cut("/usage/output_tokens_details"), &["W128"]).on(RESPONSES),
        caught("more cached tokens than input", RESPONSE, put("/usage/input_tokens_details/cached_tokens", json!(38)), &["W128"])
            .on(RESPONSES),
        caught("more thoughts than output", RESPONSE, put("/usage/output_tokens_details/reasoning_tokens", json!(99)), &["W128"]),
        caught("more tokens than max_output_tokens", RESPONSE, asked("max_output_tokens", json!(4)), &["W310"]).on(RESPONSES),
        caught("a streamed answer over its bound", EVENTS, asked("max_output_tokens", json!(4)), &["W310"]).on(EVENT_STREAMS),
        caught(
            "a streamed total that does not add up",
            EVENTS,
            set_in("completed", "/response/usage/total_tokens", json!(8)),
            &["W128"],
        )
        .on(EVENT_STREAMS),
    ]
}

fn orders() -> Vec<Row> {
    let error = json!({"type": "error", "code": "server_error", "message": "out of memory", "param": null});
    let with_error = move |error: Value, more: bool| {
        counted(move |list| {
            let at = find(list, "output_text.delta", 3);
            if !more {
                list.truncate(at);
            }
            list.insert(at, error.clone());
        })
    };
    vec![
        caught("no response.created", EVENTS, without("created", 0), &["W129"]).on(EVENT_STREAMS),
        caught("created and completed already", EVENTS, set_in("created", "/response/status", json!("completed")), &["W129"])
            .on(EVENT_STREAMS),
        caught("created without an id", EVENTS, cut_in("created", "/response/id"), &["W129"]),
        caught("created without an output", EVENTS, cut_in("created", "/response/output"), &["W129"]).on(EVENT_STREAMS),
        caught("no end", EVENTS, without("completed", 0), &["W130"]).on(EVENT_STREAMS),
        caught(
            "two ends",
            EVENTS,
            counted(|list| {
                let last = list.last().expect("an event").clone();
                list.push(last);
            }),
            &["W130"],
        )
        .on(EVENT_STREAMS),
        caught("the end before the item is done", EVENTS, before("completed", "output_item.done"), &["W130"]).on(EVENT_STREAMS),
        caught("nothing but the end marker", EVENTS, raw("data: [DONE]\n\n"), &["W130"]).on(EVENT_STREAMS),
        caught(
            "completed with the status incomplete",
            EVENTS,
            first("completed", |event| {
                event["response"]["status"] = json!("incomplete");
                event["response"]["incomplete_details"] = json!({"reason": "max_output_tokens"});
            }),
            &["W131"],
        )
        .on(EVENT_STREAMS),
        caught("M45 a number twice", EVENTS, set_in("output_text.delta", "/sequence_number", json!(3)), &["W132"])
            .on(EVENT_STREAMS),
        caught(
            "M45 numbers that go back",
            EVENTS,
            typed(|list| {
                let at = find(list, "output_text.delta", 0);
                list.swap(at, at + 1);
            }),
            &["W132"],
        )
        .on(EVENT_STREAMS),
        caught("M45 a lost event", EVENTS, typed(|list| drop(list.remove(6))), &["W132"]).on(EVENT_STREAMS),
        caught("a number as text", EVENTS, set_in("completed", "/sequence_number", json!("14")), &["W132"]),
        caught("a number that no reader takes", EVENTS, set_in("created", "/sequence_number", json!(1_u64 << 60)), &["W132"]),
        caught("one event without a number", EVENTS, cut_in("output_text.done", "/sequence_number"), &["W132"]),
        caught(
            "no numbers at all",
            EVENTS,
            typed(|list| list.iter_mut().for_each(|event| cut_at(event, "/sequence_number"))),
            &["W132"],
        )
        .on(EVENT_STREAMS),
        caught("a name of another event", EVENTS, swap("event: response.output_text.done", "event: response.done"), &["W133"])
            .on(EVENT_STREAMS),
        caught("events without names", EVENTS, swap_all("event: response.output_text.delta\n", ""), &["W133"]).on(EVENT_STREAMS),
        caught("another response at the end", EVENTS, set_in("completed", "/response/id", json!("resp_other")), &["W140"])
            .on(EVENT_STREAMS),
        caught("another time at the end", EVENTS, set_in("completed", "/response/created_at", json!(1)), &["W140"])
            .on(EVENT_STREAMS),
        caught("more after an error", EVENTS, with_error(error.clone(), true), &["W142"]).on(EVENT_STREAMS),
        caught("an error without a message", EVENTS, with_error(json!({"type": "error"}), false), &["W142"]).on(EVENT_STREAMS),
        caught("an error without a type", EVENTS, with_error(json!({"error": {"message": "gone"}}), false), &["W142"])
            .on(EVENT_STREAMS),
        legal("an error, and the end", EVENTS, with_error(error, false)).on(EVENT_STREAMS),
        caught("a delta that is a number", EVENTS, set_in("output_text.delta", "/delta", json!(5)), &["W311"]).on(EVENT_STREAMS),
        caught("a delta without its item", EVENTS, cut_in("output_text.delta", "/item_id"), &["W311"]).on(EVENT_STREAMS),
        caught("an end without its response", EVENTS, cut_in("completed", "/response"), &["W311", "W130"]),
        caught("an item that is a text", EVENTS, set_in("output_item.done", "/item", json!("Paris")), &["W311"]),
        caught("an index as text", EVENTS, set_in("output_text.delta", "/output_index", json!("0")), &["W311"]),
        caught("no index", EVENTS, cut_in("output_text.delta", "/content_index"), &["W311"]).on(EVENT_STREAMS),
        caught("an event without a type", EVENTS, typed(|list| cut_at(&mut list[5], "/type")), &["W311"]).on(EVENT_STREAMS),
        caught("progress after the first item", EVENTS, before("in_progress", "output_text.delta"), &["W312"]).on(EVENT_STREAMS),
        caught(
            "progress twice",
            EVENTS,
            counted(|list| {
                let again = list[1].clone();
                list.insert(2, again);
            }),
            &["W312"],
        )
        .on(EVENT_STREAMS),
    ]
}

fn lives() -> Vec<Row> {
    let both = |change: fn(&mut Value)| {
        typed(move |list| {
            let at = find(list, "output_item.added", 0);
            change(&mut list[at]);
        })
    };
    vec![
        caught("an item that was not added", EVENTS, without("output_item.added", 0), &["W134"]).on(EVENT_STREAMS),
        caught("a call that was not added", CALL_EVENTS, without("output_item.added", 0), &["W134"]).on(CALL_STREAMS),
        caught("an item that is added late", EVENTS, before("output_item.added", "output_text.done"), &["W134"])
            .on(EVENT_STREAMS),
        caught("an item that is not done", EVENTS, without("output_item.done", 0), &["W134"]).on(EVENT_STREAMS),
        caught("a call that is not done", CALL_EVENTS, without("output_item.done", 0), &["W134"]).on(CALL_STREAMS),
        caught("an item that is done too early", EVENTS, before("output_item.done", "output_text.done"), &["W134"])
            .on(EVENT_STREAMS),
        caught(
            "an item that is added twice",
            EVENTS,
            counted(|list| {
                let at = find(list, "output_item.added", 0);
                let again = list[at].clone();
                list.insert(at + 1, again);
            }),
            &["W134"],
        )
        .on(EVENT_STREAMS),
        caught(
            "an item that is done twice",
            EVENTS,
            counted(|list| {
                let at = find(list, "output_item.done", 0);
                let again = list[at].clone();
                list.insert(at + 1, again);
            }),
            &["W134"],
        )
        .on(EVENT_STREAMS),
        caught(
            "an item of the output that no event told of",
            EVENTS,
            first("completed", |event| {
                let more = json!({"type": "function_call", "id": "fc_9", "call_id": "c", "name": "f", "arguments": "{}"});
                event["response"]["output"].as_array_mut().expect("items").push(more);
            }),
            &["W134"],
        )
        .on(EVENT_STREAMS),
        caught(
            "indexes that begin at 1",
            EVENTS,
            typed(|list| {
                for event in list.iter_mut().filter(|event| event.get("output_index").is_some()) {
                    event["output_index"] = json!(1);
                }
            }),
            &["W135"],
        )
        .on(EVENT_STREAMS),
        caught("one event under another index", EVENTS, set_in("output_text.done", "/output_index", json!(1)), &["W135"])
            .on(EVENT_STREAMS),
        caught(
            "two items under one index",
            THOUGHTS,
            typed(|list| {
                for event in list.iter_mut().filter(|event| event.get("output_index").is_some()) {
                    event["output_index"] = json!(0);
                }
            }),
            &["W135"],
        ),
        caught("M49 no content_part.added", EVENTS, without("content_part.added", 0), &["W136"]).on(EVENT_STREAMS),
        caught("a part that is not done", EVENTS, without("content_part.done", 0), &["W136"]).on(EVENT_STREAMS),
        caught("a text that is not done", EVENTS, without("output_text.done", 0), &["W136"]).on(EVENT_STREAMS),
        caught("a part that is added late", EVENTS, before("content_part.added", "output_text.done"), &["W136"])
            .on(EVENT_STREAMS),
        caught("a text that is done too early", EVENTS, before("output_text.done", "output_text.delta"), &["W136"])
            .on(EVENT_STREAMS),
        caught("a thought without its part", THOUGHTS, without("content_part.added", 0), &["W136"]),
        caught("another id when done", EVENTS, set_in("output_item.done", "/item/id", json!("msg_other")), &["W139"])
            .on(EVENT_STREAMS),
        caught("another id in the output", EVENTS, set_in("completed", "/response/output/0/id", json!("msg_other")), &["W139"])
            .on(EVENT_STREAMS),
        caught("another id in one event", EVENTS, set_in("output_text.delta", "/item_id", json!("msg_other")), &["W139"])
            .on(EVENT_STREAMS),
        caught("another id when added", EVENTS, both(|event| event["item"]["id"] = json!("msg_other")), &["W139"])
            .on(EVENT_STREAMS),
        caught("another call_id when done", CALL_EVENTS, set_in("output_item.done", "/item/call_id", json!("call_9")), &["W139"])
            .on(CALL_STREAMS),
        caught(
            "another call_id in the output",
            CALL_EVENTS,
            set_in("completed", "/response/output/0/call_id", json!("call_9")),
            &["W139"],
        )
        .on(CALL_STREAMS),
        caught("another name when done", CALL_EVENTS, set_in("output_item.done", "/item/name", json!("get_time")), &["W139"])
            .on(CALL_STREAMS),
        advised(
            "the whole arguments without a name",
            "vllm/responses-tool-stream",
            cut_in("function_call_arguments.done", "/name"),
            &["W141"],
        ),
    ]
}

fn texts() -> Vec<Row> {
    vec![
        caught("M47 a done text that differs", EVENTS, set_in("output_text.done", "/text", json!("The capital")), &["W137"])
            .on(EVENT_STREAMS),
        caught("a lost delta", EVENTS, without("output_text.delta", 2), &["W137"]).on(EVENT_STREAMS),
        caught(
            "a delta twice",
            EVENTS,
            counted(|list| {
                let at = find(list, "output_text.delta", 2);
                let again = list[at].clone();
                list.insert(at, again);
            }),
            &["W137"],
        )
        .on(EVENT_STREAMS),
        caught("a part that differs", EVENTS, set_in("content_part.done", "/part/text", json!("Rome")), &["W137"])
            .on(EVENT_STREAMS),
        caught("an item that differs", EVENTS, set_in("output_item.done", "/item/content/0/text", json!("Rome")), &["W137"])
            .on(EVENT_STREAMS),
        caught("an item that is empty when done", EVENTS, set_in("output_item.done", "/item/content", json!([])), &["W137"])
            .on(EVENT_STREAMS),
        caught(
            "an output that differs",
            EVENTS,
            set_in("completed", "/response/output/0/content/0/text", json!("Rome")),
            &["W137"],
        )
        .on(EVENT_STREAMS),
        caught("a thought that differs", THOUGHTS, set_in("reasoning_text.done", "/text", json!("Hm.")), &["W137"]),
        caught(
            "a summary that differs",
            "ollama/think-responses-stream",
            set_in("reasoning_summary_text.done", "/text", json!("Hm.")),
            &["W137"],
        ),
        caught(
            "whole arguments that differ",
            CALL_EVENTS,
            set_in("function_call_arguments.done", "/arguments", json!("{}")),
            &["W138"],
        )
        .on(CALL_STREAMS),
        caught("no whole arguments", CALL_EVENTS, without("function_call_arguments.done", 0), &["W138"]).on(CALL_STREAMS),
        caught("a lost piece of arguments", CALL_EVENTS, without("function_call_arguments.delta", 0), &["W138"])
            .on(&["vllm/responses-tool-stream"]),
        caught(
            "arguments of the item that differ",
            CALL_EVENTS,
            set_in("output_item.done", "/item/arguments", json!("{\"city\":\"Rome\"}")),
            &["W138"],
        )
        .on(CALL_STREAMS),
        caught(
            "arguments of the output that differ",
            CALL_EVENTS,
            set_in("completed", "/response/output/0/arguments", json!("{\"city\":\"Rome\"}")),
            &["W138"],
        )
        .on(CALL_STREAMS),
    ]
}

fn legal_ones() -> Vec<Row> {
    let odd = || json!({"type": "acme:telescope", "id": "t_1", "zoom": 3});
    vec![
        legal("keys of a vendor", RESPONSE, put("/acme_seconds", json!(0.5))).on(RESPONSES),
        legal("an item of a vendor", RESPONSE, json(move |body| body["output"].as_array_mut().expect("items").push(odd())))
            .on(RESPONSES),
        legal("a time with a fraction", RESPONSE, put("/created_at", json!(1_795_251_351.25))).on(RESPONSES),
        legal("no logprobs", RESPONSE, cut("/output/0/content/0/logprobs")),
        legal("no id on a call", CALLED, cut("/output/0/id")).on(CALLEDS),
        legal("arguments with other spaces", CALLED, put("/output/0/arguments", json!("{ \"city\" :\n\"Paris\" }"))).on(CALLEDS),
        legal(
            "a refusal",
            RESPONSE,
            put("/output/0/content/0", json!({"type": "refusal", "refusal": "I cannot help with that."})),
        ),
        legal(
            "an event of a vendor",
            EVENTS,
            counted(|list| list.insert(4, json!({"type": "acme.telescope.focus", "item_id": "t_1", "level": 1}))),
        )
        .on(EVENT_STREAMS),
        legal("an end marker", EVENTS, text(|text| format!("{text}data: [DONE]\n\n"))).on(EVENT_STREAMS),
        legal("comments between events", EVENTS, swap_all("\n\n", "\n\n: alive\n\n")).on(EVENT_STREAMS),
        legal(
            "a response that waits first",
            EVENTS,
            counted(|list| {
                let mut queued = list[1].clone();
                queued["type"] = json!("response.queued");
                queued["response"]["status"] = json!("queued");
                list[0]["response"]["status"] = json!("queued");
                list.insert(1, queued);
            }),
        )
        .on(EVENT_STREAMS),
        legal(
            "numbers that begin at 1",
            EVENTS,
            typed(|list| (1..).zip(list).for_each(|(number, event)| event["sequence_number"] = json!(number))),
        ),
        legal(
            "padding against listeners",
            EVENTS,
            typed(|list| {
                for event in list.iter_mut().filter(|event| event.get("delta").is_some()) {
                    event["obfuscation"] = json!("x8Kf");
                }
            }),
        )
        .on(EVENT_STREAMS),
        legal(
            "a delta cut in two",
            EVENTS,
            counted(|list| {
                let at = find(list, "output_text.delta", 0);
                let mut rest = list[at].clone();
                (list[at]["delta"], rest["delta"]) = (json!("T"), json!("he"));
                list.insert(at + 1, rest);
            }),
        )
        .on(EVENT_STREAMS),
        legal(
            "an empty delta",
            EVENTS,
            counted(|list| {
                let at = find(list, "output_text.delta", 0);
                let mut empty = list[at].clone();
                empty["delta"] = json!("");
                list.insert(at, empty);
            }),
        )
        .on(EVENT_STREAMS),
        legal(
            "cut by the bound, and said so",
            EVENTS,
            first("completed", |event| {
                event["type"] = json!("response.incomplete");
                event["response"]["status"] = json!("incomplete");
                event["response"]["incomplete_details"] = json!({"reason": "max_output_tokens"});
                event["response"]["completed_at"] = json!(null);
            }),
        )
        .on(EVENT_STREAMS),
    ]
}
