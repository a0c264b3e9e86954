//! Disk: what is free where a folder is or will be.

use std::path::Path;

/// Bytes that are free where a folder is or will be; `None` if nobody tells.
#[allow(clippy::useless_conversion)] // on macOS the count is a `u32`
pub fn free_disk(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = nix::sys::statvfs::statvfs(there).ok()?;
    Some(u64::from(disk.blocks_available()) * disk.fragment_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_disk_of_its_parent() {
        assert!(free_disk(Path::new("/nonexistent/cache")).is_some_and(|free| free > 0));
    }
}
