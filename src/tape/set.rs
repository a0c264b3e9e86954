//! The tape of one cell: a folder with a manifest and a file for each exchange. [`Tape`] is read, [`write`] writes.
//!
//! A tape is whole or it is refused: what the manifest names is there and unchanged. A new one is written beside the old one
//! and takes its place at the end, so that an interrupted recording leaves the old one whole.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::archive::{self, BLOBS};
use super::entry::{EntryError, Recorded};
use super::key::{Key, differences};

/// Version of the format; a newer one is refused.
pub const FORMAT: u32 = 1;
const MANIFEST: &str = "tape.json";
/// Differences that are shown of a request that nobody recorded.
const SHOWN: usize = 6;

/// What a tape is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Suite and setup: `base[llamacpp]`.
    pub cell: String,
    /// Server and version as it said.
    pub server: String,
    /// Models by role.
    pub models: BTreeMap<String, String>,
    /// Ids of the models that it had; empty where nobody knew.
    #[serde(default)]
    pub served: Vec<String>,
    /// Whether requests carried a key.
    #[serde(default)]
    pub keyed: bool,
    /// Profile of the setup.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
    /// When it was recorded, RFC 3339 in UTC.
    pub recorded: String,
    /// Version of fireassay that recorded it.
    pub fireassay: String,
    /// Members of bodies that do not count, beside the usual ones.
    #[serde(default)]
    pub volatile: Vec<String>,
    /// SHA-256 by file.
    pub exchanges: BTreeMap<String, String>,
}

impl Manifest {
    /// Of what is recorded now.
    pub fn now(cell: &str, server: &str) -> Self {
        Self {
            cell: cell.to_owned(),
            server: server.to_owned(),
            recorded: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            fireassay: env!("CARGO_PKG_VERSION").to_owned(),
            ..Self::default()
        }
    }

    /// The day on which it was recorded: `2026-11-22`.
    pub fn day(&self) -> &str {
        self.recorded.split('T').next().unwrap_or_default()
    }

    /// How long ago that was; `None` where what is written is no time. **Units**: days.
    pub fn age(&self) -> Option<i64> {
        let recorded = DateTime::parse_from_rfc3339(&self.recorded).ok()?;
        Some((Utc::now() - recorded.to_utc()).num_days())
    }

    fn render(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest can be written as JSON");
        text.push(b'\n');
        text
    }
}

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
    /// A file is missing, cut, changed or none.
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

/// A tape that is read. Replies of one key are given in the order in which they were recorded; the last one again and again.
#[derive(Debug)]
pub struct Tape {
    manifest: Manifest,
    exchanges: Vec<(String, Arc<Recorded>)>,
    by_key: HashMap<String, Vec<usize>>,
    given: Mutex<HashMap<String, usize>>,
}

impl Tape {
    /// Reads a tape: a folder, or where there is none, a packed one beside where it would be (`FOLDER.tar.gz`). **Errors**: it
    /// is not there or there twice, not whole, changed, or of a newer format.
    pub fn load(folder: &Path) -> Result<Self, TapeError> {
        take_back(folder)?;
        let packed = packed_name(folder);
        match (folder.exists(), packed.exists()) {
            (true, true) => {
                Err(TapeError::broken(&packed, format!("`{}` is a tape of the same cell: remove one", folder.display())))
            }
            (false, true) => {
                let bytes = std::fs::read(&packed).map_err(|error| TapeError::disk("read", &packed, error))?;
                Self::unpack(&packed, &bytes)
            }
            _ => Self::read(folder, |name| {
                let path = folder.join(name);
                match std::fs::read(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                    read => read.map(Some).map_err(|error| TapeError::disk("read", &path, error)),
                }
            }),
        }
    }

    /// Reads a packed tape; `name` is told to people. **Errors**: as for [`Tape::load`], and what no tape holds.
    pub fn unpack(name: &Path, bytes: &[u8]) -> Result<Self, TapeError> {
        let mut files = archive::unpack(bytes).map_err(|why| TapeError::broken(name, why))?;
        Self::read(name, |file| Ok(files.remove(file)))
    }

    /// All its files as one. **Errors**: the format refuses.
    pub fn pack(&self) -> Result<Vec<u8>, TapeError> {
        let mut files = archive::Files::new();
        for (name, recorded) in &self.exchanges {
            files.insert(name.clone(), recorded.render());
            files.extend(recorded.blobs.iter().map(|(hash, text)| (format!("{BLOBS}/{hash}"), text.to_vec())));
        }
        files.insert(MANIFEST.to_owned(), self.manifest.render());
        archive::pack(&files).map_err(|error| TapeError::disk("pack", Path::new(&self.manifest.cell), error))
    }

    fn read(folder: &Path, mut file: impl FnMut(&str) -> Result<Option<Vec<u8>>, TapeError>) -> Result<Self, TapeError> {
        let path = folder.join(MANIFEST);
        let Some(text) = file(MANIFEST)? else { return Err(TapeError::Absent(folder.display().to_string())) };
        let broken = |error: serde_json::Error| TapeError::broken(&path, format!("it is no manifest: {error}"));
        let found = serde_json::from_slice::<Version>(&text).map_err(broken)?.format;
        if found > FORMAT {
            return Err(TapeError::Newer { folder: folder.display().to_string(), found });
        }
        let manifest: Manifest = serde_json::from_slice(&text).map_err(broken)?;
        let mut exchanges = Vec::new();
        for (name, sha256) in &manifest.exchanges {
            exchanges.push((name.clone(), Arc::new(read_entry(folder, name, sha256, &mut file)?)));
        }
        let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, (_, recorded)) in exchanges.iter().enumerate() {
            by_key.entry(recorded.head.key.clone()).or_default().push(number);
        }
        Ok(Self { manifest, exchanges, by_key, given: Mutex::default() })
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
        let differing = self.exchanges.iter().filter_map(|(name, recorded)| {
            let found = recorded.canonical(&self.manifest.volatile);
            let same_way = found["method"] == wanted["method"] && found["path"] == wanted["path"];
            same_way.then(|| (differences(&found, wanted, usize::MAX).len(), name, found))
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

/// The only key of a manifest that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn read_entry(
    folder: &Path,
    name: &str,
    sha256: &str,
    read: &mut impl FnMut(&str) -> Result<Option<Vec<u8>>, TapeError>,
) -> Result<Recorded, TapeError> {
    let path = folder.join(name);
    // A name that leads out of the folder is nobody's.
    if !archive::is_name(name) {
        return Err(TapeError::broken(&folder.join(MANIFEST), format!("`{name}` is no name of a file of this tape")));
    }
    let Some(file) = read(name)? else {
        return Err(TapeError::broken(&path, "the manifest names it, and it is not there"));
    };
    if format!("{:x}", Sha256::digest(&file)) != sha256 {
        let why = match Recorded::parse(&file) {
            Err(error @ EntryError::Body { .. }) => error.to_string(),
            _ => "it was changed since it was recorded".to_owned(),
        };
        return Err(TapeError::broken(&path, why));
    }
    let mut recorded = Recorded::parse(&file).map_err(|error| TapeError::broken(&path, error.to_string()))?;
    for hash in recorded.wanted() {
        let name = format!("{BLOBS}/{hash}");
        let blob = read(&name)?.filter(|blob| format!("{:x}", Sha256::digest(blob)) == hash);
        let why = || format!("the long text `{name}` is not there, or is another one");
        let blob = blob.ok_or_else(|| TapeError::broken(&path, why()))?;
        recorded.blobs.insert(hash, blob.into());
    }
    Ok(recorded)
}

/// Writes exchanges as the tape in place of the one that was there. **Errors**: the disk refuses; the old tape is then as it was.
pub(super) fn write(
    folder: &Path,
    mut manifest: Manifest,
    exchanges: impl IntoIterator<Item = Recorded>,
) -> Result<Manifest, TapeError> {
    let draft = beside(folder, "part");
    let disk = |doing, path: &Path| {
        let path = path.to_owned();
        move |error| TapeError::disk(doing, &path, error)
    };
    // What an earlier recording left when it was interrupted.
    if draft.exists() {
        std::fs::remove_dir_all(&draft).map_err(disk("remove", &draft))?;
    }
    std::fs::create_dir_all(&draft).map_err(disk("make", &draft))?;
    manifest.format = FORMAT;
    manifest.exchanges.clear();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for recorded in exchanges {
        let number = numbers.entry(recorded.head.key.clone()).or_default();
        *number += 1;
        let (name, file) = (name_of(&recorded, *number), recorded.render());
        let path = draft.join(&name);
        std::fs::write(&path, &file).map_err(disk("write", &path))?;
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
    let old = beside(folder, "old");
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(disk("remove", &old))?;
    }
    if folder.exists() {
        std::fs::rename(folder, &old).map_err(disk("move", folder))?;
    }
    std::fs::rename(&draft, folder).map_err(disk("move", &draft))?;
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(disk("remove", &old))?;
    }
    Ok(manifest)
}

/// Where the packed form of a tape lies: `tapes/base/llamacpp.tar.gz`.
fn packed_name(folder: &Path) -> PathBuf {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folder.with_file_name(format!("{name}.tar.gz"))
}

/// A tape that was moved aside for a new one that never came is put back.
fn take_back(folder: &Path) -> Result<(), TapeError> {
    let old = beside(folder, "old");
    if folder.exists() || !old.exists() {
        return Ok(());
    }
    std::fs::rename(&old, folder).map_err(|error| TapeError::disk("move", &old, error))
}

fn beside(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    folder.with_file_name(format!(".{name}.{what}"))
}

/// `chat-completions-1f2e3d4c-1.http`: what was asked, so that another recording changes the same file.
fn name_of(recorded: &Recorded, number: u32) -> String {
    let path = recorded.head.path.split('?').next().unwrap_or_default();
    let path = path.trim_start_matches("/v1").trim_matches('/');
    let slug: String = path.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(40).collect();
    let slug = if slug.is_empty() { "root" } else { slug.trim_start_matches('.') };
    format!("{slug}-{}-{number:03}.http", &recorded.head.key[..8])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::ExchangeId;
    use crate::tape::{Keying, Redactor};
    use crate::wire::{Exchange, Request};

    fn asked(question: &str) -> Request {
        Request::post_json("/v1/chat/completions", &json!({"model": "m", "messages": [{"role": "user", "content": question}]}))
    }

    fn recorded(question: &str, reply: &'static str) -> Recorded {
        let begun = Exchange::begun(ExchangeId(1), asked(question), String::new());
        Recorded::of(&Exchange { status: Some(200), body: reply.into(), ..begun }, &Keying::default(), &Redactor::default())
    }

    fn write(folder: &Path, all: Vec<Recorded>) -> Manifest {
        super::write(folder, Manifest { cell: "base[llamacpp]".to_owned(), ..Manifest::default() }, all).unwrap()
    }

    fn reply(tape: &Tape, question: &str) -> Result<String, Miss> {
        let found = tape.take(&Keying::default().key(&asked(question)))?;
        Ok(String::from_utf8_lossy(&found.body).into_owned())
    }

    #[test]
    fn replies_come_in_their_order_and_the_last_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("base/llamacpp");
        write(&folder, vec![recorded("Hi", "1"), recorded("Ho", "other"), recorded("Hi", "2")]);
        let tape = Tape::load(&folder).unwrap();
        assert_eq!(tape.unused().len(), 3);
        assert_eq!([reply(&tape, "Hi"), reply(&tape, "Hi"), reply(&tape, "Hi")].map(Result::unwrap), ["1", "2", "2"]);
        let unused = tape.unused();
        assert!(unused.len() == 1 && unused[0].starts_with("chat-completions-"), "{unused:?}");
        assert_eq!(reply(&tape, "Ho").unwrap(), "other");
        assert!(tape.unused().is_empty());
    }

    #[test]
    fn what_nobody_recorded_is_told_with_the_nearest() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("t");
        write(&folder, vec![recorded("Hi", "1")]);
        let tape = Tape::load(&folder).unwrap();
        let miss = reply(&tape, "Hey").unwrap_err().to_string();
        let parts =
            ["POST /v1/chat/completions", "base[llamacpp]", "body.messages[0].content: \"Hi\", not \"Hey\"", "--mode fill"];
        assert!(parts.iter().all(|part| miss.contains(part)), "{miss}");
        let miss = tape.take(&Keying::default().key(&Request::get("/v1/models"))).unwrap_err().to_string();
        assert!(miss.contains("nothing else was asked of that path"), "{miss}");
    }

    #[test]
    fn another_recording_takes_the_place_of_the_old_one_and_keeps_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("t");
        let first = write(&tapes, vec![recorded("Hi", "1"), recorded("Ho", "2")]);
        // What an interrupted recording left is in nobody's way.
        std::fs::create_dir(folder.path().join(".t.part")).unwrap();
        std::fs::write(folder.path().join(".t.part/half"), "x").unwrap();
        let second = write(&tapes, vec![recorded("Ho", "3"), recorded("Hi", "1")]);
        assert_eq!(first.exchanges.keys().collect::<Vec<_>>(), second.exchanges.keys().collect::<Vec<_>>());
        assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Ho").unwrap(), "3");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[track_caller]
    fn refused(spoil: impl Fn(&Path, &str), expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("t");
        let manifest = write(&tapes, vec![recorded("Hi", "1")]);
        spoil(&tapes, manifest.exchanges.keys().next().unwrap());
        let error = Tape::load(&tapes).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn a_packed_tape_is_read_as_its_folder_and_not_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("t");
        let long = "why ".repeat(8000);
        write(&tapes, vec![recorded(&long, "1"), recorded("Ho", "2")]);
        let tape = Tape::load(&tapes).unwrap();
        assert_eq!(std::fs::read_dir(tapes.join("blobs")).unwrap().count(), 1, "a long question is kept beside");
        std::fs::write(folder.path().join("t.tar.gz"), tape.pack().unwrap()).unwrap();
        let error = Tape::load(&tapes).unwrap_err().to_string();
        assert!(error.contains("is a tape of the same cell"), "{error}");
        std::fs::remove_dir_all(&tapes).unwrap();
        let packed = Tape::load(&tapes).unwrap();
        assert_eq!(packed.manifest(), tape.manifest());
        assert_eq!(reply(&packed, &long).unwrap(), "1");
        let was = packed.exchanges().find(|(_, recorded)| recorded.body == "1").unwrap().1.request();
        assert_eq!(was.body, asked(&long).body);
    }

    #[test]
    fn a_tape_whose_successor_never_came_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("t");
        write(&tapes, vec![recorded("Hi", "1")]);
        std::fs::rename(&tapes, folder.path().join(".t.old")).unwrap();
        assert_eq!(reply(&Tape::load(&tapes).unwrap(), "Hi").unwrap(), "1");
    }

    #[test]
    fn a_long_text_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("t");
        write(&tapes, vec![recorded(&"why ".repeat(8000), "1")]);
        std::fs::remove_dir_all(tapes.join("blobs")).unwrap();
        let error = Tape::load(&tapes).unwrap_err().to_string();
        assert!(error.contains("the long text `blobs/"), "{error}");
    }

    #[test]
    fn a_tape_that_is_not_whole_is_refused() {
        let change = |path: PathBuf, from: &str, to: &str| {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from));
            std::fs::write(&path, text.replace(from, to)).unwrap();
        };
        refused(|tape, name| std::fs::remove_file(tape.join(name)).unwrap(), "the manifest names it, and it is not there");
        refused(|tape, name| change(tape.join(name), "\n---\n1", "\n---\n2"), "its body is not the one that was recorded");
        refused(
            |tape, name| change(tape.join(name), "\"status\": 200", "\"status\": 500"),
            "it was changed since it was recorded",
        );
        refused(|tape, _| change(tape.join(MANIFEST), "\"format\": 1", "\"format\": 9"), "has the format 9");
        refused(|tape, _| change(tape.join(MANIFEST), "\"cell\"", "\"cel\""), "it is no manifest");
        refused(|tape, name| change(tape.join(MANIFEST), name, "../../x"), "`../../x` is no name of a file of this tape");
        refused(|tape, _| std::fs::remove_dir_all(tape).unwrap(), "there is no tape in");
    }
}
