//! A folder that lives as long as its stack, and the key that is made for a run.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::StackError;
use super::cache::hex;
use super::guardian::{Guardian, SCRATCH_PREFIX};

/// A scratch folder, removed when dropped; the guardian removes it if we are killed.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn create(guardian: &Guardian) -> Result<Self, StackError> {
        let path = std::env::temp_dir().join(format!("{SCRATCH_PREFIX}{}", random_hex()?));
        guardian.scratch(&path)?;
        std::fs::create_dir_all(&path)
            .map_err(|error| StackError::start(format!("cannot make the scratch folder {}: {error}", path.display())))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The guardian tries again; a folder in the temporary folder harms nobody.
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A key for this run alone.
pub(super) fn run_key() -> Result<String, StackError> {
    Ok(format!("sk-fireassay-{}", random_hex()?))
}

pub(super) fn random_hex() -> Result<String, StackError> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| StackError::start(format!("cannot read /dev/urandom: {error}")))?;
    Ok(hex(&bytes))
}
