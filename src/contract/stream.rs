//! Do the chunks of a chat stream make one reply? Envelope, roles, ends, errors, usage.

use super::chat_body::{self, W025};
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::stream_end::{self, Flow};
use crate::wire::Frame;
use crate::wire::json::{Object, Value};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] =
    &[&W049, &W050, &W051, &W052, &W053, &W054, &W055, &W056, &W057, &W060, &W068, &W069, &W072, &W260, &W263, &W265, &W267];

pub(super) static W049: Rule = Rule {
    id: "W049",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each chunk has `id`, `object`, `created`, `model` and `choices` with the right types",
    why: "typed clients raise in the middle of an answer",
    source: "OpenAI API reference, CreateChatCompletionStreamResponse",
    breaks: r#"data: {"id":"a","choices":{}}"#,
};

pub(super) static W050: Rule = Rule {
    id: "W050",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`object` is chat.completion.chunk",
    why: "clients that dispatch by it drop the chunk, usage included",
    source: "OpenAI API reference; mlx_lm.server on its usage chunk",
    breaks: r#""object":"chat.completion""#,
};

pub(super) static W051: Rule = Rule {
    id: "W051",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`id` is not empty and the same on all chunks",
    why: "replies cannot be told apart or found in logs",
    source: "OpenAI API reference: each chunk has the same id; Ollama's chunk after a crash",
    breaks: r#""id":"a" and then "id":"b""#,
};

pub(super) static W052: Rule = Rule {
    id: "W052",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` is the same on all chunks",
    why: "the specification says so; caches key on it",
    source: "OpenAI API reference: each chunk has the same timestamp; llama.cpp",
    breaks: r#""created":1 and then "created":2"#,
};

pub(super) static W053: Rule = Rule {
    id: "W053",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`model` is not empty and the same on all chunks",
    why: "a model that changes in an answer is a routing fault",
    source: "OpenAI API reference; Ollama's chunk after a crash",
    breaks: r#""model":"a" and then "model":"b""#,
};

pub(super) static W054: Rule = Rule {
    id: "W054",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`choices` is empty only on usage or metadata chunks",
    why: "every example reads choices[0] of a chunk",
    source: "OpenAI API reference, stream_options",
    breaks: r#""choices":[] on a chunk without usage"#,
};

pub(super) static W055: Rule = Rule {
    id: "W055",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the index of a choice is an integer from 0 to n-1, and once in a chunk",
    why: "pieces are put together by index",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":3,…}] where n is 1"#,
};

pub(super) static W056: Rule = Rule {
    id: "W056",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the role assistant comes in the first delta of each choice; later is dialect",
    why: "helpers that build the message raise without it",
    source: "openai-node, ChatCompletionStream",
    breaks: r#"a first delta {"content":"Hi"} and no role later"#,
};

pub(super) static W057: Rule = Rule {
    id: "W057",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the role comes once for each choice",
    why: "accumulators that join strings make assistantassistant of it",
    source: "openai-python, lib/streaming/_deltas; mlx_lm.server, Ollama",
    breaks: r#""role":"assistant" in every delta"#,
};

pub(super) static W060: Rule = Rule {
    id: "W060",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "texts of a delta are strings or null",
    why: "accumulators join strings and raise on others",
    source: "OpenAI API reference",
    breaks: r#""delta":{"content":{"text":"Hi"}}"#,
};

pub(super) static W068: Rule = Rule {
    id: "W068",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the joined text holds no replacement character that the prompt does not hold",
    why: "a character was split between two chunks and lost",
    source: "Unicode §3.9; incremental detokenisers",
    breaks: r#""content":"\ufffd" twice for one accented letter"#,
};

pub(super) static W069: Rule = Rule {
    id: "W069",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a folded stream keeps every rule that a whole reply keeps; the finding names that rule",
    why: "what a client puts together is what it works with",
    source: "one contract for both deliveries",
    breaks: "a stream whose joined text holds the stop text",
};

pub(super) static W072: Rule = Rule {
    id: "W072",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "streamed log probabilities, if asked, join to a list that is valid",
    why: "callers of the stream need them as much",
    source: "OpenAI API reference, logprobs",
    breaks: "logprobs: true and none in any chunk",
};

pub(super) static W260: Rule = Rule {
    id: "W260",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "deltas are objects",
    why: "clients read their keys",
    source: "OpenAI API reference",
    breaks: r#""delta":"Hi" or "delta":null"#,
};

pub(super) static W263: Rule = Rule {
    id: "W263",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a chunk has no `message` in place of its delta",
    why: "typed clients find an empty delta",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":0,"message":{"content":"Hi"}}] in a stream"#,
};

pub(super) static W265: Rule = Rule {
    id: "W265",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the reason a choice finished is null or absent until it finishes",
    why: "a reason of another type ends some readers early",
    source: "OpenAI API reference",
    breaks: r#""finish_reason":false on the first chunks"#,
};

pub(super) static W267: Rule = Rule {
    id: "W267",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`system_fingerprint` is the same on all chunks that have one",
    why: "an answer of two builds cannot be made again",
    source: "OpenAI API reference: the backend that the model runs with; gateways that switch in mid answer",
    breaks: r#""system_fingerprint":"fp_a" and then "fp_b""#,
};

/// Checks one exchange: one walk over the frames for this topic and for the end of the stream.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    stream_end::empty(seen, out);
    if !seen.is_chat() || !seen.streamed() {
        return;
    }
    let mut walk =
        Walk { first: None, print: None, choices: Vec::new(), flow: Flow::default(), most: seen.asked.n.unwrap_or(1).max(1) };
    for frame in seen.frames {
        let Some(value) = frame.value().filter(|value| value.is_object()) else { continue };
        if frame.is_error() && value.get("choices").is_none() {
            walk.flow.error(frame.number);
            continue;
        }
        if value.get("choices").is_none() && seen.event(frame.number).is_some_and(is_error) {
            walk.flow.error(frame.number);
            continue;
        }
        walk.envelope(frame, value, seen, out);
        walk.flow.usage(frame.number, value);
        let choices = value.get("choices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (place, choice) in choices.iter().enumerate() {
            let index = choice.get("index").filter(|index| index.is_u64());
            if index.is_some() && choices[..place].iter().any(|other| other.get("index") == index) {
                let spot = Spot::event(frame.number).path(format!("choices[{place}].index"));
                out.add(&W055, spot, "the same index twice in one chunk", "an index for each choice");
            }
            walk.choice(frame, place, choice, out);
        }
        if frame.is_error() {
            walk.flow.error(frame.number);
        }
    }
    for choice in walk.choices.iter().filter(|choice| !choice.role) {
        if !(seen.cut_by_us() && choice.deltas == 0) {
            let spot = Spot::event(choice.begun).choice(choice.index);
            out.add(&W056, spot, "no role in any delta", "\"role\":\"assistant\" in the first delta");
        }
    }
    for choice in &seen.chat.choices {
        if chat_body::texts(choice).any(|text| chat_body::lost(text, choice, seen)) {
            let spot = Spot::whole().choice(choice.index).bytes(mark(seen));
            out.add(&W068, spot, "a replacement character in the joined text", "the character that was said");
        }
    }
    stream_end::check(seen, &walk.flow, out);
}

fn is_error(event: &crate::wire::sse::SseEvent<'_>) -> bool {
    event.name.as_deref() == Some("error")
}

/// Around the first replacement character in the body, escaped or not.
fn mark(seen: &Seen<'_>) -> std::ops::Range<usize> {
    let body = &seen.exchange.body;
    let found = memchr::memmem::find(body, "\u{FFFD}".as_bytes()).or_else(|| memchr::memmem::find(body, b"\\ufffd"));
    let at = found.or_else(|| std::str::from_utf8(body).err().map(|error| error.valid_up_to())).unwrap_or(0);
    at.saturating_sub(60)..(at + 60).min(body.len())
}

/// A choice of the stream so far.
struct Choice {
    index: i64,
    /// The event it began with.
    begun: u64,
    /// Deltas with something in them.
    deltas: u64,
    role: bool,
}

struct Walk<'f> {
    /// Id, created and model of the first chunk.
    first: Option<[Option<&'f Value<'f>>; 3]>,
    /// The fingerprint that came first.
    print: Option<&'f str>,
    choices: Vec<Choice>,
    flow: Flow<'f>,
    /// Choices that were asked for.
    most: u64,
}

impl<'f> Walk<'f> {
    fn envelope(&mut self, frame: &Frame, value: &'f Value<'f>, seen: &Seen<'_>, out: &mut Findings<'_>) {
        let spot = |key: &'static str| Spot::event(frame.number).path(key);
        let missing = |key: &str| format!("`{key}` is missing");
        let (id, created, model) = (value.get("id"), value.get("created"), value.get("model"));
        match id {
            Some(Value::String(id)) if id.is_empty() => out.add(&W051, spot("id"), "an empty id", "the id of the reply"),
            Some(Value::String(_)) => {}
            Some(other) => out.add(&W049, spot("id"), format!("`id` is {}", json::kind(other)), "a string"),
            None => out.add(&W049, spot(""), missing("id"), "the id of the reply on each chunk"),
        }
        match created {
            Some(created) if created.is_i64() || created.is_u64() => {}
            Some(other) => out.add(&W049, spot("created"), format!("`created` is {}", json::kind(other)), "a whole number"),
            None => out.add(&W049, spot(""), missing("created"), "the time of the reply on each chunk"),
        }
        match model {
            Some(Value::String(model)) if model.is_empty() => {
                out.add(&W053, spot("model"), "an empty model", "the name of the model");
            }
            Some(Value::String(_)) => {}
            Some(other) => out.add(&W049, spot("model"), format!("`model` is {}", json::kind(other)), "a string"),
            None => out.add(&W049, spot(""), missing("model"), "the name of the model on each chunk"),
        }
        match value.get("object") {
            Some(Value::String(object)) if object == "chat.completion.chunk" => {}
            Some(Value::String(object)) => {
                out.add(&W050, spot("object"), format!("`object` is {object:?}"), "\"chat.completion.chunk\"");
            }
            Some(other) => out.add(&W049, spot("object"), format!("`object` is {}", json::kind(other)), "a string"),
            None => out.add(&W049, spot(""), missing("object"), "\"chat.completion.chunk\""),
        }
        match value.get("choices") {
            Some(Value::Array(choices)) if choices.is_empty() => {
                let usage = value.get("usage").is_some_and(|usage| !usage.is_null());
                let more = value
                    .as_object()
                    .into_iter()
                    .flat_map(Object::iter)
                    .any(|(key, value)| !PLAIN.contains(&key) && !value.is_null());
                if !usage && !more {
                    out.add(&W054, spot("choices"), "no choices, and no usage", "choices, or usage");
                }
            }
            Some(Value::Array(_)) => {}
            Some(other) => out.add(&W049, spot("choices"), format!("`choices` is {}", json::kind(other)), "a list"),
            None => out.add(&W049, spot(""), missing("choices"), "a list on each chunk"),
        }
        if let Some(print) = value.get("system_fingerprint").and_then(Value::as_str) {
            let first = *self.print.get_or_insert(print);
            if print != first {
                let found = format!("`system_fingerprint` is {print:?} after {first:?}");
                out.add(&W267, spot("system_fingerprint"), found, "the same on all chunks");
            }
        }
        let Some(first) = &self.first else {
            if let Some(created) = created.and_then(Value::as_i64) {
                chat_body::time(created, seen, spot("created"), out);
            }
            self.first = Some([id, created, model]);
            return;
        };
        for ((now, then), (rule, key)) in
            [id, created, model].iter().zip(first).zip([(&W051, "id"), (&W052, "created"), (&W053, "model")])
        {
            if let (Some(now), Some(then)) = (now, then)
                && now != then
            {
                out.add(rule, spot(key), format_args!("`{key}` is {now} after {then}"), "the same on all chunks");
            }
        }
    }

    fn choice(&mut self, frame: &Frame, place: usize, choice: &'f Value<'f>, out: &mut Findings<'_>) {
        let index = choice.get("index").and_then(Value::as_i64);
        let known = index.unwrap_or(i64::try_from(place).unwrap_or(i64::MAX));
        let spot = |key: &str| {
            let path = if key.is_empty() { format!("choices[{place}]") } else { format!("choices[{place}].{key}") };
            Spot::event(frame.number).choice(known).path(path)
        };
        if index.is_none_or(|index| u64::try_from(index).map_or(true, |index| index >= self.most)) {
            let found =
                choice.get("index").map_or_else(|| "no index".to_owned(), |index| format!("`index` is {}", json::kind(index)));
            out.add(&W055, spot("index"), found, format!("a whole number below {}", self.most));
        }
        match choice.get("finish_reason") {
            Some(Value::String(_) | Value::Null) => {}
            Some(other) => out.add(&W265, spot("finish_reason"), json::kind(other), "null, or a reason"),
            None => out.weigh(&W049, Severity::Dialect, spot(""), "`finish_reason` is missing", "null until the choice finishes"),
        }
        let delta = choice.get("delta");
        if delta.is_none() && choice.get("message").is_some() {
            out.add(&W263, spot("message"), "a message in a stream", "`delta`");
        }
        let Some(delta) = delta.and_then(Value::as_object) else {
            let found =
                delta.map_or_else(|| "`delta` is missing".to_owned(), |delta| format!("`delta` is {}", json::kind(delta)));
            out.add(&W260, spot("delta"), found, "an object");
            self.flow.choice(frame.number, known, choice, false);
            return;
        };
        for key in ["content", "refusal"] {
            if let Some(other) = delta.get(key).filter(|value| !value.is_string() && !value.is_null()) {
                out.add(&W060, spot(&format!("delta.{key}")), format!("`{key}` is {}", json::kind(other)), "a string or null");
            }
        }
        let brings = delta.iter().any(|(key, value)| BRINGS.contains(&key) && value.is_truthy());
        let at = self.choices.iter().position(|choice| choice.index == known).unwrap_or_else(|| {
            self.choices.push(Choice { index: known, begun: frame.number, deltas: 0, role: false });
            self.choices.len() - 1
        });
        let state = &mut self.choices[at];
        match delta.get("role") {
            None | Some(Value::Null) => {}
            Some(Value::String(role)) if role.is_empty() => {}
            Some(Value::String(role)) if state.role => {
                if role != "assistant" {
                    out.add(&W025, spot("delta.role"), format!("the role is {role:?}"), "\"assistant\"");
                }
                out.add(&W057, spot("delta.role"), "the role came again", "the role once for each choice");
            }
            Some(Value::String(_)) => {
                if state.deltas > 0 {
                    let found = "the role came after other deltas";
                    out.weigh(&W056, Severity::Dialect, spot("delta.role"), found, "the role in the first delta");
                }
                state.role = true;
            }
            Some(other) => out.add(&W060, spot("delta.role"), format!("`role` is {}", json::kind(other)), "a string or null"),
        }
        state.deltas += u64::from(brings);
        self.flow.choice(frame.number, known, choice, brings);
    }
}

/// Keys of a chunk that say nothing by themselves.
const PLAIN: &[&str] = &["id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier"];

/// Keys of a delta that bring a part of the answer.
const BRINGS: &[&str] = &["content", "refusal", "reasoning_content", "reasoning", "thinking", "tool_calls", "function_call"];
