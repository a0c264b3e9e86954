//! Corruptions of thinking: names, places, markers.

use serde_json::json;

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    const CONTENT: &str = "/choices/0/message/content";
    let thoughts: &[&str] = &[THOUGHT, "vllm/think-default", "ollama/think-default", "mlx/think-default"];
    let streams: &[&str] = &[THINK, "vllm/think-stream", "ollama/think-stream"];
    let name = |message: &serde_json::Value| {
        ["reasoning_content", "reasoning"].into_iter().find(|name| message.get(*name).is_some()).expect("thinking")
    };
    let thought = move |change: fn(&str) -> serde_json::Value| {
        json(move |body| {
            let message = &mut body["choices"][0]["message"];
            let name = name(message);
            message[name] = change(message[name].as_str().expect("text"));
        })
    };
    vec![
        caught("thinking that is a list", THOUGHT, thought(|text| json!([text])), &["W110"]).on(thoughts),
        caught("thinking that is an object", THOUGHT, thought(|text| json!({"text": text})), &["W110"]).on(thoughts),
        caught(
            "two names with different text",
            THOUGHT,
            json(move |body| {
                let message = &mut body["choices"][0]["message"];
                let other = if name(message) == "reasoning" { "reasoning_content" } else { "reasoning" };
                message[other] = json!("Something else.");
            }),
            &["W110"],
        )
        .on(thoughts),
        caught(
            "the end marker before the answer",
            THOUGHT,
            json(|body| {
                body["choices"][0]["message"]["content"] =
                    json!(format!("</think>\n\n{}", body["choices"][0]["message"]["content"].as_str().expect("text")));
            }),
            &["W111"],
        )
        .on(thoughts),
        caught(
            "the thinking in the content with its markers",
            THOUGHT,
            json(move |body| {
                let message = &mut body["choices"][0]["message"];
                let name = name(message);
                let text = message[name].take();
                message.as_object_mut().expect("a message").shift_remove(name);
                message["content"] = json!(format!(
                    "<think>{}</think>{}",
                    text.as_str().expect("text"),
                    message["content"].as_str().expect("text")
                ));
            }),
            &["W111"],
        )
        .on(thoughts),
        caught(
            "the thinking in the content as an open tag",
            THOUGHT,
            put(CONTENT, json!("<think>The user asks about")),
            &["W111"],
        )
        .on(thoughts),
        caught("channels in the content", THOUGHT, put(CONTENT, json!("<|channel|>final<|message|>Paris.")), &["W111"]),
        caught(
            "channels in the thinking",
            THOUGHT,
            thought(|text| json!(format!("<|channel|>analysis<|message|>{text}"))),
            &["W270"],
        )
        .on(thoughts),
        caught("the end marker in the thinking", THOUGHT, thought(|text| json!(format!("{text}</think>"))), &["W270"])
            .on(thoughts),
        caught(
            "the answer in the thinking",
            THOUGHT,
            both(thought(|text| json!(format!("{text} Paris."))), put(CONTENT, json!(null))),
            &["W271"],
        )
        .on(thoughts),
        caught(
            "thinking and content swapped",
            THOUGHT,
            json(move |body| {
                let message = &mut body["choices"][0]["message"];
                let name = name(message);
                let text = message[name].take();
                message[name] = json!("");
                message["content"] = json!(format!("{}</think>", text.as_str().expect("text")));
            }),
            &["W111"],
        )
        .on(thoughts),
        caught("thinking although it is off", THOUGHT, asked("reasoning_effort", json!("none")), &["W115"]).on(thoughts),
        caught(
            "thinking although its template is off",
            THOUGHT,
            asked("chat_template_kwargs", json!({"enable_thinking": false})),
            &["W115"],
        )
        .on(thoughts),
        caught(
            "reasoning tokens although it is off",
            WHOLE,
            put("/usage/completion_tokens_details", json!({"reasoning_tokens": 3})),
            &["W115"],
        )
        .given(asked("reasoning_effort", json!("none"))),
        caught(
            "the call within the thinking",
            "llamacpp/think-tool",
            json(move |body| {
                let message = &mut body["choices"][0]["message"];
                let name = name(message);
                message[name] = json!("I call <tool_call>{\"name\": \"get_weather\"}</tool_call>");
                message["tool_calls"] = json!([]);
                body["choices"][0]["finish_reason"] = json!("tool_calls");
            }),
            &["W120"],
        ),
        caught(
            "a marker over two deltas",
            THINK,
            frames(|list| {
                let (a, b) = (nth(list, "\"content\":\"", 1), nth(list, "\"content\":\"", 2));
                list[a]["choices"][0]["delta"]["content"] = json!("</thi");
                list[b]["choices"][0]["delta"]["content"] = json!("nk>");
            }),
            &["W111"],
        ),
        caught(
            "thinking after the answer began",
            THINK,
            frames(|list| {
                let name = if list.iter().any(|frame| frame.to_string().contains("reasoning_content")) {
                    "reasoning_content"
                } else {
                    "reasoning"
                };
                let at = nth(list, "\"stop\"", 0);
                let mut late = list[at].clone();
                late["choices"][0]["delta"] = json!({name: "Wait."});
                late["choices"][0]["finish_reason"] = json!(null);
                list.insert(at, late);
            }),
            &["W113"],
        )
        .on(streams),
        caught(
            "thinking after the finish",
            THINK,
            frames(|list| {
                let at = nth(list, "\"stop\"", 0);
                let mut late = list[at].clone();
                late["choices"][0]["delta"] = json!({"reasoning": "Wait."});
                late["choices"][0]["finish_reason"] = json!(null);
                list.insert(at + 1, late);
            }),
            &["W059"],
        )
        .on(streams),
        caught(
            "streamed thinking that is a list",
            THINK,
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta") {
                    for name in ["reasoning", "reasoning_content"] {
                        if let Some(text) = delta.get(name).cloned() {
                            delta[name] = json!([text]);
                        }
                    }
                }
            }),
            &["W110"],
        )
        .on(streams),
        caught(
            "all of the answer under thinking",
            THINK,
            each(|frame| {
                if let Some(delta) = frame.pointer_mut("/choices/0/delta")
                    && let Some(text) =
                        delta.get("content").cloned().filter(|text| text.as_str().is_some_and(|text| !text.is_empty()))
                {
                    delta.as_object_mut().expect("a delta").shift_remove("content");
                    delta["reasoning_content"] = text;
                }
            }),
            &["W271"],
        )
        .on(&[THINK]),
    ]
}
