//! How replies changed in form, not in prose: [`Drift`]. Each kind of change is told once, with how often it is there and an
//! example.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::form::Form;

/// One change of one reply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What it is a change of.
    pub of: Of,
    /// Where: a path of JSON, a header, a tool; empty where there is but one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// As it was.
    pub was: String,
    /// As it is.
    pub is: String,
}

/// What a change is one of, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// The status.
    Status,
    /// How the connection ended.
    End,
    /// The media type.
    Media,
    /// A word of a closed set, such as a finish reason.
    Word,
    /// The called tools, in order, and whether their arguments are JSON.
    Tools,
    /// Names and types of a tool's arguments.
    Arguments,
    /// Kinds of events and their order.
    Events,
    /// A member or its type.
    Member,
    /// A header is there or not.
    Header,
}

impl Of {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::End => "end",
            Self::Media => "media type",
            Self::Word => "word",
            Self::Tools => "tool calls",
            Self::Arguments => "arguments",
            Self::Events => "events",
            Self::Member => "member",
            Self::Header => "header",
        }
    }
}

/// What changed from one form to another.
pub fn changes(was: &Form, is: &Form) -> Vec<Change> {
    let mut found = Vec::new();
    let mut add = |of: Of, at: &str, was: String, is: String| {
        if was != is {
            found.push(Change { of, at: at.to_owned(), was, is });
        }
    };
    let status = |form: &Form| form.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
    add(Of::Status, "", status(was), status(is));
    add(Of::End, "", was.end.clone(), is.end.clone());
    add(Of::Media, "", none_or(&was.media), none_or(&is.media));
    // Of an answer and a refusal nothing else can be compared.
    if was.class() != is.class() {
        return found;
    }
    add(Of::Tools, "", list(&was.tools, ", "), list(&is.tools, ", "));
    add(Of::Events, "", list(&was.events, ", "), list(&is.events, ", "));
    for tool in was.arguments.keys().filter(|tool| is.arguments.contains_key(*tool)) {
        add(Of::Arguments, tool, list(&was.arguments[tool], ", "), list(&is.arguments[tool], ", "));
    }
    for (path, words) in was.words.iter().filter(|(path, _)| is.words.contains_key(*path)) {
        add(Of::Word, path, list(words, ", "), list(&is.words[path], ", "));
    }
    let paths: BTreeSet<&String> = was.types.keys().chain(is.types.keys()).collect();
    let (mut lost, mut new) = (String::from("\0"), String::from("\0"));
    for path in paths {
        // What is below something that came or went came or went with it.
        if below(path, &lost) || below(path, &new) {
            continue;
        }
        match (was.types.get(path), is.types.get(path)) {
            (Some(was), None) => {
                add(Of::Member, path, list(was, " or "), "absent".to_owned());
                lost.clone_from(path);
            }
            (None, Some(is)) => {
                add(Of::Member, path, "absent".to_owned(), list(is, " or "));
                new.clone_from(path);
            }
            (Some(was), Some(is)) => add(Of::Member, path, list(was, " or "), list(is, " or ")),
            (None, None) => {}
        }
    }
    for name in was.headers.symmetric_difference(&is.headers) {
        let [was, is] = [was, is].map(|form| if form.headers.contains(name) { "there" } else { "absent" }.to_owned());
        add(Of::Header, name, was, is);
    }
    found.sort();
    found
}

fn below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>, between: &str) -> String {
    let items: Vec<T> = items.into_iter().collect();
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    none_or(&items.join(between))
}

fn none_or(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

/// Where a change was seen first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// File of the exchange on the tape.
    pub exchange: String,
    /// What was asked, in a line.
    pub asked: String,
}

/// A change with how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grouped {
    /// Which.
    #[serde(flatten)]
    pub change: Change,
    /// In so many exchanges.
    pub count: usize,
    /// The first of them.
    pub example: Example,
}

/// What changed from one tape to a server, or to another tape.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Drift {
    /// What is compared.
    pub was: String,
    /// With what.
    pub is: String,
    /// What the server says of itself, and of its models.
    pub identity: Vec<Identity>,
    /// Exchanges that were compared.
    pub compared: usize,
    /// Those that changed in form.
    pub changed: usize,
    /// Files of exchanges that the other tape does not have; none where a server was asked.
    pub only_was: Vec<String>,
    /// Files of exchanges that only the other tape has.
    pub only_is: Vec<String>,
    /// The changes, the most telling first.
    pub changes: Vec<Grouped>,
}

/// Something that is said of the server or a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// `server`, `models`, `weights model.gguf`, ….
    pub of: String,
    /// As it was.
    pub was: String,
    /// As it is.
    pub is: String,
}

impl Drift {
    /// Notes what the server says of itself, where it differs.
    pub fn identity(&mut self, of: &str, was: &str, is: &str) {
        if was != is {
            self.identity.push(Identity { of: of.to_owned(), was: none_or(was), is: none_or(is) });
        }
    }

    /// The same of what is known by names: `weights model.gguf`.
    pub fn identities(&mut self, of: &str, was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) {
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let said = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned().unwrap_or_default();
        for name in names {
            self.identity(&format!("{of} {name}"), &said(was, name), &said(is, name));
        }
    }

    /// The same of digests of weights, where both sides know theirs.
    pub fn weights(&mut self, was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) {
        if !was.is_empty() && !is.is_empty() {
            self.identities("weights", was, is);
        }
    }

    /// Takes in what changed of one exchange.
    pub fn add(&mut self, example: &Example, changes: Vec<Change>) {
        self.compared += 1;
        self.changed += usize::from(!changes.is_empty());
        for change in changes {
            match self.changes.iter_mut().find(|known| known.change == change) {
                Some(known) => known.count += 1,
                None => self.changes.push(Grouped { change, count: 1, example: example.clone() }),
            }
        }
    }

    /// Whether nothing drifted: neither form, nor server, nor what is asked.
    pub fn is_none(&self) -> bool {
        self.changes.is_empty() && self.identity.is_empty() && self.only_was.is_empty() && self.only_is.is_empty()
    }

    /// Sorts the changes: the most telling first, of those the most frequent.
    pub fn sort(&mut self) {
        self.changes.sort_by(|a, b| (a.change.of, b.count, &a.change).cmp(&(b.change.of, a.count, &b.change)));
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("texts and numbers");
        value["drifted"] = (!self.is_none()).into();
        value
    }

    /// For people.
    pub fn render(&self) -> String {
        let mut text = format!("{}\n  against {}\n", self.was, self.is);
        for Identity { of, was, is } in &self.identity {
            text.push_str(&format!("  {of}: {was} → {is}\n"));
        }
        let mut last = None;
        for Grouped { change, count, example } in &self.changes {
            if last != Some(change.of) {
                text.push_str(&format!("\n{}\n", change.of.word()));
                last = Some(change.of);
            }
            let at = if change.at.is_empty() { String::new() } else { format!("{}: ", change.at) };
            text.push_str(&format!("{count:>5} × {at}{} → {}\n", change.was, change.is));
            text.push_str(&format!("          {}  {}\n", example.exchange, example.asked));
        }
        for (files, whose) in [(&self.only_was, &self.was), (&self.only_is, &self.is)] {
            if let Some(first) = files.first() {
                text.push_str(&format!("\nonly in {whose}: {}, such as {first}\n", exchanges(files.len())));
            }
        }
        let drift = if self.is_none() { "no drift" } else { "drift" };
        let kinds = self.changes.len();
        let kinds = if kinds == 1 { "1 kind of change".to_owned() } else { format!("{kinds} kinds of change") };
        text.push_str(&format!("\n{drift}: {} of {} differ in form, {kinds}\n", self.changed, exchanges(self.compared)));
        text
    }
}

fn exchanges(count: usize) -> String {
    if count == 1 { "1 exchange".to_owned() } else { format!("{count} exchanges") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::reply_of;

    fn json(status: u16, body: &str) -> Form {
        Form::of(&reply_of(status, "application/json; charset=utf-8", body.as_bytes()))
    }

    fn stream(events: &[&str]) -> Form {
        let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        Form::of(&reply_of(200, "text/event-stream", body.as_bytes()))
    }

    #[track_caller]
    fn check(was: &Form, is: &Form, expect: &[&str]) {
        let found: Vec<String> =
            changes(was, is).iter().map(|it| format!("{} {}: {} → {}", it.of.word(), it.at, it.was, it.is)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn prose_ids_times_and_counts_are_no_drift() {
        let was = json(200, r#"{"id": "a", "created": 1, "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}"#);
        let is =
            json(200, r#"{"id": "b", "created": 2.5, "choices": [{"message": {"content": "Ho!"}, "finish_reason": "stop"}]}"#);
        check(&was, &is, &[]);
        let delta = |text: &str| format!(r#"{{"choices": [{{"delta": {{"content": "{text}"}}}}]}}"#);
        check(&stream(&[&delta("a"), "[DONE]"]), &stream(&[&delta("b"), &delta("c"), "[DONE]"]), &[]);
    }

    #[test]
    fn members_types_and_words_are() {
        let was = json(200, r#"{"timings": {"a": 1, "b": 2}, "usage": {"n": 1}, "x": null, "finish_reason": "stop"}"#);
        let is = json(200, r#"{"usage": {"n": "1", "details": {"cached": 0}}, "x": "1", "finish_reason": "length"}"#);
        check(
            &was,
            &is,
            &[
                "word finish_reason: stop → length",
                "member timings: object → absent",
                "member usage.details: absent → object",
                "member usage.n: number → string",
                "member x: null → string",
            ],
        );
        let items = |second: &str| json(200, &format!(r#"{{"data": [{{"id": "a", "owner": "b"}}, {second}]}}"#));
        check(
            &items(r#"{"id": "c", "owner": "d"}"#),
            &items(r#"{"id": "c"}"#),
            &["member data[].owner: string → absent or string"],
        );
        check(
            &items(r#"{"id": "c", "owner": null}"#),
            &items(r#"{"id": "c"}"#),
            &["member data[].owner: null or string → absent or string"],
        );
    }

    #[test]
    fn of_an_answer_and_a_refusal_only_the_head_is_told() {
        check(&json(200, r#"{"a": 1}"#), &json(400, r#"{"error": {"code": 400}}"#), &["status : 200 → 400"]);
        let text = Form::of(&reply_of(200, "text/plain", b"ok"));
        check(&json(200, "\"ok\""), &text, &["media type : application/json → text/plain", "member : string → text"]);
    }

    #[test]
    fn order_and_kinds_of_events_are_told() {
        let role = r#"{"choices": [{"delta": {"role": "assistant", "content": null}}]}"#;
        let content = r#"{"choices": [{"delta": {"content": "a"}}]}"#;
        let end = r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#;
        check(
            &stream(&[role, content, content, end, "[DONE]"]),
            &stream(&[content, end]),
            &[
                "events : role, content, finish, [DONE] → content, finish",
                "member choices[].delta.content: absent or null or string → absent or string",
                "member choices[].delta.role: absent or string → absent",
            ],
        );
    }

    #[test]
    fn called_tools_are_told_with_what_their_arguments_are() {
        let called = |name: &str, arguments: &str| {
            let call = serde_json::json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}]}, "finish_reason": "tool_calls"}]});
            json(200, &call.to_string())
        };
        let was = called("get_weather", r#"{"city": "Paris"}"#);
        check(&was, &called("get_weather", r#"{"city": "Oslo"}"#), &[]);
        check(&was, &called("get_time", r#"{"city": "Paris"}"#), &["tool calls : get_weather → get_time"]);
        check(&was, &called("get_weather", r#"{"city": 1}"#), &["arguments get_weather: city: string → city: number"]);
        let broken = "tool calls : get_weather → get_weather with arguments that are no JSON";
        check(&was, &called("get_weather", r#"{"city": "#), &[broken]);
    }

    #[test]
    fn each_kind_of_change_is_told_once() {
        let (was, is) = (json(200, r#"{"a": 1}"#), json(200, "{}"));
        let mut drift = Drift { was: "tapes/a".to_owned(), is: "tapes/b".to_owned(), ..Drift::default() };
        for name in ["1.http", "2.http"] {
            drift.add(&Example { exchange: name.to_owned(), asked: "GET /a".to_owned() }, changes(&was, &is));
        }
        drift.add(&Example { exchange: "3.http".to_owned(), asked: String::new() }, changes(&was, &was));
        drift.identity("server", "s 1", "s 2");
        drift.identity("profile", "p", "p");
        drift.sort();
        let expect = "tapes/a\n  against tapes/b\n  server: s 1 → s 2\n\nmember\n    2 × a: number → absent\n          1.http  GET /a\n\n\
                      drift: 2 of 3 exchanges differ in form, 1 kind of change\n";
        assert_eq!(drift.render(), expect);
        assert_eq!(drift.json()["changes"][0]["example"]["exchange"], "1.http");
        assert_eq!((drift.json()["drifted"].clone(), drift.json()["changes"][0]["of"].clone()), (true.into(), "member".into()));
        assert!(Drift::default().is_none());
    }
}
