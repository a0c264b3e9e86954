//! One frame of a chat stream, or one whole body, with its types: JSON → [`ChatFrame`], which borrows from it.
//!
//! A whole body is one frame whose choices have `message` instead of `delta`. A value of a wrong type is left out and named;
//! null is as good as nothing.

use std::borrow::Cow;
use std::fmt;

use super::faults::Faults;
use super::reply::FoldFaultKind;
use crate::wire::json::{Object, Value};

/// Text that borrows where it stands in the frame as it is.
pub(super) type Text<'v> = Cow<'v, str>;

#[derive(Debug, Default)]
pub(super) struct ChatFrame<'v> {
    pub(super) id: Option<Text<'v>>,
    pub(super) object: Option<Text<'v>>,
    pub(super) created: Option<i64>,
    pub(super) model: Option<Text<'v>>,
    pub(super) system_fingerprint: Option<Text<'v>>,
    pub(super) choices: Option<Vec<FrameChoice<'v>>>,
    pub(super) usage: Option<&'v Value<'v>>,
    pub(super) error: Option<&'v Value<'v>>,
}

#[derive(Debug, Default)]
pub(super) struct FrameChoice<'v> {
    pub(super) index: Option<i64>,
    pub(super) delta: Option<Delta<'v>>,
    pub(super) message: Option<Delta<'v>>,
    /// The completions surface has its text here.
    pub(super) text: Option<Text<'v>>,
    pub(super) finish_reason: Option<Text<'v>>,
    pub(super) logprobs: Option<&'v Value<'v>>,
}

#[derive(Debug, Default)]
pub(super) struct Delta<'v> {
    pub(super) role: Option<Text<'v>>,
    pub(super) content: Option<Text<'v>>,
    pub(super) reasoning_content: Option<Text<'v>>,
    pub(super) reasoning: Option<Text<'v>>,
    pub(super) thinking: Option<Text<'v>>,
    pub(super) refusal: Option<Text<'v>>,
    pub(super) tool_calls: Option<Vec<Fragment<'v>>>,
}

#[derive(Debug, Default)]
pub(super) struct Fragment<'v> {
    pub(super) index: Option<i64>,
    pub(super) id: Option<Text<'v>>,
    pub(super) kind: Option<Text<'v>>,
    pub(super) function: Option<Part<'v>>,
    pub(super) custom: Option<Part<'v>>,
}

/// `function` with its `arguments`, or `custom` with its `input`.
#[derive(Debug, Default)]
pub(super) struct Part<'v> {
    pub(super) name: Option<Text<'v>>,
    pub(super) arguments: Option<Text<'v>>,
    pub(super) input: Option<Text<'v>>,
}

/// Where a value stands; written out only where something is wrong with it.
#[derive(Clone, Copy)]
struct Place<'p> {
    above: Option<&'p Place<'p>>,
    key: &'static str,
}

impl Place<'_> {
    fn at(&self, key: &'static str) -> Place<'_> {
        Place { above: Some(self), key }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above.filter(|above| !above.key.is_empty()) {
            write!(f, "{above}.")?;
        }
        f.write_str(self.key)
    }
}

fn misfit(value: &Value<'_>, wanted: &str, place: Place<'_>, faults: &mut Faults) {
    let path = place.to_string();
    let message = format!("`{path}` is {}, not {wanted}", value.kind());
    faults.add(FoldFaultKind::WrongType, path, message);
}

fn text<'v>(value: &'v Value<'_>, place: Place<'_>, faults: &mut Faults) -> Option<Text<'v>> {
    if value.as_str().is_none() {
        misfit(value, "a string", place, faults);
    }
    value.as_str().map(Cow::Borrowed)
}

/// Text; a list of parts is joined, and named.
fn content<'v>(value: &'v Value<'_>, place: Place<'_>, faults: &mut Faults) -> Option<Text<'v>> {
    let joined = value.as_array().map(|parts| {
        let said = |part: &Value<'_>| part.as_str().or_else(|| part.get("text")?.as_str()).map(str::to_owned);
        Cow::Owned(parts.iter().filter_map(said).collect())
    });
    text(value, place, faults).or(joined)
}

/// Text; any other JSON is written down as text, and named.
fn arguments<'v>(value: &'v Value<'_>, place: Place<'_>, faults: &mut Faults) -> Option<Text<'v>> {
    text(value, place, faults).or_else(|| Some(Cow::Owned(value.to_string())))
}

fn int(value: &Value<'_>, place: Place<'_>, faults: &mut Faults) -> Option<i64> {
    if value.as_i64().is_none() {
        misfit(value, "an integer", place, faults);
    }
    value.as_i64()
}

fn object<'v, T>(
    value: &'v Value<'v>,
    place: Place<'_>,
    faults: &mut Faults,
    read: fn(&'v Object<'v>, Place<'_>, &mut Faults) -> T,
) -> Option<T> {
    if value.as_object().is_none() {
        misfit(value, "an object", place, faults);
    }
    value.as_object().map(|object| read(object, place, faults))
}

/// The objects of a list; `item` is the path of each.
fn list<'v, T>(
    value: &'v Value<'v>,
    [place, item]: [Place<'_>; 2],
    faults: &mut Faults,
    read: fn(&'v Object<'v>, Place<'_>, &mut Faults) -> T,
) -> Option<Vec<T>> {
    let Some(items) = value.as_array() else {
        misfit(value, "a list", place, faults);
        return None;
    };
    let mut out = Vec::with_capacity(items.len());
    for value in items {
        if value.is_null() {
            faults.add(FoldFaultKind::WrongType, item.to_string(), format_args!("`{item}` is null"));
        } else {
            out.extend(object(value, item, faults, read));
        }
    }
    Some(out)
}

fn there<'v>(object: &'v Object<'v>) -> impl Iterator<Item = (&'v str, &'v Value<'v>)> {
    object.iter().filter(|(_, value)| !value.is_null())
}

impl<'v> ChatFrame<'v> {
    /// Reads the object of a frame.
    pub(super) fn read(frame: &'v Object<'v>, faults: &mut Faults) -> Self {
        let at = Place { above: None, key: "" };
        let mut out = Self::default();
        for (key, value) in there(frame) {
            match key {
                "id" => out.id = text(value, at.at("id"), faults),
                "object" => out.object = text(value, at.at("object"), faults),
                "created" => out.created = int(value, at.at("created"), faults),
                "model" => out.model = text(value, at.at("model"), faults),
                "system_fingerprint" => out.system_fingerprint = text(value, at.at("system_fingerprint"), faults),
                "choices" => out.choices = list(value, [at.at("choices"), at.at("choices[]")], faults, choice),
                "usage" => out.usage = Some(value),
                "error" => out.error = Some(value),
                _ => {}
            }
        }
        out
    }
}

fn choice<'v>(choice: &'v Object<'v>, at: Place<'_>, faults: &mut Faults) -> FrameChoice<'v> {
    let mut out = FrameChoice::default();
    for (key, value) in there(choice) {
        match key {
            "index" => out.index = int(value, at.at("index"), faults),
            "delta" => out.delta = object(value, at.at("delta"), faults, delta),
            "message" => out.message = object(value, at.at("message"), faults, delta),
            "text" => out.text = content(value, at.at("text"), faults),
            "finish_reason" => out.finish_reason = text(value, at.at("finish_reason"), faults),
            "logprobs" => out.logprobs = Some(value),
            _ => {}
        }
    }
    out
}

fn delta<'v>(delta: &'v Object<'v>, at: Place<'_>, faults: &mut Faults) -> Delta<'v> {
    let mut out = Delta::default();
    for (key, value) in there(delta) {
        match key {
            "role" => out.role = text(value, at.at("role"), faults),
            "content" => out.content = content(value, at.at("content"), faults),
            "reasoning_content" => out.reasoning_content = text(value, at.at("reasoning_content"), faults),
            "reasoning" => out.reasoning = text(value, at.at("reasoning"), faults),
            "thinking" => out.thinking = text(value, at.at("thinking"), faults),
            "refusal" => out.refusal = text(value, at.at("refusal"), faults),
            "tool_calls" => out.tool_calls = list(value, [at.at("tool_calls"), at.at("tool_calls[]")], faults, fragment),
            _ => {}
        }
    }
    out
}

fn fragment<'v>(fragment: &'v Object<'v>, at: Place<'_>, faults: &mut Faults) -> Fragment<'v> {
    let mut out = Fragment::default();
    for (key, value) in there(fragment) {
        match key {
            "index" => out.index = int(value, at.at("index"), faults),
            "id" => out.id = text(value, at.at("id"), faults),
            "type" => out.kind = text(value, at.at("type"), faults),
            "function" => out.function = object(value, at.at("function"), faults, part),
            "custom" => out.custom = object(value, at.at("custom"), faults, part),
            _ => {}
        }
    }
    out
}

fn part<'v>(part: &'v Object<'v>, at: Place<'_>, faults: &mut Faults) -> Part<'v> {
    let mut out = Part::default();
    for (key, value) in there(part) {
        match key {
            "name" => out.name = text(value, at.at("name"), faults),
            "arguments" => out.arguments = arguments(value, at.at("arguments"), faults),
            "input" => out.input = arguments(value, at.at("input"), faults),
            _ => {}
        }
    }
    out
}
