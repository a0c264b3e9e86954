//! Corruptions of HTTP and of the framing of events.

use serde_json::json;

use super::change::*;
use super::*;
use crate::wire::{End, TransportError, TransportKind};

fn failed(kind: TransportKind) -> Change {
    Box::new(move |exchange| exchange.end = End::Failed(TransportError { kind, message: "the body was cut".to_owned() }))
}

pub(super) fn rows() -> Vec<Row> {
    [http(), bodies(), sse()].into_iter().flatten().collect()
}

fn http() -> Vec<Row> {
    vec![
        caught(
            "a closed connection",
            WHOLE,
            both(failed(TransportKind::NoReply), Box::new(|exchange| exchange.status = None)),
            &["W001"],
        ),
        caught("JSON as plain text", WHOLE, header("content-type", "text/plain"), &["W002"]).on(WHOLES),
        caught("JSON as HTML", WHOLE, header("content-type", "text/html; charset=utf-8"), &["W002"]),
        caught(
            "no media type",
            WHOLE,
            Box::new(|exchange| exchange.headers.retain(|(name, _)| name != "content-type")),
            &["W002"],
        ),
        caught("a stream as JSON", STREAM, header("content-type", "application/json"), &["W006"]).on(STREAMS),
        caught("a stream as plain text", STREAM, header("content-type", "text/plain"), &["W006"]),
        caught(
            "a stream without media type",
            STREAM,
            Box::new(|exchange| exchange.headers.retain(|(name, _)| name != "content-type")),
            &["W006"],
        ),
        caught("a whole reply to a request for a stream", WHOLE, asked("stream", json!(true)), &["W006"]).on(WHOLES),
        caught("a stream to a request for a whole reply", STREAM, asked("stream", json!(false)), &["W007"]).on(STREAMS),
        caught("a length that is too long", WHOLE, header("content-length", "9999"), &["W011"]),
        caught("a length that is too short", WHOLE, header("content-length", "9"), &["W011"]),
        advised(
            "a stream that ends with its connection",
            STREAM,
            Box::new(|exchange| exchange.headers.retain(|(name, _)| name != "transfer-encoding")),
            &["W205"],
        ),
        caught("a chunked body cut", STREAM, failed(TransportKind::Truncated), &["W011"]),
        caught("Latin-1 by its label", WHOLE, header("content-type", "application/json; charset=iso-8859-1"), &["W200"]),
        caught("status 206", WHOLE, status(206), &["W202"]),
        caught("status 201", WHOLE, status(201), &["W202"]),
        caught("status 202 over a stream", STREAM, status(202), &["W202"]),
        caught("a redirect", WHOLE, status(307), &["W203"]),
        caught("no content", WHOLE, both(status(204), raw("")), &["W202"]),
        caught("status 500 over an answer", WHOLE, status(500), &["W280"]).on(WHOLES),
        caught("status 500 over a stream", STREAM, status(500), &["W281"]),
    ]
}

fn bodies() -> Vec<Row> {
    vec![
        caught("two JSON values", WHOLE, text(|text| format!("{text}{text}")), &["W003"]),
        caught("words after the JSON", WHOLE, text(|text| format!("{text}\nDone.")), &["W003"]),
        caught("words before the JSON", WHOLE, text(|text| format!("OK {text}")), &["W003"]),
        caught("an empty body", WHOLE, raw(""), &["W003"]).on(WHOLES),
        caught("a body of spaces", WHOLE, raw(" \n"), &["W003"]),
        caught("a cut body", WHOLE, text(|text| text[..text.len() - 9].to_owned()), &["W003"]).on(WHOLES),
        caught("a body cut in half", CALL, text(|text| text[..text.len() / 2].to_owned()), &["W003"]),
        caught("single quotes", WHOLE, swap_all("\"", "'"), &["W003"]),
        caught(
            "a comma too many",
            WHOLE,
            text(|text| format!("{},}}", text.trim_end().strip_suffix('}').expect("an object"))),
            &["W003"],
        ),
        caught("a line feed within a string", WHOLE, swap("Paris", "Par\nis"), &["W003"]),
        caught("the body encoded twice", WHOLE, text(|text| serde_json::Value::from(text).to_string()), &["W021"]).on(WHOLES),
        caught("the body within a list", WHOLE, text(|text| format!("[{text}]")), &["W021"]).on(WHOLES),
        caught("null", WHOLE, raw("null"), &["W021"]),
        caught("an empty object", WHOLE, raw("{}"), &["W021"]),
        caught(
            "bytes of Latin-1",
            WHOLE,
            bytes(|body| body.iter_mut().filter(|byte| **byte == b'P').for_each(|byte| *byte = 0xE9)),
            &["W004"],
        ),
        caught("UTF-16", WHOLE, bytes(|body| *body = body.iter().flat_map(|byte| [*byte, 0]).collect()), &["W003"]),
        caught(
            "a body cut within a character",
            "llamacpp/chat-unicode",
            bytes(|body| {
                let at = body.iter().position(|byte| *byte >= 0x80).expect("a character of several bytes");
                body.truncate(at + 1);
            }),
            &["W004"],
        ),
        caught("a byte order mark", WHOLE, text(|text| format!("\u{FEFF}{text}")), &["W201"]),
        caught("NaN", WHOLE, swap(r#""created":"#, r#""created":NaN,"was":"#), &["W005"]),
        caught("minus Infinity", LOGPROBS, swap(r#""logprob":-"#, r#""logprob":-Infinity,"was":-"#), &["W005"]),
        caught("half a surrogate pair", WHOLE, swap("Paris", r"\ud83d"), &["W005"]),
        caught("the second half of a surrogate pair", WHOLE, swap("Paris", r"\ude00"), &["W005"]),
        caught("a key twice", WHOLE, swap(r#""index":0"#, r#""index":0,"index":0"#), &["W005"]),
        caught(
            "the message twice",
            WHOLE,
            swap(r#""message":{"#, r#""message":{"role":"assistant","content":"Rome"},"message":{"#),
            &["W005"],
        ),
        caught("50 000 levels", WHOLE, raw(vec![b'['; 50_000]), &["W204"]),
        caught("a page", WHOLE, raw("<!DOCTYPE html><title>x</title>"), &["W008"]).on(WHOLES),
        caught(
            "a page under its own label",
            WHOLE,
            both(header("content-type", "text/html"), raw("\n<HTML><body>Bad gateway</body></HTML>")),
            &["W008", "W002"],
        ),
        caught(
            "a page in place of a stream",
            STREAM,
            both(header("content-type", "text/html"), raw("<html><body>Sign in</body></html>")),
            &["W008", "W006"],
        ),
        caught("a page labelled a stream", STREAM, raw("<html><body>Sign in</body></html>"), &["W008"]),
        caught("XML", WHOLE, both(header("content-type", "application/xml"), raw("<?xml version=\"1.0\"?><error/>")), &["W002"]),
        caught("plain words", WHOLE, raw("upstream connect error or disconnect/reset before headers"), &["W003"]),
        caught(
            "plain words under their own label",
            WHOLE,
            both(header("content-type", "text/plain"), raw("no healthy upstream")),
            &["W002"],
        ),
        caught("a reply that says success: false", WHOLE, raw(r#"{"success":false,"message":"no"}"#), &["W021"]),
    ]
}

fn sse() -> Vec<Row> {
    let of = r#"data: {"choices":[{"finish_reason":null,"index":0,"delta":{"content":" of""#;
    vec![
        caught("[DONE] twice", STREAM, swap("data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n"), &["W016"]).on(STREAMS),
        caught(
            "[DONE] early",
            STREAM,
            events(|list| {
                let done = list.remove(place(list, "[DONE]"));
                list.insert(3, done);
            }),
            &["W016"],
        )
        .on(STREAMS),
        caught(
            "[DONE] first",
            STREAM,
            events(|list| {
                let done = list.remove(place(list, "[DONE]"));
                list.insert(0, done);
            }),
            &["W016"],
        )
        .on(STREAMS),
        caught(
            "[DONE] before usage",
            STREAM,
            events(|list| {
                let done = list.remove(place(list, "[DONE]"));
                let at = list.len() - 2;
                list.insert(at, done);
            }),
            &["W016"],
        ),
        caught("[done]", STREAM, swap("[DONE]", "[done]"), &["W013", "W017"]),
        caught("[DONE] as a string", STREAM, swap("[DONE]", "\"[DONE]\""), &["W013", "W017"]),
        caught("[DONE] with a blank after it", STREAM, swap("[DONE]", "[DONE] "), &["W013"]),
        caught("DONE on a line of its own", STREAM, swap("data: [DONE]", "[DONE]"), &["W017"]),
        caught(
            "half an event",
            STREAM,
            Box::new(move |exchange| swap(of, "data: {\"choices\":[{\"finish_")(exchange)),
            &["W013"],
        ),
        caught("two objects in one event", STREAM, swap("\n\ndata: {", "\ndata: {"), &["W013"]),
        caught("two objects in one line", STREAM, swap("\n\ndata: {", "{"), &["W013"]),
        caught(
            "an event that is a list",
            STREAM,
            text(|text| text.replacen("data: {", "data: [{", 1).replacen("}\n\n", "}]\n\n", 1)),
            &["W013"],
        ),
        caught("an event that is a string", STREAM, events(|list| list[2] = event("\"Hello\"")), &["W013"]),
        caught("an event that is null", STREAM, events(|list| list.insert(2, event("null"))), &["W013"]),
        caught("an event that is words", STREAM, events(|list| list.insert(2, event("keep-alive"))), &["W013"]),
        caught("JSON split over two events", STREAM, swap(r#","created""#, "\n\ndata: ,\"created\""), &["W013"]),
        caught("a line feed within a string", STREAM, swap(r#"" of""#, "\" o\ndata: f\""), &["W013"]),
        caught(
            "another field name",
            STREAM,
            Box::new(move |exchange| text(move |text| text.replacen(of, &of.replace("data:", "date:"), 1))(exchange)),
            &["W210"],
        ),
        caught("no field name", STREAM, swap(of, &of["data: ".len()..]), &["W210"]),
        caught("lines of JSON in place of events", STREAM, swap_all("data: {", "{"), &["W003"]),
        caught(
            "the last event not closed",
            STREAM,
            text(|text| text.trim_end().trim_end_matches("data: [DONE]").trim_end().to_owned()),
            &["W018"],
        ),
        caught("events closed by one line feed", STREAM, text(|text| text.replace("\n\n", "\n")), &["W018"])
            .on(&["llamacpp/chat-stream-nousage"]),
        caught("cut within an event", STREAM, text(|text| text[..text.len() / 2].to_owned()), &["W061"]).on(STREAMS),
        caught("the name error on a good event", STREAM, events(|list| list[2].insert_str(0, "event: error\n")), &["W019"]),
        caught(
            "an error on a good event",
            STREAM,
            frame("\" of\"", |frame| frame["error"] = json!({"message": "no"})),
            &["W019"],
        ),
        caught("half a surrogate pair in an event", STREAM, swap(r#"" of""#, r#"" \ud83d""#), &["W005"]),
        caught("a key twice in an event", STREAM, swap(r#""index":0"#, r#""index":0,"index":0"#), &["W005"]),
        caught("only [DONE]", STREAM, events(|list| drop(list.drain(..list.len() - 1))), &["W266"]).on(STREAMS),
        caught("only comments", STREAM, raw(": a\n\n: b\n\n"), &["W266"]),
        caught("an empty stream", STREAM, raw(""), &["W266"]).on(STREAMS),
        caught("a stream of zeros", STREAM, raw(vec![0; 4096]), &["W266"]),
        caught(
            "a stream of noise",
            STREAM,
            raw((0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect::<Vec<u8>>()),
            &["W266"],
        ),
    ]
}
