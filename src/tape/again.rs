//! What a tape has, asked again: of a live server ([`Asking`]), or looked up on another tape ([`pairs`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use serde_json::Value;

use super::drift::{Drift, Example, changes};
use super::entry::{Ending, Recorded};
use super::form::Form;
use super::key::{BLOTTED, CREDENTIALS};
use super::set::Tape;
use crate::event::ExchangeId;
use crate::wire::{Exchange, ReadPlan, Request};

/// Headers that a client writes by itself.
const OWN: [&str; 6] = ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"];
/// Longest that a server is waited for. **Units**: seconds.
const PATIENCE: u64 = 120;
/// What is shown of a question. **Units**: characters.
const SHOWN: usize = 60;

/// How a server is asked what a tape has.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// The right key.
    pub bearer: Option<String>,
    /// Names of models on the tape, and those of the server in their places.
    pub models: BTreeMap<String, String>,
}

/// Models of the same roles: what the one calls them, and what the other does.
pub fn same_roles(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let named = was.iter().filter_map(|(role, model)| Some((model.clone(), is.get(role)?.clone())));
    named.filter(|(was, is)| was != is).collect()
}

impl Asking {
    /// The request of a recorded exchange for this server.
    pub fn request(&self, recorded: &Recorded) -> Request {
        let mut request = recorded.request();
        request.headers.retain(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
        let of_key = |name: &str| CREDENTIALS.contains(&name.to_ascii_lowercase().as_str());
        let key = match (recorded.head.credentials.as_deref(), &self.bearer) {
            (None, Some(bearer)) => Some(bearer.as_str()),
            (Some("none"), _) | (None, None) => None,
            (Some(_), _) => Some("not-the-right-key"),
        };
        match key {
            None => request.headers.retain(|(name, _)| !of_key(name)),
            Some(key) => {
                for (name, value) in request.headers.iter_mut().filter(|(name, _)| of_key(name)) {
                    let plain = !name.eq_ignore_ascii_case("authorization");
                    *value = if plain { key.to_owned() } else { format!("Bearer {key}") };
                }
            }
        }
        // What else was blotted out cannot be sent.
        request.headers.retain(|(_, value)| value != BLOTTED);
        if let Some(body) = request.body.as_deref().filter(|_| !self.models.is_empty())
            && let Ok(mut value) = serde_json::from_slice::<Value>(body)
            && self.renamed(&mut value)
        {
            request.body = Some(value.to_string().into());
        }
        request.read = recorded.head.read.as_deref().map_or(ReadPlan::All, read_of);
        request.timeout(Duration::from_secs(PATIENCE))
    }

    /// Puts the server's name of the model into a body; whether there was another one.
    fn renamed(&self, body: &mut Value) -> bool {
        let Some(name) = body.get("model").and_then(Value::as_str).and_then(|name| self.models.get(name)) else { return false };
        body["model"] = name.clone().into();
        true
    }

    /// What two tapes call the same request, this asking's names of models put in.
    fn pairing(&self, recorded: &Recorded, volatile: &[String]) -> String {
        let mut canonical = recorded.canonical(volatile);
        if let Some(body) = canonical.get_mut("body") {
            self.renamed(body);
        }
        canonical.to_string()
    }
}

/// How much of a reply is to be read, as a tape writes it.
fn read_of(text: &str) -> ReadPlan {
    let number = |text: &str| text.parse::<u64>().ok();
    if let Some(events) = text.strip_suffix(" events").and_then(number) {
        return ReadPlan::Events(events);
    }
    let span = text.strip_prefix("for ").and_then(|rest| rest.strip_suffix(" ms")).and_then(number);
    span.map_or(ReadPlan::All, |ms| ReadPlan::For(Duration::from_millis(ms)))
}

impl Recorded {
    /// What is asked, in short: the last thing that was said, or the path alone. One line.
    pub fn asked(&self) -> String {
        let value =
            self.head.request.as_ref().and_then(|content| serde_json::from_slice::<Value>(&content.bytes(&self.blobs)).ok());
        let mut said = value.as_ref().map(question).unwrap_or_default();
        if value.as_ref().is_some_and(|value| value["stream"] == true) {
            said.push_str(" (streamed)");
        }
        said.trim().to_owned()
    }

    /// The reply as an exchange of no run.
    pub fn reply(&self) -> Exchange {
        self.exchange(ExchangeId(0), self.request(), String::new())
    }

    /// Method, path, and what is asked: `POST /v1/chat/completions  "What is…" (streamed)`.
    pub fn line(&self) -> String {
        format!("{} {}  {}", self.head.method, self.head.path, self.asked()).trim_end().to_owned()
    }
}

/// What a body asks, in quotes; empty where nobody can tell.
fn question(body: &Value) -> String {
    let messages = body["messages"].as_array().or_else(|| body["input"].as_array());
    let last = messages.and_then(|messages| messages.last());
    let content = match last {
        Some(last) if last.is_object() => &last["content"],
        _ => ["prompt", "input", "content"].iter().map(|name| &body[*name]).find(|it| !it.is_null()).unwrap_or(&Value::Null),
    };
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let parts = parts.iter().map(|part| part["text"].as_str().or_else(|| part.as_str()).unwrap_or("…"));
            parts.collect::<Vec<_>>().join(" ")
        }
        _ => return String::new(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().take(SHOWN).collect();
    format!("\"{short}{}\"", if short.len() < line.len() { "…" } else { "" })
}

impl Drift {
    /// Takes in what a server answers now to what a tape has.
    pub fn answered(&mut self, name: &str, recorded: &Recorded, reply: &Exchange) {
        // How long we had waited before we gave up says nothing of the server's form.
        if matches!(&recorded.head.end, Ending::Failed(kind, _) if kind == "timeout") {
            return;
        }
        let example = Example { exchange: name.to_owned(), asked: recorded.line() };
        self.add(&example, changes(&Form::of(&recorded.reply()), &Form::of(reply)));
    }

    /// Takes in another tape of the same questions; what one of them has alone is told.
    pub fn tapes(&mut self, was: &Tape, is: &Tape) {
        let asking = Asking { bearer: None, models: same_roles(&was.manifest().models, &is.manifest().models) };
        let volatile: Vec<String> = was.manifest().volatile.iter().chain(&is.manifest().volatile).cloned().collect();
        let mut others: HashMap<String, VecDeque<(&str, &Recorded)>> = HashMap::new();
        for (name, recorded) in is.exchanges() {
            // The other tape has its own names of models already.
            others.entry(Asking::default().pairing(recorded, &volatile)).or_default().push_back((name, recorded));
        }
        for (name, recorded) in was.exchanges() {
            match others.get_mut(&asking.pairing(recorded, &volatile)).and_then(VecDeque::pop_front) {
                Some((_, other)) => self.answered(name, recorded, &other.reply()),
                None => self.only_was.push(name.to_owned()),
            }
        }
        self.only_is = others.into_values().flatten().map(|(name, _)| name.to_owned()).collect();
        self.only_is.sort();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tape::Keying;
    use crate::wire::Redactor;

    fn recorded(request: Request) -> Recorded {
        let begun = Exchange::begun(ExchangeId(1), request, String::new());
        let keying = Keying { tokens: vec!["right".to_owned()], ..Keying::default() };
        Recorded::of(&Exchange { status: Some(200), ..begun }, &keying, &Redactor::default())
    }

    fn chat() -> Request {
        let said = json!([{"role": "user", "content": "What  is\nthe capital of France?"}]);
        Request::post_json("/v1/chat/completions", &json!({"model": "m", "messages": said, "stream": true}))
    }

    #[test]
    fn requests_are_asked_again_with_the_servers_own_key_and_model() {
        let asking = Asking { bearer: Some("new".to_owned()), models: BTreeMap::from([("m".to_owned(), "other".to_owned())]) };
        let key = |request: Request| {
            let request = asking.request(&recorded(request));
            request.headers.into_iter().find(|(name, _)| CREDENTIALS.contains(&name.to_lowercase().as_str())).map(|it| it.1)
        };
        assert_eq!(key(chat().bearer("right")).as_deref(), Some("Bearer new"));
        assert_eq!(key(chat().header("x-api-key", "right")).as_deref(), Some("new"));
        assert_eq!(key(chat().bearer("wrong")).as_deref(), Some("Bearer not-the-right-key"));
        assert_eq!(key(chat()), None);
        let request = asking.request(&recorded(chat().bearer("right").read(ReadPlan::Events(3)).header("Host", "h")));
        assert_eq!(request.read, ReadPlan::Events(3));
        assert!(!request.headers.iter().any(|(name, _)| name == "Host"), "{:?}", request.headers);
        let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
        assert_eq!(body["model"], "other");
        assert_eq!([read_of("for 20 ms"), read_of("?")], [ReadPlan::For(Duration::from_millis(20)), ReadPlan::All]);
    }

    #[test]
    fn what_is_asked_is_told_in_a_line() {
        let asked = |body: &Value| recorded(Request::post_json("/x", body)).asked();
        assert_eq!(recorded(chat()).asked(), "\"What is the capital of France?\" (streamed)");
        assert_eq!(asked(&json!({"input": ["a", "b"]})), "\"a b\"");
        assert_eq!(asked(&json!({"prompt": "x".repeat(99)})), format!("\"{}…\"", "x".repeat(SHOWN)));
        assert_eq!(asked(&json!({"messages": [{"content": [{"text": "Look"}, {"image_url": {}}]}]})), "\"Look …\"");
        assert_eq!(recorded(Request::get("/v1/models")).asked(), "");
    }
}
