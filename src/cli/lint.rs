//! What is wrong with the arguments of planned steps: bad patterns, paths, JSON, schemas, tables, each under its own caret.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use crate::event::Place;
use crate::plan::{Catalogue, Plan, StepPlan};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};
use crate::steps::{BadArgument, Part};

/// Looks at every distinct step of a plan once.
pub(super) fn lint(map: &SourceMap, plan: &Plan, catalogue: &Catalogue) -> Diagnostics {
    let files: HashMap<&str, FileId> = map.files().map(|(id, file)| (&**file.name(), id)).collect();
    let (mut seen, mut places) = (HashSet::new(), HashSet::new());
    let mut found = Diagnostics::new();
    let features = plan.cells.iter().flat_map(|cell| &cell.features);
    for step in features.flat_map(|feature| &feature.scenarios).flat_map(|scenario| scenario.steps.iter()) {
        if !seen.insert(Arc::as_ptr(step)) {
            continue;
        }
        let def = catalogue.def(step.def);
        let Some(BadArgument { words, part, offered }) =
            crate::steps::lint(def, &step.captures, step.doc.as_ref(), step.table.as_deref())
        else {
            continue;
        };
        if places.insert((step.at.clone(), words.clone())) {
            let at = files.get(&*step.at.file).map(|&file| marked(map, file, step, &part));
            found.push(Diagnostic::error("step/bad-argument", at, words).rule(offered.then_some("W104")));
        }
    }
    found
}

/// The part of a step in its file; where it does not stand there as it is (a value of a row, say), the step.
fn marked(map: &SourceMap, file: FileId, step: &StepPlan, part: &Part) -> At {
    let whole = covered(map, file, &step.at);
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let within =
        |range: Range<usize>| At { file, start: whole.start + narrow(range.start), end: whole.start + narrow(range.end) };
    let values: Vec<&str> = step.captures.iter().skip(1).map(|(_, text)| text.as_str()).collect();
    let feature = step.at.file.ends_with(".feature");
    let text = &map.file(file).text()[whole.start as usize..];
    let found = match part {
        Part::Value(number) if feature => value(map.slice(whole), &values, *number),
        Part::Value(number) => written(map.slice(whole), values.get(number - 1).copied().unwrap_or_default()),
        Part::Below(pointer) if pointer.is_empty() && feature => first_below(text),
        Part::Below(pointer) if pointer.is_empty() => None,
        Part::Below(pointer) => key(text, pointer),
    };
    found.map_or(whole, within)
}

/// The step's sentence in its file, from its keyword to the end of its line.
fn covered(map: &SourceMap, file: FileId, place: &Place) -> At {
    let source = map.file(file);
    let start = source.offset(place.line, place.column);
    let rest = source.text()[start as usize..].lines().next().unwrap_or("").trim_end();
    At { file, start, end: start + u32::try_from(rest.len()).unwrap_or_default() }
}

/// A value of a sentence in the line it stands in: each behind the one before it; where a row filled it in, the quoted text
/// of its number.
fn value(line: &str, values: &[&str], number: usize) -> Option<Range<usize>> {
    let mut from = 0;
    for (at, text) in (1..).zip(values.iter().take(number)) {
        let found = word(&line[from..], text).map(|range| range.start + from..range.end + from);
        if at == number && found.is_some() {
            return found;
        }
        from = found.map_or(from, |range| range.end);
    }
    let is_quoted = |text: &&&str| text.starts_with('"');
    values.get(number - 1).filter(is_quoted)?;
    quoted(line).nth(values.iter().take(number).filter(is_quoted).count() - 1)
}

/// A value of a case where it stands in its file: in quotes, or bare behind its key, or as the key.
fn written(line: &str, text: &str) -> Option<Range<usize>> {
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let behind = line.find(": ").map_or(0, |colon| colon + 2);
    let after = word(&line[behind..], bare).map(|range| range.start + behind..range.end + behind);
    word(line, text).or(after).or_else(|| word(line, bare))
}

/// The first place where a text stands and is no part of a longer word.
fn word(line: &str, text: &str) -> Option<Range<usize>> {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let ends = (letter(text.chars().next()), letter(text.chars().next_back()));
    let alone = |&(at, _): &(usize, &str)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + text.len()..].chars().next());
        !(ends.0 && letter(before) || ends.1 && letter(after))
    };
    let (at, _) = line.match_indices(text).find(alone).filter(|_| !text.is_empty())?;
    Some(at..at + text.len())
}

/// The quoted texts of a line, quotes included.
fn quoted(line: &str) -> impl Iterator<Item = Range<usize>> {
    let mut quotes = line.bytes().enumerate().scan(false, |escaped, (at, byte)| {
        let quote = byte == b'"' && !*escaped;
        *escaped = byte == b'\\' && !*escaped;
        Some((at, quote))
    });
    std::iter::from_fn(move || {
        let mut next = || quotes.find(|(_, quote)| *quote).map(|(at, _)| at);
        Some(next()?..next()? + 1)
    })
}

/// The first line below a step: the fence of its doc string, or the first row of its table.
fn first_below(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        from += line.len();
        (from - line.len(), line)
    });
    lines.next();
    let (start, line) = lines.find(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))?;
    let start = start + line.len() - line.trim_start().len();
    Some(start..start + line.trim().len())
}

/// The key that a JSON pointer names, in text that holds its keys in that order.
fn key(text: &str, pointer: &str) -> Option<Range<usize>> {
    let mut found = None;
    let mut from = 0;
    for name in pointer.split('/').skip(1).filter(|part| part.parse::<usize>().is_err()) {
        let name = name.replace("~1", "/").replace("~0", "~");
        let at = text[from..].match_indices(name.as_str()).map(|(at, _)| from + at).find(|&at| {
            let behind = text[at + name.len()..].trim_start_matches(['"', '\'']).trim_start();
            behind.starts_with(':') && !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-')
        })?;
        from = at + name.len();
        found = Some(at..from);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_sentence_is_marked_in_its_line() {
        let check = |line: &str, values: &[&str], number: usize, expect: Option<&str>| {
            assert_eq!(value(line, values, number).map(|range| &line[range]), expect, "{line}");
        };
        check(r#"Then the header "a" mentions """#, &[r#""a""#, r#""""#], 2, Some(r#""""#));
        check(r#"Then the reply's "a" is a(n) a"#, &[r#""a""#, "a"], 2, Some("a"));
        check(r#"When I ask "10 times" 0 times"#, &[r#""10 times""#, "0"], 2, Some("0"));
        check(r#"Then the reply's "<path>" matches "<b>""#, &[r#""x""#, r#""(""#], 2, Some(r#""<b>""#));
        check(r#"Then the reply matches "\"<b>[""#, &[r#""\"x[""#], 1, Some(r#""\"<b>[""#));
        check("Then the status is <status>", &["-1"], 1, None);
    }

    #[test]
    fn the_value_of_a_case_is_marked_in_its_line() {
        let check = |line: &str, text: &str, expect: Range<usize>| assert_eq!(written(line, text), Some(expect), "{line}");
        check("matches: '[0-9'", r#""[0-9""#, 10..14);
        check(r#"matches: "(""#, r#""(""#, 9..12);
        check("mentions: mentions", r#""mentions""#, 10..18);
        check("a..b: 1}", r#""a..b""#, 0..4);
    }

    #[test]
    fn a_key_is_found_by_the_keys_above_it() {
        let text = "schema:\n  type: object\n  properties:\n    capital: {type: strng}\n";
        assert_eq!(key(text, "/properties/capital/type"), Some(text.rfind("type").map(|at| at..at + 4).expect("it is there")));
        assert_eq!(key(text, "/properties/country/type"), None);
    }

    #[test]
    fn what_stands_below_begins_with_its_first_line() {
        let text = "Then the reply fits the schema:\n\n  # a comment\n    \"\"\"yaml\n    {\n";
        assert_eq!(first_below(text).map(|range| &text[range]), Some("\"\"\"yaml"));
        assert_eq!(first_below("Then x:"), None);
    }
}
