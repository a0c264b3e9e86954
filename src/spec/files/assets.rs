//! Assets as real files, so that a command can open them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Project, builtin};
use crate::source::{Diagnostic, did_you_mean};

impl Project {
    /// The bytes of a built-in file that is no text (`tapes/base/llamacpp.tar.gz`).
    pub fn builtin_bytes(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        builtin::get(path)
    }

    /// The real path of an asset (`gguf_f16.py`): on disk under `assets/`, else the built-in one, put under the cache first.
    ///
    /// Built-in assets are put there together, in one folder named after their content, so that one finds its neighbours.
    /// **Errors**: `file/not-found`, `file/unwritable`; without a place.
    pub fn asset_path(&self, name: &str, cache_dir: &Path) -> Result<PathBuf, Diagnostic> {
        let name = super::plain(name, false);
        let on_disk = self.root.join("assets").join(&name);
        if !name.starts_with("..") && on_disk.exists() {
            return Ok(on_disk);
        }
        let inside = format!("assets/{name}");
        if !builtin::paths().any(|path| path == inside || path.starts_with(&format!("{inside}/"))) {
            let known = builtin::paths().filter_map(|path| path.strip_prefix("assets/"));
            let text = format!("there is no asset `{name}`");
            return Err(Diagnostic::error("file/not-found", None, text).help(did_you_mean(&name, known)));
        }
        Ok(self.builtin_assets(cache_dir)?.join(name))
    }

    /// The bytes of all assets by their path below `assets/`: the built-in ones, each giving way to a file on disk.
    ///
    /// What Python leaves beside its sources is not among them. **Errors**: `file/unreadable`; without a place.
    pub fn assets(&self) -> Result<BTreeMap<String, Vec<u8>>, Diagnostic> {
        let built_in = builtin::paths().filter_map(|path| Some((path.strip_prefix("assets/")?.to_owned(), builtin::get(path)?)));
        let mut all: BTreeMap<_, _> = built_in.map(|(path, bytes)| (path, bytes.into_owned())).collect();
        let root = self.root.join("assets");
        let unreadable = |error: &dyn std::fmt::Display| {
            let text = format!("the assets in `{}` cannot be read: {error}", root.display());
            Diagnostic::error("file/unreadable", None, text)
        };
        for entry in walkdir::WalkDir::new(&root).follow_links(true).into_iter().filter(|_| root.is_dir()) {
            let entry = entry.map_err(|error| unreadable(&error))?;
            if entry.file_type().is_file() {
                let path = entry.path().strip_prefix(&root).expect("the walk began there").to_string_lossy().into_owned();
                all.insert(path, std::fs::read(entry.path()).map_err(|error| unreadable(&error))?);
            }
        }
        all.retain(|path, _| !path.contains("__pycache__/"));
        Ok(all)
    }

    /// The folder that holds all built-in assets as real files.
    pub fn builtin_assets(&self, cache_dir: &Path) -> Result<PathBuf, Diagnostic> {
        let files: Vec<_> =
            builtin::paths().filter_map(|path| Some((path.strip_prefix("assets/")?, builtin::get(path)?))).collect();
        let mut hash = Sha256::new();
        for (name, bytes) in &files {
            for part in [name.as_bytes(), bytes] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        let mut name = String::new();
        for byte in hash.finalize().iter().take(12) {
            write!(name, "{byte:02x}").expect("a string takes it");
        }
        let folder = cache_dir.join("assets").join(name);
        if folder.is_dir() {
            return Ok(folder);
        }
        materialise(&files, &folder).map_err(|error| {
            let text = format!("the built-in assets cannot be put into `{}`: {error}", folder.display());
            Diagnostic::error("file/unwritable", None, text)
        })?;
        Ok(folder)
    }
}

/// Writes into a folder of our own, then moves it into place: a folder that is there is whole.
fn materialise(files: &[(&str, Cow<'static, [u8]>)], folder: &Path) -> std::io::Result<()> {
    let draft = folder.with_extension(format!("{}.part", std::process::id()));
    std::fs::create_dir_all(&draft)?;
    for (name, bytes) in files {
        let path = draft.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(&draft))?;
        std::fs::write(path, bytes)?;
    }
    match std::fs::rename(&draft, folder) {
        // Another process was quicker: its folder has the same content.
        Err(_) if folder.is_dir() => std::fs::remove_dir_all(&draft),
        moved => moved,
    }
}
