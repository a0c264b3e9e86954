//! Variations that no rule may hold against a server.

use serde_json::json;

use super::change::*;
use super::*;
use crate::wire::End;

pub(super) fn rows() -> Vec<Row> {
    [http(), streams(), wholes(), calls()].into_iter().flatten().collect()
}

fn http() -> Vec<Row> {
    vec![
        legal(
            "more headers",
            WHOLE,
            Box::new(|exchange| {
                exchange
                    .headers
                    .extend([("x-request-id".to_owned(), "r1".into()), ("openai-processing-ms".to_owned(), "12".into())]);
            }),
        )
        .on(WHOLES),
        legal("spaces around the JSON", WHOLE, text(|text| format!("\n \t{text}\r\n"))).on(WHOLES),
        legal(
            "JSON on many lines",
            WHOLE,
            text(|text| {
                serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(text).expect("JSON")).expect("JSON")
            }),
        )
        .on(WHOLES),
        legal(
            "keys in another order",
            WHOLE,
            json(|body| {
                let object = body.as_object_mut().expect("an object");
                let keys: Vec<String> = object.keys().rev().cloned().collect();
                for key in keys {
                    let value = object.shift_remove(&key).expect("a key");
                    object.insert(key, value);
                }
            }),
        )
        .on(WHOLES),
        legal("letters as escapes", WHOLE, swap("Paris", r"\u0050aris")),
        legal("escaped slashes", WHOLE, swap("Paris.", r"Paris\/France.")),
        legal("a pair of surrogates as escapes", WHOLE, swap("Paris.", r"Paris \ud83d\ude00.")),
        legal("a character of its own for an emoji", WHOLE, swap("Paris.", "Paris 😀.")),
        legal("line feeds in the text", WHOLE, swap("Paris.", r"Paris.\n\nIt is large.")),
        legal("angle brackets that are no markers", WHOLE, swap("Paris.", "<b>Paris</b> and 1 < 2.")),
        legal("problem+json for an error", BAD, header("content-type", "application/problem+json")),
        legal("422 for a missing key", "litellm/bad-no-messages", both(status(422), put("/error/code", json!(null)))),
        legal("a longer envelope of an error", BAD, put("/error/provider", json!({"name": "x"}))),
        legal("a request id beside an error", BAD, put("/request_id", json!("req_1"))),
    ]
}

fn streams() -> Vec<Row> {
    let all = &[
        STREAM,
        "vllm/chat-stream",
        "ollama/chat-stream",
        "vllm-mlx/chat-stream",
        "litellm/chat-stream",
        "llama-stack/chat-stream",
        CALLS,
        THINK,
    ];
    vec![
        legal("carriage returns and line feeds", STREAM, swap_all("\n", "\r\n")).on(all),
        legal("carriage returns", STREAM, swap_all("\n", "\r")).on(all),
        legal(
            "mixed ends of lines",
            STREAM,
            text(|text| {
                text.split_inclusive("\n\n")
                    .enumerate()
                    .map(|(at, event)| if at % 2 == 0 { event.replace('\n', "\r\n") } else { event.to_owned() })
                    .collect()
            }),
        )
        .on(all),
        legal("no blank after the colon", STREAM, swap_all("data: ", "data:")).on(all),
        legal("a number of milliseconds to come again", STREAM, text(|text| format!("retry: 3000\n\n{text}"))),
        legal("the name message", STREAM, swap_all("data: {", "event: message\ndata: {")),
        legal("an end that is not closed", STREAM, swap("data: [DONE]\n\n", "data: [DONE]")).on(STREAMS),
        legal("an end closed by one line feed", STREAM, swap("data: [DONE]\n\n", "data: [DONE]\n")).on(STREAMS),
        legal("comments after [DONE]", STREAM, text(|text| format!("{text}: bye\n\n"))).on(STREAMS),
        legal("spaces within the JSON", STREAM, swap_all("\":", "\" : ")).on(STREAMS),
        legal("we hung up", STREAM, both(text(|text| text[..900].to_owned()), Box::new(|exchange| exchange.end = End::HungUp))),
        legal(
            "usage null on all other chunks",
            STREAM,
            each(|frame| {
                if frame.get("usage").is_none() {
                    frame["usage"] = json!(null);
                }
            }),
        )
        .on(&[STREAM, "vllm/chat-stream", "ollama/chat-stream"]),
        legal("padding on chunks", STREAM, each(|frame| frame["obfuscation"] = json!("a8Xq"))).on(STREAMS),
        legal("service_tier on chunks", STREAM, each(|frame| frame["service_tier"] = json!("default"))).on(STREAMS),
        legal(
            "a chunk for a filter before the first",
            STREAM,
            frames(|list| {
                let mut filter = list[0].clone();
                filter["choices"] = json!([]);
                filter["prompt_filter_results"] = json!([{"prompt_index": 0}]);
                list.insert(0, filter);
            }),
        )
        .on(STREAMS),
        legal(
            "the finish on the last piece",
            STREAM,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let last = list.remove(at - 1)["choices"][0]["delta"].take();
                list[at - 1]["choices"][0]["delta"] = last;
            }),
        )
        .on(&[STREAM, "vllm/chat-stream"]),
        legal(
            "two tokens in one piece",
            STREAM,
            frames(|list| {
                let at = nth(list, "\" of\"", 0);
                list.remove(at);
                list[at]["choices"][0]["delta"]["content"] = json!(" of France");
            }),
        )
        .on(STREAMS),
        legal(
            "all of the text in one piece",
            STREAM,
            frames(|list| {
                let end = nth(list, "\"stop\"", 0);
                let mut all = list[1].clone();
                all["choices"][0]["delta"] = json!({"content": "The capital of France is Paris."});
                list.splice(1..end, [all]).for_each(drop);
            }),
        )
        .on(&[STREAM, "vllm/chat-stream"]),
        legal(
            "refusal null in deltas",
            STREAM,
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta") {
                    delta["refusal"] = json!(null);
                }
            }),
        )
        .on(STREAMS),
        legal(
            "tool_calls null in deltas",
            STREAM,
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta") {
                    delta["tool_calls"] = json!(null);
                    delta["function_call"] = json!(null);
                }
            }),
        )
        .on(STREAMS),
        legal(
            "logprobs null in chunks",
            STREAM,
            each(|frame| {
                if let Some(choice) = frame.pointer_mut("/choices/0") {
                    choice["logprobs"] = json!(null);
                }
            }),
        )
        .on(&[STREAM, "ollama/chat-stream", "vllm-mlx/chat-stream"]),
        legal(
            "an error with [DONE] after it",
            STREAM,
            events(|list| {
                list.splice(4.., [event(r#"{"error":{"message":"gone","type":"server_error"}}"#), event("[DONE]")])
                    .for_each(drop);
            }),
        )
        .on(STREAMS),
        legal(
            "a named error event",
            STREAM,
            events(|list| {
                list.splice(4.., [format!("event: error\n{}", event(r#"{"error":{"message":"gone","type":"server_error"}}"#))])
                    .for_each(drop);
            }),
        )
        .on(STREAMS),
        legal("thinking under its other name", THINK, swap_all("reasoning_content", "reasoning")),
        legal(
            "thinking under both names",
            "vllm/think-stream",
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta")
                    && let Some(text) = delta.get("reasoning").cloned()
                {
                    delta["reasoning_content"] = text;
                }
            }),
        ),
        legal(
            "thinking and answer in one delta",
            THINK,
            frames(|list| {
                let at = nth(list, "\"content\":\"", 0);
                let last = (0..at).rev().find(|at| list[*at].to_string().contains("\"reasoning_content\"")).expect("thinking");
                let text = list[last]["choices"][0]["delta"]["reasoning_content"].clone();
                list[at]["choices"][0]["delta"]["reasoning_content"] = text;
                list.remove(last);
            }),
        ),
    ]
}

fn wholes() -> Vec<Row> {
    vec![
        legal("more keys everywhere", WHOLE, json(|body| { body["x_extra"] = json!({"a": [1]}); body["choices"][0]["x_extra"] = json!(1); body["choices"][0]["message"]["x_extra"] = json!("a"); body["usage"]["x_extra"] = json!(null); })).on(WHOLES),
        legal("optional keys of null", WHOLE, json(|body| { body["service_tier"] = json!(null); body["system_fingerprint"] = json!(null); body["choices"][0]["logprobs"] = json!(null); let message = &mut body["choices"][0]["message"]; for key in ["refusal", "annotations", "audio", "function_call", "tool_calls", "reasoning", "reasoning_content"] { message[key] = json!(null); } body["usage"]["prompt_tokens_details"] = json!(null); body["usage"]["completion_tokens_details"] = json!(null); })).on(WHOLES),
        legal("optional keys with values", WHOLE, json(|body| { body["service_tier"] = json!("default"); body["metadata"] = json!({}); body["choices"][0]["logprobs"] = json!({"content": null, "refusal": null}); body["choices"][0]["message"]["annotations"] = json!([]); body["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}); })).on(WHOLES),
        legal("an empty list of calls", WHOLE, put("/choices/0/message/tool_calls", json!([]))).on(WHOLES),
        legal("an id of another form", WHOLE, put("/id", json!("0f8fad5b-d9cb-469f-a165-70867728950e"))).on(WHOLES),
        legal("a dated name of the model", WHOLE, put("/model", json!("smollm2-2026-11-21"))).on(WHOLES),
        legal("a refusal", WHOLE, json(|body| { body["choices"][0]["message"]["content"] = json!(null); body["choices"][0]["message"]["refusal"] = json!("I cannot help with that."); })).on(WHOLES),
        legal("a refusal under a schema", SCHEMA, json(|body| { body["choices"][0]["message"]["content"] = json!(null); body["choices"][0]["message"]["refusal"] = json!("I cannot help with that."); })),
        legal("half an object under length", SCHEMA, json(|body| { body["choices"][0]["message"]["content"] = json!("{\"name\": \"Par"); body["choices"][0]["finish_reason"] = json!("length"); })).given(asked("max_tokens", json!(31))),
        legal("the filter of content", WHOLE, put("/choices/0/finish_reason", json!("content_filter"))).on(WHOLES),
        legal("choices in another order", "llamacpp/chat-n2", json(|body| body["choices"].as_array_mut().expect("choices").reverse())),
        legal("the replacement character that was asked about", WHOLE, put("/choices/0/message/content", json!("It is \u{FFFD}."))).given(asked("messages", json!([{"role": "user", "content": "What is \u{FFFD} called?"}]))),
        legal("the marker that was asked about", WHOLE, put("/choices/0/message/content", json!("<think> opens a thought."))).given(asked("messages", json!([{"role": "user", "content": "What does <think> mean?"}]))),
        legal("bytes of null", LOGPROBS, put("/choices/0/logprobs/content/0/bytes", json!(null))),
        legal("no alternatives", LOGPROBS, json(|body| body["choices"][0]["logprobs"]["content"].as_array_mut().expect("items").iter_mut().for_each(|item| item["top_logprobs"] = json!([])))),
        legal("a log probability of 0", LOGPROBS, put("/choices/0/logprobs/content/0/logprob", json!(0))),
        legal("letters of Malta", WHOLE, put("/choices/0/message/content", json!("Ġorġ lives in Ħal Għargħur."))),
    ]
}

fn calls() -> Vec<Row> {
    vec![
        legal("text beside a call", CALL, put("/choices/0/message/content", json!("Let me look."))),
        legal("an id of another form", CALL, put("/choices/0/message/tool_calls/0/id", json!("functions.get_weather:0"))),
        legal("an index on a whole call", CALL, put("/choices/0/message/tool_calls/0/index", json!(0))),
        legal(
            "the calls in another order",
            TWO_CALLS,
            json(|body| body["choices"][0]["message"]["tool_calls"].as_array_mut().expect("calls").reverse()),
        ),
        legal("one call where two were allowed", TWO_CALLS, json(|body| cut_at(body, "/choices/0/message/tool_calls/1"))),
        legal(
            "cut arguments under length",
            CALL,
            json(|body| {
                body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = json!("{\"ci");
                body["choices"][0]["finish_reason"] = json!("length");
            }),
        )
        .given(ask(|body| cut_at(body, "/max_tokens"))),
        legal(
            "a whole call in one delta",
            CALLS,
            frames(|list| {
                let first = nth(list, "\"tool_calls\":[", 0);
                let last = nth(list, "\"finish_reason\":\"tool_calls\"", 0);
                list[first]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = json!("{\"city\": \"Paris\"}");
                list.drain(first + 1..last).for_each(drop);
            }),
        ),
        legal(
            "empty arguments in the first fragment",
            CALLS,
            frames(|list| {
                let at = nth(list, "\"tool_calls\":[", 0);
                list[at]["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] = json!("");
            }),
        ),
        legal(
            "fragments of two calls in turn",
            CALLS,
            frames(|list| {
                let first = nth(list, "\"tool_calls\":[", 0);
                let last = nth(list, "\"finish_reason\":\"tool_calls\"", 0);
                let twins: Vec<_> = list[first..last]
                    .iter()
                    .flat_map(|frame| {
                        let mut twin = frame.clone();
                        let part = &mut twin["choices"][0]["delta"]["tool_calls"][0];
                        part["index"] = json!(1);
                        if part.get("id").is_some() {
                            part["id"] = json!("call_b");
                        }
                        [frame.clone(), twin]
                    })
                    .collect();
                list.splice(first..last, twins).for_each(drop);
            }),
        ),
        legal("calls that finish with length", CALL, put("/choices/0/finish_reason", json!("length")))
            .given(ask(|body| cut_at(body, "/max_tokens"))),
    ]
}
