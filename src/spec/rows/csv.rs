//! CSV and TSV: a header, then rows of as many fields. Quoted fields may hold separators, quotes (`""`) and line breaks.

use std::sync::Arc;

use super::{Datum, Row, narrow};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// Reads all rows and shows every one that is not as long as the header.
pub(super) fn parse(map: &SourceMap, file: FileId, separator: u8) -> (Vec<Row>, Diagnostics) {
    let text = map.file(file).text();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let skipped = map.file(file).text().len() - text.len();
    let (mut rows, mut diagnostics) = (Vec::new(), Vec::new());
    let mut columns: Option<Vec<Arc<str>>> = None;
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = ::csv::StringRecord::new();
    loop {
        let from = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let at = place(file, text, skipped, from, text.len());
                diagnostics.push(Diagnostic::error("data/bad-csv", at, error.to_string()));
                break;
            }
        }
        let to = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX).min(text.len());
        let at = place(file, text, skipped, from, to);
        if unclosed(&text[from.min(to)..to], to == text.len(), separator) {
            diagnostics.push(Diagnostic::error("data/unclosed-quote", at, "a quote that begins in this row is never closed"));
            break;
        }
        match &columns {
            None => columns = Some(header(&record, at, separator, &mut diagnostics)),
            Some(columns) if columns.len() == record.len() => {
                let values = columns.iter().cloned().zip(record.iter().map(|field| Datum::Text(field.into()))).collect();
                rows.push(Row { values, at });
            }
            Some(columns) => {
                let message = format!("the header has {}, and this row has {}", fields(columns.len()), fields(record.len()));
                let help = "put a field that holds a separator or a line break in double quotes".to_owned();
                diagnostics.push(Diagnostic::error("data/ragged-row", at, message).help(help));
            }
        }
    }
    (rows, diagnostics)
}

fn header(record: &::csv::StringRecord, at: At, separator: u8, diagnostics: &mut Diagnostics) -> Vec<Arc<str>> {
    let mut columns: Vec<Arc<str>> = Vec::new();
    for (index, name) in record.iter().map(str::trim).enumerate() {
        if name.is_empty() {
            let message = format!("column {} has no name", index + 1);
            diagnostics.push(Diagnostic::error("data/bad-header", at, message));
        } else if columns.iter().any(|known| **known == *name) {
            diagnostics.push(Diagnostic::error("data/bad-header", at, format!("the column `{name}` is named twice")));
        }
        columns.push(name.into());
    }
    if separator == b',' && columns.len() == 1 && columns[0].contains([';', '\t']) {
        let message = "the header is one column: fields are separated by commas";
        diagnostics.push(
            Diagnostic::error("data/bad-header", at, message).help("use commas, or name a file with tabs `.tsv`".to_owned()),
        );
    }
    columns
}

/// Whether a quoted field runs to the end of the file: the reader takes that for its end.
fn unclosed(row: &str, last: bool, separator: u8) -> bool {
    let opens = |field: &str| field.trim_start_matches(['\r', '\n']).starts_with('"');
    last && row.bytes().filter(|&byte| byte == b'"').count() % 2 == 1 && row.split(char::from(separator)).any(opens)
}

/// The place of a row without the line breaks around it.
fn place(file: FileId, text: &str, skipped: usize, from: usize, to: usize) -> At {
    let (from, to) = (from.min(text.len()), to.min(text.len()));
    let row = &text[from..to];
    let start = from + (row.len() - row.trim_start_matches(['\r', '\n']).len());
    let end = from + row.trim_end_matches(['\r', '\n']).len();
    At { file, start: narrow(start + skipped), end: narrow(end.max(start) + skipped) }
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}
