//! How is an exchange sent again by hand? As one `curl` command, with secrets as `$API_KEY`.

use crate::event::ExchangeRecord;

use super::text::clip;

/// Longest body that is still worth pasting. **Units**: bytes.
const BODY_LIMIT: usize = 8 * 1024;
/// Headers whose value is a secret, whole.
const SECRET: [&str; 5] = ["authorization", "proxy-authorization", "x-api-key", "api-key", "cookie"];

/// The command, one option a line. A body beyond the bound is cut and the command says so.
pub fn curl(record: &ExchangeRecord) -> String {
    let mut lines = vec![match record.method.as_str() {
        "GET" => format!("curl -sS -N {}", quote(&record.url)),
        method => format!("curl -sS -N -X {} {}", quote(method), quote(&record.url)),
    }];
    for (name, value) in &record.request_headers {
        let lower = name.to_ascii_lowercase();
        if matches!(lower.as_str(), "host" | "content-length" | "connection") {
            continue;
        }
        if SECRET.contains(&lower.as_str()) {
            let scheme = if value.to_ascii_lowercase().starts_with("bearer") { "Bearer " } else { "" };
            lines.push(format!("-H \"{name}: {scheme}$API_KEY\""));
        } else {
            lines.push(format!("-H {}", quote(&format!("{name}: {value}"))));
        }
    }
    if !record.request_body.is_empty() {
        let body = clip(&record.request_body, BODY_LIMIT);
        lines.push(format!("--data-binary {}", quote(&body)));
    }
    lines.join(" \\\n  ")
}

/// Plain words as they are, anything else in single quotes.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
