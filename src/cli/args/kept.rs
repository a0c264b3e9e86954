//! The command line of stacks that stay: `up`, `status`, `down`, `logs`.

use clap::Args;

use super::{FormatArg, some_time};
use crate::spec::yaml::Span;

/// `up`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "It stays until `fireassay down`, and `fireassay run --stack server:SETUP` uses it.\n\n\
Exit codes: 0 it is up (now, or already), 2 usage or file error, 4 this machine lacks what it needs, 5 it did not come up, 130/143 signals \
(nothing is left then).")]
pub struct UpArgs {
    /// Setup, by name or file
    pub setup: String,
    /// Port of the server in place of the setup's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Set an environment variable for it; repeat for several
    #[arg(long = "env", value_name = "KEY=VALUE")]
    pub env: Vec<String>,
}

/// `status`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "States, the first that holds: stopped (not up here, or the machine was restarted since), crashed (a process of it ended by \
itself), down (processes live, health does not answer), degraded (health answers, a question of one token is refused or late), healthy.\n\n\
Exit codes: 0 all are healthy, 1 one is degraded, down or crashed, 2 usage error, 4 one that was named is stopped, or nothing is up, \
5 what is written down of one cannot be read."
)]
pub struct StatusArgs {
    /// Setups (default: all that were brought up here)
    pub setups: Vec<String>,
    /// Time in which one token must come, in place of the setup's `healthy_within`
    #[arg(long, value_name = "SPAN", value_parser = some_time)]
    pub within: Option<Span>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: FormatArg,
}

/// `down`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Only processes that are the ones we started get a signal: by number, start time and the machine's life, never by \
port.\n\nExit codes: 0 nothing of them runs, 2 usage error, 5 something survives, or a recorded process is another program now (it is left alone)."
)]
pub struct DownArgs {
    /// Setups (default: all that were brought up here)
    pub setups: Vec<String>,
    /// Give them no time to end in order
    #[arg(long)]
    pub now: bool,
}

/// `logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Setup
    pub setup: String,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Last lines of each service
    #[arg(long, short = 'n', value_name = "N", default_value_t = 100)]
    pub lines: usize,
    /// Go on as lines come, until the stack is gone
    #[arg(long, short)]
    pub follow: bool,
}
