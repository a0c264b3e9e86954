//! Gherkin features: steps found, outlines and parameters expanded, lines selected, mistakes named.

use serde_json::json;

use super::*;

fn bench(text: &str) -> Bench {
    let mut bench = Bench::new();
    bench.feature(text);
    bench
}

/// A feature of one scenario with these lines.
fn steps(lines: &str) -> Bench {
    bench(&format!("Feature: f\n  Scenario: a\n    {}\n", lines.replace('\n', "\n    ")))
}

#[test]
fn steps_are_found_with_their_places_kinds_and_arguments() {
    let bench = bench(
        "@chat\nFeature: Talking\n  Background:\n    Given the model \"text\"\n  @slow @retry(2)\n  Scenario: Hello\n    When I ask \"Hi\"\n    \
         Then the status is 200\n    And the reply fits the schema:\n      ```json\n      {}\n      ```\n    * the reply is empty\n",
    );
    let plan = bench.plan();
    let scenario = first(&plan);
    assert_eq!((&*scenario.classname, &*scenario.name, scenario.at.line), ("s.t.f0", "Hello", 6));
    assert_eq!((&*scenario.tags, scenario.retries), (&["@chat".to_owned(), "@slow".to_owned(), "@retry(2)".to_owned()][..], 2));
    let shown: Vec<(&str, StepUse, u32, &str)> =
        scenario.steps.iter().map(|step| (&*step.keyword, step.kind, step.at.line, &*step.text)).collect();
    assert_eq!(
        shown,
        [
            ("Given", StepUse::Given, 4, "the model \"text\""),
            ("When", StepUse::When, 7, "I ask \"Hi\""),
            ("Then", StepUse::Then, 8, "the status is 200"),
            ("And", StepUse::Then, 9, "the reply fits the schema:"),
            ("*", StepUse::Then, 13, "the reply is empty"),
        ]
    );
    assert_eq!(scenario.steps[1].captures[1].1, "\"Hi\"");
    assert_eq!(scenario.steps[3].doc.as_ref().map(|doc| (&*doc.content, doc.media_type.as_deref())), Some(("{}", Some("json"))));
    assert_eq!((&*plan.cells[0].features[0].name, &*plan.cells[0].features[0].keyword), ("Talking", "Feature"));
}

#[test]
fn outlines_multiply_by_rows_and_by_the_parameters_they_mention() {
    let mut bench = bench(
        "Feature: f\n  Background:\n    Given replies are <delivery>\n  Scenario Outline: capital of <country>\n    When I ask \"<country>?\"\n    \
         Then the reply mentions \"<city>\"\n    And the status is 200\n    Examples:\n      | country | city  |\n      | France  | Paris |\n      \
         | Italy   | Rome  |\n",
    );
    bench.suite(&json!({"parameters": {"delivery": ["whole", "streamed"]}}));
    assert_eq!(
        bench.names(),
        [
            "capital of France [city=Paris,delivery=whole]",
            "capital of Italy [city=Rome,delivery=whole]",
            "capital of France [city=Paris,delivery=streamed]",
            "capital of Italy [city=Rome,delivery=streamed]",
        ]
    );
    let plan = bench.plan();
    let scenarios = &plan.cells[0].features[0].scenarios;
    assert_eq!(
        sentences(&scenarios[3]),
        ["replies are streamed", "I ask \"Italy?\"", "the reply mentions \"Rome\"", "the status is 200"]
    );
    assert_eq!((scenarios[0].at.line, scenarios[1].at.line), (10, 11));
    assert!(Arc::ptr_eq(&scenarios[0].steps[3], &scenarios[1].steps[3]), "a step that no row changes is shared");
    assert!(Arc::ptr_eq(&scenarios[0].tags, &scenarios[3].tags));
}

#[test]
fn a_column_hides_a_parameter_of_its_name_and_unknown_names_are_text() {
    let mut bench = bench(
        "Feature: f\n  Scenario Outline: o\n    Given replies are <delivery>\n    When I ask \"<b>bold</b>\"\n    Then the status is 200\n    \
         Examples:\n      | delivery |\n      | whole    |\n  Scenario: plain\n    Given replies are <delivery>\n    When I ask \"x\"\n    \
         Then the status is 200\n",
    );
    bench.suite(&json!({"parameters": {"delivery": ["whole", "streamed"]}}));
    assert_eq!(bench.names(), ["o [delivery=whole]", "plain [delivery=whole]", "plain [delivery=streamed]"]);
}

#[test]
fn lines_select_scenarios_and_rows() {
    let mut bench = bench(
        "Feature: f\n\n  @x\n  Scenario: one\n    When I ask \"1\"\n    Then the status is 200\n\n  Scenario Outline: two\n    \
         When I ask \"<n>\"\n    Then the status is 200\n    Examples:\n      | n |\n      | a |\n      | b |\n",
    );
    let mut check = |lines: &[u32], expect: &[&str]| {
        bench.input.suites[0].features[0].lines = lines.to_vec();
        assert_eq!(bench.names(), expect, "{lines:?}");
    };
    check(&[], &["one", "two [n=a]", "two [n=b]"]);
    check(&[1], &["one", "two [n=a]", "two [n=b]"]);
    check(&[3], &["one"]);
    check(&[7], &["one"]);
    check(&[8], &["two [n=a]", "two [n=b]"]);
    check(&[12], &["two [n=a]", "two [n=b]"]);
    check(&[14], &["two [n=b]"]);
    check(&[5, 13], &["one", "two [n=a]"]);
}

#[test]
fn a_line_that_the_file_does_not_have_is_a_mistake() {
    let mut bench = steps("When I ask \"x\"\nThen the status is 200");
    bench.input.suites[0].features[0].lines = vec![5, 2];
    bench.refuses("file/no-line", &["`features/s/f0.feature` has 4 lines; 5 is past its end"]);
    bench.input.suites[0].features[0].lines = vec![0];
    bench.refuses("file/no-line", &["the first line of a file is 1"]);
    let twin = bench.input.suites[0].clone();
    bench.input.suites.push(SuiteInput { spec: Arc::new(SuiteSpec { name: "u".to_owned(), ..(*twin.spec).clone() }), ..twin });
    bench.refuses("file/no-line", &[]);
}

#[test]
fn nothing_is_said_of_a_scenario_that_could_not_be_read() {
    let codes = |text: &str| -> Vec<&'static str> {
        let mut bench = Bench::new();
        bench.broken_feature(text);
        bench.compile().1.iter().map(|it| it.code).collect()
    };
    let broken = "  Scenario: a\n    When I ask \"x\"\n    The status is 200\n";
    assert!(codes(&format!("Feature: f\n{broken}")).is_empty());
    assert!(codes(&format!("Feature: f\n  Background:\n    Gven x\n    no\n{broken}")).is_empty());
    assert!(codes("Feature: f\n  Scenario: a\n    Given the conversation:\n      \"\"\"\n      x\n").is_empty());
    assert_eq!(codes(&format!("Feature: f\n{broken}  @x\n  Scenario: b\n    When I beg\n")), ["step/undefined"]);
    assert_eq!(codes(&format!("Feature: f\n  Scenario: b\n    When I beg\n{broken}")), ["step/undefined"]);
}

#[test]
fn mistakes_of_steps_are_named() {
    const CLAIM: &str = "Then the status is 200";
    steps(&format!("When I aks \"x\"\n{CLAIM}"))
        .refuses("step/undefined", &["no sentence says `I aks \"x\"`", "near: `I ask {text}`"]);
    steps(&format!("When I ask \"x\"\nThen it is fine\n{CLAIM}")).refuses(
        "step/ambiguous",
        &["2 sentences say `it is fine`", "`it is {word}` (src/steps/test.rs:", "`it is fine` (src/steps/test.rs:"],
    );
    steps(&format!("Given the conversation:\n{CLAIM}"))
        .refuses("step/missing-argument", &["needs a table or a doc string below it"]);
    steps(&format!("When I ask \"x\"\n  | a |\n{CLAIM}")).refuses("step/unexpected-argument", &["takes no table"]);
    steps(&format!("Given the conversation:\n  | a |\n  \"\"\"\n  x\n  \"\"\"\n{CLAIM}"))
        .refuses("step/unexpected-argument", &["not both"]);
    steps("Given the status is 200").refuses("step/claim-under-given", &["warning", "is a claim, and stands under Given"]);
    steps("When I ask \"x\"").refuses("scenario/no-claim", &["the scenario `a` claims nothing"]);
    steps("").refuses("scenario/no-claim", &["has no steps"]);
    steps(&format!("Given the tools get_weather, get_tim\n{CLAIM}"))
        .refuses("tool/unknown", &["no tool `get_tim`", "f0.feature:3:34"]);
}

#[test]
fn mistakes_of_files_and_outlines_are_named() {
    bench("").refuses("feature/empty", &["features/s/f0.feature"]);
    bench("Feature: f\n").refuses("feature/empty", &["holds no scenario"]);
    let outline = |step: &str, table: &str| {
        bench(&format!(
            "Feature: f\n  Scenario Outline: o\n    When I ask \"{step}\"\n    Then the status is 200\n    Examples:\n{table}"
        ))
    };
    outline("<ctiy> <city>", "| city |\n| a |\n")
        .refuses("placeholder/near-miss", &["`<ctiy>`", "did you mean `<city>`", "f0.feature:3:17"]);
    outline("<a>", "| a | b |\n| 1 | 2 |\n").refuses("examples/unused-column", &["column `b`", "f0.feature:6:7"]);
    outline("<a>", "| a |\n").refuses("examples/empty", &["no rows"]);
    outline("<a>", "| a |\n| 1 |\n| 1 |\n").refuses("scenario/duplicate-name", &["`o [a=1]`", "first one is here"]);
    bench("Feature: f\n  Background:\n    Given the model \"<a>\"\n  Scenario Outline: o\n    When I ask \"<a>\"\n    Then the status is 200\n    Examples:\n      | a |\n      | 1 |\n")
        .refuses("placeholder/in-background", &["`<a>` is a column", "f0.feature:3:22"]);
    bench("@lok(x)\nFeature: f\n  Scenario: a\n    When I ask \"x\"\n    Then the status is 200\n")
        .refuses("tags/bad-argument", &["did you mean `@lock`"]);
    let mut twins = bench("Feature: f\n  Scenario: a\n    When I ask \"x\"\n    Then the status is 200\n");
    twins.feature("Feature: f\n  Scenario: a\n    When I ask \"x\"\n    Then the status is 200\n");
    assert_eq!(twins.names(), ["a", "a"], "two files have two class names");
}

#[test]
fn one_mistake_of_an_outline_is_said_once() {
    let bench = bench(
        "Feature: f\n  Scenario Outline: o\n    When I beg \"<a>\"\n    Then the status is 200\n    Examples:\n| a |\n| 1 |\n| 2 |\n",
    );
    bench.refuses("step/undefined", &["I beg \"1\""]);
}
