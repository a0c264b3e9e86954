//! Which line may follow which? Text → [`Document`] and every mistake, line by line.
//!
//! The states are those of the official grammar: a line that fits nowhere is one mistake and leaves the state as it is, so
//! the same lines are reported as by the official parsers. Like them it gives up after [`MOST_MISTAKES`].

use super::dialect::{Dialect, Title};
use super::line::{Line, Lines, unescape_fence};
use super::mistake;
use super::tree::{Header, Tree};
use super::{DocString, Document, Step, Tag};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// After so many mistakes the rest is more likely confusion than news.
const MOST_MISTAKES: usize = 11;

/// Reads a feature file. **Shape**: a file without a feature (empty, or only comments) gives a document without one and no
/// mistake. **Errors**: every mistake with its place; the document then holds what could be read.
///
/// One slip is one mistake: what only follows from an earlier one is not said, and a doc string that is left open is shown
/// where it opens.
pub fn parse(map: &SourceMap, file: FileId) -> (Document, Diagnostics) {
    read(map, file, false)
}

/// Like [`parse`], with mistakes on exactly the lines on which the official parsers report theirs.
pub(super) fn parse_as_official(map: &SourceMap, file: FileId) -> (Document, Diagnostics) {
    read(map, file, true)
}

fn read(map: &SourceMap, file: FileId, official: bool) -> (Document, Diagnostics) {
    let text = map.file(file).text();
    let mut parser = Parser {
        text,
        lines: Lines::of(text),
        dialect: Dialect::of("en").expect("English is in the table"),
        state: State::Start,
        tree: Tree::new(file),
        diagnostics: Vec::new(),
        mistakes: 0,
        bad_tags_to: 0,
        official,
    };
    while parser.mistakes < MOST_MISTAKES {
        let Some(line) = parser.lines.next() else {
            parser.end();
            break;
        };
        parser.line(line);
    }
    (parser.tree.into_document(), parser.diagnostics)
}

/// What was read last, as far as it decides what may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing but comments.
    Start,
    /// The language line.
    Language,
    /// Tags, and what they must belong to.
    Tags(Title),
    /// A feature's or a rule's title, or what describes it.
    Header(Opening),
    /// A background.
    Background(Inside),
    /// A scenario.
    Scenario(Inside),
    /// An examples title, or what describes it.
    Examples(Opening),
    /// Rows of examples.
    ExampleRows,
}

/// How far a title is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Only the title.
    Title,
    /// Lines below it.
    Described,
}

/// Where in a background or scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Before the first step.
    Opening(Opening),
    /// Behind a step's sentence.
    Step,
    /// In a step's table; a doc string may follow.
    Table,
    /// Behind a doc string; a table may follow.
    DocString,
    /// In the table behind a doc string.
    LastTable,
    /// Behind a table and a doc string.
    Full,
}

struct Parser<'a> {
    text: &'a str,
    lines: Lines<'a>,
    dialect: Dialect,
    state: State,
    tree: Tree<'a>,
    diagnostics: Diagnostics,
    /// Errors as the official parsers count them, for the limit.
    mistakes: usize,
    /// Tag lines up to this one have been complained about: a line that was looked at ahead is read again.
    bad_tags_to: u32,
    /// Mistakes as the official parsers report them, also those that only follow from others.
    official: bool,
}

impl<'a> Parser<'a> {
    fn line(&mut self, line: Line<'a>) {
        let fits = match self.state {
            State::Start | State::Language => self.before_feature(line),
            State::Tags(owner) => self.after_tags(line, owner),
            _ => self.body(line),
        };
        self.complain_of_table();
        if !fits && self.mistakes < MOST_MISTAKES && (self.official || !self.follows(line)) {
            self.mistake(mistake::unexpected(self.tree.at(line.range()), line.text.trim_end(), self.state, &self.dialect));
        }
    }

    /// Whether a line that fits nowhere only follows from a mistake that was said: bad tags, a feature that never begins,
    /// a second doc string.
    fn follows(&mut self, line: Line<'a>) -> bool {
        let no_feature = matches!(self.state, State::Start | State::Language) && self.mistakes > 0;
        let second = matches!(
            self.state,
            State::Background(Inside::DocString | Inside::LastTable | Inside::Full)
                | State::Scenario(Inside::DocString | Inside::LastTable | Inside::Full)
        );
        if second && let Some(fence) = fence_of(line.text) {
            let mut ahead = self.lines.clone();
            if ahead.any(|line| line.text.starts_with(fence)) {
                self.lines = ahead;
            }
        }
        no_feature || (line.text.starts_with('@') && line.number <= self.bad_tags_to)
    }

    fn before_feature(&mut self, line: Line<'a>) -> bool {
        if line.text.starts_with('#') {
            if self.state == State::Start && self.language(line) {
                self.state = State::Language;
            } else {
                self.tree.comment(line);
            }
            return true;
        }
        if let Some(tags) = self.tag_line(line) {
            self.tree.tags(tags);
            self.state = State::Tags(Title::Feature);
            return true;
        }
        line.text.is_empty() || self.title(line, Title::Feature)
    }

    fn after_tags(&mut self, line: Line<'a>, owner: Title) -> bool {
        if line.text.starts_with('#') {
            self.tree.comment(line);
            return true;
        }
        if let Some(tags) = self.tag_line(line) {
            self.tree.tags(tags);
            return true;
        }
        line.text.is_empty() || self.title(line, owner)
    }

    fn body(&mut self, line: Line<'a>) -> bool {
        let opening = self.opening();
        if line.text.is_empty() && opening != Some(Opening::Described) {
            return true;
        }
        if line.text.starts_with('#') {
            self.tree.comment(line);
            self.describe(opening);
            return true;
        }
        if self.table_row(line) || self.doc_string(line) || self.step(line) || self.tags(line) {
            return true;
        }
        let titles = titles_after(self.state);
        if titles.iter().any(|&title| self.title(line, title)) {
            return true;
        }
        if opening.is_none() {
            return false;
        }
        if let Some(doubt) = mistake::doubtful(self.tree.at(line.range()), line.text, self.state, &self.dialect) {
            self.diagnostics.push(doubt);
        }
        self.tree.description_line(line.raw);
        self.describe(opening);
        true
    }

    /// The lines of a description are over once a step, a table or a title came.
    fn opening(&self) -> Option<Opening> {
        match self.state {
            State::Header(opening)
            | State::Examples(opening)
            | State::Background(Inside::Opening(opening))
            | State::Scenario(Inside::Opening(opening)) => Some(opening),
            _ => None,
        }
    }

    fn describe(&mut self, opening: Option<Opening>) {
        if opening != Some(Opening::Title) {
            return;
        }
        match &mut self.state {
            State::Header(opening) | State::Examples(opening) => *opening = Opening::Described,
            State::Background(inside) | State::Scenario(inside) => *inside = Inside::Opening(Opening::Described),
            _ => {}
        }
    }

    fn language(&mut self, line: Line<'a>) -> bool {
        let Some(at) = language_of(line.text) else { return false };
        let code = &line.text[at.clone()];
        if let Some(dialect) = Dialect::of(code) {
            self.dialect = dialect;
            return true;
        }
        let start = line.text_start();
        self.mistake(mistake::unknown_language(self.tree.at(start + at.start..start + at.end), code));
        false
    }

    /// The tags of a line, if it is one. A bad tag is reported once, and then the line is none.
    fn tag_line(&mut self, line: Line<'a>) -> Option<Vec<Tag>> {
        if !line.text.starts_with('@') {
            return None;
        }
        match line.tags() {
            Err(range) => {
                if line.number > self.bad_tags_to {
                    self.bad_tags_to = line.number;
                    let name = &self.text[range.clone()];
                    let rest = name[1..].trim_start().trim_start_matches(|c: char| !c.is_whitespace()).trim_start();
                    let word = name.len() - rest.len();
                    let at = self.tree.at(range.start + word..range.start + name.trim_end().len());
                    self.mistake(mistake::blank_in_tag(at, name));
                }
                None
            }
            Ok(ranges) => Some(
                ranges
                    .into_iter()
                    .map(|range| {
                        let written = &self.text[range.clone()];
                        let name = written[1..].trim_start();
                        let name = if name.len() + 1 == written.len() { written.into() } else { format!("@{name}").into() };
                        Tag { at: self.tree.at(range), name }
                    })
                    .collect(),
            ),
        }
    }

    fn tags(&mut self, line: Line<'a>) -> bool {
        let Some(tags) = self.tag_line(line) else { return false };
        let owner = self.owner_ahead();
        self.tree.tags(tags);
        self.state = State::Tags(owner);
        true
    }

    /// What the tags of this line belong to: what the next line says that is neither blank, comment nor tags.
    fn owner_ahead(&mut self) -> Title {
        for line in self.lines.clone() {
            let within_scenario = matches!(self.state, State::Scenario(_) | State::Examples(_) | State::ExampleRows);
            if within_scenario && self.dialect.title(line.text, Title::Examples).is_some() {
                return Title::Examples;
            }
            if self.scenario_keyword(line.text).is_some() {
                return Title::Scenario;
            }
            let blank = line.text.is_empty() || line.text.starts_with('#');
            if !blank && self.tag_line(line).is_none() {
                break;
            }
        }
        Title::Rule
    }

    fn scenario_keyword(&self, text: &str) -> Option<&'static str> {
        self.dialect.title(text, Title::Scenario).or_else(|| self.dialect.title(text, Title::Outline))
    }

    fn title(&mut self, line: Line<'a>, title: Title) -> bool {
        let keyword =
            if title == Title::Scenario { self.scenario_keyword(line.text) } else { self.dialect.title(line.text, title) };
        let Some(keyword) = keyword else { return false };
        let start = line.text_start();
        let name = line.rest(keyword.len() + 1);
        let header = Header {
            at: self.tree.at(start..start + keyword.len()),
            keyword,
            name_at: self.tree.at(name.clone()),
            name: &self.text[name],
        };
        self.state = match title {
            Title::Feature => {
                self.tree.feature(&header, self.dialect.language);
                State::Header(Opening::Title)
            }
            Title::Rule => {
                self.tree.rule(&header);
                State::Header(Opening::Title)
            }
            Title::Background => {
                self.tree.background(&header);
                State::Background(Inside::Opening(Opening::Title))
            }
            Title::Scenario | Title::Outline => {
                self.tree.scenario(&header);
                State::Scenario(Inside::Opening(Opening::Title))
            }
            Title::Examples => {
                self.tree.examples(&header);
                State::Examples(Opening::Title)
            }
        };
        true
    }

    fn step(&mut self, line: Line<'a>) -> bool {
        if !matches!(self.state, State::Background(_) | State::Scenario(_)) {
            return false;
        }
        let Some(keyword) = self.dialect.step(line.text) else { return false };
        let start = line.text_start();
        let text = line.rest(keyword.text.len());
        let step = Step {
            at: self.tree.at(start..start + keyword.text.trim_end().len()),
            text_at: self.tree.at(text.clone()),
            keyword: keyword.text.clone(),
            kind: keyword.kind,
            text: self.text[text].into(),
            table: None,
            doc_string: None,
        };
        self.tree.step(step);
        self.go(Inside::Step);
        true
    }

    fn table_row(&mut self, line: Line<'a>) -> bool {
        if !line.text.starts_with('|') {
            return false;
        }
        match self.state {
            State::Examples(_) | State::ExampleRows => self.state = State::ExampleRows,
            State::Background(inside) | State::Scenario(inside) => match inside {
                Inside::Step | Inside::Table => self.go(Inside::Table),
                Inside::DocString | Inside::LastTable => self.go(Inside::LastTable),
                Inside::Opening(_) | Inside::Full => return false,
            },
            _ => return false,
        }
        self.tree.row(line);
        true
    }

    /// Reads a whole doc string, to its closing fence or the end of the file.
    fn doc_string(&mut self, line: Line<'a>) -> bool {
        let Some(fence) = fence_of(line.text) else { return false };
        let next = match self.state {
            State::Background(Inside::Step) | State::Scenario(Inside::Step) => Inside::DocString,
            State::Background(Inside::Table) | State::Scenario(Inside::Table) => Inside::Full,
            _ => return false,
        };
        self.tree.open_doc_string();
        let body = self.lines.clone();
        let Some(end) = self.lines.find(|line| line.text.starts_with(fence)) else {
            self.complain_of_table();
            let start = line.text_start();
            let at = if self.official { self.past_end() } else { self.tree.at(start..start + fence.len()) };
            self.mistake(mistake::open_doc_string(at, fence, self.official.then_some(line.number)));
            self.state = State::Start;
            return true;
        };
        let start = body.clone().next().map_or(end.start, |line| line.start);
        let media_type = &self.text[line.rest(fence.len())];
        let doc_string = DocString {
            at: self.tree.at(line.text_start()..line.text_start() + fence.len()),
            content_at: self.tree.at(start..end.start),
            delimiter: fence,
            media_type: (!media_type.is_empty()).then(|| media_type.into()),
            content: content(body.take_while(|line| line.number < end.number), end.start - start, line.indent(), fence).into(),
        };
        self.tree.doc_string(doc_string);
        self.go(next);
        true
    }

    fn go(&mut self, next: Inside) {
        if let State::Background(inside) | State::Scenario(inside) = &mut self.state {
            *inside = next;
        }
    }

    fn end(&mut self) {
        match self.state {
            State::Language | State::Tags(_) => {
                let end = mistake::unexpected_end(self.past_end(), self.state, &self.dialect);
                self.mistake(end);
            }
            _ => {}
        }
        self.tree.close();
        self.complain_of_table();
    }

    /// The line after the last: the end of the text, or beyond it where the last line has no newline.
    fn past_end(&self) -> At {
        let end = self.text.len() + usize::from(!self.text.ends_with('\n'));
        self.tree.at(end..end)
    }

    fn complain_of_table(&mut self) {
        if let Some(uneven) = self.tree.take_uneven() {
            self.mistake(mistake::uneven_row(&uneven));
        }
    }

    fn mistake(&mut self, mut diagnostic: Diagnostic) {
        self.mistakes += 1;
        if self.mistakes > MOST_MISTAKES {
            return;
        }
        if self.mistakes == MOST_MISTAKES {
            diagnostic = diagnostic.note(None, "the rest of this file was not read");
        }
        self.diagnostics.push(diagnostic);
    }
}

/// The titles that may follow, in the order in which they are tried.
pub(super) fn titles_after(state: State) -> &'static [Title] {
    match state {
        State::Start | State::Language | State::Tags(Title::Feature) => &[Title::Feature],
        State::Tags(Title::Rule) => &[Title::Rule],
        State::Tags(Title::Examples) => &[Title::Examples],
        State::Tags(_) => &[Title::Scenario],
        State::Header(_) => &[Title::Background, Title::Scenario, Title::Rule],
        State::Background(_) => &[Title::Scenario, Title::Rule],
        State::Scenario(_) | State::Examples(_) | State::ExampleRows => &[Title::Examples, Title::Scenario, Title::Rule],
    }
}

/// The text of a doc string's lines, which take so many bytes as written.
fn content<'a>(lines: impl Iterator<Item = Line<'a>>, bytes: usize, indent: usize, fence: &str) -> String {
    let mut out = String::with_capacity(bytes);
    for (index, line) in lines.enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&unescape_fence(line.dedented(indent), fence));
    }
    out
}

/// The fence that a line begins with.
fn fence_of(text: &str) -> Option<&'static str> {
    ["\"\"\"", "```"].into_iter().find(|fence| text.starts_with(fence))
}

/// Where the code stands in a comment of the form `# language: fr`.
fn language_of(text: &str) -> Option<std::ops::Range<usize>> {
    let rest = text.strip_prefix('#')?.trim_start().strip_prefix("language")?.trim_start().strip_prefix(':')?;
    let code = rest.trim();
    let plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'));
    let start = text.len() - rest.trim_start().len();
    plain.then(|| start..start + code.len())
}
