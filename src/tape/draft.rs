//! A tape is written: [`write`], [`repack`]. The new one is made beside the old one and takes its place at the end, so that an
//! interrupted recording leaves the old one whole; [`take_back`] puts back what was moved aside for one that never came.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::BLOBS;
use super::entry::Recorded;
use super::manifest::{FORMAT, MANIFEST, Manifest};
use super::set::TapeError;

/// An exchange that goes onto a tape, and whether people have edited it.
pub(super) type Kept = (Recorded, bool);

/// What was written.
#[derive(Debug)]
pub(super) struct Draft {
    /// As it is on the disk now.
    pub manifest: Manifest,
    /// The packed tape whose place it took.
    pub replaced: Option<PathBuf>,
}

/// Writes exchanges as the tape in place of the one that was there, as a folder or packed. **Errors**: the disk refuses; the old
/// tape is then as it was.
pub(super) fn write(
    folder: &Path,
    mut manifest: Manifest,
    exchanges: impl IntoIterator<Item = Kept>,
) -> Result<Draft, TapeError> {
    let draft = beside(folder, "part");
    // What an earlier recording left when it was interrupted.
    remove(&draft)?;
    std::fs::create_dir_all(&draft).map_err(disk("make", &draft))?;
    manifest.format = FORMAT;
    manifest.exchanges.clear();
    manifest.edited.clear();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for (recorded, edited) in exchanges {
        // By their stems: two keys may begin alike.
        let stem = stem_of(&recorded);
        let number = numbers.entry(stem.clone()).or_default();
        *number += 1;
        let (name, file) = (format!("{stem}-{number:03}.http"), recorded.render());
        let path = draft.join(&name);
        std::fs::write(&path, &file).map_err(disk("write", &path))?;
        if edited {
            manifest.edited.insert(name.clone());
        }
        manifest.exchanges.insert(name, format!("{:x}", Sha256::digest(&file)));
        for (hash, text) in &recorded.blobs {
            let blobs = draft.join(BLOBS);
            std::fs::create_dir_all(&blobs).map_err(disk("make", &blobs))?;
            let path = blobs.join(hash);
            std::fs::write(&path, text).map_err(disk("write", &path))?;
        }
    }
    let path = draft.join(MANIFEST);
    std::fs::write(&path, manifest.render()).map_err(disk("write", &path))?;
    let packed = packed_name(folder);
    let replaced = packed.exists().then(|| packed.clone());
    let aside = [(folder, beside(folder, "old")), (&packed, beside(&packed, "old"))];
    for (path, old) in &aside {
        remove(old)?;
        if path.exists() {
            std::fs::rename(path, old).map_err(disk("move", path))?;
        }
    }
    std::fs::rename(&draft, folder).map_err(disk("move", &draft))?;
    for (_, old) in &aside {
        remove(old)?;
    }
    Ok(Draft { manifest, replaced })
}

/// Writes a manifest anew in its folder. **Errors**: the disk refuses; the old one is then as it was.
pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), TapeError> {
    replace(&folder.join(MANIFEST), &manifest.render())
}

/// Writes a file in place of the one that was there. **Errors**: the disk refuses; the old one is then as it was.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), TapeError> {
    let draft = beside(path, "part");
    std::fs::write(&draft, bytes).map_err(disk("write", &draft))?;
    std::fs::rename(&draft, path).map_err(disk("move", &draft))
}

/// Where the packed form of a tape lies: `tapes/base/llamacpp.tar.gz`.
pub(super) fn packed_name(folder: &Path) -> PathBuf {
    folder.with_file_name(format!("{}.tar.gz", name_of(folder)))
}

/// A tape that was moved aside for a new one that never came is put back.
pub(super) fn take_back(folder: &Path) -> Result<(), TapeError> {
    let packed = packed_name(folder);
    if folder.exists() || packed.exists() {
        return Ok(());
    }
    for path in [folder, &packed] {
        let old = beside(path, "old");
        if old.exists() {
            std::fs::rename(&old, path).map_err(disk("move", &old))?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), TapeError> {
    let removed = match path {
        path if path.is_dir() => std::fs::remove_dir_all(path),
        path if path.exists() => std::fs::remove_file(path),
        _ => Ok(()),
    };
    removed.map_err(disk("remove", path))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    path.with_file_name(format!(".{}.{what}", name_of(path)))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn disk(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> TapeError {
    let path = path.to_owned();
    move |error| TapeError::disk(doing, &path, error)
}

/// `chat-completions-1f2e3d4c`: what was asked, so that another recording changes the same file.
fn stem_of(recorded: &Recorded) -> String {
    let path = recorded.head.path.split('?').next().unwrap_or_default();
    let path = path.trim_start_matches("/v1").trim_matches('/');
    let slug: String = path.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(40).collect();
    let slug = if slug.is_empty() { "root" } else { slug.trim_start_matches('.') };
    format!("{slug}-{}", &recorded.head.key[..8])
}
