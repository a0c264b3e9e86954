//! `fireassay cache list|prune`: what provisioning keeps, and how much of it.

use std::path::Path;

use super::args::{CacheAction, CacheArgs};
use super::exit::Exit;
use super::terminal;
use crate::stack;

pub(super) fn cache(args: &CacheArgs) -> Exit {
    let folder = stack::cache_dir();
    let done = match args.action {
        CacheAction::List => list(&folder).map_err(|error| format!("cannot read the cache {}: {error}", folder.display())),
        CacheAction::Prune => prune(&folder),
    };
    match done {
        Ok(()) => Exit::Accepted,
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            Exit::Environment
        }
    }
}

fn list(folder: &Path) -> std::io::Result<()> {
    terminal::out(&format!("{}\n", folder.display()));
    if !folder.exists() {
        terminal::out("  empty\n");
        return Ok(());
    }
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let bytes: u64 = walkdir::WalkDir::new(entry.path())
            .into_iter()
            .filter_map(Result::ok)
            .filter_map(|file| file.metadata().ok())
            .filter(std::fs::Metadata::is_file)
            .map(|meta| meta.len())
            .sum();
        terminal::out(&format!("  {:>8.1} MB  {}\n", bytes as f64 / 1e6, entry.file_name().to_string_lossy()));
    }
    Ok(())
}

fn prune(folder: &Path) -> Result<(), String> {
    stack::prune_cache(folder).map_err(|error| error.to_string())?;
    terminal::out(&format!("{}: what provisioning put there is gone\n", folder.display()));
    Ok(())
}
