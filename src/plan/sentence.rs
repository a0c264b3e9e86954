//! From a step's text to a [`StepPlan`]: found in the catalogue once per distinct text, its argument checked, its mistakes said.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::services::OfServices;
use super::{Below, Catalogue, DefId, DocArg, Found, PlanInput, StepDef, StepPlan, StepUse, client, tool};
use crate::event::Place;
use crate::source::{At, Code, Diagnostic, Diagnostics, SourceMap};
use crate::spec::setup::ROLES;
use crate::spec::{ClientSpec, ToolSpec};

/// Undefined sentences that get their neighbours named; finding those takes a look at the whole catalogue.
const MOST_SUGGESTED: usize = 64;

/// The one sentence that is state under Given and a claim under Then.
const SETS_OR_CLAIMS: &str = "the header {text} is {text}";

/// The sentence whose parameter names a role, as the catalogue writes it.
const NAMES_ROLE: &str = "the model {text}";
/// The claim whose text may be a role as well: its model can only be looked for where the setup names one.
const LISTS_ROLE: &str = "the models include {text}";
/// Sentences that ask the model of this role where none is named.
const EMBEDS: ([&str; 2], &str) = (["I embed {text}", "I embed:"], "embedding");

/// A step before it is found: texts with their values filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawStep {
    pub keyword: Arc<str>,
    /// What its keyword means; `None` for `*`.
    pub kind: Option<StepUse>,
    pub text: Arc<str>,
    /// Place of the step.
    pub at: At,
    /// Place of the sentence.
    pub text_at: At,
    pub table: Option<Arc<[Vec<Arc<str>>]>>,
    pub doc: Option<DocArg>,
}

type Captures = Arc<[(Option<String>, String)]>;

#[derive(Debug, Clone)]
enum Meaning {
    One(DefId, Captures),
    Undefined,
    Ambiguous(Arc<[DefId]>),
}

/// Finds sentences for one compilation.
pub(super) struct Finder<'a> {
    map: &'a SourceMap,
    catalogue: &'a Catalogue,
    tools: &'a [Arc<ToolSpec>],
    clients: &'a [Arc<ClientSpec>],
    known: HashMap<Arc<str>, Meaning>,
    /// A mistake is said once per place, however many rows and suites meet it.
    said: HashSet<(At, Code)>,
    suggested: HashMap<Arc<str>, Arc<[DefId]>>,
    keywords: HashMap<Arc<str>, Arc<str>>,
    pub diagnostics: Diagnostics,
}

impl<'a> Finder<'a> {
    pub fn new(map: &'a SourceMap, catalogue: &'a Catalogue, input: &'a PlanInput) -> Self {
        Self {
            map,
            catalogue,
            tools: &input.tools,
            clients: &input.clients,
            known: HashMap::new(),
            said: HashSet::new(),
            suggested: HashMap::new(),
            keywords: HashMap::new(),
            diagnostics: Vec::new(),
        }
    }

    pub fn map(&self) -> &'a SourceMap {
        self.map
    }

    /// A place as records carry it.
    pub fn place(&self, at: At) -> Place {
        let source = self.map.file(at.file);
        let position = source.line_col(at.start);
        Place { file: source.name().clone(), line: position.line, column: position.column }
    }

    /// The place of a word inside a place, where it stands in the file as it is; else the whole place.
    pub fn inside(&self, at: At, word: &str) -> At {
        let text = self.map.slice(at);
        let goes_on = |a: Option<char>, b: Option<char>| {
            let letter = |c: char| c.is_alphanumeric() || c == '_';
            a.is_some_and(letter) && b.is_some_and(letter)
        };
        let alone = |&(from, _): &(usize, &str)| {
            let (before, after) = (&text[..from], &text[from + word.len()..]);
            !goes_on(before.chars().next_back(), word.chars().next()) && !goes_on(word.chars().next_back(), after.chars().next())
        };
        let narrow = |from: usize| u32::try_from(from).unwrap_or(u32::MAX);
        match text.match_indices(word).find(alone).filter(|_| !word.is_empty()) {
            Some((from, _)) => At { start: at.start + narrow(from), end: at.start + narrow(from + word.len()), ..at },
            None => at,
        }
    }

    /// Says a mistake, once per place and code.
    pub fn say(&mut self, diagnostic: Diagnostic) {
        let fresh = diagnostic.at.is_none_or(|at| self.said.insert((at, diagnostic.code)));
        if fresh {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The definition of a found step.
    pub fn kind_of(&self, step: &StepPlan) -> StepUse {
        self.catalogue.def(step.def).kind
    }

    /// The roles that steps ask or look for, as far as they are of the closed list: those they name, and for vectors without a name,
    /// its own.
    pub fn roles_of(&self, steps: &[Arc<StepPlan>]) -> Vec<&'static str> {
        let sentence = |step: &StepPlan| self.catalogue.def(step.def).sentence;
        let named: Vec<&str> =
            steps.iter().filter(|step| sentence(step) == NAMES_ROLE).filter_map(|step| first_value(step)).collect();
        if named.is_empty() && steps.iter().any(|step| EMBEDS.0.contains(&sentence(step))) {
            return vec![EMBEDS.1];
        }
        let listed = steps.iter().filter(|step| sentence(step) == LISTS_ROLE).filter_map(|step| first_value(step));
        named.into_iter().chain(listed).filter_map(|name| ROLES.into_iter().find(|role| *role == name)).collect()
    }

    /// What a step says of the services of the stack, where it does.
    pub fn of_services(&self, step: &StepPlan, at: At) -> Option<OfServices> {
        OfServices::read(self.catalogue.def(step.def).sentence, step, |word| self.inside(at, word))
    }

    /// Finds a step; `None` where it means nothing (its mistake is said).
    pub fn step(&mut self, raw: RawStep) -> Option<StepPlan> {
        let (text, meaning) = self.meaning(&raw.text);
        let (def, captures) = match meaning {
            Meaning::One(def, captures) => (def, captures),
            Meaning::Undefined => {
                let diagnostic = self.undefined(&raw);
                self.say(diagnostic);
                return None;
            }
            Meaning::Ambiguous(defs) => {
                let mut diagnostic =
                    Diagnostic::error("step/ambiguous", raw.text_at, format!("{} sentences say `{}`", defs.len(), raw.text));
                for &id in &*defs {
                    let def = self.catalogue.def(id);
                    diagnostic = diagnostic.note(None, format!("`{}` ({})", def.sentence, def.place));
                }
                self.say(diagnostic.help("word the step so that only one of them fits".to_owned()));
                return None;
            }
        };
        let definition = self.catalogue.def(def);
        if let Some(mistake) = wrong_argument(definition, &raw) {
            self.say(mistake);
            return None;
        }
        if definition.kind == StepUse::Then && raw.kind == Some(StepUse::Given) && definition.sentence != SETS_OR_CLAIMS {
            let diagnostic = Diagnostic::warning(
                "step/claim-under-given",
                raw.text_at,
                format!("`{}` is a claim, and stands under Given", definition.sentence),
            );
            self.say(diagnostic.help("claims stand under Then; what is given is state".to_owned()));
        }
        let kind = raw.kind.unwrap_or(definition.kind);
        let at = self.place(raw.at);
        let keyword = self.keyword(raw.keyword);
        let live = definition.live;
        let step = StepPlan { def, live, captures, keyword, kind, text, at, table: raw.table, doc: raw.doc };
        self.names_are_right(&step, raw.text_at);
        Some(step)
    }

    /// What a step says of tools and clients is held against their files.
    fn names_are_right(&mut self, step: &StepPlan, at: At) {
        let values: Vec<&str> = step.captures.iter().skip(1).map(|(_, text)| text.as_str()).collect();
        let doc = step.doc.as_ref().map(|doc| &*doc.content);
        let sentence = self.catalogue.def(step.def).sentence;
        let of_tools = tool::of_step(sentence, &values, doc, self.tools);
        for mistake in of_tools.into_iter().chain(client::of_step(sentence, &values, self.clients)) {
            let at = self.inside(at, &mistake.word);
            let diagnostic = if mistake.warns {
                Diagnostic::warning(mistake.code, at, mistake.message)
            } else {
                Diagnostic::error(mistake.code, at, mistake.message)
            };
            self.say(diagnostic.help(mistake.help).rule(mistake.rule));
        }
    }

    /// The keyword without its trailing space; one allocation per distinct keyword.
    fn keyword(&mut self, written: Arc<str>) -> Arc<str> {
        self.keywords.entry(written).or_insert_with_key(|written| written.trim().into()).clone()
    }

    /// What a text means, and the one copy of that text.
    fn meaning(&mut self, text: &Arc<str>) -> (Arc<str>, Meaning) {
        if let Some((text, meaning)) = self.known.get_key_value(text) {
            return (text.clone(), meaning.clone());
        }
        let meaning = match self.catalogue.find_exact(text) {
            Found::One(def, captures) => Meaning::One(def, captures.into()),
            Found::None(_) => Meaning::Undefined,
            Found::Many(defs) => Meaning::Ambiguous(defs.into()),
        };
        self.known.insert(text.clone(), meaning.clone());
        (text.clone(), meaning)
    }

    fn undefined(&mut self, raw: &RawStep) -> Diagnostic {
        let mut diagnostic = Diagnostic::error("step/undefined", raw.text_at, format!("no sentence says `{}`", short(&raw.text)));
        if !self.suggested.contains_key(&raw.text) && self.suggested.len() < MOST_SUGGESTED {
            self.suggested.insert(raw.text.clone(), self.catalogue.nearest_of(&raw.text, raw.kind, 3).into());
        }
        if let Some(near) = self.suggested.get(&raw.text) {
            for &id in &**near {
                let def = self.catalogue.def(id);
                let mut note = format!("near: `{}`", def.sentence);
                if !def.example.is_empty() {
                    note.push_str(", for example `");
                    note.push_str(def.example.lines().next().unwrap_or("").trim());
                    note.push('`');
                }
                diagnostic = diagnostic.note(None, note);
            }
        }
        diagnostic.help("`fireassay steps WORD` searches the catalogue".to_owned())
    }
}

/// A table or doc string that is missing or too much: a sentence takes one exactly where it ends with `:`.
fn wrong_argument(definition: &StepDef, raw: &RawStep) -> Option<Diagnostic> {
    let sentence = definition.sentence;
    match (sentence.ends_with(':'), raw.table.is_some(), raw.doc.is_some()) {
        (true, true, true) => {
            let message = format!("`{sentence}` takes a table or a doc string, not both");
            Some(Diagnostic::error("step/unexpected-argument", raw.text_at, message).help("take one of them away".to_owned()))
        }
        (true, table, doc) => missing_argument(definition, raw, table, doc),
        (false, false, false) => None,
        (false, ..) => {
            let message = format!("`{sentence}` takes no table or doc string");
            let help = "take it away, or use the sentence that ends with `:`".to_owned();
            Some(Diagnostic::error("step/unexpected-argument", raw.text_at, message).help(help))
        }
    }
}

fn missing_argument(definition: &StepDef, raw: &RawStep, table: bool, doc: bool) -> Option<Diagnostic> {
    let (what, instead) = match definition.below {
        Some(Below::Doc(_)) if !doc => ("a doc string", ", not a table"),
        Some(Below::Table(_)) if !table => ("a table", ", not a doc string"),
        None if !doc && !table => ("a table or a doc string", ""),
        _ => return None,
    };
    let instead = if table || doc { instead } else { "" };
    let message = format!("`{}` needs {what} below it{instead}", definition.sentence);
    let sample = definition.below.map(|below| sample(below, &format!("{}{}", raw.keyword, raw.text)));
    Some(Diagnostic::error("step/missing-argument", raw.text_at, message).help(sample))
}

/// The step as it is written, with something below it.
fn sample(below: Below, step: &str) -> String {
    let lines = match below {
        Below::Doc(text) => format!("\"\"\"\n{text}\n\"\"\""),
        Below::Table(rows) => rows.to_owned(),
    };
    let lines: String = lines.lines().map(|line| format!("\n  {line}")).collect();
    format!("for example:\n{step}{lines}")
}

/// The first value in a step's sentence, without its quotes.
fn first_value(step: &StepPlan) -> Option<&str> {
    step.captures.iter().skip(1).map(|(_, text)| text.as_str()).find(|text| !text.is_empty()).map(|text| text.trim_matches('"'))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
