//! Diagnostics as people see them: `error[code]: …`, `--> file:line:col`, source line, carets, `= help:`.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{At, Diagnostic, LineCol, Severity, SourceMap};

/// Longest source line that is shown whole; a longer one (a 12 MB data row, say) is cut around the place.
const LONGEST_LINE: usize = 240;

/// Draws diagnostics one after another, with a blank line between; `color` adds ANSI colours.
pub fn render(map: &SourceMap, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&renderer.render(&[group(map, diagnostic)]));
        out.push('\n');
    }
    out
}

fn group<'a>(map: &'a SourceMap, diagnostic: &'a Diagnostic) -> Group<'a> {
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
    group
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
    let mut from = file.line_start(line) as usize;
    let start = (at.start as usize).clamp(from, text.len());
    let mut to = text[start..].find('\n').map_or(text.len(), |end| start + end);
    if to - from > LONGEST_LINE {
        from = floor(text, from.max(start.saturating_sub(LONGEST_LINE / 2)));
        to = floor(text, to.min(start + LONGEST_LINE / 2)).max(start);
    }
    let end = (at.end as usize).clamp(start, to);
    let annotation = kind.span(start - from..end - from);
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    Snippet::source(&text[from..to]).path(&**file.name()).line_start(line as usize).annotation(annotation)
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
        let shown = render(&map, &[diagnostic], false);
        for part in [
            "error[yaml/unknown-key]: unknown key `featuers`",
            "suites/a.yaml:2:1",
            "featuers: []",
            "^^^^^^^^",
            "did you mean `features`?",
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
}
