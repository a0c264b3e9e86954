//! Secrets on their way to a tape: [`Redactor`]. Nothing secret is written, in whatever form it stands in the bytes.
//!
//! A secret gives way to as many asterisks: offsets of chunks, lengths and framing stay as they were.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::bytes::Regex;

/// Shorter texts are no secrets: blotting out `a` everywhere would leave nothing.
const SHORTEST: usize = 6;

/// Blots out known secrets, in plain and in the forms in which they are passed on, and what a pattern matches.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    needles: Vec<Vec<u8>>,
    patterns: Vec<Regex>,
}

impl Redactor {
    /// For these secrets and patterns.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>, patterns: Vec<Regex>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST);
        let mut needles: Vec<Vec<u8>> = long.flat_map(forms).collect();
        // The longest first: a form may hold another one.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles, patterns }
    }

    /// Blots out in place; the length stays. Returns whether there was anything.
    pub fn blot(&self, bytes: &mut [u8]) -> bool {
        let mut found = Vec::new();
        for needle in &self.needles {
            found.extend(memchr::memmem::find_iter(bytes, needle).map(|at| at..at + needle.len()));
        }
        for pattern in &self.patterns {
            found.extend(pattern.find_iter(bytes).map(|found| found.range()));
        }
        for range in &found {
            bytes[range.clone()].fill(b'*');
        }
        !found.is_empty()
    }

    /// A text without its secrets.
    pub fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.blot(&mut bytes);
        // A pattern may end within a character.
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A secret as it stands in texts, in JSON, in addresses, and in base64 at each of its three alignments.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![secret.as_bytes().to_vec(), json.as_bytes()[1..json.len() - 1].to_vec()];
    forms.push(secret.replace('/', "\\/").into_bytes());
    for upper in [true, false] {
        let encoded = |byte: &u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            _ if upper => format!("%{byte:02X}"),
            _ => format!("%{byte:02x}"),
        };
        forms.push(secret.bytes().map(|byte| encoded(&byte)).collect::<String>().into_bytes());
    }
    for engine in [&STANDARD, &URL_SAFE] {
        for before in 0..3 {
            // What shares a group of four with its neighbours depends on them, and is left out.
            let padded = [vec![0; before], secret.as_bytes().to_vec()].concat();
            let encoded = engine.encode(&padded);
            let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            forms.push(encoded.as_bytes()[first..last].to_vec());
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-Küche/17+x?";

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let redactor = Redactor::new([SECRET, "a"], vec![Regex::new("ticket-[0-9]+").unwrap()]);
        let blotted = redactor.text(text);
        assert_eq!(blotted, expect);
        assert_eq!(blotted.len(), text.len(), "offsets stay");
    }

    #[test]
    fn secrets_are_blotted_out_in_every_form() {
        let stars = "*".repeat(SECRET.len());
        check("nothing a here", "nothing a here");
        check(&format!("Bearer {SECRET}, again {SECRET}"), &format!("Bearer {stars}, again {stars}"));
        check("{\"k\":\"sk-Küche\\/17+x?\"}", &format!("{{\"k\":\"{stars}*\"}}"));
        check("?key=sk-K%C3%BCche%2F17%2Bx%3F&b", &format!("?key={}&b", "*".repeat(25)));
        check("?key=sk-K%c3%bcche%2f17%2bx%3f&b", &format!("?key={}&b", "*".repeat(25)));
        check("see ticket-4711.", "see ***********.");
    }

    #[test]
    fn base64_is_blotted_out_wherever_the_secret_begins() {
        for before in ["", "u", "us", "use", "user:"] {
            for engine in [&STANDARD, &URL_SAFE] {
                let text = engine.encode(format!("{before}{SECRET}:pass"));
                let redactor = Redactor::new([SECRET], Vec::new());
                let mut bytes = text.clone().into_bytes();
                assert!(redactor.blot(&mut bytes), "{text}");
                // What is left decodes to no more than the edges.
                let left = engine.decode(String::from_utf8(bytes).unwrap().replace('*', "A")).unwrap();
                assert!(!String::from_utf8_lossy(&left).contains("che"), "{text}");
            }
        }
    }
}
