//! Process life of a stack: provision, start, ready, identity, stop; nothing is left behind.
//!
//! [`Stack::up`] returns only when the server has really generated; [`Stack::down`] returns only when the port is closed and
//! the process group is gone. We never kill what we did not start.

mod cache;
pub mod client;
mod doctor;
mod error;
mod fill;
pub mod guardian;
mod handle;
mod identity;
pub mod kept;
mod logs;
mod needs;
mod order;
mod orders;
mod os;
mod probe;
mod process;
mod provision;
mod scratch;
mod serve;
mod servers;
mod service;
#[cfg(test)]
mod tests;
mod usage;
mod weights;

pub use cache::{cache_dir, cached_file, prune_cache};
pub use doctor::{Diagnosis, Health, examine_machine, examine_setup};
pub use error::StackError;
pub use handle::{Address, LogMark, Progress, Served, Stack, StackOptions};
pub use needs::unmet;
pub use order::asked;
pub use orders::{Asked, Door, Order};
pub use provision::{Provisioned, is_provisioned, licences, provision};
pub use serve::Wanted;
pub use servers::{FoundServer, USUAL_PORTS, running_servers};
pub use service::Gone;
pub use usage::{Sample, Sampler};

/// The life of a process that we start of our own binary: its hidden first argument says which. Call it first thing in `main`;
/// returns the exit code, or nothing where the argument is none of these.
pub fn hidden_main(argument: &std::ffi::OsStr) -> Option<i32> {
    if argument == guardian::ARGUMENT {
        Some(guardian::main())
    } else if argument == kept::keeper::ARGUMENT {
        Some(kept::keeper::main())
    } else {
        None
    }
}
