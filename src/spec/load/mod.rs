//! One loader per kind of file: path in, `(Option<Loaded<…>>, Diagnostics)` out.
//!
//! Each reads the file, holds it against its schema, and checks what needs this file alone. A file whose form is right is
//! handed on even where its meaning is not, so that mistakes across files are found in the same go.

mod cases;
mod client;
mod models;
mod profile;
mod provision;
mod setup;
mod suite;
mod tool;

#[cfg(test)]
mod tests;

pub use cases::load_cases;
pub use client::load_client;
pub use models::{load_models, model_named};
pub use profile::load_profile;
pub use setup::load_setup;
pub use suite::load_suite;
pub use tool::load_tool;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::files::{BUILTIN, Project};
use super::yaml::{self, Loaded, Places, schema_of};
use super::{CaseFile, ClientSpec, ModelsSpec, ProfileSpec, SetupSpec, SuiteSpec, ToolSpec};
use crate::source::{At, Code, Diagnostic, Diagnostics, FileId, SourceMap, did_you_mean};

/// The kinds of file that have a published schema.
pub const SCHEMA_KINDS: [&str; 7] = ["suite", "setup", "cases", "tool", "client", "profile", "models"];

/// The JSON Schema (2020-12) of one of [`SCHEMA_KINDS`], for editors and for `fireassay schema KIND`.
pub fn json_schema(kind: &str) -> Option<serde_json::Value> {
    let (mut schema, title) = match kind {
        "suite" => (schema_of::<SuiteSpec>(), "fireassay suite"),
        "setup" => (schema_of::<SetupSpec>(), "fireassay setup"),
        "cases" => (schema_of::<CaseFile>(), "fireassay cases"),
        "tool" => (schema_of::<ToolSpec>(), "fireassay tool"),
        "client" => (schema_of::<ClientSpec>(), "fireassay client"),
        "profile" => (schema_of::<ProfileSpec>(), "fireassay profile"),
        "models" => (schema_of::<ModelsSpec>(), "fireassay models"),
        _ => return None,
    };
    schema["title"] = title.into();
    Some(schema)
}

/// Mistakes of one loaded file, as they are collected.
struct Checks<'a> {
    map: &'a SourceMap,
    places: &'a Places,
    found: Diagnostics,
}

impl<'a> Checks<'a> {
    fn new<T>(map: &'a SourceMap, loaded: &'a Loaded<T>) -> Self {
        Self { map, places: &loaded.places, found: Vec::new() }
    }

    /// What was found, in the order of the text.
    fn sorted(mut self) -> Diagnostics {
        self.found.sort_by_key(|one| one.at.map(|at| (at.file, at.start)));
        self.found
    }

    /// Reports a mistake at the value of a pointer.
    fn at_value(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: Option<String>) {
        self.found.push(Diagnostic::error(code, self.places.value(pointer), message).help(help));
    }

    /// Reports a mistake at the key of a pointer.
    fn at_key(&mut self, code: Code, pointer: &str, message: impl Into<String>, help: Option<String>) {
        self.found.push(Diagnostic::error(code, self.places.head(pointer), message).help(help));
    }

    /// Reports a mistake at a part of a text, as narrowly as the part is found in what was written.
    fn at_part(&mut self, code: Code, pointer: &str, part: &str, message: impl Into<String>, help: Option<String>) {
        let at = self.places.value(pointer).map(|at| match self.map.slice(at).find(part) {
            Some(offset) => {
                let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                At { start: at.start + narrow(offset), end: at.start + narrow(offset + part.len()), ..at }
            }
            None => at,
        });
        self.found.push(Diagnostic::error(code, at, message).help(help));
    }

    /// A file is called what its `name:` says, so that a name leads to its file.
    fn name_is_stem(&mut self, code: Code, file: FileId, name: &str) {
        let shown = self.map.file(file).name();
        let path = shown.strip_prefix(BUILTIN).unwrap_or(shown);
        let last = path.rsplit('/').next().unwrap_or(path);
        let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
        if name != stem {
            let message = format!("the file is called `{stem}`, and its name says `{name}`");
            self.at_value(code, "/name", message, Some(format!("write `name: {stem}`, or rename the file to `{name}.yaml`")));
        }
    }

    /// A value must be one of a closed list.
    fn one_of(&mut self, code: Code, pointer: &str, what: &str, word: &str, known: &[&str]) {
        if !known.contains(&word) {
            let message = format!("`{word}` is not {what}");
            self.at_value(code, pointer, message, did_you_mean(word, known.iter().copied()));
        }
    }
}

/// A second file of the same name, which nobody would read: which of the two is meant, only their author knows.
fn twice<T>(project: &Project, map: &SourceMap, code: Code, what: &str, loaded: &Loaded<T>) -> Option<Diagnostic> {
    let path = map.file(loaded.file).name();
    let second = project.shadowed(path)?;
    let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
    let message = format!("there are two {what}s `{name}`: `{path}` and `{second}`");
    let help = "delete one of them, or give it another name".to_owned();
    Some(Diagnostic::error(code, loaded.places.head("/name"), message).help(help))
}

/// Loads a file that is called by its name: its form, what its own `check` says, and that there is no second one.
fn named<T: DeserializeOwned + JsonSchema>(
    project: &Project,
    map: &mut SourceMap,
    path: &str,
    second: Code,
    check: impl FnOnce(&SourceMap, &Loaded<T>) -> Diagnostics,
) -> (Option<Loaded<T>>, Diagnostics) {
    let file = match read(project, map, path) {
        Ok(file) => file,
        Err(refusal) => return (None, refusal),
    };
    let (loaded, mut diagnostics) = yaml::load::<T>(map, file);
    if let Some(loaded) = &loaded {
        diagnostics.extend(check(map, loaded));
        let what = second.split('/').next().unwrap_or(second);
        diagnostics.extend(twice(project, map, second, what, loaded));
    }
    (loaded, diagnostics)
}

/// Reads a file into the map, or says why not.
fn read(project: &Project, map: &mut SourceMap, path: &str) -> Result<FileId, Diagnostics> {
    project.read(map, path).map_err(|refusal| vec![refusal])
}
