//! Outlines, backgrounds and the pickles they come to.

use std::sync::Arc;

use super::super::StepKind::{self, Action, Context, Outcome, Unknown};
use super::super::{Pickle, scenarios};
use super::document;

fn pickles(text: &str, extra: &[(&str, &str)]) -> Vec<Pickle> {
    let document = document(text);
    let extra: Vec<(Arc<str>, Arc<str>)> = extra.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    scenarios(&document).iter().flat_map(|node| node.pickles(&extra).collect::<Vec<_>>()).collect()
}

/// Pickles as `title: step; step`.
#[track_caller]
fn check(text: &str, extra: &[(&str, &str)], expected: &[&str]) {
    let show = |pickle: &Pickle| {
        let steps: Vec<&str> = pickle.steps.iter().map(|step| &*step.text).collect();
        format!("{}: {}", pickle.name, steps.join("; "))
    };
    assert_eq!(pickles(text, extra).iter().map(show).collect::<Vec<_>>(), expected, "{text}");
}

const OUTLINE: &str = "Feature: f
  Background:
    Given back <a> <p>
  Scenario Outline: s <a>
    Given <a> and <b> of <p>
    Examples:
      | a | b   |
      | 1 | <a> |
      | 2 | <p> |
    Examples:
      | b |
      | 3 |
";

#[test]
fn a_row_fills_in_its_outline_but_no_background_and_values_from_outside_fill_in_both() {
    check(
        OUTLINE,
        &[("p", "<b>")],
        &["s 1: back <a> <b>; 1 and <a> of <b>", "s 2: back <a> <b>; 2 and <p> of <b>", "s <a>: back <a> <b>; <a> and 3 of <b>"],
    );
    check(
        OUTLINE,
        &[("a", "x")],
        &["s 1: back x <p>; 1 and <a> of <p>", "s 2: back x <p>; 2 and <p> of <p>", "s x: back x <p>; x and 3 of <p>"],
    );
}

#[test]
fn rows_make_pickles_and_an_outline_without_rows_makes_none() {
    check("Feature: f\nScenario: s\n", &[], &["s: "]);
    check("Feature: f\nBackground:\n* a\nScenario: s\n", &[], &["s: "]);
    check("Feature: f\nScenario Outline: s\n* a\n", &[], &["s: a"]);
    check("Feature: f\nScenario Outline: s\n* a\nExamples:\n", &[], &[]);
    check("Feature: f\nScenario Outline: s\n* a\nExamples:\n| x |\n", &[], &[]);
    check("", &[], &[]);
}

#[test]
fn rules_inherit_backgrounds_and_tags() {
    let text = "@f\nFeature: f\nBackground:\n* fb\n@s\nScenario: s\n* a\n@r\nRule: r\nBackground:\n* rb\n@t\nScenario: t\n* b\n@e\nExamples:\n| x |\n| 1 |\n";
    check(text, &[], &["s: fb; a", "t: fb; rb; b"]);
    let tags: Vec<String> = pickles(text, &[]).iter().map(|pickle| pickle.tags.iter().map(|tag| &*tag.name).collect()).collect();
    assert_eq!(tags, ["@f@s", "@f@r@t@e"]);
    let document = document(text);
    let rules: Vec<_> = scenarios(&document).iter().map(|node| node.rule.map(|rule| rule.name.clone())).collect();
    assert_eq!(rules, [None, Some("r".to_owned())]);
}

#[test]
fn a_conjunction_takes_the_kind_before_it() {
    let text = "Feature: f\nBackground:\nGiven a\nScenario: s\nAnd b\nWhen c\nBut d\n* e\nAnd f\nThen g\n";
    let kinds: Vec<StepKind> = pickles(text, &[])[0].steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [Context, Context, Action, Action, Unknown, Unknown, Outcome]);
    assert_eq!(pickles("Feature: f\nScenario: s\nAnd a", &[])[0].steps[0].kind, Unknown);
}

#[test]
fn tables_doc_strings_and_media_types_are_filled_in() {
    let text = "Feature: f\nScenario: s\n* a\n| <x> | y |\n\"\"\"<x>\n{<x>}\n\"\"\"\nExamples:\n| x |\n| 1\\n |\n";
    let pickle = &pickles(text, &[])[0];
    let step = &pickle.steps[0];
    assert_eq!(step.table.as_deref(), Some(&[vec!["1\n".into(), "y".into()]][..]));
    let doc = step.doc_string.as_ref().expect("a doc string");
    assert_eq!((doc.media_type.as_deref(), &*doc.content), (Some("1\n"), "{1\n}"));
    assert_eq!(pickle.row.as_ref().map(|row| row.values.clone()), Some(vec![("x".into(), "1\n".into())]));
}

#[test]
fn what_a_row_does_not_change_is_shared() {
    let text = "Feature: f\nScenario: s\n* same\n| t |\n* <x>\nExamples:\n| x |\n| 1 |\n| 2 |\n";
    let pickles = pickles(text, &[]);
    let [first, second] = &*pickles else { panic!("two rows") };
    assert!(Arc::ptr_eq(&first.steps[0].text, &second.steps[0].text));
    let table = |pickle: &Pickle| pickle.steps[0].table.clone().expect("a table");
    assert!(Arc::ptr_eq(&table(first), &table(second)));
    assert!(Arc::ptr_eq(&first.steps[1].text, &first.row.as_ref().expect("a row").values[0].1));
}

#[test]
fn ten_thousand_rows_are_ten_thousand_pickles() {
    let rows: String = (0..10_000).map(|row| format!("| {row} |\n")).collect();
    let pickles = pickles(&format!("Feature: f\nScenario: <x>\n* <x>\nExamples:\n| x |\n{rows}"), &[]);
    assert_eq!(pickles.len(), 10_000);
    assert_eq!((&*pickles[9_999].name, &*pickles[9_999].steps[0].text), ("9999", "9999"));
}
