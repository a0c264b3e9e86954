//! What does the operating system say of ports and process groups? `/proc` on Linux, `lsof` and `ps` elsewhere.

mod groups;
mod ports;

pub(super) use groups::{kill, living, send};
pub(super) use ports::{Listening, free_port, listening};
