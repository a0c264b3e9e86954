//! Which tape belongs to which cell: `tapes/SUITE/SETUP` of the project, for the cells whose mode asks for one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::paths::FILES;
use super::tapes::TAPES;
use crate::event::CellId;
use crate::plan::{CellPlan, Mode, Plan};
use crate::source::{Diagnostic, Diagnostics};
use crate::spec::files::Project;
use crate::tape::{Reel, Tape, TapeError, Use};

/// The tapes of a plan; `whole` where nothing narrows it. What cannot be used is told before anything is started.
pub(super) fn of(plan: &Plan, whole: bool) -> (HashMap<CellId, Reel>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut reels = HashMap::new();
    for cell in &plan.cells {
        let used = match cell.mode {
            Mode::Live => continue,
            Mode::Record => Use::Record,
            Mode::Replay => Use::Replay,
            Mode::Fill => Use::Fill,
        };
        // Files that are named one by one share the tape of their setup.
        match reel(cell, used, whole && cell.suite.name != FILES) {
            Ok(reel) => drop(reels.insert(cell.id.clone(), reel)),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    (reels, diagnostics)
}

fn reel(cell: &CellPlan, used: Use, whole: bool) -> Result<Reel, Diagnostic> {
    let folder = folder(&cell.id);
    let tape = match (Tape::load(&folder).or_else(|error| built_in(&folder, error)), used) {
        (Ok(tape), _) => Some(Arc::new(tape)),
        (Err(TapeError::Absent(_)), Use::Record | Use::Fill) => None,
        // What takes its place need not be whole.
        (Err(_), Use::Record) if whole => None,
        (Err(error), _) => return Err(refused(cell, &error)),
    };
    // A pattern that is none was refused when the setup was loaded.
    let patterns = cell.setup.tape.redact.iter().filter_map(|pattern| regex::bytes::Regex::new(pattern).ok()).collect();
    Ok(Reel { used, folder, tape, volatile: cell.setup.tape.volatile.clone(), patterns, whole })
}

/// The built-in tape, where the project has none of its own.
fn built_in(folder: &Path, error: TapeError) -> Result<Tape, TapeError> {
    let name = format!("{}.tar.gz", folder.display());
    match (error, Project::new(".").builtin_bytes(&name)) {
        (TapeError::Absent(_), Some(bytes)) => Tape::unpack(&Path::new("built-in").join(&name), &bytes),
        (error, _) => Err(error),
    }
}

fn refused(cell: &CellPlan, error: &TapeError) -> Diagnostic {
    let setup = &cell.setup.name;
    let message = match error {
        TapeError::Absent(folder) => format!("there is no tape of {} in `{folder}`, and no stack is to be asked", cell.id.0),
        other => other.to_string(),
    };
    Diagnostic::error("run/no-tape", None, message).help(format!(
        "run against a real server with `--setup {setup}` (or `--live`), or record a tape with `--setup {setup} --mode record`"
    ))
}

/// `tapes/base/llamacpp` for `base[llamacpp]`, `tapes/base/llamacpp+smollm2` for `base[llamacpp][smollm2]`.
pub(super) fn folder(cell: &CellId) -> PathBuf {
    let mut parts = cell.0.split('[').map(|part| plain(part.trim_end_matches(']')));
    let suite = parts.next().unwrap_or_default();
    Path::new(TAPES).join(suite).join(parts.collect::<Vec<_>>().join("+"))
}

/// A name as a file name.
fn plain(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_alphanumeric() || "._-=,".contains(c) { c } else { '-' }).collect();
    kept.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cell: &str, expect: &str) {
        assert_eq!(folder(&CellId(cell.into())), Path::new(expect));
    }

    #[test]
    fn each_cell_has_a_folder_of_its_own() {
        check("base[llamacpp]", "tapes/base/llamacpp");
        check("base[llamacpp][smollm2]", "tapes/base/llamacpp+smollm2");
        check("(files)[my/../x]", "tapes/files/my-..-x");
        check("a[chat=llamacpp,embeddings=minilm]", "tapes/a/chat=llamacpp,embeddings=minilm");
    }
}
