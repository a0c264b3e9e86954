//! One JSON text → its value, and the keys that stand twice in one object: what a plain parse into a value would hide.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A parsed text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The value; of keys that stand twice, the last.
    pub value: Value,
    /// Keys that stood twice in one object, each once.
    pub twice: Vec<String>,
}

/// Parses a text that is exactly one JSON value. **Errors**: the parser's, with line and column; NaN, lone surrogates,
/// numbers out of range, what stands after the value, and nesting over 128 levels are errors.
pub fn parse(text: &str) -> Result<Parsed, serde_json::Error> {
    let mut twice = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { twice: &mut twice }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(Parsed { value, twice })
}

struct Strict<'t> {
    twice: &'t mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Strict { twice: self.twice })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Strict { twice: self.twice })?;
            match map.entry(key) {
                serde_json::map::Entry::Vacant(slot) => drop(slot.insert(value)),
                serde_json::map::Entry::Occupied(mut slot) => {
                    if !self.twice.contains(slot.key()) {
                        self.twice.push(slot.key().clone());
                    }
                    slot.insert(value);
                }
            }
        }
        Ok(Value::Object(map))
    }
}

/// What a value is, in words for people: `the string "12"`, `null`, `a list`.
pub fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string {:?}", super::excerpt::bounded(text, 60)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&[&str], &str>) {
        match (parse(text), expect) {
            (Ok(parsed), Ok(twice)) => {
                assert_eq!(parsed.value, serde_json::from_str::<Value>(text).expect("JSON"));
                assert_eq!(parsed.twice, twice);
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
