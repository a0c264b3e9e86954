//! Sentences about single services of a stack: which mark does a scenario need that says one, and has the setup the service?
//!
//! What ends a service ends it for everybody, so its scenario runs last, alone, and the stack is started again after it. What
//! reads a service's figures needs nobody beside it. Both are mistakes of the author where the mark is missing.

use super::draft::DraftFile;
use super::sentence::Finder;
use super::{Connect, Flags, StepPlan};
use crate::source::{At, Diagnostic, Diagnostics, did_you_mean};
use crate::spec::SetupSpec;

/// Which mark a sentence asks of its scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// None.
    None,
    /// `@serial` or `@destructive`.
    Alone,
    /// `@destructive`.
    Destructive,
}

/// Sentences about services, the number of the value that names one (from 1), and the mark they need.
const SENTENCES: &[(&str, Option<usize>, Mark)] = &[
    ("requests go to the service {text}", Some(1), Mark::None),
    ("the API key of the service {text}", Some(1), Mark::None),
    ("faults happen at the service {text}", Some(1), Mark::Alone),
    ("I note what the services have done", None, Mark::Alone),
    ("the service {text} is idle within {duration}", Some(1), Mark::Alone),
    ("the service {text} did the work", Some(1), Mark::Alone),
    ("the service {text} did nothing", Some(1), Mark::Alone),
    ("I kill the service {text}", Some(1), Mark::Destructive),
    ("I start the service {text} again", Some(1), Mark::Destructive),
    ("I stop the stack", None, Mark::Destructive),
    ("I start the stack again", None, Mark::Destructive),
    ("I ask {text} and kill the service {text} after {int} events", Some(2), Mark::Destructive),
    ("I ask {text} and stop the stack after {int} events", None, Mark::Destructive),
];

/// The sentences with the number of the value that names a service.
pub fn service_sentences() -> impl Iterator<Item = (&'static str, Option<usize>)> {
    SENTENCES.iter().map(|(sentence, value, _)| (*sentence, *value))
}

/// What a step says of the services of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OfServices {
    sentence: &'static str,
    mark: Mark,
    /// The service it names, where that is known before it runs.
    service: Option<String>,
    /// Where it names it, else the sentence.
    at: At,
}

impl OfServices {
    /// Reads a step; `None` where it is about something else. `inside` finds a word in the step.
    pub fn read(sentence: &str, step: &StepPlan, inside: impl Fn(&str) -> At) -> Option<Self> {
        let (sentence, value, mark) = SENTENCES.iter().find(|(known, ..)| *known == sentence)?;
        let written = value.and_then(|number| step.captures.get(number)).map(|(_, text)| text.trim_matches('"').to_owned());
        let at = inside(written.as_deref().unwrap_or_default());
        Some(Self { sentence, mark: *mark, service: written.filter(|name| !name.contains("{{")), at })
    }
}

/// Says where a scenario lacks the mark that its steps need.
pub(super) fn marked(steps: &[OfServices], flags: Flags, finder: &mut Finder<'_>) {
    for step in steps {
        let (lacks, help) = match step.mark {
            Mark::Destructive if !flags.destructive => (
                "`@destructive`",
                "tag the scenario `@destructive`: it then runs last and alone, and the stack is started again after it",
            ),
            Mark::Alone if !flags.serial && !flags.destructive => (
                "`@serial`",
                "tag the scenario `@serial`: others that ask at the same time would show in the figures of the services",
            ),
            _ => continue,
        };
        let message = format!("`{}` stands in a scenario that is not {lacks}", step.sentence);
        finder.say(Diagnostic::error("scenario/not-alone", step.at, message).help(help.to_owned()));
    }
}

/// Says which services are named that the setup does not have.
pub(super) fn exist(setup: &SetupSpec, files: &[DraftFile], diagnostics: &mut Diagnostics) {
    for step in files.iter().flat_map(|file| &file.drafts).flat_map(|draft| &draft.services) {
        let Some(name) = step.service.as_ref().filter(|name| !setup.services.contains_key(*name)) else { continue };
        let message = format!("the setup `{}` has no service `{name}`", setup.name);
        let help = did_you_mean(name, setup.services.keys().map(String::as_str));
        let diagnostic = Diagnostic::error("scenario/unknown-service", step.at, message).help(help);
        // A row of an outline says what the one before it said.
        if !diagnostics.contains(&diagnostic) {
            diagnostics.push(diagnostic);
        }
    }
}

/// Whether the services of a stack that is reached so are, as far as is known before the run, ours to end and to ask.
pub(super) fn are_ours(connect: &Connect) -> bool {
    matches!(connect, Connect::Start | Connect::Serve { .. })
}

/// Why a scenario with such a step is not applicable to a stack that is not ours.
pub(super) fn not_ours() -> String {
    "the stack is attached to or composed: only services that this run starts are ended or asked one by one".to_owned()
}
