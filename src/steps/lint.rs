//! What is wrong with a step's arguments, before anything runs: bad patterns, paths, JSON, schemas, tables.
//!
//! What holds a `{{name}}` is only known when the step runs, and is not looked at here.

use std::convert::Infallible;
use std::str::FromStr;

use serde_json::Value;

use super::{Json, Text, argument};
use crate::plan::{DocArg, StepDef};

/// What a sentence needs below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    /// Any text.
    Doc,
    /// A JSON Schema in JSON or YAML.
    Schema,
    /// A table of one column without header.
    Column,
    /// A table of places and values, without header.
    Pairs,
    /// A table whose header has these columns.
    Columns(&'static [&'static str]),
}

/// Sentences with something below them; all others take nothing.
const BELOW: &[(&str, Below)] = &[
    ("the stop texts:", Below::Column),
    ("the system prompt:", Below::Doc),
    ("the conversation:", Below::Columns(&["role", "content"])),
    ("I ask:", Below::Doc),
    ("I continue with:", Below::Doc),
    ("I ask at once:", Below::Columns(&["ask"])),
    ("I post to {text}:", Below::Doc),
    ("I send a chat request:", Below::Doc),
    ("I embed:", Below::Column),
    ("the reply is:", Below::Doc),
    ("the reply mentions one of:", Below::Column),
    ("the reply mentions all of:", Below::Column),
    ("the reply mentions none of:", Below::Column),
    ("the reply fits the schema:", Below::Schema),
    ("the reply does not fit the schema:", Below::Schema),
    ("the response fits the schema:", Below::Schema),
    ("replies fit the schema:", Below::Schema),
    ("replies strictly fit the schema:", Below::Schema),
    ("the tool {name} returns:", Below::Columns(&["result"])),
    ("the reply calls {name} with:", Below::Pairs),
    ("the reply calls {name} once with:", Below::Pairs),
    ("the calls in order are:", Below::Columns(&["tool"])),
];

/// What a quoted text of a sentence is, where it is more than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Pattern,
    Path,
    Kind,
    SavedName,
    /// A text that is in every reply says nothing.
    NotEmpty,
    /// A number from 1.
    Positive,
}

/// Captures by number (from 1) with a meaning.
const MEANINGS: &[(&str, usize, Meaning)] = &[
    ("the reply mentions {text}", 1, Meaning::NotEmpty),
    ("the reply does not mention {text}", 1, Meaning::NotEmpty),
    ("the reply contains {text}", 1, Meaning::NotEmpty),
    ("the reply does not contain {text}", 1, Meaning::NotEmpty),
    ("the reply starts with {text}", 1, Meaning::NotEmpty),
    ("the reply does not start with {text}", 1, Meaning::NotEmpty),
    ("the reply ends with {text}", 1, Meaning::NotEmpty),
    ("the reply does not end with {text}", 1, Meaning::NotEmpty),
    ("the reply matches {text}", 1, Meaning::Pattern),
    ("the reply does not match {text}", 1, Meaning::Pattern),
    ("the error message mentions {text}", 1, Meaning::NotEmpty),
    ("the header {text} mentions {text}", 2, Meaning::NotEmpty),
    ("the reply's {text} is a(n) {name}", 2, Meaning::Kind),
    ("the response's {text} is a(n) {name}", 2, Meaning::Kind),
    ("the reply's {text} matches {text}", 2, Meaning::Pattern),
    ("the response's {text} matches {text}", 2, Meaning::Pattern),
    ("I save the reply as {text}", 1, Meaning::SavedName),
    ("I save the response's {text} as {text}", 1, Meaning::Path),
    ("I save the response's {text} as {text}", 2, Meaning::SavedName),
    ("I ask {text} {int} times", 2, Meaning::Positive),
    ("I ask a question of {int} words", 1, Meaning::Positive),
    ("I ask {text} and hang up after {int} events", 2, Meaning::Positive),
    ("I ask {text} and run the tools for at most {int} rounds", 2, Meaning::Positive),
    ("the argument {text} of {name} is {json}", 1, Meaning::Path),
];

/// What is wrong with the arguments of a step, in one line; `None` = nothing that can be known before it runs.
/// `captures` are as the catalogue found them, the whole match first.
pub fn lint<S: AsRef<str>>(
    def: &StepDef,
    captures: &[(Option<String>, String)],
    doc: Option<&DocArg>,
    table: Option<&[Vec<S>]>,
) -> Option<String> {
    below(def.sentence, doc, table).and_then(|()| arguments(def.sentence, captures)).err()
}

fn below<S: AsRef<str>>(sentence: &str, doc: Option<&DocArg>, table: Option<&[Vec<S>]>) -> Result<(), String> {
    let Some((_, wanted)) = BELOW.iter().find(|(known, _)| *known == sentence) else { return Ok(()) };
    let (content, rows) = (doc.map(|doc| &*doc.content), table);
    match (wanted, content, rows) {
        (Below::Doc, Some(_), _) => Ok(()),
        (Below::Schema, Some(text), _) if text.contains("{{") => Ok(()),
        (Below::Schema, Some(text), _) => argument::read_schema(text).and_then(|(value, _)| keywords(&value)),
        (Below::Doc | Below::Schema, None, _) => Err("it needs a doc string below it, between two lines of `\"\"\"`".to_owned()),
        (Below::Column, _, Some(rows)) => argument::one_column(rows),
        (Below::Pairs, _, Some(rows)) => argument::two_columns(rows),
        (Below::Columns(names), _, Some(rows)) => argument::with_columns(rows, names).map(drop),
        (Below::Column | Below::Pairs | Below::Columns(_), _, None) => Err("it needs a table below it".to_owned()),
    }
}

/// A keyword close to a real one is a slip that would check nothing; others are left to their authors.
fn keywords(schema: &Value) -> Result<(), String> {
    match crate::schema::lint(schema).into_iter().find(|lint| lint.suggestion.is_some()) {
        Some(lint) => Err(format!("the schema at {}: {}", lint.pointer, lint.message)),
        None => Ok(()),
    }
}

fn arguments(sentence: &str, captures: &[(Option<String>, String)]) -> Result<(), String> {
    let values: Vec<&str> = captures.iter().skip(1).map(|(_, text)| text.as_str()).collect();
    for (parameter, text) in parameters(sentence).zip(&values).filter(|(_, text)| !text.contains("{{")) {
        match parameter {
            "json" => drop(read::<Json>(text).value?),
            "int" if sentence != SEED && text.parse::<u64>().is_err() => return Err(format!("`{text}` is not a count")),
            "int" if text.parse::<i64>().is_err() => return Err(format!("`{text}` is too large")),
            _ => {}
        }
    }
    if parameters(sentence).next() == Some("text") && PATH_FIRST.iter().any(|start| sentence.starts_with(start)) {
        means(Meaning::Path, values.first().copied().unwrap_or_default())?;
    }
    let mut rows = MEANINGS.iter().filter(|(known, ..)| *known == sentence);
    rows.try_for_each(|(_, number, meaning)| means(*meaning, values.get(number - 1).copied().unwrap_or_default()))
}

fn means(meaning: Meaning, written: &str) -> Result<(), String> {
    let text = if written.starts_with('"') { read::<Text>(written).0 } else { written.to_owned() };
    if text.contains("{{") {
        return Ok(());
    }
    match meaning {
        Meaning::Pattern => argument::read_pattern(&text).map(drop),
        Meaning::Path => text.parse::<crate::check::json_path::Path>().map(drop),
        Meaning::Kind => argument::kind(&text),
        Meaning::SavedName => super::save::saved_name(&text),
        Meaning::NotEmpty if text.trim().is_empty() => Err("an empty text is in every reply: this claims nothing".to_owned()),
        Meaning::Positive if text.parse::<u64>() == Ok(0) => Err("it needs a number from 1".to_owned()),
        Meaning::NotEmpty | Meaning::Positive => Ok(()),
    }
}

/// Sentences whose first text is a JSON path.
const PATH_FIRST: [&str; 2] = ["the reply's {text} ", "the response's {text} "];

/// The only whole number that may be negative.
const SEED: &str = "the seed is {int}";

/// Names of a sentence's parameters in order.
fn parameters(sentence: &str) -> impl Iterator<Item = &str> {
    sentence.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn read<T: FromStr<Err = Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Found;
    use crate::steps::catalogue;

    #[track_caller]
    fn check(step: &str, doc: Option<&str>, rows: Option<&[&[&str]]>, expect: Option<&str>) {
        let catalogue = catalogue();
        let Found::One(id, captures) = catalogue.find(step) else { panic!("no sentence says {step}") };
        let doc = doc.map(|text| DocArg { media_type: None, content: text.into() });
        let rows: Option<Vec<Vec<&str>>> = rows.map(|rows| rows.iter().map(|row| row.to_vec()).collect());
        let found = lint(catalogue.def(id), &captures, doc.as_ref(), rows.as_deref());
        match (expect, &found) {
            (None, None) => {}
            (Some(part), Some(found)) if found.contains(part) => {}
            _ => panic!("{step}: expected {expect:?}, found {found:?}"),
        }
    }

    #[test]
    fn arguments_are_read_before_anything_runs() {
        check(r#"the reply matches "[0-9]+""#, None, None, None);
        check(r#"the reply matches "[0-9""#, None, None, Some("not a regular expression: unclosed"));
        check(r#"the reply matches "{{a}}[""#, None, None, None);
        check(r#"the reply's "a.b[0]" is 1"#, None, None, None);
        check(r#"the reply's "a..b" is 1"#, None, None, Some("not a path"));
        check(r#"the reply's "a" is {"b": }"#, None, None, Some("not JSON"));
        check(r#"the response's "a" is a strnig"#, None, None, Some("did you mean `string`"));
        check(r#"the reply's "a" matches "(""#, None, None, Some("not a regular expression"));
        check(r#"the parameter "n" is [1,"#, None, None, Some("not JSON"));
        check(r#"the reply mentions """#, None, None, Some("claims nothing"));
        check(r#"I save the reply as "model""#, None, None, Some("choose a plain name"));
        check(r#"I ask "a" 0 times"#, None, None, Some("from 1"));
        check(r#"I ask "a" and run the tools for at most 0 rounds"#, None, None, Some("from 1"));
        check(r#"the argument "a..b" of c is 1"#, None, None, Some("not a path"));
        check(r#"the tool a returns {"b": "#, None, None, Some("not JSON"));
        check("the status is -1", None, None, Some("not a count"));
        check("the seed is -1", None, None, None);
    }

    #[test]
    fn what_stands_below_is_read_before_anything_runs() {
        check("the reply fits the schema:", Some("type: object"), None, None);
        check("the reply fits the schema:", Some(r#"{"type": "object"}"#), None, None);
        check("the reply fits the schema:", Some(r#"{"type": "objct"}"#), None, Some("/type"));
        check("the reply fits the schema:", Some("requird: [a]"), None, Some("did you mean `required`"));
        check("the reply fits the schema:", Some("nullable: true"), None, None);
        check("the reply fits the schema:", Some("{"), None, Some("not JSON"));
        check("the reply fits the schema:", Some("$ref: http://localhost/a.json"), None, Some("leads out of the schema"));
        check("I ask:", None, Some(&[&["a"]]), Some("doc string"));
        check("I ask at once:", None, Some(&[&["ask", "x"], &["a", "b"]]), None);
        check("I ask at once:", None, Some(&[&["question"], &["a"]]), Some("`ask`"));
        check("I ask at once:", None, Some(&[&["ask"]]), Some("no rows"));
        check("the reply mentions one of:", None, Some(&[&["a", "b"]]), Some("one column"));
        check("the reply calls a with:", None, Some(&[&["b", "c"], &["d[0].e", "f"]]), None);
        check("the reply calls a with:", None, Some(&[&["b"]]), Some("two columns"));
        check("the reply calls a with:", None, Some(&[&["b..c", "1"]]), Some("not a path"));
        check("the tool a returns:", None, Some(&[&["city", "reslt"], &["a", "1"]]), Some("`result`"));
        check("the reply mentions one of:", None, Some(&[&["a"], &["b"]]), None);
    }

    #[test]
    fn the_tables_name_sentences_that_exist() {
        let catalogue = catalogue();
        let known = |sentence: &str| catalogue.iter().any(|(_, def)| def.sentence == sentence);
        for sentence in
            BELOW.iter().map(|(sentence, _)| sentence).chain(MEANINGS.iter().map(|(sentence, ..)| sentence)).chain([&SEED])
        {
            assert!(known(sentence), "{sentence}");
        }
        for (_, def) in catalogue.iter().filter(|(_, def)| def.sentence.ends_with(':')) {
            assert!(BELOW.iter().any(|(sentence, _)| *sentence == def.sentence), "{}", def.sentence);
        }
    }
}
