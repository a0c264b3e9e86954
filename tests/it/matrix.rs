//! The matrix out of real records: what never ran is no pass, and a record that was touched is no evidence.

use crate::harness::Project;

/// A setup that is skipped here, so that a run leaves a whole record without a server.
fn skipped_run() -> Project {
    let feature = "Feature: Capitals\n  @chat\n  Scenario: It knows France\n    When I ask \"What is the capital of France?\"\n    \
                   Then the reply mentions \"Paris\"\n";
    let setup = "name: lab\nservices:\n  server:\n    command: [sleep, '60']\nmodels: {text: lab-7b}\nabilities: [chat]\nneeds: {os: [plan9]}\n";
    let project = Project::new().file("setups/lab.yaml", setup).file("a.feature", feature);
    project.run(&["run", "a.feature", "--setup", "lab", "--report", "json=out/lab.json"]).exits(4);
    project
}

#[test]
fn what_never_ran_is_skipped_with_its_reason_and_nothing_is_green() {
    let project = skipped_run();
    for source in [".fireassay/runs", ".fireassay/runs/latest", "out/lab.json"] {
        let ran = project.run(&["report", "matrix", source]);
        ran.exits(4).says(&[
            "| lab-7b | never answered | lab, contract generic | skipped [1] |",
            "1. needs plan9, this is",
            "no scenario of these",
        ]);
        assert!(!ran.stdout.contains("pass "), "{}", ran.stdout);
    }
    let ran = project.run(&["report", "matrix", "--format", "json", "--output", "out/matrix.json"]);
    ran.exits(4);
    let matrix: serde_json::Value = serde_json::from_str(&project.read("out/matrix.json")).expect("JSON");
    assert_eq!(matrix["rows"][0]["cells"][0]["state"], "skipped", "{matrix:#}");
}

#[test]
fn a_report_that_cannot_be_read_is_told_with_its_path() {
    let project = skipped_run();
    project.run(&["report", "matrix", "out/lab.json", "out/none.json"]).exits(2).says(&["cannot read the report out/none.json"]);
    let events =
        project.read(".fireassay/runs/latest/events.ndjson").replace("\"outcome\":\"skipped\"", "\"outcome\":\"passed\"");
    std::fs::write(project.path(".fireassay/runs/latest/events.ndjson"), events).expect("a changed record");
    project.run(&["report", "matrix"]).exits(3).says(&["is no evidence: its events are not those that were sealed"]);
    std::fs::remove_file(project.path(".fireassay/runs/latest/seal.json")).expect("no seal");
    project.run(&["report", "matrix"]).exits(3).says(&["it is not sealed"]);
}
