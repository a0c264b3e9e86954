//! The suite `stack`: a router before two backends, and what its sentences do where a stack is not the run's own.

use serde_json::Value;

use crate::harness::{Project, listens, port, real_servers};

/// One server whose figures have names, and whose process does not end when it is told to: llama.cpp itself ends at once
/// or after its replies, as it happens.
const SETUP: &str = r#"name: bounded
extends: llamacpp
services:
  server:
    profile: llama.cpp
    command:
      ["sh", "-c", "trap '' TERM; \"$@\" & exec sleep 600", "sh", "<python>", "<assets>/llamacpp_server.py",
       "-m", "<files>/smollm2-f16.gguf", "--alias", "smollm2", "--host", "127.0.0.1", "--port", "<port>", "-c", "8192",
       "-np", "4", "-t", "1", "--api-key", "<key>", "--metrics"]
    stop: {signal: TERM, grace: 2s}
"#;

/// Scenarios of the suite that pass on the setup `router`, and those that fail as the profile says.
const PASSED: u64 = 48;
const KNOWN: u64 = 9;

const FEATURE: &str = r#"@chat
Feature: The life of one server
  @destructive
  Scenario: It dies and comes back
    When I note what the services have done
    And I kill the service "server"
    And I start the service "server" again
    And I ask "What is the capital of France?"
    Then the reply mentions "Paris"
  @destructive
  Scenario: It does not stop in the middle of a stream
    Given at most 4000 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and stop the stack after 3 events
    Then the stack stopped within 20s
  @destructive
  Scenario: It is ended in the middle of a stream, and nobody says so
    Given at most 4000 tokens
    And the parameter "ignore_eos" is true
    When I ask "Write a story about a fox." and kill the service "server" after 3 events
    Then the stream ends whole or with an error
  @destructive
  Scenario: The reply is too short for that
    Given at most 2 tokens
    When I ask "What is the capital of France?" and stop the stack after 500 events
    Then the stack stopped within 20s
  @destructive
  Scenario: It is killed twice
    When I kill the service "server"
    And I kill the service "server"
    Then the server is still up
  @serial
  Scenario: It did not do nothing
    When I note what the services have done
    And I ask "What is the capital of France?"
    Then the service "server" did the work
    And the service "server" did nothing
  @serial
  Scenario: It works on for somebody
    When I note what the services have done
    And I get "/metrics"
    Then the service "server" did the work
  @serial
  Scenario: A service that was never written
    Given requests go to the service "{{model}}"
    When I list the models
    Then the request succeeds
"#;

/// The outcome of a scenario, and what its first step that did not pass says.
#[track_caller]
fn outcome(events: &[Value], name: &str) -> (String, String) {
    let of_name = |event: &&Value| event["event"] == "scenario_finished" && event["name"] == name;
    let event = events.iter().find(of_name).unwrap_or_else(|| panic!("no scenario `{name}`"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let steps = event["steps"].as_array().into_iter().flatten();
    let told = |step: &Value| {
        let outcome = &step["outcome"];
        let told = [&outcome["mismatches"][0]["actual"], &outcome["trouble"]["message"], &outcome["reason"]];
        told.into_iter().find(|value| value.is_string()).map(text)
    };
    (text(&event["outcome"]), steps.into_iter().find_map(told).unwrap_or_default())
}

#[track_caller]
fn check(events: &[Value], name: &str, expect: &str, says: &str) {
    let (outcome, words) = outcome(events, name);
    assert!(outcome == expect && words.contains(says), "{name}: {outcome}, {words}");
}

fn project() -> Project {
    Project::new().file("setups/bounded.yaml", SETUP).file("life.feature", FEATURE)
}

#[test]
fn a_service_dies_comes_back_and_stops_within_a_scenario() {
    let _lock = real_servers();
    let project = project();
    project.run(&["run", "life.feature", "--setup", "bounded"]).exits(1);
    let events = project.events();
    let check = |name: &str, expect: &str, says: &str| check(&events, name, expect, says);
    check("It dies and comes back", "passed", "");
    check("It does not stop in the middle of a stream", "failed", "server: killed, it did not end within 2.0 s");
    check("It is ended in the middle of a stream, and nobody says so", "failed", "it did not end: ");
    check("The reply is too short for that", "failed", " events: ");
    check("It is killed twice", "errored", "there is no service `server` that runs");
    check("It did not do nothing", "failed", "completion tokens");
    check("It works on for somebody", "errored", "no reply with usage came since the services were noted");
    check("A service that was never written", "errored", "the setup has no service `smollm2`; known here: `server`");
    // What a scenario ends on purpose is no death of the server: the cell goes on to its end, and nothing is left of it.
    let cell = events.iter().find(|event| event["event"] == "cell_finished").expect("the end of the cell");
    assert!(cell["trouble"].is_null(), "{cell:#}");
    let server = events.iter().find(|event| event["event"] == "server").expect("the server's event");
    assert!(!listens(port(server["url"].as_str().expect("an address"))));
}

#[test]
fn services_of_a_stack_that_runs_already_are_let_be() {
    let ran = project().run(&["run", "life.feature", "--setup", "bounded", "--url", "http://127.0.0.1:9"]);
    ran.exits(4).says(&["8 skipped", "the stack is attached to or composed: only services that this run starts"]);
}

/// A stack that is up belongs to whoever brought it up: a scenario that would end a service of it does not begin.
#[test]
fn services_of_a_stack_that_is_kept_are_let_be() {
    let _lock = real_servers();
    let project = project();
    project.run(&["up", "bounded"]).exits(0);
    let ran = project.run(&["run", "life.feature", "--stack", "server:bounded"]);
    let health = project.run(&["status", "bounded"]);
    project.run(&["down", "bounded", "--now"]).exits(0);
    health.exits(0);
    ran.exits(4).says(&["8 not evaluated", "the stack was not started by this run: its services are not this run's to end"]);
    assert!(!ran.all().contains("restarting"), "nobody restarts what is not theirs: {}", ran.all());
}

/// Two models, three servers, and all that may happen to them: every scenario ends as the suite and the profile say.
#[test]
fn the_stack_suite_holds_a_router_before_two_backends() {
    let _lock = real_servers();
    let project = Project::new();
    let ran = project.run(&["run", "--suite", "stack", "--setup", "router", "--strict", "--junit", "junit.xml"]);
    ran.exits(0);
    let events = project.events();
    let end = events.iter().find(|event| event["event"] == "cell_finished").expect("the end of the cell");
    let count = |outcome: &str| end["totals"][outcome].as_u64().unwrap_or_default();
    assert_eq!((count("passed"), count("known"), count("skipped")), (PASSED, KNOWN, 0), "{}", ran.all());
    let server = events.iter().find(|event| event["event"] == "server").expect("the server's event");
    let services = server["services"].as_array().expect("services");
    assert_eq!(services.len(), 3);
    for service in services {
        assert!(!listens(port(&format!(":{}", service["port"]))), "{service} still listens");
    }
    let record = project.read(".fireassay/runs/latest/events.ndjson");
    assert!(!record.contains("backend-") && !record.contains("second-"), "a key of a backend stands in the record");
}
