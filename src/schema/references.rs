//! Do the references of a schema lead somewhere, inside it, and on? Schema → the first one that does not, with its place.

use std::collections::HashSet;

use serde_json::Value;

use super::SchemaError;
use super::lint::each_keyword;

/// The first reference that points at nothing in the schema, or back at itself without going deeper into the value: a
/// validator would follow that one for ever.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    let mut references = Vec::new();
    let mut anchors = HashSet::new();
    let mut based = false;
    each_keyword(schema, &mut |pointer, keyword, value| match (keyword, value) {
        ("$ref" | "$dynamicRef", Value::String(target)) => references.push((format!("{pointer}/{keyword}"), target.as_str())),
        ("$anchor" | "$dynamicAnchor", Value::String(name)) => drop(anchors.insert(name.as_str())),
        ("$id", Value::String(_)) => based |= !pointer.is_empty(),
        _ => {}
    });
    // With a base address of its own, a part of the schema resolves references elsewhere than in the whole: left to the validator.
    if based {
        return Ok(());
    }
    for (pointer, target) in &references {
        let Some(place) = target.strip_prefix('#').filter(|place| !place.contains('%')) else { continue };
        let found =
            place.is_empty() || if place.starts_with('/') { schema.pointer(place).is_some() } else { anchors.contains(place) };
        if !found {
            let message = format!("the reference `{target}` points at nothing in the schema");
            return Err(SchemaError { pointer: pointer.clone(), message });
        }
    }
    let mut known = HashSet::new();
    for (pointer, target) in &references {
        let start = pointer.rsplit_once('/').map_or("", |(start, _)| start);
        if comes_back(schema, start, &mut Vec::new(), &mut known) {
            let message = format!("the reference `{target}` leads back to itself and never goes deeper into the value");
            return Err(SchemaError { pointer: pointer.clone(), message });
        }
    }
    Ok(())
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
        match (check(schema), expect) {
            (Ok(()), None) => {}
            (Err(error), Some((pointer, part))) if error.pointer == pointer && error.message.contains(part) => {}
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
