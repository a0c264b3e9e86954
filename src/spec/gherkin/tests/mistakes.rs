//! Texts with mistakes: every one is reported, at its place, with the next move.

use super::super::scenarios;
use super::{official, read};
use crate::source::{Diagnostic, SourceMap, render};

/// Places and codes of all errors, as the official parsers report them.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (map, diagnostics) = official(text);
    compare(text, &map, &diagnostics, expected);
}

/// Places and codes of all errors, as people see them.
#[track_caller]
fn check_shown(text: &str, expected: &[&str]) {
    let (map, _, diagnostics) = read(text);
    compare(text, &map, &diagnostics, expected);
}

#[track_caller]
fn compare(text: &str, map: &SourceMap, diagnostics: &[Diagnostic], expected: &[&str]) {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    let found: Vec<String> = errors.map(|error| format!("{} {}", map.show(error.at.expect("a place")), error.code)).collect();
    let expected: Vec<String> = expected.iter().map(|place| format!("a.feature:{}", place.replace(' ', " gherkin/"))).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_line_that_fits_nowhere_is_one_mistake_and_the_next_line_is_read_as_before_it() {
    check(
        "no\n\nFeature: f\nScenario: s\n* a\nno\n* b\n  no\n",
        &["1:1 unexpected-line", "6:1 unexpected-line", "8:3 unexpected-line"],
    );
    check("Scenario: s\nFeature: f\n", &["1:1 unexpected-line"]);
    check("Feature: f\nScenario: s\n* a\nBackground:\n* b\n", &["4:1 unexpected-line"]);
    check("Feature: f\nScenario: s\n* a\nFeature: g\n", &["4:1 unexpected-line"]);
    check("Feature: f\nBackground:\n* a\nExamples:\n|x|\n", &["4:1 unexpected-line"]);
    check("Feature: f\nScenario: s\n* a\nExamples:\n|x|\n|1|\n* b\n", &["7:1 unexpected-line"]);
    check("# language: fr\nFeature: f\nFonctionnalité: f\n", &["2:1 unexpected-line"]);
    check("Feature: f\nScenario: s\nGiven a\nGiven\n", &["4:1 unexpected-line"]);
}

#[test]
fn a_step_takes_each_argument_once() {
    let before = "Feature: f\nScenario: s\n* a\n";
    let doc = "\"\"\"\nx\n\"\"\"\n";
    check(&format!("{before}{doc}{doc}"), &["7:1 repeated-argument", "8:1 unexpected-line", "9:1 repeated-argument"]);
    check(&format!("{before}|a|\n{doc}|b|\n"), &["8:1 repeated-argument"]);
    check(&format!("{before}{doc}|a|\n\n|b|\n* c\n|d|\n"), &[]);
}

#[test]
fn rows_of_a_table_are_of_one_width_and_the_first_that_is_not_is_reported() {
    check("Feature: f\nScenario: s\n* a\n|1|2|\n |1|\n|3|\n* b\n|1|\n|\n", &["5:2 uneven-table", "9:1 uneven-table"]);
    check("Feature: f\nScenario: s\n* a\nExamples:\n|a|\n|1|2|\n@t\nExamples:\n|a|\n|1|\n", &["6:1 uneven-table"]);
    check("Feature: f\nScenario: s\n* a\n| 1 | 2\\|\n| 1 |\n", &[]);
}

#[test]
fn a_row_of_another_width_is_left_out() {
    let text = "Feature: f\nScenario: <a> <b>\n* x <b>\n|1|2|\n|3|\n|4|5|\nExamples:\n|a|b|\n|1|\n|2|3|\n|4|5|6|\n";
    let (_, document, _) = read(text);
    let pickles: Vec<_> = scenarios(&document).iter().flat_map(|node| node.pickles(&[]).collect::<Vec<_>>()).collect();
    assert_eq!(pickles.iter().map(|pickle| &*pickle.name).collect::<Vec<_>>(), ["2 3"]);
    assert_eq!(pickles[0].steps[0].table.as_ref().map(|table| table.len()), Some(2));
}

#[test]
fn the_end_of_the_file_may_not_come_too_early() {
    check("Feature: f\n@t", &["3:1 unexpected-end"]);
    check("Feature: f\n@t\n", &["3:1 unexpected-end"]);
    check("# language: en\n", &["2:1 unexpected-end"]);
    check("Feature: f\nScenario: s\n* a\n\"\"\"\nx\n", &["6:1 unexpected-end"]);
    check("Feature: f\nScenario: s\n* a\n|1|\n||2|\n```", &["5:1 uneven-table", "7:1 unexpected-end"]);
}

#[test]
fn tags_hold_no_blanks() {
    check("@a b\nFeature: f\n", &["1:4 bad-tag", "1:1 unexpected-line"]);
    check("Feature: f\n\n  @a @b c @d\n  Scenario: s\n* a", &["3:9 bad-tag"]);
    check("Feature: f\nScenario: s\n* a\n@t\n@a b\nRule: r\n", &["5:4 bad-tag", "5:1 unexpected-line"]);
}

#[test]
fn a_language_has_to_be_known() {
    check("#language: eng\nFeature: f\n", &["1:12 unknown-language"]);
    check("# language: no-such\n# language: fr\nFonctionnalité: f\n", &["1:13 unknown-language"]);
    check("# language: not a code\nFeature: f\n", &[]);
}

#[test]
fn one_slip_is_shown_as_one_mistake() {
    check_shown("@a b\nFeature: f\n", &["1:4 bad-tag"]);
    check_shown("Feature: f\nScenario: s\n* a\n@t\n@a b\nRule: r\n", &["5:4 bad-tag"]);
    check_shown("Scenario: s\n  * a\n  * b\n", &["1:1 unexpected-line"]);
    check_shown("no\nFeature: f\nScenario: s\n* a\nno\n", &["1:1 unexpected-line", "5:1 unexpected-line"]);
    check_shown("# language: gr\nFunktionalität: f\n  Szenario: s\n", &["1:13 unknown-language"]);
    check_shown("Feature: f\nScenario: s\n* a\n  ```\nx\n", &["4:3 unexpected-end"]);
    let before = "Feature: f\nScenario: s\n* a\n";
    let doc = "\"\"\"\nx\n\"\"\"\n";
    check_shown(&format!("{before}{doc}{doc}no\n"), &["7:1 repeated-argument", "10:1 unexpected-line"]);
    check_shown(&format!("{before}{doc}\"\"\"\n* b\nno\n"), &["7:1 repeated-argument", "9:1 unexpected-line"]);
}

#[test]
fn reading_stops_where_mistakes_pile_up() {
    let (_, _, diagnostics) = read(&format!("Feature: f\nScenario: s\n* a\n{}", "no\n".repeat(500)));
    assert_eq!(diagnostics.len(), 11);
    assert_eq!(diagnostics[10].notes, [(None, "the rest of this file was not read".to_owned())]);
}

fn last(text: &str) -> Diagnostic {
    read(text).2.pop().expect("a mistake")
}

/// The help for a line behind a step.
#[track_caller]
fn check_help(line: &str, expected: Option<&str>) {
    assert_eq!(last(&format!("Feature: f\nScenario: s\n* a\n{line}\n")).help.as_deref(), expected, "{line}");
}

#[test]
fn the_keyword_that_was_meant_is_offered() {
    check_help("Whne I go", Some("did you mean `When`?"));
    check_help("given a", Some("did you mean `Given`?"));
    check_help("Scenaro Outline: x", Some("did you mean `Scenario Outline:`?"));
    check_help("Exmaples: x", Some("did you mean `Examples:`?"));
    check_help("Scenario x", Some("a colon ends the keyword: `Scenario:`"));
    check_help("Given", Some("the sentence follows on the same line: `Given …`"));
    check_help("Background: x", Some("`Background:` comes before the first scenario"));
    check_help("Feature: x", Some("a file holds one feature"));
    check_help("nothing of the kind", None);
    let french = last("# language: fr\nFonctionnalité: f\nScénario: s\nSoit a\nEtant donnè que b\n");
    assert_eq!(french.help.as_deref(), Some("did you mean `Etant donné que`?"));
    assert_eq!(
        last("Given a\n").help.as_deref(),
        Some("a step belongs into a scenario of a feature: begin the file with `Feature: NAME`")
    );
    assert_eq!(last("# language: fr\n").code, "gherkin/unexpected-end");
}

/// The help of the only warning about a line below a scenario's title.
#[track_caller]
fn check_doubt(line: &str, expected: Option<&str>) {
    let (_, _, diagnostics) = read(&format!("Feature: f\nScenario: s\n{line}\n* a\n"));
    let found: Vec<_> = diagnostics.iter().map(|doubt| (doubt.is_error(), &*doubt.label)).collect();
    let expected: Vec<_> = expected.iter().map(|label| (false, *label)).collect();
    assert_eq!(found, expected, "{line}");
}

#[test]
fn a_description_that_was_meant_as_a_step_or_title_is_a_warning() {
    check_doubt("Whne I go", Some("looks like `When`"));
    check_doubt("Gievn a", Some("looks like `Given`"));
    check_doubt("Scenarioo: a", Some("looks like `Scenario:`"));
    check_doubt("Background: a", Some("`Background:` may not stand here"));
    check_doubt("The server answers: then it goes", None);
    check_doubt("They give an example", None);
    check_doubt("Note: this is prose", None);
}

#[test]
fn a_mistake_is_drawn_with_its_line() {
    let (map, _, diagnostics) = read("Feature: f\n  Scenario: s\n    Given a\n    Whne b");
    let shown = render(&map, &diagnostics, false);
    for part in ["error[gherkin/unexpected-line]: expected a step", "--> a.feature:4:5", "    Whne b", "^^^^^^", "`When`"] {
        assert!(shown.contains(part), "{part} in\n{shown}");
    }
    let (map, _, diagnostics) = read("Feature: f\n@t");
    assert!(render(&map, &diagnostics, false).contains("--> a.feature:3:1"));
}
