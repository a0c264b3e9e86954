//! Corruptions of a whole chat reply: envelope, choices, message, log probabilities, form.

use serde_json::json;

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [envelope(), choices(), message(), logprobs(), form()].into_iter().flatten().collect()
}

fn envelope() -> Vec<Row> {
    vec![
        caught("no id", WHOLE, cut("/id"), &["W021"]).on(WHOLES),
        caught("an empty id", WHOLE, put("/id", json!("")), &["W021"]),
        caught("an id that is a number", WHOLE, put("/id", json!(7)), &["W021"]),
        caught("another object", WHOLE, put("/object", json!("chat")), &["W021"]).on(WHOLES),
        caught("a chunk in place of a whole reply", WHOLE, put("/object", json!("chat.completion.chunk")), &["W021"]),
        caught("a completion in place of a chat", WHOLE, put("/object", json!("text_completion")), &["W021"]),
        caught("created missing", WHOLE, cut("/created"), &["W021"]).on(WHOLES),
        caught("created as text", WHOLE, put("/created", json!("1795239530")), &["W021"]),
        caught("created as a date", WHOLE, put("/created", json!("2026-11-21T06:00:00Z")), &["W021"]),
        caught("created with a fraction", WHOLE, put("/created", json!(1_795_239_530.25)), &["W021"]).on(WHOLES),
        caught("created in milliseconds", WHOLE, put("/created", json!(1_795_239_530_000_i64)), &["W022"]).on(WHOLES),
        caught("created 0", WHOLE, put("/created", json!(0)), &["W022"]),
        caught("created before 1970", WHOLE, put("/created", json!(-5)), &["W022"]),
        caught("created in 1970", WHOLE, put("/created", json!(86_400)), &["W227"]),
        caught("no model", WHOLE, cut("/model"), &["W021"]).on(WHOLES),
        caught("a model that is null", WHOLE, put("/model", json!(null)), &["W021"]),
        caught("an empty model", WHOLE, put("/model", json!("")), &["W021"]),
        caught(
            "id and model swapped",
            STREAM,
            frame("\" of\"", |frame| {
                let id = frame["id"].take();
                frame["id"] = frame["model"].take();
                frame["model"] = id;
            }),
            &["W051", "W053"],
        ),
        caught("choices missing", WHOLE, cut("/choices"), &["W021"]).on(WHOLES),
        caught("choices as an object", WHOLE, json(|body| body["choices"] = body["choices"][0].take()), &["W021"]),
        caught("no choices", WHOLE, put("/choices", json!([])), &["W023"]).on(WHOLES),
        caught("service_tier as a number", WHOLE, put("/service_tier", json!(1)), &["W228"]),
    ]
}

fn choices() -> Vec<Row> {
    vec![
        caught("a choice that is null", WHOLE, put("/choices/0", json!(null)), &["W220"]),
        caught("a choice that is text", WHOLE, put("/choices/0", json!("Paris")), &["W220"]),
        caught("index 1 of one", WHOLE, put("/choices/0/index", json!(1)), &["W024"]).on(WHOLES),
        caught("an index of text", WHOLE, put("/choices/0/index", json!("0")), &["W220"]),
        caught("an index with a fraction", WHOLE, put("/choices/0/index", json!(0.0)), &["W220"]),
        caught("an index below 0", WHOLE, put("/choices/0/index", json!(-1)), &["W220"]),
        caught("no index", WHOLE, cut("/choices/0/index"), &["W220"]).on(WHOLES),
        caught(
            "a choice more than asked",
            WHOLE,
            json(|body| {
                let mut more = body["choices"][0].clone();
                more["index"] = json!(1);
                body["choices"].as_array_mut().expect("choices").push(more);
            }),
            &["W024"],
        )
        .on(WHOLES),
        caught(
            "a choice twice",
            WHOLE,
            json(|body| {
                let more = body["choices"][0].clone();
                body["choices"].as_array_mut().expect("choices").push(more);
            }),
            &["W024"],
        ),
        caught("one choice of three missing", "llamacpp/chat-n2", asked("n", json!(3)), &["W024"]),
        caught("two choices of one index", "llamacpp/chat-n2", put("/choices/1/index", json!(0)), &["W024"]),
        caught("a hole between indexes", "llamacpp/chat-n2", put("/choices/1/index", json!(2)), &["W024"]),
        caught("one choice for n 2", "llamacpp/chat-n2", json(|body| cut_at(body, "/choices/1")), &["W024"]),
        caught(
            "a delta in a whole reply",
            WHOLE,
            json(|body| {
                let message = body["choices"][0]["message"].take();
                cut_at(body, "/choices/0/message");
                body["choices"][0]["delta"] = message;
            }),
            &["W220", "W221"],
        )
        .on(WHOLES),
        caught(
            "text in place of the message",
            WHOLE,
            json(|body| {
                cut_at(body, "/choices/0/message");
                body["choices"][0]["text"] = json!("Paris");
            }),
            &["W220"],
        ),
        caught("a message that is text", WHOLE, put("/choices/0/message", json!("Paris")), &["W220"]),
        caught("a message that is null", WHOLE, put("/choices/0/message", json!(null)), &["W220"]),
        caught(
            "a message that is a list",
            WHOLE,
            json(|body| body["choices"][0]["message"] = json!([body["choices"][0]["message"]])),
            &["W220"],
        ),
        caught("another finish reason", WHOLE, put("/choices/0/finish_reason", json!("eos")), &["W027"]).on(WHOLES),
        caught("a finish reason in capitals", WHOLE, put("/choices/0/finish_reason", json!("STOP")), &["W027"]),
        caught("no finish reason", WHOLE, cut("/choices/0/finish_reason"), &["W027"]).on(WHOLES),
        caught("a finish reason of null", WHOLE, put("/choices/0/finish_reason", json!(null)), &["W027"]),
        caught("an empty finish reason", WHOLE, put("/choices/0/finish_reason", json!("")), &["W027"]),
        caught("a finish reason of a number", WHOLE, put("/choices/0/finish_reason", json!(1)), &["W027"]),
        caught("length well below the bound", WHOLE, put("/choices/0/finish_reason", json!("length")), &["W242"]).on(WHOLES),
        caught("function_call without one", WHOLE, put("/choices/0/finish_reason", json!("function_call")), &["W082"]).on(WHOLES),
    ]
}

fn message() -> Vec<Row> {
    const CONTENT: &str = "/choices/0/message/content";
    vec![
        caught("the role user", WHOLE, put("/choices/0/message/role", json!("user")), &["W025"]).on(WHOLES),
        caught("the role tool", CALL, put("/choices/0/message/role", json!("tool")), &["W025"]),
        caught("the role Assistant", WHOLE, put("/choices/0/message/role", json!("Assistant")), &["W025"]),
        caught("no role", WHOLE, cut("/choices/0/message/role"), &["W025"]).on(WHOLES),
        caught("content that is a number", WHOLE, put(CONTENT, json!(42)), &["W026"]),
        caught("content that is true", WHOLE, put(CONTENT, json!(true)), &["W026"]),
        caught(
            "content that is an object",
            OBJECT,
            json(|body| {
                let text = body["choices"][0]["message"]["content"].as_str().expect("text").to_owned();
                body["choices"][0]["message"]["content"] = serde_json::from_str(&text).expect("JSON");
            }),
            &["W026"],
        ),
        caught("no content", WHOLE, cut(CONTENT), &["W026"]).on(WHOLES),
        caught("an empty answer", WHOLE, put(CONTENT, json!("")), &["W028"]).on(WHOLES),
        caught("a null answer", WHOLE, put(CONTENT, json!(null)), &["W028"]).on(WHOLES),
        caught("a refusal beside content", WHOLE, put("/choices/0/message/refusal", json!("I cannot help")), &["W042"])
            .on(WHOLES),
        caught("a refusal that is false", WHOLE, put("/choices/0/message/refusal", json!(false)), &["W042"]),
        caught("a zero character", WHOLE, put(CONTENT, json!("Pari\u{0}s")), &["W223"]),
        caught("a lost character", WHOLE, put(CONTENT, json!("Pari\u{FFFD}s")), &["W224"]),
        caught("UTF-8 read as Latin-1", WHOLE, put(CONTENT, json!("PÃ©ris")), &["W226"]),
        caught("a token of the end of the turn", WHOLE, put(CONTENT, json!("Paris.<|im_end|>")), &["W111"]),
        caught("text of another model's turn", WHOLE, put(CONTENT, json!("Paris.<|im_start|>user\nAnd Spain?")), &["W111"]),
        caught("a token by its bytes", WHOLE, put(CONTENT, json!("The<0x20>capital")), &["W229"]),
        caught("marks of word pieces", WHOLE, put(CONTENT, json!("ĠTheĠcapitalĠofĠFranceĠisĠParis.")), &["W229"]),
        caught("marks of sentence pieces", WHOLE, put(CONTENT, json!("▁The▁capital▁of▁France▁is▁Paris.")), &["W229"]),
        caught("annotations as an object", "vllm/chat", put("/choices/0/message/annotations", json!({"a": 1})), &["W228"]),
        caught("audio as text", "vllm/chat", put("/choices/0/message/audio", json!("x")), &["W228"]),
        caught("function_call as text", "vllm/chat", put("/choices/0/message/function_call", json!("x")), &["W228"]),
        caught("logprobs as text", WHOLE, put("/choices/0/logprobs", json!("none")), &["W228"]),
    ]
}

fn logprobs() -> Vec<Row> {
    const ITEM: &str = "/choices/0/logprobs/content/0";
    let item =
        |key: &'static str, value: serde_json::Value| json(move |body| put_at(body, &format!("{ITEM}/{key}"), value.clone()));
    vec![
        caught("a log probability over 0", LOGPROBS, item("logprob", json!(1.5)), &["W038"]),
        caught("a log probability of text", LOGPROBS, item("logprob", json!("-1.5")), &["W038"]),
        caught("a log probability of null", LOGPROBS, item("logprob", json!(null)), &["W038"]),
        caught("a probability in place of its logarithm", LOGPROBS, item("logprob", json!(0.97)), &["W038"]),
        caught("an item without log probability", LOGPROBS, json(|body| cut_at(body, &format!("{ITEM}/logprob"))), &["W038"]),
        caught("an item without token", LOGPROBS, json(|body| cut_at(body, &format!("{ITEM}/token"))), &["W038"]),
        caught("a token that is a number", LOGPROBS, item("token", json!(504)), &["W038"]),
        caught("a byte over 255", LOGPROBS, item("bytes", json!([84, 104, 300])), &["W038"]),
        caught("a byte below 0", LOGPROBS, item("bytes", json!([84, -1])), &["W038"]),
        caught("bytes as text", LOGPROBS, item("bytes", json!("VGhl")), &["W038"]),
        caught("bytes of another token", LOGPROBS, item("bytes", json!([76])), &["W230"]),
        caught("alternatives as an object", LOGPROBS, item("top_logprobs", json!({"The": -1.0})), &["W038"]),
        caught(
            "an alternative over 0",
            LOGPROBS,
            item("top_logprobs", json!([{"token": "The", "bytes": null, "logprob": 0.2}])),
            &["W038"],
        ),
        caught("more alternatives than asked", LOGPROBS, asked("top_logprobs", json!(1)), &["W039"]),
        caught(
            "unasked log probabilities",
            LOGPROBS,
            ask(|body| {
                cut_at(body, "/logprobs");
                cut_at(body, "/top_logprobs");
            }),
            &["W231"],
        ),
        caught(
            "log probabilities of another text",
            LOGPROBS,
            both(item("token", json!("Rome")), item("bytes", json!([82, 111, 109, 101]))),
            &["W232"],
        ),
        caught(
            "a list in place of logprobs",
            LOGPROBS,
            json(|body| body["choices"][0]["logprobs"] = body["choices"][0]["logprobs"]["content"].take()),
            &["W038"],
        ),
        caught(
            "the list as an object",
            LOGPROBS,
            json(|body| body["choices"][0]["logprobs"]["content"] = json!({"0": body["choices"][0]["logprobs"]["content"][0]})),
            &["W038"],
        ),
        caught("logprobs null although asked", LOGPROBS, put("/choices/0/logprobs", json!(null)), &["W038"]),
        caught("no logprobs although asked", LOGPROBS, cut("/choices/0/logprobs"), &["W038"]),
        caught("an item of logprobs lost", LOGPROBS, json(|body| cut_at(body, "/choices/0/logprobs/content/1")), &["W232"]),
        caught("an item that is null", LOGPROBS, put(ITEM, json!(null)), &["W038"]),
    ]
}

fn form() -> Vec<Row> {
    let content = |change: fn(&str) -> String| {
        json(move |body| {
            let text = body["choices"][0]["message"]["content"].as_str().expect("text").to_owned();
            body["choices"][0]["message"]["content"] = json!(change(&text));
        })
    };
    vec![
        caught("words before the object", OBJECT, content(|text| format!("Sure! {text}")), &["W040"]),
        caught("a fence around the object", OBJECT, content(|text| format!("```json\n{text}\n```")), &["W040"]),
        caught("words after the object", OBJECT, content(|text| format!("{text}\nThat is all.")), &["W040"]),
        caught("half an object", OBJECT, content(|text| text[..text.len() / 2].to_owned()), &["W040"]),
        caught("a list in place of an object", OBJECT, content(|text| format!("[{text}]")), &["W040"]),
        caught("an object encoded twice", OBJECT, content(|text| serde_json::Value::from(text).to_string()), &["W040"]),
        caught("no content under json_object", OBJECT, put("/choices/0/message/content", json!("")), &["W040"]),
        caught("words before what has a schema", SCHEMA, content(|text| format!("Sure! {text}")), &["W041"]),
        caught("another key than the schema's", SCHEMA, content(|text| text.replace("capital", "capitol")), &["W041"]),
        caught("another type than the schema's", SCHEMA, content(|text| text.replace("true", "\"yes\"")), &["W041"]),
        caught("a fraction where the schema has integers", SCHEMA, content(|text| text.replace("11", "11.5")), &["W041"]),
        caught(
            "a longer text than the schema's",
            SCHEMA,
            content(|text| text.replace("Paris", "Paris, the capital of France")),
            &["W041"],
        ),
        caught("null where the schema has a type", SCHEMA, content(|text| text.replace("11", "null")), &["W041"]),
        caught("single quotes under a schema", SCHEMA, content(|text| text.replace('"', "'")), &["W041"]),
        caught("prose under a schema that is not strict", SCHEMA, content(|_| "Paris is a city.".to_owned()), &["W250"])
            .given(ask(|body| body["response_format"]["json_schema"]["strict"] = json!(false))),
        caught("the stop text at the end", "llamacpp/chat-stop", content(|text| format!("{text}Paris")), &["W037"]),
    ]
}
