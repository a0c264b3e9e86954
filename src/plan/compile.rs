//! The compiler: [`compile`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::draft::{DraftFile, Parameters, TagLists};
use super::sentence::Finder;
use super::{Catalogue, ExpectForm, Plan, PlanInput, SuiteInput, TagExpr, case, cell, client, feature, hash, tool};
use crate::source::{At, Diagnostic, Diagnostics, SourceMap, is_near, nearest};
use crate::spec::files::BUILTIN;

/// Everything a run would do, and every mistake on the way there. A selection that leaves nothing is an empty plan, not a mistake.
///
/// The plan is as whole as the mistakes allow; it must not be run while one of them is an error.
pub fn compile(map: &SourceMap, input: &PlanInput, catalogue: &Catalogue, expect: &[ExpectForm]) -> (Plan, Diagnostics) {
    let mut finder = Finder::new(map, catalogue, input);
    let mut diagnostics = Vec::new();
    cell::check_setups(input, map, &mut diagnostics);
    tool::check(input, &mut diagnostics);
    let flag = input.selection.tags.as_ref().map(|(text, at)| (text.as_str(), *at));
    let flag = tag_expression(map, flag, "`--tags`", &mut diagnostics);
    let mut names = HashSet::new();
    let mut cells = Vec::new();
    for suite in &input.suites {
        let mut files = drafts(suite, expect, &mut finder);
        let written = suite.spec.tags.as_deref().map(|text| (text, suite.places.value("/tags")));
        let own = tag_expression(map, written, &format!("`tags` of the suite `{}`", suite.spec.name), &mut diagnostics);
        keep(&mut files, |draft| own.matches(&draft.tags));
        duplicates(&files, &mut finder);
        names.extend(files.iter().flat_map(|file| &file.drafts).map(|draft| draft.name.clone()));
        keep(&mut files, |draft| {
            flag.matches(&draft.tags) && input.selection.name.as_ref().is_none_or(|name| name.is_match(&draft.name))
        });
        files.retain(|file| !file.drafts.is_empty());
        if !files.is_empty() {
            cells.extend(cell::cells(map, input, suite, &files, &mut diagnostics));
        }
    }
    for cell in &mut cells {
        cell.clients = client::used(cell, catalogue, &input.clients);
    }
    profile_tags(map, input, &mut diagnostics);
    one_id_each(&cells, &mut diagnostics);
    if !input.selection.is_active() && input.suites.iter().all(|suite| suite.complete) {
        unmatched_known(map, input, &names, &mut diagnostics);
    }
    diagnostics.append(&mut finder.diagnostics);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.at.is_some(), diagnostic.at));
    (Plan { plan_id: hash::plan_id(&cells), cells }, diagnostics)
}

/// The scenarios of a suite's files, expanded and found.
fn drafts(suite: &SuiteInput, expect: &[ExpectForm], finder: &mut Finder<'_>) -> Vec<DraftFile> {
    let mut parameters = Parameters::of(suite, finder);
    let mut tag_lists = TagLists::default();
    let mut files = Vec::new();
    for feature in &suite.features {
        files.extend(feature::drafts(&suite.spec.name, feature, &mut parameters, &mut tag_lists, finder));
    }
    for cases in &suite.cases {
        files.push(case::drafts(&suite.spec.name, cases, expect, &mut parameters, &mut tag_lists, finder));
    }
    if suite.complete {
        parameters.unused(suite, finder);
    }
    files
}

fn keep(files: &mut [DraftFile], wanted: impl Fn(&super::draft::Draft) -> bool) {
    for file in files {
        file.drafts.retain(&wanted);
    }
}

/// Reads a tag expression; a broken one takes everything, and says where it is broken.
fn tag_expression(map: &SourceMap, text: Option<(&str, Option<At>)>, what: &str, diagnostics: &mut Diagnostics) -> TagExpr {
    let Some((text, at)) = text else { return TagExpr::Any };
    match TagExpr::parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            let inside = at.and_then(|at| inside(map, at, text, &error.range));
            let column = text[..error.range.start].chars().count() + 1;
            let message = match inside {
                Some(_) => error.message,
                None => format!("{what}, column {column}: {}", error.message),
            };
            diagnostics.push(Diagnostic::error("tags/syntax", inside.or(at), message).help(error.help));
            TagExpr::Any
        }
    }
}

/// The place of a part of a value, where the value stands in its file as it is (but for quotes).
fn inside(map: &SourceMap, at: At, text: &str, range: &std::ops::Range<usize>) -> Option<At> {
    let offset = map.slice(at).find(text)?;
    let point = |byte: usize| u32::try_from(at.start as usize + offset + byte).unwrap_or(at.end);
    Some(At { file: at.file, start: point(range.start), end: point(range.end) })
}

/// Two scenarios of one identity would be one in every report.
fn duplicates(files: &[DraftFile], finder: &mut Finder<'_>) {
    let mut seen: HashMap<(&str, Arc<str>), At> = HashMap::new();
    for file in files {
        for draft in &file.drafts {
            match seen.entry((&file.slug, draft.name.clone())) {
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(draft.at);
                }
                std::collections::hash_map::Entry::Occupied(first) => {
                    let message = format!("a second scenario is named `{}`", draft.name);
                    let diagnostic = Diagnostic::error("scenario/duplicate-name", draft.at, message)
                        .note(*first.get(), "the first one is here".to_owned())
                        .help("give them different titles, or their rows different values".to_owned());
                    finder.say(diagnostic);
                }
            }
        }
    }
}

/// Names that differ only in what ids cannot hold would share their reports.
fn one_id_each(cells: &[super::CellPlan], diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for cell in cells {
        let Some(first) = cell.features.first().and_then(|feature| feature.scenarios.first()) else { continue };
        let prefix = first.classname.rsplit_once('.').map_or("", |(prefix, _)| prefix);
        if let Some(other) = seen.insert(prefix, &cell.id.0) {
            let message = format!("the cells `{other}` and `{}` would share the class name `{prefix}`", cell.id);
            let diagnostic = Diagnostic::error("cell/duplicate-id", None, message);
            diagnostics.push(diagnostic.help("rename a suite, a setup or a model".to_owned()));
        }
    }
}

/// Tag expressions in profiles: an entry whose tags cannot be read would be about nothing.
fn profile_tags(map: &SourceMap, input: &PlanInput, diagnostics: &mut Diagnostics) {
    for profile in &input.profiles {
        let known = profile.spec.known.iter().map(|entry| entry.place().tags).enumerate();
        let dialect = profile.spec.dialect.iter().map(|entry| entry.place().tags).enumerate();
        let known = known.map(|(index, tags)| ("known", index, tags));
        for (list, index, tags) in known.chain(dialect.map(|(index, tags)| ("dialect", index, tags))) {
            let written = tags.map(|text| (text, profile.places.value(&format!("/{list}/{index}/tags"))));
            tag_expression(map, written, &format!("`tags` of an entry of `{list}`"), diagnostics);
        }
    }
}

/// Known failures of scenarios that no suite has.
fn unmatched_known(map: &SourceMap, input: &PlanInput, names: &HashSet<Arc<str>>, diagnostics: &mut Diagnostics) {
    for profile in &input.profiles {
        for (index, entry) in profile.spec.known.iter().enumerate() {
            let Some(scenario) = entry.scenario.as_deref() else { continue };
            let plain = scenario.rsplit_once(" [repeat=").map_or(scenario, |(plain, _)| plain);
            if names.contains(scenario) || names.contains(plain) {
                continue;
            }
            let at = profile.places.value(&format!("/known/{index}/scenario"));
            // The profiles that are built in are about the suites that are built in; an author with other suites has no part in that.
            if at.is_some_and(|at| map.file(at.file).name().starts_with(BUILTIN)) {
                continue;
            }
            let message = format!("no scenario is named `{scenario}`");
            // A name without its ` [key=value]` is near as well: that is what is forgotten most.
            let base = |name: &str| name.split(" [").next().unwrap_or_default().to_owned();
            let wanted = base(scenario);
            let close = names.iter().map(|name| &**name).filter(|name| base(name) == wanted || is_near(&wanted, &base(name)));
            let near = nearest(scenario, close, 1);
            let help = near.first().map(|name| format!("the nearest is `{name}`; names hold their ` [key=value]`"));
            diagnostics.push(Diagnostic::warning("profile/unmatched-known", at, message).help(help));
        }
    }
}
