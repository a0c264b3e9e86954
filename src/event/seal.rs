//! `seal.json`: the last file of a run; without it a record is a crash's remains.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::RunTotals;

/// What the seal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Record format.
    pub schema: u32,
    /// Run id.
    pub run_id: String,
    /// Counts.
    pub totals: RunTotals,
    /// Exit code.
    pub exit: u8,
    /// End, UTC, RFC 3339.
    pub ended: String,
    /// SHA-256 by file name, hex.
    pub sha256: Vec<(String, String)>,
}

/// Hashes the named files of a run folder and writes `seal.json` beside them.
pub fn write_seal(folder: &Path, mut seal: Seal, files: &[&str]) -> std::io::Result<()> {
    for name in files {
        let mut hash = Sha256::new();
        std::io::copy(&mut std::fs::File::open(folder.join(name))?, &mut hash)?;
        seal.sha256.push(((*name).to_owned(), format!("{:x}", hash.finalize())));
    }
    let text = serde_json::to_string_pretty(&seal).map_err(std::io::Error::from)?;
    std::fs::write(folder.join("seal.json"), text)
}
