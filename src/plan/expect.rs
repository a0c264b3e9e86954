//! How an item of a case's `expect:` becomes a sentence of the catalogue: the type of the table [`ExpectForm`].
//!
//! The rows stand in `steps`, beside the sentences they name; the compiler only knows how each kind of value is written
//! into a sentence. Several rows may share a path: the first one whose kind takes the value is used, so `status: 200` and
//! `status: [400, 422]` are two rows.

use std::time::Duration;

use serde_json::Value;

use crate::spec::yaml::Span;

/// One row: a key path under `expect:` and the sentence it stands for.
#[derive(Debug, Clone, Copy)]
pub struct ExpectForm {
    /// Keys from the item down, joined by dots: `reply.mentions`, `usage.completion_tokens.at_most`.
    pub path: &'static str,
    /// What the value must be.
    pub value: ExpectValue,
    /// The sentence, with `{}` where the value goes: `the reply mentions {}`.
    pub sentence: &'static str,
    /// What it claims, in a line.
    pub doc: &'static str,
}

/// The kinds of values and how each is written into the sentence's `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectValue {
    /// A text, quoted: `"Paris"`. A list of texts is one claim each. A bare number or boolean is taken as it is written.
    Text,
    /// A text, bare: `stop`.
    Word,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// Any JSON, in one line.
    Json,
    /// A time span: `5s`.
    Duration,
    /// Exactly this boolean; the sentence has no `{}`.
    Flag(bool),
    /// A list of texts, or one: `a, b`.
    Names,
    /// A list of whole numbers: `400, 422`.
    Ints,
    /// A JSON Schema; goes below the sentence (which ends with `:`) as a doc string.
    Schema,
    /// A map; one claim each, the sentence has two `{}`: the key, quoted, and the value as JSON.
    Entries,
    /// A map; one claim each, the sentence has two `{}`: the key, bare, and the value as JSON.
    Members,
}

impl ExpectValue {
    /// What is wanted, in words for people.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text, or a list of texts",
            Self::Word => "a text",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Json => "any value",
            Self::Duration => "a time span such as `5s`",
            Self::Flag(true) => "`true`",
            Self::Flag(false) => "`false`",
            Self::Names => "a list of names",
            Self::Ints => "a list of whole numbers",
            Self::Schema => "a JSON Schema",
            Self::Entries | Self::Members => "a map",
        }
    }
}

/// A claim ready to be looked up: its sentence, and the schema that hangs below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// Where under the item's value it stands, as a JSON pointer suffix: ``, `/1`, `/a.b`.
    pub pointer: String,
    /// The sentence with the value in it.
    pub text: String,
    /// A doc string.
    pub doc: Option<String>,
}

impl ExpectForm {
    /// The claims that a value makes in this form; `None` where the value is not of its kind. `raw` is the value as
    /// written in the file, for numbers that are meant as text.
    pub(super) fn claims(&self, value: &Value, raw: Option<&str>) -> Option<Vec<Claim>> {
        let one = |text: String| Some(vec![Claim { pointer: String::new(), text: self.with(&text), doc: None }]);
        match (self.value, value) {
            (ExpectValue::Text, Value::Array(items)) if !items.is_empty() => items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let text = self.with(&quote(&plain(item, None)?));
                    Some(Claim { pointer: format!("/{at}"), text, doc: None })
                })
                .collect(),
            (ExpectValue::Text, _) => one(quote(&plain(value, raw)?)),
            (ExpectValue::Word | ExpectValue::Names, Value::String(text)) => one(text.clone()),
            (ExpectValue::Int, _) => one(whole(value)?.to_string()),
            (ExpectValue::Float, Value::Number(number)) => one(number.to_string()),
            (ExpectValue::Float, Value::String(text)) => one(text.trim().parse::<f64>().ok()?.to_string()),
            (ExpectValue::Json, _) => one(value.to_string()),
            (ExpectValue::Duration, Value::String(text)) => {
                let span: Span = text.parse().ok()?;
                (span.0 > Duration::ZERO).then(|| one(span.to_string()))?
            }
            (ExpectValue::Flag(want), Value::Bool(is)) if want == *is => one(String::new()),
            (ExpectValue::Names, Value::Array(items)) if !items.is_empty() => {
                one(items.iter().map(|item| plain(item, None)).collect::<Option<Vec<_>>>()?.join(", "))
            }
            (ExpectValue::Ints, Value::Array(items)) if !items.is_empty() => {
                let items: Option<Vec<String>> = items.iter().map(|item| whole(item).map(|number| number.to_string())).collect();
                one(items?.join(", "))
            }
            (ExpectValue::Schema, Value::Object(_) | Value::Bool(_)) => {
                let doc = serde_json::to_string_pretty(value).expect("a JSON value can be written");
                Some(vec![Claim { pointer: String::new(), text: self.sentence.to_owned(), doc: Some(doc) }])
            }
            (ExpectValue::Entries | ExpectValue::Members, Value::Object(entries)) if !entries.is_empty() => entries
                .iter()
                .map(|(key, value)| {
                    let key_text = if self.value == ExpectValue::Members { key.clone() } else { quote(key) };
                    let text = self.sentence.replacen("{}", &key_text, 1);
                    let text = match text.rfind("{}") {
                        Some(at) => format!("{}{value}{}", &text[..at], &text[at + 2..]),
                        None => text,
                    };
                    Some(Claim { pointer: format!("/{}", key.replace('~', "~0").replace('/', "~1")), text, doc: None })
                })
                .collect(),
            _ => None,
        }
    }

    fn with(&self, value: &str) -> String {
        self.sentence.replacen("{}", value, 1)
    }
}

/// A text as it is quoted in a sentence: `\"`, `\\` and `\n` are the escapes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A scalar as text.
fn plain(value: &Value, raw: Option<&str>) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(raw.map_or_else(|| value.to_string(), str::to_owned)),
        _ => None,
    }
}

/// A whole number, or a text that is one (a filled-in `<column>`).
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: ExpectValue, sentence: &'static str, given: &Value, expect: Option<&[&str]>) {
        let form = ExpectForm { path: "x", value, sentence, doc: "" };
        let claims = form.claims(given, None);
        let texts: Option<Vec<&str>> = claims.as_ref().map(|claims| claims.iter().map(|claim| claim.text.as_str()).collect());
        assert_eq!(texts.as_deref(), expect, "{value:?} {given}");
    }

    #[test]
    fn each_kind_is_written_into_its_sentence() {
        use ExpectValue as V;
        check(V::Text, "mentions {}", &json!("a \"b\"\n\\"), Some(&[r#"mentions "a \"b\"\n\\""#]));
        check(V::Text, "mentions {}", &json!(["a", "b"]), Some(&["mentions \"a\"", "mentions \"b\""]));
        check(V::Text, "mentions {}", &json!(18), Some(&["mentions \"18\""]));
        check(V::Text, "mentions {}", &json!({"a": 1}), None);
        check(V::Text, "mentions {}", &json!([]), None);
        check(V::Word, "finish is {}", &json!("stop"), Some(&["finish is stop"]));
        check(V::Int, "status is {}", &json!(200), Some(&["status is 200"]));
        check(V::Int, "status is {}", &json!("200"), Some(&["status is 200"]));
        check(V::Int, "status is {}", &json!("two"), None);
        check(V::Int, "status is {}", &json!(1.5), None);
        check(V::Json, "is {}", &json!({"a": [1, "{}"]}), Some(&[r#"is {"a":[1,"{}"]}"#]));
        check(V::Duration, "within {}", &json!("1.5s"), Some(&["within 1500ms"]));
        check(V::Duration, "within {}", &json!(5), None);
        check(V::Duration, "within {}", &json!("0s"), None);
        check(V::Flag(true), "is empty", &json!(true), Some(&["is empty"]));
        check(V::Flag(true), "is empty", &json!(false), None);
        check(V::Names, "one of {}", &json!(["stop", "length"]), Some(&["one of stop, length"]));
        check(V::Ints, "one of {}", &json!([400, 422]), Some(&["one of 400, 422"]));
        check(V::Members, "calls {} with {}", &json!({"a": {"b": 1}}), Some(&[r#"calls a with {"b":1}"#]));
        check(V::Entries, "{} is {}", &json!({"a{}": "{}", "b": 1}), Some(&[r#""a{}" is "{}""#, r#""b" is 1"#]));
    }

    #[test]
    fn a_schema_goes_below_the_sentence_and_a_bare_number_keeps_its_writing() {
        let form =
            ExpectForm { path: "reply.schema", value: ExpectValue::Schema, sentence: "the reply fits the schema:", doc: "" };
        let claims = form.claims(&json!({"type": "object"}), None).expect("a schema");
        assert_eq!(claims[0].doc.as_deref(), Some("{\n  \"type\": \"object\"\n}"));
        let form = ExpectForm { path: "reply.mentions", value: ExpectValue::Text, sentence: "mentions {}", doc: "" };
        assert_eq!(form.claims(&json!(1.0), Some("1.00")).expect("a text")[0].text, "mentions \"1.00\"");
    }
}
