//! `<name>`: where it stands in a text, what it is filled with, and which name was probably meant.
//!
//! Filled in once, left to right: a value that itself holds `<name>` stays as it is. What names no column or parameter is
//! plain text, unless it is within two letters of one.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::spec::rows::Datum;

/// A value of JSON or YAML as the datum of a row.
pub(super) fn datum(value: &Value) -> Datum {
    match value {
        Value::String(text) => Datum::Text(text.as_str().into()),
        other => Datum::Json(other.to_string().into()),
    }
}

/// Every `<name>` of a text with its bytes, brackets included.
pub(super) fn scan(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let open = from + memchr::memchr(b'<', &text.as_bytes()[from..])?;
            let rest = &text[open + 1..];
            match rest.find(['<', '>', '\n']) {
                Some(len) if len > 0 && rest.as_bytes()[len] == b'>' => {
                    from = open + len + 2;
                    return Some((open..from, &rest[..len]));
                }
                // Another `<` may open a name of its own, so only this one is passed.
                _ => from = open + 1,
            }
        }
    })
}

/// The values that placeholders of one scenario take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a>(pub &'a [(Arc<str>, Datum)]);

impl Values<'_> {
    fn get(&self, name: &str) -> Option<&Datum> {
        self.0.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    /// A text with its placeholders filled in.
    pub fn fill<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = String::new();
        let mut done = 0;
        for (range, name) in scan(text) {
            if let Some(value) = self.get(name) {
                out.push_str(&text[done..range.start]);
                out.push_str(value.text());
                done = range.end;
            }
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }

    /// A JSON value with the placeholders of all its strings (keys too) filled in; a string that is exactly one placeholder
    /// takes the type its row gives.
    pub fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let exact = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
                match exact.and_then(|name| self.get(name)) {
                    Some(Datum::Json(json)) => serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_string())),
                    _ => Value::String(self.fill(text).into_owned()),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.fill_value(item)).collect(),
            Value::Object(entries) => {
                entries.iter().map(|(key, item)| (self.fill(key).into_owned(), self.fill_value(item))).collect()
            }
            other => other.clone(),
        }
    }
}

/// The name that a placeholder was probably meant to be: within two letters, and nearer to it than to being another word.
/// `<b>` is never taken for a column `a`.
pub(super) fn near_miss<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    known
        .filter_map(|candidate| {
            let wide = candidate.chars().count();
            if wide.abs_diff(length) > 2 {
                return None;
            }
            let distance = strsim::osa_distance(name, candidate);
            (distance <= 2 && distance * 2 <= wide && distance < length).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_found() {
        let names = |text| scan(text).map(|(range, name)| (range.start, name)).collect::<Vec<_>>();
        assert_eq!(names("a <b> and <c d>!"), [(2, "b"), (10, "c d")]);
        assert_eq!(names("1 < 2 <é> <> <\n>"), [(6, "é")]);
        assert_eq!(names("<<a>>"), [(1, "a")]);
        assert_eq!(names("<"), []);
    }

    #[test]
    fn values_are_filled_in_once() {
        let row =
            [("a".into(), Datum::Text("<b>".into())), ("b".into(), Datum::Text("x".into())), ("n".into(), datum(&json!(3)))];
        let values = Values(&row);
        assert_eq!(values.fill("<a><b> <c> <n>"), "<b>x <c> 3");
        assert!(matches!(values.fill("none <c>"), Cow::Borrowed(_)));
        let value = json!({"<b>": ["<n>", "<n>!", "<a>", 1, {"c": "<b>"}]});
        assert_eq!(values.fill_value(&value), json!({"x": [3, "3!", "<b>", 1, {"c": "x"}]}));
    }

    #[test]
    fn a_near_name_is_meant_and_markup_is_not() {
        let near = |name| near_miss(name, ["country", "id", "a", "city"].into_iter());
        for (name, expect) in [
            ("contry", Some("country")),
            ("Country", Some("country")),
            ("coutnry", Some("country")),
            ("ctiy", Some("city")),
            ("b", None),
            ("br", None),
            ("i", None),
            ("tool_call", None),
        ] {
            assert_eq!(near(name), expect, "{name}");
        }
    }
}
