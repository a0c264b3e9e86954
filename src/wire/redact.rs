//! Secrets out of what is written: [`Redactor`]. Nothing secret is left, in whatever form it stands in the bytes.
//!
//! On a tape a secret gives way to as many asterisks: offsets of chunks, lengths and framing stay as they were.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::bytes::Regex;

use super::pieces;

/// Shorter texts are no secrets: blotting out `a` everywhere would leave nothing.
const SHORTEST: usize = 6;
/// So much of a secret beside a place where a text was cut is enough to know it.
const EDGE: usize = 8;
/// What tells people that a text was cut.
const CUT: &str = "…";

/// Blots out known secrets, in plain and in the forms in which they are passed on, and what a pattern matches.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Every form of every secret, the longest first.
    needles: Vec<String>,
    /// The needles as one.
    any: Option<Regex>,
    patterns: Vec<Regex>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("patterns", &self.patterns).finish_non_exhaustive()
    }
}

impl Redactor {
    /// For these secrets and patterns.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>, patterns: Vec<Regex>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST);
        let mut needles: Vec<String> = long.flat_map(forms).collect();
        // The longest first: a form may begin with another one.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        let any = needles.iter().map(|needle| regex::escape(needle)).collect::<Vec<_>>().join("|");
        let any = (!needles.is_empty()).then(|| Regex::new(&any).expect("an alternation of plain texts"));
        Self { needles, any, patterns }
    }

    /// Whether nothing is secret.
    pub fn is_empty(&self) -> bool {
        self.any.is_none() && self.patterns.is_empty()
    }

    /// Blots out in place; the length stays. Returns whether there was anything.
    pub fn blot(&self, bytes: &mut [u8]) -> bool {
        let found = self.found(bytes);
        for range in &found {
            bytes[range.clone()].fill(b'*');
        }
        !found.is_empty()
    }

    /// A text without its secrets: each is `***`. Where it was cut, no part of one is left either.
    pub fn text(&self, text: &str) -> String {
        let mut found = self.found(text.as_bytes());
        if self.any.is_some() && text.contains(CUT) {
            found.extend(self.edges(text));
            found = merged(found);
        }
        let (mut out, mut from) = (String::with_capacity(text.len()), 0);
        for range in found {
            // A pattern may begin or end within a character.
            out.push_str(&text[from..text.floor_char_boundary(range.start).max(from)]);
            out.push_str("***");
            from = text.ceil_char_boundary(range.end);
        }
        out.push_str(&text[from..]);
        out
    }

    /// Where secrets are, in order: in one piece, or over the events of a stream.
    fn found(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut found = self.in_one_piece(bytes);
        for text in pieces::of_stream(bytes) {
            found.extend(self.in_one_piece(&text.joined).into_iter().flat_map(|range| text.places(range)));
        }
        merged(found)
    }

    fn in_one_piece(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if let Some(any) = &self.any {
            let mut from = 0;
            // Forms may overlap: the next one may begin within the last.
            while let Some(one) = any.find_at(bytes, from) {
                from = one.start() + 1;
                found.push(one.range());
            }
        }
        for pattern in &self.patterns {
            found.extend(pattern.find_iter(bytes).map(|one| one.range()).filter(|range| !range.is_empty()));
        }
        found
    }

    /// Beginnings of secrets before a cut, and ends of them after one.
    fn edges(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (at, _) in text.match_indices(CUT) {
            // What is said between two marks (`… 12 bytes cut …`) may have blanks around it.
            let before = text[..at].trim_end().as_bytes();
            let start = at + CUT.len();
            let after = text[start..].trim_start();
            let start = start + (text.len() - start - after.len());
            for needle in self.needles.iter().map(String::as_bytes).filter(|needle| needle.len() > EDGE) {
                let lengths = || (EDGE..needle.len()).rev();
                if let Some(length) = lengths().find(|length| before.ends_with(&needle[..*length])) {
                    found.push(before.len() - length..before.len());
                }
                if let Some(length) = lengths().find(|length| after.as_bytes().starts_with(&needle[needle.len() - length..])) {
                    found.push(start..start + length);
                }
            }
        }
        found
    }
}

/// Ranges in order, those that touch as one.
fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A secret as it stands in texts, in JSON, in HTML, in addresses, and in base64 at each of its three alignments.
fn forms(secret: &str) -> Vec<String> {
    let json = in_json(secret);
    let ascii = in_ascii(&json);
    let mut forms = vec![secret.to_owned(), json.clone(), in_json(&json), ascii.clone(), ascii.to_uppercase_escapes()];
    forms.push(in_json(&ascii));
    forms.push(secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"));
    for upper in [true, false] {
        // What one encoder leaves as it is, the next one writes in hex.
        for plain in ["", "!*'()", "!*'():@/", "!$&'()*+,;=:@/"] {
            forms.push(in_address(secret, plain, upper));
        }
        forms.push(in_address(secret, " ", upper).replace(' ', "+"));
    }
    for engine in [&STANDARD, &URL_SAFE] {
        for before in 0..3 {
            // What shares a group of four with its neighbours depends on them, and is left out.
            let padded = [vec![0; before], secret.as_bytes().to_vec()].concat();
            let encoded = engine.encode(&padded);
            let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
            let encoded = encoded[first..last].to_owned();
            forms.extend([true, false].map(|upper| in_address(&encoded, "", upper)));
            forms.push(encoded);
        }
    }
    let escaped: Vec<String> = forms.iter().filter(|form| form.contains('/')).map(|form| form.replace('/', "\\/")).collect();
    forms.extend(escaped);
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

fn in_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// JSON in which nothing but ASCII stands: `K\u00fcche`.
fn in_ascii(json: &str) -> String {
    let mut units = [0; 2];
    let escaped = |c: char, units: &mut [u16; 2]| c.encode_utf16(units).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    json.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c, &mut units) }).collect()
}

fn in_address(text: &str, plain: &str, upper: bool) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if plain.as_bytes().contains(&byte) => char::from(byte).to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(encoded).collect()
}

trait Escapes {
    fn to_uppercase_escapes(&self) -> String;
}

impl Escapes for String {
    /// `\u00fc` as `\u00FC`.
    fn to_uppercase_escapes(&self) -> String {
        let mut parts = self.split("\\u");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| {
            let digits = part.floor_char_boundary(4);
            out + "\\u" + &part[..digits].to_ascii_uppercase() + &part[digits..]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-Küche/17+x?";

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let redactor = Redactor::new([SECRET, "a"], vec![Regex::new("ticket-[0-9]+").unwrap()]);
        assert_eq!(redactor.text(text), expect);
        let mut bytes = text.as_bytes().to_vec();
        assert_eq!(redactor.blot(&mut bytes), text != expect);
        assert_eq!(bytes.len(), text.len(), "offsets stay");
        let left = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(left.split('*').filter(|part| !part.is_empty()).collect::<String>(), expect.replace('*', ""));
    }

    #[test]
    fn secrets_are_blotted_out_in_every_form() {
        check("nothing a here", "nothing a here");
        check(&format!("Bearer {SECRET}, again {SECRET}"), "Bearer ***, again ***");
        check("{\"k\":\"sk-Küche\\/17+x?\"}", "{\"k\":\"***\"}");
        check("{\"k\":\"sk-K\\u00fcche/17+x?\"}", "{\"k\":\"***\"}");
        check("{\"k\":\"sk-K\\u00FCche\\/17+x?\"}", "{\"k\":\"***\"}");
        check("?key=sk-K%C3%BCche%2F17%2Bx%3F&b", "?key=***&b");
        check("?key=sk-K%c3%bcche%2f17%2bx%3f&b", "?key=***&b");
        check("?key=sk-K%C3%BCche/17%2Bx%3F&b", "?key=***&b");
        check("see ticket-4711.", "see ***.");
    }

    #[test]
    fn quotes_within_json_within_json() {
        let redactor = Redactor::new(["pass\"word\\17<&>"], Vec::new());
        let json = |value: &str| serde_json::Value::from(value).to_string();
        for text in [json("pass\"word\\17<&>"), json(&json("pass\"word\\17<&>")), "pass&quot;word\\17&lt;&amp;&gt;".to_owned()] {
            let left = redactor.text(&text);
            assert!(!left.contains("pass") && !left.contains("17"), "{text}: {left}");
        }
    }

    #[test]
    fn base64_is_blotted_out_wherever_the_secret_begins() {
        for before in ["", "u", "us", "use", "user:"] {
            for engine in [&STANDARD, &URL_SAFE] {
                let text = engine.encode(format!("{before}{SECRET}:pass"));
                let redactor = Redactor::new([SECRET], Vec::new());
                for sent in [text.clone(), in_address(&text, "", true)] {
                    let mut bytes = sent.clone().into_bytes();
                    assert!(redactor.blot(&mut bytes), "{sent}");
                }
                let mut bytes = text.clone().into_bytes();
                redactor.blot(&mut bytes);
                // What is left decodes to no more than the edges.
                let left = engine.decode(String::from_utf8(bytes).unwrap().replace('*', "A")).unwrap();
                assert!(!String::from_utf8_lossy(&left).contains("che"), "{text}");
            }
        }
    }

    #[test]
    fn what_a_stream_says_piece_by_piece_is_blotted_out() {
        let event = |text: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
        let mut stream: Vec<u8> = ["The key is sk", "-K", "üche/17", "+x?", "."].map(event).concat().into_bytes();
        assert!(Redactor::new([SECRET], Vec::new()).blot(&mut stream));
        let left = String::from_utf8(stream).unwrap();
        let expect = ["The key is **", "**", "********", "***", "."].map(event).concat();
        assert_eq!(left, expect);
        assert_eq!(Redactor::new([SECRET], Vec::new()).text(&left), left);
    }

    #[test]
    fn where_a_text_was_cut_no_part_is_left() {
        let redactor = Redactor::new(["sk-planted-0123456789"], Vec::new());
        assert_eq!(redactor.text("key sk-planted-012…"), "key ***…");
        assert_eq!(redactor.text("key sk-planted-012\n… 12 bytes cut …\n-0123456789."), "key ***\n… 12 bytes cut …\n***.");
        assert_eq!(redactor.text("key sk-pla…"), "key sk-pla…", "too little to be known");
    }
}
