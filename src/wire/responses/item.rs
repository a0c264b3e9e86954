//! JSON of a response, an item or a part → their types. A value of a wrong type is left out and named; null is as good as
//! nothing.

use super::reply::{ItemKind, OutputItem, Part, PartKind, ResponseObject};
use crate::wire::chat::Faults;
use crate::wire::json::Value;
use crate::wire::{ApiError, FoldFaultKind};

/// The text of a key; what is no text is named under `path`.
pub(super) fn text<'v>(object: &'v Value<'_>, key: &str, path: &'static str, faults: &mut Faults) -> Option<&'v str> {
    let value = object.get(key).filter(|value| !value.is_null())?;
    if value.as_str().is_none() {
        faults.add(FoldFaultKind::WrongType, path, format_args!("`{path}` is {}, not a string", value.kind()));
    }
    value.as_str()
}

/// The objects of a list; whatever else stands in it is named under `path`.
fn objects<'v, 't>(value: Option<&'v Value<'t>>, path: &'static str, faults: &mut Faults) -> Vec<&'v Value<'t>> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Vec::new() };
    let Some(list) = value.as_array() else {
        faults.add(FoldFaultKind::WrongType, path, format_args!("`{path}` is {}, not a list", value.kind()));
        return Vec::new();
    };
    let mut out = Vec::with_capacity(list.len());
    for item in list {
        if item.is_object() {
            out.push(item);
        } else {
            faults.add(FoldFaultKind::WrongType, path, format_args!("`{path}` holds {}", item.kind()));
        }
    }
    out
}

/// Reads a response object.
pub(super) fn response(object: &Value<'_>, faults: &mut Faults) -> ResponseObject {
    let details = object.get("incomplete_details").filter(|details| !details.is_null());
    let time = |key: &str| {
        let value = object.get(key)?;
        #[allow(clippy::cast_possible_truncation)] // A time with a fraction is cut off on purpose; `as` saturates.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    };
    let output = object.get("output").filter(|output| output.is_array());
    let error = object.get("error").filter(|error| error.is_truthy());
    let mut owned = |key: &str, path: &'static str| text(object, key, path, faults).map(str::to_owned);
    let mut read = ResponseObject {
        event: 0,
        id: owned("id", "id"),
        object: owned("object", "object"),
        status: owned("status", "status"),
        model: owned("model", "model"),
        created_at: time("created_at"),
        completed_at: time("completed_at"),
        previous: owned("previous_response_id", "previous_response_id"),
        instructions: object.get("instructions").and_then(Value::as_str).map(str::to_owned),
        incomplete: details.and_then(|details| details.get("reason")?.as_str()).map(str::to_owned),
        has_incomplete: details.is_some(),
        error: error.and_then(|error| ApiError::of(None, &serde_json::json!({ "error": error.to_serde() }))),
        output: None,
        usage: object.get("usage").filter(|usage| !usage.is_null()).map(Value::to_serde),
    };
    read.event = faults.event;
    read.output =
        output.map(|_| objects(object.get("output"), "output[]", faults).into_iter().map(|one| item(one, faults)).collect());
    read
}

/// Reads an item.
pub(super) fn item(object: &Value<'_>, faults: &mut Faults) -> OutputItem {
    let type_name = text(object, "type", "output[].type", faults);
    let kind = type_name.map(ItemKind::of).unwrap_or_default();
    if type_name.is_none() {
        faults.add(FoldFaultKind::MissingKey, "output[].type", "an item has no type");
    }
    let mut owned = |key: &str, path: &'static str| text(object, key, path, faults).map(str::to_owned);
    let said = if kind == ItemKind::CustomCall { "input" } else { "arguments" };
    let mut read = OutputItem {
        kind,
        type_name: type_name.map(str::to_owned),
        id: owned("id", "output[].id"),
        status: owned("status", "output[].status"),
        role: owned("role", "output[].role"),
        call_id: owned("call_id", "output[].call_id"),
        name: owned("name", "output[].name"),
        arguments: if kind.is_call() { owned(said, "output[].arguments") } else { None },
        ..OutputItem::default()
    };
    if matches!(kind, ItemKind::Message | ItemKind::Reasoning) {
        let content = objects(object.get("content"), "output[].content[]", faults);
        read.parts = content.into_iter().map(|one| part(one, kind, faults)).collect();
        let summary = objects(object.get("summary"), "output[].summary[]", faults);
        read.summary = if kind == ItemKind::Reasoning {
            summary.into_iter().map(|one| part(one, kind, faults)).collect()
        } else {
            Vec::new()
        };
    }
    read.raw = object.to_serde();
    read
}

/// Reads a part of an item.
pub(super) fn part(object: &Value<'_>, of: ItemKind, faults: &mut Faults) -> Part {
    let type_name = text(object, "type", "output[].content[].type", faults);
    let mut kind = type_name.map(PartKind::of).unwrap_or_default();
    if of == ItemKind::Message && type_name == Some("text") {
        kind = PartKind::Other;
    }
    let key = if kind == PartKind::Refusal { "refusal" } else { "text" };
    let text = text(object, key, "output[].content[].text", faults).unwrap_or_default().to_owned();
    let logprobs = object.get("logprobs").filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    Part { kind, text, logprobs: logprobs.map(Value::to_serde) }
}
