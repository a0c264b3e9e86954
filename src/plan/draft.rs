//! A scenario of a suite before it meets a setup: [`Draft`]. Names, steps and tags do not depend on the setup, so they are
//! made once and shared by all cells.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::marks::{self, Marks};
use super::placeholder::{datum, near_miss, scan};
use super::sentence::{Finder, RawStep};
use super::services::OfServices;
use super::{StepPlan, StepUse, SuiteInput};
use crate::event::Place;
use crate::source::{At, Diagnostic, FileId};
use crate::spec::rows::Datum;

/// One expanded scenario.
#[derive(Debug)]
pub(super) struct Draft {
    /// Title with the pairs of its row and parameters.
    pub name: Arc<str>,
    pub at: At,
    pub place: Place,
    pub tags: Arc<[String]>,
    pub marks: Arc<Marks>,
    pub steps: Arc<[Arc<StepPlan>]>,
    /// Roles of models that its steps name.
    pub roles: Vec<&'static str>,
    /// What its steps say of the services of the stack.
    pub services: Vec<OfServices>,
}

/// The drafts of one file.
#[derive(Debug)]
pub(super) struct DraftFile {
    pub name: Arc<str>,
    pub keyword: Arc<str>,
    pub file: Arc<str>,
    pub slug: String,
    pub at: Place,
    pub drafts: Vec<Draft>,
}

/// The suite's parameters: name, values, and whether any scenario mentions it.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    list: Vec<(Arc<str>, Vec<Datum>)>,
    used: Vec<bool>,
}

impl Parameters {
    /// Reads `parameters:`; what is no list of plain values is diagnosed and left out.
    pub fn of(suite: &SuiteInput, finder: &mut Finder<'_>) -> Self {
        let mut list = Vec::new();
        for (name, value) in &suite.spec.parameters {
            let at = suite.places.value(&format!("/parameters/{}", pointer_part(name)));
            let values: Vec<&Value> = match value {
                Value::Array(items) => items.iter().collect(),
                single => vec![single],
            };
            let plain = values.iter().all(|value| value.is_string() || value.is_number() || value.is_boolean());
            if plain {
                list.push((name.as_str().into(), values.into_iter().map(datum).collect()));
            } else {
                let diagnostic =
                    Diagnostic::error("suite/bad-parameter", at, format!("`{name}` is no list of texts, numbers or booleans"));
                finder.say(diagnostic.help(format!("write `{name}: [one, two]`")));
            }
        }
        let used = vec![false; list.len()];
        Self { list, used }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, _)| &**name)
    }

    /// The choices of a scenario: the product of the parameters that it mentions and that no column of its own hides.
    pub fn choices(&mut self, mentions: impl Fn(&str) -> bool, columns: &[Arc<str>]) -> Vec<Vec<(Arc<str>, Datum)>> {
        let mut choices = vec![Vec::new()];
        for ((name, values), used) in self.list.iter().zip(&mut self.used) {
            if !mentions(name) {
                continue;
            }
            *used = true;
            if columns.iter().any(|column| column == name) {
                continue;
            }
            choices = choices
                .into_iter()
                .flat_map(|choice: Vec<(Arc<str>, Datum)>| {
                    values.iter().map(move |value| {
                        let mut longer = choice.clone();
                        longer.push((name.clone(), value.clone()));
                        longer
                    })
                })
                .collect();
        }
        choices
    }

    /// Says which parameters nothing mentions.
    pub fn unused(&self, suite: &SuiteInput, finder: &mut Finder<'_>) {
        for ((name, _), used) in self.list.iter().zip(&self.used) {
            if !used {
                let at = suite.places.key(&format!("/parameters/{}", pointer_part(name)));
                let message = format!("no scenario of the suite mentions `<{name}>`");
                finder.say(
                    Diagnostic::error("suite/unused-parameter", at, message)
                        .help(format!("take `{name}` out, or write `<{name}>` in a step")),
                );
            }
        }
    }
}

/// Says which placeholders of a text were probably meant as a column or parameter.
pub(super) fn near_misses(text: &str, at: At, columns: &[Arc<str>], parameters: &Parameters, finder: &mut Finder<'_>) {
    for (range, name) in scan(text) {
        let known = || columns.iter().map(|column| &**column).chain(parameters.names());
        if known().any(|known| known == name) {
            continue;
        }
        if let Some(meant) = near_miss(name, known()) {
            let message = format!("`<{name}>` names no column and no parameter");
            let at = finder.inside(at, &text[range]);
            finder.say(Diagnostic::error("placeholder/near-miss", at, message).help(format!("did you mean `<{meant}>`?")));
        }
    }
}

/// Says which of the lines asked for a file does not have.
pub(super) fn lines_exist(lines: &[u32], file: FileId, finder: &mut Finder<'_>) {
    let source = finder.map().file(file);
    let last = source.text().lines().count();
    for &line in lines {
        let message = match line {
            0 => format!("`{}:0`: the first line of a file is 1", source.name()),
            _ if line as usize > last => {
                let have = if last == 1 { "1 line".to_owned() } else { format!("{last} lines") };
                format!("`{}` has {have}; {line} is past its end", source.name())
            }
            _ => continue,
        };
        // Several suites may hold the file.
        if !finder.diagnostics.iter().any(|known| known.message == message) {
            let diagnostic = Diagnostic::error("file/no-line", None, message);
            finder.say(diagnostic.help("name a line of the scenario, or leave the line out to run the whole file".to_owned()));
        }
    }
}

/// What a name says of its row and parameters: every pair whose placeholder is not in the title already.
pub(super) fn pairs<'a>(title: &str, values: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
    values.filter(|(name, _)| !scan(title).any(|(_, known)| known == *name)).collect()
}

/// Turns raw steps into found ones; consecutive expansions of one scenario share the steps that come out the same.
#[derive(Debug, Default)]
pub(super) struct Lowering {
    last: Vec<Arc<StepPlan>>,
    last_raw: Vec<RawStep>,
}

/// Found steps with what was seen on the way.
pub(super) struct Lowered {
    pub steps: Arc<[Arc<StepPlan>]>,
    pub roles: Vec<&'static str>,
    pub services: Vec<OfServices>,
    /// A step was not found: nothing more is said about the scenario.
    pub broken: bool,
    /// It makes a claim.
    pub claims: bool,
}

impl Lowering {
    pub fn lower(&mut self, raw: Vec<RawStep>, finder: &mut Finder<'_>) -> Lowered {
        let mut lowered = Lowered { steps: Arc::from([]), roles: Vec::new(), services: Vec::new(), broken: false, claims: false };
        let shared = self.last.len() == self.last_raw.len() && self.last_raw.len() == raw.len();
        let mut steps: Vec<Arc<StepPlan>> = Vec::with_capacity(raw.len());
        for (index, step) in raw.iter().enumerate() {
            let same = shared && self.last_raw[index] == *step;
            let found = if same { Some(self.last[index].clone()) } else { finder.step(step.clone()).map(Arc::new) };
            match found {
                Some(found) => {
                    lowered.services.extend(finder.of_services(&found, step.text_at));
                    steps.push(found);
                }
                None => lowered.broken = true,
            }
        }
        for step in &steps {
            lowered.claims |= finder.kind_of(step) == StepUse::Then;
        }
        lowered.roles = finder.roles_of(&steps);
        self.last.clone_from(&steps);
        self.last_raw = raw;
        lowered.steps = steps.into();
        lowered
    }
}

/// One list of tags and what its marks ask for.
type Shared = (Arc<[String]>, Arc<Marks>);

/// Tags and marks are few and repeated: each distinct list is kept once.
#[derive(Debug, Default)]
pub(super) struct TagLists {
    known: HashMap<Vec<String>, Shared>,
}

impl TagLists {
    /// The shared list of these tags, their marks read.
    pub fn share(&mut self, tags: &[(String, Option<At>)], finder: &mut Finder<'_>) -> Shared {
        let mut names: Vec<String> = Vec::with_capacity(tags.len());
        for (tag, _) in tags {
            if !names.contains(tag) {
                names.push(tag.clone());
            }
        }
        if let Some(known) = self.known.get(&names) {
            return known.clone();
        }
        let mut mistakes = Vec::new();
        let marks = marks::parse(tags.iter().map(|(tag, at)| (tag.as_str(), *at)), &mut mistakes);
        for mistake in mistakes {
            finder.say(mistake);
        }
        let shared = (Arc::from(names.as_slice()), Arc::new(marks));
        self.known.insert(names, shared.clone());
        shared
    }
}

/// A key as one part of a JSON pointer.
pub(super) fn pointer_part(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
