//! The response object, whole or as the last event holds it: keys, status, items, usage.

use std::collections::HashSet;

use crate::contract::asked::{Call, Format};
use crate::contract::chat_body;
use crate::contract::finding::{Findings, Spot};
use crate::contract::json;
use crate::contract::rule::{Rule, Scope, Severity, Surface};
use crate::contract::seen::Seen;
use crate::contract::stream::W068;
use crate::contract::usage::is_cut;
use crate::schema::Schema;
use crate::wire::json::{Object, Value};

/// The rules of this topic.
pub(in crate::contract) static RULES: &[&Rule] = &[&W123, &W124, &W125, &W126, &W127, &W128, &W310, &W313, &W314];

pub(in crate::contract) static W123: Rule = Rule {
    id: "W123",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a response has `id`, `object` response, `created_at`, `model`, `status` and `output` with the right types; a missing key that only clients of types miss is dialect",
    why: "clients keep a response by its id and read its output by its type",
    source: "OpenAI API reference, Response; openresponses, ResponseResource; llama.cpp leaves most keys out",
    breaks: r#"{"id":"resp_1","output":"Paris"}"#,
};

pub(in crate::contract) static W124: Rule = Rule {
    id: "W124",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`status` says how it ended: failed has an error, incomplete its details, completed neither, and one cut at its bound is incomplete",
    why: "a caller that trusts the status takes half an answer for a whole one",
    source: "OpenAI API reference, Response; Ollama and llama.cpp call a cut response completed",
    breaks: r#""status":"completed" for a text that max_output_tokens cut"#,
};

pub(in crate::contract) static W125: Rule = Rule {
    id: "W125",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each item of the output has a type, and the keys of that type are right; items of unknown types are let pass",
    why: "clients choose the class of an item by its type and fail on its keys",
    source: "OpenAI API reference, OutputItem; openresponses, specification",
    breaks: r#"{"type":"message","content":"Paris"}"#,
};

pub(in crate::contract) static W126: Rule = Rule {
    id: "W126",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a call has `call_id`, the `name` of an offered tool, and `arguments` that are one JSON object as a text",
    why: "the call cannot be run, or its result cannot be sent back",
    source: "OpenAI API reference, FunctionToolCall",
    breaks: r#""arguments":{"city":"Paris"}"#,
};

pub(in crate::contract) static W127: Rule = Rule {
    id: "W127",
    surface: Surface::Responses,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "no two items share an id and no two calls a call_id",
    why: "results reach the wrong call",
    source: "OpenAI API reference; openresponses, specification",
    breaks: r#"two calls with "call_id":"call_1""#,
};

pub(in crate::contract) static W128: Rule = Rule {
    id: "W128",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "usage has whole counts, its total is their sum, and no detail is greater than its count",
    why: "budgets and bills are wrong",
    source: "OpenAI API reference, ResponseUsage; llama.cpp has no output_tokens_details",
    breaks: r#""input_tokens":37,"output_tokens":8,"total_tokens":37"#,
};

pub(in crate::contract) static W310: Rule = Rule {
    id: "W310",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`output_tokens` is within `max_output_tokens`",
    why: "budgets are overrun, and slots held longer than planned",
    source: "OpenAI API reference, max_output_tokens",
    breaks: "max_output_tokens: 4 answered with 18 tokens",
};

pub(in crate::contract) static W313: Rule = Rule {
    id: "W313",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a completed response has something in its output",
    why: "clients that show the output show nothing for tokens that were paid",
    source: "openresponses, compliance: the output is not empty",
    breaks: r#""status":"completed","output":[] and 8 output tokens"#,
};

pub(in crate::contract) static W314: Rule = Rule {
    id: "W314",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a completed text has the form that `text.format` asked for",
    why: "callers parse it without looking",
    source: "OpenAI API reference, text.format; llama.cpp answers prose",
    breaks: "prose where a JSON schema was asked for",
};

/// Where a response object stands: in an event, or as the whole body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held<'a> {
    /// The object.
    pub(super) value: &'a Value<'a>,
    /// The event that holds it; none for a whole body.
    pub(super) event: Option<u64>,
}

impl Held<'_> {
    /// A place in it.
    pub(super) fn spot(&self, path: &str) -> Spot {
        match self.event {
            None => Spot::whole().path(path.to_owned()),
            Some(number) if path.is_empty() => Spot::event(number).path("response"),
            Some(number) => Spot::event(number).path(format!("response.{path}")),
        }
    }
}

/// Checks one exchange.
pub(in crate::contract) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(reply) = seen.responses.filter(|_| seen.is_success()) else { return };
    let held = if reply.streamed {
        reply.ended_at.and_then(|number| {
            let value = seen.frames.iter().find(|frame| frame.number == number)?.value()?.get("response")?;
            Some(Held { value, event: Some(number) })
        })
    } else {
        seen.whole().map(|value| Held { value, event: None })
    };
    let Some(held) = held.filter(|held| held.value.is_object()) else { return };
    if reply.response.as_ref().is_some_and(|response| response.object.is_none() && response.output.is_none()) && !reply.streamed {
        let right = "an object with `id`, `object`, `status` and `output`";
        return out.add(&W123, held.spot(""), "no response object", right);
    }
    keys(held, out);
    status(held, seen, out);
    items(held, seen, out);
    usage(held, seen, out);
    content(held, seen, out);
}

/// What a value must be.
#[derive(Clone, Copy)]
enum Type {
    /// A string with something in it.
    Filled,
    Text,
    Number,
    Boolean,
    List,
    Object,
    TextOrList,
    TextOrObject,
}

impl Type {
    fn fits(self, value: &Value<'_>) -> bool {
        match self {
            Self::Filled => is_filled(value),
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::TextOrList => value.is_string() || value.is_array(),
            Self::TextOrObject => value.is_string() || value.is_object(),
        }
    }
}

/// Keys that every client reads: a response without them is none.
const NEEDED: &[(&str, Type, &str)] = &[
    ("id", Type::Filled, "the id of the response"),
    ("object", Type::Text, "\"response\""),
    ("created_at", Type::Number, "seconds since 1970"),
    ("model", Type::Filled, "the name of the model"),
    ("status", Type::Text, "the status of the response"),
    ("output", Type::List, "a list of items"),
];

/// Keys that the specification requires as well, and what they are where they are not null.
const EXPECTED: &[(&str, Type)] = &[
    ("error", Type::Object),
    ("incomplete_details", Type::Object),
    ("instructions", Type::TextOrList),
    ("metadata", Type::Object),
    ("parallel_tool_calls", Type::Boolean),
    ("temperature", Type::Number),
    ("tool_choice", Type::TextOrObject),
    ("tools", Type::List),
    ("top_p", Type::Number),
];

fn is_filled(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn keys(held: Held<'_>, out: &mut Findings<'_>) {
    for (key, wanted, right) in NEEDED {
        let found = match held.value.get(key) {
            Some(value) if wanted.fits(value) => continue,
            Some(value) => format!("`{key}` is {}", json::kind(value)),
            None => format!("`{key}` is missing"),
        };
        out.add(&W123, held.spot(key), found, right);
    }
    if let Some(object) = held.value.get("object").and_then(Value::as_str).filter(|object| *object != "response") {
        out.add(&W123, held.spot("object"), format!("`object` is {object:?}"), "\"response\"");
    }
    let mut missing = Vec::new();
    for (key, wanted) in EXPECTED {
        match held.value.get(key) {
            None => missing.push(*key),
            Some(value) if value.is_null() || wanted.fits(value) => {}
            Some(value) => out.add(&W123, held.spot(key), format!("`{key}` is {}", json::kind(value)), "its type, or null"),
        }
    }
    let nulls: Vec<&str> = ["tools", "tool_choice", "parallel_tool_calls"]
        .into_iter()
        .filter(|key| held.value.get(key).is_some_and(Value::is_null))
        .collect();
    if !missing.is_empty() || !nulls.is_empty() {
        let mut words = Vec::new();
        if !missing.is_empty() {
            words.push(format!("without {}", missing.join(", ")));
        }
        if !nulls.is_empty() {
            words.push(format!("null for {}", nulls.join(", ")));
        }
        out.weigh(&W123, Severity::Dialect, held.spot(""), words.join("; "), "every key that the specification requires");
    }
}

/// Every status.
pub(super) const STATUSES: &[&str] = &["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"];

fn status(held: Held<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let there = |key: &str| held.value.get(key).filter(|value| !value.is_null());
    let Some(status) = held.value.get("status").and_then(Value::as_str) else { return };
    if !STATUSES.contains(&status) {
        return out.add(&W124, held.spot("status"), format!("`status` is {status:?}"), STATUSES.join(", "));
    }
    let (error, details) = (there("error"), there("incomplete_details"));
    match (status, error) {
        ("failed", None) => out.add(&W124, held.spot("status"), "failed, and no error", "an error that says why"),
        ("failed", Some(error)) if error.get("message").and_then(Value::as_str).is_none_or(|text| text.trim().is_empty()) => {
            out.add(&W124, held.spot("error"), "an error without a message", "{\"code\":\"…\",\"message\":\"…\"}");
        }
        ("failed", Some(_)) => {}
        (_, Some(_)) => out.add(&W124, held.spot("error"), format!("an error, and the status is {status}"), "\"failed\""),
        _ => {}
    }
    match (status, details) {
        ("incomplete", None) => {
            let right = "{\"reason\":\"max_output_tokens\"}";
            out.add(&W124, held.spot("incomplete_details"), "incomplete, and no details", right);
        }
        ("incomplete", Some(details)) => match details.get("reason").and_then(Value::as_str) {
            Some("max_output_tokens" | "content_filter") => {}
            Some(other) => {
                let right = "max_output_tokens or content_filter";
                out.weigh(
                    &W124,
                    Severity::Dialect,
                    held.spot("incomplete_details.reason"),
                    format!("the reason {other:?}"),
                    right,
                );
            }
            None => out.add(&W124, held.spot("incomplete_details"), "details without a reason", "{\"reason\":\"…\"}"),
        },
        (_, Some(_)) => {
            let found = format!("details of what is missing, and the status is {status}");
            out.add(&W124, held.spot("incomplete_details"), found, "\"incomplete\"");
        }
        _ => {}
    }
    if status != "completed" && there("completed_at").is_some() {
        let found = format!("a time of completion, and the status is {status}");
        out.weigh(&W124, Severity::Dialect, held.spot("completed_at"), found, "null");
    }
    if status == "completed" {
        cut(held, seen, out);
    }
}

/// A response that used all it was allowed and stops in the middle is not completed.
fn cut(held: Held<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let used = held.value.get("usage").and_then(|usage| usage.get("output_tokens")?.as_u64());
    let (Some(used), Some((key, bound)), Some(choice)) = (used, seen.asked.bound, seen.chat.first()) else { return };
    let text = choice.content.as_deref().unwrap_or_default();
    let silent = text.trim().is_empty() && choice.tool_calls.is_empty();
    if used >= bound && bound > 0 && (silent || is_cut(choice, used)) {
        let found = format!("completed after {used} tokens, which is {key}, and the text stops in the middle");
        out.add(&W124, held.spot("status"), found, "\"incomplete\" with its details");
    }
}

fn items(held: Held<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let (mut ids, mut calls) = (HashSet::new(), HashSet::new());
    let whole = !matches!(held.value.get("status").and_then(Value::as_str), Some("incomplete" | "failed" | "cancelled"));
    for (place, item) in held.value.get("output").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let at = |key: &str| held.spot(&format!("output[{place}]{}{key}", if key.is_empty() { "" } else { "." }));
        let Some(type_name) = item.get("type").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            out.add(&W125, at(""), format!("an item without a type: {}", json::kind(item)), "{\"type\":\"message\",…}");
            continue;
        };
        if let Some(id) = item.get("id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            out.add(&W127, at("id"), format!("the id {id:?} twice"), "an id of its own for each item");
        }
        match type_name {
            "message" => message(item, &at, out),
            "reasoning" => reasoning(item, &at, out),
            "function_call" | "custom_tool_call" => {
                call(item, type_name, whole, seen, &at, out);
                if let Some(id) = item.get("call_id").and_then(Value::as_str)
                    && !calls.insert(id)
                {
                    out.add(&W127, at("call_id"), format!("the call_id {id:?} twice"), "a call_id of its own for each call");
                }
            }
            _ => {}
        }
    }
}

type At<'f> = &'f dyn Fn(&str) -> Spot;

/// A key that must be a text with something in it.
fn filled(item: &Value<'_>, key: &str, rule: &'static Rule, at: At<'_>, out: &mut Findings<'_>) {
    match item.get(key) {
        Some(value) if is_filled(value) => {}
        Some(value) => out.add(rule, at(key), format!("`{key}` is {}", json::kind(value)), "a text with something in it"),
        None => out.add(rule, at(key), format!("`{key}` is missing"), "a text with something in it"),
    }
}

fn message(item: &Value<'_>, at: At<'_>, out: &mut Findings<'_>) {
    filled(item, "id", &W125, at, out);
    if item.get("role").and_then(Value::as_str) != Some("assistant") {
        out.add(&W125, at("role"), "a message of the output that is not the assistant's", "\"assistant\"");
    }
    match item.get("status") {
        Some(Value::String(status)) if ["completed", "incomplete", "in_progress"].contains(&&**status) => {}
        None => out.weigh(&W125, Severity::Dialect, at("status"), "a message without a status", "\"completed\""),
        Some(other) => out.add(&W125, at("status"), format!("`status` is {}", json::kind(other)), "\"completed\""),
    }
    let Some(parts) = item.get("content").and_then(Value::as_array) else {
        let found = item
            .get("content")
            .map_or_else(|| "no content".to_owned(), |content| format!("`content` is {}", json::kind(content)));
        return out.add(&W125, at("content"), found, "a list of parts");
    };
    for (number, part) in parts.iter().enumerate() {
        let below = |key: &str| at(&format!("content[{number}]{}{key}", if key.is_empty() { "" } else { "." }));
        match part.get("type").and_then(Value::as_str) {
            Some("output_text") => output_text(part, &below, out),
            Some("refusal") => filled(part, "refusal", &W125, &below, out),
            Some(other @ ("text" | "input_text" | "image_url")) => {
                out.add(&W125, below("type"), format!("a part of the type {other:?}"), "\"output_text\"");
            }
            Some(_) => {}
            None => {
                out.add(&W125, below(""), format!("a part without a type: {}", json::kind(part)), "{\"type\":\"output_text\",…}");
            }
        }
    }
}

fn output_text(part: &Value<'_>, at: At<'_>, out: &mut Findings<'_>) {
    if !part.get("text").is_some_and(Value::is_string) {
        let found =
            part.get("text").map_or_else(|| "`text` is missing".to_owned(), |text| format!("`text` is {}", json::kind(text)));
        out.add(&W125, at("text"), found, "a string");
    }
    match part.get("annotations") {
        Some(Value::Array(_)) => {}
        None | Some(Value::Null) => {
            out.weigh(&W125, Severity::Dialect, at("annotations"), "a text without annotations", "a list");
        }
        Some(other) => out.add(&W125, at("annotations"), format!("`annotations` is {}", json::kind(other)), "a list"),
    }
    match part.get("logprobs") {
        None | Some(Value::Array(_)) => {}
        // Sent back as it came, typed servers refuse it.
        Some(Value::Null) => out.weigh(&W125, Severity::Dialect, at("logprobs"), "`logprobs` is null", "a list, or no such key"),
        Some(other) => out.add(&W125, at("logprobs"), format!("`logprobs` is {}", json::kind(other)), "a list"),
    }
}

fn reasoning(item: &Value<'_>, at: At<'_>, out: &mut Findings<'_>) {
    filled(item, "id", &W125, at, out);
    let lists = [("summary", "summary_text", false), ("content", "reasoning_text", true)];
    for (key, wanted, may_lack) in lists {
        let parts = match item.get(key) {
            Some(Value::Array(parts)) => parts,
            None | Some(Value::Null) if may_lack => continue,
            other => {
                let found =
                    other.map_or_else(|| format!("`{key}` is missing"), |value| format!("`{key}` is {}", json::kind(value)));
                out.add(&W125, at(key), found, "a list");
                continue;
            }
        };
        for (number, part) in parts.iter().enumerate() {
            let is_text = part.get("text").is_some_and(Value::is_string);
            if !is_text || !part.get("type").is_some_and(Value::is_string) {
                let found = format!("a part without type or text: {}", json::kind(part));
                out.add(&W125, at(&format!("{key}[{number}]")), found, format!("{{\"type\":\"{wanted}\",\"text\":\"…\"}}"));
            }
        }
    }
}

fn call(item: &Value<'_>, type_name: &str, whole: bool, seen: &Seen<'_>, at: At<'_>, out: &mut Findings<'_>) {
    filled(item, "call_id", &W126, at, out);
    filled(item, "name", &W126, at, out);
    if let Some(name) = item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
        && seen.call == Call::Responses
        && !seen.asked.tools.is_empty()
        && seen.asked.tool(name).is_none()
    {
        out.add(&W126, at("name"), format!("a call of {name:?}, which was not offered"), "the name of an offered tool");
    }
    let key = if type_name == "function_call" { "arguments" } else { "input" };
    let Some(said) = item.get(key).and_then(Value::as_str) else {
        let found =
            item.get(key).map_or_else(|| format!("`{key}` is missing"), |value| format!("`{key}` is {}", json::kind(value)));
        return out.add(&W126, at(key), found, "a JSON object, written as a text");
    };
    let ended = whole && !matches!(item.get("status").and_then(Value::as_str), Some("incomplete" | "in_progress"));
    if key == "input" || !ended {
        return;
    }
    match serde_json::from_str::<serde_json::Value>(said) {
        Ok(serde_json::Value::Object(_)) => {}
        Ok(_) => out.add(&W126, at(key), format!("arguments that are no object: {said}"), "a JSON object, written as a text"),
        Err(error) => out.add(&W126, at(key), format!("arguments that are no JSON: {error}"), "a JSON object, written as a text"),
    }
}

fn usage(held: Held<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let status = held.value.get("status").and_then(Value::as_str);
    let Some(raw) = held.value.get("usage").filter(|usage| !usage.is_null()) else {
        if matches!(status, Some("completed" | "incomplete")) {
            out.weigh(&W128, Severity::Dialect, held.spot("usage"), "no usage came", "usage with three counts");
        }
        return;
    };
    if !raw.is_object() {
        return out.add(&W128, held.spot("usage"), format!("`usage` is {}", json::kind(raw)), "an object");
    }
    let count = |key: &str| raw.get(key).and_then(Value::as_u64);
    for key in ["input_tokens", "output_tokens", "total_tokens"] {
        if count(key).is_none() {
            let found =
                raw.get(key).map_or_else(|| format!("`{key}` is missing"), |value| format!("`{key}` is {}", json::kind(value)));
            out.add(&W128, held.spot(&format!("usage.{key}")), found, "a whole number, not below 0");
        }
    }
    for (group, parent) in [("input_tokens_details", "input_tokens"), ("output_tokens_details", "output_tokens")] {
        let spot = held.spot(&format!("usage.{group}"));
        match raw.get(group) {
            None | Some(Value::Null) => {
                out.weigh(&W128, Severity::Dialect, spot, format!("no {group}"), "the details of the count");
            }
            Some(details) if !details.is_object() => out.add(&W128, spot, json::kind(details), "an object"),
            Some(details) => {
                let entries = details.as_object().into_iter().flat_map(Object::iter);
                for (key, value) in entries.filter(|(key, value)| key.ends_with("_tokens") && !value.is_null()) {
                    let over = value.as_u64().zip(count(parent)).is_some_and(|(part, all)| part > all);
                    if over || !value.is_u64() {
                        let found =
                            format!("`{key}` is {}, {parent} is {}", json::kind(value), count(parent).unwrap_or_default());
                        let spot = held.spot(&format!("usage.{group}.{key}"));
                        out.add(&W128, spot, found, format!("a whole number from 0 to {parent}"));
                    }
                }
            }
        }
    }
    let (Some(input), Some(output), Some(total)) = (count("input_tokens"), count("output_tokens"), count("total_tokens")) else {
        return;
    };
    if input.checked_add(output) != Some(total) {
        out.add(&W128, held.spot("usage.total_tokens"), format!("{input} and {output} are not {total}"), "their sum");
    }
    if let Some((key, bound)) = seen.asked.bound.filter(|(_, bound)| output > *bound) {
        let found = format!("{output} tokens where {key} is {bound}");
        out.add(&W310, held.spot("usage.output_tokens"), found, format!("at most {bound}"));
    }
    let is_empty = held.value.get("output").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if status == Some("completed") && is_empty {
        let severity = if output > 0 { Severity::Violation } else { Severity::Dialect };
        out.weigh(&W313, severity, held.spot("output"), format!("nothing in the output, and {output} tokens"), "an item");
    }
}

/// What is said: no lost characters, and the form that was asked for.
fn content(held: Held<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(choice) = seen.chat.first() else { return };
    if chat_body::texts(choice).any(|text| chat_body::lost(text, choice, seen)) {
        out.add(&W068, held.spot("output"), "a replacement character in the text", "the character that was said");
    }
    let refused = choice.refusal.as_deref().is_some_and(|refusal| !refusal.is_empty());
    if choice.finish_reason.as_deref() != Some("stop") || refused {
        return;
    }
    let text = choice.content.as_deref().unwrap_or_default();
    let parsed = || serde_json::from_str::<serde_json::Value>(text.trim());
    let wrong = match &seen.asked.format {
        Format::Text | Format::Other => None,
        Format::JsonObject => match parsed() {
            Ok(value) if value.is_object() => None,
            Ok(_) => Some("JSON, but no object".to_owned()),
            Err(error) => Some(format!("no JSON: {error}")),
        },
        Format::JsonSchema { schema, .. } => match (parsed(), Schema::compile(schema)) {
            (Err(error), _) => Some(format!("no JSON: {error}")),
            (Ok(value), Ok(schema)) => schema.validate(&value).first().map(ToString::to_string),
            (Ok(_), Err(_)) => None,
        },
    };
    if let Some(wrong) = wrong {
        out.add(&W314, held.spot("output"), wrong, "a text of the form that `text.format` asks for");
    }
}
