//! Tapes of a cell: replies from one in place of a stack, or a stack whose replies are kept on one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use super::Bus;
use super::account::CellRun;
use super::worker::Blueprint;
use crate::event::{CellId, RunEvent, StackPhase, TapeRecord, Trouble};
use crate::plan::CellPlan;
use crate::spec::SetupSpec;
use crate::tape::{Deck, Manifest, Reel, Tape, Use};
use crate::wire::Secrets;

/// The address of a stack that is not there.
const NOWHERE: &str = "http://tape.invalid";
/// The key of a stack that is not there.
const TOKEN: &str = "key-of-a-tape";
/// After so many days a tape is called old.
const OLD: i64 = 30;

/// What a tape is of; `models` are those that the server lists.
pub(super) fn manifest(cell: &CellPlan, server: &str, models: Vec<String>, blueprint: &Blueprint) -> Manifest {
    Manifest {
        models: blueprint.models.iter().cloned().collect::<BTreeMap<_, _>>(),
        served: models,
        weights: weights(&cell.setup),
        keyed: blueprint.bearer.is_some(),
        profile: cell.profile.as_ref().map(|profile| profile.name.clone()),
        ..Manifest::now(&cell.id.0, server)
    }
}

/// SHA-256 by name of the files that a setup brings for its models.
pub fn weights(setup: &SetupSpec) -> BTreeMap<String, String> {
    let files = setup.provision.iter().flat_map(|provision| &provision.files);
    files.map(|file| (file.name.clone(), file.sha256.clone())).collect()
}

/// What workers need to run scenarios against a tape.
pub(super) fn blueprint(cell: &CellPlan, deck: &Arc<Deck>, tape: &Manifest, epoch: Instant, ids: Arc<AtomicU64>) -> Blueprint {
    let mut models = cell.models.clone();
    if models.is_empty() {
        models.extend(tape.models.iter().map(|(role, id)| (role.clone(), id.clone())));
    }
    let served = super::cell::taken(&tape.served, &models);
    let token = tape.keyed.then_some(TOKEN);
    Blueprint { served, deck: Some(Arc::clone(deck)), ..Blueprint::new(cell, NOWHERE, token, models, epoch, ids) }
}

/// The keys of a stack that is not there: none where it wanted none, as requests without one are then the right ones.
fn tokens(manifest: Option<&Manifest>) -> Vec<String> {
    manifest.filter(|manifest| manifest.keyed).map(|_| TOKEN.to_owned()).into_iter().collect()
}

/// Begins to answer from a tape. **Errors**: there is none, or it cannot stand for the cell's stack.
pub(super) fn open(cell: &CellPlan, reel: Option<Reel>, secrets: &Secrets) -> Result<(Arc<Deck>, Manifest), String> {
    let deck = reel.map(|reel| {
        let tokens = tokens(reel.tape.as_deref().map(Tape::manifest));
        Arc::new(reel.start(tokens, secrets.clone()))
    });
    let opened = deck.and_then(|deck| deck.manifest().cloned().map(|manifest| (deck, manifest)));
    let (deck, manifest) = opened.ok_or_else(|| format!("there is no tape of {}", cell.id.0))?;
    refusal(cell, &manifest).map_or(Ok((deck, manifest)), Err)
}

/// Why a tape cannot stand for the cell's stack.
fn refusal(cell: &CellPlan, manifest: &Manifest) -> Option<String> {
    let profile = cell.profile.as_ref().map(|profile| profile.name.as_str());
    let named = |name: Option<&str>| name.map_or_else(|| "no profile".to_owned(), |name| format!("the profile `{name}`"));
    (manifest.profile.as_deref() != profile).then(|| {
        let (was, is) = (named(manifest.profile.as_deref()), named(profile));
        format!("the tape was recorded with {was}, and `{}` has {is}: record it again, or name its own setup", cell.setup.name)
    })
}

/// Says that a tape answers, how old it is, and what people edited on it.
pub(super) fn announce(cell: &CellId, deck: &Deck, bus: &Bus) {
    let Some(tape) = deck.tape() else { return };
    let (manifest, record) = (tape.manifest(), record(tape, None));
    let old = match record.age_days {
        Some(days) if days > OLD => format!(", {days} days ago: old, record it again with `--mode record`"),
        _ => String::new(),
    };
    let (count, day) = (manifest.exchanges.len(), manifest.day());
    say(cell, bus, format!("{count} exchanges, recorded {day} by fireassay {}{old}", manifest.fireassay));
    if let Some(first) = record.edited.first() {
        let more = if record.edited.len() > 1 { " and others" } else { "" };
        say(cell, bus, format!("{} of them edited by hand: {first}{more}", record.edited.len()));
    }
    bus.emit(&RunEvent::Tape { cell: cell.clone(), tape: record });
}

/// Says what a whole run did not ask for.
pub(super) fn tell_unused(cell: &CellId, deck: &Deck, bus: &Bus) {
    let (Some(tape), Some(unused)) = (deck.tape(), deck.unused()) else { return };
    match unused.len() {
        0 => {}
        1 => say(cell, bus, format!("1 recorded exchange was not asked for, {}: `fireassay tapes prune` removes it", unused[0])),
        count => say(cell, bus, format!("{count} recorded exchanges were not asked for: `fireassay tapes prune` removes them")),
    }
    bus.emit(&RunEvent::Tape { cell: cell.clone(), tape: record(tape, Some(&unused)) });
}

/// A tape for the run's record.
fn record(tape: &Tape, unused: Option<&[&str]>) -> TapeRecord {
    let manifest = tape.manifest();
    TapeRecord {
        place: tape.place().to_string(),
        recorded: manifest.recorded.clone(),
        age_days: manifest.age(),
        fireassay: manifest.fireassay.clone(),
        exchanges: manifest.exchanges.len() as u64,
        edited: manifest.edited.iter().cloned().collect(),
        unused: unused.map(|unused| unused.iter().map(ToString::to_string).collect()),
    }
}

/// Writes what was recorded, where the run came to its end.
pub(super) fn write(run: &mut CellRun, cell: &CellPlan, deck: &Arc<Deck>, manifest: Manifest) {
    if deck.used() == Use::Replay {
        return;
    }
    if run.trouble.is_some() || run.control.finishing().is_cancelled() {
        say(
            &cell.id,
            &run.bus,
            "nothing was written: the run did not come to its end; a tape that was there is as it was".to_owned(),
        );
        return;
    }
    match deck.finish(manifest) {
        Ok(written) => {
            let instead = written.replaced.as_ref().map(|packed| format!(", in place of {}", packed.display()));
            let folder = deck.folder().display();
            say(&cell.id, &run.bus, format!("{written}, in {folder}{}", instead.unwrap_or_default()));
        }
        Err(error) => run.trouble = Some(Trouble::new("infra.tape", error.to_string())),
    }
}

fn say(cell: &CellId, bus: &Bus, message: String) {
    bus.emit(&RunEvent::Stack { cell: cell.clone(), phase: StackPhase::Tape, message });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_wanted_no_key_is_asked_without_one() {
        let of = |keyed: bool| tokens(Some(&Manifest { keyed, ..Manifest::default() }));
        assert_eq!(of(true), [TOKEN]);
        assert!(of(false).is_empty());
        assert!(tokens(None).is_empty());
    }
}
