//! Which keywords of a schema are none? A misspelt keyword is ignored by every validator: a schema that checks nothing.

use serde_json::Value;

use crate::source::meant;

/// A keyword that no draft knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// JSON pointer of the keyword.
    pub pointer: String,
    /// What is wrong with it, with the nearest keyword where there is one.
    pub message: String,
    /// `did you mean …?`, where a keyword is near.
    pub suggestion: Option<String>,
}

/// Unknown keywords of a schema, in order of writing. Keys that begin with `x-` are people's own.
pub fn lint(schema: &Value) -> Vec<Lint> {
    let mut found = Vec::new();
    each_keyword(schema, &mut |pointer, keyword, _| {
        if keyword.starts_with("x-") || KEYWORDS.iter().any(|(known, _)| *known == keyword) {
            return;
        }
        let suggestion = meant(keyword, KEYWORDS.iter().map(|(known, _)| *known));
        let hint = suggestion.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let message = format!("`{keyword}` is not a keyword of JSON Schema and checks nothing{hint}");
        found.push(Lint { pointer: format!("{pointer}/{}", escape(keyword)), message, suggestion });
    });
    found
}

/// Visits every keyword of a schema and of the schemas in it, with the pointer of the schema it stands in, its name and its
/// value; plain values (`const`, `enum`, `default`) are not entered.
pub fn each_keyword<'a>(schema: &'a Value, visit: &mut dyn FnMut(&str, &'a str, &'a Value)) {
    walk(schema, &mut String::new(), visit);
}

fn walk<'a>(schema: &'a Value, pointer: &mut String, visit: &mut dyn FnMut(&str, &'a str, &'a Value)) {
    let Value::Object(keywords) = schema else { return };
    for (keyword, value) in keywords {
        visit(pointer, keyword, value);
        let Some((_, holds)) = KEYWORDS.iter().find(|(known, _)| known == keyword) else { continue };
        descend(pointer, keyword, |pointer| match (holds, value) {
            (Holds::Schema, value) | (Holds::SchemaOrList, value @ (Value::Object(_) | Value::Bool(_))) => {
                walk(value, pointer, visit);
            }
            (Holds::Schemas, Value::Object(map)) => {
                for (key, value) in map {
                    descend(pointer, key, |pointer| walk(value, pointer, visit));
                }
            }
            (Holds::Schemas | Holds::SchemaOrList, Value::Array(items)) => {
                for (at, value) in items.iter().enumerate() {
                    descend(pointer, &at.to_string(), |pointer| walk(value, pointer, visit));
                }
            }
            (Holds::Schemas | Holds::SchemaOrList, _) => walk(value, pointer, visit),
            (Holds::Value, _) => {}
        });
    }
}

fn descend(pointer: &mut String, key: &str, inside: impl FnOnce(&mut String)) {
    let len = pointer.len();
    pointer.push('/');
    pointer.push_str(&escape(key));
    inside(pointer);
    pointer.truncate(len);
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What stands below a keyword.
enum Holds {
    Schema,
    Schemas,
    /// `items`: a schema, and in older drafts a list of them.
    SchemaOrList,
    Value,
}

/// **Source**: JSON Schema 2020-12 core, applicator, unevaluated, validation, format, content and meta-data vocabularies, with
/// the older names that the 2020-12 meta-schema still lists, and `nullable`, `example` and `discriminator` of OpenAPI left out.
const KEYWORDS: &[(&str, Holds)] = &[
    ("$schema", Holds::Value),
    ("$id", Holds::Value),
    ("$ref", Holds::Value),
    ("$anchor", Holds::Value),
    ("$dynamicRef", Holds::Value),
    ("$dynamicAnchor", Holds::Value),
    ("$vocabulary", Holds::Value),
    ("$comment", Holds::Value),
    ("$defs", Holds::Schemas),
    ("definitions", Holds::Schemas),
    ("allOf", Holds::Schemas),
    ("anyOf", Holds::Schemas),
    ("oneOf", Holds::Schemas),
    ("prefixItems", Holds::Schemas),
    ("items", Holds::SchemaOrList),
    ("additionalItems", Holds::Schema),
    ("properties", Holds::Schemas),
    ("patternProperties", Holds::Schemas),
    ("dependentSchemas", Holds::Schemas),
    ("dependencies", Holds::Schemas),
    ("additionalProperties", Holds::Schema),
    ("unevaluatedProperties", Holds::Schema),
    ("unevaluatedItems", Holds::Schema),
    ("propertyNames", Holds::Schema),
    ("contains", Holds::Schema),
    ("contentSchema", Holds::Schema),
    ("not", Holds::Schema),
    ("if", Holds::Schema),
    ("then", Holds::Schema),
    ("else", Holds::Schema),
    ("type", Holds::Value),
    ("enum", Holds::Value),
    ("const", Holds::Value),
    ("multipleOf", Holds::Value),
    ("maximum", Holds::Value),
    ("exclusiveMaximum", Holds::Value),
    ("minimum", Holds::Value),
    ("exclusiveMinimum", Holds::Value),
    ("maxLength", Holds::Value),
    ("minLength", Holds::Value),
    ("pattern", Holds::Value),
    ("maxItems", Holds::Value),
    ("minItems", Holds::Value),
    ("uniqueItems", Holds::Value),
    ("maxContains", Holds::Value),
    ("minContains", Holds::Value),
    ("maxProperties", Holds::Value),
    ("minProperties", Holds::Value),
    ("required", Holds::Value),
    ("dependentRequired", Holds::Value),
    ("format", Holds::Value),
    ("contentEncoding", Holds::Value),
    ("contentMediaType", Holds::Value),
    ("title", Holds::Value),
    ("description", Holds::Value),
    ("default", Holds::Value),
    ("deprecated", Holds::Value),
    ("readOnly", Holds::Value),
    ("writeOnly", Holds::Value),
    ("examples", Holds::Value),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_keywords_are_named_with_their_place() {
        let schema = json!({
            "typ": "object",
            "properties": {"typ": {"type": "string", "minlength": 1}, "x": {"const": {"minlength": 1}}},
            "allOf": [{"requird": ["a"]}],
            "x-note": "ours"
        });
        let found = lint(&schema);
        let pointers: Vec<&str> = found.iter().map(|lint| lint.pointer.as_str()).collect();
        assert_eq!(pointers, ["/typ", "/properties/typ/minlength", "/allOf/0/requird"]);
        assert!(found[1].message.contains("minLength"), "{}", found[1].message);
        assert_eq!(lint(&json!({"type": "object", "properties": {}, "required": []})), []);
        let items = lint(&json!({"items": {"typ": "object", "properties": {"typ": true}}, "prefixItems": [{"requird": []}]}));
        let pointers: Vec<&str> = items.iter().map(|lint| lint.pointer.as_str()).collect();
        assert_eq!(pointers, ["/items/typ", "/prefixItems/0/requird"]);
    }
}
