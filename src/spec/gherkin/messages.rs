//! A feature file as Cucumber Messages: the JSON lines that official tools print, for comparison with them.
//!
//! Ids count up from 0 in the order in which the official parsers give them: a part after the parts it is made of, and
//! pickles after the whole tree.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::parse::parse_as_official;
use super::{
    Background, Child, DocString, Document, Examples, Row, Scenario, ScenarioNode, Step, StepKind, Table, Tag, scenarios,
};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// The syntax tree as one `gherkinDocument` line. **Errors**: the file's mistakes.
pub fn ast_ndjson(map: &SourceMap, file: FileId, uri: &str) -> Result<String, Diagnostics> {
    let document = read(map, file)?;
    let mut writer = Writer::new(map, file);
    let mut json = writer.document(&document);
    json.insert("uri".into(), uri.into());
    Ok(format!("{}\n", json!({"gherkinDocument": json})))
}

/// The pickles, one `pickle` line each; none for a file without scenarios. **Errors**: the file's mistakes.
pub fn pickles_ndjson(map: &SourceMap, file: FileId, uri: &str) -> Result<String, Diagnostics> {
    let document = read(map, file)?;
    let mut writer = Writer::new(map, file);
    writer.document(&document);
    let mut out = String::new();
    for node in scenarios(&document) {
        writer.pickles(&node, uri, &mut out);
    }
    Ok(out)
}

fn read(map: &SourceMap, file: FileId) -> Result<Document, Diagnostics> {
    let (document, diagnostics) = parse_as_official(map, file);
    if diagnostics.iter().any(Diagnostic::is_error) { Err(diagnostics) } else { Ok(document) }
}

struct Writer<'a> {
    text: &'a str,
    map: &'a SourceMap,
    next_id: usize,
    /// Ids of tree nodes by their first byte, which no two of them share.
    ids: HashMap<u32, String>,
    /// The place asked for last with its line and column: the next one is mostly on the same line, further right.
    last: (u32, u32, u32),
}

impl<'a> Writer<'a> {
    fn new(map: &'a SourceMap, file: FileId) -> Self {
        Self { text: map.file(file).text(), map, next_id: 0, ids: HashMap::new(), last: (0, 0, 0) }
    }

    fn fresh(&mut self) -> String {
        self.next_id += 1;
        (self.next_id - 1).to_string()
    }

    fn id(&mut self, at: At) -> Value {
        let id = self.fresh();
        self.ids.insert(at.start, id.clone());
        id.into()
    }

    fn known(&self, at: At) -> Value {
        self.ids.get(&at.start).cloned().into()
    }

    fn location(&mut self, at: At) -> Value {
        let (offset, mut line, mut column) = self.last;
        let between = self.text.get(offset as usize..at.start as usize).filter(|text| line > 0 && !text.contains('\n'));
        if let Some(between) = between {
            column += u32::try_from(between.chars().count()).unwrap_or(u32::MAX);
        } else {
            let found = self.map.line_col(at);
            (line, column) = (found.line, found.column);
            // The byte order mark is no column.
            column -= u32::from(line == 1 && self.text.starts_with('\u{feff}'));
        }
        self.last = (at.start, line, column);
        json!({"line": line, "column": column})
    }

    fn document(&mut self, document: &Document) -> Map<String, Value> {
        let mut json = Map::new();
        if let Some(feature) = &document.feature {
            let children = self.children(&feature.children);
            let tags = self.tags(&feature.tags);
            json.insert(
                "feature".into(),
                json!({
                    "location": self.location(feature.at), "tags": tags, "language": feature.language,
                    "keyword": feature.keyword, "name": feature.name, "description": feature.description, "children": children,
                }),
            );
        }
        let comments: Vec<Value> = document
            .comments
            .iter()
            .map(|comment| {
                let line = self.location(comment.at)["line"].clone();
                json!({"location": {"line": line, "column": 1}, "text": comment.text})
            })
            .collect();
        json.insert("comments".into(), comments.into());
        json
    }

    fn children(&mut self, children: &[Child]) -> Vec<Value> {
        let one = |child: &Child| match child {
            Child::Background(background) => json!({"background": self.background(background)}),
            Child::Scenario(scenario) => json!({"scenario": self.scenario(scenario)}),
            Child::Rule(rule) => {
                let children = self.children(&rule.children);
                let tags = self.tags(&rule.tags);
                json!({"rule": {
                    "id": self.id(rule.at), "location": self.location(rule.at), "tags": tags, "keyword": rule.keyword,
                    "name": rule.name, "description": rule.description, "children": children,
                }})
            }
        };
        children.iter().map(one).collect()
    }

    fn background(&mut self, background: &Background) -> Value {
        let steps = self.steps(&background.steps);
        json!({
            "id": self.id(background.at), "location": self.location(background.at), "keyword": background.keyword,
            "name": background.name, "description": background.description, "steps": steps,
        })
    }

    fn scenario(&mut self, scenario: &Scenario) -> Value {
        let steps = self.steps(&scenario.steps);
        let examples: Vec<Value> = scenario.examples.iter().map(|examples| self.examples(examples)).collect();
        let tags = self.tags(&scenario.tags);
        json!({
            "id": self.id(scenario.at), "location": self.location(scenario.at), "tags": tags, "keyword": scenario.keyword,
            "name": scenario.name, "description": scenario.description, "steps": steps, "examples": examples,
        })
    }

    fn examples(&mut self, examples: &Examples) -> Value {
        let header = examples.header.as_ref().map(|row| self.row(row));
        let rows: Vec<Value> = examples.rows.iter().map(|row| self.row(row)).collect();
        let tags = self.tags(&examples.tags);
        let mut json = json!({
            "id": self.id(examples.at), "location": self.location(examples.at), "tags": tags, "keyword": examples.keyword,
            "name": examples.name, "description": examples.description, "tableBody": rows,
        });
        if let Some(header) = header {
            json["tableHeader"] = header;
        }
        json
    }

    fn tags(&mut self, tags: &[Tag]) -> Vec<Value> {
        let one = |tag: &Tag| json!({"id": self.id(tag.at), "location": self.location(tag.at), "name": &*tag.name});
        tags.iter().map(one).collect()
    }

    fn steps(&mut self, steps: &[Step]) -> Vec<Value> {
        steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &Step) -> Value {
        let table = step.table.as_ref().map(|table| self.table(table));
        let doc_string = step.doc_string.as_ref().map(|doc_string| self.doc_string(doc_string));
        let mut json = json!({
            "id": self.id(step.at), "location": self.location(step.at), "keyword": &*step.keyword,
            "keywordType": kind(step.kind), "text": &*step.text,
        });
        if let Some(table) = table {
            json["dataTable"] = table;
        }
        if let Some(doc_string) = doc_string {
            json["docString"] = doc_string;
        }
        json
    }

    fn table(&mut self, table: &Table) -> Value {
        let rows: Vec<Value> = table.rows.iter().map(|row| self.row(row)).collect();
        json!({"location": self.location(table.at), "rows": rows})
    }

    fn row(&mut self, row: &Row) -> Value {
        let (id, location) = (self.id(row.at), self.location(row.at));
        let cells: Vec<Value> =
            row.cells.iter().map(|cell| json!({"location": self.location(cell.at), "value": &*cell.value})).collect();
        json!({"id": id, "location": location, "cells": cells})
    }

    fn doc_string(&mut self, doc_string: &DocString) -> Value {
        let mut json = json!({
            "location": self.location(doc_string.at), "content": &*doc_string.content, "delimiter": doc_string.delimiter,
        });
        if let Some(media_type) = &doc_string.media_type {
            json["mediaType"] = (**media_type).into();
        }
        json
    }

    fn pickles(&mut self, node: &ScenarioNode<'_>, uri: &str, out: &mut String) {
        let written: Vec<&Step> = node.steps().collect();
        let own_from = written.len() - node.scenario.steps.len();
        for pickle in node.pickles(&[]) {
            let row = pickle.row.as_ref().map(|row| row.at);
            let mut steps = Vec::with_capacity(written.len());
            for (index, (step, written)) in pickle.steps.iter().zip(&written).enumerate() {
                let row = row.filter(|_| index >= own_from);
                let nodes: Vec<Value> = [Some(step.at), row].into_iter().flatten().map(|at| self.known(at)).collect();
                let mut json = json!({"id": self.fresh(), "astNodeIds": nodes, "type": kind(step.kind), "text": &*step.text});
                if let Some(argument) = argument(step, written) {
                    json["argument"] = argument;
                }
                steps.push(json);
            }
            let nodes: Vec<Value> = [Some(pickle.at), row].into_iter().flatten().map(|at| self.known(at)).collect();
            let tag = |tag: &Tag| json!({"astNodeId": self.known(tag.at), "name": &*tag.name});
            let tags: Vec<Value> = pickle.tags.iter().map(tag).collect();
            let json = json!({
                "id": self.fresh(), "uri": uri, "location": self.location(row.unwrap_or(pickle.at)), "astNodeIds": nodes,
                "name": &*pickle.name, "language": node.feature.language, "steps": steps, "tags": tags,
            });
            out.push_str(&json!({"pickle": json}).to_string());
            out.push('\n');
        }
    }
}

/// Table and doc string of a pickle's step; where it has both, they say which stands first.
fn argument(step: &super::PickleStep, written: &Step) -> Option<Value> {
    let mut json = Map::new();
    if let Some(rows) = &step.table {
        let cells = |row: &Vec<_>| row.iter().map(|cell: &std::sync::Arc<str>| json!({"value": &**cell})).collect::<Vec<_>>();
        let rows: Vec<Value> = rows.iter().map(|row| json!({"cells": cells(row)})).collect();
        json.insert("dataTable".into(), json!({"rows": rows}));
    }
    if let Some(doc_string) = &step.doc_string {
        let mut inner = json!({"content": &*doc_string.content});
        if let Some(media_type) = &doc_string.media_type {
            inner["mediaType"] = (**media_type).into();
        }
        json.insert("docString".into(), inner);
    }
    if let (Some(table), Some(doc_string)) = (&written.table, &written.doc_string) {
        let table_first = table.at.start < doc_string.at.start;
        json["dataTable"]["argumentIndex"] = if table_first { 1 } else { 2 }.into();
        json["docString"]["argumentIndex"] = if table_first { 2 } else { 1 }.into();
    }
    (!json.is_empty()).then_some(json.into())
}

fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Context => "Context",
        StepKind::Action => "Action",
        StepKind::Outcome => "Outcome",
        StepKind::Conjunction => "Conjunction",
        StepKind::Unknown => "Unknown",
    }
}
