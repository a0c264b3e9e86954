//! `fireassay tapes list|verify|pack`: what was recorded, whether it is whole, and a tape as one file.

use std::path::{Path, PathBuf};

use super::args::{TapesAction, TapesArgs};
use super::exit::Exit;
use super::terminal;
use crate::tape::{Tape, TapeError};

/// The folder of tapes.
pub(super) const TAPES: &str = "tapes";

pub(super) fn tapes(args: &TapesArgs) -> Exit {
    match &args.action {
        TapesAction::List => each(false),
        TapesAction::Verify => each(true),
        TapesAction::Pack { folder, out } => pack(folder, out),
    }
}

/// Tells of each tape of the project; `strictly`, one that is not whole decides the exit.
fn each(strictly: bool) -> Exit {
    let folders = match folders(Path::new(TAPES)) {
        Ok(folders) => folders,
        Err(error) => {
            terminal::err(&format!("error: cannot read `{TAPES}`: {error}"));
            return Exit::Environment;
        }
    };
    let mut broken = 0;
    for folder in &folders {
        match Tape::load(folder) {
            Ok(tape) => terminal::out(&format!("{}\n", line(folder, &tape))),
            Err(error) => {
                broken += 1;
                terminal::out(&format!("  ✗ {}  {error}\n", folder.display()));
            }
        }
    }
    if folders.is_empty() {
        terminal::out(&format!("no tape in `{TAPES}`: `fireassay run --suite NAME --setup NAME --mode record` makes one\n"));
    }
    match (strictly, broken, folders.len()) {
        (true, 0, 0) => Exit::Nothing,
        (true, 1.., _) => Exit::Evidence,
        _ => Exit::Accepted,
    }
}

/// `  ✓ tapes/base/llamacpp  402 exchanges  llama.cpp (…)  2026-11-22, 3 days ago`.
fn line(folder: &Path, tape: &Tape) -> String {
    let manifest = tape.manifest();
    let age = match manifest.age() {
        Some(0) => "today".to_owned(),
        Some(1) => "yesterday".to_owned(),
        Some(days) => format!("{days} days ago"),
        None => "of unknown age".to_owned(),
    };
    let count = manifest.exchanges.len();
    format!("  ✓ {}  {count} exchanges  {}  {}, {age}", folder.display(), manifest.server, manifest.day())
}

/// Where tapes lie, as folders or packed: `tapes/SUITE/SETUP`.
fn folders(tapes: &Path) -> std::io::Result<Vec<PathBuf>> {
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

fn pack(folder: &Path, out: &Path) -> Exit {
    let done = Tape::load(folder).and_then(|tape| {
        let bytes = tape.pack()?;
        std::fs::write(out, &bytes).map_err(|error| TapeError::disk("write", out, error))?;
        Ok((tape, bytes.len()))
    });
    match done {
        Ok((tape, length)) => {
            let count = tape.manifest().exchanges.len();
            terminal::out(&format!("{}: {count} exchanges, {:.1} KiB\n", out.display(), length as f64 / 1024.0));
            Exit::Accepted
        }
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            Exit::Usage
        }
    }
}
