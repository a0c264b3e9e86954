//! What does the server say went wrong? Any known shape of an error body → [`ApiError`].

use serde_json::Value;

use super::text_of;

/// How an error was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorShape {
    /// `{"error":{"message":…}}`.
    Envelope,
    /// `{"error":"…"}`.
    ErrorText,
    /// `{"detail":…}`: text, or a list with `msg`.
    Detail,
    /// `{"message":…}`, as of older servers.
    Message,
    /// Other JSON.
    OtherJson,
    /// Text.
    PlainText,
    /// A page for browsers.
    Html,
    /// Nothing.
    Empty,
}

/// An error of the server in one form.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    /// HTTP status; none for a frame inside a stream.
    pub status: Option<u16>,
    /// What it says; empty where nothing is said.
    pub message: String,
    /// `type`.
    pub kind: Option<String>,
    /// `code`, as text.
    pub code: Option<String>,
    /// `param`.
    pub param: Option<String>,
    /// The error as it came; text as a JSON string.
    pub raw: Value,
    /// How it was written.
    pub shape: ErrorShape,
}

/// Longest text of a body that is no JSON which is taken as a message. **Units**: characters.
const TEXT: usize = 500;

impl ApiError {
    /// Reads the body of an error reply; every body is one, an empty one included.
    pub fn read(status: Option<u16>, body: &[u8]) -> Self {
        let text = text_of(body);
        let text = text.trim();
        let plain = |message: String, shape| Self { message, shape, ..Self::new(status, Value::String(text.to_owned())) };
        if text.is_empty() {
            return plain(String::new(), ErrorShape::Empty);
        }
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            let other = || Self { message: value.as_str().unwrap_or_default().to_owned(), ..Self::new(status, value.clone()) };
            return Self::of(status, &value).unwrap_or_else(other);
        }
        let start = text.get(..15).unwrap_or(text).to_ascii_lowercase();
        if start.starts_with("<!doctype html") || start.starts_with("<html") {
            return plain(html_text(text), ErrorShape::Html);
        }
        plain(text.chars().take(TEXT).collect(), ErrorShape::PlainText)
    }

    /// Reads a JSON value; `None` where it has none of the known shapes.
    pub fn of(status: Option<u16>, value: &Value) -> Option<Self> {
        let new = |message: String, shape| Some(Self { message, shape, ..Self::new(status, value.clone()) });
        match value.get("error") {
            Some(Value::String(text)) => return new(text.clone(), ErrorShape::ErrorText),
            Some(error @ Value::Object(_)) => {
                let message = error.get("message").and_then(Value::as_str).map(str::to_owned);
                let message = message.or_else(|| error.get("detail").and_then(detail)).unwrap_or_default();
                return new(message, ErrorShape::Envelope).map(|new| new.facts(error));
            }
            None | Some(Value::Null) => {}
            Some(other) => return new(other.to_string(), ErrorShape::OtherJson),
        }
        if let Some(message) = value.get("detail").and_then(detail) {
            return new(message, ErrorShape::Detail).map(|new| new.facts(value));
        }
        let message = value.get("message").and_then(Value::as_str)?;
        new(message.to_owned(), ErrorShape::Message).map(|new| new.facts(value))
    }

    fn new(status: Option<u16>, raw: Value) -> Self {
        Self { status, message: String::new(), kind: None, code: None, param: None, raw, shape: ErrorShape::OtherJson }
    }

    fn facts(mut self, object: &Value) -> Self {
        let text = |key: &str| match object.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        (self.kind, self.code, self.param) = (text("type"), text("code"), text("param"));
        self
    }
}

impl std::fmt::Display for ApiError {
    /// `404 not_found: no such model`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(status) = self.status {
            write!(f, "{status} ")?;
        }
        if let Some(kind) = &self.kind {
            write!(f, "{kind}: ")?;
        }
        f.write_str(if self.message.is_empty() { "(no message)" } else { &self.message })
    }
}

/// Text; the `msg` of each item, with its place; or what stands one level deeper.
fn detail(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let lines: Vec<String> = items.iter().filter_map(item).collect();
            (!lines.is_empty()).then(|| lines.join("; "))
        }
        Value::Object(object) => {
            let text = ["message", "msg"].into_iter().find_map(|key| object.get(key)?.as_str());
            text.map(str::to_owned).or_else(|| object.get("errors").and_then(detail))
        }
        _ => None,
    }
}

fn item(value: &Value) -> Option<String> {
    let message = value.as_str().or_else(|| value.get("msg")?.as_str()).or_else(|| value.get("message")?.as_str())?;
    let place: Vec<String> = value.get("loc").and_then(Value::as_array).into_iter().flatten().map(place).collect();
    Some(if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) })
}

fn place(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The title of a page, else its words without tags.
fn html_text(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|at| {
        let start = at + "<title>".len();
        Some(&page[start..start + lower[start..].find("</title>")?])
    });
    let mut text = String::new();
    let mut tag = false;
    for character in title.unwrap_or(page).chars() {
        match character {
            '<' => tag = true,
            '>' => {
                tag = false;
                text.push(' ');
            }
            _ if !tag => text.push(character),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, shape: ErrorShape, text: &str) {
        let error = ApiError::read(Some(400), body.as_bytes());
        assert_eq!((error.shape, error.to_string().as_str()), (shape, text));
    }

    #[test]
    fn shapes() {
        use ErrorShape::{Detail, Empty, Envelope, ErrorText, Html, Message, OtherJson, PlainText};
        check(
            r#"{"error":{"code":400,"message":"bad role","type":"invalid_request_error"}}"#,
            Envelope,
            "400 invalid_request_error: bad role",
        );
        check(r#"{"error":{"detail":{"errors":[{"loc":["body",31],"msg":"no JSON"}]}}}"#, Envelope, "400 body.31: no JSON");
        check(r#"{"error":{}}"#, Envelope, "400 (no message)");
        check(r#"{"error":"Unauthorized"}"#, ErrorText, "400 Unauthorized");
        check(r#"{"detail":"Not Found"}"#, Detail, "400 Not Found");
        check(r#"{"detail":[{"loc":["body","n"],"msg":"too small"},{"msg":"odd"}]}"#, Detail, "400 body.n: too small; odd");
        check(r#"{"object":"error","message":"no","type":"T","code":7}"#, Message, "400 T: no");
        check(r#"{"error":17}"#, OtherJson, "400 17");
        check(r#"{"status":"bad"}"#, OtherJson, "400 (no message)");
        check(r#""only text""#, OtherJson, "400 only text");
        check("404 page not found\n", PlainText, "400 404 page not found");
        check("<!DOCTYPE html><html><title>502 Bad\nGateway</title>x</html>", Html, "400 502 Bad Gateway");
        check("<html><body><h1>Oops</h1>it broke</body></html>", Html, "400 Oops it broke");
        check("", Empty, "400 (no message)");
    }

    #[test]
    fn facts_are_kept_as_text_and_raw() {
        let error = ApiError::read(Some(404), br#"{"error":{"message":"m","type":"t","param":"model","code":404}}"#);
        assert_eq!(
            (error.code.as_deref(), error.param.as_deref(), error.kind.as_deref()),
            (Some("404"), Some("model"), Some("t"))
        );
        assert_eq!(error.raw["error"]["code"], 404);
    }
}
