//! Texts and the trees they come to.

use super::super::{Child, Document, Scenario, Step, StepKind};
use super::{document, plain_scenarios, read};

/// A tree in short: `Feature f [a Background(1) Scenario s @t(2 steps) Rule r [...]]`.
fn outline(document: &Document) -> String {
    fn list(children: &[Child]) -> String {
        let parts: Vec<String> = children
            .iter()
            .map(|child| match child {
                Child::Background(background) => format!("background({})", background.steps.len()),
                Child::Scenario(scenario) => self::scenario(scenario),
                Child::Rule(rule) => format!("rule {}{} [{}]", names(&rule.tags), rule.name, list(&rule.children)),
            })
            .collect();
        parts.join(" ")
    }
    let Some(feature) = &document.feature else { return "nothing".to_owned() };
    format!("{} {}{} [{}]", feature.language, names(&feature.tags), feature.name, list(&feature.children))
}

fn scenario(scenario: &Scenario) -> String {
    let head = format!("scenario {}{}({})", names(&scenario.tags), scenario.name, scenario.steps.len());
    let examples = scenario.examples.iter().map(|examples| {
        let header = examples.header.as_ref().map_or("none".to_owned(), |row| row.cells.len().to_string());
        format!("examples {}{}({header}x{})", names(&examples.tags), examples.name, examples.rows.len())
    });
    std::iter::once(head).chain(examples).collect::<Vec<_>>().join(" ")
}

fn names(tags: &[super::super::Tag]) -> String {
    tags.iter().flat_map(|tag| [&tag.name, " "]).collect()
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(outline(&document(text)), expected, "{text}");
}

#[test]
fn a_file_without_a_feature_is_no_mistake() {
    check("", "nothing");
    check("\u{feff}", "nothing");
    check("\n \t\n", "nothing");
    check("# only\n  # comments", "nothing");
}

#[test]
fn features_hold_backgrounds_scenarios_and_rules() {
    check("Feature: f", "en f []");
    check("\u{feff}Feature: f\r\n", "en f []");
    check("Feature: f\n Background:\n  * a\n Scenario: s\n  * b\n  * c\n", "en f [background(1) scenario s(2)]");
    check(
        "Feature: f\nRule: empty\nRule: r\nBackground:\nExample: e\n* a",
        "en f [rule empty [] rule r [background(0) scenario e(1)]]",
    );
    check("Feature:\nScenario: s\nScenario: t", "en  [scenario s(0) scenario t(0)]");
}

#[test]
fn tags_belong_to_what_follows_them() {
    check("@a @b\n# c\n\n@c#d #e\nFeature: f", "en @a @b @c#d f []");
    check(
        "Feature: f\n@s\nScenario: s\n* a <x>\n@e\n#c\n\n@e2\nExamples: one\n|x|\n|1|\n|2|\nExamples: two\n@t\nScenario: t\n@r\nRule: r\n",
        "en f [scenario @s s(1) examples @e @e2 one(1x2) examples two(nonex0) scenario @t t(0) rule @r r []]",
    );
    check("Feature: f\nScenario: s\nExamples:\n|x|\n", "en f [scenario s(0) examples (1x0)]");
}

#[test]
fn the_language_line_chooses_the_keywords() {
    check("# language: fr\nFonctionnalité: f\nScénario: s\nÉtant donné qu'on a\nEt que b\n", "fr f [scenario s(2)]");
    check(" #language :ja \n機能: f\nシナリオ: s\n前提テスト\nもしテスト\n", "ja f [scenario s(2)]");
    check("# a comment\n# language: zh-CN\n功能: f\n场景: s\n假如一个\n", "zh-CN f [scenario s(1)]");
    check("# language: en\n# language: fr\nFeature: f\n", "en f []");
}

#[track_caller]
fn check_description(text: &str, feature: &str, scenario: &str) {
    let document = document(text);
    let found = document.feature.as_ref().expect("a feature");
    assert_eq!(found.description, feature, "{text}");
    assert_eq!(plain_scenarios(&document).first().map_or("", |scenario| &scenario.description), scenario, "{text}");
}

#[test]
fn descriptions_keep_their_indentation_and_lose_comments_and_outer_blank_lines() {
    check_description("Feature: f\n\n  a\n\n    b\n  \n Scenario: s\n  c\n * d", "  a\n\n    b", "  c");
    check_description("Feature: f\n a\n # no\n b\n# no\n\nScenario: s\n", " a\n b", "");
    check_description("Feature: f\n | a |\n \"\"\"\n Given it\n", " | a |\n \"\"\"\n Given it", "");
}

#[track_caller]
fn check_doc(lines: &str, media_type: Option<&str>, content: &str) {
    let text = format!("Feature: f\nScenario: s\n  Given a\n{lines}");
    let (map, document, diagnostics) = read(&text);
    assert_eq!(diagnostics, [], "{text}");
    let doc = plain_scenarios(&document)[0].steps[0].doc_string.as_ref().expect("a doc string");
    assert_eq!((doc.media_type.as_deref(), &*doc.content), (media_type, content), "{text}");
    assert!(map.slice(doc.at) == doc.delimiter && lines.contains(map.slice(doc.content_at)), "{text}");
}

#[test]
fn doc_strings_lose_the_indentation_of_their_fence() {
    check_doc("  \"\"\"json\n  {\n    \"a\": 1\n  }\n  \"\"\"\n", Some("json"), "{\n  \"a\": 1\n}");
    check_doc("    ```  text/x  \r\n  less\r\n      more \r\n\r\n    ```", Some("text/x"), "less\n  more \n");
    check_doc("\"\"\"\n\"\"\"\n", None, "");
    check_doc("\"\"\"\n\n\"\"\"\n", None, "");
    check_doc("\"\"\"\n\n\n\"\"\"\n", None, "\n");
    check_doc("\"\"\"\n```\n\\\"\\\"\\\"\n\\`\\`\\`\n\"\"\"\n", None, "```\n\"\"\"\n\\`\\`\\`");
    check_doc("```\n\\`\\`\\`\n# no comment\n| no | row\nScenario: no\n```", None, "```\n# no comment\n| no | row\nScenario: no");
    check_doc("\t\"\"\"\n\t\u{a0}x\n\t\"\"\" ignored", None, "\u{a0}x");
}

fn first_step(text: &str) -> Step {
    plain_scenarios(&document(text))[0].steps[0].clone()
}

#[test]
fn a_step_takes_a_table_and_a_doc_string_in_either_order() {
    for arguments in ["| a |\n# c\n\n| b |\n\"\"\"\nx\n\"\"\"\n", "```\nx\n```\n\n| a |\n| b |\n"] {
        let step = first_step(&format!("Feature: f\nScenario: s\n* a\n{arguments}* c"));
        assert_eq!(step.table.map(|table| table.rows.len()), Some(2));
        assert_eq!(step.doc_string.map(|doc| doc.content), Some("x".into()));
    }
}

#[track_caller]
fn check_step(line: &str, keyword: &str, kind: StepKind, text: &str) {
    let (map, document, diagnostics) = read(&format!("Feature: f\nScenario: s\n{line}\n"));
    assert_eq!(diagnostics, [], "{line}");
    let step = &plain_scenarios(&document)[0].steps[0];
    assert_eq!((&*step.keyword, step.kind, &*step.text), (keyword, kind, text), "{line}");
    assert_eq!((map.slice(step.at), map.slice(step.text_at)), (keyword.trim_end(), text), "{line}");
}

#[test]
fn steps_have_keyword_kind_and_trimmed_text() {
    check_step("Given a", "Given ", StepKind::Context, "a");
    check_step("\tWhen  a  b \t", "When ", StepKind::Action, "a  b");
    check_step("\u{a0}Then a # b\u{a0}", "Then ", StepKind::Outcome, "a # b");
    check_step("But <a>", "But ", StepKind::Conjunction, "<a>");
    check_step("* a | b", "* ", StepKind::Unknown, "a | b");
    check_step("And ", "And ", StepKind::Conjunction, "");
}

#[test]
fn every_part_knows_its_place() {
    let text = "@t\nFeature: f\n  Scenario Outline:  né <a> \n    * b\n      |  é#1 | \\|  |\n    Examples:\n      | <a> |\n";
    let (map, document, diagnostics) = read(text);
    assert_eq!(diagnostics, []);
    let feature = document.feature.as_ref().expect("a feature");
    let scenario = plain_scenarios(&document)[0];
    let table = scenario.steps[0].table.as_ref().expect("a table");
    let cells: Vec<_> = table.rows[0].cells.iter().map(|cell| (map.slice(cell.at), &*cell.value)).collect();
    assert_eq!(cells, [("é#1", "é#1"), ("\\|", "|")]);
    assert_eq!(map.show(table.rows[0].cells[1].at), "a.feature:5:16");
    assert_eq!(map.slice(table.rows[0].at), "|  é#1 | \\|  |");
    assert_eq!((map.slice(feature.tags[0].at), map.slice(feature.at)), ("@t", "Feature"));
    assert_eq!((map.slice(scenario.at), map.slice(scenario.name_at)), ("Scenario Outline", "né <a>"));
    let header = scenario.examples[0].header.as_ref().expect("a header");
    assert_eq!((map.slice(scenario.examples[0].at), &*header.cells[0].value), ("Examples", "<a>"));
}
