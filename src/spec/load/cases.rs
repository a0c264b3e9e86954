//! `cases/**.yaml` → [`CaseFile`]. Several YAML documents in one file are one list.

use super::{Checks, read};
use crate::source::{Diagnostics, SourceMap};
use crate::spec::CaseFile;
use crate::spec::case::{CaseSpec, Each};
use crate::spec::files::Project;
use crate::spec::setup::ROLES;
use crate::spec::yaml::{self, Loaded};

/// Loads one case file by its path (`cases/base/capitals.yaml`).
pub fn load_cases(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<CaseFile>>, Diagnostics) {
    let file = match read(project, map, path) {
        Ok(file) => file,
        Err(refusal) => return (None, refusal),
    };
    let (mut loaded, mut diagnostics) = yaml::load_list::<CaseFile>(map, file);
    if let Some(loaded) = &loaded {
        let mut checks = Checks::new(map, loaded);
        match &loaded.spec {
            CaseFile::One(case) => check(&mut checks, "", case),
            CaseFile::Many(cases) if cases.is_empty() => {
                checks.at_value("case/nothing-to-run", "", "the file has no cases", None);
            }
            CaseFile::Many(cases) => cases.iter().enumerate().for_each(|(at, case)| check(&mut checks, &format!("/{at}"), case)),
        }
        diagnostics.extend(checks.sorted());
    }
    if let Some(loaded) = &mut loaded {
        let cases = match &mut loaded.spec {
            CaseFile::One(case) => std::slice::from_mut(&mut **case),
            CaseFile::Many(cases) => cases,
        };
        // What is said here is not said again about the sentence that the compiler would make of it.
        for given in cases.iter_mut().map(|case| &mut case.given) {
            given.replies = given.replies.take().filter(|way| way.contains('<') || DELIVERIES.contains(&way.as_str()));
        }
    }
    (loaded, diagnostics)
}

/// How replies may travel.
const DELIVERIES: [&str; 2] = ["whole", "streamed"];

fn check(checks: &mut Checks<'_>, pointer: &str, case: &CaseSpec) {
    if case.name.trim().is_empty() {
        checks.at_value("case/name", &format!("{pointer}/name"), "a case needs a name", None);
    }
    match (case.ask.is_some(), case.turns.is_empty()) {
        (true, false) => {
            checks.at_key("case/question", &format!("{pointer}/turns"), "a case has `ask` or `turns`, not both", None);
        }
        (false, true) => {
            let help = "write `ask: …`, or `turns: [{ask: …, expect: […]}, …]`".to_owned();
            checks.at_key("case/question", &format!("{pointer}/name"), "the case asks nothing", Some(help));
        }
        _ => {}
    }
    if let Some(role) = case.given.model.as_deref().filter(|role| !role.contains('<')) {
        checks.one_of("case/unknown-role", &format!("{pointer}/given/model"), "a role of a model", role, &ROLES);
    }
    if let Some(way) = case.given.replies.as_deref().filter(|way| !way.contains('<')) {
        let pointer = format!("{pointer}/given/replies");
        checks.one_of("case/unknown-delivery", &pointer, "a way replies travel", way, &DELIVERIES);
    }
    for (at, tag) in case.tags.iter().enumerate() {
        let word = tag.strip_prefix('@').unwrap_or(tag);
        if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '@') {
            let message = format!("`{tag}` is no tag: one word, with or without `@`");
            checks.at_value("case/bad-tag", &format!("{pointer}/tags/{at}"), message, None);
        }
    }
    match &case.each {
        Some(Each::Rows(rows)) if rows.is_empty() => {
            checks.at_key("case/no-rows", &format!("{pointer}/each"), "`each` has no rows, so the case would not run", None);
        }
        Some(Each::File(name)) if name.trim().is_empty() => {
            checks.at_value("case/no-rows", &format!("{pointer}/each"), "`each` names no file", None);
        }
        _ => {}
    }
}
