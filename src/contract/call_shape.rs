//! Have calls, and fragments of calls, the keys and types that clients read?

use std::collections::BTreeMap;

use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W073, &W099, &W300, &W302];

pub(super) static W073: Rule = Rule {
    id: "W073",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a call has an id that is not empty, the type function or custom, a name, and arguments that are a string",
    why: "clients answer by id and parse the arguments themselves",
    source: "OpenAI API reference, ChatCompletionMessageToolCall; an object as arguments at gateways (LiteLLM 37792)",
    breaks: r#""tool_calls":[{"id":"","function":{"name":"f","arguments":{"city":"Paris"}}}]"#,
};

pub(super) static W099: Rule = Rule {
    id: "W099",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the input of a custom tool is a string",
    why: "there is no schema that could repair it",
    source: "OpenAI API reference, custom tools",
    breaks: r#""custom":{"name":"run","input":{"code":"1"}}"#,
};

pub(super) static W300: Rule = Rule {
    id: "W300",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the type of a streamed call comes in one of its fragments",
    why: "clients that send the joined call back are refused without it",
    source: "OpenAI API reference, chunk and assistant message",
    breaks: r#""tool_calls":[{"index":0,"id":"a","function":{…}}] and no type later"#,
};

pub(super) static W302: Rule = Rule {
    id: "W302",
    surface: Surface::Tools,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "beside calls, a message that says nothing has the content null, not an empty text",
    why: "clients that ask whether there is content show an empty answer",
    source: "OpenAI API reference, ChatCompletionResponseMessage",
    breaks: r#""content":"","tool_calls":[{"id":"a",…}]"#,
};

/// Checks one exchange: the JSON of a whole reply, or each fragment of a stream.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() {
        return;
    }
    let whole = seen.whole().filter(|_| !seen.streamed()).map(|body| (None, "message", body));
    let frames = seen.frames.iter().filter_map(|frame| Some((Some(frame.number), "delta", frame.value()?)));
    // Whether a type came, by choice and index, with the event that begins the call.
    let mut typed: BTreeMap<(i64, u64), (Option<u64>, bool)> = BTreeMap::new();
    for (event, message, value) in whole.into_iter().chain(frames) {
        let choices = value.get("choices").and_then(Value::as_array);
        for (at, choice) in choices.into_iter().flatten().enumerate() {
            let spot = |below: &str| Spot { event, ..Spot::whole().path(format!("choices[{at}].{message}.tool_calls{below}")) };
            let calls = match choice.get(message).and_then(|message| message.get("tool_calls")) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(calls)) => {
                    let said = choice.get(message).and_then(|message| message.get("content")).and_then(Value::as_str);
                    if event.is_none() && !calls.is_empty() && said == Some("") {
                        let spot = Spot::whole().path(format!("choices[{at}].{message}.content"));
                        out.add(&W302, spot, "an empty text beside calls", "null");
                    }
                    calls
                }
                Some(other) => {
                    out.add(&W073, spot(""), format!("`tool_calls` is {}", json::kind(other)), "a list");
                    continue;
                }
            };
            for (number, call) in calls.iter().enumerate() {
                shape(call, event.is_none(), &|below| spot(&format!("[{number}]{below}")), out);
                if let (Some(_), Some(index)) = (event, call.get("index").and_then(Value::as_u64)) {
                    let number = choice.get("index").and_then(Value::as_i64).unwrap_or(0);
                    typed.entry((number, index)).or_insert((event, false)).1 |= call.get("type").is_some_and(Value::is_string);
                }
            }
        }
    }
    for ((choice, _), (event, typed)) in typed {
        if !typed && !seen.cut_by_us() {
            let spot = Spot { event, ..Spot::whole().choice(choice) };
            out.add(&W300, spot, "no fragment of the call has a type", "`function` in the first fragment");
        }
    }
}

/// One call, or one fragment of a call: what is there must be of its type, and in a whole reply all of it must be there.
fn shape(call: &Value<'_>, whole: bool, spot: &dyn Fn(&str) -> Spot, out: &mut Findings<'_>) {
    if !call.is_object() {
        return out.add(&W073, spot(""), format!("a call is {}", json::kind(call)), "an object");
    }
    let custom = call.get("custom").is_some_and(Value::is_object);
    let (part, text, rule) = if custom { ("custom", "input", &W099) } else { ("function", "arguments", &W073) };
    let inner = call.get(part).filter(|part| !part.is_null());
    if let Some(other) = inner.filter(|inner| !inner.is_object()) {
        return out.add(&W073, spot(&format!(".{part}")), format!("`{part}` is {}", json::kind(other)), "an object");
    }
    let said = |value: Option<&Value<'_>>| value.is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    let name = inner.and_then(|inner| inner.get("name"));
    match inner.and_then(|inner| inner.get(text)).filter(|value| !value.is_null()) {
        Some(Value::String(_)) => {}
        Some(other) => {
            let found = format!("`{text}` is {}", json::kind(other));
            out.add(rule, spot(&format!(".{part}.{text}")), found, "a string");
        }
        None if whole => out.add(rule, spot(""), format!("there is no `{part}.{text}`"), "a string"),
        None => {}
    }
    match call.get("type") {
        Some(Value::String(kind)) if kind == "function" || kind == "custom" => {}
        None | Some(Value::Null) if !whole => {}
        _ => out.add(&W073, spot(".type"), "the type is neither `function` nor `custom`", "`function` or `custom`"),
    }
    if whole && !said(call.get("id")) {
        out.add(&W073, spot(".id"), "the call has no id", "a string that is not empty");
    }
    if whole && !said(name) {
        out.add(&W073, spot(&format!(".{part}.name")), "the call has no name", "the name of an offered tool");
    }
    for (value, key) in [(call.get("id"), ".id".to_owned()), (name, format!(".{part}.name"))] {
        if let Some(other) = value.filter(|value| !whole && !value.is_string() && !value.is_null()) {
            out.add(&W073, spot(&key), json::kind(other), "a string");
        }
    }
}
