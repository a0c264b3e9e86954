//! Would a server take this schema with `strict: true`? Schema → what lies outside the subset that OpenAI promises to enforce.
//!
//! **Source**: OpenAI's guide to structured outputs, "Supported schemas": the root is an object, every property is required, nothing
//! else is allowed, and a handful of keywords and sizes are out.

use serde_json::Value;

use super::Lint;
use super::lint::each_keyword;

const KEYWORDS_OUT: [&str; 7] = ["allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else"];
const MOST_PROPERTIES: usize = 5000;
const MOST_LEVELS: usize = 10;
const MOST_NAME_CHARS: usize = 120_000;
const MOST_ENUM_VALUES: usize = 1000;

/// What lies outside, in order of writing.
pub fn strict_lint(schema: &Value) -> Vec<Lint> {
    let mut found = Vec::new();
    if schema.get("type").is_none_or(|kind| kind != "object") || schema.get("anyOf").is_some() {
        found.push(said("", "with `strict`, the root must be one object, not a choice".to_owned()));
    }
    let (mut properties, mut name_chars, mut enum_values) = (0, 0, 0);
    each_keyword(schema, &mut |pointer, keyword, value| {
        let here = format!("{pointer}/{keyword}");
        match (keyword, value) {
            ("properties", Value::Object(members)) => {
                properties += members.len();
                name_chars += members.keys().map(|name| name.chars().count()).sum::<usize>();
                let owner = schema.pointer(pointer).unwrap_or(schema);
                found.extend(object(pointer, owner, members));
            }
            ("enum", Value::Array(values)) => enum_values += values.len(),
            _ if KEYWORDS_OUT.contains(&keyword) => {
                found.push(said(&here, format!("with `strict`, `{keyword}` is not supported")));
            }
            _ => {}
        }
    });
    for (count, limit, what) in [
        (properties, MOST_PROPERTIES, "properties"),
        (name_chars, MOST_NAME_CHARS, "characters in names of properties"),
        (enum_values, MOST_ENUM_VALUES, "values in enums"),
        (levels(schema), MOST_LEVELS, "levels of objects"),
    ] {
        if count > limit {
            found.push(said("", format!("with `strict`, a schema has at most {limit} {what}, not {count}")));
        }
    }
    found
}

/// What is wrong with one object's schema.
fn object(pointer: &str, owner: &Value, members: &serde_json::Map<String, Value>) -> Vec<Lint> {
    let mut found = Vec::new();
    if owner.get("additionalProperties") != Some(&Value::Bool(false)) {
        let at = if pointer.is_empty() { "/properties".to_owned() } else { pointer.to_owned() };
        found.push(said(&at, "with `strict`, every object must say `additionalProperties: false`".to_owned()));
    }
    let required: Vec<&str> =
        owner.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in members.keys().filter(|name| !required.contains(&name.as_str())) {
        let at = format!("{pointer}/properties/{}", name.replace('~', "~0").replace('/', "~1"));
        let message = format!("with `strict`, every property is required, and `{name}` is not; let it be null as well");
        found.push(said(&at, message));
    }
    found
}

/// How deep objects stand in objects, as written; references are not followed.
fn levels(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let own = usize::from(members.get("properties").is_some_and(Value::is_object));
            own + members.values().map(levels).max().unwrap_or(0)
        }
        Value::Array(items) => items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn said(pointer: &str, message: String) -> Lint {
    Lint { pointer: pointer.to_owned(), message, suggestion: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, expect: &[(&str, &str)]) {
        let found = strict_lint(schema);
        let same = found.len() == expect.len()
            && found.iter().zip(expect).all(|(lint, (pointer, part))| lint.pointer == *pointer && lint.message.contains(part));
        assert!(same, "expected {expect:?}, got {found:?}");
    }

    #[test]
    fn the_subset_is_left_in_each_of_its_ways() {
        let good = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"], "additionalProperties": false});
        check(&good, &[]);
        let mut open = good.clone();
        open["additionalProperties"] = json!(true);
        check(&open, &[("/properties", "additionalProperties: false")]);
        let mut optional = good.clone();
        optional["required"] = json!([]);
        check(&optional, &[("/properties/a", "`a` is not")]);
        let mut choice = good.clone();
        choice["anyOf"] = json!([{"type": "object"}]);
        check(&choice, &[("", "not a choice")]);
        let mut nested = good.clone();
        nested["properties"]["a"] = json!({"allOf": [{"type": "string"}], "not": {"const": "x"}});
        check(&nested, &[("/properties/a/allOf", "`allOf`"), ("/properties/a/not", "`not`")]);
    }

    #[test]
    fn sizes_are_bounded() {
        let many: Vec<u32> = (0..1001).collect();
        let schema =
            json!({"type": "object", "properties": {"a": {"enum": many}}, "required": ["a"], "additionalProperties": false});
        check(&schema, &[("", "at most 1000 values in enums, not 1001")]);
        let mut deep = json!({"type": "string"});
        for _ in 0..11 {
            deep = json!({"type": "object", "properties": {"a": deep}, "required": ["a"], "additionalProperties": false});
        }
        check(&deep, &[("", "at most 10 levels of objects, not 11")]);
    }
}
