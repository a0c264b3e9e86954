//! Gherkin features become drafts: outlines and suite parameters expanded, placeholders checked, steps found.

use std::sync::Arc;

use super::draft::{Draft, DraftFile, Lowering, Parameters, TagLists, lines_exist, near_misses, pairs};
use super::name;
use super::placeholder::scan;
use super::sentence::{Finder, RawStep};
use super::{DocArg, FeatureInput, StepUse, services};
use crate::source::{At, Diagnostic};
use crate::spec::gherkin::{Pickle, PickleStep, ScenarioNode, Step, StepKind, scenarios};

/// The drafts of a feature file; `None` where it holds no feature.
pub(super) fn drafts(
    suite: &str,
    input: &FeatureInput,
    parameters: &mut Parameters,
    tag_lists: &mut TagLists,
    finder: &mut Finder<'_>,
) -> Option<DraftFile> {
    let start = At { file: input.file, start: 0, end: 0 };
    let shown = finder.map().file(input.file).name().clone();
    let nodes = scenarios(&input.document);
    lines_exist(&input.lines, input.file, finder);
    let Some(feature) = input.document.feature.as_ref().filter(|_| !nodes.is_empty()) else {
        if !input.broken() {
            let at = input.document.feature.as_ref().map_or(start, |feature| feature.at);
            let diagnostic = Diagnostic::error("feature/empty", at, format!("`{shown}` holds no scenario"));
            finder.say(diagnostic.help("write at least one `Scenario:`, or delete the file".to_owned()));
        }
        return None;
    };
    let mut file = DraftFile {
        name: feature.name.as_str().into(),
        keyword: feature.keyword.as_str().into(),
        slug: name::file_slug(suite, &shown),
        at: finder.place(feature.at),
        file: shown,
        drafts: Vec::new(),
    };
    for (index, node) in nodes.iter().enumerate() {
        if is_broken(input, &nodes, index) {
            continue;
        }
        let expansion = Expansion { node, wanted: wanted_rows(input, &nodes, index, finder) };
        expansion.run(&mut file.drafts, parameters, tag_lists, finder);
    }
    Some(file)
}

/// Whether the parser complained inside a scenario, or above the first one: what is missing there may stand in the lines that
/// could not be read.
fn is_broken(input: &FeatureInput, nodes: &[ScenarioNode<'_>], index: usize) -> bool {
    let begins = |node: &ScenarioNode<'_>| node.scenario.tags.first().map_or(node.scenario.at, |tag| tag.at).start;
    let (first, start) = (begins(&nodes[0]), begins(&nodes[index]));
    let end = nodes.get(index + 1).map_or(u32::MAX, begins);
    input.mistakes.iter().any(|at| at.start < first || (start..end).contains(&at.start))
}

/// Which rows of a scenario the `FILE:LINE` filters take: none (`None`), all (an empty list), or those on the lines.
fn wanted_rows(input: &FeatureInput, nodes: &[ScenarioNode<'_>], index: usize, finder: &Finder<'_>) -> Option<Vec<u32>> {
    if input.lines.is_empty() {
        return Some(Vec::new());
    }
    let source = finder.map().file(input.file);
    let line_of = |at: At| source.line_col(at.start).line;
    let begins = |node: &ScenarioNode<'_>| line_of(node.scenario.tags.first().map_or(node.scenario.at, |tag| tag.at));
    let (first, last) = (begins(&nodes[index]), nodes.get(index + 1).map_or(u32::MAX, |next| begins(next).saturating_sub(1)));
    // What stands above the first scenario (title, background) belongs to all of them.
    if input.lines.iter().any(|line| *line < begins(&nodes[0])) {
        return Some(Vec::new());
    }
    let inside: Vec<u32> = input.lines.iter().copied().filter(|line| (first..=last).contains(line)).collect();
    let is_row =
        |line: &u32| nodes[index].scenario.examples.iter().flat_map(|table| &table.rows).any(|row| line_of(row.at) == *line);
    if inside.is_empty() {
        None
    } else if inside.iter().all(is_row) {
        Some(inside)
    } else {
        Some(Vec::new())
    }
}

/// One scenario or outline on its way to drafts.
struct Expansion<'a> {
    node: &'a ScenarioNode<'a>,
    wanted: Option<Vec<u32>>,
}

impl Expansion<'_> {
    fn run(&self, out: &mut Vec<Draft>, parameters: &mut Parameters, tag_lists: &mut TagLists, finder: &mut Finder<'_>) {
        let scenario = self.node.scenario;
        let columns = self.columns();
        let mentioned = self.mentions(&columns, parameters, finder);
        self.check_examples(&mentioned, finder);
        let choices = parameters.choices(|name| mentioned.iter().any(|known| known == name), &columns);
        let Some(wanted) = &self.wanted else { return };
        let mut lowering = Lowering::default();
        for choice in &choices {
            let extra: Vec<(Arc<str>, Arc<str>)> =
                choice.iter().map(|(name, value)| (name.clone(), value.text().clone())).collect();
            for pickle in self.node.pickles(&extra) {
                let at = pickle.row.as_ref().map_or(pickle.at, |row| row.at);
                if !wanted.is_empty() && !wanted.contains(&finder.map().line_col(at).line) {
                    continue;
                }
                let lowered = lowering.lower(pickle.steps.iter().map(raw).collect(), finder);
                if lowered.broken {
                    continue;
                }
                if !lowered.claims {
                    let what = if lowered.steps.is_empty() { "has no steps" } else { "claims nothing" };
                    let diagnostic =
                        Diagnostic::error("scenario/no-claim", pickle.at, format!("the scenario `{}` {what}", pickle.name));
                    finder.say(diagnostic.help("add a step under Then: a scenario that claims nothing always passes".to_owned()));
                }
                let (tags, marks) = tag_lists
                    .share(&pickle.tags.iter().map(|tag| (tag.name.to_string(), Some(tag.at))).collect::<Vec<_>>(), finder);
                services::marked(&lowered.services, marks.flags, finder);
                out.push(Draft {
                    name: full_name(&pickle, &extra, &scenario.name),
                    place: finder.place(at),
                    at,
                    tags,
                    marks,
                    steps: lowered.steps,
                    roles: lowered.roles,
                    services: lowered.services,
                });
            }
        }
    }

    /// The columns of all tables, each once.
    fn columns(&self) -> Vec<Arc<str>> {
        let mut columns: Vec<Arc<str>> = Vec::new();
        for cell in self.node.scenario.examples.iter().filter_map(|table| table.header.as_ref()).flat_map(|row| &row.cells) {
            if !columns.contains(&cell.value) {
                columns.push(cell.value.clone());
            }
        }
        columns
    }

    /// Every placeholder of the scenario and its backgrounds; those that are nearly a column or parameter are mistakes.
    fn mentions(&self, columns: &[Arc<str>], parameters: &Parameters, finder: &mut Finder<'_>) -> Vec<String> {
        let scenario = self.node.scenario;
        let mut mentioned = Vec::new();
        let mut look = |text: &str, at: At| {
            mentioned.extend(scan(text).map(|(_, name)| name.to_owned()));
            near_misses(text, at, columns, parameters, finder);
        };
        look(&scenario.name, scenario.name_at);
        for step in &scenario.steps {
            texts(step, &mut look);
        }
        for step in self.node.backgrounds.iter().flat_map(|background| &background.steps) {
            texts(step, |text, at| {
                // Rows fill in the outline they belong to, not the backgrounds; parameters fill in both.
                let column = scan(text).map(|(_, name)| name).find(|name| columns.iter().any(|column| **column == **name));
                if let Some(name) = column.filter(|name| !parameters.names().any(|known| known == *name)) {
                    let message = format!("a background is not filled in from rows, and `<{name}>` is a column");
                    let help = "move the step into the outline".to_owned();
                    let at = finder.inside(at, &format!("<{name}>"));
                    finder.say(Diagnostic::error("placeholder/in-background", at, message).help(help));
                }
                mentioned.extend(scan(text).map(|(_, name)| name.to_owned()));
                near_misses(text, at, columns, parameters, finder);
            });
        }
        mentioned
    }

    /// Says which columns nothing uses, and whether an outline has no rows at all.
    fn check_examples(&self, mentioned: &[String], finder: &mut Finder<'_>) {
        let examples = &self.node.scenario.examples;
        for cell in examples.iter().filter_map(|table| table.header.as_ref()).flat_map(|row| &row.cells) {
            if !mentioned.iter().any(|name| **name == *cell.value) {
                let message = format!("the outline uses the column `{}` nowhere", cell.value);
                let diagnostic = Diagnostic::error("examples/unused-column", cell.at, message);
                finder.say(diagnostic.help(format!("write `<{}>` in a step or the title, or take the column out", cell.value)));
            }
        }
        if let Some(first) = examples.first()
            && examples.iter().all(|table| table.rows.is_empty())
        {
            let diagnostic = Diagnostic::error("examples/empty", first.at, "the outline has no rows, so it would never run");
            finder.say(diagnostic.help("add a row below the header".to_owned()));
        }
    }
}

/// Every text of a step in which placeholders are filled in.
fn texts(step: &Step, mut look: impl FnMut(&str, At)) {
    look(&step.text, step.text_at);
    for cell in step.table.iter().flat_map(|table| &table.rows).flat_map(|row| &row.cells) {
        look(&cell.value, cell.at);
    }
    if let Some(doc) = &step.doc_string {
        look(&doc.content, doc.content_at);
        look(doc.media_type.as_deref().unwrap_or(""), doc.at);
    }
}

/// The title with the pairs of its row and parameters.
fn full_name(pickle: &Pickle, extra: &[(Arc<str>, Arc<str>)], title: &str) -> Arc<str> {
    let row = pickle.row.iter().flat_map(|row| &row.values);
    let values = row.chain(extra).map(|(key, value)| (&**key, &**value));
    name::scenario(&pickle.name, &pairs(title, values))
}

fn raw(step: &PickleStep) -> RawStep {
    let kind = match step.kind {
        StepKind::Context => Some(StepUse::Given),
        StepKind::Action => Some(StepUse::When),
        StepKind::Outcome => Some(StepUse::Then),
        StepKind::Conjunction | StepKind::Unknown => None,
    };
    RawStep {
        keyword: step.keyword.clone(),
        kind,
        text: step.text.clone(),
        at: step.at,
        text_at: step.text_at,
        table: step.table.clone(),
        doc: step.doc_string.as_ref().map(|doc| DocArg { media_type: doc.media_type.clone(), content: doc.content.clone() }),
    }
}
