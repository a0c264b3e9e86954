//! The command line as typed: one struct a subcommand. Every flag of `run` has an environment name `FIREASSAY_…`.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::plan::{Contract, Mode};
use crate::spec::models::{EVERY_MODEL, Intent};
use crate::spec::yaml::Span;

mod kept;
mod mutate;
mod proxy;
mod tapes;

pub use kept::{DownArgs, LogsArgs, StatusArgs, UpArgs};
pub use mutate::MutateArgs;
pub use proxy::{ProxyArgs, ProxyMode};
pub use tapes::{DiffArgs, ExportArgs, ExportForm, PruneArgs, ShowTapeArgs, TapesAction, TapesArgs, VerifyArgs};

/// fireassay settles what a model stack really does.
#[derive(Debug, Parser)]
#[command(name = "fireassay", version, about, styles = Styles::styled(), max_term_width = 110, after_help = EXITS)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The exit codes as `--help` shows them.
pub const EXITS: &str = "Exit codes: 0 accepted, 1 the stack failed a claim, 2 usage or file error, 3 evidence missing, \
4 nothing ran, 5 only environment errors, 130/143 signals.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run suites against a stack and judge the replies
    Run(Box<RunArgs>),
    /// Compile everything and show all mistakes; starts nothing, touches no network
    Check(CheckArgs),
    /// Show the plan: cells, scenarios, what is skipped and why
    List(ListArgs),
    /// Show every effective value and where it comes from
    Explain(SelectArgs),
    /// Search the catalogue of step sentences
    Steps(StepsArgs),
    /// List or explain the wire rules that every reply is held to
    Rules(RulesArgs),
    /// Print the JSON Schema of a kind of file (suite, setup, cases, tool, profile, models)
    Schema(SchemaArgs),
    /// Show what was sent and what came in a scenario of the last run
    Show(ShowArgs),
    /// Bring a setup's stack up and leave it running
    Up(UpArgs),
    /// Show how the stacks are that were brought up here
    Status(StatusArgs),
    /// End stacks that were brought up here
    Down(DownArgs),
    /// Show what the services of a stack said that was brought up here
    Logs(LogsArgs),
    /// Stand between any client and a server: pass on, record, replay, fill, or corrupt what comes
    Proxy(ProxyArgs),
    /// Fetch and make what a setup needs, ahead of time
    Provision(ProvisionArgs),
    /// Show or empty the cache of provisioned setups
    Cache(CacheArgs),
    /// Show the tapes of the project, verify that they are whole, or pack one into a file
    Tapes(TapesArgs),
    /// Make a report out of what runs left
    Report(ReportArgs),
    /// Find out what this machine has: hardware, running servers, models in the caches of other tools
    Discover(DiscoverArgs),
    /// Pick a model that fits, and write a setup and a first feature that passes
    Init(InitArgs),
    /// Tell what this machine has, what a setup misses here, and the command that brings it
    Doctor(DoctorArgs),
    /// List the catalogue of models, or check it against indexes and files
    Models(ModelsArgs),
    /// Score a suite: break the replies of its tape in every way, and see what it notices
    Mutate(Box<MutateArgs>),
    /// Print a feature file as Cucumber Messages JSON
    Ast(AstArgs),
    /// Print shell completions
    Completions {
        /// Shell to print for
        shell: clap_complete::Shell,
    },
}

/// What is selected; shared by run, list, explain.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Feature or case files, `FILE:LINE`, or folders; without any, the suites named by --suite (default: base)
    #[arg(value_name = "FILE[:LINE]|FOLDER")]
    pub paths: Vec<String>,
    /// Suite to run; repeat for several
    #[arg(long = "suite", value_name = "NAME", env = "FIREASSAY_SUITE", value_delimiter = ',', help_heading = "What")]
    pub suites: Vec<String>,
    /// Setup to run on; repeat for several
    #[arg(long = "setup", value_name = "NAME", env = "FIREASSAY_SETUP", value_delimiter = ',', help_heading = "Where")]
    pub setups: Vec<String>,
    /// Stack: a setup's name or file, `server:NAME[:PORT]` (the one that is up, else started), `ABILITY=SETUP,…`,
    /// or an address
    #[arg(long, value_name = "FORM", env = "FIREASSAY_STACK", help_heading = "Where", conflicts_with_all = ["setups", "url"])]
    pub stack: Option<String>,
    /// Address of a server that runs already, with or without /v1
    #[arg(long, value_name = "URL", env = "FIREASSAY_URL", help_heading = "Where")]
    pub url: Option<String>,
    /// Models of `models.yaml`, each on the setup that serves it, one after the other; without names all that fit here
    #[arg(long, value_name = "NAME[,NAME]", env = "FIREASSAY_CATALOGUE", help_heading = "Where", num_args = 0..=1,
          default_missing_value = EVERY_MODEL, conflicts_with_all = ["setups", "stack", "url", "models", "text_model",
          "vision_model", "embedding_model", "judge_model"])]
    pub catalogue: Option<String>,
    /// Only scenarios that meet this tag expression (`@chat and not @slow`)
    #[arg(long, value_name = "EXPR", env = "FIREASSAY_TAGS", help_heading = "What")]
    pub tags: Option<String>,
    /// Only scenarios whose name matches this regular expression
    #[arg(long, value_name = "REGEX", env = "FIREASSAY_NAME", help_heading = "What")]
    pub name: Option<String>,
    /// Model of a role; a list multiplies the run
    #[arg(long = "model", value_name = "ROLE=ID[,ID]", env = "FIREASSAY_MODEL", help_heading = "Models")]
    pub models: Vec<String>,
    /// Same as --model text=ID; asked for tools and reasoning too, unless --model names one for them
    #[arg(long, value_name = "ID[,ID]", env = "FIREASSAY_TEXT_MODEL", help_heading = "Models")]
    pub text_model: Option<String>,
    /// Same as --model vision=ID
    #[arg(long, value_name = "ID[,ID]", env = "FIREASSAY_VISION_MODEL", help_heading = "Models")]
    pub vision_model: Option<String>,
    /// Same as --model embedding=ID
    #[arg(long, value_name = "ID[,ID]", env = "FIREASSAY_EMBEDDING_MODEL", help_heading = "Models")]
    pub embedding_model: Option<String>,
    /// Same as --model judge=ID
    #[arg(long, value_name = "ID[,ID]", env = "FIREASSAY_JUDGE_MODEL", help_heading = "Models")]
    pub judge_model: Option<String>,
    /// Safety shield of the stack, for scenarios that name {{safety_shield}}
    #[arg(long, value_name = "NAME", env = "FIREASSAY_SAFETY_SHIELD", help_heading = "Models")]
    pub safety_shield: Option<String>,
    /// Length asked of embeddings; also {{embedding_dimension}}
    #[arg(long, value_name = "N", env = "FIREASSAY_EMBEDDING_DIMENSION", help_heading = "Models", value_parser = clap::value_parser!(u32).range(1..))]
    pub embedding_dimension: Option<u32>,
    /// Set an environment variable for setups that read it; repeat for several
    #[arg(long = "env", value_name = "KEY=VALUE", help_heading = "Where")]
    pub env: Vec<String>,
    /// Where replies come from (default: live when a stack is named)
    #[arg(long, value_enum, env = "FIREASSAY_MODE", help_heading = "How")]
    pub mode: Option<ModeArg>,
    /// Short for --mode live
    #[arg(long, help_heading = "How", conflicts_with = "mode")]
    pub live: bool,
    /// Which leniency applies to wire rules
    #[arg(long, value_enum, env = "FIREASSAY_CONTRACT", help_heading = "How")]
    pub contract: Option<ContractArg>,
    /// Scenarios at once
    #[arg(long, value_name = "N", env = "FIREASSAY_CONCURRENCY", help_heading = "How", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub concurrency: Option<u32>,
    /// Tries after a failure; a pass then counts as flaky
    #[arg(long, value_name = "N", env = "FIREASSAY_RETRIES", help_heading = "How")]
    pub retries: Option<u32>,
    /// Runs of every scenario
    #[arg(long, value_name = "N", env = "FIREASSAY_REPEATS", help_heading = "How", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
    /// Time limit of a scenario (`90s`)
    #[arg(long, value_name = "SPAN", env = "FIREASSAY_TIMEOUT", help_heading = "How")]
    pub timeout: Option<Span>,
    /// Colours
    #[arg(long, value_enum, env = "FIREASSAY_COLOR", default_value_t, help_heading = "Output")]
    pub color: ColorArg,
}

/// A time span in which something can happen.
fn some_time(text: &str) -> Result<Span, String> {
    let span: Span = text.parse()?;
    if span.0.is_zero() { Err("in no time nothing can run; write a span such as `30m`".to_owned()) } else { Ok(span) }
}

/// A length of which something can be kept.
fn some_bytes(text: &str) -> Result<usize, String> {
    match usize::try_from(crate::spec::bytes::parse_bytes(text)?) {
        Ok(0) => Err("of no bytes nothing can be kept; write a size such as `64MiB`".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(format!("`{text}` is more than this machine can address")),
    }
}

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Selection.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Stale profile entries fail the run
    #[arg(long, env = "FIREASSAY_STRICT", help_heading = "How")]
    pub strict: bool,
    /// Stop at the first failure
    #[arg(long, env = "FIREASSAY_FAIL_FAST", help_heading = "How")]
    pub fail_fast: bool,
    /// Time limit of the whole run (`30m`)
    #[arg(long, value_name = "SPAN", value_parser = some_time, env = "FIREASSAY_MAX_TIME", help_heading = "How")]
    pub max_time: Option<Span>,
    /// Longest reply that is kept; a longer one fails its scenario
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, default_value = "64MiB", env = "FIREASSAY_MAX_REPLY", help_heading = "How")]
    pub max_reply: usize,
    /// Oldest tape that may answer (`7d`); an older one is no evidence, and ends the run with 3 before anything is started
    #[arg(long, value_name = "SPAN", value_parser = tapes::age, env = "FIREASSAY_MAX_TAPE_AGE", help_heading = "How")]
    pub max_tape_age: Option<Span>,
    /// Use tapes whose files were changed since they were recorded; the run says which
    #[arg(long, env = "FIREASSAY_ACCEPT_EDITS", help_heading = "How")]
    pub accept_edits: bool,
    /// Write JUnit XML here, folders made as needed; removed at the start, so that no stale green file survives
    #[arg(long, value_name = "FILE", env = "FIREASSAY_JUNIT", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// JUnit dialect
    #[arg(long, value_enum, env = "FIREASSAY_JUNIT_PROFILE", default_value_t, help_heading = "Output")]
    pub junit_profile: JunitProfileArg,
    /// Write another report, folders made as needed; repeat for several
    #[arg(long = "report", value_name = "KIND=FILE", env = "FIREASSAY_REPORT", help_heading = "Output")]
    pub reports: Vec<String>,
    /// Folder of the run record (default: .fireassay/runs/TIME-SUITE-SETUP)
    #[arg(long, value_name = "DIR", env = "FIREASSAY_RUN_DIR", help_heading = "Output")]
    pub run_dir: Option<PathBuf>,
    /// Only the verdict
    #[arg(long, short, env = "FIREASSAY_QUIET", help_heading = "Output", conflicts_with = "verbose")]
    pub quiet: bool,
    /// One line for each scenario
    #[arg(long, short, env = "FIREASSAY_VERBOSE", help_heading = "Output")]
    pub verbose: bool,
}

/// `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Feature or case files or folders to check besides the project's own files
    pub paths: Vec<String>,
    /// Colours
    #[arg(long, value_enum, env = "FIREASSAY_COLOR", default_value_t)]
    pub color: ColorArg,
}

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Selection.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `steps`.
#[derive(Debug, Clone, Args)]
pub struct StepsArgs {
    /// Words that a sentence, its manual or its topic must hold
    pub words: Vec<String>,
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `rules`.
#[derive(Debug, Clone, Args)]
pub struct RulesArgs {
    /// Id of a rule (W033) to explain it, or words that a rule must hold
    #[arg(value_name = "ID|WORDS")]
    pub words: Vec<String>,
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Kind of file
    pub kind: String,
}

/// `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Words of the scenario's name or id
    pub scenario: String,
    /// Run record (default: the latest)
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
}

/// `provision`.
#[derive(Debug, Clone, Args)]
pub struct ProvisionArgs {
    /// Setups
    #[arg(required = true)]
    pub setups: Vec<String>,
}

/// `cache`.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// What to do with it
    #[arg(value_enum)]
    pub action: CacheAction,
}

/// What to do with the cache.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum CacheAction {
    /// Show what is in it
    List,
    /// Remove it
    Prune,
}

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Which report
    #[command(subcommand)]
    pub kind: ReportKind,
}

/// Which report.
#[derive(Debug, Clone, Subcommand)]
pub enum ReportKind {
    /// Models × servers × abilities, from verdicts that were reached
    Matrix(MatrixArgs),
}

/// `report matrix`.
#[derive(Debug, Clone, Args)]
pub struct MatrixArgs {
    /// JSON summaries (`run --report json=FILE`), run records, folders of records (default: .fireassay/runs)
    #[arg(value_name = "FILE|FOLDER")]
    pub paths: Vec<PathBuf>,
    /// Form of the matrix
    #[arg(long, value_enum, default_value_t)]
    pub format: MatrixFormat,
    /// Write it here, folders made as needed (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `--format` of the matrix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MatrixFormat {
    /// Tables for people
    #[default]
    Markdown,
    /// For programs
    Json,
}

/// `discover`.
#[derive(Debug, Clone, Args)]
pub struct DiscoverArgs {
    /// Ports to ask beside the usual ones
    #[arg(long = "port", value_name = "PORT", value_delimiter = ',')]
    pub ports: Vec<u16>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Ask nothing: take the best model, and defaults for the rest
    #[arg(long)]
    pub accept_defaults: bool,
    /// What the model is for (default: chat)
    #[arg(long, value_enum)]
    pub intent: Option<IntentArg>,
    /// Per cent of the memory that the model may take (default: 50)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=95))]
    pub budget_pct: Option<u8>,
    /// Name of the setup and the feature (default: my-MODEL)
    #[arg(long)]
    pub name: Option<String>,
    /// Ports to ask for running servers beside the usual ones
    #[arg(long = "port", value_name = "PORT", value_delimiter = ',')]
    pub ports: Vec<u16>,
    /// Write over files of that name
    #[arg(long)]
    pub force: bool,
}

/// `--intent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IntentArg {
    /// Conversation
    Chat,
    /// Calling tools
    Tools,
    /// Writing code
    Code,
    /// Looking at pictures
    Vision,
}

impl From<IntentArg> for Intent {
    fn from(intent: IntentArg) -> Self {
        match intent {
            IntentArg::Chat => Self::Chat,
            IntentArg::Tools => Self::Tools,
            IntentArg::Code => Self::Code,
            IntentArg::Vision => Self::Vision,
        }
    }
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Setup to look at whole (default: every setup in a line)
    #[arg(long, value_name = "NAME", env = "FIREASSAY_SETUP", conflicts_with = "cell")]
    pub setup: Option<String>,
    /// Cell to look at: its setup, and how much of the suite runs there
    #[arg(long, value_name = "SUITE/SETUP")]
    pub cell: Option<String>,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `models`.
#[derive(Debug, Clone, Args)]
pub struct ModelsArgs {
    /// What to do with it
    #[command(subcommand)]
    pub action: ModelsAction,
}

/// What to do with the catalogue of models.
#[derive(Debug, Clone, Subcommand)]
pub enum ModelsAction {
    /// Show the models, with what each takes and can do
    List(ModelsListArgs),
    /// Check that fields are valid, repositories exist, and weights and templates are as stated
    Check(ModelsCheckArgs),
}

/// `models list`.
#[derive(Debug, Clone, Args)]
pub struct ModelsListArgs {
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `models check`.
#[derive(Debug, Clone, Args)]
pub struct ModelsCheckArgs {
    /// Models (default: all of the catalogue)
    pub models: Vec<String>,
    /// Touch no network: repositories are then not evaluated
    #[arg(long, env = "FIREASSAY_OFFLINE")]
    pub offline: bool,
    /// Simple index of Python packages to ask (default: uv's or pip's, else pypi.org)
    #[arg(long, value_name = "URL", env = "FIREASSAY_INDEX")]
    pub index: Option<String>,
    /// Hugging Face hub to ask (default: HF_ENDPOINT, else huggingface.co)
    #[arg(long, value_name = "URL", env = "FIREASSAY_HUB")]
    pub hub: Option<String>,
    /// Registry of Ollama's library to ask (default: registry.ollama.ai)
    #[arg(long, value_name = "URL", env = "FIREASSAY_OLLAMA_REGISTRY")]
    pub ollama: Option<String>,
    /// Read weights that are here whole, and compare their digests
    #[arg(long)]
    pub digest: bool,
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `ast`.
#[derive(Debug, Clone, Args)]
pub struct AstArgs {
    /// Print pickles in place of the tree
    #[arg(long)]
    pub pickles: bool,
    /// Feature files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// `--mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// A running server
    Live,
    /// A running server, recorded
    Record,
    /// A tape
    Replay,
    /// A tape, and a server for what is missing
    Fill,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Live => Self::Live,
            ModeArg::Record => Self::Record,
            ModeArg::Replay => Self::Replay,
            ModeArg::Fill => Self::Fill,
        }
    }
}

/// `--contract`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ContractArg {
    /// The setup's profile
    Profile,
    /// Every dialect is tolerated and reported
    Generic,
    /// No leniency
    Openai,
}

impl From<ContractArg> for Contract {
    fn from(contract: ContractArg) -> Self {
        match contract {
            ContractArg::Profile => Self::Profile,
            ContractArg::Generic => Self::Generic,
            ContractArg::Openai => Self::Openai,
        }
    }
}

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// `--format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

/// `--junit-profile`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum JunitProfileArg {
    /// Everything readers understand
    #[default]
    Rich,
    /// What Jenkins' schema allows
    Strict,
}
