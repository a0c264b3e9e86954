//! Questions to a server before the first scenario: is it there, does it generate, who is it?
//!
//! Short requests with short limits; what scenarios send goes through `wire`, never through here.

use std::time::Duration;

use serde_json::{Value, json};

use super::StackError;
use crate::wire::install_tls;

/// Asks one server.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    client: reqwest::Client,
    base: String,
    bearer: Option<String>,
}

/// What came.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub status: u16,
    /// The `Server` header.
    pub server: Option<String>,
    pub body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// `status 503: {"error":…` for messages.
    pub(super) fn brief(&self) -> String {
        let body: String = self.body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
        if body.is_empty() { format!("status {}", self.status) } else { format!("status {}: {body}", self.status) }
    }
}

/// How a warm-up went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WarmUpReply {
    /// It generated.
    Generated,
    /// Not yet; the reason.
    NotYet(String),
    /// It never will; the reason.
    Refused(String),
}

impl Probe {
    /// `base` without trailing slash and `/v1`. Loopback addresses are never asked through a proxy.
    pub(super) fn new(base: &str, bearer: Option<&str>) -> Result<Self, StackError> {
        install_tls();
        let loopback = ["http://127.", "http://localhost", "http://[::1]"].iter().any(|start| base.starts_with(start));
        let builder = reqwest::Client::builder().connect_timeout(Duration::from_secs(10));
        let builder = if loopback { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| StackError::identity(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self { client, base: base.to_owned(), bearer: bearer.map(str::to_owned) })
    }

    /// The same one for another address.
    pub(super) fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same one for the address without its path.
    pub(super) fn at_origin(&self) -> Self {
        let origin = reqwest::Url::parse(&self.base).ok().map(|url| url.origin().ascii_serialization());
        self.at(&origin.unwrap_or_else(|| self.base.clone()))
    }

    /// GETs a path; the error is one line.
    pub(super) async fn get(&self, path: &str, within: Duration) -> Result<Reply, String> {
        self.send(self.client.get(format!("{}{path}", self.base)), within).await
    }

    /// Asks a model for one token.
    pub(super) async fn warm_up(&self, model: &str, within: Duration) -> WarmUpReply {
        let question = json!({"role": "user", "content": "Hi"});
        let body = json!({"model": model, "messages": [question], "max_tokens": 1, "temperature": 0});
        let request = self.client.post(format!("{}/v1/chat/completions", self.base));
        let request = request.header("content-type", "application/json").body(body.to_string());
        match self.send(request, within).await {
            Ok(reply) => judge_warm_up(&reply),
            Err(error) => WarmUpReply::NotYet(error),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder, within: Duration) -> Result<Reply, String> {
        let request = match &self.bearer {
            Some(bearer) => request.bearer_auth(bearer),
            None => request,
        };
        let response = request.timeout(within).send().await.map_err(|error| in_words(&error))?;
        let status = response.status().as_u16();
        let server = response.headers().get("server").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.text().await.map_err(|error| in_words(&error))?;
        Ok(Reply { status, server, body })
    }
}

/// A reply generated if it has a choice and did not count zero tokens.
fn judge_warm_up(reply: &Reply) -> WarmUpReply {
    match reply.status {
        200 => {
            let body = reply.json().unwrap_or_default();
            let counted = body.pointer("/usage/completion_tokens").and_then(Value::as_u64);
            if body.pointer("/choices/0").is_some() && counted != Some(0) {
                WarmUpReply::Generated
            } else {
                WarmUpReply::NotYet(format!("it answered without generating, {}", reply.brief()))
            }
        }
        // Overload and time-outs pass; other mistakes of the request, or a server that cannot chat, do not.
        408 | 425 | 429 => WarmUpReply::NotYet(reply.brief()),
        400..=499 | 501 => WarmUpReply::Refused(reply.brief()),
        _ => WarmUpReply::NotYet(reply.brief()),
    }
}

/// The innermost cause says most (`Connection refused`); the address is said by whoever asks.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    plain(&cause.to_string()).to_owned()
}

/// A system's words without its number: `Connection refused`.
fn plain(words: &str) -> &str {
    words.split_once(" (os error ").map_or(words, |(words, _)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_system_error_is_left_out() {
        assert_eq!(plain("Connection refused (os error 111)"), "Connection refused");
        assert_eq!(plain("connection closed"), "connection closed");
    }

    #[track_caller]
    fn check(status: u16, body: &str, expect: &str) {
        let reply = Reply { status, server: None, body: body.to_owned() };
        let got = match judge_warm_up(&reply) {
            WarmUpReply::Generated => "generated".to_owned(),
            WarmUpReply::NotYet(why) => format!("not yet, {why}"),
            WarmUpReply::Refused(why) => format!("refused, {why}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn a_warm_up_counts_only_when_something_was_generated() {
        check(200, r#"{"choices":[{"message":{"content":"Hi"}}],"usage":{"completion_tokens":1}}"#, "generated");
        check(200, r#"{"choices":[{}]}"#, "generated");
        check(200, r#"{"choices":[]}"#, r#"not yet, it answered without generating, status 200: {"choices":[]}"#);
        check(
            200,
            r#"{"choices":[{}],"usage":{"completion_tokens":0}}"#,
            r#"not yet, it answered without generating, status 200: {"choices":[{}],"usage":{"completion_tokens":0}}"#,
        );
        check(503, "Loading\n model", "not yet, status 503: Loading model");
        check(429, "", "not yet, status 429");
        check(401, "no key", "refused, status 401: no key");
        check(500, "", "not yet, status 500");
        check(501, "", "refused, status 501");
    }
}
