//! Do the fragments of streamed tool calls make whole ones?

use std::collections::BTreeMap;

use super::finding::{Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W090, &W091, &W092, &W093, &W094];

pub(super) static W090: Rule = Rule {
    id: "W090",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each fragment of a call has an integer index from 0",
    why: "fragments are put together by index",
    source: "OpenAI API reference, chunk; older Ollama",
    breaks: r#""tool_calls":[{"id":"a","function":{…}}] without index"#,
};

pub(super) static W091: Rule = Rule {
    id: "W091",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the first fragment of a call has its id and name",
    why: "helpers begin the call with it",
    source: "OpenAI API reference, chunk; vLLM 18412",
    breaks: r#""tool_calls":[{"index":0,"function":{"arguments":"{"}}] first"#,
};

pub(super) static W092: Rule = Rule {
    id: "W092",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "id and name of a call never change; equal ones that come again are dialect",
    why: "accumulators join strings, and get call_1call_1",
    source: "openai-python, lib/streaming/_deltas",
    breaks: r#""id":"a" and then "id":"b" for index 0"#,
};

pub(super) static W093: Rule = Rule {
    id: "W093",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "different calls have different indexes; holes are dialect",
    why: "two calls become one with arguments of both",
    source: "Ollama 15457",
    breaks: "two calls with index 0",
};

pub(super) static W094: Rule = Rule {
    id: "W094",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments joined from a stream parse as whole ones do",
    why: "clients parse what they joined",
    source: "OpenAI API reference, chunk",
    breaks: r#"fragments {"city": and Paris"} that lost a quote"#,
};

/// What the fragments of one index have said so far.
#[derive(Default)]
struct Head {
    id: Option<String>,
    name: Option<String>,
}

/// Checks one exchange; whether the joined arguments parse (W094) is looked at with those of whole replies.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() || !seen.streamed() {
        return;
    }
    let mut heads: BTreeMap<(i64, u64), Head> = BTreeMap::new();
    for frame in seen.frames {
        let choices = frame.value().and_then(|value| value.get("choices")).and_then(Value::as_array);
        for (at, choice) in choices.into_iter().flatten().enumerate() {
            let number = choice.get("index").and_then(Value::as_i64).unwrap_or(0);
            let fragments = choice.get("delta").and_then(|delta| delta.get("tool_calls")).and_then(Value::as_array);
            for (nth, fragment) in fragments.into_iter().flatten().enumerate() {
                let path = format!("choices[{at}].delta.tool_calls[{nth}]");
                let spot = |below: &str| Spot::event(frame.number).path(format!("{path}{below}")).choice(number);
                let Some(index) = fragment.get("index").and_then(Value::as_u64) else {
                    let found = fragment.get("index").map_or("no index".to_owned(), |index| format!("the index {index}"));
                    out.add(&W090, spot(""), found, "an integer from 0");
                    continue;
                };
                match heads.get_mut(&(number, index)) {
                    None => drop(heads.insert((number, index), begin(fragment, &spot, out))),
                    Some(head) => go_on(head, fragment, &spot, out),
                }
            }
        }
    }
    holes(&heads, out);
}

fn part<'f>(fragment: &'f Value<'f>, key: &str) -> Option<&'f str> {
    let value = match key {
        "id" => fragment.get("id"),
        _ => fragment.get("function").or_else(|| fragment.get("custom"))?.get(key),
    };
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// W091.
fn begin(fragment: &Value<'_>, spot: &dyn Fn(&str) -> Spot, out: &mut Findings<'_>) -> Head {
    let head = Head { id: part(fragment, "id").map(str::to_owned), name: part(fragment, "name").map(str::to_owned) };
    for (there, what) in [(head.id.is_some(), "id"), (head.name.is_some(), "name")] {
        if !there {
            out.add(&W091, spot(""), format!("the first fragment has no {what}"), "id and name in the first fragment");
        }
    }
    head
}

/// W092, and W093 where the fragment is the head of another call.
fn go_on(head: &mut Head, fragment: &Value<'_>, spot: &dyn Fn(&str) -> Spot, out: &mut Findings<'_>) {
    let (id, name) = (part(fragment, "id"), part(fragment, "name"));
    let other = |known: &Option<String>, now: Option<&str>| known.is_some() && now.is_some() && known.as_deref() != now;
    if other(&head.id, id) && name.is_some() {
        let found = format!("the index of `{}` begins `{}`", head.id.as_deref().unwrap_or_default(), id.unwrap_or_default());
        out.add(&W093, spot(".index"), found, "an index of its own");
        *head = Head { id: id.map(str::to_owned), name: name.map(str::to_owned) };
        return;
    }
    for (known, now, below) in [(&mut head.id, id, ".id"), (&mut head.name, name, ".function.name")] {
        match (known.as_deref(), now) {
            (_, None) => {}
            (None, Some(now)) => *known = Some(now.to_owned()),
            (Some(first), Some(now)) if first == now => {
                out.weigh(&W092, Severity::Dialect, spot(below), format!("`{now}` again"), "once, in the first fragment");
            }
            (Some(first), Some(now)) => out.add(&W092, spot(below), format!("`{now}` after `{first}`"), "what came first"),
        }
    }
}

/// W093: indexes of a choice are 0, 1, 2 ….
fn holes(heads: &BTreeMap<(i64, u64), Head>, out: &mut Findings<'_>) {
    let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
    for (choice, index) in heads.keys() {
        let next = expected.entry(*choice).or_default();
        if index != next {
            let found = format!("the index {index} where {next} comes next");
            return out.weigh(&W093, Severity::Dialect, Spot::whole().choice(*choice), found, "indexes without holes");
        }
        *next += 1;
    }
}
