//! How is hostile text shown without harm? Model output and logs made safe for XML, for a terminal, for one line, within bounds.
//!
//! Everything here is total: any text gives some text, in time and space bounded by what is asked for.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Longest operating-system command (`ESC ] …`) that is believed to be one; beyond it the text is evidence, not an escape.
const ESCAPE_LIMIT: usize = 2048;

/// Text that XML 1.0 can hold: ANSI sequences taken out, then every character outside
/// `\t \n \r U+20–D7FF U+E000–FFFD U+10000–` dropped. Escaping of `<`, `&` and `>` is the writer's.
pub fn xml_text(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if c == '\x1b' { ansi_length(rest) } else { c.len_utf8() };
        if is_xml(c) {
            out.push(c);
        }
        rest = &rest[skip..];
    }
    Cow::Owned(out)
}

/// Whether XML 1.0 allows the character. U+FFFE and U+FFFF are not; surrogates cannot occur in a `char`.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// Bytes of the escape sequence that begins `text`; 1 (the escape character alone) where none is complete.
fn ansi_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let within = |from: usize, wanted: fn(u8) -> bool| bytes[from..].iter().take_while(|byte| wanted(**byte)).count();
    match bytes.get(1) {
        Some(b'[') => {
            let end = 2 + within(2, |byte| (0x20..=0x3f).contains(&byte));
            if bytes.get(end).is_some_and(|byte| (0x40..=0x7e).contains(byte)) { end + 1 } else { 1 }
        }
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let bound = bytes.len().min(ESCAPE_LIMIT);
            (2..bound)
                .find_map(|at| match bytes[at] {
                    7 => Some(at + 1),
                    0x1b if bytes.get(at + 1) == Some(&b'\\') => Some(at + 2),
                    _ => None,
                })
                .unwrap_or(1)
        }
        Some(0x20..=0x7e) => {
            let end = 1 + within(1, |byte| (0x20..=0x2f).contains(&byte));
            if bytes.get(end).is_some_and(|byte| (0x30..=0x7e).contains(byte)) { end + 1 } else { 1 }
        }
        _ => 1,
    }
}

/// Text that cannot draw on a terminal: control characters, escapes, and characters that reorder or hide text are shown as
/// `\u{1b}`; line ends and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(draws) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\r' {
            out.push_str("\\r");
        } else if draws(c) {
            write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a string takes all");
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would act on the character instead of showing it.
fn draws(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// One line of at most `limit` characters: runs of white space become one space, a cut is marked by `…`.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let (mut count, mut gap) = (0, false);
    for c in text.chars() {
        if c.is_whitespace() {
            gap = !out.is_empty();
            continue;
        }
        let wanted = 1 + usize::from(gap);
        if count + wanted > limit {
            while count >= limit && out.pop().is_some() {
                count -= 1;
            }
            out.push('…');
            return out;
        }
        if gap {
            out.push(' ');
        }
        out.push(c);
        count += wanted;
        gap = false;
    }
    out
}

/// At most about `limit` bytes of a text: head and tail, with the number of bytes cut and the hash of the whole between them.
pub fn clip(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let room = limit.saturating_sub(120);
    let head = text.floor_char_boundary(room * 3 / 4);
    let tail = text.ceil_char_boundary(text.len() - room / 4);
    let hash = format!("{:x}", Sha256::digest(text.as_bytes()));
    Cow::Owned(format!("{}\n… {} bytes cut, sha256 {hash} …\n{}", &text[..head], tail - head, &text[tail..]))
}

/// An amount of memory for people: `98 MiB`, `1.4 GiB`.
pub fn amount(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1000.0 { format!("{mib:.0} MiB") } else { format!("{:.1} GiB", mib / 1024.0) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(filter: fn(&str) -> Cow<'_, str>, text: &str, expect: &str) {
        assert_eq!(filter(text), expect, "{text:?}");
    }

    #[test]
    fn xml_keeps_what_xml_allows_and_no_escape_sequence() {
        check(xml_text, "plain 東京 🎉\t\r\n", "plain 東京 🎉\t\r\n");
        check(xml_text, "a\x1b[31;1mred\x1b[0m b", "ared b");
        check(xml_text, "a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc");
        check(xml_text, "nul\0 bel\x07 vt\x0b \u{fffe}\u{ffff}\u{fffd}", "nul bel vt \u{fffd}");
        check(xml_text, "\x1b(B\x1bM\x1b", "");
        check(xml_text, "open \x1b]no end is text", "open ]no end is text");
        check(xml_text, "\x1b[12", "[12");
        check(xml_text, "\x1b東", "東");
    }

    #[test]
    fn a_terminal_is_not_drawn_on() {
        check(visible, "a\tb\nc", "a\tb\nc");
        check(visible, "\x1b[2J\r\u{202e}x\u{9b}", "\\u{1b}[2J\\r\\u{202e}x\\u{9b}");
        check(visible, "\0\u{7f}", "\\u{0}\\u{7f}");
    }

    #[test]
    fn lines_are_one_and_bounded() {
        assert_eq!(one_line("  a \n\t b  ", 10), "a b");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("東京 大阪", 4), "東京 …");
    }

    #[test]
    fn a_long_text_keeps_head_tail_and_hash() {
        let text = format!("HEAD{}TAIL", "é".repeat(6_000_000));
        let cut = clip(&text, 64 * 1024);
        assert!(cut.len() <= 64 * 1024 && cut.starts_with("HEAD") && cut.ends_with("TAIL"), "{}", cut.len());
        assert!(cut.contains(" bytes cut, sha256 "), "{}", &cut[cut.len() / 2..]);
        assert_eq!(clip("short", 64), "short");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_xml(text in any::<String>()) {
            let kept = xml_text(&text);
            prop_assert!(kept.chars().all(is_xml));
            let plain: String = text.chars().filter(|c| is_xml(*c)).collect();
            if !text.contains('\x1b') {
                prop_assert_eq!(kept.as_ref(), plain);
            }
        }

        #[test]
        fn whatever_comes_is_visible_and_bounded(text in any::<String>(), limit in 1_usize..300) {
            prop_assert!(!visible(&text).chars().any(draws));
            let line = one_line(&text, limit);
            prop_assert!(line.chars().count() <= limit);
            prop_assert!(clip(&text, limit + 130).len() <= limit + 130 || text.len() <= limit + 130);
        }
    }
}
