//! Nothing in the table of rules is mere paper: code finds it, a scenario of the base suite provokes it, or a lint names it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::contract::{Context, Scope, judge, rule, rules};
use crate::wire::{Reading, Request, reply_of};

/// Numbers of rules that ordinary scenarios give no occasion to break: the base suite has one that does, with the rule's id
/// as its tag.
const PROVOKED: &str =
    "12 24 28 35 36 46 47 68 70 71 95 96 97 98 99 100 101 102 103 116 119 121 122 156 157 158 159 160 161 162 169 170";

/// Rules that are held by holding others, with the test that shows it.
const BY_OTHERS: [&str; 1] = ["W069"]; // `a_stream_is_held_to_the_rules_of_whole_replies`

fn texts(folder: &str, ending: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&root).expect(folder).map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.extension().is_some_and(|known| known == ending));
    files.map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

/// Ids in a text: `W` and three digits that are no part of a longer word, with what stands before them.
fn ids(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices('W').filter_map(|(at, _)| {
        let id = text.get(at..at + 4)?;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let alone = !text[..at].ends_with(word) && !text[at + 4..].starts_with(word);
        (alone && id[1..].bytes().all(|byte| byte.is_ascii_digit())).then_some((&text[..at], id))
    })
}

/// Ids that a scenario of the base suite has as a tag.
fn provoked() -> BTreeSet<String> {
    let tags = texts("features/base", "feature").join("\n");
    let tags: String = tags.lines().filter(|line| line.trim_start().starts_with('@')).collect();
    let cases = texts("cases/base", "yaml").join("\n");
    let cases: String = cases.lines().filter(|line| line.trim_start().starts_with("tags:")).collect();
    ids(&tags).chain(ids(&cases)).map(|(_, id)| id.to_owned()).collect()
}

/// Ids that a check of the contract names beyond the rule itself and the list of its topic.
fn found_by_code() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in ["src/contract", "src/contract/responses"].iter().flat_map(|folder| texts(folder, "rs")) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let (before, list) = code.split_once("static RULES").unwrap_or((code, ""));
        let after = list.split_once("];").map_or("", |(_, after)| after);
        let mine = |line: &&str| {
            let line = line.trim_start();
            !(line.starts_with("//")
                || line.starts_with("use ")
                || line.starts_with("pub(super) static W")
                || line.starts_with("pub(in crate::contract) static W"))
        };
        let lines: String = [before, after].iter().flat_map(|part| part.lines()).filter(mine).collect();
        found.extend(ids(&lines).filter(|(before, _)| !before.ends_with('"')).map(|(_, id)| id.to_owned()));
    }
    found
}

#[test]
fn every_rule_is_found_by_code_provoked_by_a_scenario_or_said_by_a_lint() {
    let (code, scenarios) = (found_by_code(), provoked());
    let lints = ["src/plan", "src/spec/load", "src/cli"].map(|folder| texts(folder, "rs").join("\n")).join("\n");
    let held = |id: &str, scope: Scope| match scope {
        Scope::Probe => scenarios.contains(id),
        Scope::Files => lints.contains(&format!("\"{id}\"")),
        Scope::Exchange | Scope::Scenario => code.contains(id) || BY_OTHERS.contains(&id),
    };
    let idle: Vec<&str> = rules().iter().filter(|rule| !held(rule.id, rule.scope)).map(|rule| rule.id).collect();
    assert!(idle.is_empty() && code.len() > 150, "{idle:?}; {} found by code", code.len());
}

#[test]
fn what_only_a_probe_shows_has_its_scenario() {
    let scenarios = provoked();
    let numbers = PROVOKED.split(' ').map(|number| format!("W{number:0>3}"));
    let missing: Vec<String> = numbers.filter(|id| !scenarios.contains(id)).collect();
    assert!(missing.is_empty(), "no scenario has the tag of {missing:?}");
    let unknown: Vec<&String> = scenarios.iter().filter(|id| rule(id).is_none()).collect();
    assert!(unknown.is_empty(), "tags of rules that there are not: {unknown:?}");
}

/// W069: a folded stream goes through the same checks.
#[test]
fn a_stream_is_held_to_the_rules_of_whole_replies() {
    let frame = |delta: serde_json::Value, finish: Option<&str>| {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1_767_225_600, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let frames = [frame(json!({"role": "assistant", "content": "In Par"}), None), frame(json!({"content": "is."}), Some("stop"))];
    let stream: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
    let message = json!({"role": "assistant", "content": "In Paris."});
    let whole = json!({"id": "c", "object": "chat.completion", "created": 1_767_225_600, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let replies = [(true, "text/event-stream", stream + "data: [DONE]\n\n"), (false, "application/json", whole.to_string())];
    for (streamed, media, reply) in replies {
        let mut exchange = reply_of(200, media, reply.as_bytes());
        let body =
            json!({"model": "m", "messages": [{"role": "user", "content": "Where?"}], "stop": "Paris", "stream": streamed});
        exchange.request = Request::post_json("/v1/chat/completions", &body);
        let reading = Reading::of(&exchange);
        let findings = judge(&reading, &reading.chat(), &Context::default()).findings;
        assert!(findings.iter().any(|finding| finding.rule.id == "W037"), "streamed: {streamed}: {findings:?}");
    }
}
