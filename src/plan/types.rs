//! The compiled matrix as data: [`Plan`].

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::DefId;
use crate::event::{CellId, EntryRecord, Place, ScenarioId};
pub use crate::spec::setup::Mode;
use crate::spec::{ClientSpec, ProfileSpec, SetupSpec, SuiteSpec, ToolSpec};

/// What must happen.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// SHA-256 of the content, hex: equal plans have equal ids. Empty for an empty plan.
    pub plan_id: String,
    /// Cells in the order they run.
    pub cells: Vec<CellPlan>,
}

impl Plan {
    /// The first 12 digits of the id, as shown to people.
    pub fn short_id(&self) -> &str {
        self.plan_id.get(..12).unwrap_or(&self.plan_id)
    }

    /// Scenarios in all, repeats included.
    pub fn planned(&self) -> u64 {
        self.cells.iter().map(CellPlan::planned).sum()
    }
}

/// One effective value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Name of the value: `timeout`, `models.text`.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// `suites/base.yaml:9:14`, `flag --retries`, `environment FIREASSAY_RETRIES`, `built-in`.
    pub origin: String,
}

/// Which leniency applies to wire rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contract {
    /// Exactly the profile's deviations.
    #[default]
    Profile,
    /// Every dialect is tolerated and reported.
    Generic,
    /// None.
    Openai,
}

impl Contract {
    /// The word of the flag and of records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Generic => "generic",
            Self::Openai => "openai",
        }
    }
}

/// How the stack of a cell is reached.
#[derive(Debug, Clone)]
pub enum Connect {
    /// We start the setup's services.
    Start,
    /// The setup's stack that is up here, or a server on this port that answers as the setup; else we start it (there).
    Serve {
        /// Port of the server; `None`: any.
        port: Option<u16>,
    },
    /// Several setups as one, each asked for its abilities.
    Compose {
        /// In the order written; what no ability tells goes to the first.
        parts: Vec<Part>,
    },
    /// It runs at this address (normalised: no trailing slash, no `/v1`).
    Attach {
        /// Base address.
        url: String,
    },
}

/// One provider of a composed stack.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its setup.
    pub setup: Arc<SetupSpec>,
    /// How it is reached: started by us, or attached to.
    pub connect: Connect,
    /// Its profile.
    pub profile: Option<Arc<ProfileSpec>>,
    /// Abilities that are asked of it.
    pub abilities: Vec<String>,
    /// Roles whose models it has.
    pub roles: Vec<String>,
}

/// One suite × one setup × one choice of models.
#[derive(Debug, Clone)]
pub struct CellPlan {
    /// `base[llamacpp]`; with several models, or one of the catalogue, `base[llamacpp][smollm2]`.
    pub id: CellId,
    /// The model of the catalogue that it is about.
    pub entry: Option<EntryRecord>,
    /// The suite; synthetic for files given by path.
    pub suite: Arc<SuiteSpec>,
    /// The setup; synthetic for a bare address.
    pub setup: Arc<SetupSpec>,
    /// How it is reached.
    pub connect: Connect,
    /// Model id by role. A bare address without a model: empty, then the first listed model is taken at run time.
    pub models: Vec<(String, String)>,
    /// The setup's profile.
    pub profile: Option<Arc<ProfileSpec>>,
    /// Profiles of single services, by the service's name.
    pub service_profiles: Vec<(String, Arc<ProfileSpec>)>,
    /// Leniency.
    pub contract: Contract,
    /// Mode.
    pub mode: Mode,
    /// Why the whole cell is not applicable (an unmet need), decided before anything starts.
    pub skip: Option<String>,
    /// Scenarios at once, at least 1.
    pub concurrency: u32,
    /// Default sampling of every request.
    pub sampling: Sampling,
    /// What its scenarios may name.
    pub named: Named,
    /// Every effective value of the cell with its origin, for `explain`.
    pub explained: Vec<Explained>,
    /// Tools that scenarios may offer, by name.
    pub tools: Arc<Vec<Arc<ToolSpec>>>,
    /// Clients that its scenarios ask for work; those of scenarios that are skipped are not among them.
    pub clients: Vec<Arc<ClientSpec>>,
    /// Features in order.
    pub features: Vec<FeaturePlan>,
}

impl CellPlan {
    /// Scenarios in all, repeats included.
    pub fn planned(&self) -> u64 {
        self.features.iter().map(|feature| feature.scenarios.len() as u64).sum()
    }
}

/// Sampling as resolved for a cell; what is `None` is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Option<f64>,
    /// Seed.
    pub seed: Option<i64>,
    /// Token bound.
    pub max_tokens: Option<u64>,
    /// Nucleus.
    pub top_p: Option<f64>,
    /// Time limit of one request.
    #[serde(skip)]
    pub timeout: Option<Duration>,
    /// Any other request parameter.
    pub extra: Map<String, Value>,
}

/// Values of a stack that scenarios name as `{{safety_shield}}` and `{{embedding_dimension}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Name of its safety shield.
    pub safety_shield: Option<String>,
    /// Length asked of its embeddings, sent as `dimensions`.
    pub embedding_dimension: Option<u32>,
}

impl Named {
    /// Every name, with the flag that sets it.
    pub const NAMES: [(&'static str, &'static str); 2] =
        [("safety_shield", "--safety-shield"), ("embedding_dimension", "--embedding-dimension")];

    /// The value of a name; `None` where nobody has set it.
    pub fn get(&self, name: &str) -> Option<Value> {
        match name {
            "safety_shield" => self.safety_shield.clone().map(Value::String),
            "embedding_dimension" => self.embedding_dimension.map(Value::from),
            _ => None,
        }
    }
}

/// One feature file or case file.
#[derive(Debug, Clone)]
pub struct FeaturePlan {
    /// Title.
    pub name: Arc<str>,
    /// `Feature` as written; `Cases` for YAML.
    pub keyword: Arc<str>,
    /// File as shown.
    pub file: Arc<str>,
    /// Where it begins.
    pub at: Place,
    /// Scenarios in order.
    pub scenarios: Vec<Arc<ScenarioPlan>>,
}

/// How a scenario runs beside others, and what is declared of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// `@serial`: alone.
    pub serial: bool,
    /// `@destructive`: last, alone, and the service is restarted after it.
    pub destructive: bool,
}

/// One scenario, ready to run.
#[derive(Debug, Clone)]
pub struct ScenarioPlan {
    /// Stable id in its cell.
    pub id: ScenarioId,
    /// `suite.setup.feature-slug`.
    pub classname: Arc<str>,
    /// Title with ` [key=value,…]` of its row and parameters, ` [repeat=2]` of a repeat.
    pub name: Arc<str>,
    /// Where it is written (the row's line for an outline).
    pub at: Place,
    /// Tags with `@`.
    pub tags: Arc<[String]>,
    /// Role of the model that is asked unless a step names another: by its abilities, `text` where none has a role.
    pub role: &'static str,
    /// Steps in order; rows of one outline share those that no placeholder touches.
    pub steps: Arc<[Arc<StepPlan>]>,
    /// Why it is not applicable here (an ability that the setup does not claim).
    pub skip: Option<String>,
    /// Failures written down for it in the profile: indexes into its `known`.
    pub known: Vec<KnownClaim>,
    /// Deviations that the profile says it shows: indexes into its `dialect`.
    pub shows: Vec<usize>,
    /// `@serial`, `@destructive`.
    pub flags: Flags,
    /// `@lock(NAME)`.
    pub locks: Vec<String>,
    /// Tries after a failure.
    pub retries: u32,
    /// Time limit of the whole scenario.
    pub timeout: Duration,
    /// Time limit of one step.
    pub step_timeout: Duration,
}

/// An entry of the profile's `known:` that is about this scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownClaim {
    /// Index into the profile's `known`.
    pub entry: usize,
}

/// One step, found in the catalogue.
#[derive(Debug, Clone)]
pub struct StepPlan {
    /// Which function.
    pub def: DefId,
    /// Whether only a running server can show it.
    pub live: bool,
    /// Group name and text of each capture, the whole match first (cucumber's form).
    pub captures: Arc<[(Option<String>, String)]>,
    /// `Given`, without trailing space.
    pub keyword: Arc<str>,
    /// Given, When or Then after And/But are resolved.
    pub kind: super::StepUse,
    /// Sentence with values filled in.
    pub text: Arc<str>,
    /// Where it is written.
    pub at: Place,
    /// Table: rows of cells.
    pub table: Option<Arc<[Vec<Arc<str>>]>>,
    /// Doc string.
    pub doc: Option<DocArg>,
}

/// A doc string with values filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocArg {
    /// Word after the fence.
    pub media_type: Option<Arc<str>>,
    /// Text.
    pub content: Arc<str>,
}
