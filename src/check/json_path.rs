//! Claims about one place in a JSON value. A place is written `a.b[0].c`; a key with odd characters as `["odd key"]`.

use regex::Regex;
use serde_json::Value;

use super::text::Form;
use super::{Held, broken, counted};
use crate::event::{Mismatch, Whose};

const KIND: &str = "assert.json_path";

/// A place in a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

impl std::str::FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = |what: &str| format!("`{text}` is not a path: {what}; write it like `a.b[0].c` or `[\"odd key\"]`");
        // A leading `$` is what people know from JSONPath; it names the whole value here too.
        let mut rest = text.trim().strip_prefix('$').unwrap_or(text.trim());
        let mut parts = Vec::new();
        if rest.is_empty() {
            return Err(bad("it is empty"));
        }
        let mut first = true;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix("[\"") {
                let (key, after) = inner.split_once("\"]").ok_or_else(|| bad("`[\"` has no `\"]`"))?;
                parts.push(Part::Key(key.to_owned()));
                rest = after;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (index, after) = inner.split_once(']').ok_or_else(|| bad("`[` has no `]`"))?;
                parts.push(Part::Index(index.trim().parse().map_err(|_| bad(&format!("`{index}` is not an index")))?));
                rest = after;
            } else {
                let inner = match rest.strip_prefix('.') {
                    Some(inner) => inner,
                    None if first => rest,
                    None => return Err(bad("a `.` or `[` is missing after `]`")),
                };
                let end = inner.find(['.', '[']).unwrap_or(inner.len());
                if end == 0 {
                    return Err(bad("a name is missing"));
                }
                parts.push(Part::Key(inner[..end].to_owned()));
                rest = &inner[end..];
            }
            first = false;
        }
        Ok(Self { text: text.trim().to_owned(), parts })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Path {
    /// The value at this place. **Errors**: names the deepest part that is there, and what it has.
    pub fn find<'a>(&self, value: &'a Value) -> Result<&'a Value, String> {
        let mut here = value;
        for (at, part) in self.parts.iter().enumerate() {
            let next = match part {
                Part::Key(key) => here.get(key.as_str()),
                Part::Index(index) => here.as_array().and_then(|items| items.get(*index)),
            };
            here = next.ok_or_else(|| missing(&self.parts[..at], part, here))?;
        }
        Ok(here)
    }
}

fn missing(found: &[Part], part: &Part, here: &Value) -> String {
    let holder = if found.is_empty() { "the value".to_owned() } else { format!("`{}`", written(found)) };
    match (part, here) {
        (Part::Key(key), Value::Object(map)) if map.is_empty() => format!("{holder} is an empty object; it has no `{key}`"),
        (Part::Key(key), Value::Object(map)) => {
            let keys: Vec<String> = map.keys().take(12).map(|key| format!("`{key}`")).collect();
            let more = if map.len() > 12 { ", …" } else { "" };
            format!("{holder} has no `{key}`; it has {}{more}", keys.join(", "))
        }
        (Part::Index(index), Value::Array(items)) => {
            format!("{holder} has no item [{index}]; it has {}", counted(items.len() as u64, "item"))
        }
        (Part::Key(key), other) => format!("{holder} is {} and has no `{key}`", with_article(other)),
        (Part::Index(index), other) => format!("{holder} is {} and has no item [{index}]", with_article(other)),
    }
}

fn written(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Index(index) => out.extend(["[", &index.to_string(), "]"]),
            Part::Key(key) if key.contains(['.', '[', ']', '"', ' ']) => out.extend(["[\"", key, "\"]"]),
            Part::Key(key) if out.is_empty() => out.push_str(key),
            Part::Key(key) => out.extend([".", key]),
        }
    }
    out
}

/// The kinds of JSON values, as a sentence may name them. `integer` is a number without a fraction (`1.0` is one).
pub const KINDS: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];

fn with_article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What is looked at: a value, how it is called in sentences, and whose promise it is.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The whole value.
    pub value: &'a Value,
    /// `the reply`, `the response`.
    pub name: &'a str,
    /// Whose promise a false claim about it breaks.
    pub whose: Whose,
}

impl Subject<'_> {
    /// The value at a place; its absence is a mismatch of the claim.
    pub fn find(&self, path: &Path, claim: &str) -> Result<&Value, Box<Mismatch>> {
        path.find(self.value).map_err(|missing| {
            let message = format!("{}'s `{path}` {claim}: {missing}", self.name);
            Box::new(Mismatch::new(KIND, self.whose, message).expected(format!("{path} {claim}")).actual(pretty(self.value)))
        })
    }

    fn judge(&self, path: &Path, claim: &str, holds: impl FnOnce(&Value) -> bool) -> Held {
        let found = self.find(path, claim)?;
        if holds(found) {
            return Ok(());
        }
        broken(
            KIND,
            self.whose,
            format!("{}'s `{path}` {claim}", self.name),
            format!("{path} {claim}"),
            format!("{path} is {}", pretty(found)),
        )
    }

    /// The value there equals this one: numbers by value, objects without order.
    pub fn is(&self, path: &Path, wanted: &Value) -> Held {
        self.judge(path, &format!("is {wanted}"), |found| equal(found, wanted))
    }

    /// There is a value, and it is another one.
    pub fn is_not(&self, path: &Path, unwanted: &Value) -> Held {
        self.judge(path, &format!("is not {unwanted}"), |found| !equal(found, unwanted))
    }

    /// There is a value, `null` included.
    pub fn exists(&self, path: &Path) -> Held {
        self.find(path, "exists").map(drop)
    }

    /// There is none.
    pub fn does_not_exist(&self, path: &Path) -> Held {
        let Ok(found) = path.find(self.value) else { return Ok(()) };
        let message = format!("{}'s `{path}` does not exist", self.name);
        broken(KIND, self.whose, message, format!("no {path}"), format!("{path} is {}", pretty(found)))
    }

    /// The value there is of one of the [`KINDS`].
    pub fn is_a(&self, path: &Path, kind: &str) -> Held {
        let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        self.judge(path, &format!("is {article} {kind}"), |found| match kind {
            "string" => found.is_string(),
            "number" => found.is_number(),
            "integer" => found.as_f64().is_some_and(|number| number.fract() == 0.0),
            "boolean" => found.is_boolean(),
            "array" => found.is_array(),
            "object" => found.is_object(),
            _ => found.is_null(),
        })
    }

    /// The text there matches; a value that is no text is matched as it is written in JSON.
    pub fn matches(&self, path: &Path, regex: &Regex) -> Held {
        self.judge(path, &format!("matches /{}/", regex.as_str()), |found| match found {
            Value::String(text) => regex.is_match(text),
            other => regex.is_match(&other.to_string()),
        })
    }

    /// The text there has a form; what is no text is looked at as it is written in JSON.
    pub fn has(&self, path: &Path, form: &Form<'_>) -> Held {
        self.judge(path, &form.words(true), |found| match found {
            Value::String(text) => form.of(text),
            other => form.of(&other.to_string()),
        })
    }

    /// The array or object there has so many members.
    pub fn has_items(&self, path: &Path, count: u64) -> Held {
        self.judge(path, &format!("has {}", counted(count, "item")), |found| match found {
            Value::Array(items) => items.len() as u64 == count,
            Value::Object(members) => members.len() as u64 == count,
            _ => false,
        })
    }
}

/// Equality as JSON means it: `1` is `1.0`, the order of keys does not matter.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || (x.as_f64().is_some() && x.as_f64() == y.as_f64()),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y)),
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, value)| y.get(key).is_some_and(|other| equal(value, other)))
        }
        _ => a == b,
    }
}

/// A value for people: short ones in a line.
pub fn pretty(value: &Value) -> String {
    let line = value.to_string();
    if line.len() <= 80 { line } else { format!("{value:#}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read() {
        let value = json!({"a": {"b": [{"c": 1}]}, "odd key": {"x.y": 2}, "list": [[3]]});
        for (path, found) in [("a.b[0].c", 1), ("$.a.b[0].c", 1), ("[\"odd key\"][\"x.y\"]", 2), ("list[0][0]", 3)] {
            assert_eq!(path.parse::<Path>().expect(path).find(&value), Ok(&json!(found)), "{path}");
        }
        assert_eq!("[0]".parse::<Path>().expect("path").find(&json!([7])), Ok(&json!(7)));
        for bad in ["", "a..b", "a[", "a[x]", "a[0]b", ".", "[\"a"] {
            assert!(bad.parse::<Path>().is_err(), "{bad}");
        }
    }

    #[track_caller]
    fn missing(path: &str, expect: &str) {
        let value = json!({"a": {"b": [{"c": 1}]}, "s": "text"});
        assert_eq!(path.parse::<Path>().expect(path).find(&value), Err(expect.to_owned()));
    }

    #[test]
    fn what_is_missing_is_named_from_the_deepest_part_that_is_there() {
        missing("x", "the value has no `x`; it has `a`, `s`");
        missing("a.b[1].c", "`a.b` has no item [1]; it has 1 item");
        missing("a.b[0].d", "`a.b[0]` has no `d`; it has `c`");
        missing("s.t", "`s` is a string and has no `t`");
        missing("a[0]", "`a` is an object and has no item [0]");
    }

    #[track_caller]
    fn check(claim: impl Fn(&Subject<'_>, &Path) -> Held, path: &str, expect: bool) {
        let value = json!({"n": 1, "f": 1.5, "s": "abc", "l": [1, 2], "o": {"a": 1, "b": 2}, "z": null, "t": true});
        let subject = Subject { value: &value, name: "the reply", whose: Whose::Model };
        let held = claim(&subject, &path.parse().expect("a path"));
        assert_eq!(held.is_ok(), expect, "{path}: {held:?}");
    }

    fn absent(subject: &Subject<'_>, path: &Path) -> Held {
        subject.does_not_exist(path)
    }

    fn present(subject: &Subject<'_>, path: &Path) -> Held {
        subject.exists(path)
    }

    #[test]
    fn claims_hold_and_do_not() {
        check(|s, p| s.is(p, &json!(1.0)), "n", true);
        check(|s, p| s.is(p, &json!("1")), "n", false);
        check(|s, p| s.is(p, &json!({"b": 2, "a": 1})), "o", true);
        check(|s, p| s.is_not(p, &json!(2)), "n", true);
        check(|s, p| s.is_not(p, &json!(1)), "n", false);
        check(|s, p| s.is_not(p, &json!(1)), "missing", false);
        check(present, "z", true);
        check(present, "missing", false);
        check(absent, "missing", true);
        check(absent, "z", false);
        let regex = Regex::new("^a.c$").expect("regex");
        check(|s, p| s.matches(p, &regex), "s", true);
        check(|s, p| s.matches(p, &regex), "n", false);
        check(|s, p| s.has_items(p, 2), "l", true);
        check(|s, p| s.has_items(p, 2), "o", true);
        check(|s, p| s.has_items(p, 1), "l", false);
        check(|s, p| s.has_items(p, 3), "s", false);
    }

    #[test]
    fn kinds_of_values() {
        for (path, kinds) in [
            ("n", &["number", "integer"][..]),
            ("f", &["number"]),
            ("s", &["string"]),
            ("l", &["array"]),
            ("o", &["object"]),
            ("z", &["null"]),
            ("t", &["boolean"]),
        ] {
            for kind in KINDS {
                check(|s, p| s.is_a(p, kind), path, kinds.contains(&kind));
            }
        }
    }
}
