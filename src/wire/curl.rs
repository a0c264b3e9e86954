//! How does a person send the same request? [`Exchange`] → a shell command, secrets as variables.

use super::Exchange;
use super::is_secret_header;

/// Longest body written into the command; a shell takes no argument above 128 KiB. **Units**: bytes.
const LONGEST: usize = 64 << 10;

/// Renders a command for `sh` of several lines. Secrets stand as `$API_KEY`, to be set by whoever runs it.
pub fn curl(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let mut command = format!("curl -sS -N -X {} {}", quoted(&request.method), quoted(&exchange.url));
    let mut add = |part: String| {
        command.push_str(" \\\n  ");
        command.push_str(&part);
    };
    for (name, value) in &request.headers {
        add(format!("-H {}", header(name, value)));
    }
    let Some(body) = &request.body else { return command };
    if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        add("-H 'content-type:'".to_owned());
    }
    match std::str::from_utf8(body) {
        Ok(text) if text.len() <= LONGEST && !text.contains('\0') => add(format!("--data-raw {}", quoted(text))),
        _ => add(format!("--data-binary @body   # {} bytes, put them into the file `body`", body.len())),
    }
    command
}

fn header(name: &str, value: &str) -> String {
    if !is_secret_header(name) {
        return quoted(&format!("{name}: {value}"));
    }
    let scheme = value.split_once(' ').filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let scheme = scheme.map(|(scheme, _)| format!("{scheme} ")).unwrap_or_default();
    format!("\"{name}: {scheme}$API_KEY\"")
}

/// A word for `sh`; plain words stay plain.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Request;
    use crate::wire::exchange::reply_of;

    #[track_caller]
    fn check(request: Request, expect: &str) {
        let mut exchange = reply_of(200, "", b"");
        exchange.url = format!("http://h:1{}", request.target);
        exchange.request = request;
        assert_eq!(curl(&exchange), expect);
    }

    #[test]
    fn commands() {
        check(Request::get("/v1/models"), "curl -sS -N -X GET http://h:1/v1/models \\\n  -H 'accept: application/json'");
        check(
            Request::post_raw("/x?a=1&b", "text/plain", "it's $HOME `x`").bearer("secret").header("api-key", "secret"),
            "curl -sS -N -X POST 'http://h:1/x?a=1&b' \\\n  -H 'content-type: text/plain' \\\n  -H \"authorization: Bearer $API_KEY\" \\\n  \
             -H \"api-key: $API_KEY\" \\\n  --data-raw 'it'\\''s $HOME `x`'",
        );
        let bare = Request { method: "POST".to_owned(), body: Some(vec![0xFF].into()), ..Request::default() };
        check(
            bare,
            "curl -sS -N -X POST http://h:1 \\\n  -H 'content-type:' \\\n  --data-binary @body   # 1 bytes, put them into the file `body`",
        );
    }
}
