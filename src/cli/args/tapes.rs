//! `fireassay tapes` as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::spec::yaml::Span;

/// `tapes`.
#[derive(Debug, Clone, Args)]
pub struct TapesArgs {
    /// What to do with them
    #[command(subcommand)]
    pub action: TapesAction,
}

/// What to do with tapes.
#[derive(Debug, Clone, Subcommand)]
pub enum TapesAction {
    /// Show them, built-in ones too: of which server, how many exchanges, how old
    List,
    /// Show those of the project, and exit 3 where one is not whole, 4 where there is none
    Verify(VerifyArgs),
    /// Show what a tape is of and what was asked, or one exchange whole
    Show(ShowTapeArgs),
    /// Remove what a replay of the whole cell does not ask for
    Prune(PruneArgs),
    /// Ask a server again, or another tape, and show what changed in form; exit 1 where something did
    Diff(DiffArgs),
    /// Record the cell of a tape anew, and show what changed in form
    Refresh {
        /// The tape: `base/llamacpp`, or its folder or file
        tape: String,
    },
    /// Write exchanges as commands for curl, as JSON that stands alone, or as HAR
    Export(ExportArgs),
    /// Write a tape as one file, which stands for its folder: `tapes/SUITE/SETUP.tar.gz`
    Pack {
        /// The tape: tapes/base/llamacpp
        folder: PathBuf,
        /// Where to
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// `tapes verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Take files as they are that were changed since they were recorded, and write down that they were edited by hand
    #[arg(long)]
    pub accept_edits: bool,
}

/// `tapes show`.
#[derive(Debug, Clone, Args)]
pub struct ShowTapeArgs {
    /// The tape: `base/llamacpp`, or its folder or file
    pub tape: String,
    /// One exchange: its number in the list, or how its key or the name of its file begins
    #[arg(value_name = "NUMBER|KEY")]
    pub exchange: Option<String>,
}

/// `tapes prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// The tape: `base/llamacpp`, or its folder or file
    pub tape: String,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `tapes diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The tape: `base/llamacpp`, or its folder or file
    pub tape: String,
    /// Another tape, in place of a server
    #[arg(conflicts_with_all = ["setup", "url"])]
    pub other: Option<String>,
    /// Setup whose server is started and asked (default: the tape's own)
    #[arg(long, value_name = "NAME")]
    pub setup: Option<String>,
    /// Address of a server that runs already
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Set an environment variable for setups that read it; repeat for several
    #[arg(long = "env", value_name = "KEY=VALUE")]
    pub env: Vec<String>,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `tapes export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The tape: `base/llamacpp`, or its folder or file
    pub tape: String,
    /// Which exchanges: numbers of `tapes show`, or how keys or names of files begin (default: all)
    #[arg(value_name = "NUMBER|KEY")]
    pub exchanges: Vec<String>,
    /// Form
    #[arg(long, value_enum)]
    pub to: ExportForm,
    /// Address of the server, for forms that name one
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Write it here, folders made as needed (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A form of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// Commands for a shell
    Curl,
    /// Requests and replies in one JSON file
    Json,
    /// HTTP Archive 1.2
    Har,
}

/// A time span that may be one of days: `7d`.
pub(super) fn age(text: &str) -> Result<Span, String> {
    let days = text.trim().strip_suffix('d').and_then(|days| days.trim().parse::<f64>().ok());
    let span = match days {
        Some(days) => Duration::try_from_secs_f64(days * 86_400.0).map(Span).ok(),
        None => text.parse().ok(),
    };
    span.ok_or_else(|| format!("`{text}` is no age; write a number and `d` or `h`, such as `7d`"))
}
