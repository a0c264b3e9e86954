//! Long texts of requests (pictures, whole books), kept beside the exchanges under their hash: [`Blobs`].

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Longer texts are kept beside. **Units**: bytes.
const LONG: usize = 16 << 10;
/// What stands in place of a text that is kept beside, before its hash.
const MARK: &str = "@blob:";

/// Texts by their SHA-256, hex.
pub type Blobs = BTreeMap<String, Bytes>;

/// Whether a value holds a text that looks as if it stood for another one.
pub(super) fn is_marked(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(MARK),
        Value::Array(items) => items.iter().any(is_marked),
        Value::Object(members) => members.values().any(is_marked),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Takes long texts out of a value.
pub(super) fn take(value: &mut Value) -> Blobs {
    let mut blobs = Blobs::new();
    each(value, &mut |text| {
        if text.len() > LONG {
            let hash = format!("{:x}", Sha256::digest(text.as_bytes()));
            let long = std::mem::replace(text, format!("{MARK}{hash}"));
            blobs.insert(hash, long.into());
        }
    });
    blobs
}

/// The hashes of the texts that a value wants back.
pub(super) fn wanted(value: &Value) -> Vec<String> {
    let mut wanted = Vec::new();
    each(&mut value.clone(), &mut |text| wanted.extend(text.strip_prefix(MARK).map(str::to_owned)));
    wanted
}

/// Puts long texts back in place.
pub(super) fn put_back(value: &mut Value, blobs: &Blobs) {
    each(value, &mut |text| {
        if let Some(blob) = text.strip_prefix(MARK).and_then(|hash| blobs.get(hash)) {
            *text = String::from_utf8_lossy(blob).into_owned();
        }
    });
}

fn each(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_taken_out_and_put_back() {
        let long = "a".repeat(LONG + 1);
        let was = json!({"messages": [{"content": [{"url": long, "detail": "low"}]}, {"content": "short"}]});
        let mut value = was.clone();
        let blobs = take(&mut value);
        assert_eq!(blobs.len(), 1);
        assert!(value.to_string().len() < 250, "{value}");
        assert_eq!(wanted(&value), blobs.keys().cloned().collect::<Vec<_>>());
        put_back(&mut value, &blobs);
        assert_eq!(value, was);
        assert!(!is_marked(&was) && is_marked(&json!(["@blob:1"])));
    }
}
