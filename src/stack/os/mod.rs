//! What does the operating system say of ports, processes and their groups? `/proc` on Linux, `lsof` and `ps` elsewhere.

mod groups;
mod ports;
mod processes;

pub(super) use groups::{kill, kill_one, living, send};
pub(super) use ports::{Listening, free_port, listening};
pub(super) use processes::{MARK, boot, command_of, marked, peak_memory, started};
