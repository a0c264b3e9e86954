//! What makes two requests the same to a tape: [`Key`]. Method, path, and the body as canonical JSON, in which nothing stands
//! that is declared volatile; neither the scenario that asks nor its place among others.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::wire::{ReadPlan, Request, text_of};

/// Members of a body that do not tell requests apart: they name the caller, or change by themselves.
pub const VOLATILE: [&str; 6] = ["seed", "user", "metadata", "safety_identifier", "prompt_cache_key", "store"];
/// Members whose text is an id that an earlier reply made up: each new one counts as the next of its kind.
const IDS: [&str; 5] = ["id", "tool_call_id", "call_id", "tool_use_id", "previous_response_id"];

/// Headers that carry a key: a tape keeps no more of them than whether it was the right one.
pub(super) const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "api-key"];
/// Headers that belong to a connection or to a client library, and say nothing of what is asked.
const IDLE: [&str; 13] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "cookie",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "expect",
];

/// What stands in place of a secret header on a tape.
pub const BLOTTED: &str = "***";

/// The key of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// First 16 digits of the SHA-256 of the canonical form, hex.
    pub hash: String,
    /// The canonical form: `method`, `path`, and `body`, `headers`, `credentials`, `read` where they say something.
    pub canonical: Value,
}

/// How requests are told apart.
#[derive(Debug, Clone, Default)]
pub struct Keying {
    /// Members of a body that do not count, beside [`VOLATILE`].
    pub volatile: Vec<String>,
    /// The right keys: which of them is sent does not count, another one or none does.
    pub tokens: Vec<String>,
}

impl Keying {
    /// The key of a request.
    pub fn key(&self, request: &Request) -> Key {
        let mut canonical = Map::new();
        canonical.insert("method".to_owned(), json!(request.method));
        canonical.insert("path".to_owned(), json!(path(&request.target)));
        if let Some(body) = request.body.as_deref().filter(|body| !body.is_empty()) {
            canonical.insert("body".to_owned(), canonical_body(body, media_type(request), &self.volatile));
        }
        let headers: Map<String, Value> = request.headers.iter().filter_map(counted).collect();
        if !headers.is_empty() {
            canonical.insert("headers".to_owned(), Value::Object(headers));
        }
        if let Some(credentials) = self.credentials(request) {
            canonical.insert("credentials".to_owned(), json!(credentials));
        }
        if let Some(read) = read(request.read) {
            canonical.insert("read".to_owned(), json!(read));
        }
        let canonical = Value::Object(canonical);
        let hash = format!("{:x}", Sha256::digest(canonical.to_string()));
        Key { hash: hash[..16].to_owned(), canonical }
    }

    /// Which key a request carries: `None` where it is a right one, or none where none is known.
    pub(super) fn credentials(&self, request: &Request) -> Option<&'static str> {
        let of = |(name, _): &&(String, String)| CREDENTIALS.contains(&name.to_ascii_lowercase().as_str());
        let Some((_, value)) = request.headers.iter().find(of) else {
            return (!self.tokens.is_empty()).then_some("none");
        };
        // Whose key is right is then the server's business.
        if self.tokens.is_empty() {
            return None;
        }
        let right = |token: &String| value == token || value.strip_prefix("Bearer ") == Some(token.as_str());
        if value == BLOTTED || self.tokens.iter().any(right) {
            return None;
        }
        Some(match value.split(' ').next().unwrap_or_default() {
            "Bearer" => "another key",
            "Basic" => "a name and a password",
            _ => "another form",
        })
    }
}

/// A header that says something of what is asked.
fn counted((name, value): &(String, String)) -> Option<(String, Value)> {
    let name = name.to_ascii_lowercase();
    let plain = name == "content-type" && value.split(';').next().is_some_and(|media| media.trim() == "application/json");
    let idle = IDLE.contains(&name.as_str()) || CREDENTIALS.contains(&name.as_str()) || name.starts_with("x-stainless-");
    if plain || idle {
        return None;
    }
    let value = if name == "content-type" { value.split("boundary=").next().unwrap_or_default() } else { value };
    Some((name, json!(value)))
}

/// How much of the reply is read, where that is not all of it.
pub(super) fn read(plan: ReadPlan) -> Option<String> {
    match plan {
        ReadPlan::All => None,
        ReadPlan::Events(events) => Some(format!("{events} events")),
        ReadPlan::For(time) => Some(format!("for {} ms", time.as_millis())),
    }
}

fn media_type(request: &Request) -> &str {
    let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    header.map_or("", |(_, value)| value.as_str())
}

/// Path and query of a target, the query's parts in order of their names; whose address it was does not count.
pub(super) fn path(target: &str) -> String {
    let below = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let below = below.split('#').next().unwrap_or_default();
    let Some((path, query)) = below.split_once('?') else { return below.to_owned() };
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.sort_unstable();
    format!("{path}?{}", parts.join("&"))
}

fn canonical_body(body: &[u8], media: &str, volatile: &[String]) -> Value {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !VOLATILE.contains(&name.as_str()) && !volatile.contains(name));
        }
        return canonical_value(value, &mut Vec::new());
    }
    if let Some((_, boundary)) = media.split_once("boundary=") {
        let boundary = boundary.split(';').next().unwrap_or_default().trim_matches('"');
        return json!({"multipart": digest_or_text(text_of(body).replace(boundary, "<boundary>").as_bytes())});
    }
    digest_or_text(body)
}

/// A text as it is; bytes by their hash.
fn digest_or_text(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!(text),
        Err(_) => json!({"sha256": format!("{:x}", Sha256::digest(body))}),
    }
}

/// Members in the order of their names, `1.0` as `1`, made-up ids by their number.
fn canonical_value(value: Value, ids: &mut Vec<String>) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            // Ids are numbered in the order in which they were written, before the members are sorted.
            for (name, value) in &mut members {
                let of_id = match (&*value, IDS.contains(&name.as_str())) {
                    (Value::String(id), true) => Some(number_of(id, ids)),
                    _ => None,
                };
                *value = of_id.map_or_else(|| canonical_value(value.take(), ids), |number| json!(format!("<id {number}>")));
            }
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| canonical_value(item, ids)).collect()),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15);
            #[allow(clippy::cast_possible_truncation)] // whole, and far from the bounds
            whole.map_or(Value::Number(number), |float| json!(float as i64))
        }
        other => other,
    }
}

fn number_of(id: &str, ids: &mut Vec<String>) -> usize {
    let known = ids.iter().position(|known| known == id);
    known.unwrap_or_else(|| {
        ids.push(id.to_owned());
        ids.len() - 1
    }) + 1
}

/// Where two canonical forms differ, for people: `body.max_tokens: 8, not 16`; at most so many lines.
pub fn differences(found: &Value, wanted: &Value, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    differ("", found, wanted, &mut lines);
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    if more > 0 {
        lines.push(format!("… {more} more"));
    }
    lines
}

fn differ(at: &str, found: &Value, wanted: &Value, lines: &mut Vec<String>) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match (found, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                match b.get(name) {
                    Some(other) => differ(&below(name), value, other, lines),
                    None => lines.push(format!("{}: {}, where the request has none", below(name), short(value))),
                }
            }
            let absent = b.iter().filter(|(name, _)| !a.contains_key(*name));
            lines.extend(absent.map(|(name, value)| format!("{}: absent, not {}", below(name), short(value))));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (number, (a, b)) in a.iter().zip(b).enumerate() {
                differ(&format!("{at}[{number}]"), a, b, lines);
            }
        }
        (Value::Array(a), Value::Array(b)) => lines.push(format!("{at}: {} items, not {}", a.len(), b.len())),
        _ if found == wanted => {}
        _ => lines.push(format!("{at}: {}, not {}", short(found), short(wanted))),
    }
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).collect::<String>() + "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(body: &Value) -> Request {
        Request::post_json("/v1/chat/completions", body)
    }

    #[track_caller]
    fn same(a: &Request, b: &Request, expect: bool) {
        let keying = Keying { tokens: vec!["right".to_owned()], ..Keying::default() };
        let (a, b) = (keying.key(a), keying.key(b));
        assert_eq!(a.hash == b.hash, expect, "{}\n{}", a.canonical, b.canonical);
    }

    #[test]
    fn what_says_the_same_has_one_key() {
        let asked = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0});
        same(
            &chat(&asked),
            &chat(&json!({"temperature": 0.0, "messages": [{"content": "Hi", "role": "user"}], "model": "m"})),
            true,
        );
        let mut by_another = asked.clone();
        by_another["seed"] = json!(8);
        by_another["user"] = json!("u");
        by_another["metadata"] = json!({"run": "2"});
        same(&chat(&asked), &chat(&by_another), true);
        let ours = || chat(&asked).bearer("right");
        same(&ours(), &chat(&asked).header("x-api-key", "right"), true);
        same(&ours(), &ours().header("User-Agent", "curl").header("x-stainless-os", "Linux"), true);
        same(&ours(), &chat(&asked), false);
        same(&ours(), &chat(&asked).bearer("other"), false);
        same(&chat(&asked), &chat(&asked).bearer("other"), false);
        same(&chat(&asked).bearer("other"), &chat(&asked).bearer("third"), true);
        same(&ours(), &ours().header("origin", "http://a"), false);
        same(&ours(), &ours().read(ReadPlan::Events(3)), false);
        let elsewhere = Request { target: "http://127.0.0.1:9/v1/chat/completions".to_owned(), ..chat(&asked) };
        same(&chat(&asked), &elsewhere, true);
        for (name, value) in [("temperature", json!(1)), ("stream", json!(true)), ("model", json!("n")), ("max_tokens", json!(1))]
        {
            let mut other = asked.clone();
            other[name] = value;
            same(&chat(&asked), &chat(&other), false);
        }
    }

    #[test]
    fn ids_that_were_made_up_count_by_their_order() {
        let turn = |call: &str, answered: &str| {
            chat(&json!({"messages": [
                {"role": "assistant", "tool_calls": [{"id": call, "function": {"name": "f"}}, {"id": "x", "function": {"name": "g"}}]},
                {"role": "tool", "tool_call_id": answered, "content": "1"},
            ]}))
        };
        same(&turn("a", "a"), &turn("b", "b"), true);
        same(&turn("a", "a"), &turn("b", "x"), false);
    }

    #[test]
    fn paths_are_told_apart_and_their_queries_are_not_by_order() {
        same(&Request::get("/v1/models?b=2&a=1"), &Request::get("/v1/models?a=1&b=2"), true);
        same(&Request::get("/v1/models"), &Request::get("/v1/models/m"), false);
        same(&Request::get("/v1/models"), &Request { method: "HEAD".to_owned(), ..Request::get("/v1/models") }, false);
    }

    #[test]
    fn what_is_no_json_counts_as_it_is() {
        let raw = |text: &str| Request::post_raw("/v1/chat/completions", "application/json", text.to_owned());
        same(&raw("{\"messages\": ["), &raw("{\"messages\": ["), true);
        same(&raw("{\"messages\": ["), &raw("{\"messages\":["), false);
        let form = |boundary: &str| {
            let body = format!("--{boundary}\r\nfile\r\n--{boundary}--");
            Request::post_raw("/v1/files", &format!("multipart/form-data; boundary={boundary}"), body)
        };
        same(&form("a1"), &form("b2"), true);
    }

    #[test]
    fn differences_are_told_by_their_places() {
        let found = json!({"body": {"max_tokens": 8, "stop": "5", "messages": [{"content": "Hi"}], "tools": [1]}});
        let wanted = json!({"body": {"max_tokens": 16, "messages": [{"content": "Ho"}], "n": 2, "tools": []}});
        assert_eq!(
            differences(&found, &wanted, 9),
            [
                "body.max_tokens: 8, not 16",
                "body.stop: \"5\", where the request has none",
                "body.messages[0].content: \"Hi\", not \"Ho\"",
                "body.tools: 1 items, not 0",
                "body.n: absent, not 2",
            ]
        );
        assert_eq!(differences(&found, &wanted, 1), ["body.max_tokens: 8, not 16", "… 4 more"]);
    }
}
