//! What differs? Expected and actual so that the eye finds it: words marked in short texts, lines beside each other in long ones.

use std::time::Duration;

use similar::{ChangeTag, TextDiff, TextDiffConfig};

use super::paint::{Paint, Tone, wrap};
use crate::report::text::{clip, visible};

/// What is compared at all of one side. **Units**: bytes.
const SIDE_LIMIT: usize = 16 * 1024;
/// Longest text whose words are marked. **Units**: characters.
const INLINE_LIMIT: usize = 240;
/// Lines shown of one comparison.
const LINE_LIMIT: usize = 40;
/// Below this likeness nothing is marked: everything differs.
const ALIKE: f32 = 0.35;
/// A comparison is a service, not a duty.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines that show both sides in `width` columns.
pub(super) fn compare(expected: Option<&str>, actual: Option<&str>, width: usize, paint: Paint) -> Vec<String> {
    let (expected, actual) = (expected.map(|text| clip(text, SIDE_LIMIT)), actual.map(|text| clip(text, SIDE_LIMIT)));
    match (&expected, &actual) {
        (Some(expected), Some(actual)) if expected.lines().count() > 1 && actual.lines().count() > 1 => {
            lines(expected, actual, width, paint)
        }
        (Some(expected), Some(actual)) if short(expected) && short(actual) => words(expected, actual, width, paint),
        _ => {
            let mut out = Vec::new();
            for (word, tone, side) in [("expected", Tone::Good, &expected), ("actual", Tone::Bad, &actual)] {
                if let Some(side) = side {
                    out.extend(labelled(word, tone, side, width, paint));
                }
            }
            out
        }
    }
}

fn short(text: &str) -> bool {
    text.lines().count() <= 1 && text.chars().count() <= INLINE_LIMIT
}

/// `expected  text`, going on under itself, capped.
fn labelled(word: &str, tone: Tone, text: &str, width: usize, paint: Paint) -> Vec<String> {
    let mut out = Vec::new();
    let pieces = if text.is_empty() { vec![paint.tone(Tone::Quiet, "(empty)")] } else { wrap(text, width.saturating_sub(10)) };
    let count = pieces.len();
    for (at, piece) in pieces.into_iter().take(LINE_LIMIT).enumerate() {
        let label = if at == 0 { word } else { "" };
        out.push(format!("{}{piece}", paint.tone(tone, &format!("{label:<10}"))));
    }
    if count > LINE_LIMIT {
        out.push(paint.tone(Tone::Quiet, &format!("{:10}… {} more lines", "", count - LINE_LIMIT)));
    }
    out
}

/// Two short lines, the words that differ marked.
fn words(expected: &str, actual: &str, width: usize, paint: Paint) -> Vec<String> {
    let (expected, actual) = (visible(expected), visible(actual));
    let plain = || {
        let mut out = labelled("expected", Tone::Good, &expected, width, paint);
        out.extend(labelled("actual", Tone::Bad, &actual, width, paint));
        out
    };
    if expected.chars().count().max(actual.chars().count()) + 10 > width || !paint.0 {
        return plain();
    }
    let diff = config().diff_words(expected.as_ref(), actual.as_ref());
    if diff.ratio() < ALIKE {
        return plain();
    }
    let (mut wanted, mut came) = (String::new(), String::new());
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                wanted.push_str(change.value());
                came.push_str(change.value());
            }
            ChangeTag::Delete => wanted.push_str(&paint.tone(Tone::Wanted, change.value())),
            ChangeTag::Insert => came.push_str(&paint.tone(Tone::Came, change.value())),
        }
    }
    vec![format!("{}{wanted}", paint.tone(Tone::Good, "expected  ")), format!("{}{came}", paint.tone(Tone::Bad, "actual    "))]
}

/// A unified diff with two lines around each change.
fn lines(expected: &str, actual: &str, width: usize, paint: Paint) -> Vec<String> {
    let diff = config().diff_lines(expected, actual);
    let legend = [paint.tone(Tone::Good, "- expected"), paint.tone(Tone::Bad, "+ actual")];
    let mut out = vec![legend.join("  ")];
    let mut more = 0;
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            out.push(paint.tone(Tone::Quiet, "  …"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, tone) = match change.tag() {
                ChangeTag::Equal => (" ", Tone::Quiet),
                ChangeTag::Delete => ("-", Tone::Good),
                ChangeTag::Insert => ("+", Tone::Bad),
            };
            for piece in wrap(change.value(), width.saturating_sub(2)) {
                if out.len() > LINE_LIMIT {
                    more += 1;
                } else {
                    out.push(paint.tone(tone, format!("{sign} {piece}").trim_end()));
                }
            }
        }
    }
    if more > 0 {
        out.push(paint.tone(Tone::Quiet, &format!("  … {more} more lines")));
    }
    out
}

fn config() -> TextDiffConfig {
    let mut config = TextDiff::configure();
    config.timeout(PATIENCE);
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Option<&str>, actual: Option<&str>, color: bool, expect: &[&str]) {
        assert_eq!(compare(expected, actual, 60, Paint(color)), expect);
    }

    #[test]
    fn short_texts_stand_below_each_other() {
        check(Some("Paris"), Some("London"), false, &["expected  Paris", "actual    London"]);
        check(None, Some(""), false, &["actual    (empty)"]);
        check(
            Some("it is 18 degrees"),
            Some("it is 19 degrees"),
            true,
            &[
                "\x1b[32mexpected  \x1b[0mit is \x1b[1;32m18\x1b[0m degrees",
                "\x1b[31mactual    \x1b[0mit is \x1b[1;31m19\x1b[0m degrees",
            ],
        );
    }

    #[test]
    fn long_texts_show_only_what_differs() {
        let text = |seventh: &str| (1..=20).map(|n| if n == 7 { seventh.to_owned() } else { n.to_string() }).collect::<Vec<_>>();
        let (one, two) = (text("seven").join("\n"), text("sieben").join("\n"));
        check(Some(&one), Some(&two), false, &["- expected  + actual", "  5", "  6", "- seven", "+ sieben", "  8", "  9"]);
    }

    #[test]
    fn a_comparison_is_bounded_in_lines_and_time() {
        let many = |seed: usize| (0..200_000).map(|n| (n * seed).to_string()).collect::<Vec<_>>().join("\n");
        let shown = compare(Some(&many(3)), Some(&many(7)), 80, Paint(false));
        assert!(shown.len() <= LINE_LIMIT + 2, "{}", shown.len());
        let shown = compare(Some("x"), Some(&"y".repeat(12_000_000)), 80, Paint(false));
        assert!(shown.len() <= LINE_LIMIT + 2, "{}", shown.len());
    }
}
