//! `fireassay tapes prune`: a replay of the whole cell says what nobody asks for, and that is removed.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::{find, play};
use crate::cli::args::{ModeArg, PruneArgs, SelectArgs};
use crate::cli::exit::Exit;
use crate::cli::{setups, terminal};
use crate::event::{Outcome, RunEvent};
use crate::run::{Bus, Control};
use crate::tape::{Edits, Reel, Tape, TapePlace, Use};

pub(super) fn prune(args: &PruneArgs) -> Exit {
    let pruned = find::load(&args.tape, Edits::Refused).and_then(|tape| {
        let tape = Arc::new(tape);
        let unused = unused(&tape)?;
        tell(&tape, &unused, args.dry_run);
        if unused.is_empty() || args.dry_run {
            return Ok(());
        }
        tape.prune(&unused).map_err(|error| super::refused(&error))
    });
    pruned.map_or_else(|exit| exit, |()| Exit::Accepted)
}

/// Files of exchanges that a replay of the whole cell does not ask for. A scenario that fails may not have asked for all that it
/// would, so that with one nothing is known.
fn unused(tape: &Arc<Tape>) -> Result<BTreeSet<String>, Exit> {
    let (suite, setup) = play::suite_and_setup(tape.manifest())?;
    let select = SelectArgs { suites: vec![suite.clone()], setups: vec![setup.clone()], ..SelectArgs::default() };
    let compiled = play::compile(select, ModeArg::Replay)?;
    let cell = compiled.cell();
    let folder = match tape.place() {
        TapePlace::Folder(path) | TapePlace::Packed(path) | TapePlace::BuiltIn(path) => path.clone(),
    };
    let volatile = cell.setup.tape.volatile.clone();
    let reel = Reel { used: Use::Replay, folder, tape: Some(Arc::clone(tape)), volatile, patterns: Vec::new(), whole: true };
    let options = compiled.options(HashMap::from([(cell.id.clone(), reel)]))?;
    let (bus, failed) = (Bus::new(compiled.secrets.clone()), Rc::new(RefCell::new(Vec::new())));
    let seen = Rc::clone(&failed);
    bus.add(move |event: &RunEvent| {
        match event {
            RunEvent::ScenarioFinished(end) if matches!(end.outcome, Outcome::Failed | Outcome::Errored) => {
                seen.borrow_mut().push(end.name.to_string());
            }
            RunEvent::CellFinished { trouble: Some(trouble), .. } => seen.borrow_mut().push(trouble.message.clone()),
            _ => {}
        }
        Ok(())
    });
    let runtime = setups::runtime()?;
    let local = tokio::task::LocalSet::new();
    let plan = &compiled.plan;
    runtime.block_on(local.run_until(async { crate::run::run(plan, &options, &bus, &Control::new()).await }));
    if let Some(first) = failed.borrow().first() {
        terminal::err(&format!(
            "error: {} scenarios fail or cannot be judged on this tape, and may not have asked for all of it; the first: {first}\n\
             help: see them with `fireassay run --suite {suite} --setup {setup} --mode replay`, or record the tape again",
            failed.borrow().len()
        ));
        return Err(Exit::Evidence);
    }
    Ok(tape.unused().into_iter().map(str::to_owned).collect())
}

fn tell(tape: &Tape, unused: &BTreeSet<String>, dry: bool) {
    for (name, recorded) in tape.exchanges().filter(|(name, _)| unused.contains(*name)) {
        terminal::out(&format!("  {name}  {}\n", recorded.line()));
    }
    let (count, all) = (unused.len(), tape.manifest().exchanges.len());
    let done = if dry { "would be removed" } else { "removed" };
    terminal::out(&match count {
        0 => format!("{}: all of its {all} exchanges are asked for\n", tape.place()),
        _ => format!(
            "{}: {count} of {all} exchanges {done}: a replay of {} does not ask for them\n",
            tape.place(),
            tape.manifest().cell
        ),
    });
}
