//! The provisioning cache: content-addressed items, each complete or redone.
//!
//! An item lives in `KIND/KEY/` where the key is a hash of everything that its content depends on. It counts only with its
//! `complete` marker, which is written last; what lacks one was interrupted, and is made anew.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Progress, StackError};
use crate::event::StackPhase;

/// The cache folder: `FIREASSAY_CACHE`, else `XDG_CACHE_HOME/fireassay`, else the platform's in the home folder.
pub fn cache_dir() -> PathBuf {
    cache_dir_in(&|name| std::env::var(name).ok())
}

/// The cache folder in an environment.
pub(super) fn cache_dir_in(lookup: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    cache_dir_from(lookup, cfg!(target_os = "macos"))
}

fn cache_dir_from(lookup: &dyn Fn(&str) -> Option<String>, macos: bool) -> PathBuf {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").unwrap_or_else(std::env::temp_dir);
    let platform = || home().join(if macos { "Library/Caches" } else { ".cache" });
    set("FIREASSAY_CACHE").unwrap_or_else(|| set("XDG_CACHE_HOME").unwrap_or_else(platform).join("fireassay"))
}

/// What we put into a cache folder.
const OURS: [&str; 9] = ["assets", "project", "python", "file", "debian", "made", "files", "uv", "lock"];

/// Removes what provisioning put into a cache folder, and nothing else that may lie there.
pub fn prune_cache(cache: &Path) -> Result<(), StackError> {
    for name in OURS {
        let path = cache.join(name);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(disk("remove", &path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// A file out of a package that lies in a cache, by its SHA-256 in hexadecimal.
pub fn cached_file(cache: &Path, sha256: &str) -> Option<PathBuf> {
    let item = Item::new(cache, "file", &key(&[sha256.as_bytes()]));
    let content = item.folder().join("content");
    (item.is_complete() && content.is_file()).then_some(content)
}

/// Hash of parts, as 20 hexadecimal digits. Lengths are hashed too, so that parts cannot run into each other.
pub(super) fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())[..20].to_owned()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// One item of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    folder: PathBuf,
}

impl Item {
    /// The item `kind/key` of a cache.
    pub(super) fn new(cache: &Path, kind: &str, key: &str) -> Self {
        Self { folder: cache.join(kind).join(key) }
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether it was finished.
    pub(super) fn is_complete(&self) -> bool {
        self.marker().is_file()
    }

    /// Removes what an interrupted attempt left, and makes the empty folder.
    pub(super) fn begin(&self) -> Result<(), StackError> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder).map_err(|error| disk("remove", &self.folder, &error))?;
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| disk("make", &self.folder, &error))
    }

    /// Marks it as finished; `what` is for people who look into the cache.
    pub(super) fn finish(&self, what: &str) -> Result<(), StackError> {
        write_whole(&self.marker(), format!("{what}\n").as_bytes())
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("complete")
    }
}

/// Writes a file so that it is there whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StackError> {
    let part = path.with_added_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    };
    write().map_err(|error| disk("write", path, &error))
}

/// A failed file operation in words, with the way out of a full disk.
pub(super) fn disk(verb: &str, path: &Path, error: &std::io::Error) -> StackError {
    let next = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
            "; make room, or let FIREASSAY_CACHE name a folder on a bigger disk"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "; let FIREASSAY_CACHE name a folder that can be written"
        }
        _ => "",
    };
    StackError::provision(format!("cannot {verb} {}: {error}{next}", path.display()))
}

/// Held while something is provisioned; another process waits.
#[derive(Debug)]
pub(super) struct CacheLock {
    _file: File,
}

impl CacheLock {
    /// Waits until no other process provisions, and says so when it has to wait. The lock dies with its process.
    pub(super) async fn take(cache: &Path, progress: &Progress) -> Result<Self, StackError> {
        std::fs::create_dir_all(cache).map_err(|error| disk("make", cache, &error))?;
        let path = cache.join("lock");
        let file = File::create(&path).map_err(|error| disk("write", &path, &error))?;
        let mut said = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if !said => {
                    said = true;
                    progress(
                        StackPhase::Provision,
                        &format!("another process provisions into {}; waiting for it", cache.display()),
                    );
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(TryLockError::Error(error)) => return Err(disk("lock", &path, &error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(env: &[(&str, &str)], macos: bool, expect: &str) {
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(cache_dir_from(&lookup, macos), PathBuf::from(expect));
    }

    #[test]
    fn the_cache_folder_follows_the_environment() {
        check(&[("FIREASSAY_CACHE", "/c"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], false, "/c");
        check(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], false, "/x/fireassay");
        check(&[("FIREASSAY_CACHE", ""), ("HOME", "/h")], false, "/h/.cache/fireassay");
        check(&[("HOME", "/h")], true, "/h/Library/Caches/fireassay");
    }

    #[test]
    fn keys_depend_on_every_part_and_its_borders() {
        assert_eq!(key(&[b"a", b"b"]), key(&[b"a", b"b"]));
        assert_ne!(key(&[b"ab", b""]), key(&[b"a", b"b"]));
        assert_eq!(key(&[]).len(), 20);
    }

    #[test]
    fn an_interrupted_item_is_made_anew() {
        let cache = tempfile::tempdir().unwrap();
        let item = Item::new(cache.path(), "made", "k");
        item.begin().unwrap();
        std::fs::write(item.folder().join("half"), "x").unwrap();
        assert!(!item.is_complete());
        item.begin().unwrap();
        assert!(!item.folder().join("half").exists());
        item.finish("whole").unwrap();
        assert!(item.is_complete());
    }

    #[test]
    fn pruning_takes_only_what_is_ours() {
        let cache = tempfile::tempdir().unwrap();
        Item::new(cache.path(), "made", "k").begin().unwrap();
        std::fs::write(cache.path().join("lock"), "").unwrap();
        std::fs::write(cache.path().join("thesis.tex"), "").unwrap();
        prune_cache(cache.path()).unwrap();
        let left: Vec<_> = std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["thesis.tex"]);
        prune_cache(cache.path()).unwrap();
    }

    #[test]
    fn a_full_disk_is_said_with_the_way_out() {
        let error = disk("write", Path::new("/c/x"), &std::io::ErrorKind::StorageFull.into());
        assert!(error.message.ends_with("let FIREASSAY_CACHE name a folder on a bigger disk"), "{error}");
    }
}
