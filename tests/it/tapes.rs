//! Replies of a real server on a tape: recorded, replayed without it, filled, and refused where they are not what they were.

mod trust;

use serde_json::Value;

use crate::harness::{Project, Ran, real_servers};

const FEATURE: &str = r#"@chat
Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
  @stream
  Scenario: It streams
    Given replies are streamed
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the reply ends within 60s
    And the stream ends with [DONE]
  Scenario: Its models are listed, with its key alone
    When I list the models
    Then the request succeeds
    Given the API key "sk-wrong-key"
    When I list the models
    Then the status is 401
"#;

const ANOTHER: &str = r#"  Scenario: It says something of Spain
    When I ask "What is the capital of Spain?"
    Then the reply is not empty
"#;

const TAPE: &str = "tapes/files/llamacpp";

fn project(feature: &str) -> Project {
    Project::new().file("capitals.feature", feature)
}

/// Outcomes in the order of the scenarios.
fn outcomes(project: &Project) -> Vec<String> {
    let ended = |event: &&Value| event["event"] == "scenario_finished";
    project.events().iter().filter(ended).map(|event| event["outcome"].as_str().expect("a word").to_owned()).collect()
}

fn exchanges(project: &Project) -> Vec<String> {
    let manifest: Value = serde_json::from_str(&project.read(&format!("{TAPE}/tape.json"))).expect("a manifest");
    manifest["exchanges"].as_object().expect("files").keys().cloned().collect()
}

fn replay(project: &Project) -> Ran {
    project.run(&["run", "capitals.feature", "--setup", "llamacpp", "--mode", "replay"])
}

#[test]
fn a_tape_stands_for_its_server_and_for_no_other() {
    let _lock = real_servers();
    let project = project(FEATURE);
    let record = |mode: &str| project.run(&["run", "capitals.feature", "--setup", "llamacpp", "--mode", mode]);
    record("record").exits(0).says(&["llamacpp, record, 3 scenarios", &format!("4 recorded, 4 in all, in {TAPE}")]);
    assert_eq!(outcomes(&project), ["passed"; 3]);
    let recorded = exchanges(&project);

    // No server is there any more: what was answered is judged again, but for what only a server can show.
    let ran = replay(&project);
    ran.exits(0).says(&["llamacpp, replay, 3 scenarios", "2 passed, 0 failed, 1 not evaluated", "4 exchanges, recorded"]);
    assert!(!ran.all().contains("started as process"), "{}", ran.all());

    // A question that nobody recorded is an error that names the nearest; the key of the wrong key is not that of none.
    let other = FEATURE
        .replacen("capital of France", "capital of Francia", 1)
        .replace("the API key \"sk-wrong-key\"", "no API key is sent");
    std::fs::write(project.path("capitals.feature"), other).expect("written");
    let ran = replay(&project);
    ran.exits(5).says(&[
        "the nearest is `chat-completions-",
        "\"What is the capital of France?\", not \"What is the capital of Francia?\"",
    ]);
    ran.says(&["credentials: \"another key\", not \"none\""]);

    // What is missing is asked of the server, and only that.
    std::fs::write(project.path("capitals.feature"), format!("{FEATURE}{ANOTHER}")).expect("written");
    record("fill").exits(0).says(&[&format!("1 recorded, 5 in all, in {TAPE}")]);
    assert!(recorded.iter().all(|name| exchanges(&project).contains(name)));
    replay(&project).exits(0);

    // A recording that does not come to its end changes nothing.
    let before = project.read(&format!("{TAPE}/tape.json"));
    std::fs::write(project.path("capitals.feature"), FEATURE.replacen("\"Paris\"", "\"Oslo\"", 1)).expect("written");
    let ran = project.run(&["run", "capitals.feature", "--setup", "llamacpp", "--mode", "record", "--fail-fast"]);
    ran.exits(1).says(&["nothing was written"]);
    assert_eq!(project.read(&format!("{TAPE}/tape.json")), before);

    // A reply that fails live fails on the tape as well: Oslo is wanted, and Paris was answered.
    replay(&project).exits(1).says(&["Oslo"]);

    // Another setup's profile is not that of the tape; a file that was changed is not what was recorded.
    let other = "name: other\nextends: llamacpp\nprofile: ollama\n";
    std::fs::create_dir(project.path("setups")).expect("a folder");
    std::fs::write(project.path("setups/other.yaml"), other).expect("written");
    std::fs::rename(project.path(TAPE), project.path("tapes/files/other")).expect("moved");
    let ran = project.run(&["run", "capitals.feature", "--setup", "other", "--mode", "replay"]);
    ran.exits(5).says(&["the tape was recorded with the profile `llama.cpp`, and `other` has the profile `ollama`"]);
    replay(&project).exits(2).says(&[
        "error[run/no-tape]",
        &format!("no tape of (files)[llamacpp] in `{TAPE}`"),
        "--mode record",
    ]);
    std::fs::rename(project.path("tapes/files/other"), project.path(TAPE)).expect("moved");
    let file = format!("{TAPE}/{}", recorded[0]);
    let edited = project.read(&file).replace("Paris", "Parma");
    std::fs::write(project.path(&file), edited).expect("written");
    replay(&project).exits(2).says(&[&file, "not the one that was recorded"]);
}

#[test]
fn a_recording_takes_the_place_of_a_packed_tape_and_the_same_server_has_not_drifted() {
    let _lock = real_servers();
    let project = project(FEATURE);
    let record = || project.run(&["run", "capitals.feature", "--setup", "llamacpp", "--mode", "record"]);
    record().exits(0);
    project.run(&["tapes", "pack", TAPE, "--out", &format!("{TAPE}.tar.gz")]).exits(0);
    std::fs::remove_dir_all(project.path(TAPE)).expect("a folder");
    record().exits(0).says(&[&format!("4 recorded, 4 in all, in {TAPE}, in place of {TAPE}.tar.gz")]);
    assert!(!project.path(&format!("{TAPE}.tar.gz")).exists());
    project.run(&["tapes", "diff", "files/llamacpp"]).exits(0).says(&["no drift: 0 of 4 exchanges differ in form"]);
}

#[test]
fn nothing_secret_is_on_a_tape() {
    let _lock = real_servers();
    let feature = FEATURE.replace("sk-wrong-key", "sk-a-secret-of-mine");
    let setup = "name: mine\nextends: llamacpp\ntape: {redact: [\"a-secret-[a-z-]+\"], volatile: [n]}\n";
    let project = project(&feature).file("setups/mine.yaml", setup);
    project.run(&["run", "capitals.feature", "--setup", "mine", "--mode", "record"]).exits(0);
    for file in std::fs::read_dir(project.path("tapes/files/mine")).expect("a tape") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        assert!(!text.contains("a-secret-of-mine") && !text.contains("Bearer sk-"), "{text}");
    }
    project.run(&["run", "capitals.feature", "--setup", "mine", "--mode", "replay"]).exits(0);
}

/// What each built-in tape of the base suite comes to. Only what a running server alone can show is not evaluated.
const BUILT_IN: [(&str, &str); 5] = [
    ("llamacpp", "205 passed, 39 known, 0 failed, 40 skipped, 5 not evaluated"),
    ("llamacpp-thinking", "239 passed, 41 known, 0 failed, 9 not evaluated"),
    ("mlx-local", "165 passed, 46 known, 0 failed, 77 skipped, 1 not evaluated"),
    ("ollama", "201 passed, 62 known, 0 failed, 21 skipped, 5 not evaluated"),
    ("vllm", "251 passed, 29 known, 0 failed, 9 not evaluated"),
];

/// Nothing is here: no project, no server, no Python, no network.
#[test]
fn the_built_in_tapes_of_the_base_suite_answer_in_an_empty_folder() {
    let project = Project::new();
    let ran = project.run(&["run", "--suite", "base", "--strict"]);
    ran.exits(0).says(&["base × llamacpp, replay, 289 scenarios", BUILT_IN[0].1]);
    for (setup, counts) in &BUILT_IN[1..] {
        let ran = project.run(&["run", "--suite", "base", "--setup", setup, "--mode", "replay", "--strict"]);
        ran.exits(0).says(&[&format!("base × {setup}, replay, 289 scenarios"), counts]);
    }
}

#[test]
fn what_is_on_a_tape_is_written_in_the_forms_of_others() {
    let project = Project::new();
    let export = |more: &[&str]| project.run(&[&["tapes", "export", "base/llamacpp"], more].concat());
    let json = |file: &str| serde_json::from_str::<Value>(&project.read(file)).expect("JSON");
    export(&["1", "--to", "curl", "--url", "http://h:1"]).exits(0).says(&[
        "curl -sS -N -X ",
        "http://h:1/v1/",
        "Bearer $API_KEY",
    ]);
    export(&["--to", "har", "-o", "out/all.har"]).exits(0).says(&["402 exchanges"]);
    assert_eq!(json("out/all.har")["log"]["entries"].as_array().map(Vec::len), Some(402));
    export(&["models", "--to", "json", "-o", "out/models.json"]).exits(0);
    let models = json("out/models.json");
    let lists = |exchange: &Value| exchange["response"]["json"]["object"] == "list";
    assert!(models["exchanges"].as_array().expect("exchanges").iter().any(lists), "{models:#}");
    export(&["none-such", "--to", "json"]).exits(2).says(&["no exchange of", "from 1 to 402"]);
}
