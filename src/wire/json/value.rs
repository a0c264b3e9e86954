//! A JSON value as replies are read: [`Value`], borrowed from the text, its objects in the order written.
//!
//! A reply of 400 events is 400 values that live for a moment. Maps that hash each key cost more there than all else: objects
//! here are lists, and looking up a key compares a few short texts.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'t> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Cow<'t, str>),
    /// A list.
    Array(Vec<Value<'t>>),
    /// An object.
    Object(Object<'t>),
}

/// An object: its keys in order, each as often as it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<'t>(Vec<(Cow<'t, str>, Value<'t>)>);

impl<'t> Object<'t> {
    /// The last value of a key.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value<'t>> {
        self.0.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'t>)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| &**key)
    }

    /// Values in order.
    pub fn values(&self) -> impl Iterator<Item = &Value<'t>> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Adds the keys that stand twice, each once.
    fn twice(&self, out: &mut Vec<String>) {
        if !self.may_repeat() {
            return;
        }
        let mut seen = HashSet::new();
        for (key, _) in &self.0 {
            if !seen.insert(&**key) && !out.iter().any(|known| known == key) {
                out.push(key.clone().into_owned());
            }
        }
    }

    /// False where no key can stand twice: the few keys that replies have differ in length and first letter.
    fn may_repeat(&self) -> bool {
        let mut marks = 0u64;
        self.0.iter().any(|(key, _)| {
            let first = key.bytes().next().unwrap_or_default();
            let mark = 1u64 << ((usize::from(first) + 7 * key.len()) % 64);
            let known = marks & mark != 0;
            marks |= mark;
            known
        })
    }
}

impl<'t> Value<'t> {
    /// The value of a key of an object.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&Value<'t>> {
        self.as_object()?.get(key)
    }

    /// As a text.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// As a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// As a whole number.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self { number.as_i64() } else { None }
    }

    /// As a whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        if let Self::Number(number) = self { number.as_u64() } else { None }
    }

    /// As a number.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self { number.as_f64() } else { None }
    }

    /// As a list.
    pub fn as_array(&self) -> Option<&Vec<Value<'t>>> {
        if let Self::Array(list) = self { Some(list) } else { None }
    }

    /// As an object.
    pub fn as_object(&self) -> Option<&Object<'t>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is a boolean.
    pub fn is_boolean(&self) -> bool {
        matches!(self, Self::Bool(_))
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// Whether it is a whole number.
    pub fn is_i64(&self) -> bool {
        self.as_i64().is_some()
    }

    /// Whether it is a whole number that is not negative.
    pub fn is_u64(&self) -> bool {
        self.as_u64().is_some()
    }

    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::String(_))
    }

    /// Whether it is a list.
    pub fn is_array(&self) -> bool {
        matches!(self, Self::Array(_))
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// As Python's SDK sees it: null, false, 0 and what is empty are nothing.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => number.as_f64() != Some(0.0),
            Self::String(text) => !text.is_empty(),
            Self::Array(list) => !list.is_empty(),
            Self::Object(object) => !object.is_empty(),
        }
    }

    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(number) if number.is_f64() => "a fraction",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The same value as serde's.
    pub fn to_serde(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(number) => serde_json::Value::Number(number.clone()),
            Self::String(text) => text.to_string().into(),
            Self::Array(list) => list.iter().map(Self::to_serde).collect(),
            Self::Object(object) => object.iter().map(|(key, value)| (key.to_owned(), value.to_serde())).collect(),
        }
    }

    /// Adds the keys that stand twice in one object, each once.
    pub fn twice(&self, out: &mut Vec<String>) {
        match self {
            Value::Array(list) => list.iter().for_each(|value| value.twice(out)),
            Value::Object(object) => {
                object.values().for_each(|value| value.twice(out));
                object.twice(out);
            }
            _ => {}
        }
    }

    /// The same value with texts of its own.
    pub fn into_owned(self) -> Value<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(number) => Value::Number(number),
            Value::String(text) => Value::String(own(text)),
            Value::Array(list) => Value::Array(list.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => {
                Value::Object(Object(object.0.into_iter().map(|(key, value)| (own(key), value.into_owned())).collect()))
            }
        }
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl<'t> From<&'t serde_json::Value> for Value<'t> {
    fn from(value: &'t serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => Self::Number(number.clone()),
            serde_json::Value::String(text) => Self::String(Cow::Borrowed(text)),
            serde_json::Value::Array(list) => Self::Array(list.iter().map(Self::from).collect()),
            serde_json::Value::Object(object) => {
                Self::Object(Object(object.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value.into())).collect()))
            }
        }
    }
}

/// As compact JSON.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::String(text) => f.write_str(&quoted(text)),
            Value::Array(list) => {
                f.write_str("[")?;
                for (at, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if at > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Value::Object(object) => {
                f.write_str("{")?;
                for (at, (key, value)) in object.iter().enumerate() {
                    write!(f, "{}{}:{value}", if at > 0 { "," } else { "" }, quoted(key))?;
                }
                f.write_str("}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value<'de>, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        let mut object = Vec::with_capacity(8);
        while let Some(Key(key)) = entries.next_key()? {
            object.push((key, entries.next_value()?));
        }
        Ok(Value::Object(Object(object)))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            _ => Err(D::Error::custom("a key that is no string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a":[1,-2,1.5,"x",null,true,{"b":{}}],"c":18446744073709551615,"d\n":"\u00e9 \"q\"","e":[]}"#;

    #[test]
    fn it_reads_and_writes_what_serde_json_does() {
        let ours: Value = serde_json::from_str(TEXT).expect("JSON");
        let theirs: serde_json::Value = serde_json::from_str(TEXT).expect("JSON");
        assert_eq!(ours.to_string(), theirs.to_string());
        assert_eq!(Value::from(&theirs), ours);
        assert_eq!(ours.clone().into_owned(), ours);
        assert_eq!(ours.to_serde(), theirs);
        assert_eq!(ours.get("d\n").and_then(Value::as_str), theirs["d\n"].as_str());
        assert_eq!((ours.get("none"), ours.get("a").and_then(|list| list.get("x"))), (None, None));
    }

    #[test]
    fn of_keys_that_stand_twice_the_last_counts() {
        let value: Value = serde_json::from_str(r#"{"a":1,"a":2,"b":3,"a":4}"#).expect("JSON");
        assert_eq!(value.get("a").and_then(Value::as_i64), Some(4));
        let keys: String = (0..40).map(|key| format!("\"k{key}\":0,")).collect();
        let many = format!("{{{keys}\"k7\":1,\"k7\":2}}");
        let value: Value = serde_json::from_str(&many).expect("JSON");
        let mut twice = Vec::new();
        value.twice(&mut twice);
        assert_eq!(twice, ["k7"]);
    }
}
