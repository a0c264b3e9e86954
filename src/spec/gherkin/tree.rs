//! Builds the [`Document`] from the lines in order: opens and closes features, rules, scenarios, steps and tables.
//!
//! Which line may follow which is decided in `parse`; here a new part only closes those that cannot go on.

use std::ops::Range;

use super::line::Line;
use super::{Background, Cell, Child, Comment, DocString, Document, Examples, Feature, Row, Rule, Scenario, Step, Table, Tag};
use crate::source::{At, FileId};

/// The line of a title, cut up.
pub(super) struct Header<'a> {
    /// Place of the keyword.
    pub at: At,
    /// Keyword as written.
    pub keyword: &'a str,
    /// Place of the title.
    pub name_at: At,
    /// Title.
    pub name: &'a str,
}

/// A document in the making.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    file: FileId,
    document: Document,
    tags: Vec<Tag>,
    description: Vec<&'a str>,
    rule: Option<Rule>,
    background: Option<Background>,
    scenario: Option<Scenario>,
    examples: Option<Examples>,
    step: Option<Step>,
    rows: Vec<Row>,
    /// First row of a closed table whose number of cells differs from that of the table's first row.
    uneven: Option<Uneven>,
}

/// A row with too few or too many cells.
#[derive(Debug)]
pub(super) struct Uneven {
    /// Place of the row.
    pub at: At,
    /// Cells of the row.
    pub cells: usize,
    /// Cells of the table's first row.
    pub expected: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn new(file: FileId) -> Self {
        Self {
            file,
            document: Document::default(),
            tags: Vec::new(),
            description: Vec::new(),
            rule: None,
            background: None,
            scenario: None,
            examples: None,
            step: None,
            rows: Vec::new(),
            uneven: None,
        }
    }

    pub(super) fn at(&self, range: Range<usize>) -> At {
        let narrow = |n| u32::try_from(n).unwrap_or(u32::MAX);
        At { file: self.file, start: narrow(range.start), end: narrow(range.end) }
    }

    pub(super) fn comment(&mut self, line: Line<'a>) {
        let at = self.at(line.start..line.start + line.raw.len());
        self.document.comments.push(Comment { at, text: line.raw.to_owned() });
    }

    pub(super) fn tags(&mut self, tags: impl IntoIterator<Item = Tag>) {
        self.close_step();
        self.end_description();
        self.tags.extend(tags);
    }

    pub(super) fn description_line(&mut self, line: &'a str) {
        self.description.push(line);
    }

    pub(super) fn feature(&mut self, header: &Header, language: &str) {
        self.document.feature = Some(Feature {
            at: header.at,
            tags: std::mem::take(&mut self.tags),
            language: language.to_owned(),
            keyword: header.keyword.to_owned(),
            name: header.name.to_owned(),
            description: String::new(),
            children: Vec::new(),
        });
    }

    pub(super) fn rule(&mut self, header: &Header) {
        self.close_rule();
        self.rule = Some(Rule {
            at: header.at,
            tags: std::mem::take(&mut self.tags),
            keyword: header.keyword.to_owned(),
            name: header.name.to_owned(),
            description: String::new(),
            children: Vec::new(),
        });
    }

    pub(super) fn background(&mut self, header: &Header) {
        self.end_description();
        self.background = Some(Background {
            at: header.at,
            keyword: header.keyword.to_owned(),
            name: header.name.to_owned(),
            description: String::new(),
            steps: Vec::new(),
        });
    }

    pub(super) fn scenario(&mut self, header: &Header) {
        self.close_block();
        self.scenario = Some(Scenario {
            at: header.at,
            name_at: header.name_at,
            tags: std::mem::take(&mut self.tags),
            keyword: header.keyword.to_owned(),
            name: header.name.to_owned(),
            description: String::new(),
            steps: Vec::new(),
            examples: Vec::new(),
        });
    }

    pub(super) fn examples(&mut self, header: &Header) {
        self.close_step();
        self.close_examples();
        self.examples = Some(Examples {
            at: header.at,
            tags: std::mem::take(&mut self.tags),
            keyword: header.keyword.to_owned(),
            name: header.name.to_owned(),
            description: String::new(),
            header: None,
            rows: Vec::new(),
        });
    }

    pub(super) fn step(&mut self, step: Step) {
        self.close_step();
        self.end_description();
        self.step = Some(step);
    }

    pub(super) fn row(&mut self, line: Line) {
        self.end_description();
        let width = self.rows.last().map_or(0, |row| row.cells.len());
        let mut cells = Vec::with_capacity(width);
        line.cells(|range, value| cells.push(Cell { at: self.at(range), value: value.into() }));
        self.rows.push(Row { at: self.at(line.range()), cells });
    }

    /// A doc string begins: the table before it, if any, is whole.
    pub(super) fn open_doc_string(&mut self) {
        self.close_table();
    }

    pub(super) fn doc_string(&mut self, doc_string: DocString) {
        if let Some(step) = &mut self.step {
            step.doc_string = Some(Box::new(doc_string));
        }
    }

    pub(super) fn take_uneven(&mut self) -> Option<Uneven> {
        self.uneven.take()
    }

    /// Closes what is open.
    pub(super) fn close(&mut self) {
        self.close_rule();
        self.end_description();
    }

    pub(super) fn into_document(self) -> Document {
        self.document
    }

    fn end_description(&mut self) {
        let mut lines = std::mem::take(&mut self.description);
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        if lines.is_empty() {
            return;
        }
        let target = match self {
            Self { examples: Some(examples), .. } => &mut examples.description,
            Self { scenario: Some(scenario), .. } => &mut scenario.description,
            Self { background: Some(background), .. } => &mut background.description,
            Self { rule: Some(rule), .. } => &mut rule.description,
            Self { document: Document { feature: Some(feature), .. }, .. } => &mut feature.description,
            _ => return,
        };
        *target = lines.join("\n");
    }

    /// Rows of another width than the first are a mistake and are left out, so that every cell has a column.
    fn close_table(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        let Some(first) = rows.first() else { return };
        let (at, expected) = (first.at, first.cells.len());
        if let Some(row) = rows.iter().find(|row| row.cells.len() != expected) {
            self.uneven = Some(Uneven { at: row.at, cells: row.cells.len(), expected });
            rows.retain(|row| row.cells.len() == expected);
        }
        if let Some(step) = &mut self.step {
            step.table = Some(Box::new(Table { at, rows }));
        } else if let Some(examples) = &mut self.examples {
            let mut rows = rows.into_iter();
            examples.header = rows.next();
            examples.rows = rows.collect();
        }
    }

    fn close_step(&mut self) {
        self.close_table();
        let Some(step) = self.step.take() else { return };
        if let Some(scenario) = &mut self.scenario {
            scenario.steps.push(step);
        } else if let Some(background) = &mut self.background {
            background.steps.push(step);
        }
    }

    fn close_examples(&mut self) {
        self.end_description();
        if let (Some(examples), Some(scenario)) = (self.examples.take(), &mut self.scenario) {
            scenario.examples.push(examples);
        }
    }

    fn close_block(&mut self) {
        self.close_step();
        self.close_examples();
        let background = self.background.take().map(Child::Background);
        let scenario = self.scenario.take().map(Child::Scenario);
        let children = match self {
            Self { rule: Some(rule), .. } => &mut rule.children,
            Self { document: Document { feature: Some(feature), .. }, .. } => &mut feature.children,
            _ => return,
        };
        children.extend(background);
        children.extend(scenario);
    }

    fn close_rule(&mut self) {
        self.close_block();
        if let (Some(rule), Some(feature)) = (self.rule.take(), &mut self.document.feature) {
            feature.children.push(Child::Rule(rule));
        }
    }
}
