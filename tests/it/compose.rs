//! A stack composed of several services: each ability is asked of its own provider, and all of them are ended.

use crate::harness::{Project, listens, port, processes_of, real_servers, wait};

/// A second server of the same kind that embeds and does not chat.
const EMBEDS: &str = r#"name: embeds
extends: llamacpp
services:
  server:
    command:
      ["<python>", "<assets>/llamacpp_server.py", "-m", "<files>/smollm2-f16.gguf", "--alias", "smollm2-embeds", "--host", "127.0.0.1",
       "--port", "<port>", "-c", "2048", "-t", "1", "--embeddings", "--pooling", "mean", "--api-key", "<key>"]
    warm_up: ~
models: {embedding: smollm2-embeds}
abilities: [embeddings, models]
"#;

const FEATURE: &str = r#"Feature: Two providers
  @chat
  Scenario: It talks
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
  @embeddings
  Scenario: It embeds
    When I embed "hello"
    Then 1 embeddings come back
  @chat @embeddings
  Scenario: It does both
    When I embed "hello"
    Then the request succeeds
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
"#;

#[test]
fn each_ability_is_asked_of_its_own_provider() {
    let _lock = real_servers();
    let project = Project::new().file("two.feature", FEATURE).file("setups/embeds.yaml", EMBEDS);
    let form = "chat=llamacpp,embeddings=setups/embeds.yaml";
    let ran = project.run(&["run", "two.feature", "--stack", form, "--junit", "junit.xml"]);
    ran.exits(0).says(&["3 passed", "chat=llamacpp,embeddings=embeds"]);
    let events = project.events();
    let server = events.iter().find(|event| event["event"] == "server").expect("the server's event");
    let services = server["services"].as_array().expect("services");
    let of = |name: &str| services.iter().find(|service| service["name"] == name).expect("that service")["port"].to_string();
    let (talks, embeds) = (of("llamacpp.server"), of("embeds.server"));
    assert_ne!(talks, embeds);
    let exchanges: Vec<&str> =
        events.iter().filter(|event| event["event"] == "exchange").filter_map(|event| event["url"].as_str()).collect();
    assert_eq!(exchanges.len(), 4, "{exchanges:?}");
    for url in exchanges {
        let port = if url.ends_with("/v1/embeddings") { &embeds } else { &talks };
        assert!(url.contains(&format!(":{port}/")), "{url}");
    }
    for service in services {
        let address = format!("http://127.0.0.1:{}", service["port"]);
        assert!(!listens(port(&address)), "{address} still listens");
    }
    let junit = project.read("junit.xml");
    assert!(junit.contains("llamacpp.server=") && junit.contains("embeds.server="), "{junit}");
    let logs = |name: &str| project.path(&format!(".fireassay/runs/latest/{name}/logs/server.log"));
    assert!(logs("llamacpp").exists() && logs("embeds").exists());
    // The failure of one shows the log of each, under its name.
    let wrong = FEATURE.replace("\"Paris\"", "\"Lyon\"");
    std::fs::write(project.path("two.feature"), wrong).expect("a file");
    let ran = project.run(&["run", "two.feature", "--stack", form, "--name", "both"]);
    ran.exits(1).says(&["server log", "llamacpp: "]);
    let finished = project.events().into_iter().find(|event| event["event"] == "scenario_finished").expect("its end");
    let log = finished["server_log"].as_str().expect("a log");
    assert!(["llamacpp: ", "embeds: "].iter().all(|name| log.lines().any(|line| line.starts_with(name))), "{log}");
}

#[test]
fn a_provider_that_fails_takes_the_others_along() {
    let _lock = real_servers();
    let dies = "name: dies\nservices: {server: {command: [sh, -c, 'echo no weights; exit 3']}}\nabilities: [embeddings]\n\
                models: {embedding: x}\n";
    let project = Project::new().file("two.feature", FEATURE).file("setups/dies.yaml", dies);
    let ran = project.run(&["run", "two.feature", "--stack", "chat=llamacpp,embeddings=dies"]);
    ran.exits(5).says(&["`dies`: `server` died before it was ready: exit code 3"]);
    let started = project.events().iter().find_map(|event| event["message"].as_str()?.split_once(", port ")?.1.parse().ok());
    assert!(!listens(started.expect("a port")));
    let folder = project.path("").to_string_lossy().into_owned();
    wait("the processes to end", || (!processes_of(&folder)).then_some(()));
}

#[test]
fn what_a_provider_does_not_claim_is_refused_before_anything_starts() {
    let project = Project::new().file("two.feature", FEATURE);
    let run = |form: &str| project.run(&["run", "two.feature", "--stack", form]);
    run("vision=llamacpp").exits(2).says(&["`vision=llamacpp`: the setup `llamacpp` does not claim `vision`"]);
    run("chta=llamacpp").exits(2).says(&["there is no ability `chta`", "did you mean `chat`"]);
    run("chat=lamacpp").exits(2).says(&["there is no setup `lamacpp`"]);
    run("chat=").exits(2).says(&["`--stack chat=` is not a form that is known"]);
}
