//! Every value of a good reply in turn, taken out or replaced by one of another type: something must be found, unless the key
//! is one that clients do not read ([`FREE`]) or may miss ([`OPTIONAL`]).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::change::{cut_at, event, put_at, set};
use super::*;

const GOOD: &[&str] = &[WHOLE, "vllm/chat", LOGPROBS, THOUGHT, CALL, MODELS];
const GOOD_STREAMS: &[&str] = &[STREAM, "vllm/chat-stream", CALLS, THINK];

/// Keys outside of the specification, or of which nothing is promised: whatever they hold is let pass.
const FREE: &[&str] = &[
    "choices[].logprobs.content[].id",
    "choices[].logprobs.content[].top_logprobs[].id",
    "choices[].routed_experts",
    "choices[].stop_reason",
    "choices[].token_ids",
    "data[].aliases",
    "data[].architecture",
    "data[].meta",
    "data[].tags",
    "ec_transfer_params",
    "kv_transfer_params",
    "metrics",
    "models",
    "prompt_logprobs",
    "prompt_text",
    "prompt_token_ids",
    // Advice alone: nobody computes with it.
    "system_fingerprint",
    "timings",
];

/// What may be missing or null, in places where nothing else depends on it: one item of several, a piece of text.
const OPTIONAL: &[&str] = &[
    "choices[].delta.content",
    "choices[].delta.reasoning_content",
    "choices[].delta.tool_calls",
    "choices[].delta.tool_calls[]",
    "choices[].delta.tool_calls[].function",
    "choices[].delta.tool_calls[].function.arguments",
    "choices[].logprobs",
    "choices[].logprobs.content[]",
    "choices[].logprobs.content[].bytes",
    "choices[].logprobs.content[].top_logprobs",
    "choices[].logprobs.content[].top_logprobs[]",
    "choices[].logprobs.content[].top_logprobs[].bytes",
    "choices[].logprobs.content[].top_logprobs[].bytes[]",
    "choices[].message.annotations",
    "choices[].message.audio",
    // Beside calls and thinking.
    "choices[].message.content",
    "choices[].message.function_call",
    "choices[].message.reasoning",
    "choices[].message.reasoning_content",
    "choices[].message.refusal",
    "choices[].message.tool_calls[]",
    "data[].created",
    "data[].object",
    "data[].owned_by",
    "service_tier",
    "usage.completion_tokens_details",
    "usage.prompt_tokens_details",
    "usage.prompt_tokens_details.cached_tokens",
];

/// Other types that a key may have, where the recording has null.
const ALSO: &[&str] = &[
    "choices[].delta.content: \"x\"",
    "choices[].logprobs: {}",
    "choices[].message.annotations: []",
    "choices[].message.audio: {}",
    "choices[].message.function_call: {}",
    "choices[].message.reasoning: \"x\"",
    "service_tier: \"x\"",
    "usage.completion_tokens_details: {}",
    "usage.prompt_tokens_details: {}",
];

/// Pointers of all values, the outermost first.
fn pointers(value: &Value, at: &str, out: &mut Vec<String>) {
    let mut below = |key: &str, value: &Value| {
        let pointer = format!("{at}/{key}");
        out.push(pointer.clone());
        pointers(value, &pointer, out);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(place, value)| below(&place.to_string(), value)),
        _ => {}
    }
}

/// One value of every type that the old one has not; `None` takes it out.
fn others(old: &Value) -> Vec<Option<Value>> {
    let all = [json!(null), json!(true), json!(7), json!(1.5), json!("x"), json!([]), json!({})];
    let same = |new: &Value| std::mem::discriminant(new) == std::mem::discriminant(old) && !new.is_f64();
    std::iter::once(None).chain(all.into_iter().filter(|new| !same(new) && new != old).map(Some)).collect()
}

/// `choices[].delta.role: null`.
fn words(pointer: &str, new: Option<&Value>) -> String {
    let path: Vec<&str> =
        pointer.split('/').skip(1).map(|part| if part.parse::<usize>().is_ok() { "[]" } else { part }).collect();
    format!("{}: {}", path.join(".").replace(".[]", "[]"), new.map_or_else(|| "absent".to_owned(), Value::to_string))
}

fn replace(value: &mut Value, pointer: &str, new: Option<Value>) {
    match new {
        Some(new) => put_at(value, pointer, new),
        None => cut_at(value, pointer),
    }
}

/// Goes through the values of one document, which `put` writes back; returns what was let pass.
fn sweep(
    good: &Exchange,
    document: &Value,
    put: &dyn Fn(&mut Exchange, &Value),
    tried: &mut usize,
    passed: &mut BTreeSet<String>,
) {
    let before = weighty(&look(good));
    let mut places = Vec::new();
    pointers(document, "", &mut places);
    for place in places {
        for new in others(document.pointer(&place).expect("a value")) {
            let (mut exchange, mut changed) = (good.clone(), document.clone());
            replace(&mut changed, &place, new.clone());
            put(&mut exchange, &changed);
            *tried += 1;
            if weighty(&look(&exchange)).is_subset(&before) {
                passed.insert(words(&place, new.as_ref()));
            }
        }
    }
}

/// Chunks of a stream that differ in their keys: the first and the last of each kind.
fn kinds(chunks: &[Value]) -> Vec<usize> {
    let kind = |at: usize| {
        let mut places = Vec::new();
        pointers(&chunks[at], "", &mut places);
        places
    };
    let first = |at: usize| (0..at).all(|other| kind(other) != kind(at));
    let last = |at: usize| (at + 1..chunks.len()).all(|other| kind(other) != kind(at));
    (0..chunks.len()).filter(|at| first(*at) || last(*at)).collect()
}

/// The data of a stream's events, the end marker left out.
fn data(exchange: &Exchange) -> Vec<Value> {
    let text = std::str::from_utf8(&exchange.body).expect("text");
    let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).expect("a chunk")).collect()
}

fn write(chunks: &[Value]) -> String {
    let all: String = chunks.iter().map(|chunk| event(&chunk.to_string())).collect();
    all + &event("[DONE]")
}

#[test]
fn no_value_of_another_type_goes_unnoticed() {
    let (mut passed, mut tried) = (BTreeSet::new(), 0);
    for good in GOOD {
        let good = load(good);
        let body = good.json().expect("JSON");
        sweep(&good, &body, &|exchange, body| set(exchange, body.to_string()), &mut tried, &mut passed);
    }
    for good in ["vllm/chat-stream", CALLS] {
        let good = load(good);
        let chunks = data(&good);
        for at in kinds(&chunks) {
            let put = |exchange: &mut Exchange, chunk: &Value| {
                let mut chunks = chunks.clone();
                chunks[at] = chunk.clone();
                set(exchange, write(&chunks));
            };
            sweep(&good, &chunks[at], &put, &mut tried, &mut passed);
        }
    }
    let free = |words: &&String| {
        let (path, new) = words.split_once(": ").expect("a path");
        let missing = matches!(new, "absent" | "null");
        FREE.iter().any(|free| path.starts_with(free)) || (missing && OPTIONAL.contains(&path)) || ALSO.contains(&words.as_str())
    };
    let wrong: Vec<&String> = passed.iter().filter(|words| !free(words)).collect();
    assert!(wrong.is_empty(), "{} of {tried} went unnoticed:\n{wrong:#?}", wrong.len());
    assert!(tried > 2000, "only {tried} values were tried");
}

/// Whether a chunk brings letters alone: with or without them, the answer is a sound one.
fn is_text(chunk: &Value) -> bool {
    let delta = &chunk["choices"][0]["delta"];
    let arguments = delta["tool_calls"][0]["function"]["arguments"].as_str();
    let letters = arguments.is_some_and(|text| text.chars().all(char::is_alphabetic));
    letters || ["content", "reasoning_content"].iter().any(|name| delta[name].as_str().is_some_and(|text| !text.is_empty()))
}

/// One chunk lost, doubled or swapped with the next: all of it is seen but for a piece of text.
#[test]
fn no_chunk_that_is_lost_doubled_or_swapped_goes_unnoticed() {
    let mut wrong = Vec::new();
    for name in GOOD_STREAMS {
        let good = load(name);
        let before = weighty(&look(&good));
        let chunks = data(&good);
        let mut tell = |what: &str, at: usize, changed: &[Value]| {
            let mut exchange = good.clone();
            set(&mut exchange, write(changed));
            if weighty(&look(&exchange)).is_subset(&before) && !is_text(&chunks[at]) {
                wrong.push(format!("{name}, chunk {at} {what}: {}", chunks[at]["choices"]));
            }
        };
        for at in 0..chunks.len() {
            let mut lost = chunks.clone();
            lost.remove(at);
            tell("lost", at, &lost);
            let mut doubled = chunks.clone();
            doubled.insert(at, chunks[at].clone());
            tell("doubled", at, &doubled);
            if at + 1 < chunks.len() {
                let mut swapped = chunks.clone();
                swapped.swap(at, at + 1);
                tell("swapped", at, &swapped);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
