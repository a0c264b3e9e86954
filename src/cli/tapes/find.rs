//! Which tape is meant: by its name under `tapes/`, its folder, its packed file, or as a built-in one.

use std::path::{Path, PathBuf};

use super::TAPES;
use crate::cli::reels;
use crate::cli::terminal;
use crate::source::did_you_mean;
use crate::spec::files::{BUILTIN, Origin, Project};
use crate::tape::{Edits, Recorded, Tape, TapeError};

use crate::cli::exit::Exit;

/// Loads the tape that is meant; says why that cannot be.
pub(super) fn load(name: &str, edits: Edits) -> Result<Tape, Exit> {
    find(name, edits).map_err(|error| match error {
        TapeError::Absent(_) => {
            let known: Vec<String> = all().iter().map(|folder| short(folder)).collect();
            let help = did_you_mean(name, known.iter().map(String::as_str));
            let next = help.unwrap_or_else(|| "`fireassay tapes list` shows what there is".to_owned());
            terminal::err(&format!("error: there is no tape `{name}`\nhelp: {next}"));
            Exit::Usage
        }
        error => super::refused(&error),
    })
}

fn find(name: &str, edits: Edits) -> Result<Tape, TapeError> {
    let path = Path::new(name);
    if path.is_file() {
        return Tape::load_packed(path, edits);
    }
    let plain = name.strip_prefix("built-in ").unwrap_or(name).trim_end_matches('/');
    let plain = plain.strip_suffix(".tar.gz").unwrap_or(plain);
    match reels::find(Path::new(plain), edits) {
        Err(TapeError::Absent(_)) => reels::find(&Path::new(TAPES).join(plain), edits),
        found => found,
    }
}

/// An exchange of a tape: its number in the list, the name of its file, itself.
pub(super) type Numbered<'a> = (usize, &'a str, &'a Recorded);

/// The exchanges that are meant: by number, or by how the key or the name of the file begins.
pub(super) fn exchanges<'a>(tape: &'a Tape, wanted: &str) -> Vec<Numbered<'a>> {
    let number = wanted.parse::<usize>().ok().filter(|number| *number <= tape.exchanges().count());
    let meant = |(at, name, recorded): &Numbered<'_>| match number {
        Some(number) => number == *at,
        None => recorded.head.key.starts_with(wanted) || name.starts_with(wanted),
    };
    (1..).zip(tape.exchanges()).map(|(number, (name, recorded))| (number, name, recorded)).filter(meant).collect()
}

/// Says that no exchange is meant.
pub(super) fn nothing(tape: &Tape, wanted: &str) -> Exit {
    let count = tape.exchanges().count();
    terminal::err(&format!(
        "error: no exchange of {} is `{wanted}`; write a number from 1 to {count}, or how a key begins",
        tape.place()
    ));
    Exit::Usage
}

/// Where tapes lie, as folders or packed: `tapes/SUITE/SETUP`.
pub(super) fn folders(tapes: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !tapes.exists() {
        return Ok(found);
    }
    for suite in std::fs::read_dir(tapes)? {
        let suite = suite?.path();
        if !suite.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&suite)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') {
                found.push(suite.join(name.strip_suffix(".tar.gz").unwrap_or(&name)));
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Where built-in tapes would lie, those left out that the project has itself.
pub(super) fn built_in(own: &[PathBuf]) -> Vec<PathBuf> {
    // That none is built in is no mistake.
    let paths = Project::new(".").glob(&format!("{TAPES}/*/*.tar.gz"), Origin::Builtin).unwrap_or_default();
    let folders = paths.iter().filter_map(|path| path.strip_prefix(BUILTIN)).filter_map(|path| path.strip_suffix(".tar.gz"));
    folders.map(PathBuf::from).filter(|folder| !own.contains(folder)).collect()
}

fn all() -> Vec<PathBuf> {
    let own = folders(Path::new(TAPES)).unwrap_or_default();
    let built_in = built_in(&own);
    own.into_iter().chain(built_in).collect()
}

/// `base/llamacpp`.
fn short(folder: &Path) -> String {
    folder.strip_prefix(TAPES).unwrap_or(folder).display().to_string()
}
