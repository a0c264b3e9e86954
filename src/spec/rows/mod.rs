//! Rows for `each:`: CSV, TSV, JSON, JSONL and YAML files, and the inline list, all as columns and values with a place.
//!
//! Reading is linear in the size of the file, and every row that is wrong is shown.

mod csv;
mod json;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::CaseFile;
use super::case::{CaseSpec, Each};
use super::files::Project;
use super::yaml::{self, Loaded, Places, escape, got};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// A text: out of CSV, or a string of JSON or YAML, or a YAML number that JSON cannot write (`007`).
    Text(Arc<str>),
    /// Anything else of JSON or YAML, as compact JSON text; numbers with the digits that were written (`1.10`).
    Json(Arc<str>),
}

impl Datum {
    /// As it is put into a text.
    pub fn text(&self) -> &Arc<str> {
        match self {
            Self::Text(text) | Self::Json(text) => text,
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Column and value, in the order of the columns.
    pub values: Vec<(Arc<str>, Datum)>,
    /// Where it stands.
    pub at: At,
}

/// The rows of a case by the pointer of the case in its file; `None` without `each:`, or where the rows cannot be read.
pub fn case_rows(
    project: &Project,
    map: &mut SourceMap,
    loaded: &Loaded<CaseFile>,
    pointer: &str,
    case: &CaseSpec,
) -> (Option<Vec<Row>>, Diagnostics) {
    let pointer = format!("{pointer}/each");
    match &case.each {
        None => (None, Vec::new()),
        Some(Each::Rows(rows)) => {
            let mut mapper = Mapper { map, places: &loaded.places, file: loaded.file, names: Names::default() };
            let row = |(at, row)| mapper.row(&format!("{pointer}/{at}"), row);
            (Some(rows.iter().enumerate().map(row).collect()), Vec::new())
        }
        Some(Each::File(name)) => {
            let path = project.beside(map.file(loaded.file).name(), name);
            match project.read(map, &path) {
                Ok(file) => parse_rows(map, file),
                Err(refusal) => (None, vec![Diagnostic { at: loaded.places.value(&pointer), ..refusal }]),
            }
        }
    }
}

/// The rows of a data file, by the ending of its name. Rows that are right are handed on even where others are not.
pub fn parse_rows(map: &SourceMap, file: FileId) -> (Option<Vec<Row>>, Diagnostics) {
    let name = map.file(file).name();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let start = At { file, start: 0, end: 0 };
    let (rows, mut diagnostics) = match ending.as_str() {
        "csv" => csv::parse(map, file, b','),
        "tsv" => csv::parse(map, file, b'\t'),
        "json" => json::parse(map, file),
        "jsonl" | "ndjson" => json::parse_lines(map, file),
        "yaml" | "yml" => parse_yaml(map, file),
        _ => {
            let refusal = Diagnostic::error("data/unknown-format", start, format!("`{name}` is of no known data format"));
            let help = "name it `.csv`, `.tsv`, `.json`, `.jsonl` or `.yaml`, as it is written".to_owned();
            return (None, vec![refusal.help(help)]);
        }
    };
    if rows.is_empty() && diagnostics.is_empty() {
        diagnostics.push(Diagnostic::error("data/empty", start, "the file has no rows, so the case would not run"));
    }
    let read = !rows.is_empty();
    (read.then_some(rows), diagnostics)
}

fn parse_yaml(map: &SourceMap, file: FileId) -> (Vec<Row>, Diagnostics) {
    let (loaded, mut diagnostics) = yaml::load_value_list(map, file);
    let Some(loaded) = loaded else { return (Vec::new(), diagnostics) };
    let Value::Array(items) = loaded.spec else {
        let message = format!("expected a list of maps, got {}", got(&loaded.spec));
        diagnostics.push(Diagnostic::error("data/bad-row", loaded.places.value(""), message));
        return (Vec::new(), diagnostics);
    };
    let mut rows = Vec::with_capacity(items.len());
    let mut mapper = Mapper { map, places: &loaded.places, file, names: Names::default() };
    for (at, item) in items.into_iter().enumerate() {
        let pointer = format!("/{at}");
        match item {
            Value::Object(entries) => rows.push(mapper.row(&pointer, &entries)),
            other => diagnostics.push(not_a_map(loaded.places.value(&pointer), &other)),
        }
    }
    (rows, diagnostics)
}

fn not_a_map(at: Option<At>, value: &Value) -> Diagnostic {
    Diagnostic::error("data/bad-row", at, format!("a row is a map of column and value, got {}", got(value)))
}

/// Makes rows of maps of one YAML file.
struct Mapper<'a> {
    map: &'a SourceMap,
    places: &'a Places,
    file: FileId,
    names: Names,
}

impl Mapper<'_> {
    fn row<'a>(&mut self, pointer: &str, entries: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Row {
        let value = |(name, value): (&'a String, &'a Value)| {
            let written = || self.places.plain(&format!("{pointer}/{}", escape(name))).map(|at| self.map.slice(at));
            let datum = match value {
                Value::String(text) => Datum::Text(text.as_str().into()),
                Value::Number(_) => number(value, written()),
                other => Datum::Json(other.to_string().into()),
            };
            (self.names.shared(name), datum)
        };
        let values = entries.into_iter().map(value).collect();
        Row { values, at: self.places.head(pointer).unwrap_or(At { file: self.file, start: 0, end: 0 }) }
    }
}

/// A number as written, where that says more than its value.
fn number(value: &Value, written: Option<&str>) -> Datum {
    match written {
        Some(text) if serde_json::from_str::<Value>(text).is_ok_and(|read| read == *value) => Datum::Json(text.into()),
        Some(text) => Datum::Text(text.into()),
        None => Datum::Json(value.to_string().into()),
    }
}

/// Names of columns, each held once.
#[derive(Default)]
struct Names(IndexMap<Arc<str>, ()>);

impl Names {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some((known, ())) = self.0.get_key_value(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        self.0.insert(name.clone(), ());
        name
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
