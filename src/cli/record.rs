//! The folder of a run record, and the one error case that replaces a JUnit file when a run never began.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::terminal;
use crate::report;

/// A run's folder and id.
#[derive(Debug)]
pub(super) struct RunFolder {
    /// `20261121T101500Z-base-llamacpp`.
    pub id: String,
    /// Where.
    pub path: PathBuf,
}

/// Makes the folder of a run: `--run-dir`, else `.fireassay/runs/ID` with `latest` pointing at it.
pub(super) fn create(run_dir: Option<&Path>, what: &str) -> Result<RunFolder, String> {
    let id = format!("{}-{}", Utc::now().format("%Y%m%dT%H%M%SZ"), crate::event::slug(what));
    let fail = |path: &Path, error: &std::io::Error| format!("cannot make the run folder {}: {error}", path.display());
    if let Some(path) = run_dir {
        std::fs::create_dir_all(path).map_err(|error| fail(path, &error))?;
        return Ok(RunFolder { id, path: path.to_owned() });
    }
    let runs = Path::new(".fireassay/runs");
    std::fs::create_dir_all(runs).map_err(|error| fail(runs, &error))?;
    for try_number in 1..1000 {
        let id = if try_number == 1 { id.clone() } else { format!("{id}-{try_number}") };
        let path = runs.join(&id);
        match std::fs::create_dir(&path) {
            Ok(()) => {
                point_latest(runs, &id)?;
                return Ok(RunFolder { id, path });
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(fail(&path, &error)),
        }
    }
    Err("cannot make a run folder: a thousand runs began in this second".to_owned())
}

/// `latest` is a link where links exist; it is replaced by a rename, so that it always points somewhere.
fn point_latest(runs: &Path, id: &str) -> Result<(), String> {
    let (link, fresh) = (runs.join("latest"), runs.join(format!(".latest-{}", std::process::id())));
    std::os::unix::fs::symlink(id, &fresh)
        .and_then(|()| std::fs::rename(&fresh, &link))
        .map_err(|error| format!("cannot point {} at the run: {error}", link.display()))
}

/// The newest run's folder.
pub(super) fn latest() -> PathBuf {
    PathBuf::from(".fireassay/runs/latest")
}

/// Writes one error case where JUnit was asked for, because the run never began; says so where even that fails.
pub(super) fn error_junit(junit: Option<&Path>, kind: &str, message: &str) {
    if let Some(path) = junit
        && let Err(error) = report::write_error_junit(path, kind, message)
    {
        terminal::err(&format!("error: {error}"));
    }
}

/// A command line that clap refuses may still name a `--junit` file: no stale green file survives there.
pub(super) fn usage_error(arguments: &[OsString], message: &str) {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let named = words.iter().enumerate().find_map(|(at, word)| match word.strip_prefix("--junit=") {
        Some(path) => Some(path.to_owned()),
        None if word == "--junit" => words.get(at + 1).map(ToString::to_string),
        None => None,
    });
    let path = named.or_else(|| std::env::var("FIREASSAY_JUNIT").ok()).map(PathBuf::from);
    if words.get(1).is_some_and(|word| word == "run") {
        error_junit(path.as_deref(), "usage", message);
    }
}
