//! The pipeline from YAML text to a typed value with places.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::{UNKNOWN_KEY, UnknownKey, check};
use super::places::{Node, Part, Places};
use super::shape::{Shape, settle};
use super::tree::{self, Tree};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// A value read from a file, with the places of all its parts.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The value.
    pub spec: T,
    /// The same as JSON, with what defaults did not fill.
    pub raw: Value,
    /// Places of keys and values.
    pub places: Places,
    /// The file.
    pub file: FileId,
}

impl Loaded<()> {
    fn with_value(self) -> Loaded<Value> {
        Loaded { spec: self.raw.clone(), raw: self.raw, places: self.places, file: self.file }
    }
}

/// Reads one YAML file into a value of type `T`: syntax, duplicate keys, schema mistakes, all at once.
pub fn load<T: DeserializeOwned + JsonSchema>(map: &SourceMap, file: FileId) -> (Option<Loaded<T>>, Diagnostics) {
    finish(map, read_one(map, file))
}

/// As [`load`], for a file that may hold several documents: each is an item of one list, or a list whose items are taken over.
pub fn load_list<T: DeserializeOwned + JsonSchema>(map: &SourceMap, file: FileId) -> (Option<Loaded<T>>, Diagnostics) {
    finish(map, read_list(map, file))
}

/// Reads one YAML file into a plain value with places, no schema.
pub fn load_value(map: &SourceMap, file: FileId) -> (Option<Loaded<Value>>, Diagnostics) {
    let (plain, diagnostics) = read_one(map, file);
    (plain.map(Loaded::with_value), diagnostics)
}

/// As [`load_value`]; several documents become one list.
pub fn load_value_list(map: &SourceMap, file: FileId) -> (Option<Loaded<Value>>, Diagnostics) {
    let (plain, diagnostics) = read_list(map, file);
    (plain.map(Loaded::with_value), diagnostics)
}

/// Reads a text that stands inside another file (a schema in a doc string): one plain value, or what is wrong with it.
pub fn parse_plain(text: &str) -> Result<Value, String> {
    let mut values = values(text).map_err(|error| error.to_string())?;
    if values.len() > 1 {
        return Err("it has several documents".to_owned());
    }
    Ok(values.pop().unwrap_or_default())
}

/// A file's one document, not yet held against a type.
pub(crate) fn read_one(map: &SourceMap, file: FileId) -> (Option<Loaded<()>>, Diagnostics) {
    let (read, mut diagnostics) = read(map, file);
    let Some((tree, mut values)) = read else { return (None, diagnostics) };
    let Tree { mut places, documents } = tree;
    if let Some(&second) = documents.get(1) {
        let at = At { end: places.nodes[second as usize].at.start, ..places.nodes[second as usize].at };
        diagnostics.push(
            Diagnostic::error("yaml/several-documents", at, "a second document begins here, where one is expected")
                .help("put it into a file of its own, or remove the `---` between them".to_owned()),
        );
    }
    places.root = documents.first().copied();
    let raw = values.swap_remove(0);
    (Some(Loaded { spec: (), raw, places, file }), diagnostics)
}

fn read_list(map: &SourceMap, file: FileId) -> (Option<Loaded<()>>, Diagnostics) {
    let (read, diagnostics) = read(map, file);
    let Some((tree, mut values)) = read else { return (None, diagnostics) };
    let Tree { mut places, documents } = tree;
    if let [only] = documents[..] {
        places.root = Some(only);
        let raw = values.swap_remove(0);
        return (Some(Loaded { spec: (), raw, places, file }), diagnostics);
    }
    let (mut raw, mut nodes) = (Vec::new(), Vec::new());
    for (value, node) in values.into_iter().zip(documents) {
        match (value, &places.nodes[node as usize].part) {
            (Value::Array(items), Part::List(below)) => {
                raw.extend(items);
                nodes.extend_from_slice(below);
            }
            (value, _) => {
                raw.push(value);
                nodes.push(node);
            }
        }
    }
    let root = places.push(Node { at: At { file, start: 0, end: 0 }, part: Part::List(nodes) });
    places.root = Some(root);
    (Some(Loaded { spec: (), raw: Value::Array(raw), places, file }), diagnostics)
}

/// Checks a plain value against the schema of `T` and makes it one.
pub(crate) fn finish<T: DeserializeOwned + JsonSchema>(
    map: &SourceMap,
    (plain, mut diagnostics): (Option<Loaded<()>>, Diagnostics),
) -> (Option<Loaded<T>>, Diagnostics) {
    let Some(mut plain) = plain else { return (None, diagnostics) };
    let shape = Shape::of::<T>();
    settle(map, &plain.places, &shape, &mut plain.raw);
    let (mistakes, unknown) = check(&plain.places, &shape, &plain.raw);
    diagnostics.extend(mistakes);
    if diagnostics.iter().any(|one| one.is_error() && one.code != UNKNOWN_KEY) {
        return (None, diagnostics);
    }
    if !unknown.is_empty() {
        return (without_unknown(map, &shape, plain, &unknown), diagnostics);
    }
    match T::deserialize(&plain.raw) {
        Ok(spec) => (Some(Loaded { spec, raw: plain.raw, places: plain.places, file: plain.file }), diagnostics),
        Err(error) => {
            diagnostics.push(Diagnostic::error("yaml/bad-value", plain.places.head(""), error.to_string()));
            (None, diagnostics)
        }
    }
}

/// What is right but for unknown keys, so that these do not hide the mistakes of the rest. A misspelt key counts as the one
/// that was meant, where that makes the value right; else all unknown keys are left out.
fn without_unknown<T: DeserializeOwned>(
    map: &SourceMap,
    shape: &Shape,
    plain: Loaded<()>,
    unknown: &[UnknownKey],
) -> Option<Loaded<T>> {
    let Loaded { raw, places, file, .. } = plain;
    [true, false].into_iter().find_map(|rename| {
        let (mut raw, mut places) = (raw.clone(), places.clone());
        for key in unknown {
            let entries = raw.pointer_mut(&key.map)?.as_object_mut()?;
            let Some(value) = entries.shift_remove(&key.name) else { continue };
            if let Some(meant) = key.meant.as_ref().filter(|meant| rename && !entries.contains_key(*meant)) {
                entries.insert(meant.clone(), value);
                places.rename(&key.map, &key.name, meant);
            }
        }
        settle(map, &places, shape, &mut raw);
        if !check(&places, shape, &raw).0.is_empty() {
            return None;
        }
        let spec = T::deserialize(&raw).ok()?;
        Some(Loaded { spec, raw, places, file })
    })
}

/// Structure and values of all documents that say something; at least one.
fn read(map: &SourceMap, file: FileId) -> (Option<(Tree, Vec<Value>)>, Diagnostics) {
    let (tree, mut diagnostics) = tree::parse(map, file);
    let Ok(tree) = tree else { return (None, diagnostics) };
    if tree.documents.is_empty() {
        let at = At { file, start: 0, end: 0 };
        diagnostics.push(Diagnostic::error("yaml/empty", at, "the file says nothing"));
        return (None, diagnostics);
    }
    match values(map.file(file).text()) {
        Ok(values) if values.len() == tree.documents.len() => (Some((tree, values)), diagnostics),
        Ok(values) => {
            let text = format!("the file has {} documents and {} values; please report this", tree.documents.len(), values.len());
            diagnostics.push(Diagnostic::error("yaml/syntax", At { file, start: 0, end: 0 }, text));
            (None, diagnostics)
        }
        Err(error) => {
            diagnostics.push(refused(map, file, &error));
            (None, diagnostics)
        }
    }
}

/// The values of a text. Budgets are wider than those of [`tree`], which has refused what is excessive, and says where.
fn values(text: &str) -> Result<Vec<Value>, serde_yaml::Error> {
    let options = serde_yaml::options! {
        strict_booleans: true,
        // Every duplicate has been reported by now; with the first taken, reading goes on and finds the other mistakes.
        duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::FirstWins,
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
        budget: serde_yaml::budget! {
            max_depth: tree::DEEPEST + 8,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_merge_keys: usize::MAX,
            enforce_alias_anchor_ratio: false,
        },
    };
    serde_yaml::from_multiple_with_options(text, options)
}

fn refused(map: &SourceMap, file: FileId, error: &serde_yaml::Error) -> Diagnostic {
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let start = error.location().map_or(0, |location| map.file(file).offset(narrow(location.line()), narrow(location.column())));
    Diagnostic::error("yaml/bad-value", At { file, start, end: start }, error.without_snippet().to_string())
}
