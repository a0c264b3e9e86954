//! Cucumber Messages of a text with every kind of part.

use serde_json::{Value, json};

use super::super::{ast_ndjson, pickles_ndjson};
use crate::source::SourceMap;

const TEXT: &str = "\u{feff}@f
Feature: one
  # note
  Scenario Outline: s <a>
    Given é <a>
      | <a> |
      ```md
      <a>
      ```
    @e
    Examples:
      | a |
      | 1 |
";

fn both(text: &str) -> (Value, Vec<Value>) {
    let mut map = SourceMap::new();
    let file = map.add("a.feature", text);
    let tree = ast_ndjson(&map, file, "x/a.feature").expect("no mistakes");
    let pickles = pickles_ndjson(&map, file, "x/a.feature").expect("no mistakes");
    let read = |line: &str| serde_json::from_str(line).expect("JSON");
    assert_eq!(tree.lines().count(), 1);
    (read(&tree), pickles.lines().map(read).collect())
}

fn at(line: u32, column: u32) -> Value {
    json!({"line": line, "column": column})
}

#[test]
fn the_tree_is_written_as_the_official_tools_do() {
    let (tree, _) = both(TEXT);
    let step = json!({
        "id": "1", "location": at(5, 5), "keyword": "Given ", "keywordType": "Context", "text": "é <a>",
        "dataTable": {"location": at(6, 7), "rows": [
            {"id": "0", "location": at(6, 7), "cells": [{"location": at(6, 9), "value": "<a>"}]},
        ]},
        "docString": {"location": at(7, 7), "content": "<a>", "delimiter": "```", "mediaType": "md"},
    });
    let examples = json!({
        "id": "5", "location": at(11, 5), "keyword": "Examples", "name": "", "description": "",
        "tags": [{"id": "4", "location": at(10, 5), "name": "@e"}],
        "tableHeader": {"id": "2", "location": at(12, 7), "cells": [{"location": at(12, 9), "value": "a"}]},
        "tableBody": [{"id": "3", "location": at(13, 7), "cells": [{"location": at(13, 9), "value": "1"}]}],
    });
    let scenario = json!({
        "id": "6", "location": at(4, 3), "tags": [], "keyword": "Scenario Outline", "name": "s <a>", "description": "",
        "steps": [step], "examples": [examples],
    });
    let feature = json!({
        "location": at(2, 1), "tags": [{"id": "7", "location": at(1, 1), "name": "@f"}], "language": "en",
        "keyword": "Feature", "name": "one", "description": "", "children": [{"scenario": scenario}],
    });
    let comments = json!([{"location": at(3, 1), "text": "  # note"}]);
    assert_eq!(tree, json!({"gherkinDocument": {"uri": "x/a.feature", "feature": feature, "comments": comments}}));
}

#[test]
fn pickles_name_the_parts_they_come_from() {
    let (_, pickles) = both(TEXT);
    let argument = json!({
        "dataTable": {"argumentIndex": 1, "rows": [{"cells": [{"value": "1"}]}]},
        "docString": {"argumentIndex": 2, "content": "1", "mediaType": "md"},
    });
    let step = json!({"id": "8", "astNodeIds": ["1", "3"], "type": "Context", "text": "é 1", "argument": argument});
    let tags = json!([{"astNodeId": "7", "name": "@f"}, {"astNodeId": "4", "name": "@e"}]);
    let pickle = json!({
        "id": "9", "uri": "x/a.feature", "location": at(13, 7), "astNodeIds": ["6", "3"], "name": "s 1", "language": "en",
        "steps": [step], "tags": tags,
    });
    assert_eq!(pickles, [json!({"pickle": pickle})]);
}

#[test]
fn a_file_without_a_feature_is_written_without_one_and_a_broken_one_is_not_written() {
    let (tree, pickles) = both("# only\n");
    let comments = json!([{"location": at(1, 1), "text": "# only"}]);
    assert_eq!(tree, json!({"gherkinDocument": {"uri": "x/a.feature", "comments": comments}}));
    assert!(pickles.is_empty());
    let mut map = SourceMap::new();
    let file = map.add("a.feature", "no");
    assert_eq!(ast_ndjson(&map, file, "a").map_err(|mistakes| mistakes.len()), Err(1));
    assert_eq!(pickles_ndjson(&map, file, "a").map_err(|mistakes| mistakes.len()), Err(1));
}
