//! All sentences as data, joined from what `#[step]` recorded and what cucumber registered.

use std::collections::HashMap;

use cucumber::codegen::{StepConstructor, WorldInventory};

use super::World;
use super::lint::below_of;
use crate::plan::{Catalogue, StepDef, StepUse};

/// What `#[step]` records of one sentence.
#[derive(Debug)]
pub struct StepText {
    /// Sentence as a cucumber expression.
    pub sentence: &'static str,
    /// What it is for.
    pub kind: StepUse,
    /// Doc comment.
    pub doc: &'static str,
    /// A line that uses it.
    pub example: &'static str,
    /// Whether only a running server can show it.
    pub live: bool,
    /// Rust file.
    pub file: &'static str,
    /// Line in it.
    pub line: u32,
    /// Column in it.
    pub column: u32,
}

inventory::collect!(StepText);

/// The function behind a sentence.
pub type StepFunction = cucumber::Step<World>;

/// All sentences, sorted by topic, kind and text; with plain cucumber attributes of embedding crates behind them.
pub fn catalogue() -> Catalogue {
    Catalogue::new(gather().into_iter().map(|(def, _)| def).collect())
}

/// The functions, in the order of [`catalogue`]'s ids.
pub fn functions() -> Vec<StepFunction> {
    gather().into_iter().map(|(_, function)| function).collect()
}

fn gather() -> Vec<(StepDef, StepFunction)> {
    let texts: HashMap<(&str, u32, u32), &StepText> =
        inventory::iter::<StepText>.into_iter().map(|text| ((text.file, text.line, text.column), text)).collect();
    let mut all = Vec::new();
    collect(inventory::iter::<<World as WorldInventory>::Given>.into_iter(), StepUse::Given, &texts, &mut all);
    collect(inventory::iter::<<World as WorldInventory>::When>.into_iter(), StepUse::When, &texts, &mut all);
    collect(inventory::iter::<<World as WorldInventory>::Then>.into_iter(), StepUse::Then, &texts, &mut all);
    all.sort_by(|(a, _), (b, _)| (a.kind as u8, a.topic, a.sentence).cmp(&(b.kind as u8, b.topic, b.sentence)));
    all
}

fn collect<'a, C: StepConstructor<World> + 'a>(
    constructors: impl Iterator<Item = &'a C>,
    kind: StepUse,
    texts: &HashMap<(&str, u32, u32), &'static StepText>,
    all: &mut Vec<(StepDef, StepFunction)>,
) {
    for constructor in constructors {
        let (location, regex, function) = constructor.inner();
        let place = format!("{}:{}", location.path.replace('\\', "/"), location.line);
        let topic = location.path.rsplit(['/', '\\']).next().unwrap_or("").trim_end_matches(".rs");
        let def = if let Some(text) = texts.get(&(location.path, location.line, location.column)) {
            let StepText { sentence, kind, doc, example, live, .. } = **text;
            StepDef { sentence, kind, doc, example, live, below: below_of(sentence), topic, place, regex }
        } else {
            // A step that an embedding crate wrote with cucumber's own attribute: its pattern is all there is. Leaked once.
            let pattern: &'static str = Box::leak(regex().as_str().to_owned().into_boxed_str());
            StepDef { sentence: pattern, kind, doc: "", example: "", live: false, below: None, topic, place, regex }
        };
        all.push((def, function));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet, VecDeque};

    use regex_automata::hybrid::LazyStateID;
    use regex_automata::hybrid::dfa::{Cache, DFA};
    use regex_automata::{Anchored, Input};

    use super::*;
    use crate::plan::Found;

    /// An expression as an automaton that is walked byte by byte.
    struct Automaton {
        dfa: DFA,
        cache: Cache,
    }

    impl Automaton {
        fn new(pattern: &str) -> Self {
            // States are compared, so none may be forgotten.
            let config = DFA::config().cache_capacity(64 << 20).minimum_cache_clear_count(Some(0));
            let dfa = DFA::builder().configure(config).build(pattern).expect("a pattern of ours");
            let cache = dfa.create_cache();
            Self { dfa, cache }
        }

        fn start(&mut self) -> LazyStateID {
            let from = Input::new("").anchored(Anchored::Yes);
            self.dfa.start_state_forward(&mut self.cache, &from).expect("it begins")
        }

        /// Where a byte leads; nowhere once nothing can match any more.
        fn next(&mut self, state: LazyStateID, byte: u8) -> Option<LazyStateID> {
            let next = self.dfa.next_state(&mut self.cache, state, byte).expect("the cache holds all");
            (!next.is_dead()).then_some(next)
        }

        fn matches(&mut self, state: LazyStateID) -> bool {
            self.dfa.next_eoi_state(&mut self.cache, state).expect("the cache holds all").is_match()
        }
    }

    /// The shortest text that both expressions match: both automata are walked side by side, through every pair of states.
    fn said_by_both(one: &mut Automaton, other: &mut Automaton) -> Option<String> {
        let start = (one.start(), other.start());
        let mut came: HashMap<_, ((LazyStateID, LazyStateID), u8)> = HashMap::new();
        let (mut seen, mut todo) = (HashSet::from([start]), VecDeque::from([start]));
        while let Some(at) = todo.pop_front() {
            if one.matches(at.0) && other.matches(at.1) {
                let path = std::iter::successors(came.get(&at), |(before, _)| came.get(before));
                let mut text: Vec<u8> = path.map(|(_, byte)| *byte).collect();
                text.reverse();
                return Some(String::from_utf8_lossy(&text).into_owned());
            }
            for byte in 0..=u8::MAX {
                let Some(next) = one.next(at.0, byte) else { continue };
                let Some(next) = other.next(at.1, byte).map(|other| (next, other)) else { continue };
                if seen.insert(next) {
                    came.insert(next, (at, byte));
                    todo.push_back(next);
                }
            }
        }
        None
    }

    #[test]
    fn two_sentences_that_overlap_are_found_with_a_text_that_both_say() {
        let said = |one: &str, other: &str| said_by_both(&mut Automaton::new(one), &mut Automaton::new(other));
        assert_eq!(said("^the tools (.*)$", "^the tools are strict$").as_deref(), Some("the tools are strict"));
        assert_eq!(said(r#"^I ask ("[^"]*")$"#, r"^I ask (.*) ([0-9]+)$").as_deref(), None);
        assert_eq!(said(r#"^I ask ("[^"]*".*)$"#, r"^I ask (.*) ([0-9]+)$").as_deref(), Some("I ask \"\" 0"));
    }

    /// So no feature can hold an ambiguous step: only sentences of an embedding crate can make one.
    #[test]
    fn no_text_whatever_is_said_by_two_sentences() {
        let catalogue = catalogue();
        let mut all: Vec<(&str, Automaton)> =
            catalogue.iter().map(|(_, def)| (def.sentence, Automaton::new((def.regex)().as_str()))).collect();
        let mut overlaps = Vec::new();
        for later in 1..all.len() {
            let (before, rest) = all.split_at_mut(later);
            let (sentence, automaton) = &mut rest[0];
            for (other, known) in before {
                overlaps.extend(said_by_both(known, automaton).map(|text| format!("`{text}`: `{other}`, `{sentence}`")));
            }
        }
        assert!(all.len() > 100 && overlaps.is_empty(), "{} overlaps:\n{}", overlaps.len(), overlaps.join("\n"));
    }

    #[test]
    fn every_example_is_found_by_its_own_sentence_alone() {
        let catalogue = catalogue();
        for (id, def) in catalogue.iter() {
            match catalogue.find(def.example) {
                Found::One(found, _) => assert_eq!(catalogue.def(found).sentence, def.sentence, "{}", def.example),
                Found::None(_) => panic!("{} ({}): its example is not found: {}", def.sentence, def.place, def.example),
                Found::Many(ids) => {
                    let sentences: Vec<&str> = ids.iter().map(|id| catalogue.def(*id).sentence).collect();
                    panic!("`{}` is said by {sentences:?}", def.example)
                }
            }
            assert!(id.0 < 1000);
        }
    }

    #[test]
    fn every_sentence_has_a_manual_and_stands_once() {
        let catalogue = catalogue();
        assert!(catalogue.iter().count() > 100, "{}", catalogue.iter().count());
        let mut seen = std::collections::BTreeSet::new();
        for (_, def) in catalogue.iter() {
            assert!(!def.doc.is_empty() && !def.example.is_empty(), "{}", def.sentence);
            let summary = def.doc.lines().next().unwrap_or_default();
            assert!(summary.ends_with('.') && summary.len() <= 160, "{}: {summary}", def.sentence);
            assert!(seen.insert(def.sentence), "{} stands twice", def.sentence);
            assert!(def.place.starts_with("src/steps/") && !def.topic.is_empty(), "{}", def.place);
        }
        assert_eq!(functions().len(), catalogue.iter().count());
    }
}
