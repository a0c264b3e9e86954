//! What is this machine? System, chip, memory, accelerators, commands and their versions, disk, sleep.
//!
//! Each fact is asked of the system's own tools and may be unknown; nothing here judges whether it is enough.

mod accelerators;
mod command;
mod disk;
mod facts;
mod lfs;
mod memory;
mod sleep;

pub use accelerators::accelerators;
pub use command::{on_path, version_of};
pub use disk::free_disk;
pub use facts::facts;
pub use lfs::{is_pointer, pointers_in};
pub use memory::{free_memory, total_memory};
pub use sleep::{Sleep, sleep};
