//! Everything the compiler reads, already loaded: values with their places, no files, no environment of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::{Contract, Mode};
use crate::source::{At, FileId};
use crate::spec::gherkin::Document;
use crate::spec::rows::Row;
use crate::spec::{CaseSpec, ClientSpec, ModelSpec, Places, ProfileSpec, SetupSpec, SuiteSpec, ToolSpec};

/// What is compiled.
#[derive(Debug, Clone, Default)]
pub struct PlanInput {
    /// The suites of the run, in order; a synthetic one for files given by path.
    pub suites: Vec<SuiteInput>,
    /// The setups that the run may need.
    pub setups: Vec<SetupInput>,
    /// The profiles they name, as far as they exist.
    pub profiles: Vec<ProfileInput>,
    /// All tools.
    pub tools: Arc<Vec<Arc<ToolSpec>>>,
    /// Places in the file of each tool, in the order of `tools`.
    pub tool_places: Vec<Places>,
    /// All clients.
    pub clients: Vec<Arc<ClientSpec>>,
    /// The models of the catalogue that are run, each on its own setup; then no other setup is chosen.
    pub entries: Option<Vec<EntryInput>>,
    /// Names that exist but may not be loaded, for suggestions.
    pub names: Names,
    /// What is left of the suites.
    pub selection: Selection,
    /// What flags and the environment say.
    pub overrides: Overrides,
    /// Environment variables that addresses may read.
    pub environment: BTreeMap<String, String>,
    /// Why a setup cannot run here, by its name.
    pub unmet: BTreeMap<String, String>,
    /// Where no setup is named, plan against a bare address instead of saying that one is missing (`check`, `list`).
    pub bare_setup: bool,
}

/// A suite with its files.
#[derive(Debug, Clone, Default)]
pub struct SuiteInput {
    /// The suite; named `(files)` where it is synthetic.
    pub spec: Arc<SuiteSpec>,
    /// Places in its file; none where it is synthetic.
    pub places: Places,
    /// Its feature files in order.
    pub features: Vec<FeatureInput>,
    /// Its case files in order.
    pub cases: Vec<CaseFileInput>,
    /// Whether all its files were read: else nothing is said about what its files do not use.
    pub complete: bool,
}

/// A feature file of a suite.
#[derive(Debug, Clone)]
pub struct FeatureInput {
    /// The file.
    pub file: FileId,
    /// Its tree; shared where several suites hold the file.
    pub document: Arc<Document>,
    /// Where the parser had complaints: nothing is added about what stands around them.
    pub mistakes: Arc<[At]>,
    /// Lines that select scenarios; empty = all.
    pub lines: Vec<u32>,
}

impl FeatureInput {
    /// Whether the parser had complaints.
    pub fn broken(&self) -> bool {
        !self.mistakes.is_empty()
    }
}

/// A case file of a suite.
#[derive(Debug, Clone)]
pub struct CaseFileInput {
    /// The file.
    pub file: FileId,
    /// Its cases.
    pub cases: Arc<Vec<CaseInput>>,
    /// Places in it.
    pub places: Places,
    /// Whether the reader had complaints.
    pub broken: bool,
    /// Lines that select cases; empty = all.
    pub lines: Vec<u32>,
}

/// One case.
#[derive(Debug, Clone, Default)]
pub struct CaseInput {
    /// The case.
    pub spec: CaseSpec,
    /// JSON pointer of the case in its file: empty, `/0`, ….
    pub pointer: String,
    /// Its rows, `None` without `each:`.
    pub rows: Option<Vec<Row>>,
}

/// A setup, `extends:` merged.
#[derive(Debug, Clone, Default)]
pub struct SetupInput {
    /// The setup.
    pub spec: Arc<SetupSpec>,
    /// Places in its file.
    pub places: Places,
}

/// A profile.
#[derive(Debug, Clone, Default)]
pub struct ProfileInput {
    /// The profile.
    pub spec: Arc<ProfileSpec>,
    /// Places in its file.
    pub places: Places,
}

/// A model of the catalogue that is run.
#[derive(Debug, Clone, Default)]
pub struct EntryInput {
    /// Its name.
    pub name: String,
    /// What the catalogue says of it.
    pub spec: ModelSpec,
    /// Whether it was asked for by its name: then it has to run.
    pub wished: bool,
    /// Why it cannot be served here, beside what its setup needs.
    pub unmet: Option<String>,
}

/// Names of files that exist, disk and built-in.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// `suites/`.
    pub suites: Vec<String>,
    /// `setups/`.
    pub setups: Vec<String>,
    /// `profiles/`.
    pub profiles: Vec<String>,
}

/// What narrows the run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Setups for every suite; empty = each suite's default.
    pub setups: Vec<String>,
    /// Tag expression of the flag, with its place where it was put into the source map.
    pub tags: Option<(String, Option<At>)>,
    /// Pattern that a scenario's name must match.
    pub name: Option<Regex>,
    /// Whether suites were named or files given: then the run is not the whole project.
    pub narrowed: bool,
}

impl Selection {
    /// Whether something is left out that the suites hold.
    pub fn is_active(&self) -> bool {
        self.narrowed || self.tags.is_some() || self.name.is_some()
    }
}

/// A value of a flag or an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// `flag --retries` or `environment FIREASSAY_RETRIES`.
    pub origin: String,
}

/// What flags and the environment say; the command line has already decided between the two.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Neither a setup nor an address was named: replies come from tapes unless something else is said.
    pub no_stack_named: bool,
    /// `--url`: attach to this address.
    pub url: Option<Given<String>>,
    /// `--stack server:NAME[:PORT]`: the one that is up, else started, on this port.
    pub serve: Option<Given<Option<u16>>>,
    /// `--stack ability=provider,…`: abilities with the setups that are asked for them.
    pub compose: Option<Given<Vec<(String, String)>>>,
    /// `--model ROLE=ID[,ID]` and its relatives.
    pub models: Vec<Given<(String, Vec<String>)>>,
    /// `--safety-shield`.
    pub safety_shield: Option<Given<String>>,
    /// `--embedding-dimension`.
    pub embedding_dimension: Option<Given<u32>>,
    /// `--concurrency`.
    pub concurrency: Option<Given<u32>>,
    /// `--retries`.
    pub retries: Option<Given<u32>>,
    /// `--repeats`.
    pub repeats: Option<Given<u32>>,
    /// `--timeout`: of a scenario.
    pub scenario_timeout: Option<Given<Duration>>,
    /// `--mode`.
    pub mode: Option<Given<Mode>>,
    /// `--contract`.
    pub contract: Option<Given<Contract>>,
}
