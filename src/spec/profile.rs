//! `profiles/NAME.yaml`: what is known of one server: rules lowered to dialect, and known failures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A profile file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSpec {
    /// Name; the file is `profiles/NAME.yaml`.
    pub name: String,
    /// What it covers, in a sentence (default: empty).
    #[serde(default)]
    pub description: String,
    /// How the identity handshake recognises the server.
    pub server: ServerMatch,
    /// Wire rules lowered to dialect for this server; a rule that is broken without being listed here fails the scenario.
    #[serde(default)]
    pub dialect: Vec<Dialect>,
    /// Failures that are written down: they are counted as known and do not fail the run; if one passes, the entry is stale.
    #[serde(default)]
    pub known: Vec<Known>,
}

/// How a server is recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerMatch {
    /// Name as the identity handshake reports it.
    pub like: String,
}

/// A wire rule lowered to dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Id of the wire rule, `W` and three digits.
    pub rule: String,
    /// Why the server does so.
    pub reason: String,
    /// Evidence: repository, file or issue.
    pub source: String,
    /// Version bound (`<=b9999`); without one every version is meant. A version that is not known meets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
}

/// A failure that is written down: same scenario, same rule or step with a matching `actual`; any other failure is a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Scenario name as in the plan, with its ` [key=value]`.
    pub scenario: String,
    /// Broken rule, `W…`; or use `step`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Sentence of the step that fails; or use `rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Regular expression that the step's actual value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Why it fails, in a sentence.
    pub reason: String,
    /// Evidence: repository, file or issue.
    pub source: String,
    /// Version bound (`<=b9999`); without one every version is meant. A version that is not known meets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// Who looks after the entry: a person or a team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Date by which the entry is looked at again, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_by: Option<String>,
}
