//! How does a report reach the disk whole or not at all? Written beside its target, synced, renamed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// A report could not be written. **Errors**: names the file and what the system said.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Writing, syncing, renaming or removing failed.
    #[error("cannot write the report {path}: {source}; choose another file or free the folder")]
    Write {
        /// The report.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `--report KIND=FILE` names no kind.
    #[error("there is no report of kind `{kind}`; the kinds are {kinds}")]
    UnknownKind {
        /// As written.
        kind: String,
        /// All kinds.
        kinds: String,
    },
}

impl ReportError {
    /// Wraps a failure at a path.
    pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}

/// A written, synced file that does not yet bear its name.
#[derive(Debug)]
pub(super) struct Staged {
    path: PathBuf,
    temp: PathBuf,
    named: bool,
}

impl Staged {
    /// Has a hidden neighbour of `path` filled; folders on the way are made.
    pub(super) fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<Self, ReportError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = folder_of(path);
        std::fs::create_dir_all(folder).map_err(ReportError::at(path))?;
        let temp = folder.join(format!(".{name}.{}.tmp", std::process::id()));
        let staged = Self { path: path.to_owned(), temp, named: false };
        let write = || {
            let mut out = BufWriter::new(File::create(&staged.temp)?);
            fill(&mut out)?;
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
        };
        write().map_err(ReportError::at(path))?;
        Ok(staged)
    }

    /// Gives the file its name, replacing what bore it, and syncs the folder.
    pub(super) fn name(mut self) -> Result<PathBuf, ReportError> {
        std::fs::rename(&self.temp, &self.path).map_err(ReportError::at(&self.path))?;
        self.named = true;
        #[cfg(unix)]
        File::open(folder_of(&self.path)).and_then(|folder| folder.sync_all()).map_err(ReportError::at(&self.path))?;
        Ok(self.path.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.named {
            // What cannot be removed stays as a hidden file beside the report; the failure that brought us here is the one told.
            drop(std::fs::remove_file(&self.temp));
        }
    }
}

/// Writes one file whole or not at all.
pub(super) fn write_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<PathBuf, ReportError> {
    Staged::write(path, fill)?.name()
}

/// Writes a text whole or not at all; folders on the way are made.
pub fn write_text(path: &Path, text: &str) -> Result<(), ReportError> {
    write_file(path, |out| out.write_all(text.as_bytes())).map(drop)
}

/// Removes a file; that there is none is fine.
pub(super) fn remove_file(path: &Path) -> Result<bool, ReportError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ReportError::at(path)(error)),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
