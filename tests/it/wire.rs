//! Wire rules in the verdict, end to end on llama.cpp's real server: it leaves the role out of a stream whose first token holds a part
//! of a character only, and no author asks for a role.

use crate::harness::{Project, real_servers};

const GREETINGS: &str = r#"Feature: Greetings
  Scenario: A greeting in Japanese
    Given replies are streamed
    And at most 16 tokens
    When I ask "I am from Japan."
    Then the reply matches "[ぁ-ん]"

  Scenario: A capital
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
"#;

/// The dialect of W052 shows by chance in a short stream, so it says that it is not expected here.
const PROFILE: &str = r"name: llama.cpp
server: {like: llama.cpp}
dialect:
  - {rule: W052, scenario: another one, reason: its clock, source: measured}
  - {rule: W057, reason: the role in every delta, source: measured}
known:
  - {name: ^A greeting, file: a/*.feature, rule: W056, reason: the role is lost with half a character, source: measured}
";

#[test]
fn a_broken_rule_fails_the_scenario_unless_it_is_written_down() {
    let _lock = real_servers();
    let project = Project::new().file("a/greetings.feature", GREETINGS);
    let ran = project.run(&["run", "a", "--setup", "llamacpp", "--junit", "junit.xml", "--report", "json=out.json"]);
    ran.exits(1).says(&[
        "1 passed, 1 failed",
        "✗ W056  violation · wire",
        "found  no role in any delta",
        "event 1, bytes 0..",
        "fireassay rules W056",
        "advice (",
    ]);
    let junit = project.read("junit.xml");
    assert!(junit.contains(r#"<failure type="wire.W056" message="W056 no role in any delta"#), "{junit}");
    let report: serde_json::Value = serde_json::from_str(&project.read("out.json")).expect("JSON");
    let failed = report["scenarios"].as_array().expect("a list").iter().find(|one| one["outcome"] == "failed");
    let failed = failed.expect("a failed scenario");
    assert_eq!((&failed["findings"][0]["rule"], &failed["cause"]["whose"]), (&"W056".into(), &"wire".into()), "{failed}");

    let project = project.file("profiles/llama.cpp.yaml", PROFILE);
    let ran = project.run(&["run", "a", "--setup", "llamacpp", "--strict"]);
    ran.exits(1).says(&["1 passed, 1 known, 0 failed, 1 stale", "the role is lost with half a character", "dialect W057"]);
    assert!(!ran.stdout.contains("W056 of"), "what showed is not stale: {}", ran.stdout);
}
