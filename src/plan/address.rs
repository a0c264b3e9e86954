//! Addresses of servers as people write them: with or without `/v1`.

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
}
