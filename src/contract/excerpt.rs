//! Which bytes is a finding about? A JSON path → its byte range in the raw text, and a bounded excerpt around it.
//!
//! Runs only where something was found, so it favours the exact over the quick.

use std::ops::Range;

/// Longest excerpt. **Units**: bytes.
pub(super) const EXCERPT: usize = 240;

/// A text cut to at most `most` bytes, with a mark where something is missing.
pub(super) fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

/// The bytes of a range as text; the middle is left out of a long one, a short one gets what stands around it.
pub(super) fn cut(body: &[u8], range: Range<usize>) -> String {
    let (start, end) = (range.start.min(body.len()), range.end.min(body.len()).max(range.start.min(body.len())));
    if end - start <= EXCERPT {
        return String::from_utf8_lossy(&body[start..end]).trim_end().to_owned();
    }
    let half = EXCERPT / 2;
    let head = String::from_utf8_lossy(&body[start..start + half]);
    let tail = String::from_utf8_lossy(&body[end - half..end]);
    format!("{} … {}", head.trim_matches('\u{FFFD}'), tail.trim_matches('\u{FFFD}').trim_end())
}

/// The range of the value at a path such as `choices[0].message.content`; the deepest part of it that is there, with its key.
pub(super) fn locate(body: &[u8], within: Range<usize>, path: &str) -> Range<usize> {
    let mut found = within.clone();
    let mut at = within.start;
    for segment in segments(path) {
        let Some((start, end, value)) = child(&body[..within.end], at, &segment) else { break };
        found = start..end;
        at = value;
    }
    found
}

enum Segment<'a> {
    Key(&'a str),
    Place(usize),
}

fn segments(path: &str) -> Vec<Segment<'_>> {
    let mut list = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !name.is_empty() {
            list.push(Segment::Key(name));
        }
        while let Some((place, more)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            list.push(Segment::Place(place.parse().unwrap_or(0)));
            rest = more;
        }
    }
    list
}

/// The child of the object or list that begins at or after `at`: its start with key, its end, and where its value begins.
fn child(body: &[u8], at: usize, segment: &Segment<'_>) -> Option<(usize, usize, usize)> {
    let mut at = body[at..].iter().position(|byte| matches!(byte, b'{' | b'['))? + at;
    let object = body[at] == b'{';
    at += 1;
    for place in 0.. {
        at = space(body, at);
        if matches!(body.get(at), None | Some(b'}' | b']')) {
            return None;
        }
        let start = at;
        let mut hit = matches!(segment, Segment::Place(wanted) if !object && *wanted == place);
        if object {
            let end = skip(body, at)?;
            hit = matches!(segment, Segment::Key(key) if body.get(at + 1..end - 1) == Some(key.as_bytes()));
            at = space(body, end);
            at = space(body, at + usize::from(body.get(at) == Some(&b':')));
        }
        let end = skip(body, at)?;
        if hit {
            return Some((start, end, at));
        }
        at = space(body, end);
        at += usize::from(body.get(at) == Some(&b','));
    }
    None
}

fn space(body: &[u8], at: usize) -> usize {
    at + body.get(at..).map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count())
}

/// Where the value that begins at `at` ends.
fn skip(body: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut place = at;
    loop {
        match *body.get(place)? {
            b'"' => {
                place += 1;
                while *body.get(place)? != b'"' {
                    place += if body[place] == b'\\' { 2 } else { 1 };
                }
                place += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                place += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                place += 1;
            }
            b',' | b':' if depth > 0 => {
                place += 1;
                continue;
            }
            byte if byte.is_ascii_whitespace() && depth > 0 => {
                place += 1;
                continue;
            }
            _ => {
                let rest = &body[place..];
                let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
                place += length.max(1);
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expect: &str) {
        let body = br#"{"id": "a,}\"", "choices":[{"index":0},{"delta" : {"role":null, "n":-1.5e3}}], "x":[[1],[2,3]]}"#;
        let range = locate(body, 0..body.len(), path);
        assert_eq!(std::str::from_utf8(&body[range]).expect("text"), expect);
    }

    #[test]
    fn paths_are_found_in_raw_text() {
        check("id", r#""id": "a,}\"""#);
        check("choices[0].index", r#""index":0"#);
        check("choices[1].delta.role", r#""role":null"#);
        check("choices[1].delta.n", r#""n":-1.5e3"#);
        check("x[1][1]", "3");
        check("choices[0].delta.role", r#"{"index":0}"#);
    }

    #[test]
    fn long_excerpts_keep_both_ends() {
        let body = "é".repeat(400);
        let text = cut(body.as_bytes(), 1..800);
        assert!(text.len() < 260 && text.contains(" … ") && !text.contains('\u{FFFD}'), "{text}");
        assert_eq!(bounded("ééé", 3), "é…");
    }
}
