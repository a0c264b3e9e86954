//! `tools/NAME.yaml`: a tool the model may call, with full JSON Schemas for arguments and result.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tool file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolSpec {
    /// Name as sent; the file is `tools/NAME.yaml`.
    pub name: String,
    /// What it does, as sent to the model.
    #[serde(default)]
    pub description: String,
    /// JSON Schema 2020-12 of the arguments, sent untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Value>,
    /// JSON Schema 2020-12 of the result; scripted results are checked against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Whether it is offered with `strict: true`: the server promises that arguments fit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Scripted results: the first whose `when` matches the arguments is answered.
    #[serde(default)]
    pub returns: Vec<Return>,
    /// Group under which several tools are offered together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolgroup: Option<String>,
}

/// One scripted result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// Arguments that must be equal for this result; others are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Map<String, Value>>,
    /// The result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// In place of `result`: a whole MCP tool result (`content`, `structuredContent`, `isError`); its texts are answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Value>,
    /// In place of `when`: what happens when nothing matched: `error`, or a text that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}
