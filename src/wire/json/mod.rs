//! One JSON text → its value, and the keys that stand twice in one object: what a plain parse into a value would hide.

mod value;

use std::borrow::Cow;

pub use value::{Object, Value};

/// A parsed text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'t> {
    /// The value.
    pub value: Value<'t>,
    /// Keys that stood twice in one object, each once.
    pub twice: Vec<String>,
}

/// Parses a text that is exactly one JSON value. **Errors**: the parser's, with line and column; NaN, lone surrogates,
/// numbers out of range, what stands after the value, and nesting over 128 levels are errors.
pub fn parse(text: &str) -> Result<Parsed<'_>, serde_json::Error> {
    let value: Value = serde_json::from_str(text)?;
    let mut twice = Vec::new();
    value.twice(&mut twice);
    Ok(Parsed { value, twice })
}

/// [`parse`] of a text that is borrowed or not; what it borrows outlives the text's holder.
pub fn parse_cow<'t>(text: &Cow<'t, str>) -> Result<Parsed<'t>, serde_json::Error> {
    match text {
        Cow::Borrowed(text) => parse(text),
        Cow::Owned(text) => parse(text).map(|Parsed { value, twice }| Parsed { value: value.into_owned(), twice }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&[&str], &str>) {
        match (parse(text), expect) {
            (Ok(parsed), Ok(twice)) => {
                assert_eq!(parsed.twice, twice);
                if twice.is_empty() {
                    let plain: serde_json::Value = serde_json::from_str(text).expect("JSON");
                    assert_eq!(parsed.value.to_string(), plain.to_string());
                }
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn values_and_keys_that_stand_twice() {
        check(r#"{"a":[1,-2,1.5,"x",null,true,{"b":{}}],"c":18446744073709551615}"#, Ok(&[]));
        check(r#"{"a":1,"b":{"a":1,"c":1,"c":2},"a":2,"a":3}"#, Ok(&["c", "a"]));
        check(r#"{"a":NaN}"#, Err("expected value"));
        check(r#"{"a":1e999}"#, Err("out of range"));
        check(r#"{"a":"\ud800"}"#, Err("hex escape"));
        check("{} {}", Err("trailing"));
        check(&"[".repeat(50_000), Err("recursion limit"));
    }
}
