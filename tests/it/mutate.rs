//! The score of a suite on its tape: what is noticed, what is not, and that a gate can be made of it.

use serde_json::Value;

use crate::harness::{Project, Ran};

const SUITE: &str = "name: capitals\nfeatures: [\"features/*.feature\"]\ndefault_setup: llamacpp\n\
defaults: {temperature: 0, seed: 7, max_tokens: 64, timeout: 60s}\n";

/// Claims that notice what the rules of the wire do not.
const STRONG: &str = r#"@chat
Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
  @stream
  Scenario: It streams
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
"#;

/// A claim that a server which refuses everything keeps.
const WEAK: &str = r#"@chat
Feature: Capitals
  Scenario: Something comes
    When I ask "What is the capital of France?"
    Then the status is not 404
"#;

/// A project with the tape of two replies.
fn project(feature: &str) -> Project {
    let mut project = Project::new().file("suites/capitals.yaml", SUITE).file("features/capitals.feature", feature);
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mutate")).expect("a tape") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name != "README.md" {
            let text = std::fs::read_to_string(&path).expect("text");
            project = project.file(&format!("tapes/capitals/llamacpp/{name}"), &text);
        }
    }
    project
}

fn mutate(project: &Project, more: &[&str]) -> Ran {
    project.run(&[&["mutate", "--suite", "capitals"], more].concat())
}

#[test]
fn a_suite_is_scored_on_its_tape_and_what_did_not_change_is_not_tried_again() {
    let project = project(STRONG);
    let ran = mutate(&project, &["--json", "out/score.json", "--markdown", "out/score.md", "--min-score", "97"]);
    ran.exits(0).says(&["Would capitals[llamacpp] notice?", "99.7 % of the breaks are noticed, and no legal reply fails"]);
    let score: Value = serde_json::from_str(&project.read("out/score.json")).expect("JSON");
    let keys: Vec<&String> = score.as_object().expect("an object").keys().take(5).collect();
    assert_eq!(keys, ["operators", "killed", "survived", "false_alarms", "not_exercised"]);
    let count = |key: &str| score[key].as_u64().expect("a count");
    assert!(count("operators") >= 500 && count("killed") >= 250, "{} {}", count("operators"), count("killed"));
    assert_eq!((count("survived"), count("false_alarms")), (0, 0));
    assert_eq!(score["contracts"].as_array().map(Vec::len), Some(2));
    assert!(project.read("out/score.md").starts_with("# Would capitals[llamacpp] notice?\n"));

    // The same again is read from what was kept; a claim that changed is another scenario.
    let kept = || std::fs::read_dir(project.path(".fireassay/mutate")).expect("a folder").count();
    assert_eq!(kept(), 2);
    mutate(&project, &["--json", "out/again.json"]).exits(0);
    assert_eq!((project.read("out/again.json"), kept()), (project.read("out/score.json"), 2));
    let other = STRONG.replacen("mentions \"Paris\"", "contains \"Paris\"", 1);
    std::fs::write(project.path("features/capitals.feature"), other).expect("written");
    mutate(&project, &["--operator", "id-lost"]).exits(0);
    assert_eq!(kept(), 3);
}

#[test]
fn what_a_suite_does_not_notice_is_shown() {
    let project = project(WEAK);
    let ran = mutate(&project, &["--operator", "answer-refused,id-lost"]);
    ran.exits(0).says(&["Survived (1 of 1 operators)", "answer-refused", "+ HTTP 503", "50.0 % of the breaks are noticed"]);
    ran.says(&["Idle claims", "features/capitals.feature:3 Something comes"]);
    let ran = mutate(&project, &["--operator", "answer-refused,id-lost", "--min-score", "60"]);
    ran.exits(1).says(&["50.0 % of the breaks are noticed, below 60 %"]);
    mutate(&project, &["--operator", "answer-refused"]).exits(0).says(&["Vacuous scenarios", "0.0 %"]);
}

#[test]
fn what_cannot_be_tried_says_so() {
    let project = project(STRONG);
    mutate(&project, &["--list"]).exits(0).says(&["done-dropped", "tool calls", "(legal)"]);
    mutate(&project, &["--operator", "done-droped"]).exits(2).says(&["there is no such operator", "did you mean `done-dropped`"]);
    mutate(&project, &["--min-score", "101"]).exits(2).says(&["from 0 to 100"]);
    mutate(&project, &["--setup", "mlx-thinking"]).exits(2).says(&["run/no-tape", "--mode record"]);
    mutate(&project, &["--name", "no such scenario"]).exits(4).says(&["nothing would be tried"]);
    mutate(&project, &["--operator", "call-twice"]).exits(4).says(&["nothing was tried"]);
}
