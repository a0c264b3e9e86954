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
            let StepText { sentence, kind, doc, example, .. } = **text;
            StepDef { sentence, kind, doc, example, below: below_of(sentence), topic, place, regex }
        } else {
            // A step that an embedding crate wrote with cucumber's own attribute: its pattern is all there is. Leaked once.
            let pattern: &'static str = Box::leak(regex().as_str().to_owned().into_boxed_str());
            StepDef { sentence: pattern, kind, doc: "", example: "", below: None, topic, place, regex }
        };
        all.push((def, function));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Found;

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
