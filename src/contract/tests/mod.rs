//! The table of rules is whole, in order, and worded alike.

mod held;
mod mutations;
pub(crate) mod recorded;

use super::{Scope, rule, rules};

#[test]
fn every_rule_of_the_catalogue_is_there_once() {
    let mut ids: Vec<String> = rules().iter().map(|rule| rule.id.to_owned()).collect();
    let expected = (1..=148).chain(154..=164).chain(169..=170);
    for id in expected.map(|number| format!("W{number:03}")) {
        assert!(rule(&id).is_some(), "{id} is missing");
    }
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    assert!(ids.iter().all(|id| id.len() == 4 && id[1..].bytes().all(|byte| byte.is_ascii_digit())), "{ids:?}");
}

#[test]
fn every_rule_says_what_why_whence_and_how_it_breaks() {
    for rule in rules() {
        for text in [rule.statement, rule.why, rule.source, rule.breaks] {
            assert!(text.len() > 3 && !text.ends_with('.'), "{}: {text:?}", rule.id);
        }
        assert!(rule.statement.len() < 200, "{}: a statement is a line", rule.id);
        assert!(rule.id < "W200" || rule.scope != Scope::Probe, "{}: what we added is checked unasked", rule.id);
    }
}
