//! What stands in one line? Its indentation, tags, cells and doc-string text, each with byte offsets.

use std::borrow::Cow;
use std::ops::Range;

/// The lines of a text, one after another; a clone looks ahead.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    text: &'a str,
    next: usize,
    number: u32,
}

/// One line without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// From 1.
    pub number: u32,
    /// Byte offset of the line in the text.
    pub start: usize,
    /// The line as written.
    pub raw: &'a str,
    /// The line from its first character that is not blank.
    pub text: &'a str,
}

impl<'a> Lines<'a> {
    /// Starts at the top of a text, behind its byte order mark.
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, next: if text.starts_with('\u{feff}') { 3 } else { 0 }, number: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.next;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = memchr::memchr(b'\n', rest.as_bytes());
        self.next = start + length.map_or(rest.len(), |length| length + 1);
        self.number += 1;
        let raw = rest[..length.unwrap_or(rest.len())].trim_end_matches('\r');
        Some(Line { number: self.number, start, raw, text: raw.trim_start() })
    }
}

impl<'a> Line<'a> {
    /// Byte offset of the first character that is not blank.
    pub(super) fn text_start(&self) -> usize {
        self.start + self.raw.len() - self.text.len()
    }

    /// How many characters stand before the text.
    pub(super) fn indent(&self) -> usize {
        self.raw[..self.raw.len() - self.text.len()].chars().count()
    }

    /// The range of the text without blanks at its end.
    pub(super) fn range(&self) -> Range<usize> {
        let start = self.text_start();
        start..start + self.text.trim_end().len()
    }

    /// What follows a keyword of that many bytes, trimmed; a point behind the line's text where nothing does.
    pub(super) fn rest(&self, keyword: usize) -> Range<usize> {
        let end = self.range().end;
        let rest = &self.text[keyword..];
        let start = self.text_start() + keyword + rest.len() - rest.trim_start().len();
        start.min(end)..end
    }

    /// The line without the first `indent` blanks; one with fewer blanks loses all of them.
    pub(super) fn dedented(&self, indent: usize) -> &'a str {
        let blanks = self.raw.len() - self.text.len();
        match self.raw[..blanks].char_indices().map(|(at, _)| at).chain([blanks]).nth(indent) {
            Some(at) => &self.raw[at..],
            None => self.text,
        }
    }

    /// The tags of a tag line; blanks between `@` and the name are let through. **Errors**: the range of the first tag that
    /// holds a blank elsewhere.
    pub(super) fn tags(&self) -> Result<Vec<Range<usize>>, Range<usize>> {
        let mut text = self.text;
        let blank_before = |at: &usize| text[..*at].ends_with(char::is_whitespace);
        if let Some(at) = memchr::memchr_iter(b'#', text.as_bytes()).find(blank_before) {
            text = &text[..at];
        }
        let ends = memchr::memchr_iter(b'@', text.as_bytes()).skip(1).chain([text.len()]);
        let mut from = 0;
        let mut tags = Vec::new();
        for end in ends {
            let tag = text[from..end].trim_end();
            let start = self.text_start() + from;
            from = end;
            if tag[1..].trim_start().contains(char::is_whitespace) {
                return Err(start..start + tag.len());
            }
            tags.push(start..start + tag.len());
        }
        Ok(tags)
    }

    /// Hands over the range and the unescaped text of each cell of a table row.
    pub(super) fn cells(&self, mut each: impl FnMut(Range<usize>, Cow<'a, str>)) {
        let row = self.text.trim_end();
        let bytes = row.as_bytes();
        let (mut at, mut cell, mut escaped) = (0, None, false);
        while let Some(found) = memchr::memchr2(b'|', b'\\', &bytes[at..]) {
            at += found;
            if bytes[at] == b'\\' {
                escaped = true;
                at += 1 + row[at + 1..].chars().next().map_or(0, char::len_utf8);
                continue;
            }
            if let Some(start) = cell {
                let written: &str = &row[start..at];
                let text = written.trim_start();
                let from = self.text_start() + at - text.len();
                let text = text.trim_end();
                each(from..from + text.len(), if escaped { unescape_cell(text).into() } else { text.into() });
            }
            at += 1;
            (cell, escaped) = (Some(at), false);
        }
    }
}

/// Undoes `\|`, `\\` and `\n` of a cell; any other backslash stays.
pub(super) fn unescape_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some(plain @ ('|' | '\\')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// Undoes the escaped fence inside a doc string.
pub(super) fn unescape_fence<'a>(line: &'a str, fence: &str) -> Cow<'a, str> {
    let escaped = if fence == "```" { "\\`\\`\\`" } else { "\\\"\\\"\\\"" };
    if line.contains(escaped) { line.replace(escaped, fence).into() } else { line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        Lines::of(text).next().expect("one line")
    }

    #[track_caller]
    fn check_cells(text: &str, expected: &[(usize, &str)]) {
        let mut cells = Vec::new();
        line(text).cells(|at, value| cells.push((at.start, value.into_owned())));
        let expected: Vec<_> = expected.iter().map(|&(at, value)| (at, value.to_owned())).collect();
        assert_eq!(cells, expected, "{text}");
    }

    #[test]
    fn cells_are_trimmed_unescaped_and_placed() {
        check_cells("  | a | b c |", &[(4, "a"), (8, "b c")]);
        check_cells(r"| a\|b | \\n | \n\n |", &[(2, "a|b"), (9, r"\n"), (15, "\n\n")]);
        check_cells("| |", &[(2, "")]);
        check_cells("||", &[(1, "")]);
        check_cells("|", &[]);
        check_cells("| a | rest", &[(2, "a")]);
        check_cells(r"| a \", &[]);
        check_cells(r"| a\d # x |", &[(2, r"a\d # x")]);
        check_cells("|\u{a0}é\u{a0}|", &[(3, "é")]);
    }

    #[track_caller]
    fn check_tags(text: &str, expected: Result<&[&str], &str>) {
        let cut = |at: Range<usize>| &text[at];
        let tags = line(text).tags().map(|tags| tags.into_iter().map(cut).collect::<Vec<_>>()).map_err(cut);
        assert_eq!(tags.as_deref().map_err(|tag| *tag), expected, "{text}");
    }

    #[test]
    fn tags_end_at_a_blank_an_at_sign_or_a_comment() {
        check_tags(" @a @b-c  ", Ok(&["@a", "@b-c"]));
        check_tags("@a@b", Ok(&["@a", "@b"]));
        check_tags("@a#1 #@b", Ok(&["@a#1"]));
        check_tags("@a b @c", Err("@a b"));
        check_tags("@ a", Ok(&["@ a"]));
        check_tags("@a @", Ok(&["@a", "@"]));
    }

    #[test]
    fn a_line_loses_at_most_the_blanks_it_has() {
        assert_eq!(line("    a  ").dedented(2), "  a  ");
        assert_eq!(line("  a").dedented(4), "a");
        assert_eq!(line("\t\u{a0} a").dedented(2), " a");
        assert_eq!(line("   ").dedented(3), "");
    }

    #[test]
    fn lines_end_with_either_newline_and_start_behind_the_byte_order_mark() {
        let lines: Vec<_> = Lines::of("\u{feff}a\r\n\n b").map(|line| (line.number, line.start, line.raw)).collect();
        assert_eq!(lines, [(1, 3, "a"), (2, 6, ""), (3, 7, " b")]);
        assert_eq!(Lines::of("").count(), 0);
    }
}
