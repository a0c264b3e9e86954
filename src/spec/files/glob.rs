//! `features/**/*.feature` → the files it names, sorted.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::{DirEntry, WalkDir};

use super::{BUILTIN, Origin, Project, builtin};
use crate::source::{Diagnostic, did_you_mean};

/// Most entries that one pattern looks at.
const MOST_ENTRIES: usize = 200_000;

impl Project {
    /// The files that a pattern or a plain path names, as [`Project::read`] takes them, sorted by name.
    ///
    /// For [`Origin::Disk`] files on disk alone; for [`Origin::Builtin`] the built-in ones, each given way to a file of the
    /// same name on disk. Hidden folders, `.fireassay` among them, and the project's `target/` are not looked into unless
    /// the pattern names them. Links are followed. A folder called like a feature or a YAML file, and a link that leads
    /// nowhere, count as files where the pattern matches them: reading them says what they are. **Errors**: `file/no-match`,
    /// `file/bad-pattern`, `file/symlink-loop`, `file/unreadable`, `file/too-many`; without a place.
    pub fn glob(&self, pattern: &str, origin: Origin) -> Result<Vec<String>, Diagnostic> {
        let pattern = self.shown(pattern.strip_prefix(BUILTIN).unwrap_or(pattern));
        let matcher = GlobBuilder::new(&pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| {
                Diagnostic::error("file/bad-pattern", None, format!("`{pattern}` is not a pattern: {}", error.kind()))
            })?
            .compile_matcher();
        let (found, seen) = match origin {
            Origin::Disk => self.on_disk(&pattern, &matcher)?,
            Origin::Builtin => (self.built_in(&matcher), builtin::paths().map(str::to_owned).collect()),
        };
        if found.is_empty() { Err(no_match(&pattern, &pattern, &seen)) } else { Ok(found) }
    }

    fn built_in(&self, matcher: &GlobMatcher) -> Vec<String> {
        let name = |path: &str| if self.is_there(path) { path.to_owned() } else { format!("{BUILTIN}{path}") };
        builtin::paths().filter(|path| matcher.is_match(path)).map(name).collect()
    }

    /// The files found, and those seen on the way.
    fn on_disk(&self, pattern: &str, matcher: &GlobMatcher) -> Result<(Vec<String>, Vec<String>), Diagnostic> {
        let base = base_of(pattern);
        let start = self.root.join(base);
        if !start.exists() {
            return Err(no_match(pattern, base, &self.shallow(base)));
        }
        let whole_project = base.is_empty();
        let wanted = move |entry: &DirEntry| {
            let name = entry.file_name().to_string_lossy();
            let skipped = name.starts_with('.') || (whole_project && entry.depth() == 1 && name == "target");
            entry.depth() == 0 || !entry.file_type().is_dir() || !skipped
        };
        let (mut found, mut seen) = (Vec::new(), Vec::new());
        let walk = WalkDir::new(&start).follow_links(true).sort_by_file_name().into_iter().filter_entry(wanted);
        for (count, entry) in walk.enumerate() {
            if count > MOST_ENTRIES {
                let text = format!("`{pattern}` looks at more than {MOST_ENTRIES} files");
                return Err(Diagnostic::error("file/too-many", None, text).help("name a folder of its own".to_owned()));
            }
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    if let Some(diagnostic) = trouble(&error) {
                        return Err(diagnostic);
                    }
                    let path = error.path().map(|path| self.under_root(path));
                    found.extend(path.filter(|path| matcher.is_match(path)));
                    continue;
                }
            };
            if entry.file_type().is_file() || called_like_a_file(&entry) {
                let path = self.under_root(entry.path());
                if matcher.is_match(&path) {
                    found.push(path.clone());
                }
                seen.push(path);
            }
        }
        found.sort_unstable();
        Ok((found, seen))
    }

    fn under_root(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(inside) => super::plain(&inside.to_string_lossy(), false),
            Err(_) => super::plain(&path.to_string_lossy(), path.is_absolute()),
        }
    }

    /// Names in the nearest folder that exists, for `did you mean`.
    fn shallow(&self, base: &str) -> Vec<String> {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        let entries = std::fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| self.under_root(&entry.path())).collect();
        names.retain(|name| !name.rsplit('/').next().unwrap_or(name).starts_with('.'));
        names.sort_unstable();
        names
    }
}

/// Whether a folder's name ends as those of features and YAML files do.
fn called_like_a_file(entry: &DirEntry) -> bool {
    let ending = entry.path().extension().and_then(std::ffi::OsStr::to_str);
    matches!(ending, Some("feature" | "yaml" | "yml"))
}

/// The part of a pattern before its first wildcard: whole folders, or the whole path where there is none.
fn base_of(pattern: &str) -> &str {
    match pattern.find(['*', '?', '[', '{', '\\']) {
        None => pattern,
        Some(wild) => pattern[..wild].rfind('/').map_or("", |cut| &pattern[..cut.max(usize::from(pattern.starts_with('/')))]),
    }
}

/// A walk's trouble as a diagnostic; a link that leads nowhere is no trouble of the walk: who reads it says so.
fn trouble(error: &walkdir::Error) -> Option<Diagnostic> {
    let shown = |path: &Path| super::plain(&path.to_string_lossy(), path.is_absolute());
    let path = error.path().map(shown).unwrap_or_default();
    if let Some(ancestor) = error.loop_ancestor() {
        let text = format!("the link `{path}` leads back to `{}`", shown(ancestor));
        return Some(
            Diagnostic::error("file/symlink-loop", None, text)
                .help("remove the link, or name the files more narrowly".to_owned()),
        );
    }
    let why = error.io_error()?;
    if why.kind() == std::io::ErrorKind::NotFound {
        return None;
    }
    // A link that points to itself cannot be opened at all: the system says so in an error of its own.
    let code = if why.raw_os_error() == Some(nix::errno::Errno::ELOOP as i32) { "file/symlink-loop" } else { "file/unreadable" };
    Some(Diagnostic::error(code, None, format!("`{path}` cannot be read: {why}")))
}

/// `misnamed` is what is looked for among the names seen: the pattern, or the folder it begins with.
fn no_match(pattern: &str, misnamed: &str, seen: &[String]) -> Diagnostic {
    let ending = misnamed.rsplit_once('.').map_or("", |(_, ending)| ending);
    let alike = seen.iter().map(String::as_str).filter(|path| ending.is_empty() || path.ends_with(ending) || !path.contains('.'));
    let help = did_you_mean(misnamed, alike);
    Diagnostic::error("file/no-match", None, format!("no file matches `{pattern}`")).help(help)
}
