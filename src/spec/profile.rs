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
    /// How the identity handshake recognises the server; without it any server is met, and nothing may be forgiven.
    #[serde(default)]
    pub server: ServerMatch,
    /// What the server tells of itself, by the names it uses; needed where a setup claims `request_metrics`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// Where the server counts tokens; needed where a setup claims `tokenize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
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
    /// Name as the identity handshake reports it, or its first words.
    #[serde(default)]
    pub like: String,
}

/// What a server tells of itself on its page of metrics. A metric counts with all its labels; several are added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Path of the page, in Prometheus' text format (default `/metrics`).
    #[serde(default = "Metrics::default_path")]
    pub path: String,
    /// Gauges of requests under way, those that wait included.
    pub running: Vec<String>,
    /// Counters of the tokens of prompts, as `usage.prompt_tokens` has them (default: the server has none).
    #[serde(default)]
    pub prompt_tokens: Vec<String>,
    /// Counters of generated tokens, as `usage.completion_tokens` has them.
    pub completion_tokens: Vec<String>,
    /// Evidence: repository, file or measurement.
    pub source: String,
}

impl Metrics {
    fn default_path() -> String {
        "/metrics".to_owned()
    }
}

/// Where a server counts tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Path that takes a text and answers its tokens (default `/tokenize`).
    #[serde(default = "Tokens::default_tokenize")]
    pub tokenize: String,
    /// Path that takes tokens and answers their text (default `/detokenize`).
    #[serde(default = "Tokens::default_detokenize")]
    pub detokenize: String,
    /// Path that takes the messages of a chat request and answers how many tokens its prompt has (default `/tokenize`).
    #[serde(default = "Tokens::default_tokenize")]
    pub chat: String,
    /// Evidence: repository, file or measurement.
    pub source: String,
}

impl Tokens {
    fn default_tokenize() -> String {
        "/tokenize".to_owned()
    }

    fn default_detokenize() -> String {
        "/detokenize".to_owned()
    }
}

impl ProfileSpec {
    /// The key that an ability needs and that is not there.
    pub fn lacks(&self, ability: &str) -> Option<&'static str> {
        needed(ability).filter(|key| match *key {
            "metrics" => self.metrics.is_none(),
            _ => self.tokens.is_none(),
        })
    }
}

/// The key of a profile without which nobody knows how to use an ability.
pub fn needed(ability: &str) -> Option<&'static str> {
    match ability {
        "request_metrics" => Some("metrics"),
        "tokenize" => Some("tokens"),
        _ => None,
    }
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
    /// Id of the model that fails so, as the setup names it (default: any): what one model gets wrong, and not its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
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
    /// Whether it is about a cell with these models (role and id).
    pub fn is_about(&self, models: &[(String, String)]) -> bool {
        self.model.as_ref().is_none_or(|meant| models.iter().any(|(_, id)| id == meant))
    }

    /// Which scenarios it is about.
    pub fn place(&self) -> Where<'_> {
        let Self { scenario, name, tags, file, .. } = self;
        Where { scenario: scenario.as_deref(), name: name.as_deref(), tags: tags.as_deref(), file: file.as_deref() }
    }
}
