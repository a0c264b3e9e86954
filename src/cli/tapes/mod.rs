//! `fireassay tapes`: what was recorded, whether it is whole, what is on it, what of it is used, and what changed since.

mod diff;
mod export;
mod find;
mod play;
mod prune;
mod show;

use std::path::Path;

use super::args::{TapesAction, TapesArgs};
use super::exit::Exit;
use super::{reels, terminal};
use crate::tape::{Edits, Tape, TapeError};

/// The folder of tapes.
pub(super) const TAPES: &str = "tapes";

pub(super) fn tapes(args: &TapesArgs) -> Exit {
    match &args.action {
        TapesAction::List => each(Edits::Refused, false),
        TapesAction::Verify(args) => each(if args.accept_edits { Edits::Accepted } else { Edits::Refused }, true),
        TapesAction::Show(args) => show::show(args),
        TapesAction::Prune(args) => prune::prune(args),
        TapesAction::Diff(args) => diff::diff(args),
        TapesAction::Refresh { tape } => diff::refresh(tape),
        TapesAction::Export(args) => export::export(args),
        TapesAction::Pack { folder, out } => pack(folder, out),
    }
}

/// Tells of each tape; `strictly` of those of the project alone, and one that is not whole decides the exit.
fn each(edits: Edits, strictly: bool) -> Exit {
    let folders = match find::folders(Path::new(TAPES)) {
        Ok(folders) => folders,
        Err(error) => {
            terminal::err(&format!("error: cannot read `{TAPES}`: {error}"));
            return Exit::Environment;
        }
    };
    let mut broken = 0;
    for folder in &folders {
        let tape = Tape::load_with(folder, edits).and_then(|tape| tape.accept_edits().map(|()| tape));
        match tape {
            Ok(tape) => terminal::out(&line(&tape)),
            Err(error) => {
                broken += 1;
                terminal::out(&format!("  ✗ {}  {error}\n", folder.display()));
            }
        }
    }
    let built_in = if strictly { Vec::new() } else { find::built_in(&folders) };
    for folder in &built_in {
        match reels::find(folder, Edits::Refused) {
            Ok(tape) => terminal::out(&line(&tape)),
            Err(error) => terminal::out(&format!("  ✗ built-in {}  {error}\n", folder.display())),
        }
    }
    if folders.is_empty() {
        terminal::out(&format!(
            "no tape in `{TAPES}` of this project: `fireassay run --suite NAME --setup NAME --mode record` makes one\n"
        ));
    }
    match (strictly, broken, folders.len()) {
        (true, 0, 0) => Exit::Nothing,
        (true, 1.., _) => Exit::Evidence,
        _ => Exit::Accepted,
    }
}

/// `  ✓ tapes/base/llamacpp  402 exchanges  llama.cpp (…)  2026-11-22, 3 days ago`.
fn line(tape: &Tape) -> String {
    let manifest = tape.manifest();
    let (count, day, ago) = (manifest.exchanges.len(), manifest.day(), reels::ago(manifest));
    let edited = match (manifest.edited.len(), tape.fresh_edits().len()) {
        (0, _) => String::new(),
        (all, 0) => format!(", {all} edited by hand"),
        (all, new) => format!(", {all} edited by hand, {new} of them accepted now"),
    };
    format!("  ✓ {}  {count} exchanges  {}  {day}, {ago}{edited}\n", tape.place(), manifest.server)
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
        Err(error) => refused(&error),
    }
}

/// Says why a tape cannot be used.
fn refused(error: &TapeError) -> Exit {
    terminal::err(&format!("error: {error}"));
    match error {
        TapeError::Broken { .. } | TapeError::Edited { .. } => Exit::Evidence,
        TapeError::Disk { .. } => Exit::Environment,
        TapeError::Absent(_) | TapeError::Newer { .. } | TapeError::Fixed(_) => Exit::Usage,
    }
}
