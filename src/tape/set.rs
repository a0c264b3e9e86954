//! The tape of one cell as it is read: a folder, or one packed file, with a manifest and a file for each exchange: [`Tape`].
//!
//! A tape is whole or it is refused: what the manifest names is there and unchanged. What people edited counts as changed until
//! it is accepted.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::archive::{self, BLOBS};
use super::draft::{self, packed_name, take_back};
use super::entry::{EntryError, Recorded};
use super::key::{self, Key, differences};
use super::manifest::{FORMAT, MANIFEST, Manifest, ManifestError};

/// How many recordings are compared with a request that is not on the tape.
const NEAR: usize = 32;
/// Differences that are shown of a request that nobody recorded.
const SHOWN: usize = 6;

/// Why a tape cannot be used, or written.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// There is none.
    #[error("there is no tape in `{0}`; record one with `--mode record`")]
    Absent(String),
    /// It is of another fireassay.
    #[error("the tape in `{folder}` has the format {found}, and this fireassay reads {FORMAT}; use a newer fireassay")]
    Newer {
        /// Its folder.
        folder: String,
        /// Its format.
        found: u32,
    },
    /// A file was changed, or cut.
    #[error("`{file}`: {what}; record the tape again, take the file back as it was, or use it as it is with `--accept-edits`")]
    Edited {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// It is a part of the program.
    #[error("the tape `{0}` is a part of fireassay and stays as it is; record one of your own with `--mode record`")]
    Fixed(String),
    /// A file is missing, or is none.
    #[error("`{file}`: {what}; record the tape again, or take the file back as it was")]
    Broken {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// The disk refuses.
    #[error("cannot {doing} `{path}`: {error}")]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl TapeError {
    fn broken(file: &Path, what: impl Into<String>) -> Self {
        Self::Broken { file: file.display().to_string(), what: what.into() }
    }

    /// The disk refused this.
    pub fn disk(doing: &'static str, path: &Path, error: std::io::Error) -> Self {
        Self::Disk { doing, path: path.display().to_string(), error }
    }
}

/// A request that is not on the tape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0)]
pub struct Miss(String);

/// Where a tape lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TapePlace {
    /// A folder.
    Folder(PathBuf),
    /// A packed file.
    Packed(PathBuf),
    /// A packed file within the program.
    BuiltIn(PathBuf),
}

impl std::fmt::Display for TapePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) | Self::Packed(path) => write!(f, "{}", path.display()),
            Self::BuiltIn(path) => write!(f, "built-in {}", path.display()),
        }
    }
}

/// What becomes of a file that was changed since it was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Edits {
    /// The tape is refused.
    #[default]
    Refused,
    /// It is taken as it is, and the tape says that it was edited.
    Accepted,
}

/// A tape that is read. Replies of one key are given in the order in which they were recorded; the last one again and again.
#[derive(Debug)]
pub struct Tape {
    place: TapePlace,
    manifest: Manifest,
    /// Edited files that the manifest on the disk does not know.
    fresh: BTreeSet<String>,
    exchanges: Vec<(String, Arc<Recorded>)>,
    by_key: HashMap<String, Vec<usize>>,
    given: Mutex<HashMap<String, usize>>,
}

impl Tape {
    /// Reads a tape: a folder, or where there is none, a packed one beside where it would be (`FOLDER.tar.gz`). **Errors**: it
    /// is not there or there twice, not whole, changed, or of a newer format.
    pub fn load(folder: &Path) -> Result<Self, TapeError> {
        Self::load_with(folder, Edits::Refused)
    }

    /// The same, with a word about what was changed by hand. **Errors**: as for [`Tape::load`].
    pub fn load_with(folder: &Path, edits: Edits) -> Result<Self, TapeError> {
        take_back(folder)?;
        let packed = packed_name(folder);
        match (folder.exists(), packed.exists()) {
            (true, true) => {
                Err(TapeError::broken(&packed, format!("`{}` is a tape of the same cell: remove one", folder.display())))
            }
            (false, true) => Self::load_packed(&packed, edits),
            _ => Self::read(TapePlace::Folder(folder.to_owned()), folder, edits, |name| {
                let path = folder.join(name);
                match std::fs::read(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    read => read.map(Some).map_err(|error| TapeError::disk("read", &path, error)),
                }
            }),
        }
    }

    /// Reads a packed tape of the disk. **Errors**: as for [`Tape::unpack`], and the disk refuses.
    pub fn load_packed(path: &Path, edits: Edits) -> Result<Self, TapeError> {
        let bytes = std::fs::read(path).map_err(|error| TapeError::disk("read", path, error))?;
        Self::unpacked(TapePlace::Packed(path.to_owned()), path, &bytes, edits)
    }

    /// Reads a packed tape of the program; `path` is where it would lie. **Errors**: as for [`Tape::load`], and what no tape holds.
    pub fn unpack(path: &Path, bytes: &[u8]) -> Result<Self, TapeError> {
        Self::unpacked(TapePlace::BuiltIn(path.to_owned()), path, bytes, Edits::Refused)
    }

    fn unpacked(place: TapePlace, path: &Path, bytes: &[u8], edits: Edits) -> Result<Self, TapeError> {
        let mut files = archive::unpack(bytes).map_err(|why| TapeError::broken(path, why))?;
        Self::read(place, path, edits, |file| Ok(files.remove(file)))
    }

    /// All its files as one. **Errors**: the format refuses.
    pub fn pack(&self) -> Result<Vec<u8>, TapeError> {
        self.pack_those(|_| true)
    }

    fn pack_those(&self, stays: impl Fn(&str) -> bool) -> Result<Vec<u8>, TapeError> {
        let mut files = archive::Files::new();
        let mut manifest = self.manifest.clone();
        manifest.exchanges.clear();
        manifest.edited.retain(|name| stays(name));
        for (name, recorded) in self.exchanges.iter().filter(|(name, _)| stays(name)) {
            let file = recorded.render();
            manifest.exchanges.insert(name.clone(), format!("{:x}", Sha256::digest(&file)));
            files.insert(name.clone(), file);
            files.extend(recorded.blobs.iter().map(|(hash, text)| (format!("{BLOBS}/{hash}"), text.to_vec())));
        }
        files.insert(MANIFEST.to_owned(), manifest.render());
        archive::pack(&files).map_err(|error| TapeError::disk("pack", Path::new(&self.manifest.cell), error))
    }

    /// Writes it anew in its place without these files. **Errors**: it is built in, or the disk refuses; it is then as it was.
    pub fn prune(&self, files: &BTreeSet<String>) -> Result<(), TapeError> {
        let stays = |name: &str| !files.contains(name);
        match &self.place {
            TapePlace::Folder(folder) => {
                let kept = self.exchanges.iter().filter(|(name, _)| stays(name));
                let kept = kept.map(|(name, recorded)| (Recorded::clone(recorded), self.manifest.edited.contains(name)));
                draft::write(folder, self.manifest.clone(), kept).map(drop)
            }
            TapePlace::Packed(path) => draft::replace(path, &self.pack_those(stays)?),
            TapePlace::BuiltIn(_) => Err(self.fixed()),
        }
    }

    /// Writes down which files were edited, where [`Edits::Accepted`] found some that nobody had accepted. **Errors**: as for
    /// [`Tape::prune`].
    pub fn accept_edits(&self) -> Result<(), TapeError> {
        match &self.place {
            _ if self.fresh.is_empty() => Ok(()),
            TapePlace::Folder(folder) => draft::write_manifest(folder, &self.manifest),
            TapePlace::Packed(path) => draft::replace(path, &self.pack()?),
            TapePlace::BuiltIn(_) => Err(self.fixed()),
        }
    }

    fn fixed(&self) -> TapeError {
        TapeError::Fixed(self.place.to_string())
    }

    fn read(
        place: TapePlace,
        folder: &Path,
        edits: Edits,
        mut file: impl FnMut(&str) -> Result<Option<Vec<u8>>, TapeError>,
    ) -> Result<Self, TapeError> {
        let path = folder.join(MANIFEST);
        let Some(text) = file(MANIFEST)? else { return Err(TapeError::Absent(folder.display().to_string())) };
        let mut manifest = Manifest::parse(&text).map_err(|error| match error {
            ManifestError::Newer(found) => TapeError::Newer { folder: folder.display().to_string(), found },
            ManifestError::Form(_) => TapeError::broken(&path, error.to_string()),
        })?;
        let (mut exchanges, mut fresh) = (Vec::new(), BTreeSet::new());
        for (name, sha256) in &mut manifest.exchanges {
            let edits = if manifest.edited.contains(name) { Edits::Accepted } else { edits };
            let (recorded, found) = read_entry(folder, name, sha256, edits, &mut file)?;
            if *sha256 != found {
                *sha256 = found;
                fresh.insert(name.clone());
            }
            exchanges.push((name.clone(), Arc::new(recorded)));
        }
        manifest.edited.extend(fresh.iter().cloned());
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, (_, recorded)) in exchanges.iter().enumerate() {
            by_key.entry(recorded.head.key.clone()).or_default().push(number);
        }
        Ok(Self { place, manifest, fresh, exchanges, by_key, given: Mutex::default() })
    }

    /// Where it lies.
    pub fn place(&self) -> &TapePlace {
        &self.place
    }

    /// Edited files that nobody has accepted yet but the caller.
    pub fn fresh_edits(&self) -> &BTreeSet<String> {
        &self.fresh
    }

    /// What it is of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// All exchanges with the names of their files.
    pub fn exchanges(&self) -> impl Iterator<Item = (&str, &Recorded)> {
        self.exchanges.iter().map(|(name, recorded)| (name.as_str(), &**recorded))
    }

    /// The next reply to a request. **Errors**: nobody recorded it; the nearest one, and how it differs.
    pub fn take(&self, key: &Key) -> Result<Arc<Recorded>, Miss> {
        let Some(numbers) = self.by_key.get(&key.hash) else { return Err(self.miss(key)) };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let next = given.entry(key.hash.clone()).or_default();
        let number = numbers[(*next).min(numbers.len() - 1)];
        *next += 1;
        Ok(Arc::clone(&self.exchanges[number].1))
    }

    /// Files of exchanges that nobody asked for so far.
    pub fn unused(&self) -> Vec<&str> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let used = |key: &str, place: usize| given.get(key).is_some_and(|given| *given > place);
        let unused = self.by_key.iter().flat_map(|(key, numbers)| {
            numbers.iter().enumerate().filter(move |(place, _)| !used(key, *place)).map(|(_, number)| *number)
        });
        let mut unused: Vec<&str> = unused.map(|number| self.exchanges[number].0.as_str()).collect();
        unused.sort_unstable();
        unused
    }

    fn miss(&self, key: &Key) -> Miss {
        let wanted = &key.canonical;
        let said = |name: &str| wanted[name].as_str().unwrap_or_default();
        let what =
            format!("`{} {}`, asked in this way, is not on the tape of {}", said("method"), said("path"), self.manifest.cell);
        // Long ones take their time to be read: only those of about the same length are looked at.
        let length = wanted.to_string().len();
        let same_path =
            |recorded: &Recorded| recorded.head.method == said("method") && key::path(&recorded.head.path) == said("path");
        let mut near: Vec<&(String, Arc<Recorded>)> = self.exchanges.iter().filter(|(_, recorded)| same_path(recorded)).collect();
        near.sort_by_cached_key(|(_, recorded)| recorded.asked_bytes().abs_diff(length));
        let differing = near.into_iter().take(NEAR).map(|(name, recorded)| {
            let found = recorded.canonical(&self.manifest.volatile);
            (differences(&found, wanted, usize::MAX).len(), name, found)
        });
        let next = "record it with `--mode fill`";
        match differing.min_by_key(|(count, name, _)| (*count, *name)) {
            None => Miss(format!("{what}, and nothing else was asked of that path; {next}")),
            Some((_, name, found)) => {
                let lines = differences(&found, wanted, SHOWN).join("\n  ");
                Miss(format!("{what}; the nearest is `{name}`, which differs:\n  {lines}\n{next}"))
            }
        }
    }
}

/// Reads an exchange, and says what the hash of its file is.
fn read_entry(
    folder: &Path,
    name: &str,
    sha256: &str,
    edits: Edits,
    read: &mut impl FnMut(&str) -> Result<Option<Vec<u8>>, TapeError>,
) -> Result<(Recorded, String), TapeError> {
    let path = folder.join(name);
    // A name that leads out of the folder is nobody's.
    if !archive::is_name(name) {
        return Err(TapeError::broken(&folder.join(MANIFEST), format!("`{name}` is no name of a file of this tape")));
    }
    let Some(file) = read(name)? else {
        return Err(TapeError::broken(&path, "the manifest names it, and it is not there"));
    };
    let found = format!("{:x}", Sha256::digest(&file));
    if found != sha256 && edits == Edits::Refused {
        let what = match Recorded::parse(&file) {
            Err(error @ EntryError::Body { .. }) => error.to_string(),
            _ => "it was changed since it was recorded".to_owned(),
        };
        return Err(TapeError::Edited { file: path.display().to_string(), what });
    }
    let parsed = if edits == Edits::Accepted { Recorded::parse_edited(&file) } else { Recorded::parse(&file) };
    let mut recorded = parsed.map_err(|error| TapeError::broken(&path, error.to_string()))?;
    for hash in recorded.wanted() {
        let name = format!("{BLOBS}/{hash}");
        let blob = read(&name)?.filter(|blob| format!("{:x}", Sha256::digest(blob)) == hash);
        let why = || format!("the long text `{name}` is not there, or is another one");
        let blob = blob.ok_or_else(|| TapeError::broken(&path, why()))?;
        recorded.blobs.insert(hash, blob.into());
    }
    Ok((recorded, found))
}

#[cfg(test)]
mod tests;
