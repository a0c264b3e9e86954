//! The second try on a frame whose types do not fit: what is ill-typed is taken out and named, the rest is kept.

use serde_json::Value;

/// What a value must be. Null is always allowed, as in the typed form.
enum Want {
    Text,
    Int,
    Any,
    /// Text; an array of parts is joined, and named.
    Content,
    /// Text; any other JSON is written down as text, and named.
    Arguments,
    List(&'static Want),
    Object(&'static [(&'static str, Want)]),
}

const PART: &[(&str, Want)] = &[("name", Want::Text), ("arguments", Want::Arguments), ("input", Want::Arguments)];

const FRAGMENT: Want = Want::Object(&[
    ("index", Want::Int),
    ("id", Want::Text),
    ("type", Want::Text),
    ("function", Want::Object(PART)),
    ("custom", Want::Object(PART)),
]);

const DELTA: &[(&str, Want)] = &[
    ("role", Want::Text),
    ("content", Want::Content),
    ("reasoning_content", Want::Text),
    ("reasoning", Want::Text),
    ("thinking", Want::Text),
    ("refusal", Want::Text),
    ("tool_calls", Want::List(&FRAGMENT)),
];

const CHOICE: Want = Want::Object(&[
    ("index", Want::Int),
    ("delta", Want::Object(DELTA)),
    ("message", Want::Object(DELTA)),
    ("text", Want::Content),
    ("finish_reason", Want::Text),
    ("logprobs", Want::Any),
]);

const FRAME: Want = Want::Object(&[
    ("id", Want::Text),
    ("object", Want::Text),
    ("created", Want::Int),
    ("model", Want::Text),
    ("system_fingerprint", Want::Text),
    ("choices", Want::List(&CHOICE)),
    ("usage", Want::Any),
    ("error", Want::Any),
]);

/// A value that did not fit: its path and one line for people.
pub(super) type Misfit = (String, String);

/// Makes a frame fit its typed form; returns what did not.
pub(super) fn fit_frame(frame: &mut Value) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    fit(frame, &FRAME, "", &mut misfits);
    misfits
}

/// Returns whether the value may stay.
fn fit(value: &mut Value, want: &Want, path: &str, misfits: &mut Vec<Misfit>) -> bool {
    if value.is_null() {
        return true;
    }
    let wanted = match want {
        Want::Any => return true,
        Want::Text | Want::Content | Want::Arguments if value.is_string() => return true,
        Want::Int if value.as_i64().is_some() => return true,
        Want::Object(keys) if value.is_object() => {
            for (key, want) in *keys {
                let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
                let Some(object) = value.as_object_mut() else { continue };
                if object.get_mut(*key).is_some_and(|value| !fit(value, want, &path, misfits)) {
                    object.shift_remove(*key);
                }
            }
            return true;
        }
        Want::List(item) if value.is_array() => {
            let path = format!("{path}[]");
            if let Some(list) = value.as_array_mut() {
                list.retain_mut(|value| {
                    if value.is_null() {
                        misfits.push((path.clone(), format!("`{path}` is null")));
                    }
                    !value.is_null() && fit(value, item, &path, misfits)
                });
            }
            return true;
        }
        Want::Text | Want::Content | Want::Arguments => "a string",
        Want::Int => "an integer",
        Want::List(_) => "a list",
        Want::Object(_) => "an object",
    };
    misfits.push((path.to_owned(), format!("`{path}` is {}, not {wanted}", kind(value))));
    match (want, &*value) {
        (Want::Arguments, _) => {
            *value = Value::String(value.to_string());
            true
        }
        (Want::Content, Value::Array(parts)) => {
            let text = parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect();
            *value = Value::String(text);
            true
        }
        _ => false,
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
