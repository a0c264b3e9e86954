//! What breaks error replies, and what comes where an answer should have come.

use serde_json::{Value, json};

use crate::contract::{Call, Mistake};
use crate::mutate::change::{bytes, cut, error, event, events, header, put, status, swap, text, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Errors: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("error-message-lost", &["W154", "W155"], "an error has no message", |good| inner(good, |error| cut(error, "message"))),
    detect("error-message-empty", &["W154"], "the message of an error is empty", |good| said(good, json!(""))),
    detect("error-message-null", &["W154", "W155"], "the message of an error is null", |good| said(good, json!(null))),
    detect("error-message-as-number", &["W155"], "the message of an error is a number", |good| said(good, json!(400))),
    detect("error-message-as-list", &["W155"], "the message of an error is a list", |good| said(good, json!(["no", "messages"]))),
    detect("error-message-as-object", &["W155"], "the message of an error is an object", |good| {
        said(good, json!({"text": "no"}))
    }),
    detect("error-type-lost", &["W155"], "an error has no type", |good| inner(good, |error| cut(error, "type"))),
    detect("error-type-null", &["W155"], "the type of an error is null", |good| {
        inner(good, |error| swap(error, "type", json!(null)))
    }),
    detect("error-code-as-number", &["W155"], "the code of an error is a number", |good| {
        inner(good, |error| {
            error
                .get("code")
                .is_none_or(|code| code.is_null() || code.is_string())
                .then(|| put(error, "code", json!(status_of(good))))?
        })
    }),
    detect("error-param-as-list", &["W155"], "the param of an error is a list", |good| {
        inner(good, |error| put(error, "param", json!(["messages"])))
    }),
    detect("error-as-text", &["W155"], "the error is text", |good| outer(good, |message| json!({"error": message}))),
    detect("error-as-list", &["W155"], "the error is a list", |good| {
        outer(good, |message| json!({"error": [{"message": message}]}))
    }),
    detect("error-within-error", &["W155"], "an error stands within the error", |good| {
        outer(good, |message| json!({"error": {"error": {"message": message, "type": "x"}}}))
    }),
    detect("error-null", &["W154", "W155"], "the error is null", |good| outer(good, |_| json!({"error": null}))),
    detect("error-of-another-framework", &["W155"], "the error has the form of another framework", |good| {
        outer(good, |message| json!({"detail": message}))
    }),
    detect("error-list-of-another-framework", &["W155"], "the error is a list of faults of another framework", |good| {
        outer(good, |message| json!({"detail": [{"loc": ["body", "messages"], "msg": message, "type": "missing"}]}))
    }),
    detect("error-without-envelope", &["W155"], "the error lacks its envelope", |good| {
        outer(good, |message| json!({"message": message, "type": "invalid_request_error", "code": null, "param": null}))
    }),
    detect("error-as-plain-words", &["W155", "W002"], "the error is plain words", |good| {
        let words = envelope(good).and_then(|_| bytes(good, "Bad Request"))?;
        Some(Exchange { headers: label(good, "text/plain", &words), ..words })
    }),
    detect("error-as-event", &["W281"], "the error is an event of a stream", |good| {
        let stream = envelope(good).and_then(|_| bytes(good, event(good.text.trim())))?;
        Some(Exchange { headers: label(good, "text/event-stream", &stream), ..stream })
    }),
    detect("error-with-choices", &["W280"], "the error has a choice", |good| {
        envelope(good)?;
        error(good, |body| {
            put(
                body,
                "choices",
                json!([{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]),
            )
        })
    }),
    detect("error-with-path-of-server", &["W009"], "the error names a file of the server", |good| {
        said(good, json!("cannot open /home/ubuntu/models/a.gguf"))
    }),
    detect("error-with-trace-of-python", &["W009"], "the error holds a stack trace", |good| said(good, json!(TRACE))),
    detect("error-with-trace-of-rust", &["W009"], "the error holds a panic", |good| {
        said(good, json!("thread 'main' panicked at src/main.rs:7:3"))
    }),
    detect("error-with-trace-of-javascript", &["W009"], "the error holds a stack trace of JavaScript", |good| {
        said(good, json!("TypeError: x is undefined\n    at run (server.js:3:1)"))
    }),
    detect("error-with-key", &["W009"], "the error repeats the key that was sent", |good| {
        let sent = good.exchange.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let key = sent.map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or(value)).filter(|key| key.len() >= 8)?;
        said(good, json!(format!("the key {key} is not known")))
    }),
    detect("error-of-another-status", &["W160"], "the body names another status", |good| {
        inner(good, |error| put(error, "code", json!(if status_of(good) == 404 { "400" } else { "404" })))
    }),
    detect("status-199-over-error", &["W282"], "an error has a status of 1xx", |good| {
        envelope(good).and_then(|_| status(good, 199))
    }),
    detect("status-500-for-a-mistake", &["W156", "W160"], "a mistake of the caller is answered with 500", |good| {
        let mistaken = !good.asked.mistakes.is_empty() && (400..500).contains(&status_of(good));
        mistaken.then(|| status(good, 500))?
    }),
    detect("status-404-for-a-bad-request", &["W156"], "a bad request is answered with 404", |good| {
        let shape = |mistake: &Mistake| {
            matches!(mistake, Mistake::NotJson | Mistake::NotAnObject | Mistake::NoMessages | Mistake::WrongType(_))
        };
        let key = |mistake: &Mistake| matches!(mistake, Mistake::NoKey | Mistake::WrongKey);
        let bad = good.asked.mistakes.iter().any(shape) && !good.asked.mistakes.iter().any(key);
        (bad && matches!(status_of(good), 400 | 422) && good.call == Call::Chat).then(|| status(good, 404))?
    }),
    detect("error-under-200", &["W010", "W156"], "an error has status 200", |good| {
        (good.is_api() && envelope(good).is_some()).then(|| status(good, 200))?
    }),
    detect("error-for-answer", &["W010"], "an error comes in place of the answer, under 200", |good| {
        (good.is_api() && good.is_success() && good.is_json()).then(|| bytes(good, FAILED))?
    }),
    detect("error-beside-answer", &["W010"], "an error stands beside the answer", |good| {
        whole(good, |body| put(body, "error", json!({"message": "half of it failed"})))
    }),
    detect("error-on-chunk", &["W019"], "an error stands on a good chunk", |good| {
        good.stream()?;
        crate::mutate::change::chunk(good, |chunk| put(chunk, "error", json!({"message": "no"})))
    }),
    detect("error-first", &["W064"], "the stream holds an error alone", |good| {
        events(good, |list| {
            *list = vec![event(FAILED)];
            Some(())
        })
    }),
    detect("error-first-and-done", &["W064"], "the stream holds an error and `[DONE]`", |good| {
        events(good, |list| {
            *list = vec![event(FAILED), event("[DONE]")];
            Some(())
        })
    }),
    detect("error-after-role", &["W064"], "an error comes behind the role", |good| {
        events(good, |list| {
            let at = list.iter().position(|event| event.contains("\"role\":\"assistant\""))?;
            let first = good.stream()?.get(at)?.data.as_ref()?.pointer("/choices/0/delta")?.clone();
            list.truncate(at + 1);
            list.push(event(FAILED));
            let bare = |(key, value): (&String, &Value)| key == "role" || value.is_null() || value == "";
            (first.as_object()?.iter().all(bare) && at == 0).then_some(())
        })
    }),
    detect("error-without-message", &["W063"], "the stream ends with an error that says nothing", |good| {
        ended(good, r#"{"error":{"code":7}}"#)
    }),
    detect("error-of-empty-message", &["W063"], "the stream ends with an error of no words", |good| {
        ended(good, r#"{"error":{"message":""}}"#)
    }),
    detect("error-with-trace-in-stream", &["W009"], "the stream ends with a stack trace", |good| {
        ended(good, &json!({"error": {"message": TRACE}}).to_string())
    }),
    detect("error-then-finish", &["W062"], "the choice finishes behind an error", |good| {
        events(good, |list| {
            let at = finishing(good)?;
            list.insert(at, event(FAILED));
            Some(())
        })
    }),
    detect("error-then-text", &["W062", "W059"], "the answer goes on behind an error", |good| {
        events(good, |list| {
            let at = finishing(good)?;
            list.insert(at.min(1), event(FAILED));
            (at > 1).then_some(())
        })
    }),
    detect("answer-refused", &[], "the server says that it is too busy for a good request", |good| {
        (good.is_chat() && good.asked.mistakes.is_empty()).then_some(())?;
        let busy = r#"{"error":{"message":"the server is overloaded","type":"server_error","param":null,"code":null}}"#;
        let refused = bytes(good, busy)?;
        let mut headers = label(good, "application/json", &refused);
        headers.push(("retry-after".to_owned(), "1".into()));
        Some(Exchange { status: Some(503), headers, ..refused })
    }),
    legal("error-with-more-keys", "an error has more keys", |good| {
        inner(good, |error| put(error, "provider", json!({"name": "x"})))
    }),
    legal("error-with-request-id", "a request id stands beside the error", |good| {
        envelope(good)?;
        error(good, |body| put(body, "request_id", json!("req_1")))
    }),
    legal("error-without-param-and-code", "an error has neither param nor code", |good| {
        inner(good, |error| {
            let known = error.get("code").is_none_or(|code| code.is_null() || code.is_string());
            error.as_object_mut()?.retain(|key, _| key != "param" && key != "code");
            known.then_some(())
        })
    }),
    legal("error-as-problem", "an error calls itself problem+json", |good| {
        (good.is_json() && envelope(good).is_some()).then(|| header(good, "content-type", "application/problem+json"))?
    }),
    legal("error-on-many-lines", "an error ends with a blank line", |good| {
        (good.is_json() && envelope(good).is_some()).then(|| text(good, |text| Some(format!("{text}\n\n"))))?
    }),
];

const FAILED: &str = r#"{"error":{"message":"upstream failed","type":"server_error","param":null,"code":null}}"#;

const TRACE: &str = "Traceback (most recent call last):\n  File \"/app/server.py\", line 7, in run";

fn status_of(good: &Good<'_>) -> u16 {
    good.exchange.status.unwrap_or_default()
}

/// The envelope of an error reply of the API, with a message in it.
fn envelope<'g>(good: &'g Good<'_>) -> Option<&'g Value> {
    let error = good.error().filter(|_| good.is_api())?.get("error")?;
    error.get("message")?.as_str().filter(|message| !message.trim().is_empty()).map(|_| error)
}

/// What stands in the envelope of an error.
fn inner(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    envelope(good)?;
    error(good, |body| change(body.get_mut("error")?))
}

/// Another message of an error.
fn said(good: &Good<'_>, message: Value) -> Option<Exchange> {
    inner(good, |error| swap(error, "message", message))
}

/// The message of an error in another body.
fn outer(good: &Good<'_>, body: impl FnOnce(&str) -> Value) -> Option<Exchange> {
    let message = envelope(good)?.get("message")?.as_str()?;
    bytes(good, body(message).to_string())
}

/// The headers of a changed exchange under another label.
fn label(good: &Good<'_>, media: &str, changed: &Exchange) -> Vec<(String, bytes::Bytes)> {
    let mut headers = changed.headers.clone();
    headers.retain(|(name, _)| name != "content-type");
    headers.push(("content-type".to_owned(), media.to_owned().into()));
    debug_assert!(good.exchange.status.is_some(), "only replies with a head are read");
    headers
}

/// The event that finishes the first choice.
fn finishing(good: &Good<'_>) -> Option<usize> {
    let finishes = |data: &Value| data.pointer("/choices/0/finish_reason").is_some_and(Value::is_string);
    good.stream()?.iter().position(|event| event.data.as_ref().is_some_and(finishes))
}

/// The stream ends with this event before its choice finishes.
fn ended(good: &Good<'_>, data: &str) -> Option<Exchange> {
    let at = finishing(good)?;
    events(good, |list| {
        list.truncate(at);
        list.push(event(data));
        (at > 0).then_some(())
    })
}
