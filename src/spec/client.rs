//! `clients/NAME.yaml`: a client library as people use it, and the script that drives a stack with it.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::setup::Provision;
use super::yaml::Span;

/// A client file.
///
/// Its command is started once for each `When the client NAME does …`. It reads the JSON file `<input>` and writes the JSON
/// file `<output>`: what it got, or `{"error": {"class": …, "message": …, "status": …}}` where the library raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// Name of the client; the file is `clients/NAME.yaml`.
    pub name: String,
    /// What the client is, in a sentence (default: empty).
    #[serde(default)]
    pub description: String,
    /// What is fetched and made once, into the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
    /// Words of the command; `<python>`, `<node>`, `<node_modules>`, `<assets>`, `<files>`, `<input>` and `<output>` are filled in.
    pub command: Vec<String>,
    /// Environment variables added; the same placeholders. An empty value removes the variable.
    #[serde(default)]
    pub env: IndexMap<String, String>,
    /// What it can be asked to do, by name: each with a sentence that says what it does.
    pub tasks: IndexMap<String, String>,
    /// Time allowed for one task (default `120s`).
    #[serde(default = "ClientSpec::default_within")]
    pub within: Span,
}

impl ClientSpec {
    fn default_within() -> Span {
        Span::from_secs(120)
    }
}
