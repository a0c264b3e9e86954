//! Memory: the machine's, or the container's where that is less.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

fn system() -> Option<System> {
    let wanted = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    System::new_with_specifics(wanted).ok()
}

/// Bytes that are free for a new process; `None` if nobody tells.
pub fn free_memory() -> Option<u64> {
    let system = system()?;
    let machine = system.available_memory();
    Some(system.cgroup_limits().map_or(machine, |limits| machine.min(limits.free_memory)))
}

/// Bytes that there are; `None` if nobody tells.
pub fn total_memory() -> Option<u64> {
    let system = system()?;
    let machine = system.total_memory();
    Some(system.cgroup_limits().map_or(machine, |limits| machine.min(limits.total_memory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_memory_and_some_of_it_is_free() {
        let (free, total) = (free_memory().expect("free memory"), total_memory().expect("memory"));
        assert!(free > 0 && free <= total, "{free} of {total}");
    }
}
