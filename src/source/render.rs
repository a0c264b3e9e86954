//! Diagnostics as people see them: `error[code]: …`, `--> file:line:col`, source line, carets, `= help:`.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use console::measure_text_width;

use super::{At, Diagnostic, LineCol, Severity, SourceMap};

/// Longest source line that is shown whole; a longer one (a 12 MB data row, say) is cut around the place. **Units**: columns.
const LONGEST_LINE: usize = 240;
/// How much of a longer line is shown on each side of the place. **Units**: columns.
const AROUND: usize = 40;
/// How much of the place itself is shown then. **Units**: columns.
const MARKED: usize = 60;

/// Draws diagnostics one after another, with a blank line between; `color` adds ANSI colours.
pub fn render(map: &SourceMap, diagnostics: &[Diagnostic], color: bool) -> String {
    // Lines are cut here, where the place is known: the renderer's own cut is put out of reach.
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(4 * LONGEST_LINE);
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        let rule = diagnostic.rule.map(|id| format!("{id}: `fireassay rules {id}` says why"));
        let mut drawn = renderer.render(&[group(map, diagnostic, rule.as_deref())]);
        drawn.push('\n');
        for at in diagnostic.at.iter().chain(diagnostic.notes.iter().filter_map(|(at, _)| at.as_ref())) {
            drawn = with_true_column(map, *at, drawn);
        }
        out.push_str(&drawn);
    }
    out
}

fn group<'a>(map: &'a SourceMap, diagnostic: &'a Diagnostic, rule: Option<&'a str>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code));
    if let Some(at) = diagnostic.at {
        group = group.element(snippet(map, at, AnnotationKind::Primary, &diagnostic.label));
    }
    for (at, text) in &diagnostic.notes {
        group = match at {
            Some(at) => group.element(snippet(map, *at, AnnotationKind::Context, text)),
            None => group.element(Level::NOTE.message(text.as_str())),
        };
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    match rule {
        Some(rule) => group.element(Level::NOTE.message(rule)),
        None => group,
    }
}

/// The renderer counts columns in what is shown; of a cut line the place is that in the file.
fn with_true_column(map: &SourceMap, at: At, drawn: String) -> String {
    let LineCol { line, column } = map.line_col(at);
    let file = map.file(at.file);
    let from = file.line_start(line) as usize;
    let text = &file.text()[from..];
    let text = &text[..text.find('\n').unwrap_or(text.len())];
    let start = floor(text, (at.start as usize).saturating_sub(from).min(text.len()));
    let end = floor(text, (at.end as usize).saturating_sub(from).clamp(start, text.len()));
    let (shown, marked) = cut(text, start..end);
    if matches!(shown, Cow::Borrowed(_)) {
        return drawn;
    }
    let place = format!("{}:{line}:", file.name());
    let counted = shown[..marked.start].chars().count() + 1;
    drawn.replacen(&format!("{place}{counted}\n"), &format!("{place}{column}\n"), 1)
}

/// The lines of one place, cut so that neither a huge file nor a huge line is scanned or printed.
fn snippet<'a>(
    map: &'a SourceMap,
    at: At,
    kind: AnnotationKind,
    label: &'a str,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let file = map.file(at.file);
    let text: &str = file.text();
    let LineCol { line, .. } = map.line_col(at);
    let from = file.line_start(line) as usize;
    let start = floor(text, (at.start as usize).clamp(from, text.len()));
    let to = text[start..].find('\n').map_or(text.len(), |end| start + end);
    let end = floor(text, (at.end as usize).clamp(start, to));
    let (shown, marked) = cut(&text[from..to], start - from..end - from);
    let annotation = kind.span(marked);
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    Snippet::source(shown).path(&**file.name()).line_start(line as usize).annotation(annotation)
}

/// A line as it is shown, and what is marked in it: a long one is cut on both sides of that, the cuts shown as `…`.
fn cut(line: &str, marked: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    if line.len() <= LONGEST_LINE || measure_text_width(line) <= LONGEST_LINE {
        return (Cow::Borrowed(line), marked);
    }
    let from = marked.start - fitting(line[..marked.start].chars().rev(), AROUND);
    let end = marked.start + fitting(line[marked.clone()].chars(), MARKED);
    let to = end + fitting(line[end..].chars(), AROUND);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let shift = |at: usize| at - from + before.len();
    (Cow::Owned(format!("{before}{}{after}", &line[from..to])), shift(marked.start)..shift(end))
}

/// How many bytes of these characters fit into so many columns.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> usize {
    let taken = chars.scan(0, |used, c| {
        *used += measure_text_width(c.encode_utf8(&mut [0; 4]));
        (*used <= columns).then(|| c.len_utf8())
    });
    taken.sum()
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_place_line_caret_and_help() {
        let mut map = SourceMap::new();
        let file = map.add("suites/a.yaml", "name: a\nfeatuers: []\n");
        let at = At { file, start: 8, end: 16 };
        let diagnostic =
            Diagnostic::error("yaml/unknown-key", at, "unknown key `featuers`").help("did you mean `features`?".to_owned());
        let diagnostic = diagnostic.rule("W104");
        let shown = render(&map, &[diagnostic], false);
        for part in [
            "error[yaml/unknown-key]: unknown key `featuers`",
            "suites/a.yaml:2:1",
            "featuers: []",
            "^^^^^^^^",
            "did you mean `features`?",
            "= note: W104: `fireassay rules W104` says why",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
    }

    #[test]
    fn a_huge_line_is_cut_around_the_place() {
        let mut map = SourceMap::new();
        let text = format!("{}HERE{}", "é".repeat(5000), "x".repeat(5000));
        let file = map.add("big.csv", text);
        let shown = render(&map, &[Diagnostic::error("x/y", At { file, start: 10_000, end: 10_004 }, "odd")], false);
        assert!(shown.contains("HERE") && shown.len() < 2000, "{}", shown.len());
    }

    #[test]
    fn the_caret_stands_under_the_word_of_a_cut_line() {
        for (before, after) in [("東京の", "は雨です"), ("the rain ", " in Spain"), ("é", "ü")] {
            let mut map = SourceMap::new();
            let text = format!("first\n{}<contry>{}\nlast", before.repeat(400), after.repeat(400));
            let start = text.find('<').expect("it is there");
            let place = |at: usize| u32::try_from(at).expect("small");
            let file = map.add("a.feature", text);
            let at = At { file, start: place(start), end: place(start + 8) };
            let shown = render(&map, &[Diagnostic::error("x/y", at, "odd").label("here")], false);
            let line = shown.lines().find(|line| line.contains("<contry>")).expect("the line");
            let carets = shown.lines().find(|line| line.contains("^^^")).expect("the carets");
            let column = |line: &str, of: &str| measure_text_width(&line[..line.find(of).expect("it is there")]);
            assert_eq!(column(line, "<contry>"), column(carets, "^^^^^^^^ here"), "{shown}");
            let place = format!("a.feature:2:{}\n", before.chars().count() * 400 + 1);
            assert!(shown.contains(&place), "{place} in {shown}");
            assert!(line.contains("| …") && line.ends_with('…') && measure_text_width(line) < 160, "{shown}");
        }
    }

    #[test]
    fn a_line_of_wide_characters_that_fits_is_shown_whole() {
        let line = format!("{}HERE", "東".repeat(90));
        let at = line.len() - 4;
        assert_eq!(cut(&line, at..at + 4), (Cow::Borrowed(line.as_str()), at..at + 4));
    }
}
