//! Every keyword that a tool of the project uses is enforced: for each, a value that is accepted and one that is refused.

use std::collections::BTreeSet;

use fireassay::schema::{Schema, each_keyword};
use serde_json::{Value, json};

/// Keywords that only describe, or hold what others refer to.
const DESCRIBE: &[&str] = &["$schema", "$defs", "title", "description", "default"];

/// Keyword, schema, accepted value, refused value.
fn table() -> Vec<(&'static str, Value, Value, Value)> {
    let with = |keyword: &str, schema: Value| json!({keyword: schema});
    vec![
        ("type", with("type", json!("string")), json!("a"), json!(1)),
        ("type", with("type", json!(["string", "null"])), json!(null), json!(1)),
        ("properties", with("properties", json!({"a": {"type": "integer"}})), json!({"a": 1}), json!({"a": "1"})),
        ("required", with("required", json!(["a"])), json!({"a": 1}), json!({"b": 1})),
        (
            "additionalProperties",
            json!({"properties": {"a": true}, "additionalProperties": false}),
            json!({"a": 1}),
            json!({"b": 1}),
        ),
        (
            "patternProperties",
            with("patternProperties", json!({"^x-": {"type": "string"}})),
            json!({"x-a": "b"}),
            json!({"x-a": 1}),
        ),
        ("propertyNames", with("propertyNames", json!({"pattern": "^[a-z]+$"})), json!({"a": 1}), json!({"A": 1})),
        ("minProperties", with("minProperties", json!(1)), json!({"a": 1}), json!({})),
        ("maxProperties", with("maxProperties", json!(1)), json!({"a": 1}), json!({"a": 1, "b": 2})),
        ("dependentRequired", with("dependentRequired", json!({"a": ["b"]})), json!({"a": 1, "b": 2}), json!({"a": 1})),
        (
            "unevaluatedProperties",
            json!({"allOf": [{"properties": {"a": true}}], "unevaluatedProperties": false}),
            json!({"a": 1}),
            json!({"b": 1}),
        ),
        ("items", with("items", json!({"type": "integer"})), json!([1, 2]), json!([1, "2"])),
        ("prefixItems", with("prefixItems", json!([{"type": "integer"}, {"type": "string"}])), json!([1, "a"]), json!(["a", 1])),
        ("minItems", with("minItems", json!(2)), json!([1, 2]), json!([1])),
        ("maxItems", with("maxItems", json!(1)), json!([1]), json!([1, 2])),
        ("uniqueItems", with("uniqueItems", json!(true)), json!([1, 2]), json!([1, 1.0])),
        ("contains", with("contains", json!({"const": "id"})), json!(["a", "id"]), json!(["a"])),
        ("minContains", json!({"contains": {"const": 1}, "minContains": 2}), json!([1, 1]), json!([1, 2])),
        ("maxContains", json!({"contains": {"const": 1}, "maxContains": 1}), json!([1, 2]), json!([1, 1])),
        ("minLength", with("minLength", json!(2)), json!("äö"), json!("ä")),
        ("maxLength", with("maxLength", json!(2)), json!("äö"), json!("abc")),
        ("pattern", with("pattern", json!("^[A-Z]{3}$")), json!("CDG"), json!("cdg")),
        ("format", with("format", json!("date-time")), json!("2026-03-01T12:00:00Z"), json!("2026-03-01 noon")),
        ("format", with("format", json!("date")), json!("2028-02-29"), json!("2026-02-29")),
        ("format", with("format", json!("email")), json!("ann@example.com"), json!("ann at example.com")),
        ("format", with("format", json!("uuid")), json!("6f1c2a54-3b7e-4d5f-8a90-1b2c3d4e5f60"), json!("6f1c2a54")),
        ("format", with("format", json!("hostname")), json!("a.example.com"), json!("-a.example.com")),
        ("minimum", with("minimum", json!(1)), json!(1), json!(0)),
        ("maximum", with("maximum", json!(1)), json!(1), json!(1.5)),
        ("exclusiveMinimum", with("exclusiveMinimum", json!(0)), json!(0.1), json!(0)),
        ("exclusiveMaximum", with("exclusiveMaximum", json!(1)), json!(0.9), json!(1)),
        ("multipleOf", with("multipleOf", json!(0.01)), json!(12.35), json!(12.345)),
        ("enum", with("enum", json!(["a", null])), json!(null), json!("b")),
        ("const", with("const", json!({"a": [1]})), json!({"a": [1.0]}), json!({"a": [2]})),
        ("anyOf", with("anyOf", json!([{"type": "string"}, {"type": "integer"}])), json!("a"), json!(null)),
        ("oneOf", with("oneOf", json!([{"minimum": 0}, {"minimum": 5}])), json!(1), json!(6)),
        ("allOf", with("allOf", json!([{"minimum": 0}, {"maximum": 5}])), json!(1), json!(6)),
        ("not", with("not", json!({"type": "null"})), json!(1), json!(null)),
        ("if", json!({"if": {"required": ["card"]}, "then": {"required": ["code"]}}), json!({"iban": 1}), json!({"card": 1})),
        ("then", json!({"if": true, "then": {"required": ["code"]}}), json!({"code": 1}), json!({})),
        ("else", json!({"if": {"required": ["card"]}, "else": {"required": ["iban"]}}), json!({"card": 1}), json!({})),
        (
            "$ref",
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "integer"}}}}}),
            json!({"next": {"next": {"v": 1}}}),
            json!({"next": {"next": {"v": "1"}}}),
        ),
    ]
}

#[test]
fn every_keyword_of_the_tools_is_enforced() {
    for (keyword, schema, accepted, refused) in table() {
        let compiled = Schema::compile(&schema).unwrap_or_else(|error| panic!("{keyword}: {error}"));
        assert!(compiled.fits(&accepted), "{keyword}: {schema} refuses {accepted}");
        assert!(!compiled.fits(&refused), "{keyword}: {schema} accepts {refused}");
        let faults = compiled.validate(&refused);
        assert!(faults.iter().all(|fault| !fault.rule.is_empty()), "{keyword}: a fault without its place in the schema");
    }
}

#[test]
fn the_table_has_every_keyword_that_a_tool_uses() {
    let known: BTreeSet<&str> = table().iter().map(|(keyword, ..)| *keyword).chain(DESCRIBE.iter().copied()).collect();
    let (mut files, mut formats) = (0, BTreeSet::new());
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tools")).expect("tools/") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a tool");
        let tool: Value = fireassay::spec::yaml::parse_plain(&text).expect("YAML");
        files += 1;
        for schema in [&tool["input_schema"], &tool["output_schema"]].into_iter().filter(|schema| !schema.is_null()) {
            each_keyword(schema, &mut |pointer, keyword, value| {
                assert!(known.contains(keyword), "{}{pointer}: no row for `{keyword}`", path.display());
                formats.extend(value.as_str().filter(|_| keyword == "format").map(str::to_owned));
            });
        }
    }
    assert!(files >= 15, "only {files} tools");
    for format in formats {
        assert!(table().iter().any(|(_, schema, ..)| schema["format"] == format.as_str()), "no row for the format {format}");
    }
}
