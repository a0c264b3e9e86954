//! `profiles/NAME.yaml` → [`ProfileSpec`].

use super::{Checks, named};
use crate::source::{Diagnostics, SourceMap};
use crate::spec::ProfileSpec;
use crate::spec::files::Project;
use crate::spec::profile::{Known, Where};
use crate::spec::yaml::Loaded;

/// Loads one profile by its path (`profiles/llama.cpp.yaml`).
pub fn load_profile(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<ProfileSpec>>, Diagnostics) {
    named(project, map, path, "profile/twice", check)
}

fn check(map: &SourceMap, loaded: &Loaded<ProfileSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    checks.name_is_stem("profile/name", loaded.file, &loaded.spec.name);
    figures(&mut checks, &loaded.spec);
    let forgives = !(loaded.spec.dialect.is_empty() && loaded.spec.known.is_empty());
    if forgives && loaded.spec.server.like.trim().is_empty() {
        let help = "write `server: {like: NAME}`, the name that the server gives itself (`fireassay run` shows it)".to_owned();
        let message = "a profile that forgives says whom: its entries must not help another server";
        checks.at_key("profile/no-server", "/name", message, Some(help));
    }
    for (at, entry) in loaded.spec.dialect.iter().enumerate() {
        rule(&mut checks, &format!("/dialect/{at}/rule"), &entry.rule);
        for (key, text) in [("reason", &entry.reason), ("source", &entry.source)] {
            not_empty(&mut checks, &format!("/dialect/{at}/{key}"), key, text);
        }
        place(&mut checks, &format!("/dialect/{at}"), entry.place());
    }
    for (at, entry) in loaded.spec.known.iter().enumerate() {
        known(&mut checks, &format!("/known/{at}"), entry);
    }
    checks.sorted()
}

/// Names of metrics, and paths.
fn figures(checks: &mut Checks<'_>, profile: &ProfileSpec) {
    let mut paths = Vec::new();
    if let Some(metrics) = &profile.metrics {
        paths.push(("/metrics/path", &metrics.path));
        not_empty(checks, "/metrics/source", "source", &metrics.source);
        let lists = [("running", &metrics.running), ("completion_tokens", &metrics.completion_tokens)];
        for (key, _) in lists.iter().filter(|(_, names)| names.is_empty()) {
            checks.at_value("profile/empty", &format!("/metrics/{key}"), format!("`{key}` names no metric"), None);
        }
        for (key, names) in lists.into_iter().chain([("prompt_tokens", &metrics.prompt_tokens)]) {
            for (at, name) in names.iter().enumerate() {
                not_empty(checks, &format!("/metrics/{key}/{at}"), key, name);
            }
        }
    }
    if let Some(tokens) = &profile.tokens {
        paths.extend([
            ("/tokens/tokenize", &tokens.tokenize),
            ("/tokens/detokenize", &tokens.detokenize),
            ("/tokens/chat", &tokens.chat),
        ]);
        not_empty(checks, "/tokens/source", "source", &tokens.source);
    }
    for (pointer, path) in paths.into_iter().filter(|(_, path)| !path.starts_with('/')) {
        checks.at_value("profile/bad-path", pointer, format!("`{path}` is no path: it must begin with `/`"), None);
    }
}

fn known(checks: &mut Checks<'_>, pointer: &str, entry: &Known) {
    match (&entry.rule, &entry.step) {
        (Some(id), None) => rule(checks, &format!("{pointer}/rule"), id),
        (None, Some(_)) => {}
        (both, _) => {
            let message =
                if both.is_some() { "an entry has `rule` or `step`, not both" } else { "an entry needs a `rule` or a `step`" };
            let help = "say what fails: the wire rule (`rule: W085`) or the sentence of the step (`step: …`)".to_owned();
            checks.at_key("profile/known", pointer, message, Some(help));
        }
    }
    if entry.actual.is_some() && entry.step.is_none() {
        let message = "`actual` is what the step found, so it needs `step`";
        checks.at_key("profile/known", &format!("{pointer}/actual"), message, None);
    }
    pattern(checks, pointer, "actual", entry.actual.as_deref());
    if entry.place().is_empty() {
        let help = "name it (`scenario: …`), or say which by `name`, `tags` or `file`".to_owned();
        checks.at_key("profile/known", pointer, "an entry says which scenarios it is about", Some(help));
    }
    place(checks, pointer, entry.place());
    if let Some(date) = &entry.review_by
        && chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_err()
    {
        let message = format!("`{date}` is no date");
        checks.at_value(
            "profile/bad-date",
            &format!("{pointer}/review_by"),
            message,
            Some("write it as `2027-06-30`".to_owned()),
        );
    }
    for (key, text) in [("reason", &entry.reason), ("source", &entry.source)] {
        not_empty(checks, &format!("{pointer}/{key}"), key, text);
    }
}

/// Which scenarios an entry is about. Tag expressions are read when the plan is compiled.
fn place(checks: &mut Checks<'_>, pointer: &str, place: Where<'_>) {
    for (key, text) in [("scenario", place.scenario), ("name", place.name), ("tags", place.tags), ("file", place.file)] {
        if let Some(text) = text {
            not_empty(checks, &format!("{pointer}/{key}"), key, text);
        }
    }
    pattern(checks, pointer, "name", place.name);
    if let Some(Err(error)) = place.file.map(globset::Glob::new) {
        let message = format!("`file` is not a pattern of paths: {}", error.kind());
        checks.at_value("profile/bad-pattern", &format!("{pointer}/file"), message, None);
    }
}

fn pattern(checks: &mut Checks<'_>, pointer: &str, key: &str, text: Option<&str>) {
    if let Some(Err(error)) = text.map(regex::Regex::new) {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let message = format!("`{key}` is not a regular expression: {why}");
        checks.at_value("profile/bad-pattern", &format!("{pointer}/{key}"), message, None);
    }
}

fn rule(checks: &mut Checks<'_>, pointer: &str, id: &str) {
    let digits = id.strip_prefix('W').unwrap_or_default();
    if digits.len() != 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("`{id}` is no rule id");
        checks.at_value(
            "profile/bad-rule",
            pointer,
            message,
            Some("write it as `W085`; `fireassay rules` lists them".to_owned()),
        );
    }
}

fn not_empty(checks: &mut Checks<'_>, pointer: &str, key: &str, text: &str) {
    if text.trim().is_empty() {
        checks.at_value("profile/empty", pointer, format!("`{key}` says nothing"), None);
    }
}
