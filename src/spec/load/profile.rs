//! `profiles/NAME.yaml` → [`ProfileSpec`].

use super::{Checks, read};
use crate::source::{Diagnostics, SourceMap};
use crate::spec::ProfileSpec;
use crate::spec::files::Project;
use crate::spec::profile::Known;
use crate::spec::yaml::{self, Loaded};

/// Loads one profile by its path (`profiles/llama.cpp.yaml`).
pub fn load_profile(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<ProfileSpec>>, Diagnostics) {
    let file = match read(project, map, path) {
        Ok(file) => file,
        Err(refusal) => return (None, refusal),
    };
    let (loaded, mut diagnostics) = yaml::load::<ProfileSpec>(map, file);
    if let Some(loaded) = &loaded {
        diagnostics.extend(check(map, loaded));
    }
    (loaded, diagnostics)
}

fn check(map: &SourceMap, loaded: &Loaded<ProfileSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    checks.name_is_stem("profile/name", loaded.file, &loaded.spec.name);
    for (at, entry) in loaded.spec.dialect.iter().enumerate() {
        rule(&mut checks, &format!("/dialect/{at}/rule"), &entry.rule);
        for (key, text) in [("reason", &entry.reason), ("source", &entry.source)] {
            not_empty(&mut checks, &format!("/dialect/{at}/{key}"), key, text);
        }
    }
    for (at, entry) in loaded.spec.known.iter().enumerate() {
        known(&mut checks, &format!("/known/{at}"), entry);
    }
    checks.sorted()
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
    if let Some(Err(error)) = entry.actual.as_deref().map(regex::Regex::new) {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let message = format!("`actual` is not a regular expression: {why}");
        checks.at_value("profile/bad-pattern", &format!("{pointer}/actual"), message, None);
    }
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
    for (key, text) in [("scenario", &entry.scenario), ("reason", &entry.reason), ("source", &entry.source)] {
        not_empty(checks, &format!("{pointer}/{key}"), key, text);
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
