//! The main job end to end on llama.cpp's real server: pass, fail, signals, kill; nothing is left behind in any of them.

use nix::sys::signal::Signal;

use crate::harness::{FIXED_KEY, Project, listens, port, processes_of, ran, real_servers, signal, wait};

const PARIS: &str = r#"Feature: Capitals
  Scenario: It knows France
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"
"#;

/// Scenarios that keep the server busy for seconds each, and well under a step's minute on a slow machine.
const LONG: &str = r#"Feature: Long replies
  Scenario Outline: A long story about <animal>
    Given at most 300 tokens
    And replies are streamed
    When I ask "Write a story about a <animal>."
    Then the reply is not empty
    Examples:
      | animal |
      | fox    |
      | bear   |
      | wolf   |
      | owl    |
"#;

/// A body under a media type of its own.
const PLAIN: &str = r#"Feature: Media types
  Scenario: A request that says it is text
    When I post to "/v1/chat/completions":
      """text/plain; charset=utf-8
      {"model": "{{model}}", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
      """
    Then the request succeeds
"#;

#[test]
fn a_passing_feature_exits_0_and_leaves_a_record_and_no_process() {
    let _lock = real_servers();
    let project = Project::new().file("a/paris.feature", PARIS).file("a/plain.feature", PLAIN);
    let ran = project.run(&["run", "a", "--setup", "llamacpp", "--junit", "junit.xml", "--report", "json=out.json"]);
    ran.exits(0).says(&["2 passed"]);
    let junit = project.read("junit.xml");
    assert!(junit.contains(r#"tests="2" failures="0" errors="0""#), "{junit}");
    let seal: serde_json::Value = serde_json::from_str(&project.read(".fireassay/runs/latest/seal.json")).expect("a seal");
    assert_eq!(seal["totals"]["totals"]["passed"], 2, "{seal}");
    assert_eq!(seal["exit"], 0);
    let phases: Vec<_> =
        project.events().iter().filter(|event| event["event"] == "stack").map(|event| event["phase"].clone()).collect();
    assert_eq!(phases, ["start", "ready", "stop", "gone"], "the record says how the server ended");
    let server = project.wait_for("the server's event", |event| event["event"] == "server");
    let url = server["url"].as_str().expect("an address");
    assert!(server["server"].as_str().is_some_and(|name| name.contains("llama.cpp")), "{server}");
    assert!(!listens(port(url)), "{url} still listens");
    let child = &server["services"][0];
    assert!(child["name"] == "server" && child["port"] == port(url) && child["start_us"].as_u64() > Some(0), "{server}");
    let usage = project.wait_for("a sample of what it takes", |event| event["event"] == "resources");
    let rss = usage["services"][0]["rss"].as_u64().expect("a figure");
    assert!(rss > 100 << 20 && usage["free"].as_u64() > Some(0), "{usage}");
    let process = format!("server={}:{}", child["pid"], child["port"]);
    assert!(
        junit.contains(&process) && junit.contains("fireassay.peak_rss_mib") && junit.contains("fireassay.start_ms"),
        "{junit}"
    );
    let json: serde_json::Value = serde_json::from_str(&project.read("out.json")).expect("JSON");
    assert!(json["cells"][0]["server"]["services"][0]["peak_rss_bytes"].as_u64() >= Some(rss), "{json}");
    let record = project.read(".fireassay/runs/latest/events.ndjson");
    assert!(
        record.contains("What is the capital of France?") && record.contains(r#""authorization","Bearer ***""#),
        "evidence with masked secrets"
    );
    assert!(record.contains(r#""content-type","text/plain; charset=utf-8""#), "the doc string's media type");
}

#[test]
fn a_server_that_takes_more_memory_than_it_may_ends_its_cell() {
    let _lock = real_servers();
    let small = "name: small\nextends: llamacpp\nservices: {server: {limits: {memory: 100MiB}}}\n";
    let project = Project::new().file("long.feature", LONG).file("setups/small.yaml", small);
    let ran = project.run(&["run", "long.feature", "--setup", "small", "--junit", "junit.xml"]);
    ran.exits(5).says(&["`server` takes", "over its limit of 100 MiB"]);
    assert!(project.read("junit.xml").contains("over its limit of 100 MiB"));
    assert_gone(&project);
}

#[test]
fn a_server_that_stops_answering_is_told_in_time_and_ended() {
    let _lock = real_servers();
    let project =
        Project::new().file("paris.feature", &PARIS.replace("    When I ask", "    Given the time limit is 5s\n    When I ask"));
    let project = project.file("long.feature", LONG);
    let child =
        project.start(&["run", "long.feature", "paris.feature", "--setup", "llamacpp", "--timeout", "10s", "--concurrency", "1"]);
    let server = project.wait_for("the server's event", |event| event["event"] == "server");
    let pid = server["services"][0]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process");
    project.wait_for("a scenario that runs", |event| event["event"] == "scenario_started");
    signal(pid, Signal::SIGSTOP);
    let ran = ran(&child.wait_with_output().expect("it ends"));
    assert_ne!(ran.code, Some(0), "{}", ran.all());
    ran.says(&["It knows France"]);
    assert_gone(&project);
}

#[test]
fn a_model_file_that_is_cut_short_is_told_with_the_servers_words() {
    let _lock = real_servers();
    let cut = r#"name: cut
extends: llamacpp
provision:
  make:
    - run: ["<python>", "<assets>/gguf_f16.py", "<files>/smollm2.gguf", "<out>"]
      as: smollm2-f16.gguf
    - run: [sh, -c, 'head -c 50000000 "$0" > "$1"', "<files>/smollm2-f16.gguf", "<out>"]
      as: cut.gguf
services:
  server:
    command: ["<python>", "<assets>/llamacpp_server.py", "-m", "<files>/cut.gguf", "--host", "127.0.0.1", "--port", "<port>"]
"#;
    let project = Project::new().file("paris.feature", PARIS).file("setups/cut.yaml", cut);
    let ran = project.run(&["run", "paris.feature", "--setup", "cut", "--junit", "junit.xml"]);
    ran.exits(5).says(&["`server` died before it was ready"]);
    project.run(&["up", "cut"]).exits(5).says(&["`server` died before it was ready", "last words"]);
    project.run(&["status", "cut"]).exits(4);
}

#[test]
fn a_model_that_the_server_does_not_have_is_told_before_any_scenario() {
    let _lock = real_servers();
    let wrong = "name: wrong\nextends: litellm\nmodels: {text: nonesuch-7b, tools: nonesuch-7b}\n";
    let project = Project::new().file("paris.feature", PARIS).file("setups/wrong.yaml", wrong);
    let ran = project.run(&["run", "paris.feature", "--setup", "wrong"]);
    ran.exits(5).says(&["refuses to generate with the model", "nonesuch-7b"]);
    assert_gone(&project);
}

#[test]
fn two_runs_at_once_on_one_setup_have_a_server_each() {
    let _lock = real_servers();
    let projects = [Project::new().file("paris.feature", PARIS), Project::new().file("paris.feature", PARIS)];
    let children = projects.each_ref().map(|project| project.start(&["run", "paris.feature", "--setup", "llamacpp"]));
    for child in children {
        ran(&child.wait_with_output().expect("it ends")).exits(0).says(&["1 passed"]);
    }
    let url = |project: &Project| project.wait_for("the server's event", |event| event["event"] == "server")["url"].clone();
    assert_ne!(url(&projects[0]), url(&projects[1]));
    projects.iter().for_each(assert_gone);
}

#[test]
fn a_broken_expectation_goes_red_with_all_that_a_person_needs() {
    let _lock = real_servers();
    let project = Project::new().file("lyon.feature", &PARIS.replace("\"Paris\"", "\"Lyon\""));
    let ran = project.run(&["run", "lyon.feature", "--setup", "llamacpp", "--junit", "junit.xml"]);
    ran.exits(1).says(&[
        "lyon.feature:4:5",
        "It knows France",
        "Lyon",
        "The capital of France is Paris.",
        "curl",
        "fireassay run lyon.feature:2 --setup llamacpp",
        "1 failed",
    ]);
    let junit = project.read("junit.xml");
    assert!(junit.contains(r#"failures="1""#) && junit.contains("assert.text"), "{junit}");
    // The rerun line runs just this scenario, with the same end.
    project.run(&["run", "lyon.feature:2", "--setup", "llamacpp"]).exits(1);
}

#[test]
fn an_interrupt_finishes_what_runs_and_reports_the_rest_as_not_run() {
    let _lock = real_servers();
    // What is handed out ahead of a free slot has not begun, and does not.
    for (concurrency, rest) in [("1", r#"errors="3""#), ("2", r#"errors="2""#)] {
        let project = Project::new().file("long.feature", LONG);
        let child =
            project.start(&["run", "long.feature", "--setup", "llamacpp", "--concurrency", concurrency, "--junit", "junit.xml"]);
        project.wait_for("a scenario that runs", |event| event["event"] == "scenario_started");
        signal(child.id(), Signal::SIGINT);
        let ran = ran(&child.wait_with_output().expect("it ends"));
        ran.exits(130);
        let junit = project.read("junit.xml");
        assert!(junit.contains(r#"tests="4""#) && junit.contains(rest) && junit.contains("infra.not_run"), "{junit}");
        assert_gone(&project);
    }
}

#[test]
fn a_second_interrupt_stops_at_once_and_leaves_nothing() {
    let _lock = real_servers();
    let project = Project::new().file("long.feature", LONG);
    let child = project.start(&["run", "long.feature", "--setup", "llamacpp", "--concurrency", "1", "--junit", "junit.xml"]);
    project.wait_for("a scenario that runs", |event| event["event"] == "scenario_started");
    signal(child.id(), Signal::SIGINT);
    project.wait_for("the first interrupt", |event| event["event"] == "interrupted");
    signal(child.id(), Signal::SIGINT);
    let ran = ran(&child.wait_with_output().expect("it ends"));
    ran.exits(130);
    let junit = project.read("junit.xml");
    assert!(junit.contains(r#"tests="4""#) && junit.contains(r#"errors="4""#), "{junit}");
    assert_gone(&project);
}

#[test]
fn a_kill_in_mid_run_leaves_no_process_and_no_port() {
    let _lock = real_servers();
    let project = Project::new().file("long.feature", LONG);
    let mut child = project.start(&["run", "long.feature", "--setup", "llamacpp"]);
    project.wait_for("a scenario that runs", |event| event["event"] == "scenario_started");
    signal(child.id(), Signal::SIGKILL);
    child.wait().expect("it ends");
    assert_gone(&project);
    assert!(!project.path(".fireassay/runs/latest/seal.json").exists(), "a killed run has no seal");
}

#[test]
fn a_termination_during_start_leaves_nothing() {
    let _lock = real_servers();
    let project = Project::new().file("long.feature", LONG);
    let child = project.start(&["run", "long.feature", "--setup", "llamacpp", "--junit", "junit.xml"]);
    project.wait_for("a stack that starts", |event| event["event"] == "stack");
    signal(child.id(), Signal::SIGTERM);
    let ran = ran(&child.wait_with_output().expect("it ends"));
    ran.exits(143);
    assert!(project.read("junit.xml").contains("infra.not_run"));
    assert_gone(&project);
}

#[test]
fn repeats_fail_fast_and_an_attached_server() {
    let _lock = real_servers();
    let both = format!(
        "{PARIS}  Scenario: It is asked for the impossible\n    When I ask \"Hello!\"\n    Then the reply is \"xyzzy\"\n"
    );
    let project = Project::new().file("a.feature", &both).file("b.feature", PARIS);
    let ran = project.run(&["run", "a.feature", "b.feature", "--setup", "llamacpp", "--fail-fast", "--concurrency", "1"]);
    ran.exits(1).says(&["1 failed"]);
    project
        .run(&[
            "run",
            "a.feature",
            "--setup",
            "llamacpp",
            "--retries",
            "1",
            "--repeats",
            "2",
            "--name",
            "impossible",
            "--junit",
            "j.xml",
        ])
        .exits(1);
    let junit = project.read("j.xml");
    assert!(junit.contains(r#"tests="2" failures="2""#) && junit.contains("rerunFailure"), "{junit}");
}

#[test]
fn a_running_server_is_attached_to_and_left_alone() {
    let _lock = real_servers();
    let owner = Project::new().file("long.feature", LONG).file("setups/fixed.yaml", FIXED_KEY);
    let child = owner.start(&["run", "long.feature", "--setup", "fixed", "--concurrency", "1"]);
    let server = owner.wait_for("the server's event", |event| event["event"] == "server");
    let url = server["url"].as_str().expect("an address").to_owned();
    let guest = Project::new().file("paris.feature", PARIS).file("setups/fixed.yaml", FIXED_KEY);
    let guest = guest.file("setups/other.yaml", "name: other\nextends: fixed\nprofile: ollama\nabilities: [chat]\n");
    guest.run(&["run", "paris.feature", "--setup", "fixed", "--url", &url]).exits(0).says(&["1 passed"]);
    // Without the setup there is no key: the server refuses, and the scenario says what it answered.
    let refused = guest.run(&["run", "paris.feature", "--url", &url]);
    assert_ne!(refused.code, Some(0), "{}", refused.all());
    refused.says(&["401"]);
    stranger(&guest, &url);
    assert!(listens(port(&url)), "an attached server is not ours to stop");
    end(&owner, child);
    assert_gone(&owner);
}

/// A setup that is about Ollama is not run against this server, and the record says who was met.
fn stranger(guest: &Project, url: &str) {
    let guest = guest.run(&["run", "paris.feature", "--setup", "other", "--url", url, "--junit", "junit.xml"]);
    guest.exits(5).says(&["the setup `other` is for a server like `ollama` (profile `ollama`)", "`llama.cpp", url]);
}

/// Two signals: the first is heard before the second is sent.
fn end(project: &Project, mut child: std::process::Child) {
    signal(child.id(), Signal::SIGTERM);
    project.wait_for("the first signal", |event| event["event"] == "interrupted");
    signal(child.id(), Signal::SIGTERM);
    child.wait().expect("it ends");
}

/// The address of the run's server no longer listens.
fn assert_gone(project: &Project) {
    let servers: Vec<_> = project.events().into_iter().filter(|event| event["event"] == "server").collect();
    for server in servers {
        let port = port(server["url"].as_str().expect("an address"));
        wait("the port to close", || (!listens(port)).then_some(()));
    }
    let folder = project.path("").to_string_lossy().into_owned();
    wait("the processes to end", || (!processes_of(&folder)).then_some(()));
}
