//! Every operator on every recording: what breaks is found, what is legal is let pass.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Expect, Family, Good, operator, operators};
use crate::contract::tests::recorded::{found, load, names};
use crate::contract::{Finding, Severity, rule};
use crate::wire::Exchange;

/// Replies of each server, whole and streamed, that an operator is tried on: more of them say little that is new, and take
/// long.
const OFTEN: usize = 1;

/// Operators that one exchange does not show to be wrong, each with what does.
const BEYOND: &[(&str, &str)] =
    &[("answer-refused", "a scenario that wants an answer"), ("health-503", "a scenario that asked for health before")];

/// Good exchanges of which there is no recording, made of those that there are.
fn made() -> Vec<(String, Exchange)> {
    let edited = |bytes: &[u8], edit: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(bytes).expect("JSON");
        edit(&mut value);
        Bytes::from(value.to_string())
    };
    let asked = |exchange: &mut Exchange, edit: &dyn Fn(&mut Value)| {
        exchange.request.body = Some(edited(exchange.request.body.as_deref().expect("a request"), edit));
    };
    let answered = |exchange: &mut Exchange, edit: &dyn Fn(&mut Value)| {
        exchange.body = edited(&exchange.body, edit);
        exchange.headers.retain(|(name, _)| name != "content-length");
        exchange.chunks[0].end = exchange.body.len();
    };
    // A strict tool with every kind of bound.
    let mut tree = load("llamacpp/tool-auto");
    asked(&mut tree, &|body| {
        let function = &mut body["tools"][0]["function"];
        function["strict"] = json!(true);
        function["parameters"] = json!({
            "type": "object", "required": ["root", "days", "unit", "tags"], "additionalProperties": false,
            "$defs": {"node": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}},
            "properties": {"root": {"$ref": "#/$defs/node"}, "days": {"type": "integer", "minimum": 1, "maximum": 7},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "tags": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string"}}}});
    });
    answered(&mut tree, &|body| {
        let arguments =
            r#"{"root":{"name":"a","kids":[{"name":"b","kids":[{"name":"c"}]}]},"days":2,"unit":"celsius","tags":["x"]}"#;
        body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = json!(arguments);
    });
    // Two tools, one of them allowed, and that one called.
    let mut allowed = load("llamacpp/tool-auto");
    asked(&mut allowed, &|body| {
        let mut other = body["tools"][0].clone();
        other["function"]["name"] = json!("get_tides");
        let name = body["tools"][0]["function"]["name"].clone();
        body["tools"].as_array_mut().expect("tools").push(other);
        body["tool_choice"] = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required",
            "tools": [{"type": "function", "function": {"name": name}}]}});
    });
    // Two choices side by side in one stream.
    let mut two = load("llamacpp/chat-stream");
    asked(&mut two, &|body| body["n"] = json!(2));
    let text = std::str::from_utf8(&two.body).expect("text");
    let twin = |event: &str| {
        let twin = event.replace("\"index\":0", "\"index\":1");
        if twin == event { event.to_owned() } else { format!("{event}{twin}") }
    };
    two.body = Bytes::from(text.split_inclusive("\n\n").map(twin).collect::<String>());
    two.chunks[0].end = two.body.len();
    let named = [("a strict tool", tree), ("an allowed tool", allowed), ("two choices", two)];
    named.into_iter().map(|(name, exchange)| (format!("made/{name}"), exchange)).collect()
}

fn look(exchange: &Exchange) -> Vec<Finding> {
    let body = exchange.request.body.as_deref().unwrap_or_default();
    let asked: Option<Value> = serde_json::from_slice(body).ok();
    let model = asked.as_ref().and_then(|body| body.get("model")?.as_str()).map(str::to_owned);
    found(exchange, None, &model.into_iter().collect::<Vec<_>>())
}

/// What weighs more than advice, with where and what it is.
fn weighty(findings: &[Finding]) -> BTreeSet<(&'static str, &'static str, &str, &str)> {
    let heavy = findings.iter().filter(|finding| finding.severity != Severity::Advice);
    heavy.map(|finding| (finding.rule.id, finding.severity.word(), &*finding.spot.path, finding.found.as_str())).collect()
}

#[test]
fn ids_are_unique_words_and_rules_exist() {
    let mut seen = BTreeSet::new();
    for operator in operators() {
        assert!(seen.insert(operator.id), "{} stands twice", operator.id);
        assert!(
            operator.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{}",
            operator.id
        );
        assert!(operator.rules.iter().all(|id| rule(id).is_some()), "{}: {:?}", operator.id, operator.rules);
        assert!(operator.what.len() > 8 && !operator.what.ends_with('.'), "{}: {:?}", operator.id, operator.what);
        let claims = BEYOND.iter().any(|(id, _)| *id == operator.id);
        assert_eq!(operator.rules.is_empty() && !claims, operator.expect == Expect::Tolerate, "{}", operator.id);
    }
    let families: BTreeSet<Family> = operators().map(|operator| operator.family).collect();
    assert_eq!(families.into_iter().collect::<Vec<_>>(), Family::ALL);
    assert!(seen.len() >= 300, "{} operators", seen.len());
    for (id, _) in BEYOND {
        assert!(operator(id).is_some(), "{id} is no operator");
    }
}

#[test]
fn what_breaks_is_found_and_what_is_legal_is_let_pass() {
    let mut applied: BTreeMap<(&str, bool, String), usize> = BTreeMap::new();
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let recorded = names().into_iter().map(|name| (name.clone(), load(&name)));
    for (name, exchange) in recorded.chain(made()) {
        let server = name.split('/').next().unwrap_or_default().to_owned();
        let Some(good) = Good::of(&exchange) else { continue };
        let findings = look(&exchange);
        let before = weighty(&findings);
        for operator in operators() {
            let Some(changed) = (operator.apply)(&good) else { continue };
            let times = applied.entry((operator.id, good.stream().is_some(), server.clone())).or_default();
            *times += 1;
            if *times > OFTEN {
                continue;
            }
            let mut tell = |what: String| wrong.entry(operator.id).or_default().push(format!("{name}: {what}"));
            let same = changed.body == exchange.body
                && changed.headers == exchange.headers
                && changed.status == exchange.status
                && changed.end == exchange.end;
            if same {
                tell("nothing changed".to_owned());
            }
            if changed.chunks.last().is_some_and(|chunk| chunk.end != changed.body.len()) {
                tell("the reads do not end with the body".to_owned());
            }
            if BEYOND.iter().any(|(id, _)| *id == operator.id) {
                continue;
            }
            let findings = look(&changed);
            let after = weighty(&findings);
            let new: Vec<_> = after.difference(&before).collect();
            match operator.expect {
                Expect::Detect if !new.iter().any(|(id, ..)| operator.rules.contains(id)) => tell(format!("{new:?}")),
                Expect::Tolerate => {
                    let known: BTreeSet<&str> = before.iter().map(|(id, ..)| *id).collect();
                    let more: Vec<_> = new.iter().filter(|(id, ..)| !known.contains(id)).collect();
                    if !more.is_empty() {
                        tell(format!("{more:?}"));
                    }
                }
                Expect::Detect => {}
            }
        }
    }
    let reached: BTreeSet<&str> = applied.keys().map(|(id, ..)| *id).collect();
    let idle: Vec<&str> = operators().map(|operator| operator.id).filter(|id| !reached.contains(id)).collect();
    let text =
        |(id, list): (&&str, &Vec<String>)| format!("{id}, {} times:\n  {}", list.len(), list[..list.len().min(6)].join("\n  "));
    let all: Vec<String> = wrong.iter().map(text).collect();
    assert!(all.is_empty() && idle.is_empty(), "{} wrong:\n{}\nidle: {idle:?}", all.len(), all.join("\n"));
}
