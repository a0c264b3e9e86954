//! `setups/NAME.yaml` → [`SetupSpec`], with its `extends:` chain merged.

use serde_json::Value;

use super::models::model_names;
use super::{Checks, provision, read, twice};
use crate::source::{At, Diagnostic, Diagnostics, SourceMap, did_you_mean, meant};
use crate::spec::SetupSpec;
use crate::spec::bytes::parse_bytes;
use crate::spec::env::{each_text, env_refs};
use crate::spec::files::{BUILTIN, Kind, Project};
use crate::spec::setup::{ABILITIES, ACCELERATORS, ROLES, Service};
use crate::spec::yaml::{self, Loaded, escape};

/// Loads one setup by its path (`setups/llamacpp.yaml`). What it `extends:` lies under it: maps merge, lists and values
/// replace; a merged value keeps the place where it was written. Name, and what it extends itself, are not taken over.
pub fn load_setup(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<SetupSpec>>, Diagnostics) {
    let (merged, diagnostics) = merged(project, map, path, &mut Vec::new());
    let (loaded, mut diagnostics) = yaml::finish::<SetupSpec>(map, (merged, diagnostics));
    if let Some(loaded) = &loaded {
        diagnostics.extend(check(map, loaded));
        diagnostics.extend(unknown_model(project, loaded));
    }
    (loaded, diagnostics)
}

/// Weights are named as the catalogue does. A catalogue with mistakes of its own says these where it is read.
fn unknown_model(project: &Project, loaded: &Loaded<SetupSpec>) -> Option<Diagnostic> {
    let name = loaded.spec.needs.weights.as_ref()?.model.as_ref()?;
    let known = model_names(project)?;
    if known.contains(name) {
        return None;
    }
    let near = did_you_mean(name, known.iter().map(String::as_str));
    let help = near.unwrap_or_else(|| "`fireassay models list` shows them".to_owned());
    let message = format!("the catalogue of models has no `{name}`");
    Some(Diagnostic::error("setup/unknown-model", loaded.places.value("/needs/weights/model"), message).help(help))
}

/// A setup on the way to the one that is read: its path, and where it says what it extends.
struct Link {
    path: String,
    at: Option<At>,
}

/// A setup over what it extends, not yet held against its type. `chain` holds the setups on the way here.
fn merged(project: &Project, map: &mut SourceMap, path: &str, chain: &mut Vec<Link>) -> (Option<Loaded<()>>, Diagnostics) {
    let file = match read(project, map, path) {
        Ok(file) => file,
        Err(refusal) => return (None, refusal),
    };
    chain.push(Link { path: map.file(file).name().to_string(), at: None });
    let (plain, mut diagnostics) = yaml::read_one(map, file);
    let Some(mut plain) = plain else { return (None, diagnostics) };
    diagnostics.extend(twice(project, map, "setup/twice", "setup", &plain));
    let Some(name) = plain.raw.get("extends").and_then(Value::as_str).map(str::to_owned) else {
        return (Some(plain), diagnostics);
    };
    let at = plain.places.value("/extends");
    if let Some(link) = chain.last_mut() {
        link.at = at;
    }
    let Some(parent) = parent_of(project, chain, &name) else {
        let names = project.names(Kind::Setup);
        let help = did_you_mean(&name, names.iter().map(String::as_str));
        diagnostics.push(Diagnostic::error("setup/unknown-setup", at, format!("there is no setup `{name}`")).help(help));
        return (Some(plain), diagnostics);
    };
    if let Some(first) = chain.iter().position(|link| link.path == parent) {
        diagnostics.push(cycle(&mut chain[first..]));
        return (Some(plain), diagnostics);
    }
    let (base, below) = merged(project, map, &parent, chain);
    diagnostics.extend(below.into_iter().map(|one| Diagnostic { at: one.at.or(at), ..one }));
    if let Some(mut base) = base {
        for key in ["name", "extends"] {
            if let Some(entries) = base.raw.as_object_mut() {
                entries.shift_remove(key);
            }
            base.places.drop_key(key);
        }
        plain.places.merge_over(&base.places);
        plain.raw = over(plain.raw, base.raw);
    }
    (Some(plain), diagnostics)
}

/// A circle, told from its first path by name on, so that it reads the same from whichever of its setups one came.
fn cycle(links: &mut [Link]) -> Diagnostic {
    let first = (0..links.len()).min_by(|&one, &other| links[one].path.cmp(&links[other].path)).unwrap_or(0);
    links.rotate_left(first);
    let paths: Vec<&str> = links.iter().chain(links.first()).map(|link| link.path.as_str()).collect();
    let message = format!("`extends` runs in a circle: {}", paths.join(" → "));
    let at = links.last().and_then(|link| link.at);
    Diagnostic::error("setup/extends-cycle", at, message).help("remove one of them".to_owned())
}

/// The path of what a setup extends. One that extends its own name means the built-in one that it stands before.
fn parent_of(project: &Project, chain: &[Link], name: &str) -> Option<String> {
    let found = project.find(Kind::Setup, name)?;
    let behind = format!("{BUILTIN}{found}");
    let own = chain.last().is_some_and(|link| link.path == found);
    let built_in = || project.read(&mut SourceMap::new(), &behind).is_ok();
    Some(if own && built_in() { behind } else { found })
}

/// `upper` over `lower`: maps merge with the keys of `lower` first, all else replaces.
fn over(upper: Value, lower: Value) -> Value {
    match (upper, lower) {
        (Value::Object(upper), Value::Object(mut lower)) => {
            for (key, value) in upper {
                let value = match lower.get_mut(&key) {
                    Some(below) => over(value, below.take()),
                    None => value,
                };
                lower.insert(key, value);
            }
            Value::Object(lower)
        }
        (upper, _) => upper,
    }
}

fn check(map: &SourceMap, loaded: &Loaded<SetupSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    let setup = &loaded.spec;
    checks.name_is_stem("setup/name", loaded.file, &setup.name);
    for (at, ability) in setup.abilities.iter().enumerate() {
        let word = ability.strip_suffix('?').unwrap_or(ability);
        checks.one_of("setup/unknown-ability", &format!("/abilities/{at}"), "an ability", word, &ABILITIES);
    }
    for role in setup.models.keys() {
        if !ROLES.contains(&role.as_str()) {
            let message = format!("`{role}` is not a role of a model");
            checks.at_key("setup/unknown-role", &format!("/models/{}", escape(role)), message, did_you_mean(role, ROLES));
        }
    }
    for (key, amount) in [("memory", &setup.needs.memory), ("disk", &setup.needs.disk)] {
        if let Some(Err(message)) = amount.as_deref().map(parse_bytes) {
            checks.at_value("setup/bad-memory", &format!("/needs/{key}"), message, None);
        }
    }
    for (at, kind) in setup.needs.accelerator.iter().enumerate() {
        let pointer = format!("/needs/accelerator/{at}");
        checks.one_of("setup/unknown-accelerator", &pointer, "an accelerator that is known", kind, &ACCELERATORS);
    }
    if setup.needs.weights.as_ref().is_some_and(|weights| weights.file.is_none() && weights.model.is_none()) {
        let help = "name them: `file: <files>/NAME`, or `model: NAME` of the catalogue".to_owned();
        checks.at_value("setup/no-weights", "/needs/weights", "whose weights?", Some(help));
    }
    for (name, service) in &setup.services {
        check_service(&mut checks, setup, name, service);
    }
    provision::check(&mut checks, "setup/unknown-placeholder", setup.provision.as_ref());
    for (at, pattern) in setup.tape.redact.iter().enumerate() {
        if let Err(error) = regex::bytes::Regex::new(pattern) {
            let message = format!("`{pattern}` is not a regular expression: {error}");
            checks.at_value("setup/bad-pattern", &format!("/tape/redact/{at}"), message, None);
        }
    }
    if let Some(auth) = &setup.auth {
        placeholders(&mut checks, setup, "/auth/bearer", &auth.bearer, &["key"]);
    }
    after_cycles(&mut checks, setup);
    undeclared_env(&mut checks, loaded);
    checks.sorted()
}

/// What a service's command and environment may mention.
const SERVICE_WORDS: [&str; 7] = ["python", "assets", "files", "port", "key", "scratch", "fireassay"];

/// The signals that a service may be stopped with.
const SIGNALS: [&str; 3] = ["TERM", "INT", "KILL"];

fn check_service(checks: &mut Checks<'_>, setup: &SetupSpec, name: &str, service: &Service) {
    let pointer = format!("/services/{}", escape(name));
    if service.command.is_empty() {
        checks.at_value("setup/no-command", &format!("{pointer}/command"), "the command has no words", None);
    }
    for (at, text) in service.command.iter().enumerate() {
        placeholders(checks, setup, &format!("{pointer}/command/{at}"), text, &SERVICE_WORDS);
    }
    for (key, text) in &service.env {
        placeholders(checks, setup, &format!("{pointer}/env/{}", escape(key)), text, &SERVICE_WORDS);
    }
    let others = || setup.services.keys().map(String::as_str).filter(|other| *other != name);
    for (at, other) in service.after.iter().enumerate() {
        if !others().any(|known| known == other) {
            let message = if other == name {
                "a service cannot wait for itself".to_owned()
            } else {
                format!("there is no service `{other}`")
            };
            checks.at_value("setup/unknown-service", &format!("{pointer}/after/{at}"), message, did_you_mean(other, others()));
        }
    }
    let signal = service.stop.signal.as_str();
    if !SIGNALS.contains(&signal) {
        // `SIGTERM` and `sigterm` are the same signal by other names.
        let upper = signal.to_uppercase();
        let help = did_you_mean(upper.strip_prefix("SIG").unwrap_or(&upper), SIGNALS);
        let message = format!("`{signal}` is not a signal to stop with");
        checks.at_value("setup/bad-signal", &format!("{pointer}/stop/signal"), message, help);
    }
    if !service.ready.http.starts_with('/') {
        let message = format!("`{}` is no path: it must begin with `/`", service.ready.http);
        checks.at_value("setup/bad-path", &format!("{pointer}/ready/http"), message, None);
    }
    if let Some(Err(message)) = service.limits.memory.as_deref().map(parse_bytes) {
        checks.at_value("setup/bad-memory", &format!("{pointer}/limits/memory"), message, None);
    }
    if let Some(auth) = &service.auth {
        placeholders(checks, setup, &format!("{pointer}/auth/bearer"), &auth.bearer, &["key"]);
    }
    if let Some(warm_up) = &service.warm_up {
        let pointer = format!("{pointer}/warm_up/chat");
        checks.one_of("setup/unknown-role", &pointer, "a role of a model", &warm_up.chat, &ROLES);
    }
}

/// Every `<word>` of a text must be one that is filled in there; `<port:NAME>` names a service.
fn placeholders(checks: &mut Checks<'_>, setup: &SetupSpec, pointer: &str, text: &str, known: &[&str]) {
    for placeholder in provision::unknown(text, known) {
        match placeholder.service {
            Some(service) if placeholder.word == "port" && known.contains(&"port") => {
                if !setup.services.contains_key(service) {
                    let message = format!("`{}`: there is no service `{service}`", placeholder.whole);
                    let help = did_you_mean(service, setup.services.keys().map(String::as_str));
                    checks.at_part("setup/unknown-service", pointer, placeholder.whole, message, help);
                }
            }
            _ => provision::refuse(checks, "setup/unknown-placeholder", pointer, placeholder.whole, known),
        }
    }
}

/// Services that wait for each other would never start.
fn after_cycles(checks: &mut Checks<'_>, setup: &SetupSpec) {
    let mut ready: Vec<&str> = Vec::new();
    while let Some(next) = setup.services.iter().find(|(name, service)| {
        let waits = |other: &&String| setup.services.contains_key(*other) && other != name && !ready.contains(&other.as_str());
        !ready.contains(&name.as_str()) && !service.after.iter().any(|other| waits(&other))
    }) {
        ready.push(next.0);
    }
    let stuck: Vec<&str> = setup.services.keys().map(String::as_str).filter(|name| !ready.contains(name)).collect();
    if let Some(first) = stuck.first() {
        let message = format!("these services wait for each other: {}", stuck.join(", "));
        checks.at_key("setup/after-cycle", &format!("/services/{}/after", escape(first)), message, None);
    }
}

/// Only variables that `needs.env` declares may be read.
fn undeclared_env(checks: &mut Checks<'_>, loaded: &Loaded<SetupSpec>) {
    let declared = &loaded.spec.needs.env;
    let mut undeclared = Vec::new();
    each_text(&loaded.raw, "", &mut |pointer, text| {
        let unknown = env_refs(text).into_iter().filter(|one| !declared.contains(&one.name));
        undeclared.extend(unknown.map(|one| (pointer.to_owned(), text[one.range].to_owned(), one.name)));
    });
    for (pointer, whole, name) in undeclared {
        let near = meant(&name, declared.iter().map(String::as_str));
        let help = near.unwrap_or_else(|| format!("declare it: `needs: {{env: [{name}]}}`"));
        let message = format!("the environment variable `{name}` is read, but `needs.env` does not declare it");
        checks.at_part("setup/undeclared-env", &pointer, &whole, message, Some(help));
    }
}
