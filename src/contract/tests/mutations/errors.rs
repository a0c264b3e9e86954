//! Corruptions of error replies, lists of models and metrics; and requests that had to be refused.

use serde_json::json;

use super::change::*;
use super::*;

pub(super) fn rows() -> Vec<Row> {
    [errors(), refusals(), lists()].into_iter().flatten().collect()
}

fn errors() -> Vec<Row> {
    vec![
        caught("an empty error", BAD, raw(""), &["W154"]),
        caught("an error without words", BAD, cut("/error/message"), &["W154", "W155"]),
        caught("an error with empty words", BAD, put("/error/message", json!("")), &["W154"]),
        caught("an error with words of null", BAD, put("/error/message", json!(null)), &["W155"]),
        caught("words that are a number", BAD, put("/error/message", json!(400)), &["W155"]),
        caught("words that are a list", BAD, put("/error/message", json!(["no", "messages"])), &["W155"]),
        caught("an error without type", BAD, cut("/error/type"), &["W155"]),
        caught("a type of null", BAD, put("/error/type", json!(null)), &["W155"]),
        caught("a code that is a number", BAD, put("/error/code", json!(400)), &["W155"]),
        caught("a param that is a list", BAD, put("/error/param", json!(["messages"])), &["W155"]),
        caught("an error that is text", BAD, raw(r#"{"error":"no messages"}"#), &["W155"]),
        caught("an error that is a list", BAD, json(|body| body["error"] = json!([body["error"]])), &["W155"]),
        caught("an error within an error", BAD, json(|body| body["error"] = json!({"error": body["error"]})), &["W155"]),
        caught("an error within a list", BAD, text(|text| format!("[{text}]")), &["W155"]),
        caught("an error as JSON in a string", BAD, text(|text| serde_json::Value::from(text).to_string()), &["W155"]),
        caught("an error of another framework", BAD, raw(r#"{"detail":"no messages"}"#), &["W155"]),
        caught(
            "a list of another framework",
            BAD,
            raw(r#"{"detail":[{"loc":["body","messages"],"msg":"Field required","type":"missing"}]}"#),
            &["W155"],
        ),
        caught(
            "an error without envelope",
            BAD,
            raw(r#"{"message":"no messages","type":"invalid_request_error","code":null,"param":null}"#),
            &["W155"],
        ),
        caught("an error of null", BAD, raw(r#"{"error":null}"#), &["W154", "W155"]),
        caught("plain words", BAD, both(header("content-type", "text/plain"), raw("Bad Request")), &["W155", "W002"]),
        caught("plain words labelled JSON", BAD, raw("Bad Request"), &["W003"]),
        caught(
            "a page",
            BAD,
            both(header("content-type", "text/html"), raw("<html><head><title>400</title></head></html>")),
            &["W008"],
        ),
        caught("an error as an event", BAD, both(header("content-type", "text/event-stream"), text(event)), &["W281"]),
        caught(
            "choices in an error",
            BAD,
            json(|body| body["choices"] = json!([{"index": 0, "message": {"role": "assistant", "content": "Hi"}}])),
            &["W280"],
        ),
        caught("a path of the server", BAD, put("/error/message", json!("cannot open /home/ubuntu/models/a.gguf")), &["W009"]),
        caught("a trace of Rust", BAD, put("/error/message", json!("thread 'main' panicked at src/main.rs:7:3")), &["W009"]),
        caught(
            "a trace of JavaScript",
            BAD,
            put("/error/message", json!("TypeError: x is undefined\n    at run (server.js:3:1)")),
            &["W009"],
        ),
        advised("the key of an exception", BAD, put("/error/message", json!("'role'")), &["W283"]),
        advised("the words of an exception", BAD, put("/error/message", json!("'str' object has no attribute 'get'")), &["W283"]),
        advised(
            "an exception of a library",
            BAD,
            put("/error/message", json!("[json.exception.type_error.302] type must be string, but is number")),
            &["W283"],
        ),
        advised(
            "the dump of a validator",
            BAD,
            put(
                "/error/message",
                json!("1 validation error:\n  {'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required'}"),
            ),
            &["W283"],
        ),
        caught("another status in the body", BAD, put("/error/code", json!("404")), &["W160"]),
        caught("a status that does not exist", BAD, status(700), &["W282"]),
        caught("a status of 1xx", BAD, status(199), &["W282"]),
    ]
}

fn refusals() -> Vec<Row> {
    vec![
        caught("500 for a missing key", BAD, status(500), &["W156", "W160"]),
        caught("404 for a missing key", BAD, status(404), &["W156"]),
        caught("200 over an error", BAD, status(200), &["W010", "W156"]),
        caught("422 and 400 in the body", "llamacpp/bad-no-messages", status(422), &["W160"]),
        caught(
            "404 for a message of an unknown role",
            BAD,
            both(asked("messages", json!([{"role": "wizard", "content": "Hi"}])), status(404)),
            &["W156"],
        ),
        caught("500 for broken JSON", "llamacpp/bad-json", status(500), &["W156"]),
        caught(
            "an answer to broken JSON",
            "llamacpp/bad-json",
            Box::new(|exchange| {
                let good = load(WHOLE);
                exchange.status = good.status;
                set(exchange, good.body);
            }),
            &["W156"],
        ),
        caught("an answer without messages", WHOLE, ask(|body| cut_at(body, "/messages")), &["W156"]),
        caught("an answer to a temperature of text", WHOLE, asked("temperature", json!("hot")), &["W156"]),
        caught("an answer to messages of text", WHOLE, asked("messages", json!("Hi")), &["W156"]),
        caught("500 for an unusable schema", "llamacpp/tool-bad-schema", status(500), &["W103"]),
        caught(
            "the server's error says that the request is at fault",
            BAD,
            both(asked("messages", json!([{"role": "user", "content": "Hi"}])), status(500)),
            &["W160"],
        ),
    ]
}

fn lists() -> Vec<Row> {
    let models: &[&str] = &[MODELS, "litellm/models", "ollama/models", "vllm-mlx/models"];
    vec![
        caught("another object than list", MODELS, put("/object", json!("models")), &["W163"]).on(models),
        caught("no object", MODELS, cut("/object"), &["W163"]),
        caught("no data", MODELS, cut("/data"), &["W163"]).on(models),
        caught("data that is an object", MODELS, json(|body| body["data"] = body["data"][0].take()), &["W163"]),
        caught("the list without its envelope", MODELS, json(|body| *body = body["data"].take()), &["W163"]).on(models),
        caught("an empty id", MODELS, put("/data/0/id", json!("")), &["W163"]).on(models),
        caught("an id of a number", MODELS, put("/data/0/id", json!(1)), &["W163"]),
        caught("a model without id", MODELS, cut("/data/0/id"), &["W163"]),
        caught("a model that is text", MODELS, put("/data/0", json!("smollm2")), &["W163"]),
        caught(
            "a model twice",
            MODELS,
            json(|body| {
                let twin = body["data"][0].clone();
                body["data"].as_array_mut().expect("models").push(twin);
            }),
            &["W163"],
        )
        .on(models),
        caught("another object than model", MODELS, put("/data/0/object", json!("engine")), &["W290"]).on(models),
        caught("created as text", MODELS, put("/data/0/created", json!("today")), &["W290"]),
        caught("created in milliseconds", MODELS, put("/data/0/created", json!(1_795_239_529_000_i64)), &["W290"]),
        caught("created with a fraction", MODELS, put("/data/0/created", json!(1_795_239_529.5)), &["W290"]),
        caught("an owner that is null", MODELS, put("/data/0/owned_by", json!(null)), &["W290"]),
        caught("no models", MODELS, put("/data", json!([])), &["W293"]),
        caught(
            "a line of metrics that is none",
            "llamacpp/get-metrics",
            swap_all("llamacpp:prompt_tokens_total ", "llamacpp:prompt_tokens_total = "),
            &["W292"],
        ),
        caught("a page in place of metrics", "llamacpp/get-metrics", raw("<html><body>x</body></html>"), &["W292"]),
    ]
}
