//! The pipeline from YAML text to a typed value with places.

use serde_json::Value;

use super::Places;
use crate::source::{Diagnostics, FileId, SourceMap};

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

/// Reads one YAML file into a value of type `T`: syntax, duplicate keys, schema mistakes, all at once.
pub fn load<T: serde::de::DeserializeOwned + schemars::JsonSchema>(
    _map: &SourceMap,
    _file: FileId,
) -> (Option<Loaded<T>>, Diagnostics) {
    unimplemented!("written by the front end")
}

/// Reads one YAML file into a plain value with places, no schema.
pub fn load_value(_map: &SourceMap, _file: FileId) -> (Option<Loaded<Value>>, Diagnostics) {
    unimplemented!("written by the front end")
}
