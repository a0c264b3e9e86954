//! Which tape belongs to which cell: `tapes/SUITE/SETUP` of the project, for the cells whose mode asks for one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::paths::FILES;
use super::tapes::TAPES;
use crate::event::CellId;
use crate::plan::{CellPlan, Mode, Plan};
use crate::source::{Diagnostic, Diagnostics};
use crate::spec::files::Project;
use crate::spec::yaml::Span;
use crate::tape::{Edits, Manifest, Reel, Tape, TapeError, Use};

/// What a tape must be to be used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trust {
    /// Whether nothing narrows the plan.
    pub whole: bool,
    /// What becomes of files that were changed.
    pub edits: Edits,
    /// Longest time since it was recorded.
    pub max_age: Option<Duration>,
}

/// Code of what is told of a tape that is older than it may be.
pub(super) const OLD: &str = "run/old-tape";

/// The tapes of a plan. What cannot be used is told before anything is started.
pub(super) fn of(plan: &Plan, trust: Trust) -> (HashMap<CellId, Reel>, Diagnostics) {
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
        let trust = Trust { whole: trust.whole && cell.suite.name != FILES, ..trust };
        match reel(cell, used, trust) {
            Ok(reel) => drop(reels.insert(cell.id.clone(), reel)),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    (reels, diagnostics)
}

fn reel(cell: &CellPlan, used: Use, trust: Trust) -> Result<Reel, Diagnostic> {
    let folder = folder(&cell.id);
    let tape = match (find(&folder, trust.edits), used) {
        (Ok(tape), Use::Replay | Use::Fill) => {
            too_old(cell, &tape, trust.max_age).map_or(Ok(()), Err)?;
            Some(Arc::new(tape))
        }
        (Ok(tape), _) => Some(Arc::new(tape)),
        (Err(TapeError::Absent(_)), Use::Record | Use::Fill) => None,
        // What takes its place need not be whole.
        (Err(_), Use::Record) if trust.whole => None,
        (Err(error), _) => return Err(refused(cell, &error)),
    };
    // A pattern that is none was refused when the setup was loaded.
    let patterns = cell.setup.tape.redact.iter().filter_map(|pattern| regex::bytes::Regex::new(pattern).ok()).collect();
    Ok(Reel { used, folder, tape, volatile: cell.setup.tape.volatile.clone(), patterns, whole: trust.whole })
}

/// The tape that lies in a folder of the project, or the built-in one of that name, where the project has none of its own.
pub(super) fn find(folder: &Path, edits: Edits) -> Result<Tape, TapeError> {
    let name = format!("{}.tar.gz", folder.display());
    match Tape::load_with(folder, edits) {
        Err(TapeError::Absent(absent)) => match Project::new(".").builtin_bytes(&name) {
            Some(bytes) => Tape::unpack(Path::new(&name), &bytes),
            None => Err(TapeError::Absent(absent)),
        },
        found => found,
    }
}

/// Why a tape is too old for the evidence that is asked for.
fn too_old(cell: &CellPlan, tape: &Tape, most: Option<Duration>) -> Option<Diagnostic> {
    let most = most?;
    let manifest = tape.manifest();
    let (place, setup, recorded) = (tape.place(), &cell.setup.name, &manifest.recorded);
    let message = match manifest.since() {
        Some(since) if since <= most => return None,
        Some(_) => format!("the tape {place} was recorded {recorded}, {}; --max-tape-age allows {}", ago(manifest), Span(most)),
        None => format!("the tape {place} does not say when it was recorded (`{recorded}`), and --max-tape-age is to be kept"),
    };
    let help = format!("record it again with `--setup {setup} --mode record`, or allow more");
    Some(Diagnostic::error(OLD, None, message).help(help))
}

/// `today`, `yesterday`, `3 days ago`.
pub(super) fn ago(manifest: &Manifest) -> String {
    match manifest.age() {
        Some(0) => "today".to_owned(),
        Some(1) => "yesterday".to_owned(),
        Some(days) => format!("{days} days ago"),
        None => "of unknown age".to_owned(),
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
