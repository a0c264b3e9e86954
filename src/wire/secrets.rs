//! What must not be written: [`Secrets`] of a run. Some are known before it begins, others are learned from what is sent.
//!
//! A key, a cookie, a password in an address is secret from the moment it goes out: wherever it turns up later, in a reply, an
//! error or a log, it is blotted out. What a server hands out (a cookie, an access token) is learned in the same way.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::bytes::Regex;
use serde_json::Value;

use super::{Exchange, Redactor, Request, text_of};

/// What is learned on the way and is shorter could be a word of anybody's. **Units**: bytes.
const SHORTEST_LEARNED: usize = 8;

/// Headers whose values are secrets.
const HEADERS: [&str; 7] =
    ["authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "set-cookie"];
/// Other headers are by the last word of their names.
const LAST_WORDS: [&str; 6] = ["token", "secret", "password", "key", "signature", "credential"];
/// These are not, although their names end like that.
const NO_SECRETS: [&str; 4] = ["idempotency-key", "sec-websocket-key", "x-idempotency-key", "x-cache-key"];
/// Names of a query, of a form, and of a request's JSON, in lower case and without `-` and `_`.
const NAMES: [&str; 18] = [
    "apikey",
    "xapikey",
    "accesskey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "sessiontoken",
    "bearertoken",
    "clientsecret",
    "secretkey",
    "secret",
    "password",
    "passwd",
    "authorization",
    "privatekey",
    "signature",
    "credential",
];
/// These are secrets in a query only: in JSON they name anything.
const QUERY_NAMES: [&str; 4] = ["key", "token", "sig", "auth"];
/// Words at the end of the name of an environment variable that holds a secret.
const ENDINGS: [&str; 11] =
    ["KEY", "APIKEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "CREDENTIAL", "CREDENTIALS", "PAT"];

/// Whether a header's value is a secret.
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let by_word = || name.rsplit(['-', '_']).next().is_some_and(|last| LAST_WORDS.contains(&last));
    HEADERS.contains(&name.as_str()) || by_word() && !NO_SECRETS.contains(&name.as_str())
}

/// The secrets of a run. Cheap to clone: all clones know the same.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    words: BTreeSet<String>,
    patterns: Vec<Regex>,
    redactor: Arc<Redactor>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// These, and what the patterns match.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>, patterns: Vec<Regex>) -> Self {
        let secrets = Self::default();
        secrets.add(words.into_iter().map(str::to_owned).collect());
        secrets.add_patterns(patterns);
        secrets
    }

    /// These are secret as well.
    pub fn add(&self, words: Vec<String>) {
        let news = |known: &Known| words.iter().any(|word| !word.is_empty() && !known.words.contains(word));
        if !news(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.words.extend(words.into_iter().filter(|word| !word.is_empty()));
        known.renew();
    }

    /// What these match is secret as well.
    pub fn add_patterns(&self, patterns: Vec<Regex>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let new = patterns.into_iter().filter(|new| known.patterns.iter().all(|old| old.as_str() != new.as_str()));
        let new: Vec<Regex> = new.collect();
        if !new.is_empty() {
            known.patterns.extend(new);
            known.renew();
        }
    }

    /// Values of variables whose names end like those of secrets (`OPENAI_API_KEY`, `GITHUB_TOKEN`).
    pub fn add_named(&self, variables: impl IntoIterator<Item = (String, String)>) {
        let is_secret = |name: &str| name.rsplit('_').next().is_some_and(|last| ENDINGS.contains(&&*last.to_ascii_uppercase()));
        let named = variables.into_iter().filter(|(name, value)| is_secret(name) && value.len() >= SHORTEST_LEARNED);
        self.add(named.map(|(_, value)| value).collect());
    }

    /// The password, or the key in its place, of an address.
    pub fn learn_address(&self, address: &str) {
        let mut found = Vec::new();
        in_address(address, &mut found);
        self.learned(found);
    }

    /// What a request carries; to be called before it is sent.
    pub fn learn(&self, request: &Request) {
        let mut found = Vec::new();
        in_address(&request.target, &mut found);
        for (name, value) in request.headers.iter().filter(|(name, _)| is_secret_header(name)) {
            in_header(name, value, &mut found);
        }
        if let Some(body) = request.body.as_deref().filter(|body| may_hold(body)) {
            let header = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            in_body(body, header.map_or("", |(_, media)| media.as_str()), &mut found);
        }
        self.learned(found);
    }

    /// What a server handed out.
    pub fn learn_reply(&self, exchange: &Exchange) {
        let mut found = Vec::new();
        for (name, value) in exchange.headers.iter().filter(|(name, _)| is_secret_header(name)) {
            in_header(name, &text_of(value), &mut found);
        }
        if may_hold(&exchange.body)
            && let Ok(value) = serde_json::from_slice(&exchange.body)
        {
            in_json(&value, &mut found);
        }
        self.learned(found);
    }

    fn learned(&self, mut found: Vec<String>) {
        found.retain(|word| word.len() >= SHORTEST_LEARNED);
        self.add(found);
    }

    /// What blots out all that is known by now.
    pub fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).redactor)
    }

    /// A text without its secrets.
    pub fn text(&self, text: &str) -> String {
        let redactor = self.redactor();
        if redactor.is_empty() { text.to_owned() } else { redactor.text(text) }
    }
}

impl Known {
    fn renew(&mut self) {
        self.redactor = Arc::new(Redactor::new(self.words.iter().map(String::as_str), self.patterns.clone()));
    }
}

/// An address without its password and without the values of its query that are secret by their names.
pub fn masked_address(address: &str) -> String {
    let (address, query) = address.split_once('?').map_or((address, None), |(address, query)| (address, Some(query)));
    let mut out = match (address.split_once("://"), user_of(address)) {
        (Some((scheme, rest)), Some(user)) => format!("{scheme}://***{}", &rest[user.len()..]),
        _ => address.to_owned(),
    };
    for (number, part) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
        out.push(if number == 0 { '?' } else { '&' });
        match part.split_once('=') {
            Some((name, _)) if is_query_name(name) => out.push_str(&format!("{name}=***")),
            _ => out.push_str(part),
        }
    }
    out
}

/// Name and password before the host.
fn user_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    host.rfind('@').map(|at| &host[..at])
}

fn in_address(address: &str, found: &mut Vec<String>) {
    if let Some(user) = user_of(address) {
        let secret = user.split_once(':').map_or(user, |(_, password)| password);
        found.extend([secret.to_owned(), decoded(secret)]);
    }
    if let Some((_, query)) = address.split_once('?') {
        in_form(query.split('#').next().unwrap_or_default(), is_query_name, found);
    }
}

fn in_form(form: &str, is_secret: fn(&str) -> bool, found: &mut Vec<String>) {
    let pairs = form.split('&').filter_map(|part| part.split_once('='));
    for (_, value) in pairs.filter(|(name, _)| is_secret(name)) {
        found.extend([value.to_owned(), decoded(value)]);
    }
}

fn in_header(name: &str, value: &str, found: &mut Vec<String>) {
    if name.to_ascii_lowercase().ends_with("cookie") {
        let first = if name.len() > "cookie".len() { 1 } else { usize::MAX };
        let values = value.split(';').take(first).filter_map(|part| Some(part.split_once('=')?.1.trim().trim_matches('"')));
        found.extend(values.flat_map(|value| [value.to_owned(), decoded(value)]));
        return;
    }
    let (scheme, token) = match value.split_once(' ') {
        Some((scheme, token)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => (scheme, token.trim()),
        _ => ("", value.trim()),
    };
    found.push(token.to_owned());
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(pair) = STANDARD.decode(token).ok().and_then(|pair| String::from_utf8(pair).ok())
    {
        found.push(pair.split_once(':').map_or("", |(_, password)| password).to_owned());
    }
}

fn in_body(body: &[u8], media: &str, found: &mut Vec<String>) {
    if let Ok(value) = serde_json::from_slice(body) {
        in_json(&value, found);
    } else if media.starts_with("application/x-www-form-urlencoded") {
        in_form(&text_of(body), is_name, found);
    } else if let Some((_, boundary)) = media.split_once("boundary=") {
        let boundary = format!("--{}", boundary.split(';').next().unwrap_or_default().trim_matches('"'));
        for part in text_of(body).split(&*boundary) {
            let Some((head, value)) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")) else { continue };
            let name = head.split_once("name=\"").and_then(|(_, rest)| rest.split('"').next());
            if name.is_some_and(is_name) {
                found.push(value.trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }
}

fn in_json(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if is_name(name) => {
                        let token = text.strip_prefix("Bearer ").unwrap_or(text);
                        found.push(token.to_owned());
                    }
                    other => in_json(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_json(item, found)),
        _ => {}
    }
}

/// Whether it is worth reading a body: some secret name stands in it.
fn may_hold(body: &[u8]) -> bool {
    ["key", "Key", "oken", "ecret", "passw", "Passw", "uthoriz", "ignature", "redential"]
        .iter()
        .any(|part| memchr::memmem::find(body, part.as_bytes()).is_some())
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !"-_".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
}

fn is_name(name: &str) -> bool {
    NAMES.contains(&&*plain(name))
}

fn is_query_name(name: &str) -> bool {
    let name = plain(name);
    NAMES.contains(&&*name) || QUERY_NAMES.contains(&&*name) || name.starts_with("xamz")
}

/// A value of an address as it was before it was written there.
fn decoded(value: &str) -> String {
    let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let (bytes, mut out, mut at) = (value.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1..at + 3).and_then(hex)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(request: &Request, expect: &[&str]) {
        let secrets = Secrets::default();
        secrets.learn(request);
        let known: Vec<String> = secrets.0.read().unwrap().words.iter().cloned().collect();
        assert_eq!(known, expect);
    }

    fn headers(pairs: &[(&str, &str)]) -> Request {
        pairs.iter().fold(Request::get("/v1/models"), |request, (name, value)| request.header(name, *value))
    }

    #[test]
    fn secrets_of_a_request_are_learned() {
        check(&headers(&[("Authorization", "Bearer sk-planted-1"), ("x-trace", "not-a-secret")]), &["sk-planted-1"]);
        check(&headers(&[("authorization", "Basic dTpwYXNzd29yZA==")]), &["dTpwYXNzd29yZA==", "password"]);
        check(&headers(&[("X-Api-Key", "planted-2"), ("x-auth-token", "planted-3")]), &["planted-2", "planted-3"]);
        check(&headers(&[("Ocp-Apim-Subscription-Key", "planted-4"), ("idempotency-key", "1234567890")]), &["planted-4"]);
        check(&headers(&[("cookie", "a=planted-5; b=\"planted-6\"; c=1")]), &["planted-5", "planted-6"]);
        check(&Request::get("/v1/models?a=long-enough&key=planted%2F7#token=12345678"), &["planted%2F7", "planted/7"]);
        check(&Request::get("http://user:planted-8@host/v1?sig=planted-9"), &["planted-8", "planted-9"]);
        let nested = serde_json::json!({"api_key": "planted-a", "metadata": {"x": [{"Client-Secret": "planted-b"}]},
            "key": "not-a-secret", "password": {"type": "string"}, "headers": {"authorization": "Bearer planted-c"}});
        check(&Request::post_json("/", &nested), &["planted-a", "planted-b", "planted-c"]);
        let form = "application/x-www-form-urlencoded";
        check(&Request::post_raw("/", form, "a=1&client_secret=planted%21&grant=not-a-secret"), &["planted!", "planted%21"]);
        let parts = "--x\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\nplanted-d\r\n--x--\r\n";
        check(&Request::post_raw("/", "multipart/form-data; boundary=x", parts), &["planted-d"]);
    }

    #[test]
    fn secrets_of_a_reply_are_learned() {
        let mut reply =
            super::super::reply_of(200, "application/json", b"{\"access_token\": \"planted-1\", \"token\": \"Paris-is\"}");
        reply.headers.push(("Set-Cookie".to_owned(), "s=planted-2; Path=/long/enough; HttpOnly".into()));
        let secrets = Secrets::default();
        secrets.learn_reply(&reply);
        assert_eq!(secrets.text("planted-1 planted-2 Paris-is /long/enough"), "*** *** Paris-is /long/enough");
    }

    #[test]
    fn names_of_variables_tell() {
        let secrets = Secrets::default();
        let of = |name: &str| (name.to_owned(), format!("value-of-{name}"));
        secrets.add_named(["OPENAI_API_KEY", "HF_TOKEN", "db_password", "TOKENIZERS_PARALLELISM", "HOME"].map(of));
        let text = "value-of-OPENAI_API_KEY value-of-HF_TOKEN value-of-db_password value-of-HOME";
        assert_eq!(secrets.text(text), "*** *** *** value-of-HOME");
        assert_eq!(secrets.text("value-of-TOKENIZERS_PARALLELISM"), "value-of-TOKENIZERS_PARALLELISM");
    }

    #[test]
    fn addresses_are_masked() {
        let check = |address: &str, expect: &str| assert_eq!(masked_address(address), expect);
        check("http://h:1/v1/models?a=1&api_key=x&b", "http://h:1/v1/models?a=1&api_key=***&b");
        check("https://me:pw@h/v1?x=@", "https://***@h/v1?x=@");
        check("/v1/models?token=1", "/v1/models?token=***");
        check("/v1/models", "/v1/models");
    }
}
