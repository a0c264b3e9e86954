//! Have the keys that may be left out the right types where they are there?

use super::chat_body::Fits;
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W228];

pub(super) static W228: Rule = Rule {
    id: "W228",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "optional keys are null, or of the type that they have: service_tier, metadata, logprobs, annotations, audio, function_call",
    why: "typed clients raise, or hand out values that nobody expects",
    source: "OpenAI API reference, CreateChatCompletionResponse and its chunks",
    breaks: r#""annotations":{} beside content"#,
};

/// Keys of the envelope.
const OUTER: &[(&str, Fits, &str)] = &[
    ("service_tier", |value| value.is_string(), "a string or null"),
    ("metadata", |value| value.is_object(), "an object or null"),
];

/// Keys of a choice.
const CHOICE: &[(&str, Fits, &str)] = &[("logprobs", |value| value.is_object(), "an object or null")];

/// Keys of a message or delta.
const INNER: &[(&str, Fits, &str)] = &[
    ("annotations", |value| value.is_array(), "a list or null"),
    ("audio", |value| value.is_object(), "an object or null"),
    ("function_call", |value| value.is_object(), "an object or null"),
];

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() {
        return;
    }
    let whole = seen.whole().filter(|_| !seen.streamed()).map(|body| (Spot::whole(), "message", body));
    let frames = seen.frames.iter().filter_map(|frame| Some((Spot::event(frame.number), "delta", frame.value()?)));
    for (spot, message, value) in whole.into_iter().chain(frames) {
        types(value, String::new, OUTER, &spot, out);
        for (at, choice) in value.get("choices").and_then(Value::as_array).into_iter().flatten().enumerate() {
            // Where they were asked for, their own rules say more.
            if !seen.asked.logprobs {
                types(choice, || format!("choices[{at}]."), CHOICE, &spot, out);
            }
            if let Some(part) = choice.get(message) {
                types(part, || format!("choices[{at}].{message}."), INNER, &spot, out);
            }
        }
    }
}

/// `path` is asked for only where something is wrong: a stream has hundreds of chunks.
fn types(value: &Value<'_>, path: impl Fn() -> String, keys: &[(&str, Fits, &str)], spot: &Spot, out: &mut Findings<'_>) {
    for (key, fits, right) in keys {
        if let Some(other) = value.get(key).filter(|value| !value.is_null() && !fits(value)) {
            let found = format!("`{key}` is {}", json::kind(other));
            out.add(&W228, spot.clone().path(path() + key), found, *right);
        }
    }
}
