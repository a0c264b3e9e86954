//! The machine: what the doctor tells of it, what the record keeps of it, and that weights which do not fit are not started.

use crate::harness::Project;

const FEATURE: &str = "Feature: Capitals\n  Scenario: It knows France\n    When I ask \"What is the capital of France?\"\n    \
                       Then the reply mentions \"Paris\"\n";

const MODELS: &str = r"models:
  vast: {repo: 'hf:lab/vast', size: 600000 GiB, context: 1024, kv: {layers: 1, heads: 1, length: 256},
         abilities: [chat], source: the test}
";

fn setup(needs: &str) -> String {
    format!(
        "name: lab\nservices:\n  server:\n    command: [sleep, '60']\nmodels: {{text: lab}}\nabilities: [chat]\nneeds: {needs}\n"
    )
}

#[test]
fn weights_that_do_not_fit_are_skipped_with_the_figures() {
    let project = Project::new()
        .file("models.yaml", MODELS)
        .file("setups/lab.yaml", &setup("{weights: {model: vast}}"))
        .file("a.feature", FEATURE);
    let figures = "needs 900000.0 GiB of memory (weights 600000.0 GiB + keys and values of 1024 tokens 1 MiB, × 1.5)";
    let ran = project.run(&["run", "a.feature", "--setup", "lab"]);
    ran.exits(4).says(&["1 skipped", figures, "GiB of memory are free"]);
    let events = project.events();
    assert!(events.iter().all(|event| event["event"] != "stack"), "nothing was started: {events:#?}");
    let started = events.iter().find(|event| event["event"] == "run_started").expect("the start");
    assert!(started["host"]["memory"].as_u64().is_some_and(|bytes| bytes > 0), "the record knows the machine: {started:#}");
    assert_eq!(started["host"]["arch"], std::env::consts::ARCH);
}

#[test]
fn a_model_that_the_catalogue_has_not_is_a_mistake_in_the_setup() {
    let project = Project::new().file("models.yaml", MODELS).file("setups/lab.yaml", &setup("{weights: {model: vats}}"));
    project.run(&["check"]).exits(2).says(&["error[setup/unknown-model]", "setups/lab.yaml:7:", "did you mean `vast`"]);
}

#[test]
fn the_doctor_tells_what_is_missing_and_what_brings_it() {
    let project = Project::new()
        .file("setups/lab.yaml", &setup("{commands: [fireassay-nonesuch], env: [LAB_KEY]}"))
        .file("suites/one.yaml", "name: one\nfeatures: [a.feature]\n")
        .file("a.feature", FEATURE)
        .file("weights/m.gguf", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    let ran = project.run(&["doctor", "--setup", "lab"]);
    ran.exits(5).says(&["LAB_KEY is not set", "→ export LAB_KEY=…", "`fireassay-nonesuch` is not on PATH", "install it: "]);
    ran.says(&["weights/m.gguf is an LFS pointer", "→ git lfs install && git lfs pull"]);
    project.run(&["doctor", "--cell", "one/lab"]).exits(5).says(&["cell one[lab]: 1 scenario, 0 skipped by ability"]);
    project.run(&["doctor", "--cell", "one"]).exits(2).says(&["write SUITE/SETUP"]);
    project.run(&["doctor", "--setup", "lap"]).exits(2).says(&["did you mean `lab`"]);
    let json = project.run(&["doctor", "--setup", "lab", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&value["setups"][0]["can_run"], &value["host"]["os"]), (&false.into(), &std::env::consts::OS.into()));
}
