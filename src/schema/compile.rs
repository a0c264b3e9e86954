//! Compiling and validating: [`Schema`].

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Retrieve, Uri, ValidationError, Validator};
use serde_json::Value;

use super::lint::each_keyword;
use super::references;

/// A compiled schema.
#[derive(Debug, Clone)]
pub struct Schema {
    validator: Validator,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schema is not usable at {}: {message}", place(.pointer))]
pub struct SchemaError {
    /// JSON pointer of the offending part; empty = the whole schema.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// One way in which a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the value; empty = the whole value.
    pub at: String,
    /// JSON pointer of the keyword in the schema: `/properties/age/minimum`.
    pub rule: String,
    /// What is wrong: `"x" is not of type "integer"`.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at {}: {} (schema: {})", place(&self.at), self.message, place(&self.rule))
    }
}

/// A pointer for people: the empty one is the root.
fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the root" } else { pointer }
}

/// Longest message of one fault that is kept; values are quoted in them.
const MESSAGE_LIMIT: usize = 300;

impl Schema {
    /// Compiles a schema. **Errors**: it is no JSON Schema, or one of its references leads out of it.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        if !(schema.is_object() || schema.is_boolean()) {
            let message = "a JSON Schema is an object, `true` or `false`".to_owned();
            return Err(SchemaError { pointer: String::new(), message });
        }
        if let Some(bad) = references::bad_references(schema).into_iter().next() {
            return Err(bad);
        }
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_retriever(Refuse)
            .build(schema)
            .map_err(|error| refused(schema, &error))?;
        Ok(Self { validator })
    }

    /// Every way in which a value does not fit; empty = it fits. **Order**: as the schema is walked.
    pub fn validate(&self, value: &Value) -> Vec<Fault> {
        self.validator
            .iter_errors(value)
            .map(|error| Fault {
                at: error.instance_path().to_string(),
                rule: error.schema_path().to_string(),
                message: message(&error),
            })
            .collect()
    }

    /// Whether a value fits.
    pub fn fits(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }
}

/// Fetches nothing.
struct Refuse;

impl Retrieve for Refuse {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("`{uri}` is outside the schema").into())
    }
}

/// The error with the place of the reference where it is about one.
fn refused(schema: &Value, error: &ValidationError<'_>) -> SchemaError {
    let text = error.to_string();
    let mut outside = None;
    each_keyword(schema, &mut |pointer, keyword, value| {
        if let ("$ref" | "$dynamicRef", Value::String(target)) = (keyword, value)
            && !target.starts_with('#')
            && outside.is_none()
            && text.contains(target.split('#').next().unwrap_or(target))
        {
            outside = Some((format!("{pointer}/{keyword}"), target.clone()));
        }
    });
    match outside {
        Some((pointer, target)) => SchemaError { pointer, message: references::outside(&target) },
        None => SchemaError { pointer: error.instance_path().to_string(), message: shortened(&text) },
    }
}

/// The error in words; of branches that all fail, the one with the fewest faults is told.
fn message(error: &ValidationError<'_>) -> String {
    let text = shortened(&error.to_string());
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return text;
    };
    let nearest = context.iter().enumerate().min_by_key(|(_, faults)| faults.len());
    let Some((at, fault)) = nearest.and_then(|(at, faults)| Some((at, faults.first()?))) else { return text };
    format!("{text}; branch {at} comes nearest: at {}: {}", place(fault.instance_path().as_str()), message(fault))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, value: &Value, expect: &[(&str, &str)]) {
        let faults = Schema::compile(schema).expect("a good schema").validate(value);
        let seen: Vec<(&str, &str)> = faults.iter().map(|fault| (fault.at.as_str(), fault.rule.as_str())).collect();
        assert_eq!(seen, expect, "{faults:?}");
    }

    #[test]
    fn every_fault_is_found_with_its_place() {
        let schema = json!({
            "type": "object", "required": ["name", "age"], "additionalProperties": false,
            "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}, "mail": {"type": "string", "format": "email"}}
        });
        check(&schema, &json!({"name": "a", "age": 3}), &[]);
        check(
            &schema,
            &json!({"name": 1, "age": -1}),
            &[("/name", "/properties/name/type"), ("/age", "/properties/age/minimum")],
        );
        check(&schema, &json!({"name": "a"}), &[("", "/required")]);
        check(&schema, &json!({"name": "a", "age": 1, "mail": "no"}), &[("/mail", "/properties/mail/format")]);
        check(&schema, &json!({"name": "a", "age": 1, "x": 1}), &[("", "/additionalProperties")]);
    }

    #[test]
    fn of_branches_that_fail_the_nearest_is_told() {
        let schema = json!({"anyOf": [{"type": "object", "required": ["a", "b"]}, {"properties": {"a": {"type": "integer"}}}]});
        let faults = Schema::compile(&schema).expect("good").validate(&json!({"a": "x"}));
        let message = &faults[0].message;
        assert!(message.contains("comes nearest: at ") && faults.len() == 1, "{message}");
    }

    #[test]
    fn recursion_within_the_schema_is_followed() {
        let tree = json!({"$defs": {"node": {"type": "object", "required": ["v"], "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}, "$ref": "#/$defs/node"});
        assert!(Schema::compile(&tree).expect("good").fits(&json!({"v": 1, "kids": [{"v": 2}]})));
        assert!(!Schema::compile(&tree).expect("good").fits(&json!({"v": 1, "kids": [{"w": 2}]})));
    }

    #[test]
    fn nothing_is_fetched() {
        for target in ["https://example.com/a.json", "file:///etc/hosts", "other.json#/$defs/a"] {
            let error = Schema::compile(&json!({"properties": {"a": {"$ref": target}}})).expect_err(target);
            assert_eq!(error.pointer, "/properties/a/$ref", "{error}");
            assert!(error.message.contains(target), "{error}");
        }
        let own = json!({"$id": "https://example.com/root", "$defs": {"x": {"$id": "x", "type": "integer"}}, "$ref": "x"});
        assert!(Schema::compile(&own).expect("resolves inside").fits(&json!(1)));
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        for (schema, pointer) in [
            (json!({"type": "strin"}), "/type"),
            (json!({"properties": {"a": {"minimum": "0"}}}), "/properties/a/minimum"),
            (json!({"pattern": "("}), "/pattern"),
            (json!({"$ref": "#/$defs/missing"}), "/$ref"),
            (json!({"items": {"$ref": "#/items"}}), "/items/$ref"),
            (json!("string"), ""),
        ] {
            let error = Schema::compile(&schema).expect_err("refused");
            assert_eq!(error.pointer, pointer, "{error}");
        }
    }
}
