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

/// A wire rule lowered to dialect: it is tolerated wherever it is broken. `scenario`, `name`, `tags` and `file` say where it
/// surely shows, so that an entry which shows no more is stale; without them it must show wherever its subject does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// Id of the wire rule, `W` and three digits.
    pub rule: String,
    /// Name of a scenario that shows it, as in the plan, with its ` [key=value]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Regular expression that the scenario's name must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tag expression that the scenario's tags must meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Glob of the file that the scenario stands in (`features/base/**`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Why the server does so.
    pub reason: String,
    /// Evidence: repository, file or issue.
    pub source: String,
    /// Version bound (`<=b9999`); without one every version is meant. A version that is not known meets no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
}

/// A failure that is written down: same scenario, same rule or step with a matching `actual`; any other failure is a failure.
/// Which scenarios are meant is said by `scenario`, `name`, `tags` and `file`; all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Scenario name as in the plan, with its ` [key=value]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Regular expression that the scenario's name must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tag expression that the scenario's tags must meet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Glob of the file that the scenario stands in (`features/base/**`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
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

/// Which scenarios an entry of a profile is about; all that is given must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Where<'a> {
    /// The name itself.
    pub scenario: Option<&'a str>,
    /// Regular expression of names.
    pub name: Option<&'a str>,
    /// Tag expression.
    pub tags: Option<&'a str>,
    /// Glob of files.
    pub file: Option<&'a str>,
}

impl Where<'_> {
    /// Whether nothing is given.
    pub fn is_empty(&self) -> bool {
        *self == Where::default()
    }
}

impl std::fmt::Display for Where<'_> {
    /// `Arguments stream in pieces`, or `tags @tools, file features/base/*`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given = [("name", self.name), ("tags", self.tags), ("file", self.file)];
        let given = given.iter().filter_map(|(key, text)| text.map(|text| format!("{key} {text}")));
        let all: Vec<String> = self.scenario.map(str::to_owned).into_iter().chain(given).collect();
        f.write_str(&all.join(", "))
    }
}

impl Dialect {
    /// Where it shows.
    pub fn place(&self) -> Where<'_> {
        let Self { scenario, name, tags, file, .. } = self;
        Where { scenario: scenario.as_deref(), name: name.as_deref(), tags: tags.as_deref(), file: file.as_deref() }
    }
}

impl Known {
    /// Which scenarios it is about.
    pub fn place(&self) -> Where<'_> {
        let Self { scenario, name, tags, file, .. } = self;
        Where { scenario: scenario.as_deref(), name: name.as_deref(), tags: tags.as_deref(), file: file.as_deref() }
    }
}
