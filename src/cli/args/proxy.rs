//! The command line of `proxy`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::tape::{Pace, Planned};

/// `proxy`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Clients use the address that is printed first in place of the server's. Bytes, order and case of headers, chunks and \
their times pass as they are; a side that leaves is gone for the other at once.\n\n\
Each request meets the next of the faults: the first until its times are over (`2x status=429,1`: two requests), then the next; a \
fault without a number of times stays. `fireassay proxy --faults` lists all.\n\n\
Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 usage or file error, 5 the port cannot be had or the tape not be written."
)]
pub struct ProxyArgs {
    /// Address of the server, with or without /v1
    #[arg(long, value_name = "URL", required_unless_present_any = ["list", "tape"])]
    pub to: Option<String>,
    /// What is done with what passes (default: fault where a fault is given, else pass)
    #[arg(long, value_enum)]
    pub mode: Option<ProxyMode>,
    /// Address to listen at; port 0 is a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Folder of the tape, for record, replay and fill
    #[arg(long, value_name = "FOLDER")]
    pub tape: Option<PathBuf>,
    /// A fault for the requests to come (`cut=3`, `2x status=429`); repeat for several
    #[arg(long = "fault", value_name = "FAULT", value_parser = Planned::parse)]
    pub faults: Vec<Planned>,
    /// List the faults
    #[arg(long = "faults", exclusive = true)]
    pub list: bool,
    /// Let faults be told and changed over HTTP: GET, PUT or DELETE /-/faults, a fault a line
    #[arg(long)]
    pub control: bool,
    /// How fast a tape answers: none (at once), recorded, or so many times as fast as recorded
    #[arg(long, value_name = "none|recorded|TIMES", default_value = "none")]
    pub pace: Pace,
    /// Name of an environment variable whose value must not be on the tape; repeat for several
    #[arg(long = "secret-env", value_name = "NAME")]
    pub secrets: Vec<String>,
    /// Member of requests that does not count when a tape is asked; repeat for several
    #[arg(long, value_name = "MEMBER")]
    pub volatile: Vec<String>,
}

/// What is done with what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProxyMode {
    /// Nothing
    Pass,
    /// It is kept, and written as a tape at the end
    Record,
    /// The tape answers, and nobody else; what is not on it is refused with 400
    Replay,
    /// The tape answers; what is not on it is asked of the server, and kept
    Fill,
    /// It meets faults
    Fault,
}
