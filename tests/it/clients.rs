//! Real client libraries drive a real server: what they get and raise is told, and what they overlook is not.

use std::sync::Arc;

use fireassay::tape::{Fault, Orders, Proxy};
use fireassay::wire::{Base, Request};

use crate::faults::Server;
use crate::harness::{FIXED_KEY, Project, processes_of, real_servers};
use crate::proxy::Says;

#[test]
fn the_harness_suite_holds_on_llama_cpp() {
    let _lock = real_servers();
    let project = Project::new();
    let ran = project.run(&["run", "--suite", "harness", "--setup", "llamacpp", "--strict", "--junit", "junit.xml"]);
    ran.exits(0).says(&["34 passed, 2 known, 0 failed, 4 skipped"]);
    let events = project.events();
    let agents: Vec<String> = events.iter().filter(|event| event["event"] == "exchange").map(ToString::to_string).collect();
    for agent in ["OpenAI/Python", "OpenAI/JS", "Anthropic/Python"] {
        assert!(agents.iter().any(|event| event.contains(agent)), "{agent} made an exchange that is kept");
    }
}

/// What a library gets, and a stream that it leaves.
const RECORDED: &str = r#"Feature: A
  Scenario: It gets an answer
    When the client openai-python does "chat" with:
      | prompt | What is the capital of France? |
    Then the client's "text" mentions "Paris"
  Scenario: It leaves a stream
    Given at most 400 tokens
    When the client openai-python does "abort" with:
      | prompt | Write a story about a fox. |
      | events | 5                          |
    Then the client's "events" is 5
"#;

#[test]
fn a_client_is_recorded_and_replayed_without_its_server() {
    let _lock = real_servers();
    let project = Project::new().file("a.feature", RECORDED);
    let run = |mode: &str| project.run(&["run", "a.feature", "--setup", "llamacpp", "--mode", mode]);
    run("record").exits(0).says(&["2 passed, 0 failed", "2 recorded, 2 in all"]);
    let ran = run("replay");
    ran.exits(0).says(&["llamacpp, replay", "2 passed, 0 failed"]);
    assert!(!ran.all().contains("started as process"), "{}", ran.all());
    let other = RECORDED.replacen("France", "Francia", 1);
    std::fs::write(project.path("a.feature"), other).expect("written");
    run("replay").exits(5).says(&["What is the capital of Francia?", "is not on the tape"]);

    // As a client of the user's own sees it: through a proxy that records, and then through one that has nothing but its tape.
    let server = Server::start();
    let guest = Project::new().file("a.feature", RECORDED).file("setups/fixed.yaml", FIXED_KEY);
    let ask =
        |url: &str| guest.run(&["run", "a.feature", "--setup", "fixed", "--url", url, "--name", "answer", "--mode", "live"]);
    let proxy = Says::proxy(&guest, &["--to", &server.url, "--mode", "record", "--tape", "tape"]);
    ask(&proxy.url).exits(0).says(&["1 passed"]);
    proxy.end().exits(0);
    drop(server);
    let proxy = Says::proxy(&guest, &["--mode", "replay", "--tape", "tape"]);
    ask(&proxy.url).exits(0).says(&["1 passed"]);
    proxy.end().exits(0).says(&["200 POST /v1/chat/completions", "[tape]"]);
}

/// A client of the user's own: what it writes and how it ends is up to each task.
const OWN: &str = r#"name: own
description: A script.
command: [sh, -c, '. ./told; case $task in
  silent) ;; noise) echo hello > "$1" ;; list) echo "[]" > "$1" ;; broken) echo "no such module: requests" >&2; exit 3 ;;
  slow) sleep 61719 & sleep 61719 ;; idle) echo "{\"text\": \"Paris\"}" > "$1" ;; esac', x, <output>, <input>]
tasks: {silent: x, noise: x, list: x, broken: x, slow: x, idle: x}
within: 3s
"#;

#[test]
fn a_client_that_does_not_do_its_work_is_told_and_ended() {
    let _lock = real_servers();
    let own = OWN.replace(". ./told;", "task=$(tr , \"\\n\" < \"$2\" | sed -n s/.task.:.//p | tr -d \\\"{});");
    let feature: String = ["silent", "noise", "list", "broken", "slow", "idle"]
        .map(|task| {
            format!("  Scenario: {task}\n    When the client own does \"{task}\"\n    Then the client's \"text\" is \"Paris\"\n")
        })
        .concat();
    let project = Project::new().file("a.feature", &format!("Feature: Own\n{feature}")).file("clients/own.yaml", &own);
    let ran = project.run(&["run", "a.feature", "--setup", "llamacpp"]);
    ran.exits(1).says(&[
        "the client `own` ended well but wrote no `<output>`",
        "the client `own` wrote no JSON",
        "the client `own` wrote []; it must write an object",
        "the client `own` ended with exit code 3; last words: no such module: requests",
        "the client `own` did not end within 3s",
        "the client `own` does `idle`: it asks the stack nothing",
        "1 failed, 5 errored",
    ]);
    assert!(!processes_of("sleep 61719"), "what a client left behind is ended");
}

#[test]
fn a_client_and_a_task_that_are_not_there_are_told_before_anything_runs() {
    let feature = "Feature: A\n  Scenario: B\n    When the client openai-pyton does \"chat\"\n    And the client openai-python does \"chatt\"\n    Then the client's \"text\" exists\n";
    let project = Project::new().file("a.feature", feature);
    project.run(&["check", "a.feature"]).exits(2).says(&[
        "error[client/unknown]: there is no client `openai-pyton`",
        "a.feature:3:21",
        "did you mean `openai-python`?",
        "error[client/unknown-task]: the client `openai-python` has no task `chatt`",
        "did you mean `chat`?",
    ]);
    let files = "provision:\n  files:\n    - {package: mine-part<part>==1, path: a.gguf, sha256: ab, as: a.gguf, licence: MIT, size: 1 MB}\n";
    let bad = format!("name: mine\ncommand: [<pyton>, <input>]\n{files}tasks: {{}}\n");
    let project = Project::new().file("clients/mine.yaml", &bad).file("a.feature", "Feature: A\n");
    project.run(&["check", "a.feature"]).exits(2).says(&[
        "error[client/no-file]: without `<output>` the client cannot say what came of it",
        "error[client/no-task]",
        "error[client/unknown-placeholder]: `<pyton>` is not filled in here",
        "did you mean `<python>`?",
        "error[provision/parts]: `<part>` of how many?",
    ]);
}

#[test]
fn what_a_client_overlooks_is_judged_on_the_wire() {
    let _lock = real_servers();
    let server = Server::start();
    let feature = "Feature: A\n  Scenario: B\n    When the client openai-python does \"chat\" with:\n      | prompt | What is the capital of France? |\n    Then the client's \"text\" mentions \"Paris\"\n";
    let run = |fault: Fault| {
        let about = move |request: &Request| if request.body.is_some() { fault.clone() } else { Fault::None };
        let orders = Orders::to(Base::new(&server.url)).read_ahead().choose(about);
        let proxy = Proxy::start(orders).expect("a proxy");
        let guest = Project::new().file("a.feature", feature).file("setups/fixed.yaml", FIXED_KEY);
        guest.run(&["run", "a.feature", "--setup", "fixed", "--url", &proxy.url()])
    };
    run(Fault::None).exits(0).says(&["1 passed"]);
    let edit = |body: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(body).replace("\"chat.completion\"", "\"chat.compilation\"");
        *body = text.into_bytes();
    };
    run(Fault::Edit(Arc::new(edit))).exits(1).says(&["✓ Then the client's \"text\" mentions \"Paris\"", "chat.compilation"]);
    run(Fault::CutAfter(0)).exits(1).says(&["the client `openai-python` does `chat`: it raises APIConnectionError"]);
}
