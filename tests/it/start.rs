//! From nothing to a feature that passes: what is found, what is asked, what is written, and that it holds on a real server.

use crate::harness::{Project, real_servers};

#[test]
fn without_a_terminal_nothing_is_guessed_unless_that_is_wished() {
    let project = Project::new();
    project.run(&["init"]).exits(2).says(&["there is no terminal to ask on", "--accept-defaults"]);
    assert!(!project.path("setups").exists(), "nothing is written");
}

#[test]
fn what_is_written_is_whole_and_never_written_over() {
    let project = Project::new();
    let ran = project.run(&["init", "--accept-defaults", "--name", "mine"]);
    ran.exits(0).says(&[
        "score = intent + size + here + free",
        "smollm2-135m",
        "wrote setups/mine.yaml and features/mine.feature",
    ]);
    project.run(&["check"]).exits(0).says(&["1 setup", "0 errors"]);
    std::fs::write(project.path("features/mine.feature"), "Feature: Mine\n").expect("a change");
    project.run(&["init", "--accept-defaults", "--name", "mine"]).exits(2).says(&["is there already", "--force"]);
    assert_eq!(project.read("features/mine.feature"), "Feature: Mine\n", "it is as it was");
    project.run(&["init", "--accept-defaults", "--name", "../mine"]).exits(2).says(&["is no name of a setup"]);
}

#[test]
fn models_that_lie_here_are_found_and_told_from_pointers() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    let project = Project::new().file("store/half.gguf", pointer).file("store/broken.gguf", "GGUF");
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command.env("LLAMA_CACHE", project.path("store")).env("HOME", project.path("home"));
        crate::harness::ran(&command.output().expect("the command starts"))
    };
    run(&["discover"]).exits(0).says(&["2 models", "half  ✗ it is an LFS pointer: git lfs pull", "broken"]);
    let found: serde_json::Value = serde_json::from_str(&run(&["discover", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(found["stores"][3]["models"].as_array().map(Vec::len), Some(2), "{found:#}");
    // Neither is taken.
    let ran = run(&["init", "--accept-defaults", "--name", "mine"]);
    ran.exits(0).says(&["broken (llama.cpp)", "is no whole GGUF file", "half (llama.cpp)"]);
    assert!(project.read("setups/mine.yaml").contains("extends: llamacpp"), "{}", project.read("setups/mine.yaml"));
}

#[test]
fn what_init_writes_passes_on_a_real_server() {
    let _lock = real_servers();
    let project = Project::new();
    for intent in ["chat", "tools", "code"] {
        project.run(&["init", "--accept-defaults", "--intent", intent, "--name", intent]).exits(0);
        let feature = format!("features/{intent}.feature");
        let passed = if intent == "chat" { "2 passed" } else { "1 passed" };
        project.run(&["run", &feature, "--setup", intent, "--live"]).exits(0).says(&[passed]);
    }
    project.run(&["report", "matrix"]).exits(0).says(&["| smollm2 | llama.cpp", "pass 1"]);
}
