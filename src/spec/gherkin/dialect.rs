//! Which words does a language use for Gherkin's keywords?
//!
//! The table is generated (`scripts/gherkin-languages.py`); only the line of the language asked for is read.

use std::sync::Arc;

use super::StepKind;

/// The generated table: a line per language, columns parted by tabs, keywords by `|`.
const TABLE: &str = include_str!("dialects.tsv");

/// The keywords of one language.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Its code, `en`.
    pub language: &'static str,
    /// Step keywords with their trailing space, the longest first.
    pub steps: Vec<StepKeyword>,
    titles: [Vec<&'static str>; 6],
}

/// One keyword of a step.
#[derive(Debug)]
pub(super) struct StepKeyword {
    /// As it stands in a file, most with a trailing space.
    pub text: Arc<str>,
    /// What it means.
    pub kind: StepKind,
}

/// A line that opens a part of a file: keyword, colon, title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Title {
    Feature,
    Rule,
    Background,
    Outline,
    Scenario,
    Examples,
}

impl Dialect {
    /// The keywords of a language, by its code.
    pub(super) fn of(language: &str) -> Option<Self> {
        let row = rows().find(|row| row.split('\t').next() == Some(language))?;
        let mut columns = row.split('\t');
        let language = columns.next()?;
        let mut words = || columns.next().unwrap_or("").split('|').collect::<Vec<_>>();
        let kinds = [StepKind::Context, StepKind::Action, StepKind::Outcome, StepKind::Conjunction, StepKind::Conjunction];
        let mut steps: Vec<StepKeyword> = Vec::new();
        for kind in kinds {
            for text in words() {
                match steps.iter_mut().find(|step| *step.text == *text) {
                    // A word that stands for several kinds, as `*` does, says nothing about the kind.
                    Some(step) => step.kind = StepKind::Unknown,
                    None => steps.push(StepKeyword { text: text.into(), kind }),
                }
            }
        }
        steps.sort_by_key(|step| std::cmp::Reverse(step.text.chars().count()));
        let titles = std::array::from_fn(|_| words());
        Some(Self { language, steps, titles })
    }

    /// The codes of all languages.
    pub(super) fn languages() -> impl Iterator<Item = &'static str> {
        rows().filter_map(|row| row.split('\t').next())
    }

    /// The keywords of a title, without the colon.
    pub(super) fn titles(&self, title: Title) -> &[&'static str] {
        &self.titles[title as usize]
    }

    /// The keyword a line begins with where it is such a title.
    pub(super) fn title(&self, line: &str, title: Title) -> Option<&'static str> {
        self.titles(title).iter().copied().find(|keyword| line.strip_prefix(keyword).is_some_and(|rest| rest.starts_with(':')))
    }

    /// The keyword a line begins with where it is a step; the longest one counts.
    pub(super) fn step(&self, line: &str) -> Option<&StepKeyword> {
        self.steps.iter().find(|step| line.starts_with(&*step.text))
    }
}

fn rows() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|row| !row.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_step(language: &str, line: &str, keyword: &str, kind: StepKind) {
        let dialect = Dialect::of(language).expect("a known language");
        let step = dialect.step(line).expect("a step");
        assert_eq!((&*step.text, step.kind), (keyword, kind), "{line}");
    }

    #[test]
    fn the_longest_step_keyword_of_the_language_counts() {
        check_step("en", "Given a", "Given ", StepKind::Context);
        check_step("en", "* a", "* ", StepKind::Unknown);
        check_step("fr", "Étant donné que le", "Étant donné que ", StepKind::Context);
        check_step("fr", "Étant donné qu'il", "Étant donné qu'", StepKind::Context);
        check_step("fr", "Lorsqu'on", "Lorsqu'", StepKind::Action);
        check_step("ja", "もし何か", "もし", StepKind::Action);
        check_step("zh-CN", "那么好", "那么", StepKind::Outcome);
    }

    #[test]
    fn every_language_has_every_keyword() {
        assert!(Dialect::languages().count() >= 80);
        for language in Dialect::languages() {
            let dialect = Dialect::of(language).expect("listed");
            assert_eq!(dialect.language, language);
            assert!(dialect.titles.iter().flatten().all(|keyword| !keyword.is_empty()), "{language}");
            for kind in [StepKind::Context, StepKind::Action, StepKind::Outcome] {
                let known = dialect.steps.iter().any(|step| step.kind == kind || step.kind == StepKind::Unknown);
                assert!(known, "{language} {kind:?}");
            }
        }
        assert!(Dialect::of("tlh-not").is_none() && Dialect::of("#").is_none());
    }

    #[test]
    fn a_title_is_a_keyword_with_a_colon_right_after_it() {
        let english = Dialect::of("en").expect("built in");
        assert_eq!(english.title("Scenario Outline: a", Title::Outline), Some("Scenario Outline"));
        assert_eq!(english.title("Scenario Outline: a", Title::Scenario), None);
        assert_eq!(english.title("Rule : a", Title::Rule), None);
    }
}
