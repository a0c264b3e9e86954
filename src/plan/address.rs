//! Addresses of servers as people write them: with or without `/v1`, with `${NAME}` in them.

use std::collections::BTreeMap;

/// Base address without trailing slash and without `/v1`. **Errors**: what is wrong with it, in words.
pub fn normal_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    let url = match text.split_once("://") {
        Some(("http" | "https", rest)) if !rest.is_empty() => text.to_owned(),
        Some((scheme, rest)) if !rest.is_empty() => {
            return Err(format!("`{text}` has the scheme `{scheme}`; only http and https are spoken"));
        }
        None if !text.is_empty() && !text.contains(char::is_whitespace) => format!("http://{text}"),
        _ => return Err(format!("`{text}` is no address; write one such as `http://127.0.0.1:8080`")),
    };
    let base = url.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base).trim_end_matches('/');
    if base.ends_with(':') || base.contains(char::is_whitespace) || base.contains(['?', '#']) {
        return Err(format!("`{text}` is no base address; write one such as `http://127.0.0.1:8080`"));
    }
    Ok(base.to_owned())
}

/// What became of a text with `${NAME}` and `${NAME:-default}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interpolated {
    /// Every variable is set or has a default.
    Text(String),
    /// This one is not set.
    Unset(String),
    /// A `${` is not closed, or names nothing.
    Malformed,
}

/// Fills in environment variables; an empty variable counts as not set, as shells have it with `:-`.
pub(super) fn interpolate(text: &str, environment: &BTreeMap<String, String>) -> Interpolated {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find("${") {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else { return Interpolated::Malformed };
        let inside = &rest[open + 2..open + close];
        let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Interpolated::Malformed;
        }
        match (environment.get(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => out.push_str(value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => return Interpolated::Unset(name.to_owned()),
        }
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    Interpolated::Text(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_version_and_slash() {
        for (text, expect) in [
            ("http://127.0.0.1:8080/v1/", Some("http://127.0.0.1:8080")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("localhost:11434", Some("http://localhost:11434")),
            ("https://api.example.com/openai/v1", Some("https://api.example.com/openai")),
            ("ftp://x", None),
            ("", None),
            ("http://", None),
            ("http://a b", None),
            ("http://a?x=1", None),
        ] {
            assert_eq!(normal_url(text).ok().as_deref(), expect, "{text}");
        }
    }

    #[test]
    fn variables_are_filled_in() {
        let environment = BTreeMap::from([("A".to_owned(), "x".to_owned()), ("E".to_owned(), String::new())]);
        for (text, expect) in [
            ("plain", Interpolated::Text("plain".to_owned())),
            ("${A}/${A}", Interpolated::Text("x/x".to_owned())),
            ("${B:-d}${E:-e}", Interpolated::Text("de".to_owned())),
            ("${B}", Interpolated::Unset("B".to_owned())),
            ("${E}", Interpolated::Unset("E".to_owned())),
            ("${A", Interpolated::Malformed),
            ("${}", Interpolated::Malformed),
        ] {
            assert_eq!(interpolate(text, &environment), expect, "{text}");
        }
    }
}
