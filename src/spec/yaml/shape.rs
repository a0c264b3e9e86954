//! The JSON Schema of a spec type, walked beside a value: which part of the schema speaks of which part of the value.
//!
//! `settle` uses it to keep scalars as written where a text is meant, `check` to say what was expected.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::places::{NodeId, Part, Places};
use crate::source::SourceMap;

/// Marks a field whose numbers are texts: one that JSON would print otherwise (`1.10`, `007`) is kept as written.
pub const AS_WRITTEN: &str = "x-as-written";

/// A schema with its definitions.
pub(super) struct Shape {
    pub schema: Value,
}

impl Shape {
    pub fn of<T: JsonSchema>() -> Self {
        Self { schema: schema_of::<T>() }
    }

    /// The alternatives a schema stands for: references followed, unions opened.
    pub fn open<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        self.open_into(schema, &mut found, 0);
        found
    }

    fn open_into<'a>(&'a self, schema: &'a Value, found: &mut Vec<&'a Value>, depth: usize) {
        // A reference can only lead back to itself through a schema that says nothing; our types make none.
        if depth > 32 {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            if let Some(target) = target.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer)) {
                self.open_into(target, found, depth + 1);
            }
            return;
        }
        match schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            Some(branches) => branches.iter().for_each(|branch| self.open_into(branch, found, depth + 1)),
            None => found.push(schema),
        }
    }

    /// The schemas of one part of a value, by the alternatives of the whole.
    pub fn child<'a>(&'a self, whole: &[&'a Value], step: &str, in_list: bool) -> Vec<&'a Value> {
        let mut found = Vec::new();
        for schema in whole {
            let part = if in_list {
                schema.get("items")
            } else {
                schema.get("properties").and_then(|known| known.get(step)).or_else(|| schema.get("additionalProperties"))
            };
            if let Some(part) = part {
                self.open_into(part, &mut found, 0);
            }
        }
        found
    }

    /// The schemas that speak of the value at a pointer, narrowed at each step to those its type fits.
    pub fn at<'a>(&'a self, root: &Value, pointer: &str) -> Vec<&'a Value> {
        let mut schemas = self.open(&self.schema);
        let mut value = root;
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            schemas.retain(|schema| accepts(schema, value));
            let (next, in_list) = match value {
                Value::Array(items) => (name.parse().ok().and_then(|at: usize| items.get(at)), true),
                Value::Object(entries) => (entries.get(&name), false),
                _ => (None, false),
            };
            schemas = self.child(&schemas, &name, in_list);
            let Some(next) = next else { return schemas };
            value = next;
        }
        schemas
    }
}

/// The schema of a type as it is published: draft 2020-12, with the bounds of every integer type written out.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    bound_integers(&mut schema);
    schema
}

/// An integer that its type cannot hold is a mistake with a place, so the schema says the bounds that `format` only hints at.
fn bound_integers(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(bound_integers),
        Value::Object(entries) => {
            entries.values_mut().for_each(bound_integers);
            let (low, high) = match entries.get("format").and_then(Value::as_str) {
                Some("uint8") => (json!(0), json!(u8::MAX)),
                Some("uint16") => (json!(0), json!(u16::MAX)),
                Some("uint32") => (json!(0), json!(u32::MAX)),
                Some("uint64" | "uint") => (json!(0), json!(u64::MAX)),
                Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
                Some("int64" | "int") => (json!(i64::MIN), json!(i64::MAX)),
                _ => return,
            };
            entries.entry("minimum").or_insert(low);
            entries.entry("maximum").or_insert(high);
        }
        _ => {}
    }
}

/// Whether a schema (already opened) takes values of this one's JSON type.
pub(super) fn accepts(schema: &Value, value: &Value) -> bool {
    let fits = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match schema.get("type") {
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(fits),
        _ => match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(values)), _) => {
                values.iter().any(|one| std::mem::discriminant(one) == std::mem::discriminant(value))
            }
            (_, Some(one)) => std::mem::discriminant(one) == std::mem::discriminant(value),
            _ => schema != &Value::Bool(false),
        },
    }
}

/// Makes a value what its schema means: scalars as written where a text is wanted, `3.0` an integer where one is wanted.
pub(super) fn settle(map: &SourceMap, places: &Places, shape: &Shape, value: &mut Value) {
    if let Some(root) = places.root {
        let schemas = shape.open(&shape.schema);
        Settler { map, places, shape }.settle(value, root, &schemas);
    }
}

struct Settler<'a> {
    map: &'a SourceMap,
    places: &'a Places,
    shape: &'a Shape,
}

impl<'a> Settler<'a> {
    fn settle(&self, value: &mut Value, node: NodeId, schemas: &[&'a Value]) {
        let node = &self.places.nodes[node as usize];
        match (&mut *value, &node.part) {
            (Value::Array(items), Part::List(nodes)) => {
                let below = self.shape.child(schemas, "", true);
                for (item, &node) in items.iter_mut().zip(nodes) {
                    self.settle(item, node, &below);
                }
            }
            (Value::Object(entries), Part::Map(nodes)) => self.settle_map(entries, nodes, schemas),
            (Value::Bool(_) | Value::Number(_), Part::Scalar { plain }) => {
                let written = plain.map(|at| self.map.slice(at));
                if let Some(settled) = settled(value, written, schemas) {
                    *value = settled;
                }
            }
            _ => {}
        }
    }

    fn settle_map(
        &self,
        entries: &mut Map<String, Value>,
        nodes: &indexmap::IndexMap<Box<str>, super::places::Entry>,
        schemas: &[&'a Value],
    ) {
        for (name, item) in entries {
            if let Some(entry) = nodes.get(name.as_str()) {
                self.settle(item, entry.node, &self.shape.child(schemas, name, false));
            }
        }
    }
}

fn settled(value: &Value, written: Option<&str>, schemas: &[&Value]) -> Option<Value> {
    let as_text = || written.map(|text| Value::String(text.to_owned()));
    if value.is_number() && schemas.iter().any(|schema| schema.get(AS_WRITTEN).is_some()) {
        return as_text().filter(|text| text.as_str() != Some(&value.to_string()));
    }
    if schemas.iter().any(|schema| accepts(schema, value)) {
        let whole = schemas.iter().any(|schema| match schema.get("type") {
            Some(Value::Array(names)) => names.iter().any(|name| name == "integer"),
            Some(name) => name == "integer",
            None => false,
        });
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the range of exact integers")]
        return value
            .as_f64()
            .filter(|number| whole && value.is_f64() && number.abs() < 9e15)
            .map(|number| Value::from(number as i64));
    }
    let text = schemas.iter().any(|schema| accepts(schema, &Value::String(String::new())));
    if text { as_text() } else { None }
}

/// Stands in schemas for a text, number or boolean that is kept as written.
pub struct Scalar;

impl JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number", "boolean"],
            "description": "A text, number or boolean.",
            (AS_WRITTEN): true
        })
    }
}
