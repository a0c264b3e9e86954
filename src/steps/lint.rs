//! What is wrong with a step's arguments, before anything runs: bad patterns, paths, JSON, schemas, tables.
//!
//! What holds a `{{name}}` is only known when the step runs, and is not looked at here.

use std::convert::Infallible;
use std::str::FromStr;

use serde_json::Value;

use super::{Json, Text, argument};
use crate::plan::{Below, DocArg, StepDef};

/// What is wrong with a step's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadArgument {
    /// What is wrong, in one line.
    pub words: String,
    /// Which part of the step it is.
    pub part: Part,
    /// Whether it is in a schema that is offered to a server, which may refuse it: the wire has a rule for those.
    pub offered: bool,
}

/// A part of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A value in its sentence, by the number of its capture from 1.
    Value(usize),
    /// What stands below it; a JSON pointer into that where one is known, else empty.
    Below(String),
}

/// What a sentence reads below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Any text.
    Doc,
    /// A JSON Schema in JSON or YAML that a claim holds.
    Schema,
    /// A JSON Schema in JSON or YAML that is offered to the server.
    Offered,
    /// A table of one column without header.
    Column,
    /// A table of places and values, without header.
    Pairs,
    /// A table whose header has these columns.
    Columns(&'static [&'static str]),
}

/// Sentences with something below them, and what that may look like; all others take nothing.
const BELOW: &[(&str, Reads, &str)] = &[
    ("the stop texts:", Reads::Column, "| END  |\n| STOP |"),
    ("the system prompt:", Reads::Doc, "You are a teacher. Answer in one sentence."),
    (
        "the conversation:",
        Reads::Columns(&["role", "content"]),
        "| role | content                        |\n| user | What is the capital of France? |",
    ),
    ("I ask:", Reads::Doc, "What is the capital of France?"),
    ("I continue with:", Reads::Doc, "And of Japan?"),
    ("I ask at once:", Reads::Columns(&["ask"]), "| ask                            |\n| What is the capital of France? |"),
    ("I post to {text}:", Reads::Doc, "{\"input\": \"What is the capital of France?\"}"),
    ("I send a chat request:", Reads::Doc, "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}"),
    ("I embed:", Reads::Column, "| Paris |\n| Tokyo |"),
    ("the reply is:", Reads::Doc, "Paris"),
    ("the reply mentions one of:", Reads::Column, "| Paris |\n| Tokyo |"),
    ("the reply mentions all of:", Reads::Column, "| Paris |\n| Tokyo |"),
    ("the reply mentions none of:", Reads::Column, "| London |\n| Berlin |"),
    ("the reply fits the schema:", Reads::Schema, "type: object\nrequired: [capital]"),
    ("the reply does not fit the schema:", Reads::Schema, "type: object\nrequired: [capital]"),
    ("the response fits the schema:", Reads::Schema, "type: object\nrequired: [object]"),
    ("replies fit the schema:", Reads::Offered, "type: object\nrequired: [capital]"),
    ("replies strictly fit the schema:", Reads::Offered, "type: object\nrequired: [capital]"),
    ("the client {name} does {text} with:", Reads::Pairs, "| prompt | \"Say hello.\" |\n| events | 5              |"),
    ("the client {name} tries {text} with:", Reads::Pairs, "| prompt | \"Say hello.\" |\n| events | 5              |"),
    ("the tool {name} returns:", Reads::Columns(&["result"]), "| city  | result   |\n| Paris | 18 C     |"),
    ("the reply calls {name} with:", Reads::Pairs, "| city | \"Paris\" |\n| days | 3       |"),
    ("the reply calls {name} once with:", Reads::Pairs, "| city | \"Paris\" |\n| days | 3       |"),
    ("the events come in this order:", Reads::Column, "| response.created   |\n| response.completed |"),
    ("the calls in order are:", Reads::Columns(&["tool"]), "| tool        |\n| get_weather |"),
];

/// What a sentence takes below it, with a sample.
pub(super) fn below_of(sentence: &str) -> Option<Below> {
    let (_, reads, sample) = BELOW.iter().find(|(known, ..)| *known == sentence)?;
    Some(match reads {
        Reads::Doc | Reads::Schema | Reads::Offered => Below::Doc(sample),
        Reads::Column | Reads::Pairs | Reads::Columns(_) => Below::Table(sample),
    })
}

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
    /// The id of a wire rule.
    Rule,
    /// A fault in its short form.
    Fault,
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
    ("the client's {text} is a(n) {name}", 2, Meaning::Kind),
    ("the client's {text} mentions {text}", 2, Meaning::NotEmpty),
    ("the client's {text} matches {text}", 2, Meaning::Pattern),
    ("the client fails with {text}", 1, Meaning::NotEmpty),
    ("the client made {int} requests", 1, Meaning::Positive),
    ("the reply's {text} matches {text}", 2, Meaning::Pattern),
    ("the response's {text} matches {text}", 2, Meaning::Pattern),
    ("I save the reply as {text}", 1, Meaning::SavedName),
    ("I save the response's {text} as {text}", 1, Meaning::Path),
    ("I save the response's {text} as {text}", 2, Meaning::SavedName),
    ("I ask {text} {int} times", 2, Meaning::Positive),
    ("I ask a question of {int} words", 1, Meaning::Positive),
    ("I ask {text} and hang up after {int} events", 2, Meaning::Positive),
    ("I ask {text} and run the tools for at most {int} rounds", 2, Meaning::Positive),
    ("the rule {name} is broken", 1, Meaning::Rule),
    ("requests meet the fault {text}", 1, Meaning::Fault),
    ("the next {int} requests meet the fault {text}", 1, Meaning::Positive),
    ("the next {int} requests meet the fault {text}", 2, Meaning::Fault),
    ("the next {int} requests get the status {int}", 1, Meaning::Positive),
    ("the next {int} requests get the status {int} and may retry after {duration}", 1, Meaning::Positive),
    ("event {int} comes twice", 1, Meaning::Positive),
    ("event {int} comes after the next one", 1, Meaning::Positive),
    ("replies come at {int} bytes per second", 1, Meaning::Positive),
    ("requests go at {int} bytes per second", 1, Meaning::Positive),
    ("the argument {text} of {name} is {json}", 1, Meaning::Path),
];

/// What is wrong with the arguments of a step; `None` = nothing that can be known before it runs.
/// `captures` are as the catalogue found them, the whole match first.
pub fn lint<S: AsRef<str>>(
    def: &StepDef,
    captures: &[(Option<String>, String)],
    doc: Option<&DocArg>,
    table: Option<&[Vec<S>]>,
) -> Option<BadArgument> {
    below(def.sentence, doc, table).and_then(|()| arguments(def.sentence, captures)).err()
}

fn below<S: AsRef<str>>(sentence: &str, doc: Option<&DocArg>, table: Option<&[Vec<S>]>) -> Result<(), BadArgument> {
    let Some((_, wanted, _)) = BELOW.iter().find(|(known, ..)| *known == sentence) else { return Ok(()) };
    let (content, rows) = (doc.map(|doc| &*doc.content), table);
    let wrong = |words: String| BadArgument { words, part: Part::Below(String::new()), offered: false };
    match (wanted, content, rows) {
        (Reads::Doc, Some(_), _) => Ok(()),
        (Reads::Schema | Reads::Offered, Some(text), _) if text.contains("{{") => Ok(()),
        (Reads::Schema | Reads::Offered, Some(text), _) => {
            let read = argument::read_schema(text).and_then(|(value, _)| keywords(&value));
            let offered = matches!(wanted, Reads::Offered);
            read.map_err(|(words, pointer)| BadArgument { words, part: Part::Below(pointer), offered })
        }
        (Reads::Doc | Reads::Schema | Reads::Offered, None, _) => {
            Err(wrong("it needs a doc string below it, between two lines of `\"\"\"`".to_owned()))
        }
        (Reads::Column, _, Some(rows)) => argument::one_column(rows).map_err(wrong),
        (Reads::Pairs, _, Some(rows)) => argument::two_columns(rows).map_err(wrong),
        (Reads::Columns(names), _, Some(rows)) => argument::with_columns(rows, names).map(drop).map_err(wrong),
        (Reads::Column | Reads::Pairs | Reads::Columns(_), _, None) => Err(wrong("it needs a table below it".to_owned())),
    }
}

/// A keyword close to a real one is a slip that would check nothing; others are left to their authors.
fn keywords(schema: &Value) -> Result<(), (String, String)> {
    match crate::schema::lint(schema).into_iter().find(|lint| lint.suggestion.is_some()) {
        Some(lint) => Err((format!("the schema at {}: {}", lint.pointer, lint.message), lint.pointer)),
        None => Ok(()),
    }
}

fn arguments(sentence: &str, captures: &[(Option<String>, String)]) -> Result<(), BadArgument> {
    let values: Vec<&str> = captures.iter().skip(1).map(|(_, text)| text.as_str()).collect();
    let value = |number: usize| values.get(number - 1).copied().unwrap_or_default();
    let at = |number: usize| move |words: String| BadArgument { words, part: Part::Value(number), offered: false };
    for (number, parameter) in (1..).zip(parameters(sentence)) {
        plain(sentence, parameter, value(number)).map_err(at(number))?;
    }
    if parameters(sentence).next() == Some("text") && PATH_FIRST.iter().any(|start| sentence.starts_with(start)) {
        means(Meaning::Path, value(1)).map_err(at(1))?;
    }
    let mut rows = MEANINGS.iter().filter(|(known, ..)| *known == sentence);
    rows.try_for_each(|(_, number, meaning)| means(*meaning, value(*number)).map_err(at(*number)))
}

/// What every parameter of a type must be.
fn plain(sentence: &str, parameter: &str, text: &str) -> Result<(), String> {
    match parameter {
        _ if text.contains("{{") => Ok(()),
        "json" => read::<Json>(text).value.map(drop),
        "int" if sentence != SEED && text.parse::<u64>().is_err() => Err(format!("`{text}` is not a count")),
        "int" if text.parse::<i64>().is_err() => Err(format!("`{text}` is too large")),
        _ => Ok(()),
    }
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
        Meaning::Rule if crate::contract::rule(&text).is_none() => {
            let help = crate::source::did_you_mean(&text, crate::contract::rules().into_iter().map(|rule| rule.id));
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            Err(format!("there is no wire rule `{text}`{help}"))
        }
        Meaning::Fault => crate::tape::Fault::parse(&text).map(drop),
        Meaning::NotEmpty | Meaning::Positive | Meaning::Rule => Ok(()),
    }
}

/// Sentences whose first text is a JSON path.
const PATH_FIRST: [&str; 3] = ["the reply's {text} ", "the response's {text} ", "the client's {text} "];

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
            (Some(part), Some(found)) if found.words.contains(part) => {}
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
    fn the_part_that_is_wrong_is_known() {
        let catalogue = catalogue();
        let part = |step: &str, doc: Option<&str>| {
            let Found::One(id, captures) = catalogue.find(step) else { panic!("no sentence says {step}") };
            let doc = doc.map(|text| DocArg { media_type: None, content: text.into() });
            lint::<&str>(catalogue.def(id), &captures, doc.as_ref(), None).map(|bad| bad.part)
        };
        assert_eq!(part(r#"the reply's "a..b" is 1"#, None), Some(Part::Value(1)));
        assert_eq!(part(r#"the reply's "a" matches "(""#, None), Some(Part::Value(2)));
        assert_eq!(part(r#"the parameter "n" is [1,"#, None), Some(Part::Value(2)));
        assert_eq!(part("the reply fits the schema:", Some("requird: [a]")), Some(Part::Below("/requird".to_owned())));
        let deep = Some("properties: {a: {type: objct}}");
        assert_eq!(part("the reply fits the schema:", deep), Some(Part::Below("/properties/a/type".to_owned())));
    }

    #[test]
    fn a_schema_that_a_server_gets_is_told_from_one_that_a_claim_holds() {
        let catalogue = catalogue();
        let offered = |step: &str, text: Option<&str>| {
            let Found::One(id, captures) = catalogue.find(step) else { panic!("no sentence says {step}") };
            let doc = text.map(|text| DocArg { media_type: None, content: text.into() });
            lint::<&str>(catalogue.def(id), &captures, doc.as_ref(), None).map(|bad| bad.offered)
        };
        for step in ["replies fit the schema:", "replies strictly fit the schema:"] {
            assert_eq!(offered(step, Some("requird: [a]")), Some(true), "{step}");
            assert_eq!(offered(step, Some("{")), Some(true), "{step}");
            assert_eq!(offered(step, None), Some(false), "{step}: no schema at all");
        }
        assert_eq!(offered("the reply fits the schema:", Some("requird: [a]")), Some(false));
    }

    #[test]
    fn samples_are_what_their_sentences_take() {
        let catalogue = catalogue();
        for (_, def) in catalogue.iter() {
            let found = match def.below {
                None => continue,
                Some(Below::Doc(text)) => lint::<&str>(def, &[], Some(&DocArg { media_type: None, content: text.into() }), None),
                Some(Below::Table(text)) => {
                    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
                    lint(def, &[], None, Some(&text.lines().map(cells).collect::<Vec<_>>()))
                }
            };
            assert_eq!(found, None, "{}", def.sentence);
        }
    }

    #[test]
    fn the_tables_name_sentences_that_exist() {
        let catalogue = catalogue();
        let known = |sentence: &str| catalogue.iter().any(|(_, def)| def.sentence == sentence);
        for sentence in
            BELOW.iter().map(|(sentence, ..)| sentence).chain(MEANINGS.iter().map(|(sentence, ..)| sentence)).chain([&SEED])
        {
            assert!(known(sentence), "{sentence}");
        }
        for (_, def) in catalogue.iter().filter(|(_, def)| def.sentence.ends_with(':')) {
            assert!(def.below.is_some(), "{}", def.sentence);
        }
    }
}
