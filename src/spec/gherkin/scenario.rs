//! The scenarios of a document, each with what it inherits, and the [`Pickle`]s they come to.
//!
//! A row of examples fills in the outline it belongs to, not the backgrounds before it; values from outside (a suite's
//! parameters) fill in both. Texts are cut up once per table of examples and shared by all rows they do not depend on.

use std::sync::Arc;

use super::pickle::{Pickle, PickleDocString, PickleRow, PickleStep};
use super::template::{Names, Template};
use super::{Background, Child, Document, Examples, Feature, Rule, Scenario, Step, StepKind, Tag};

/// A scenario or outline where it stands.
#[derive(Debug, Clone)]
pub struct ScenarioNode<'a> {
    /// The scenario itself.
    pub scenario: &'a Scenario,
    /// The feature it belongs to.
    pub feature: &'a Feature,
    /// The rule it belongs to, if any.
    pub rule: Option<&'a Rule>,
    /// The backgrounds before it: the feature's, then the rule's.
    pub backgrounds: Vec<&'a Background>,
}

/// The scenarios of a document in order, those of rules too.
pub fn scenarios(document: &Document) -> Vec<ScenarioNode<'_>> {
    let mut nodes = Vec::new();
    if let Some(feature) = &document.feature {
        collect(feature, None, &feature.children, &[], &mut nodes);
    }
    nodes
}

fn collect<'a>(
    feature: &'a Feature,
    rule: Option<&'a Rule>,
    children: &'a [Child],
    inherited: &[&'a Background],
    nodes: &mut Vec<ScenarioNode<'a>>,
) {
    let mut backgrounds = inherited.to_vec();
    for child in children {
        match child {
            Child::Background(background) => backgrounds.push(background),
            Child::Scenario(scenario) => {
                nodes.push(ScenarioNode { scenario, feature, rule, backgrounds: backgrounds.clone() });
            }
            Child::Rule(rule) => collect(feature, Some(rule), &rule.children, &backgrounds, nodes),
        }
    }
}

impl<'a> ScenarioNode<'a> {
    /// The tags of feature, rule and scenario, in that order; tables of examples add theirs.
    pub fn tags(&self) -> impl Iterator<Item = &'a Tag> + use<'a> {
        let rule = self.rule.into_iter().flat_map(|rule| &rule.tags);
        self.feature.tags.iter().chain(rule).chain(&self.scenario.tags)
    }

    /// The steps as written, those of the backgrounds first; none where the scenario has none of its own.
    pub fn steps(&self) -> impl Iterator<Item = &'a Step> {
        self.background_steps().chain(&self.scenario.steps)
    }

    /// One pickle for a scenario; one per row for an outline, so none without rows. `extra` holds values for further
    /// placeholders; a column of the same name wins. **Order**: as the rows stand in the file.
    pub fn pickles(&self, extra: &[(Arc<str>, Arc<str>)]) -> impl Iterator<Item = Pickle> {
        let tables = &*self.scenario.examples;
        let single = tables.is_empty().then(|| Expansion::new(self, None, extra).pickle(None));
        let rows = tables.iter().filter(|table| table.header.is_some()).flat_map(move |table| {
            let expansion = (!table.rows.is_empty()).then(|| Expansion::new(self, Some(table), extra));
            expansion.into_iter().flat_map(|expansion| (0..table.rows.len()).map(move |row| expansion.pickle(Some(row))))
        });
        single.into_iter().chain(rows)
    }

    /// The steps of the backgrounds that run before this scenario.
    fn background_steps(&self) -> impl Iterator<Item = &'a Step> + use<'a> {
        let used = if self.scenario.steps.is_empty() { &[] } else { &*self.backgrounds };
        let used: Vec<&'a Background> = used.to_vec();
        used.into_iter().flat_map(|background| &background.steps)
    }
}

/// A scenario cut up for one table of examples.
struct Expansion<'a> {
    scenario: &'a Scenario,
    examples: Option<&'a Examples>,
    columns: Vec<Arc<str>>,
    tags: Vec<Tag>,
    name: Template,
    steps: Vec<StepTemplate>,
}

/// A step cut up. What no row changes stands in `base` and is shared.
struct StepTemplate {
    base: PickleStep,
    text: Template,
    rows: Option<Vec<Vec<Template>>>,
    doc_string: Option<(Option<Template>, Template)>,
}

impl<'a> Expansion<'a> {
    fn new(node: &ScenarioNode<'a>, examples: Option<&'a Examples>, extra: &[(Arc<str>, Arc<str>)]) -> Self {
        let header = examples.and_then(|table| table.header.as_ref());
        let columns: Vec<Arc<str>> = header.iter().flat_map(|row| &row.cells).map(|cell| cell.value.clone()).collect();
        let names = Names::new(columns.iter().map(|column| &**column), extra);
        let outside = Names::new([], extra);
        let mut kind = StepKind::Unknown;
        let mut compile = |step: &Step, names: &Names<'_>| {
            if step.kind != StepKind::Conjunction {
                kind = step.kind;
            }
            StepTemplate::compile(step, kind, names)
        };
        let mut steps: Vec<StepTemplate> = node.background_steps().map(|step| compile(step, &outside)).collect();
        steps.extend(node.scenario.steps.iter().map(|step| compile(step, &names)));
        let own = examples.into_iter().flat_map(|table| &table.tags);
        let tags = node.tags().chain(own).cloned().collect();
        let name = Template::compile(&node.scenario.name.as_str().into(), &names);
        Self { scenario: node.scenario, examples, columns, tags, name, steps }
    }

    fn pickle(&self, row: Option<usize>) -> Pickle {
        let row = row.and_then(|row| self.examples.and_then(|table| table.rows.get(row)));
        let values: Vec<Arc<str>> = row.iter().flat_map(|row| &row.cells).map(|cell| cell.value.clone()).collect();
        Pickle {
            name: self.name.fill(&values),
            at: self.scenario.at,
            tags: self.tags.clone(),
            steps: self.steps.iter().map(|step| step.fill(&values)).collect(),
            row: row
                .map(|row| PickleRow { at: row.at, values: self.columns.iter().cloned().zip(values.iter().cloned()).collect() }),
        }
    }
}

impl StepTemplate {
    fn compile(step: &Step, kind: StepKind, names: &Names<'_>) -> Self {
        let text = Template::compile(&step.text, names);
        let rows: Option<Vec<Vec<Template>>> = step.table.as_ref().map(|table| {
            let row = |cells: &[super::Cell]| cells.iter().map(|cell| Template::compile(&cell.value, names)).collect();
            table.rows.iter().map(|table_row| row(&table_row.cells)).collect()
        });
        let doc_string = step.doc_string.as_ref().map(|doc| {
            let media_type = doc.media_type.as_ref().map(|media_type| Template::compile(media_type, names));
            (media_type, Template::compile(&doc.content, names))
        });
        let same = |rows: &Vec<Vec<Template>>| rows.iter().flatten().all(Template::is_plain);
        let shared = rows.as_ref().filter(|rows| same(rows)).map(|rows| fill_rows(rows, &[]));
        let base = PickleStep {
            keyword: step.keyword.clone(),
            kind,
            text: step.text.clone(),
            at: step.at,
            text_at: step.text_at,
            table: shared,
            doc_string: None,
        };
        let rows = rows.filter(|_| base.table.is_none());
        Self { base, text, rows, doc_string }
    }

    fn fill(&self, row: &[Arc<str>]) -> PickleStep {
        PickleStep {
            text: self.text.fill(row),
            table: self.rows.as_ref().map(|rows| fill_rows(rows, row)).or_else(|| self.base.table.clone()),
            doc_string: self.doc_string.as_ref().map(|(media_type, content)| PickleDocString {
                media_type: media_type.as_ref().map(|media_type| media_type.fill(row)),
                content: content.fill(row),
            }),
            ..self.base.clone()
        }
    }
}

fn fill_rows(rows: &[Vec<Template>], row: &[Arc<str>]) -> Arc<[Vec<Arc<str>>]> {
    rows.iter().map(|cells| cells.iter().map(|cell| cell.fill(row)).collect()).collect()
}
