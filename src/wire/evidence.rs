//! What is kept of an exchange? [`Exchange`] → [`ExchangeRecord`], capped and with secrets masked before anything is written.

use sha2::{Digest, Sha256};

use super::{Exchange, is_secret_header, masked_address, text_of};
use crate::event::{ClockRecord, ExchangeRecord, HeaderRecord, ScenarioId};

/// How much of a body is kept. **Units**: bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// From its start.
    pub head: usize,
    /// From its end.
    pub tail: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { head: 16 << 10, tail: 4 << 10 }
    }
}

/// A secret that stands across a cut is masked too if it is no longer than this. **Units**: bytes.
const MARGIN: usize = 1 << 10;

/// Makes records for one attempt of one scenario.
pub struct Evidence<'a> {
    /// Scenario.
    pub scenario: &'a ScenarioId,
    /// Attempt number, from 1.
    pub attempt: u32,
    /// How much of a body is kept.
    pub caps: Caps,
    /// Replaces known secrets in a text.
    pub mask: &'a dyn Fn(&str) -> String,
}

impl Evidence<'_> {
    /// The record of an exchange with the clocks of its folded form.
    pub fn record(&self, exchange: &Exchange, clocks: ClockRecord) -> ExchangeRecord {
        let request = &exchange.request;
        let sent = request.headers.iter().map(|(name, value)| self.header(name, value)).collect();
        let came = exchange.headers.iter().map(|(name, value)| self.header(name, &text_of(value))).collect();
        let body = self.body(&exchange.body);
        let response_sha256 = if body.cut { format!("{:x}", Sha256::digest(&exchange.body)) } else { String::new() };
        let request_id = ["x-request-id", "request-id"].into_iter().find_map(|name| exchange.header(name));
        ExchangeRecord {
            id: exchange.id,
            scenario: self.scenario.clone(),
            attempt: self.attempt,
            method: request.method.clone(),
            url: (self.mask)(&masked_address(&exchange.url)),
            request_headers: sent,
            request_body: self.body(request.body.as_deref().unwrap_or_default()).text,
            status: exchange.status,
            response_headers: came,
            response_body: body.text,
            response_bytes: exchange.body.len() as u64,
            response_sha256,
            chunks: exchange.chunks.len() as u64,
            transport_error: exchange.failure().map(|failure| (self.mask)(&failure.message)),
            resent: exchange.resent.as_deref().map(|why| (self.mask)(why)),
            request_id: request_id.map(|id| (self.mask)(id)),
            clocks,
        }
    }

    fn header(&self, name: &str, value: &str) -> HeaderRecord {
        (name.to_owned(), if is_secret_header(name) { masked_value(value) } else { (self.mask)(value) })
    }

    fn body(&self, body: &[u8]) -> Kept {
        let Caps { head, tail } = self.caps;
        if body.len() <= head + tail + 2 * MARGIN {
            return Kept { text: (self.mask)(&text_of(body)), cut: false };
        }
        // The margins are masked with the rest and then dropped: they hold whatever a cut has split.
        let start = (self.mask)(&text_of(&body[..head + MARGIN]));
        let end = (self.mask)(&text_of(&body[body.len() - tail - MARGIN..]));
        let start = &start[..start.floor_char_boundary(start.len().saturating_sub(MARGIN))];
        let end = &end[end.ceil_char_boundary(MARGIN.min(end.len()))..];
        Kept { text: format!("{start}\n… {} bytes cut …\n{end}", body.len() - head - tail), cut: true }
    }
}

struct Kept {
    text: String,
    cut: bool,
}

/// A secret value with its scheme left: `Bearer ***`.
fn masked_value(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, _)) if scheme.len() <= 10 && scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("{scheme} ***")
        }
        _ => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::wire::Request;
    use crate::wire::exchange::reply_of;

    fn record(exchange: &Exchange, caps: Caps) -> ExchangeRecord {
        let mask = |text: &str| text.replace("hunter2", "***");
        let scenario = ScenarioId(Arc::from("a/b"));
        Evidence { scenario: &scenario, attempt: 1, caps, mask: &mask }.record(exchange, ClockRecord::default())
    }

    #[test]
    fn secrets_are_masked_everywhere() {
        let mut exchange = reply_of(200, "text/plain", b"you said hunter2");
        exchange.headers.push(("Set-Cookie".to_owned(), Bytes::from_static(b"s=hunter2")));
        exchange.url = "http://host/?key=hunter2".to_owned();
        exchange.request =
            Request::post_raw("/", "text/plain", "I say hunter2").bearer("abc").header("X-Api-Key", "k").header("x", "hunter2");
        let record = record(&exchange, Caps::default());
        let headers: Vec<_> = record.request_headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(headers, ["text/plain", "Bearer ***", "***", "***"]);
        assert_eq!(record.response_headers[1].1, "***");
        let text = serde_json::to_string(&record).expect("JSON");
        assert!(!text.contains("hunter2") && !text.contains("abc"), "{text}");
    }

    #[test]
    fn long_bodies_keep_head_tail_and_hash() {
        let body = format!("{}{}{}", "a".repeat(5000), "é".repeat(5000), "z".repeat(5000));
        let exchange = reply_of(200, "text/plain", body.as_bytes());
        let kept = record(&exchange, Caps { head: 5001, tail: 10 });
        assert!(kept.response_body.starts_with(&"a".repeat(5000)));
        assert!(kept.response_body.ends_with("\n… 14989 bytes cut …\nzzzzzzzzzz"), "{}", &kept.response_body[4990..]);
        assert!(kept.response_body.len() < 5100);
        assert_eq!((kept.response_bytes, kept.response_sha256.len()), (20_000, 64));
        let whole = record(&reply_of(200, "text/plain", b"short"), Caps::default());
        assert_eq!((whole.response_body.as_str(), whole.response_sha256.as_str()), ("short", ""));
    }

    #[test]
    fn a_secret_across_a_cut_leaves_no_part() {
        let caps = Caps { head: 100, tail: 100 };
        for place in 80..120 {
            let mut body = vec![b'.'; 10_000];
            body[place..place + 7].copy_from_slice(b"hunter2");
            body[10_000 - place..10_000 - place + 7].copy_from_slice(b"hunter2");
            let text = record(&reply_of(200, "text/plain", &body), caps).response_body;
            assert!(!text.contains('h') && !text.contains('2'), "{place}: {text}");
        }
    }
}
