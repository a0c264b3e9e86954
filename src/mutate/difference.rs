//! How does a changed reply differ from the recorded one? Two exchanges → a few lines.

use similar::{ChangeTag, TextDiff};

use crate::wire::{End, Exchange, text_of};

/// Longest line that is shown. **Units**: characters.
const WIDE: usize = 150;

/// The lines that differ, `-` before and `+` after, at most so many; the rest is counted.
pub(super) fn lines(before: &Exchange, after: &Exchange, most: usize) -> Vec<String> {
    let (old, new) = (text(before), text(after));
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines = Vec::new();
    for change in diff.iter_all_changes() {
        let sign = match change.tag() {
            ChangeTag::Equal => continue,
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
        };
        lines.push(format!("{sign} {}", cut(change.value().trim_end_matches('\n'))));
    }
    let more = lines.len().saturating_sub(most);
    lines.truncate(most);
    if more > 0 {
        lines.push(format!("… and {more} more lines"));
    }
    lines
}

/// An exchange as lines: how it ended, head, body; JSON laid out.
fn text(exchange: &Exchange) -> String {
    let mut out = match &exchange.end {
        End::Complete => String::new(),
        End::HungUp => "(we hung up)\n".to_owned(),
        End::Failed(error) => format!("({})\n", error.message),
    };
    match exchange.status {
        Some(status) => out.push_str(&format!("HTTP {status}\n")),
        None => out.push_str("(no reply)\n"),
    }
    for (name, value) in &exchange.headers {
        out.push_str(&format!("{name}: {}\n", text_of(value)));
    }
    out.push('\n');
    match exchange.json().ok().and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        Some(pretty) => out.push_str(&pretty),
        None => out.push_str(&text_of(&exchange.body).replace('\r', "\u{240D}")),
    }
    out.push('\n');
    out
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None if line.is_empty() => "(a blank line)".to_owned(),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::reply_of;

    #[track_caller]
    fn check(before: &Exchange, after: &Exchange, expect: &[&str]) {
        assert_eq!(lines(before, after, 3), expect);
    }

    #[test]
    fn what_differs_is_shown_and_nothing_else() {
        let json = |body: &str| reply_of(200, "application/json", body.as_bytes());
        let good = json(r#"{"id":"a","n":1}"#);
        check(&good, &json(r#"{ "id": "a", "n": 2 }"#), &["-   \"n\": 1", "+   \"n\": 2"]);
        check(&good, &reply_of(500, "application/json", &good.body), &["- HTTP 200", "+ HTTP 500"]);
        check(&json("{"), &json("a\nb\nc\nd"), &["- {", "+ a", "+ b", "… and 2 more lines"]);
        check(&good, &good, &[]);
    }
}
