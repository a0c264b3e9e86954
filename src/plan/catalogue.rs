//! All step sentences as data, and the index that finds the one a step means.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::Regex;

/// Number of a step definition in its [`Catalogue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefId(pub u32);

/// What a sentence is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepUse {
    /// State.
    Given,
    /// One call.
    When,
    /// One claim.
    Then,
}

impl StepUse {
    /// `Given`, `When`, `Then`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "Given",
            Self::When => "When",
            Self::Then => "Then",
        }
    }
}

/// What a sentence takes below it, with a sample of it: the text between the fences, or the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// A doc string.
    Doc(&'static str),
    /// A table.
    Table(&'static str),
}

/// One sentence.
#[derive(Debug, Clone)]
pub struct StepDef {
    /// The sentence as a cucumber expression: `the reply mentions {text}`.
    pub sentence: &'static str,
    /// What it is for.
    pub kind: StepUse,
    /// Doc comment: first line is a summary.
    pub doc: &'static str,
    /// A line that uses it.
    pub example: &'static str,
    /// Whether only a running server can show it: where replies come from a tape it is not evaluated.
    pub live: bool,
    /// What stands below it; `None` also for sentences of embedding crates, of which that is not known.
    pub below: Option<Below>,
    /// Topic: name of the Rust file it stands in.
    pub topic: &'static str,
    /// Where it is defined, `src/steps/reply.rs:12`.
    pub place: String,
    /// Its regular expression, compiled when first needed.
    pub regex: fn() -> Regex,
}

/// All sentences.
#[derive(Debug, Default)]
pub struct Catalogue {
    defs: Vec<StepDef>,
    /// Definitions by the first two literal words; those that begin with a parameter under "".
    index: HashMap<String, Vec<DefId>>,
    /// Sentences without their parameters, for comparing.
    plain: Vec<String>,
    /// Compiled expressions: a fresh copy of a regex begins with an empty cache, which costs more than the match.
    regexes: Vec<OnceLock<Regex>>,
}

/// What a sentence means.
#[derive(Debug)]
pub enum Found {
    /// Exactly one definition, with cucumber's captures (whole match first).
    One(DefId, Vec<(Option<String>, String)>),
    /// Nothing; the nearest sentences.
    None(Vec<DefId>),
    /// Several.
    Many(Vec<DefId>),
}

impl Catalogue {
    /// Builds the index.
    pub fn new(defs: Vec<StepDef>) -> Self {
        let mut index: HashMap<String, Vec<DefId>> = HashMap::new();
        for (at, def) in defs.iter().enumerate() {
            let id = DefId(u32::try_from(at).expect("fewer than 2^32 sentences"));
            index.entry(literal_prefix(def.sentence)).or_default().push(id);
        }
        let plain = defs.iter().map(|def| without_parameters(def.sentence)).collect();
        let regexes = defs.iter().map(|_| OnceLock::new()).collect();
        Self { defs, index, plain, regexes }
    }

    /// One definition.
    pub fn def(&self, id: DefId) -> &StepDef {
        &self.defs[id.0 as usize]
    }

    fn regex(&self, id: DefId) -> &Regex {
        self.regexes[id.0 as usize].get_or_init(self.def(id).regex)
    }

    /// All definitions with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (DefId, &StepDef)> {
        (0u32..).map(DefId).zip(&self.defs)
    }

    /// Finds the sentence a step means, under every keyword.
    pub fn find(&self, text: &str) -> Found {
        match self.find_exact(text) {
            Found::None(_) => Found::None(self.nearest(text, 3)),
            found => found,
        }
    }

    /// Like [`Catalogue::find`], without looking for neighbours: those take a comparison with every sentence.
    pub fn find_exact(&self, text: &str) -> Found {
        let mut hits = Vec::new();
        let mut words = text.split_whitespace();
        let (one, two) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        for key in [format!("{one} {two}"), one.to_owned(), String::new()] {
            for &id in self.index.get(&key).into_iter().flatten() {
                let regex = self.regex(id);
                if let Some(captures) = regex.captures(text) {
                    let captures = regex
                        .capture_names()
                        .zip(captures.iter())
                        .map(|(name, group)| (name.map(str::to_owned), group.map_or("", |group| group.as_str()).to_owned()))
                        .collect();
                    hits.push((id, captures));
                }
            }
        }
        match hits.len() {
            0 => Found::None(Vec::new()),
            1 => {
                let (id, captures) = hits.pop().expect("one hit");
                Found::One(id, captures)
            }
            _ => Found::Many(hits.into_iter().map(|(id, _)| id).collect()),
        }
    }

    /// The sentences nearest to a text, best first: by shared words, then by letters.
    pub fn nearest(&self, text: &str, limit: usize) -> Vec<DefId> {
        self.nearest_of(text, None, limit)
    }

    /// Like [`Catalogue::nearest`]; of those that share about as much, sentences for the step's own keyword come first.
    pub fn nearest_of(&self, text: &str, kind: Option<StepUse>, limit: usize) -> Vec<DefId> {
        let plain = without_values(text);
        let words = words_of(&plain);
        let mut scored: Vec<(usize, DefId, &str)> = (0u32..)
            .map(DefId)
            .zip(&self.plain)
            .map(|(id, known)| (shared(&words, &words_of(known)), id, known.as_str()))
            .collect();
        let best = scored.iter().map(|(score, ..)| *score).max().unwrap_or(0);
        scored.retain(|(score, ..)| score * 10 >= best * 6);
        scored.sort_by_cached_key(|&(score, id, known)| {
            let other = kind.is_some_and(|kind| kind != self.def(id).kind);
            (other, std::cmp::Reverse(score), strsim::osa_distance(&plain, known), id)
        });
        scored.into_iter().take(limit).map(|(_, id, _)| id).collect()
    }
}

fn words_of(plain: &str) -> Vec<&str> {
    plain.split(|c: char| c.is_whitespace() || c == '_' || c == ':').filter(|word| !word.is_empty()).collect()
}

/// How much two sentences share, in thousandths: words count twice, those at the beginning once more.
fn shared(ours: &[&str], theirs: &[&str]) -> usize {
    let both = ours.iter().filter(|word| theirs.contains(word)).count();
    let begin = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    (2 * both + begin) * 1000 / (ours.len() + theirs.len()).max(1)
}

/// The first two words of a sentence as far as they are plain; a word with expression syntax ends it.
fn literal_prefix(sentence: &str) -> String {
    let plain = |word: &&str| !word.contains(['{', '(', '/', '\\']);
    sentence.split_whitespace().take(2).take_while(plain).collect::<Vec<_>>().join(" ")
}

/// A step's text with quoted parts and numbers taken out, for comparing with sentences.
fn without_values(text: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                if !quoted {
                    out.push('_');
                }
            }
            _ if quoted => {}
            '0'..='9' => {
                if !out.ends_with('_') {
                    out.push('_');
                }
            }
            _ => out.push(c),
        }
    }
    out
}

fn without_parameters(sentence: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in sentence.chars() {
        match c {
            '{' => inside = true,
            '}' => {
                inside = false;
                out.push('_');
            }
            _ if inside => {}
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn def(sentence: &'static str, regex: fn() -> Regex) -> StepDef {
        StepDef {
            sentence,
            kind: StepUse::Then,
            doc: "",
            example: "",
            live: false,
            below: None,
            topic: "t",
            place: String::new(),
            regex,
        }
    }

    #[test]
    fn a_sentence_is_found_and_a_misspelt_one_names_its_neighbours() {
        let catalogue = Catalogue::new(vec![
            def("the reply mentions {text}", || Regex::new(r#"^the reply mentions "([^"]*)"$"#).expect("regex")),
            def("{text} is known", || Regex::new(r#"^"([^"]*)" is known$"#).expect("regex")),
            def("I ask {text}", || Regex::new(r#"^I ask "([^"]*)"$"#).expect("regex")),
        ]);
        match catalogue.find(r#"the reply mentions "Paris""#) {
            Found::One(DefId(0), captures) => assert_eq!(captures[1].1, "Paris"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(catalogue.find(r#""x" is known"#), Found::One(DefId(1), _)));
        match catalogue.find(r#"the reply mention "Paris""#) {
            Found::None(nearest) => assert_eq!(nearest[0], DefId(0)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn neighbours_share_words_and_stand_under_the_same_keyword() {
        let any = || Regex::new("^$").expect("regex");
        let with = |kind, sentence| StepDef { kind, ..def(sentence, any) };
        let catalogue = Catalogue::new(vec![
            with(StepUse::Given, "the model {text}"),
            with(StepUse::Given, "the seed is {int}"),
            with(StepUse::When, "I list the models"),
            with(StepUse::When, "I get the model {text}"),
            with(StepUse::When, "I ask {text}"),
            with(StepUse::Then, "the reply mentions {text}"),
        ]);
        let near = |kind, text| catalogue.nearest_of(text, Some(kind), 3).first().map(|id| catalogue.def(*id).sentence);
        assert_eq!(near(StepUse::When, "I ask the model \"x?\""), Some("I ask {text}"));
        assert_eq!(near(StepUse::When, "I aks \"x?\""), Some("I ask {text}"));
        assert_eq!(near(StepUse::Then, "the answer mentions \"x\""), Some("the reply mentions {text}"));
    }
}
