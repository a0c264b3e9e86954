//! Models of the catalogue meet suites: each on the setup that serves it; one that nothing serves is a cell that is skipped.

use std::borrow::Cow;
use std::sync::Arc;

use super::cell::Chosen;
use super::{EntryInput, PlanInput, SetupInput};
use crate::event::EntryRecord;
use crate::spec::SetupSpec;
use crate::spec::bytes::parse_bytes;

/// Name of the setup that stands for one that is not named.
const NOWHERE: &str = "(no setup)";

/// Roles, and the ability by which a model fills each.
const FILLED_BY: [(&str, &str); 5] =
    [("text", "chat"), ("tools", "tools"), ("reasoning", "thinking"), ("vision", "vision"), ("embedding", "embeddings")];

/// The setups of the models, in the order of the models. One that is named and was not loaded has had its own diagnostics.
pub(super) fn chosen<'a>(input: &'a PlanInput, entries: &'a [EntryInput]) -> Vec<Chosen<'a>> {
    let setup = |entry: &'a EntryInput| {
        if let Some(name) = &entry.spec.setup {
            return input.setups.iter().find(|setup| setup.spec.name == *name).map(Cow::Borrowed);
        }
        let description = "no setup serves it".to_owned();
        let spec = SetupSpec { name: NOWHERE.to_owned(), description, ..SetupSpec::default() };
        Some(Cow::Owned(SetupInput { spec: Arc::new(spec), ..SetupInput::default() }))
    };
    entries.iter().filter_map(|entry| Some(Chosen::of_entry(setup(entry)?, entry))).collect()
}

/// Why nothing can be reached, where no setup is named.
pub(super) fn nowhere(entry: &EntryInput) -> Option<String> {
    let reason = "the catalogue names no setup that serves it: add `setup: NAME` to its entry in models.yaml";
    entry.spec.setup.is_none().then(|| reason.to_owned())
}

/// The models by role, each with where it is written, where they are not those of the setup.
pub(super) fn roles(entry: &EntryInput) -> Option<Vec<(String, Vec<String>, String)>> {
    let id = match (&entry.spec.served_as, &entry.spec.setup) {
        (Some(id), _) => id,
        (None, None) => &entry.name,
        (None, Some(_)) => return None,
    };
    let filled = FILLED_BY.iter().filter(|(_, ability)| can(entry, ability));
    Some(filled.map(|(role, _)| ((*role).to_owned(), vec![id.clone()], "the catalogue".to_owned())).collect())
}

/// Why a scenario that needs these abilities is not for the model, whatever its server claims.
pub(super) fn cannot<'a>(entry: &EntryInput, abilities: impl Iterator<Item = &'a str>) -> Option<String> {
    let of_models = |ability: &&str| FILLED_BY.iter().any(|(_, filling)| filling == ability);
    let missing: Vec<String> =
        abilities.filter(of_models).filter(|ability| !can(entry, ability)).map(|ability| format!("`{ability}`")).collect();
    let words = || format!("the catalogue does not list {} among the abilities of `{}`", missing.join(", "), entry.name);
    (!missing.is_empty()).then(words)
}

fn can(entry: &EntryInput, ability: &str) -> bool {
    entry.spec.abilities.iter().any(|known| known == ability)
}

/// What the record of a run keeps of it.
pub(super) fn record(entry: &EntryInput) -> EntryRecord {
    let memory = entry.spec.memory.as_deref().and_then(|text| parse_bytes(text).ok());
    EntryRecord { name: entry.name.clone(), memory, wished: entry.wished }
}
