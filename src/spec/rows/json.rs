//! JSON (one list of objects) and JSONL (one object a line), with the digits of numbers as they were written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Datum, Names, Row, narrow, not_a_map};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// Reads a list of objects.
pub(super) fn parse(map: &SourceMap, file: FileId) -> (Vec<Row>, Diagnostics) {
    let text = map.file(file).text();
    let body = text.trim_start_matches('\u{feff}');
    let items: Vec<&RawValue> = match serde_json::from_str(body) {
        Ok(items) => items,
        Err(error) if error.is_data() => {
            let start = narrow(text.len() - body.trim_start().len());
            let at = At { file, start, end: start };
            return (
                Vec::new(),
                vec![Diagnostic::error("data/bad-row", at, "expected a list of objects: `[{\"column\": …}, …]`")],
            );
        }
        Err(error) => return (Vec::new(), vec![broken(map, file, 0, &error)]),
    };
    let (mut rows, mut diagnostics, mut names) = (Vec::with_capacity(items.len()), Vec::new(), Names::default());
    for item in items {
        let start = offset_in(text, item.get());
        let at = At { file, start, end: start + narrow(item.get().len()) };
        match row(item.get(), at, &mut names) {
            Ok(row) => rows.push(row),
            Err(Some(refusal)) => diagnostics.push(refusal),
            Err(None) => {}
        }
    }
    (rows, diagnostics)
}

/// Reads one object a line; empty lines are passed over.
pub(super) fn parse_lines(map: &SourceMap, file: FileId) -> (Vec<Row>, Diagnostics) {
    let text = map.file(file).text();
    let (mut rows, mut diagnostics, mut names) = (Vec::new(), Vec::new(), Names::default());
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let start = offset_in(text, line);
        let at = At { file, start, end: start + narrow(line.len()) };
        if let Err(error) = serde_json::from_str::<&RawValue>(line) {
            diagnostics.push(broken(map, file, start, &error));
            continue;
        }
        match row(line, at, &mut names) {
            Ok(row) => rows.push(row),
            Err(Some(refusal)) => diagnostics.push(refusal),
            Err(None) => {}
        }
    }
    (rows, diagnostics)
}

/// One object as a row.
fn row(text: &str, at: At, names: &mut Names) -> Result<Row, Option<Diagnostic>> {
    let Entries(entries) = serde_json::from_str(text).map_err(|_| {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        not_a_map(Some(at), &value)
    })?;
    let mut values = Vec::with_capacity(entries.len());
    for (name, raw) in entries {
        let name = names.shared(&name);
        if values.iter().any(|(known, _)| *known == name) {
            return Err(Some(Diagnostic::error("data/duplicate-key", at, format!("the row has `{name}` twice"))));
        }
        values.push((name, datum(raw.get())));
    }
    Ok(Row { values, at })
}

/// A value: strings as text, numbers and words as written, lists and objects without white space.
fn datum(raw: &str) -> Datum {
    match raw.as_bytes().first() {
        Some(b'"' | b'[' | b'{') => match serde_json::from_str(raw) {
            Ok(Value::String(text)) => Datum::Text(text.into()),
            Ok(value) => Datum::Json(value.to_string().into()),
            // Too deeply nested to be read as a value: kept as it stands.
            Err(_) => Datum::Json(raw.into()),
        },
        _ => Datum::Json(raw.into()),
    }
}

/// The keys and raw values of an object in order, doubles included.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Where a slice of the text begins in it.
fn offset_in(text: &str, part: &str) -> u32 {
    narrow((part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
}

/// A syntax mistake at its place; `from` is where the text that was read begins.
fn broken(map: &SourceMap, file: FileId, from: u32, error: &serde_json::Error) -> Diagnostic {
    let source = map.file(file);
    let first = source.line_col(from).line;
    let line = first + narrow(error.line().saturating_sub(1));
    let start = source.line_start(line).max(from) + narrow(error.column().saturating_sub(1));
    let start = start.min(narrow(source.text().len()));
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    Diagnostic::error("data/bad-json", At { file, start, end: start }, message)
}
