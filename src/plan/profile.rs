//! Which scenarios is an entry of a profile about? [`Places`] of a profile → the entries of a scenario, by index.
//!
//! Entries that name a scenario are found by its name; the few others are tried one by one.

use std::collections::HashMap;

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::TagExpr;
use crate::spec::files::BUILTIN;
use crate::spec::profile::Where;

/// The entries of one list (`known:` or `dialect:`) of a profile.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    by_name: HashMap<&'a str, Vec<usize>>,
    others: Vec<(usize, Conditions)>,
    conditions: HashMap<usize, Conditions>,
}

/// What a scenario must meet, beside its exact name.
#[derive(Debug)]
struct Conditions {
    name: Option<Regex>,
    tags: TagExpr,
    file: Option<GlobMatcher>,
}

impl Conditions {
    /// A pattern that cannot be read was reported when the profile was loaded; it meets nothing.
    fn of(place: Where<'_>) -> Option<Self> {
        let glob = |pattern| GlobBuilder::new(pattern).literal_separator(true).build();
        Some(Self {
            name: place.name.map(Regex::new).transpose().ok()?,
            tags: place.tags.map_or(Ok(TagExpr::Any), TagExpr::parse).ok()?,
            file: place.file.map(|pattern| glob(pattern).map(|glob| glob.compile_matcher())).transpose().ok()?,
        })
    }

    fn meet(&self, name: &str, tags: &[String], file: &str) -> bool {
        let file = file.strip_prefix(BUILTIN).unwrap_or(file);
        self.name.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && self.tags.matches(tags)
            && self.file.as_ref().is_none_or(|glob| glob.is_match(file))
    }
}

impl<'a> Entries<'a> {
    /// Entries by their places; one without any is about no scenario in particular.
    pub fn of(places: impl Iterator<Item = Where<'a>>) -> Self {
        let mut entries = Self::default();
        for (index, place) in places.enumerate() {
            let more = Where { scenario: None, ..place };
            match (place.scenario, Conditions::of(more)) {
                (Some(name), Some(conditions)) => {
                    entries.by_name.entry(name).or_default().push(index);
                    if !more.is_empty() {
                        entries.conditions.insert(index, conditions);
                    }
                }
                (None, Some(conditions)) if !more.is_empty() => entries.others.push((index, conditions)),
                _ => {}
            }
        }
        entries
    }

    /// Entries about a scenario, in their order; `plain` is its name without a repeat's number.
    pub fn about(&self, name: &str, plain: &str, tags: &[String], file: &str) -> Vec<usize> {
        let named = self.by_name.get(plain).or_else(|| self.by_name.get(name)).into_iter().flatten().copied();
        let named = named.filter(|index| self.conditions.get(index).is_none_or(|all| all.meet(plain, tags, file)));
        let others = self.others.iter().filter(|(_, all)| all.meet(plain, tags, file)).map(|(index, _)| *index);
        let mut found: Vec<usize> = named.chain(others).collect();
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Where<'_> = Where { scenario: None, name: None, tags: None, file: None };

    #[track_caller]
    fn check(place: Where<'_>, expect: bool) {
        let entries = Entries::of([NONE, place].into_iter());
        let tags = ["@tools".to_owned(), "@slow".to_owned()];
        let found =
            entries.about("a call [city=Paris] [repeat=2]", "a call [city=Paris]", &tags, "builtin:features/base/a.feature");
        assert_eq!(found, if expect { vec![1] } else { vec![] }, "{place}");
    }

    #[test]
    fn all_that_is_given_must_hold() {
        check(NONE, false);
        check(Where { scenario: Some("a call [city=Paris]"), ..NONE }, true);
        check(Where { scenario: Some("a call [city=Paris] [repeat=2]"), ..NONE }, true);
        check(Where { scenario: Some("a call"), ..NONE }, false);
        check(Where { scenario: Some("a call [city=Paris]"), tags: Some("not @slow"), ..NONE }, false);
        check(Where { name: Some("^a call "), ..NONE }, true);
        check(Where { name: Some("^call"), ..NONE }, false);
        check(Where { tags: Some("@tools and not @json"), ..NONE }, true);
        check(Where { file: Some("features/*/*.feature"), ..NONE }, true);
        check(Where { file: Some("features/*.feature"), ..NONE }, false);
        check(Where { name: Some("Paris"), tags: Some("@tools"), file: Some("features/base/**"), ..NONE }, true);
        check(Where { name: Some("Paris"), tags: Some("@json"), file: Some("features/base/**"), ..NONE }, false);
    }
}
