//! The files of a project: a folder on disk over the built-in ones. The one place where user files are read.
//!
//! A path is written with `/`, relative to the project folder. A file of the same name on disk wins over a built-in one;
//! `builtin:suites/base.yaml` names the built-in one alone. What cannot be read is a [`Diagnostic`](crate::source::Diagnostic) without a place: the
//! caller knows who asked, and sets it.

mod assets;
mod builtin;
mod glob;
mod read;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::{FileId, SourceMap};

/// What the names of built-in files begin with.
pub const BUILTIN: &str = "builtin:";

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The project folder.
    Disk,
    /// The binary.
    Builtin,
}

impl Origin {
    /// The origin of a file by its name as shown.
    pub fn of(name: &str) -> Self {
        if name.starts_with(BUILTIN) { Self::Builtin } else { Self::Disk }
    }
}

/// A kind of file that is called by its name: `base` is `suites/base.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `suites/`
    Suite,
    /// `setups/`
    Setup,
    /// `tools/`
    Tool,
    /// `clients/`
    Client,
    /// `phrases/`
    Phrase,
    /// `profiles/`
    Profile,
}

impl Kind {
    /// Its folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Suite => "suites",
            Self::Setup => "setups",
            Self::Tool => "tools",
            Self::Client => "clients",
            Self::Phrase => "phrases",
            Self::Profile => "profiles",
        }
    }
}

/// A project: files on disk first, the built-in ones behind them.
#[derive(Debug, Clone)]
pub struct Project {
    /// Root folder on disk.
    pub root: PathBuf,
}

impl Project {
    /// A project rooted at a folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a text of the map comes from.
    pub fn origin(&self, map: &SourceMap, file: FileId) -> Origin {
        Origin::of(map.file(file).name())
    }

    /// All names of a kind, on disk and built in, sorted. Files in sub-folders are not named; whatever else is called like a
    /// file of this kind (a folder, a link that leads nowhere) is, so that reading it says what it is.
    pub fn names(&self, kind: Kind) -> Vec<String> {
        let built_in = builtin::paths().filter_map(|path| stem_in(path, kind.folder()).map(str::to_owned));
        let mut names: BTreeSet<String> = built_in.collect();
        // A folder that is absent, or may not be listed, names nothing; reading a file of it says why.
        let entries = std::fs::read_dir(self.root.join(kind.folder())).into_iter().flatten().flatten();
        for entry in entries {
            let path = format!("{}/{}", kind.folder(), entry.file_name().to_string_lossy());
            names.extend(stem_in(&path, kind.folder()).map(str::to_owned));
        }
        names.into_iter().collect()
    }

    /// The path of a name of this kind, as [`Project::read`] takes it: on disk, else `builtin:…`.
    pub fn find(&self, kind: Kind, name: &str) -> Option<String> {
        if name.is_empty() || name.contains(['/', '\\']) {
            return None;
        }
        let paths = ["yaml", "yml"].map(|end| format!("{}/{name}.{end}", kind.folder()));
        let on_disk = paths.iter().find(|path| self.is_there(path)).cloned();
        on_disk.or_else(|| paths.iter().find(|path| builtin::has(path)).map(|path| format!("{BUILTIN}{path}")))
    }

    /// A second file on disk that would be the same name, and is passed over: `NAME.yml` beside `NAME.yaml`.
    pub fn shadowed(&self, path: &str) -> Option<String> {
        let second = format!("{}.yml", path.strip_suffix(".yaml")?);
        (self.is_there(path) && self.is_there(&second)).then_some(second)
    }

    /// Whether something of that name is on disk, be it a file or not.
    fn is_there(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// The path of a file that is named in another, relative to that one: `data/x.csv` in `cases/a.yaml` is `cases/data/x.csv`.
    pub fn beside(&self, path: &str, named: &str) -> String {
        if Path::new(named).is_absolute() || named.starts_with(BUILTIN) {
            return named.to_owned();
        }
        let (prefix, path) = path.strip_prefix(BUILTIN).map_or(("", path), |path| (BUILTIN, path));
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{prefix}{}", plain(&format!("{folder}/{named}"), path.starts_with('/')))
    }

    /// The path as shown: relative to the project where the file lies in it.
    fn shown(&self, path: &str) -> String {
        let inside = Path::new(path).strip_prefix(&self.root).ok().filter(|_| Path::new(path).is_absolute());
        match inside {
            Some(inside) => plain(&inside.to_string_lossy(), false),
            None => plain(path, path.starts_with('/')),
        }
    }
}

/// The stem of `folder/STEM.yaml`.
fn stem_in<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let name = path.strip_prefix(folder)?.strip_prefix('/')?;
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
    (!stem.is_empty() && !stem.starts_with('.') && !stem.contains('/')).then_some(stem)
}

/// A path without `.`, `//` and inner `..`.
fn plain(path: &str, absolute: bool) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}
