//! What do we say about a line that fits nowhere? One constructor per kind of mistake.
//!
//! Other lines are named in words ("opened on line 3"), never as second places: every place shown is the place of a mistake.

use super::dialect::{Dialect, Title};
use super::parse::{Inside, Opening, State, titles_after};
use super::tree::Uneven;
use crate::source::{At, Diagnostic, meant};

/// A line that may not stand here.
pub(super) fn unexpected(at: At, text: &str, state: State, dialect: &Dialect) -> Diagnostic {
    let inside = match state {
        State::Background(inside) | State::Scenario(inside) => Some(inside),
        _ => None,
    };
    let fence = text.starts_with("\"\"\"") || text.starts_with("```");
    if fence && matches!(inside, Some(Inside::DocString | Inside::LastTable | Inside::Full)) {
        return Diagnostic::error("gherkin/repeated-argument", at, "a step takes one doc string")
            .label("this step has its doc string already")
            .help("join the two, or write another step".to_owned());
    }
    if text.starts_with('|') && inside == Some(Inside::Full) {
        return Diagnostic::error("gherkin/repeated-argument", at, "a step takes one table")
            .label("this step has its table already")
            .help("join the two, or write another step".to_owned());
    }
    Diagnostic::error("gherkin/unexpected-line", at, format!("expected {}", one_of(&expected(state, dialect))))
        .label("none of these")
        .help(next_move(text, state, dialect))
}

/// The file ends where something must follow.
pub(super) fn unexpected_end(at: At, state: State, dialect: &Dialect) -> Diagnostic {
    let (message, help) = match state {
        State::Tags(owner) if owner != Title::Feature => {
            ("the file ends after tags that belong to nothing".to_owned(), "write below them what they tag, or remove them")
        }
        _ => (format!("the file ends, but expected {}", one_of(&expected(state, dialect))), "write the feature"),
    };
    Diagnostic::error("gherkin/unexpected-end", at, message).label("end of file").help(help.to_owned())
}

/// The file ends inside a doc string: shown where it opens, or, at the end of the file, with the line on which it opened.
pub(super) fn open_doc_string(at: At, fence: &str, opened_on: Option<u32>) -> Diagnostic {
    let (message, label) = match opened_on {
        Some(line) => (format!("the doc string opened on line {line} is not closed"), "end of file"),
        None => ("the doc string is not closed".to_owned(), "opened here, not closed before the end of the file"),
    };
    Diagnostic::error("gherkin/unexpected-end", at, message).label(label).help(format!("close it with a line `{fence}`"))
}

/// A row of another width than the table's first.
pub(super) fn uneven_row(row: &Uneven) -> Diagnostic {
    let count = |n| if n == 1 { "1 cell".to_owned() } else { format!("{n} cells") };
    Diagnostic::error("gherkin/uneven-table", row.at, "all rows of a table need the same number of cells")
        .label(format!("{} here, {} in the first row", count(row.cells), count(row.expected)))
        .help("each cell ends with `|`; a bar inside a cell is written `\\|`".to_owned())
}

/// A tag with a blank in it.
pub(super) fn blank_in_tag(at: At, name: &str) -> Diagnostic {
    let joined: Vec<&str> = name.split_whitespace().collect();
    Diagnostic::error("gherkin/bad-tag", at, "a tag may not contain a blank").label("this begins with no `@`").help(format!(
        "write `{}`, or `{}`, or put `#` before a comment",
        joined.join("-"),
        joined.join(" @").replace("@@", "@")
    ))
}

/// A `# language:` that nobody knows.
pub(super) fn unknown_language(at: At, code: &str) -> Diagnostic {
    Diagnostic::error("gherkin/unknown-language", at, format!("unknown language `{code}`"))
        .label("not one of Gherkin's languages")
        .help(Some(nearest_language(code)))
}

/// Codes of two letters are all near each other: none is guessed for them.
fn nearest_language(code: &str) -> String {
    let near = meant(code, Dialect::languages()).filter(|_| code.chars().count() > 2);
    near.unwrap_or_else(|| "write its code, such as `en`, `de`, `fr` or `ja`; without this line the file is English".to_owned())
}

/// A line of a description that was probably meant as a step or a title: legal, but then it does not run.
pub(super) fn doubtful(at: At, text: &str, state: State, dialect: &Dialect) -> Option<Diagnostic> {
    let word = text.split(|char: char| char.is_whitespace() || char == ':').next().filter(|word| word.len() >= 4)?;
    let steps = matches!(state, State::Background(Inside::Opening(_)) | State::Scenario(Inside::Opening(_)));
    let step = dialect.steps.iter().map(|step| step.text.trim_end()).find(|keyword| steps && is_slip(word, keyword));
    let meant = step.map(str::to_owned).or_else(|| {
        let head = text.split_once(':').map(|(head, _)| head).filter(|head| head.len() <= 40)?;
        let keyword = all_titles(dialect).find(|&(_, keyword)| keyword == head || is_slip(head, keyword));
        keyword.map(|(_, keyword)| format!("{keyword}:"))
    })?;
    let exact = text.starts_with(&meant);
    let found = Diagnostic::warning("gherkin/doubtful-description", at, "this line is read as description and does nothing");
    Some(if exact {
        found.label(format!("`{meant}` may not stand here"))
    } else {
        found.label(format!("looks like `{meant}`")).help(format!("did you mean `{meant}`?"))
    })
}

/// Whether a word is a keyword with two letters swapped, one wrong or one too many: slips that make no other word of prose.
/// Every line of a description is asked, so no distance is computed.
fn is_slip(word: &str, keyword: &str) -> bool {
    let (letters, expected) = (word.chars().count(), keyword.chars().count());
    if expected < 4 || letters < expected || letters > expected + 1 {
        return false;
    }
    let same = word.chars().zip(keyword.chars()).take_while(|(a, b)| a == b).count();
    let same_end = word.chars().rev().zip(keyword.chars().rev()).take_while(|(a, b)| a == b).count();
    if letters > expected {
        return expected > 4 && same + same_end >= expected;
    }
    let swapped = || word.chars().skip(same).take(2).eq(keyword.chars().skip(same).take(2).collect::<Vec<_>>().into_iter().rev());
    match expected - (same + same_end).min(expected) {
        1 => expected > 4,
        2 => swapped(),
        _ => false,
    }
}

fn all_titles(dialect: &Dialect) -> impl Iterator<Item = (Title, &'static str)> {
    [Title::Feature, Title::Rule, Title::Background, Title::Outline, Title::Scenario, Title::Examples]
        .into_iter()
        .flat_map(|title| dialect.titles(title).iter().map(move |&keyword| (title, keyword)))
}

/// What may stand here, the likeliest first.
fn expected(state: State, dialect: &Dialect) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |what: &str| out.push(what.to_owned());
    match state {
        State::Background(inside) | State::Scenario(inside) => {
            say("a step");
            match inside {
                Inside::Step => ["a table row", "a doc string"].into_iter().for_each(say),
                Inside::Table => ["another table row", "a doc string"].into_iter().for_each(say),
                Inside::DocString => say("a table row"),
                Inside::LastTable => say("another table row"),
                Inside::Opening(_) | Inside::Full => {}
            }
        }
        State::ExampleRows => say("another table row"),
        State::Examples(_) => say("a table row"),
        _ => {}
    }
    for &title in titles_after(state) {
        // The usual word comes last among the scenario's in English, and nowhere else matters which one is named.
        let words = dialect.titles(title);
        let word = words.iter().find(|&&word| word == "Scenario").or(words.first());
        out.extend(word.map(|word| format!("`{word}:`")));
    }
    out.push(if matches!(state, State::Tags(_)) { "another tag" } else { "a tag" }.to_owned());
    out
}

fn one_of(what: &[String]) -> String {
    match what {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => what.concat(),
    }
}

/// What to write instead, where the line shows what was meant.
fn next_move(text: &str, state: State, dialect: &Dialect) -> Option<String> {
    let titles = [Title::Feature, Title::Rule, Title::Background, Title::Outline, Title::Scenario, Title::Examples];
    if let Some((title, keyword)) = titles.into_iter().find_map(|title| Some((title, dialect.title(text, title)?))) {
        return Some(misplaced(title, keyword, state, dialect));
    }
    let before = matches!(state, State::Start | State::Language | State::Tags(Title::Feature));
    if before && dialect.step(text).is_some() {
        return Some(format!("a step belongs into a scenario of a feature: {}", begin(dialect)));
    }
    if !matches!(state, State::Background(_) | State::Scenario(_)) && dialect.step(text).is_some() {
        return Some("a step belongs into a background or a scenario".to_owned());
    }
    let steps = matches!(state, State::Background(_) | State::Scenario(_));
    let steps = dialect.steps.iter().map(|step| step.text.trim_end()).filter(|&word| steps && word != "*");
    let steps = steps.map(|word| (word.to_owned(), word));
    let titles = titles_after(state).iter().flat_map(|&title| dialect.titles(title).iter().chain(outlines(title, dialect)));
    let titles = titles.map(|&word| (format!("{word}:"), word));
    let (_, shown, exact) = steps
        .chain(titles)
        .filter_map(|(shown, word)| {
            let head: Vec<&str> = text.split([' ', '\t', ':']).take(word.split(' ').count()).collect();
            let head = head.join(" ");
            let distance = strsim::damerau_levenshtein(&head.to_lowercase(), &word.to_lowercase());
            (distance <= (word.chars().count() / 3).clamp(1, 2)).then(|| (distance, shown, head == word))
        })
        .min_by_key(|(distance, shown, _)| (*distance, std::cmp::Reverse(shown.len())))?;
    Some(match (exact, shown.ends_with(':')) {
        (true, true) => format!("a colon ends the keyword: `{shown}`"),
        (true, false) => format!("the sentence follows on the same line: `{shown} …`"),
        _ => format!("did you mean `{shown}`?"),
    })
}

fn outlines(title: Title, dialect: &Dialect) -> &[&'static str] {
    if title == Title::Scenario { dialect.titles(Title::Outline) } else { &[] }
}

/// How a file begins.
fn begin(dialect: &Dialect) -> String {
    let feature = dialect.titles(Title::Feature).first().copied().unwrap_or("Feature");
    format!("begin the file with `{feature}: NAME`")
}

fn misplaced(title: Title, keyword: &str, state: State, dialect: &Dialect) -> String {
    match (title, state) {
        (Title::Feature, _) => "a file holds one feature".to_owned(),
        (_, State::Start | State::Language | State::Tags(Title::Feature)) => {
            format!("`{keyword}:` belongs into a feature: {}", begin(dialect))
        }
        (Title::Background, State::Tags(_)) => "a background takes no tags".to_owned(),
        (Title::Background, State::Background(_)) => "a feature or rule has one background".to_owned(),
        (Title::Background, _) => format!("`{keyword}:` comes before the first scenario"),
        (Title::Examples, State::Header(Opening::Title | Opening::Described) | State::Background(_)) => {
            format!("`{keyword}:` belongs to a scenario")
        }
        (_, State::Tags(Title::Rule)) => "mend the tags above: what they belong to was lost there".to_owned(),
        _ => format!("`{keyword}:` may not stand here"),
    }
}
