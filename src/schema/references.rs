//! Do the references of a schema lead somewhere, inside it, and on? Schema → those that do not, each with its place.

use std::collections::HashSet;

use serde_json::Value;

use super::SchemaError;
use super::lint::each_keyword;

/// The drafts' own schemas may be named: they are built in.
const META: &str = "https://json-schema.org/draft/";

/// Every reference that leads out of the schema, points at nothing in it, or back at itself without going deeper into the
/// value: a validator would follow that one for ever.
pub fn bad_references(schema: &Value) -> Vec<SchemaError> {
    let mut references = Vec::new();
    let mut anchors = HashSet::new();
    let mut based = false;
    each_keyword(schema, &mut |pointer, keyword, value| match (keyword, value) {
        ("$ref" | "$dynamicRef", Value::String(target)) => references.push((format!("{pointer}/{keyword}"), target.as_str())),
        ("$anchor" | "$dynamicAnchor", Value::String(name)) => drop(anchors.insert(name.as_str())),
        ("$id", Value::String(_)) => based = true,
        _ => {}
    });
    // With a base address, references resolve against it: left to the validator.
    if based {
        return Vec::new();
    }
    let mut bad = Vec::new();
    for (pointer, target) in &references {
        let Some(place) = target.strip_prefix('#') else {
            if !target.starts_with(META) {
                bad.push(SchemaError { pointer: pointer.clone(), message: outside(target) });
            }
            continue;
        };
        if place.contains('%') {
            continue;
        }
        let found =
            place.is_empty() || if place.starts_with('/') { schema.pointer(place).is_some() } else { anchors.contains(place) };
        if !found {
            let message = format!("the reference `{target}` points at nothing in the schema");
            bad.push(SchemaError { pointer: pointer.clone(), message });
        }
    }
    if !bad.is_empty() {
        return bad;
    }
    let mut known = HashSet::new();
    for (pointer, target) in &references {
        let start = pointer.rsplit_once('/').map_or("", |(start, _)| start);
        if comes_back(schema, start, &mut Vec::new(), &mut known) {
            let message = format!("the reference `{target}` leads back to itself and never goes deeper into the value");
            return vec![SchemaError { pointer: pointer.clone(), message }];
        }
    }
    Vec::new()
}

/// What is said of a reference that leads out.
pub(super) fn outside(target: &str) -> String {
    format!("the reference `{target}` leads out of the schema; put its target under `$defs` and refer to `#/$defs/…`")
}

/// Whether what a schema applies to the same value comes back to a schema on the way.
fn comes_back(root: &Value, at: &str, way: &mut Vec<String>, known: &mut HashSet<String>) -> bool {
    if way.iter().any(|before| before == at) {
        return true;
    }
    let Some(Value::Object(schema)) = root.pointer(at).filter(|_| !known.contains(at)) else { return false };
    way.push(at.to_owned());
    let mut next = Vec::new();
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(target)) => next.extend(target.strip_prefix('#').map(str::to_owned)),
            ("allOf" | "anyOf" | "oneOf", Value::Array(items)) => {
                next.extend((0..items.len()).map(|index| format!("{at}/{keyword}/{index}")));
            }
            ("not" | "if" | "then" | "else", Value::Object(_)) => next.push(format!("{at}/{keyword}")),
            _ => {}
        }
    }
    let back = next.iter().any(|next| comes_back(root, next, way, known));
    way.pop();
    if !back {
        known.insert(at.to_owned());
    }
    back
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn refused(schema: &Value, expect: Option<(&str, &str)>) {
        match (bad_references(schema).first(), expect) {
            (None, None) => {}
            (Some(error), Some((pointer, part))) if error.pointer == pointer && error.message.contains(part) => {}
            (found, _) => panic!("expected {expect:?}, got {found:?}"),
        }
    }

    #[test]
    fn references_lead_somewhere() {
        refused(&json!({"$defs": {"a": true}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#"}}}), None);
        refused(&json!({"$defs": {"a": {"$anchor": "b"}}, "items": {"$ref": "#b"}}), None);
        refused(&json!({"properties": {"x": {"$ref": "#/$defs/a"}}}), Some(("/properties/x/$ref", "points at nothing")));
        refused(&json!({"items": {"$ref": "#b"}}), Some(("/items/$ref", "points at nothing")));
        refused(&json!({"const": {"$ref": "#/nowhere"}}), None);
    }

    #[test]
    fn a_reference_that_never_goes_deeper_is_refused() {
        refused(&json!({"$ref": "#"}), Some(("/$ref", "leads back")));
        let two = json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}, "items": {"$ref": "#/$defs/a"}});
        refused(&two, Some(("/$defs/a/anyOf/0/$ref", "leads back")));
        let tree = json!({"$defs": {"node": {"anyOf": [{"type": "null"}, {"properties": {"next": {"$ref": "#/$defs/node"}}}]}}, "$ref": "#/$defs/node"});
        refused(&tree, None);
    }
}
