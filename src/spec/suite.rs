//! `suites/NAME.yaml`: which features and cases, their tags, defaults and parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::yaml::Span;

/// A suite file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteSpec {
    /// Name of the suite; the file is `suites/NAME.yaml`.
    pub name: String,
    /// What the suite demands, in a sentence (default: empty).
    #[serde(default)]
    pub description: String,
    /// Gherkin files: paths or globs, relative to the project folder.
    #[serde(default)]
    pub features: Vec<String>,
    /// YAML case files: paths or globs, relative to the project folder.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Tag expression that a scenario must meet (`not @slow and (@chat or @stream)`); flags can narrow it further.
    #[serde(default)]
    pub tags: Option<String>,
    /// Setup used when none is named.
    #[serde(default)]
    pub default_setup: Option<String>,
    /// Sampling and run defaults; a setup and flags may override them.
    #[serde(default)]
    pub defaults: Defaults,
    /// Named lists; each multiplies exactly the scenarios that mention `<name>`. Values are strings, numbers or booleans.
    #[serde(default)]
    #[schemars(with = "indexmap::IndexMap<String, Vec<super::yaml::Scalar>>")]
    pub parameters: Map<String, Value>,
}

/// Sampling and run defaults, in suites (`defaults:`), setups (`defaults:`) and as flags. Absent = not said here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Sampling temperature, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// Sampling seed, sent as `seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Bound on generated tokens, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u64>,
    /// Nucleus sampling, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub top_p: Option<f64>,
    /// Length asked of embeddings, 1 or more; sent as `dimensions`, and `{{embedding_dimension}}` in a scenario's texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub embedding_dimension: Option<u32>,
    /// Name of the stack's safety shield: `{{safety_shield}}` in a scenario's texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety_shield: Option<String>,
    /// Time limit of one request and of the step that makes it (`60s`, `500ms`, `2m`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Time limit of one scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_timeout: Option<Span>,
    /// How often a failed scenario is tried again; a pass then counts as flaky.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// How often every scenario is run, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub repeats: Option<u32>,
    /// Scenarios at once, 1 or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub concurrency: Option<u32>,
}
