//! A value against the schema of its type: every mistake as a [`Diagnostic`] in plain words at its key or value.

use std::cell::RefCell;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::places::{Places, escape};
use super::shape::{Shape, accepts};
use crate::source::{Diagnostic, Diagnostics, did_you_mean, meant};

/// A key that no schema knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownKey {
    /// JSON pointer of the map it stands in.
    pub map: String,
    /// The key.
    pub name: String,
    /// The key that was meant, where one is near.
    pub meant: Option<String>,
}

/// Every mistake of a value, in the order of the text, and which of them are unknown keys.
pub(super) fn check(places: &Places, shape: &Shape, value: &Value) -> (Diagnostics, Vec<UnknownKey>) {
    let validator: Validator = jsonschema::draft202012::new(&shape.schema).expect("the schema of a spec type is valid");
    let checker = Checker { places, shape, value, unknown: RefCell::default() };
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        checker.explain(&error, &mut found);
    }
    found.sort_by_key(|diagnostic| diagnostic.at.map(|at| (at.file, at.start, diagnostic.code)));
    found.dedup();
    (found, checker.unknown.into_inner())
}

/// The code of a key that no schema knows.
pub(super) const UNKNOWN_KEY: &str = "yaml/unknown-key";

struct Checker<'a> {
    places: &'a Places,
    shape: &'a Shape,
    value: &'a Value,
    unknown: RefCell<Vec<UnknownKey>>,
}

impl Checker<'_> {
    fn explain(&self, error: &ValidationError<'_>, found: &mut Diagnostics) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                found.extend(unexpected.iter().map(|name| self.unknown_key(pointer, name)));
            }
            ValidationErrorKind::Required { property } => {
                found.push(self.missing_key(pointer, property.as_str().unwrap_or_default()));
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                // The branch meant is the one whose JSON type fits; among several the one with the fewest mistakes.
                let meant = context
                    .iter()
                    .filter(|branch| !branch.iter().any(|error| of_type(error, pointer)))
                    .min_by_key(|branch| branch.len());
                match meant {
                    Some(branch) => branch.iter().for_each(|error| self.explain(error, found)),
                    None => found.push(self.unfit("yaml/wrong-type", pointer, error.instance())),
                }
            }
            ValidationErrorKind::Type { .. } => found.push(self.unfit("yaml/wrong-type", pointer, error.instance())),
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } | ValidationErrorKind::Pattern { .. } => {
                found.push(self.unfit("yaml/bad-value", pointer, error.instance()));
            }
            _ => found.push(self.out_of_bounds(pointer, error)),
        }
    }

    fn unknown_key(&self, pointer: &str, name: &str) -> Diagnostic {
        let at = self.places.key(&format!("{pointer}/{}", escape(name)));
        let schemas = self.shape.at(self.value, pointer);
        let known = schemas.iter().filter_map(|schema| schema.get("properties")?.as_object()).flat_map(|known| known.keys());
        let help = did_you_mean(name, known.map(String::as_str));
        let meant = help.as_deref().and_then(|help| help.strip_prefix("did you mean `")?.strip_suffix("`?"));
        let unknown = UnknownKey { map: pointer.to_owned(), name: name.to_owned(), meant: meant.map(str::to_owned) };
        self.unknown.borrow_mut().push(unknown);
        Diagnostic::error(UNKNOWN_KEY, at, format!("unknown key `{name}`")).help(help)
    }

    fn missing_key(&self, pointer: &str, name: &str) -> Diagnostic {
        let schemas = self.shape.at(self.value, pointer);
        let about = schemas.iter().find_map(|schema| schema.get("properties")?.get(name)?.get("description")?.as_str());
        let help = about.map(|text| format!("`{name}`: {}", first_line(text)));
        Diagnostic::error("yaml/missing-key", self.places.head(pointer), format!("the key `{name}` is missing here")).help(help)
    }

    fn unfit(&self, code: &'static str, pointer: &str, value: &Value) -> Diagnostic {
        let schemas = self.shape.at(self.value, pointer);
        // A number where a text is meant has become the text that was written; people are told what they wrote.
        let number = self.number(pointer, value);
        let written = number.map_or_else(|| got(value), |number| format!("the number {number}"));
        let message = format!("expected {}, got {written}", expected(&schemas));
        let diagnostic = Diagnostic::error(code, self.places.value(pointer), message);
        diagnostic.help(self.unfit_help(pointer, value, &schemas))
    }

    fn unfit_help(&self, pointer: &str, value: &Value, schemas: &[&Value]) -> Option<String> {
        let takes = |sample: &Value| schemas.iter().any(|schema| accepts(schema, sample));
        let listed = schemas.iter().filter_map(|schema| schema.get("enum")?.as_array()).flatten();
        let words = listed.chain(schemas.iter().filter_map(|schema| schema.get("const"))).filter_map(Value::as_str);
        if let Some(text) = value.as_str()
            && let Some(near) = meant(text, words)
        {
            return Some(near);
        }
        let span = schemas.iter().filter_map(|schema| schema.get("x-expected")?.as_str()).any(|name| name.contains("time span"));
        if let Some(number) = value.as_str().filter(|text| span && text.trim().parse::<f64>().is_ok_and(|one| one >= 0.0)) {
            return Some(format!("did you mean `{}s`?", number.trim()));
        }
        if takes(&Value::Array(Vec::new())) && !value.is_object() && !value.is_null() {
            return Some("a list is written `[a, b]`, or one `- item` a line".to_owned());
        }
        if value.is_null() && takes(&Value::String(String::new())) && self.places.has(pointer) {
            return Some("write the text, in quotes if it is empty or the word `null`; or remove the key".to_owned());
        }
        None
    }

    /// The number that was written without quotes and has become a text.
    fn number<'v>(&self, pointer: &str, value: &'v Value) -> Option<&'v str> {
        let text = value.as_str()?;
        (self.places.plain(pointer).is_some() && text.parse::<f64>().is_ok_and(f64::is_finite)).then_some(text)
    }

    fn out_of_bounds(&self, pointer: &str, error: &ValidationError<'_>) -> Diagnostic {
        let at = self.places.value(pointer);
        let value = got(error.instance());
        let message = match error.kind() {
            ValidationErrorKind::Minimum { limit } => format!("expected a number of at least {limit}, got {value}"),
            ValidationErrorKind::Maximum { limit } => format!("expected a number of at most {limit}, got {value}"),
            ValidationErrorKind::ExclusiveMinimum { limit } => format!("expected a number above {limit}, got {value}"),
            ValidationErrorKind::ExclusiveMaximum { limit } => format!("expected a number below {limit}, got {value}"),
            ValidationErrorKind::MinItems { limit } => format!("expected a list of at least {limit}"),
            ValidationErrorKind::MaxItems { limit } => format!("expected a list of at most {limit}"),
            ValidationErrorKind::MinProperties { limit } => format!("expected a map with at least {limit} keys"),
            ValidationErrorKind::MaxProperties { limit } => format!("expected a map with at most {limit} keys"),
            ValidationErrorKind::MinLength { limit } => format!("expected a text of at least {limit} characters, got {value}"),
            ValidationErrorKind::MaxLength { limit } => format!("expected a text of at most {limit} characters, got {value}"),
            _ => error.to_string(),
        };
        Diagnostic::error("yaml/bad-value", at, message)
    }
}

/// Whether a mistake says that the value at the pointer, as a whole, is of another JSON type.
fn of_type(error: &ValidationError<'_>, pointer: &str) -> bool {
    let other = |one: &Value| std::mem::discriminant(one) != std::mem::discriminant(&**error.instance());
    error.instance_path().as_str() == pointer
        && match error.kind() {
            ValidationErrorKind::Type { .. } => true,
            ValidationErrorKind::Enum { options } => options.as_array().is_some_and(|all| all.iter().all(other)),
            ValidationErrorKind::Constant { expected_value } => other(expected_value),
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                context.iter().all(|branch| branch.iter().any(|error| of_type(error, pointer)))
            }
            _ => false,
        }
}

/// What the schemas take, in words: `a text or a list`.
fn expected(schemas: &[&Value]) -> String {
    let mut words: Vec<String> = Vec::new();
    for schema in schemas {
        for word in expected_of(schema) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    match words.split_last() {
        None => "another value".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn expected_of(schema: &Value) -> Vec<String> {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return options.iter().filter(|one| !one.is_null()).map(quoted).collect();
    }
    if let Some(one) = schema.get("const") {
        return vec![quoted(one)];
    }
    if let Some(name) = schema.get("x-expected").and_then(Value::as_str) {
        return vec![name.to_owned()];
    }
    let word = |name: &str| match name {
        "boolean" => Some("`true` or `false`"),
        "integer" => Some("a whole number"),
        "number" => Some("a number"),
        "string" => Some("a text"),
        "array" => Some("a list"),
        "object" => Some("a map"),
        _ => None,
    };
    match schema.get("type") {
        Some(Value::String(name)) => word(name).into_iter().map(str::to_owned).collect(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).filter_map(word).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// What was written, in words: `the text `three``.
pub(crate) fn got(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(text) => format!("the text `{}`", shortened(text)),
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

fn quoted(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("`{value}`"), |text| format!("`{text}`"))
}

/// One line of at most sixty characters.
fn shortened(text: &str) -> String {
    let line = first_line(text);
    let cut = line.chars().take(60).collect::<String>();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}
