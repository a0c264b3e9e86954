//! Recorded good replies, each corrupted in one way: the named rule fires that did not fire before; or, where the change is
//! legal, nothing but advice is added.

use bytes::Bytes;

use super::recorded::{found, load};
use crate::contract::{Finding, Severity};
use crate::wire::{End, Exchange, TransportError, TransportKind};

/// What weighs more than advice, by rule.
fn weighty(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|finding| finding.severity != Severity::Advice).map(|finding| finding.rule.id).collect()
}

fn body(exchange: &mut Exchange, change: impl Fn(&str) -> String) {
    let text = String::from_utf8(exchange.body.to_vec()).expect("text");
    let changed = change(&text);
    assert_ne!(changed, text, "the change did not take");
    set(exchange, changed.into_bytes());
}

fn set(exchange: &mut Exchange, body: Vec<u8>) {
    exchange.headers.retain(|(name, _)| name != "content-length");
    exchange.body = Bytes::from(body);
    if let Some(chunk) = exchange.chunks.last_mut() {
        chunk.end = exchange.body.len();
    }
}

/// Replaces the first place.
fn swap(from: &'static str, to: &'static str) -> impl Fn(&mut Exchange) {
    move |exchange| body(exchange, |text| text.replacen(from, to, 1))
}

/// Replaces every place.
fn swap_all(from: &'static str, to: &'static str) -> impl Fn(&mut Exchange) {
    move |exchange| body(exchange, |text| text.replace(from, to))
}

/// Changes the list of events.
fn events(change: impl Fn(&mut Vec<String>)) -> impl Fn(&mut Exchange) {
    move |exchange| {
        body(exchange, |text| {
            let mut list: Vec<String> = text.split_inclusive("\n\n").map(str::to_owned).collect();
            change(&mut list);
            list.concat()
        });
    }
}

fn place(list: &[String], part: &str) -> usize {
    list.iter().position(|event| event.contains(part)).unwrap_or_else(|| panic!("no event with {part}"))
}

/// Changes the request.
fn ask(from: &'static str, to: &'static str) -> impl Fn(&mut Exchange) {
    move |exchange| {
        let text = String::from_utf8(exchange.request.body.clone().expect("a request body").to_vec()).expect("text");
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "the change did not take");
        exchange.request.body = Some(Bytes::from(changed));
    }
}

fn header(name: &'static str, value: &'static str) -> impl Fn(&mut Exchange) {
    move |exchange| {
        exchange.headers.retain(|(known, _)| known != name);
        exchange.headers.push((name.to_owned(), Bytes::from_static(value.as_bytes())));
    }
}

fn status(status: u16) -> impl Fn(&mut Exchange) {
    move |exchange| exchange.status = Some(status)
}

/// The rule fires after the change, and did not before.
#[track_caller]
fn caught(good: &str, change: impl Fn(&mut Exchange), rules: &[&str]) {
    let mut exchange = load(good);
    let before = weighty(&found(&exchange, None, &[]));
    change(&mut exchange);
    let after = weighty(&found(&exchange, None, &[]));
    for rule in rules {
        assert!(!before.contains(rule), "{good}: {rule} fires before the change");
        assert!(after.contains(rule), "{good}: {rule} is not among {after:?}");
    }
}

/// Nothing but advice is added.
#[track_caller]
fn tolerated(good: &str, change: impl Fn(&mut Exchange)) {
    let mut exchange = load(good);
    let before = weighty(&found(&exchange, None, &[]));
    change(&mut exchange);
    let findings = found(&exchange, None, &[]);
    let more: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity != Severity::Advice && !before.contains(&finding.rule.id)).collect();
    assert!(more.is_empty(), "{good}: {more:#?}");
}

const WHOLE: &str = "llamacpp/chat";
const STREAM: &str = "llamacpp/chat-stream";
const THINK: &str = "llamacpp/think-stream";
const CALL: &str = "llamacpp/tool-auto";
const CALLS: &str = "vllm/tool-required-stream";

#[test]
fn broken_http_is_caught() {
    caught(WHOLE, header("content-type", "text/plain"), &["W002"]);
    caught(WHOLE, |exchange| body(exchange, |text| format!("{text}{text}")), &["W003"]);
    caught(WHOLE, |exchange| set(exchange, Vec::new()), &["W003"]);
    caught(WHOLE, |exchange| body(exchange, |text| text[..text.len() - 9].to_owned()), &["W003"]);
    let latin = |exchange: &mut Exchange| {
        let bytes = exchange.body.iter().map(|byte| if *byte == b'P' { 0xE9 } else { *byte }).collect();
        set(exchange, bytes);
    };
    caught(WHOLE, latin, &["W004"]);
    caught(WHOLE, swap(r#""created":"#, r#""created":NaN,"was":"#), &["W005"]);
    caught(WHOLE, swap("Paris", r"\ud83d"), &["W005"]);
    caught(WHOLE, swap(r#""index":0"#, r#""index":0,"index":0"#), &["W005"]);
    caught(STREAM, swap(r#""index":0"#, r#""index":0,"index":0"#), &["W005"]);
    caught(STREAM, header("content-type", "application/json"), &["W006"]);
    caught(WHOLE, ask(r#""seed":7"#, r#""seed":7,"stream":true"#), &["W006"]);
    caught(STREAM, ask(r#""stream":true"#, r#""stream":false"#), &["W007"]);
    caught(WHOLE, |exchange| set(exchange, b"<!DOCTYPE html><title>x</title>".to_vec()), &["W008"]);
    let trace = r#""message":"Traceback (most recent call last):\n  File \"/app/x.py\""#;
    caught(
        "llamacpp/bad-json",
        |exchange| body(exchange, |text| text.replacen(r#""message":""#, &format!("{trace} "), 1)),
        &["W009"],
    );
    caught(WHOLE, |exchange| set(exchange, br#"{"error":{"message":"no","type":"t"}}"#.to_vec()), &["W010"]);
    caught(WHOLE, header("content-length", "9999"), &["W011"]);
    let cut = |exchange: &mut Exchange| {
        let message = "the body was cut".to_owned();
        exchange.end = End::Failed(TransportError { kind: TransportKind::Truncated, message });
    };
    caught(STREAM, cut, &["W011"]);
    caught(WHOLE, header("content-type", "application/json; charset=iso-8859-1"), &["W200"]);
    caught(WHOLE, |exchange| body(exchange, |text| format!("\u{FEFF}{text}")), &["W201"]);
    caught(WHOLE, status(206), &["W202"]);
    caught(WHOLE, status(302), &["W203"]);
    caught(WHOLE, |exchange| set(exchange, vec![b'['; 50_000]), &["W204"]);
}

#[test]
fn broken_framing_is_caught() {
    caught(STREAM, swap("data: [DONE]\n\n", ""), &["W017"]);
    caught(STREAM, events(|list| list.truncate(place(list, "\"stop\""))), &["W061"]);
    caught(STREAM, events(|list| list.insert(place(list, "\"stop\""), list[place(list, "\"stop\"")].clone())), &["W058"]);
    caught(STREAM, events(|list| list.push(list[1].clone())), &["W016"]);
    caught(STREAM, swap("data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n"), &["W016"]);
    caught(STREAM, swap(r#""role":"assistant","content":null"#, r#""content":null"#), &["W056"]);
    let byte = |exchange: &mut Exchange| {
        let at = exchange.body.iter().position(|byte| *byte >= 0x80).expect("a character of several bytes");
        let mut bytes = exchange.body.to_vec();
        bytes.remove(at + 1);
        set(exchange, bytes);
    };
    caught("llamacpp/chat-unicode-stream", byte, &["W015", "W068"]);
    caught(
        STREAM,
        swap(
            "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" of\"",
            "data: {\"choices\":[{\"finish_",
        ),
        &["W013"],
    );
    caught(
        STREAM,
        swap(
            "data: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" of\"",
            "date: {\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" of\"",
        ),
        &["W210"],
    );
    caught(
        STREAM,
        |exchange| body(exchange, |text| text.trim_end().trim_end_matches("data: [DONE]").trim_end().to_owned()),
        &["W018"],
    );
    caught(STREAM, events(|list| list[2].insert_str(0, "event: error\n")), &["W019"]);
}

#[test]
fn broken_bodies_are_caught() {
    caught(WHOLE, swap(r#""object":"chat.completion""#, r#""object":"chat""#), &["W021"]);
    caught(WHOLE, swap(r#""created":"#, r#""made":"#), &["W021"]);
    caught(WHOLE, swap(r#""created":1795239530"#, r#""created":"1795239530""#), &["W021"]);
    caught(WHOLE, swap(r#""created":1795239530"#, r#""created":1795239530000"#), &["W022"]);
    caught(WHOLE, swap(r#""created":1795239530"#, r#""created":86400"#), &["W227"]);
    caught(
        WHOLE,
        |exchange| body(exchange, |text| text.replacen(&text[12..text.find("],\"created").expect("choices")], "", 1)),
        &["W023"],
    );
    caught(WHOLE, swap(r#""index":0"#, r#""index":1"#), &["W024"]);
    caught(WHOLE, swap(r#""index":0"#, r#""index":"0""#), &["W220"]);
    caught(WHOLE, swap(r#""message":{"#, r#""delta":{"#), &["W220", "W221"]);
    caught(WHOLE, swap(r#""role":"assistant""#, r#""role":"user""#), &["W025"]);
    caught(
        WHOLE,
        swap(r#""content":"The capital of France is Paris.""#, r#""content":[{"type":"text","text":"Hi"}]"#),
        &["W026"],
    );
    caught(WHOLE, swap(r#","content":"The capital of France is Paris.""#, ""), &["W026"]);
    caught(WHOLE, swap(r#""finish_reason":"stop""#, r#""finish_reason":"eos""#), &["W027"]);
    caught(WHOLE, swap(r#""finish_reason":"stop""#, r#""finish_reason":null"#), &["W027"]);
    caught(WHOLE, swap("The capital of France is Paris.", ""), &["W028"]);
    caught(WHOLE, swap(r#""content":"The"#, r#""refusal":"no","content":"The"#), &["W042"]);
    caught(WHOLE, swap("Paris", r"Pari\u0000s"), &["W223"]);
    caught(WHOLE, swap("Paris", r"Pari\ufffd"), &["W224"]);
    caught(WHOLE, swap("Paris", "PÃ©ris"), &["W226"]);
    caught("llamacpp/chat-logprobs", swap(r#""logprob":-"#, r#""logprob":"#), &["W038"]);
    caught("llamacpp/chat-logprobs", swap(r#""bytes":["#, r#""bytes":[300,"#), &["W038"]);
    caught("llamacpp/chat-logprobs", ask(r#""top_logprobs":2"#, r#""top_logprobs":1"#), &["W039"]);
    caught("llamacpp/chat-logprobs", ask(r#""logprobs":true,"top_logprobs":2"#, r#""seed":7"#), &["W231"]);
}

#[test]
fn usage_that_does_not_add_up_is_caught() {
    caught(WHOLE, swap(r#""total_tokens":45"#, r#""total_tokens":46"#), &["W030"]);
    caught(WHOLE, swap(r#""total_tokens":45"#, r#""total_tokens":"45""#), &["W029"]);
    caught(WHOLE, swap(r#""completion_tokens":8"#, r#""completion_tokens":8.0"#), &["W029"]);
    caught(WHOLE, swap(r#""completion_tokens":8"#, r#""completion_tokens":-8"#), &["W029"]);
    caught(WHOLE, swap(r#""usage":{"#, r#""costs":{"#), &["W029"]);
    caught(WHOLE, swap(r#""completion_tokens":8"#, r#""completion_tokens":0"#), &["W031"]);
    caught(WHOLE, ask(r#""max_tokens":24"#, r#""max_tokens":4"#), &["W032"]);
    caught("llamacpp/chat-length", swap(r#""finish_reason":"length""#, r#""finish_reason":"stop""#), &["W033"]);
    caught(WHOLE, swap(r#""cached_tokens":0"#, r#""cached_tokens":38"#), &["W034"]);
    caught(WHOLE, swap(r#""completion_tokens":8"#, r#""completion_tokens":800"#), &["W240", "W032"]);
    caught(WHOLE, swap(r#""prompt_tokens":37"#, r#""prompt_tokens":0"#), &["W241"]);
    caught(WHOLE, swap(r#""finish_reason":"stop""#, r#""finish_reason":"length""#), &["W242"]);
    caught(STREAM, swap(r#""total_tokens":45"#, r#""total_tokens":46"#), &["W030"]);
    caught(STREAM, swap(r#""completion_tokens":8"#, r#""completion_tokens":5"#), &["W262"]);
    let usage = r#""completion_tokens_details":{"reasoning_tokens":999},"completion_tokens":"#;
    caught(WHOLE, |exchange| body(exchange, |text| text.replacen(r#""completion_tokens":"#, usage, 1)), &["W117"]);
}

#[test]
fn content_of_another_form_is_caught() {
    caught("llamacpp/chat-stop", swap("is \"", "is Paris.\""), &["W037"]);
    caught("llamacpp/json-object", swap(r#""content":"{"#, r#""content":"Sure! {"#), &["W040"]);
    caught("llamacpp/json-schema", swap(r#""content":"{"#, r#""content":"Sure! {"#), &["W041"]);
    caught("llamacpp/json-schema", swap(r#"\"capital\":"#, r#"\"capitol\":"#), &["W041"]);
}

#[test]
fn broken_streams_are_caught() {
    caught(STREAM, swap(r#","object":"chat.completion.chunk""#, ""), &["W049"]);
    caught(STREAM, swap(r#""object":"chat.completion.chunk""#, r#""object":"chat.completion""#), &["W050"]);
    caught(STREAM, swap(r#""id":"chatcmpl-"#, r#""id":"chatcmpl_"#), &["W051"]);
    caught(STREAM, swap(r#""created":1795239531"#, r#""created":1795239530"#), &["W052"]);
    caught(STREAM, swap(r#""model":"smollm2""#, r#""model":"other""#), &["W053"]);
    caught(
        STREAM,
        swap(r#""choices":[{"finish_reason":null,"index":0,"delta":{"content":" of"}}]"#, r#""choices":[]"#),
        &["W054"],
    );
    caught(STREAM, swap(r#""index":0"#, r#""index":3"#), &["W055"]);
    caught(STREAM, swap(r#""index":0"#, r#""index":"0""#), &["W055"]);
    caught(STREAM, swap(r#""delta":{"content":" of""#, r#""delta":{"role":"assistant","content":" of""#), &["W057"]);
    caught(STREAM, swap_all(r#""role":"assistant""#, r#""role":"user""#), &["W025"]);
    caught(STREAM, swap(r#""finish_reason":"stop""#, r#""finish_reason":"done""#), &["W058"]);
    caught(STREAM, swap(r#""finish_reason":"stop""#, r#""finish_reason":"""#), &["W058", "W061"]);
    caught(STREAM, swap(r#""finish_reason":null"#, r#""finish_reason":false"#), &["W265"]);
    let late = events(|list| {
        let (stop, of) = (place(list, "\"stop\""), place(list, "\" of\""));
        list.swap(stop, of);
    });
    caught(STREAM, late, &["W059"]);
    caught(STREAM, swap(r#""content":" of""#, r#""content":{"text":" of"}"#), &["W060"]);
    caught(STREAM, swap(r#""delta":{"content":" of"}"#, r#""delta":" of""#), &["W260"]);
    caught(STREAM, swap(r#""delta":{"content":" of"}"#, r#""message":{"content":" of"}"#), &["W260", "W263"]);
    let error = "data: {\"error\":{\"message\":\"gone\",\"type\":\"server_error\"}}\n\n".to_owned();
    let failed = error.clone();
    caught(STREAM, events(move |list| list.insert(place(list, "\"stop\""), failed.clone())), &["W062"]);
    caught(STREAM, events(|list| list.truncate(4)), &["W061"]);
    let mute = "data: {\"error\":{\"code\":7}}\n\n".to_owned();
    caught(STREAM, events(move |list| list.splice(4.., [mute.clone()]).for_each(drop)), &["W063"]);
    caught(STREAM, events(move |list| *list = vec![error.clone()]), &["W064"]);
    caught(STREAM, events(|list| drop(list.remove(place(list, "\"usage\"")))), &["W065"]);
    caught(STREAM, swap(r#""choices":[],"#, r#""choices":[{"index":0,"delta":{},"finish_reason":null}],"#), &["W066"]);
    caught(STREAM, ask(r#","stream_options":{"include_usage":true}"#, ""), &["W067"]);
    caught(STREAM, events(|list| drop(list.drain(..list.len() - 1))), &["W266"]);
    caught(STREAM, ask(r#""seed":7"#, r#""seed":7,"logprobs":true"#), &["W072"]);
}

#[test]
fn thinking_in_the_wrong_place_is_caught() {
    caught(
        "llamacpp/think-default",
        swap(
            r#""content":"The capital"#,
            r#""content":"The user asks about the capital of France. The capital of France is Paris.\nThe capital"#,
        ),
        &["W114"],
    );
    caught("llamacpp/think-default", swap(r#""content":"The"#, r#""content":"</think>The"#), &["W111"]);
    caught("llamacpp/think-default", swap(r#""reasoning_content":"The"#, r#""reasoning_content":["The"],"x":"The"#), &["W110"]);
    caught(
        "llamacpp/think-default",
        swap(r#""reasoning_content":"The"#, r#""reasoning":"That","reasoning_content":"The"#),
        &["W110"],
    );
    caught(
        "llamacpp/think-default",
        swap(r#""reasoning_content":"The"#, r#""reasoning_content":"<|channel|>analysis The"#),
        &["W270"],
    );
    caught(
        "llamacpp/think-default",
        swap(r#""content":"The capital of France is Paris.","reasoning_content""#, r#""content":null,"reasoning_content""#),
        &["W271"],
    );
    caught("llamacpp/think-default", ask(r#""seed":7"#, r#""seed":7,"reasoning_effort":"none""#), &["W115"]);
    let split = |exchange: &mut Exchange| {
        body(exchange, |text| {
            text.replacen(r#""content":" capital""#, r#""content":"</thi""#, 1).replacen(
                r#""content":" of""#,
                r#""content":"nk>""#,
                1,
            )
        });
    };
    caught(STREAM, split, &["W111"]);
    caught(CALL, swap(r#""name":"get_weather""#, r#""name":"get_weather<|channel|>""#), &["W112"]);
    let late = events(|list| {
        let thought = list.iter().rposition(|event| event.contains("reasoning_content")).expect("a thought");
        let thought = list.remove(thought);
        let end = place(list, r#""finish_reason":"stop""#);
        list.insert(end, thought);
    });
    caught(THINK, late, &["W113"]);
}

#[test]
fn broken_errors_and_lists_are_caught() {
    let bad = "litellm/bad-no-messages";
    caught(bad, |exchange| set(exchange, Vec::new()), &["W154"]);
    caught(bad, |exchange| set(exchange, br#"{"detail":"no"}"#.to_vec()), &["W155"]);
    caught(bad, status(500), &["W156", "W160"]);
    caught(bad, |exchange| body(exchange, |text| text.replacen(r#""error":{"#, r#""choices":[{}],"error":{"#, 1)), &["W280"]);
    caught(bad, status(700), &["W282"]);
    caught("llamacpp/bad-no-messages", status(422), &["W160"]);
    caught(
        "llamacpp/bad-json",
        |exchange| {
            exchange.status = load(WHOLE).status;
            exchange.body = load(WHOLE).body;
        },
        &["W156"],
    );
    caught("llamacpp/models", swap(r#""object":"list""#, r#""object":"models""#), &["W163"]);
    caught("llamacpp/models", swap(r#""id":"smollm2""#, r#""id":"""#), &["W163"]);
    caught("llamacpp/models", swap(r#""object":"model""#, r#""object":"engine""#), &["W290"]);
    caught("llamacpp/get-metrics", swap_all("llamacpp:prompt_tokens_total ", "llamacpp:prompt_tokens_total = "), &["W292"]);
}

#[test]
fn legal_variations_are_tolerated() {
    tolerated(STREAM, swap_all("\n\n", "\n\n: alive\n\n\n"));
    tolerated(STREAM, swap_all(r#","created""#, "\ndata: ,\"created\""));
    tolerated(STREAM, |exchange| body(exchange, |text| format!("\u{FEFF}{text}")));
    tolerated(STREAM, swap_all("\n", "\r\n"));
    tolerated(STREAM, swap_all("\n", "\r"));
    tolerated(STREAM, swap_all("data: ", "data:"));
    tolerated(STREAM, header("content-type", "TEXT/EVENT-STREAM; charset=UTF-8"));
    tolerated(WHOLE, header("content-type", "Application/JSON;charset=\"utf-8\""));
    tolerated(WHOLE, |exchange| exchange.headers.retain(|(name, _)| name == "content-type"));
    tolerated(STREAM, swap(r#""delta":{"role":"assistant","content":null}"#, r#""delta":{"role":"assistant"}"#));
    tolerated(
        STREAM,
        swap(r#""delta":{"role":"assistant","content":null}"#, r#""delta":{"role":"assistant","content":"","refusal":null}"#),
    );
    tolerated(STREAM, events(|list| list.insert(3, list[1].replace(r#""content":"The""#, ""))));
    tolerated(CALL, swap(r#""content":"","#, r#""content":null,"#));
    tolerated(CALL, swap(r#""content":"","#, ""));
    tolerated(CALL, swap(r#"{\"city\": \"Paris\"}"#, r#"{ \"city\":\"\\u0050aris\" }"#));
    tolerated(CALL, swap(r#""finish_reason":"tool_calls""#, r#""logprobs":null,"finish_reason":"tool_calls""#));
    tolerated(WHOLE, swap(r#""system_fingerprint":"b0-unknown","#, ""));
    tolerated(WHOLE, swap(r#""usage":{"#, r#""service_tier":null,"extra":{"a":[1]},"usage":{"#));
    tolerated(WHOLE, swap(r#""prompt_tokens_details":{"cached_tokens":0}"#, r#""prompt_tokens_details":null"#));
    tolerated("llamacpp/chat-logprobs", ask(r#""top_logprobs":2"#, r#""top_logprobs":5"#));
    tolerated("litellm/bad-no-messages", swap(r#""param":"#, r#""parameter":"#));
    tolerated(STREAM, swap(r#""system_fingerprint":"b0-unknown""#, r#""usage":null"#));
    tolerated(STREAM, swap("data: [DONE]\n\n", "data: [DONE]"));
    tolerated(STREAM, |exchange| {
        body(exchange, |text| text[..900].to_owned());
        exchange.end = End::HungUp;
    });
    tolerated(CALLS, |exchange| exchange.headers.retain(|(name, _)| name == "content-type"));
    tolerated(THINK, swap_all("reasoning_content", "reasoning"));
}
