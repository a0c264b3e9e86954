//! What hangs below or stands in a sentence, read: doc strings, tables, patterns, paths, schemas.
//!
//! `{{name}}` is filled in here, once, on the author's text. What is wrong with an argument is the author's mistake and is
//! said in the same words at compile time by [`super::lint`].

use cucumber::gherkin;
use regex::Regex;
use serde_json::Value;

use super::{Failure, Json, World};
use crate::check::json_path::{KINDS, Path};
use crate::schema::Schema;
use crate::spec::yaml;

/// One row of a table with a header: column and cell.
pub(super) type Row = Vec<(String, String)>;

/// The doc string below the step, filled in.
pub(super) fn doc(world: &World, step: &gherkin::Step) -> Result<String, Failure> {
    match &step.docstring {
        Some(text) => world.fill(text),
        None => Err(Failure::author(format!("`{}` needs a doc string below it, between two lines of `\"\"\"`", step.value))),
    }
}

/// The media type of the doc string below the step: the text after its fence where that is one (`text/plain`). A single word
/// (`json`) only tells an editor how to colour it, and without any it is JSON.
pub(super) fn media_type(world: &World) -> Result<String, Failure> {
    let written = world.doc_media_type.as_deref().filter(|written| written.contains('/'));
    world.fill(written.unwrap_or("application/json"))
}

/// The cells of the one-column table below the step, filled in.
pub(super) fn column(world: &World, step: &gherkin::Step) -> Result<Vec<String>, Failure> {
    let rows = table(step)?;
    one_column(rows).map_err(|mistake| Failure::author(format!("`{}`: {mistake}", step.value)))?;
    rows.iter().map(|row| world.fill(&row[0])).collect()
}

/// The rows of the table below the step, filled in; its first row names the columns.
pub(super) fn rows(world: &World, step: &gherkin::Step, wanted: &[&str]) -> Result<Vec<Row>, Failure> {
    let rows = table(step)?;
    let header = with_columns(rows, wanted).map_err(|mistake| Failure::author(format!("`{}`: {mistake}", step.value)))?;
    let filled = |row: &Vec<String>| header.iter().zip(row).map(|(name, cell)| Ok((name.clone(), world.fill(cell)?))).collect();
    rows[1..].iter().map(filled).collect()
}

/// The rows of a two-column table without header: a place in a JSON value, and a cell, filled in.
pub(super) fn pairs(world: &World, step: &gherkin::Step) -> Result<Vec<(Path, String)>, Failure> {
    let rows = table(step)?;
    two_columns(rows).map_err(|mistake| Failure::author(format!("`{}`: {mistake}", step.value)))?;
    rows.iter().map(|row| Ok((path(world, &row[0])?, world.fill(&row[1])?))).collect()
}

fn table(step: &gherkin::Step) -> Result<&[Vec<String>], Failure> {
    let table = step.table.as_ref().ok_or_else(|| Failure::author(format!("`{}` needs a table below it", step.value)))?;
    Ok(&table.rows)
}

/// Whether a table has one column and at least a row.
pub(super) fn one_column<S: AsRef<str>>(rows: &[Vec<S>]) -> Result<(), String> {
    match rows.iter().map(Vec::len).find(|&width| width != 1) {
        Some(width) => Err(format!("its table has one column and no header, not {width} columns")),
        None if rows.is_empty() => Err("its table is empty".to_owned()),
        None => Ok(()),
    }
}

/// Whether a table has two columns, a place and a value, and at least a row.
pub(super) fn two_columns<S: AsRef<str>>(rows: &[Vec<S>]) -> Result<(), String> {
    match rows.iter().map(Vec::len).find(|&width| width != 2) {
        Some(width) => return Err(format!("its table has two columns, a place and a value, not {width}")),
        None if rows.is_empty() => return Err("its table is empty".to_owned()),
        None => {}
    }
    rows.iter()
        .map(|row| row[0].as_ref())
        .filter(|place| !place.contains("{{"))
        .try_for_each(|place| place.parse::<Path>().map(drop))
}

/// The header of a table that has at least these columns and a row below them.
pub(super) fn with_columns<'a, S: AsRef<str>>(rows: &'a [Vec<S>], wanted: &[&str]) -> Result<&'a [S], String> {
    let header = rows.first().ok_or_else(|| "its table is empty".to_owned())?;
    for name in wanted {
        if !header.iter().any(|column| column.as_ref() == *name) {
            return Err(format!("the first row of its table names the columns, and none of them is `{name}`"));
        }
    }
    if rows.len() == 1 {
        return Err("its table has a header and no rows".to_owned());
    }
    Ok(header)
}

/// A regular expression, filled in.
pub(super) fn pattern(world: &World, text: &str) -> Result<Regex, Failure> {
    read_pattern(&world.fill(text)?).map_err(Failure::author)
}

/// A regular expression; the error is one line.
pub(super) fn read_pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let text = error.to_string();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it cannot be read").trim();
        format!("not a regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
    })
}

/// A JSON path, filled in.
pub(super) fn path(world: &World, text: &str) -> Result<Path, Failure> {
    world.fill(text)?.parse().map_err(Failure::author)
}

/// Whether a word is a kind of JSON value.
pub(super) fn kind(word: &str) -> Result<(), String> {
    if KINDS.contains(&word) {
        return Ok(());
    }
    let help = crate::source::did_you_mean(word, KINDS).unwrap_or_default();
    Err(format!("`{word}` is not a kind of JSON value; {help}"))
}

/// The schema in the doc string below the step, JSON or YAML.
pub(super) fn schema(world: &World, step: &gherkin::Step) -> Result<Schema, Failure> {
    read_schema(&doc(world, step)?).map(|(_, schema)| schema).map_err(|(words, _)| Failure::author(words))
}

/// A schema in JSON or YAML: its value, and compiled.
/// The error is one line, and where in the schema it is, as a JSON pointer.
pub(super) fn read_schema(text: &str) -> Result<(Value, Schema), (String, String)> {
    let whole = |words: String| (words, String::new());
    // JSON first: its errors name a line and column of their own, and YAML would take much of what is nearly JSON.
    let json = text.trim_start().starts_with('{');
    let value: Value = if json {
        serde_json::from_str(text).map_err(|error| whole(format!("the schema is not JSON: {error}")))?
    } else {
        yaml::parse_plain(text).map_err(|error| {
            whole(format!("the schema is neither JSON nor YAML: {}", error.lines().next().unwrap_or_default()))
        })?
    };
    let schema = Schema::compile(&value).map_err(|error| (error.to_string(), error.pointer))?;
    Ok((value, schema))
}

/// A `{json}` argument with the texts in it filled in; `{{name}}` alone is the saved value itself.
pub(super) fn json(world: &World, argument: &Json) -> Result<Value, Failure> {
    let bare = argument.text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(name) = bare.filter(|name| !name.contains(['{', '}', '"'])) {
        return world.saved_value(name.trim());
    }
    let mut value = argument.value.clone().map_err(Failure::author)?;
    fill_texts(world, &mut value)?;
    Ok(value)
}

fn fill_texts(world: &World, value: &mut Value) -> Result<(), Failure> {
    match value {
        Value::String(text) => *text = world.fill(text)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| fill_texts(world, item))?,
        Value::Object(members) => members.values_mut().try_for_each(|member| fill_texts(world, member))?,
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: Option<&str>, expect: &str) {
        let mut world = World::detached();
        world.doc_media_type = written.map(Into::into);
        assert_eq!(media_type(&world).unwrap(), expect);
    }

    #[test]
    fn a_doc_string_has_the_media_type_after_its_fence() {
        check(None, "application/json");
        check(Some("json"), "application/json");
        check(Some("text/plain"), "text/plain");
        check(Some("text/plain; charset=utf-8"), "text/plain; charset=utf-8");
    }
}
