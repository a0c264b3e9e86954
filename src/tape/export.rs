//! Recorded exchanges in the forms of others: commands for a shell, a JSON file that stands alone, HAR. Secrets are not in them:
//! they are on no tape.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::{Map, Value, json};

use super::entry::{Ending, Recorded};
use super::manifest::Manifest;
use crate::event::ExchangeId;
use crate::wire::sse::SseEvent;
use crate::wire::{Exchange, Reading, curl};

/// What the JSON file says of its own form.
pub const FIXTURE: &str = "fireassay-fixture/1";

/// One exchange of a tape, with the name of its file.
pub type Named<'a> = (&'a str, &'a Recorded);

/// A shell script that sends the requests to a server at `url`, one command each; `$API_KEY` stands for its key.
pub fn to_curl(exchanges: &[Named<'_>], url: &str) -> String {
    let command = |(name, recorded): &Named<'_>| {
        let mut request = recorded.request();
        // What form the key had is not on the tape; nearly always it was this one.
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case("authorization") {
                *value = format!("Bearer {value}");
            }
        }
        let exchange = Exchange::begun(ExchangeId(0), request, address(url, recorded));
        let key = recorded.head.credentials.as_ref().map_or_else(String::new, |key| format!("; the key: {key}"));
        let came = recorded.head.status.map_or_else(|| "no reply".to_owned(), |status| status.to_string());
        format!("# {name}: {came}{key}\n{}\n", curl(&exchange))
    };
    exchanges.iter().map(command).collect::<Vec<_>>().join("\n")
}

/// Requests and replies with nothing beside them.
///
/// **Shape**: `{"format", "server", "recorded", "models", "exchanges": [{"name", "request": {"method", "path", "headers", BODY},
/// "response": {"status", "headers", "head_ms", "took_ms", "end", BODY, "events"}}]}`; BODY is `json`, `text` or `base64`, and
/// `events` are those of a stream: `[{"at_ms", "data"}]`, `data` as it came.
pub fn to_json(manifest: &Manifest, exchanges: &[Named<'_>]) -> Value {
    let exchanges: Vec<Value> = exchanges.iter().map(|(name, recorded)| fixture(name, recorded)).collect();
    json!({
        "format": FIXTURE,
        "server": manifest.server,
        "recorded": manifest.recorded,
        "models": manifest.models,
        "exchanges": exchanges,
    })
}

fn fixture(name: &str, recorded: &Recorded) -> Value {
    let head = &recorded.head;
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(head.method));
    request.insert("path".to_owned(), json!(head.path));
    request.insert("headers".to_owned(), json!(head.request_headers));
    for (member, value) in [("credentials", &head.credentials), ("read", &head.read)] {
        request.extend(value.as_ref().map(|value| (member.to_owned(), json!(value))));
    }
    request.extend(head.request.as_ref().map(|content| body(&content.bytes(&recorded.blobs))));
    let mut response = Map::new();
    response.insert("status".to_owned(), json!(head.status));
    response.insert("headers".to_owned(), json!(head.headers));
    response.insert("head_ms".to_owned(), json!(head.head_us.map(millis)));
    response.insert("took_ms".to_owned(), json!(millis(head.took_us)));
    response.insert("end".to_owned(), json!(ending(&head.end)));
    response.extend([body(&recorded.body)]);
    let reply = recorded.reply();
    if let Some(stream) = &Reading::of(&reply).stream {
        let at = |end: usize| reply.arrival(end.saturating_sub(1)).map(|at| at.as_secs_f64() * 1e3);
        let event = |event: &SseEvent<'_>| {
            let mut fields = Map::new();
            fields.insert("at_ms".to_owned(), json!(at(event.end)));
            fields.extend(event.name.as_ref().map(|name| ("event".to_owned(), json!(name))));
            fields.insert("data".to_owned(), json!(event.data));
            Value::Object(fields)
        };
        response.insert("events".to_owned(), stream.events.iter().map(event).collect());
    }
    json!({"name": name, "request": request, "response": response})
}

/// HTTP Archive 1.2, as browsers and proxies read it.
pub fn to_har(manifest: &Manifest, exchanges: &[Named<'_>], url: &str) -> Value {
    let begun = DateTime::parse_from_rfc3339(&manifest.recorded).unwrap_or_default();
    let mut passed = TimeDelta::zero();
    let entry = |(name, recorded): &Named<'_>| {
        let begins = begun + passed;
        passed += TimeDelta::microseconds(i64::try_from(recorded.head.took_us).unwrap_or(i64::MAX >> 16));
        entry(name, recorded, url, &begins.to_rfc3339_opts(SecondsFormat::Millis, true))
    };
    let entries: Vec<Value> = exchanges.iter().map(entry).collect();
    let creator = json!({"name": "fireassay", "version": env!("CARGO_PKG_VERSION")});
    let comment = format!("{}, recorded {}; one after the other, whatever the order was", manifest.server, manifest.recorded);
    json!({"log": {"version": "1.2", "creator": creator, "comment": comment, "entries": entries}})
}

fn entry(name: &str, recorded: &Recorded, url: &str, begins: &str) -> Value {
    let head = &recorded.head;
    let (took, waited) = (millis(head.took_us), millis(head.head_us.unwrap_or(head.took_us)));
    let headers = |headers: &[(String, String)]| -> Value {
        headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let address = address(url, recorded);
    let query = address.split_once('?').map_or("", |(_, query)| query).split('&').filter(|pair| !pair.is_empty());
    let query: Vec<Value> = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let asked = head.request.as_ref().map(|content| content.bytes(&recorded.blobs));
    let mut request = json!({
        "method": head.method, "url": address, "httpVersion": "HTTP/1.1", "cookies": [], "headers": headers(&head.request_headers),
        "queryString": query, "headersSize": -1, "bodySize": asked.as_ref().map_or(0, bytes::Bytes::len),
    });
    if let Some(body) = &asked {
        request["postData"] = content(body, &media(&head.request_headers));
    }
    let mut content = content(&recorded.body, &media(&head.headers));
    content["size"] = json!(recorded.body.len());
    let response = json!({
        "status": head.status.unwrap_or(0), "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [], "headers": headers(&head.headers),
        "content": content, "redirectURL": "", "headersSize": -1, "bodySize": recorded.body.len(), "comment": ending(&head.end),
    });
    json!({
        "startedDateTime": begins, "time": took, "request": request, "response": response, "cache": {},
        "timings": {"send": 0, "wait": waited, "receive": (took - waited).max(0.0)}, "comment": name,
    })
}

/// A body as HAR has it.
fn content(body: &[u8], media: &str) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!({"mimeType": media, "text": text}),
        Err(_) => json!({"mimeType": media, "text": STANDARD.encode(body), "encoding": "base64"}),
    }
}

fn media(headers: &[(String, String)]) -> String {
    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    found.map_or_else(|| "application/octet-stream".to_owned(), |(_, value)| value.clone())
}

/// A body by the most readable of its forms.
fn body(bytes: &[u8]) -> (String, Value) {
    if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
        return ("json".to_owned(), value);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text".to_owned(), json!(text)),
        Err(_) => ("base64".to_owned(), json!(STANDARD.encode(bytes))),
    }
}

fn address(url: &str, recorded: &Recorded) -> String {
    format!("{}{}", url.trim_end_matches('/'), recorded.head.path)
}

fn ending(end: &Ending) -> String {
    match end {
        Ending::Complete => "complete".to_owned(),
        Ending::HungUp => "the client hung up".to_owned(),
        Ending::Failed(kind, message) => format!("{kind}: {message}"),
    }
}

/// **Units**: µs to ms.
fn millis(us: u64) -> f64 {
    us as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Keying, Recorded};
    use crate::wire::{Redactor, Request};

    const STREAM: &[u8] = b"data: {\"a\":1}\n\ndata: [DONE]\n\n";

    fn recorded(request: Request, media: &str, body: &'static [u8]) -> Recorded {
        let begun = Exchange::begun(ExchangeId(1), request, String::new());
        let headers = vec![("content-type".to_owned(), media.to_owned().into())];
        let exchange = Exchange { status: Some(200), headers, body: body.into(), ..begun };
        Recorded::of(&exchange, &Keying { tokens: vec!["secret-key".to_owned()], ..Keying::default() }, &Redactor::default())
    }

    fn chat() -> Recorded {
        let asked = Request::post_json("/v1/chat/completions?a=1", &json!({"stream": true})).bearer("secret-key");
        recorded(asked, "text/event-stream", STREAM)
    }

    #[test]
    fn commands_name_the_server_and_no_key() {
        let script = to_curl(&[("a.http", &chat())], "http://h:1/");
        assert!(script.starts_with("# a.http: 200\ncurl -sS -N -X POST 'http://h:1/v1/chat/completions?a=1' \\\n"), "{script}");
        assert!(script.contains("\"authorization: Bearer $API_KEY\"") && script.contains(r#"'{"stream":true}'"#), "{script}");
        assert!(!script.contains("secret-key"), "{script}");
    }

    #[test]
    fn a_fixture_stands_alone() {
        let chat = chat();
        let models = recorded(Request::get("/v1/models"), "application/json", b"{\"data\":[]}");
        let bytes = recorded(Request::get("/x"), "image/png", b"\x89\xff");
        let value = to_json(&Manifest::now("a[b]", "s 1"), &[("a", &chat), ("b", &models), ("c", &bytes)]);
        assert_eq!(value["format"], FIXTURE);
        let one = |number: usize| &value["exchanges"][number];
        assert_eq!(one(0)["request"]["json"], json!({"stream": true}));
        assert_eq!(one(0)["response"]["text"], String::from_utf8_lossy(STREAM).as_ref());
        let events = one(0)["response"]["events"].as_array().unwrap();
        assert_eq!(events.iter().map(|event| event["data"].as_str().unwrap()).collect::<Vec<_>>(), ["{\"a\":1}", "[DONE]"]);
        assert_eq!(one(1)["response"]["json"], json!({"data": []}));
        assert!(one(1)["request"].get("json").is_none() && one(1)["response"].get("events").is_none());
        assert_eq!(one(2)["response"]["base64"], STANDARD.encode(b"\x89\xff"));
    }

    #[test]
    fn an_archive_has_what_its_form_asks_for() {
        let value = to_har(&Manifest::now("a[b]", "s 1"), &[("a", &chat())], "http://h:1");
        let entry = &value["log"]["entries"][0];
        assert_eq!(entry["request"]["url"], "http://h:1/v1/chat/completions?a=1");
        assert_eq!(entry["request"]["queryString"], json!([{"name": "a", "value": "1"}]));
        assert_eq!(entry["request"]["postData"], json!({"mimeType": "application/json", "text": "{\"stream\":true}"}));
        assert_eq!((&entry["response"]["status"], &entry["response"]["content"]["size"]), (&json!(200), &json!(STREAM.len())));
        assert_eq!(entry["response"]["content"]["mimeType"], "text/event-stream");
        DateTime::parse_from_rfc3339(entry["startedDateTime"].as_str().unwrap()).unwrap();
        let headers = entry["request"]["headers"].as_array().unwrap();
        assert!(headers.contains(&json!({"name": "authorization", "value": "***"})), "{headers:?}");
    }
}
