//! What a reply is like, whatever it says: [`Form`]. Status, media type, names of headers, members and types of its JSON by
//! path, kinds and order of its events, words of closed sets such as finish reasons, names of called tools. Not in it: texts,
//! ids, times, counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::wire::{End, Exchange, Reading};

/// Members whose text is one of a closed set, so that another one is another form.
const WORDS: [&str; 9] =
    ["object", "type", "role", "status", "code", "finish_reason", "stop_reason", "done_reason", "incomplete_details"];
/// Members whose names are data: what a caller, or chance, called things.
const FREE: [&str; 3] = ["logit_bias", "metadata", "properties"];
/// Headers that say nothing of an answer's form.
const IDLE: [&str; 9] =
    ["connection", "keep-alive", "date", "server", "content-length", "transfer-encoding", "vary", "via", "alt-svc"];
/// What stands in a set of types where a member is left out at times.
const ABSENT: &str = "absent";

/// The form of one reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The status; nothing where no head came.
    pub(super) status: Option<u16>,
    /// `complete`, or how it ended otherwise.
    pub(super) end: String,
    /// The media type, without parameters.
    pub(super) media: String,
    /// Names of headers that say something, in lower case.
    pub(super) headers: BTreeSet<String>,
    /// Kinds of events in their order, repeats of one kind as one; empty where it is no stream.
    pub(super) events: Vec<String>,
    /// Types by path (`choices[].message.content`): those of all its events where it is a stream.
    pub(super) types: BTreeMap<String, BTreeSet<&'static str>>,
    /// Words of closed sets by path.
    pub(super) words: BTreeMap<String, BTreeSet<String>>,
    /// Called tools in their order; where arguments are no JSON object, that is said.
    pub(super) tools: Vec<String>,
    /// Names of arguments with their types, by tool.
    pub(super) arguments: BTreeMap<String, BTreeSet<String>>,
}

impl Form {
    /// The form of a reply.
    pub fn of(exchange: &Exchange) -> Self {
        let reading = Reading::of(exchange);
        let named = exchange.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        let mut form = Self {
            status: exchange.status,
            end: match &exchange.end {
                End::Complete => "complete".to_owned(),
                End::HungUp => "hung up by us".to_owned(),
                End::Failed(error) => format!("{:?}", error.kind).to_lowercase(),
            },
            media: exchange.header("content-type").map(media).unwrap_or_default(),
            headers: named.filter(|name| !IDLE.contains(&name.as_str())).collect(),
            ..Self::default()
        };
        let mut seen = Seen::default();
        match &reading.stream {
            Some(stream) => {
                for event in &stream.events {
                    let value = serde_json::from_str::<Value>(&event.data).ok();
                    let kind = kind(event.name.as_deref(), &event.data, value.as_ref());
                    if form.events.last() != Some(&kind) {
                        form.events.push(kind);
                    }
                    if let Some(value) = &value {
                        seen.value("", value);
                    }
                }
            }
            None => match serde_json::from_slice::<Value>(&exchange.body) {
                Ok(value) => seen.value("", &value),
                Err(_) => form.lines(&exchange.body, &mut seen),
            },
        }
        (form.types, form.words) = (seen.types(), seen.words);
        form.called(&reading);
        form
    }

    /// A body that is no JSON value: lines of JSON, or other text.
    fn lines(&mut self, body: &[u8], seen: &mut Seen) {
        let text = String::from_utf8_lossy(body);
        let lines: Option<Vec<Value>> =
            text.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).ok()).collect();
        let Some(lines) = lines.filter(|lines| !lines.is_empty()) else {
            if !text.is_empty() {
                seen.types.entry(String::new()).or_default().insert("text");
            }
            return;
        };
        for value in lines {
            let kind = kind(None, "", Some(&value));
            if self.events.last() != Some(&kind) {
                self.events.push(kind);
            }
            seen.value("", &value);
        }
    }

    /// Tools that a reply calls, however it came.
    fn called(&mut self, reading: &Reading<'_>) {
        for call in reading.chat().choices.iter().flat_map(|choice| &choice.tool_calls) {
            let arguments = serde_json::from_str::<Value>(&call.arguments);
            let name = call.name.as_deref().unwrap_or("(no name)");
            match arguments.as_ref().map(Value::as_object) {
                Ok(Some(members)) => {
                    self.tools.push(name.to_owned());
                    let named = members.iter().map(|(member, value)| format!("{member}: {}", type_of(value)));
                    self.arguments.entry(name.to_owned()).or_default().extend(named);
                }
                Ok(None) => self.tools.push(format!("{name} with arguments that are no object")),
                Err(_) => self.tools.push(format!("{name} with arguments that are no JSON")),
            }
        }
    }

    /// Whether it is a good answer, a refusal, a failure, or none.
    pub(super) fn class(&self) -> u16 {
        self.status.unwrap_or(0) / 100
    }
}

fn media(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What kind of event it is: by its name, its type, or what a delta holds.
fn kind(name: Option<&str>, data: &str, value: Option<&Value>) -> String {
    let Some(value) = value else {
        return if data.trim() == "[DONE]" { "[DONE]".to_owned() } else { "no JSON".to_owned() };
    };
    if let Some(name) = name.or_else(|| value["type"].as_str()) {
        return name.to_owned();
    }
    let there = |name: &str| !value[name].is_null();
    let mut parts = Vec::new();
    for choice in value["choices"].as_array().into_iter().flatten() {
        let delta = choice["delta"].as_object().into_iter().flatten();
        parts.extend(delta.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()));
        parts.extend((!choice["text"].is_null()).then(|| "text".to_owned()));
        parts.extend((!choice["finish_reason"].is_null()).then(|| "finish".to_owned()));
    }
    parts.extend(["usage", "error"].into_iter().filter(|name| there(name)).map(str::to_owned));
    // Lines of JSON say by themselves whether they are the last.
    parts.extend(value["done"].as_bool().map(|done| if done { "done" } else { "line" }.to_owned()));
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("+") }
}

/// What was seen of values so far.
#[derive(Debug, Default)]
struct Seen {
    types: BTreeMap<String, BTreeSet<&'static str>>,
    words: BTreeMap<String, BTreeSet<String>>,
    /// How many objects there are by path, and how many of them have each member.
    objects: BTreeMap<String, usize>,
    having: BTreeMap<String, (String, usize)>,
}

impl Seen {
    fn value(&mut self, at: &str, value: &Value) {
        self.types.entry(at.to_owned()).or_default().insert(type_of(value));
        match value {
            Value::Object(members) => {
                *self.objects.entry(at.to_owned()).or_default() += 1;
                for (name, value) in members {
                    let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                    self.having.entry(below.clone()).or_insert_with(|| (at.to_owned(), 0)).1 += 1;
                    if let (Value::String(word), true) = (value, WORDS.contains(&name.as_str())) {
                        self.words.entry(below.clone()).or_default().insert(word.clone());
                    }
                    if FREE.contains(&name.as_str()) {
                        self.types.entry(below).or_default().insert(type_of(value));
                    } else {
                        self.value(&below, value);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(&format!("{at}[]"), item)),
            _ => {}
        }
    }

    /// Types by path, with what is left out at times.
    fn types(&mut self) -> BTreeMap<String, BTreeSet<&'static str>> {
        let mut types = std::mem::take(&mut self.types);
        for (path, (parent, count)) in &self.having {
            if self.objects.get(parent).is_some_and(|all| all > count) {
                types.entry(path.clone()).or_default().insert(ABSENT);
            }
        }
        types
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
