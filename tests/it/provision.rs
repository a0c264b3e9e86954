//! Provisioning that cannot be trusted or cannot be done ends the run before anything starts, with the figures.

use crate::harness::{Project, Ran};

/// A setup that takes one small file out of a package.
fn setup(sha256: &str) -> String {
    format!(
        "name: lab\nprovision:\n  files:\n    - package: six==1.17.0\n      path: six.py\n      sha256: {sha256}\n      as: six.py\n      \
         licence: MIT\n      size: 35 kB\nservices:\n  server:\n    command: [sleep, '60']\nmodels: {{text: lab}}\nabilities: [chat]\n"
    )
}

const FEATURE: &str = r#"Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
"#;

fn run(sha256: &str, environment: &[(&str, &str)]) -> (Project, Ran) {
    let project = Project::new().file("setups/lab.yaml", &setup(sha256)).file("features/capitals.feature", FEATURE);
    let mut command = project.command(&["run", "features/capitals.feature", "--setup", "lab"]);
    command.env("FIREASSAY_CACHE", project.path("cache")).envs(environment.iter().copied());
    let ran = crate::harness::ran(&command.output().expect("the command starts"));
    (project, ran)
}

#[test]
fn a_file_with_another_hash_is_refused() {
    let zeros = "0".repeat(64);
    let (project, ran) = run(&zeros, &[]);
    ran.exits(5).says(&["six.py", &zeros, "SHA-256 is"]);
    let events = project.events();
    assert!(events.iter().all(|event| event["event"] != "server"), "nothing was started");
}

#[test]
fn no_network_is_said_as_such() {
    // Port 9 of the loopback is nobody's: every index is out of reach, and uv's own cache is empty.
    let nowhere = "http://127.0.0.1:9/simple";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = folder.path().to_string_lossy().into_owned();
    let environment = [
        ("UV_DEFAULT_INDEX", nowhere),
        ("UV_INDEX_URL", nowhere),
        ("PIP_INDEX_URL", nowhere),
        ("PIP_FIND_LINKS", ""),
        ("UV_FIND_LINKS", ""),
        ("UV_CACHE_DIR", cache.as_str()),
        ("UV_HTTP_RETRIES", "0"),
        ("PIP_RETRIES", "0"),
        ("PIP_NO_CACHE_DIR", "1"),
    ];
    let (_, ran) = run(&"0".repeat(64), &environment);
    ran.exits(5).says(&["fetching six==1.17.0", "check the network"]);
}
