//! Stacks that stay between runs: five states told of real servers, and an owner for every process at every moment.

use std::process::{Child, Command};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{FIXED_KEY, Project, listens, port, ran, real_servers, signal, wait};

/// Python's own file server: a real process that listens where it is told.
const FILES: &str = r#"name: files
services:
  server:
    command: [python3, -m, http.server, "<port>", --bind, 127.0.0.1]
    ready: {http: /, within: 60s}
"#;

/// What is written down of a stack.
fn state(project: &Project, setup: &str) -> Value {
    serde_json::from_str(&project.read(&format!(".fireassay/stacks/{setup}/state.json"))).expect("a state file")
}

fn write_state(project: &Project, setup: &str, state: &Value) {
    let path = project.path(&format!(".fireassay/stacks/{setup}/state.json"));
    std::fs::write(path, state.to_string()).expect("a state file");
}

fn pid(process: &Value) -> u32 {
    process["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process number")
}

fn service(state: &Value, name: &str) -> u32 {
    let services = state["services"].as_array().expect("services");
    pid(&services.iter().find(|service| service["name"] == name).expect("that service")["process"])
}

fn url(state: &Value) -> String {
    state["url"].as_str().expect("an address").to_owned()
}

/// Whether a process lives; one that only waits for its parent does not.
fn lives(pid: u32) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().expect("ps");
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// A program that is none of ours.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").spawn().expect("sleep"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Ends what a test brought up, however the test ends.
struct Up<'a>(&'a Project);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        drop(self.0.run(&["down", "--now"]));
    }
}

#[test]
fn each_of_the_five_states_is_told_of_a_real_server() {
    let _lock = real_servers();
    let project = Project::new();
    let _up = Up(&project);
    project.run(&["status", "llamacpp"]).exits(4).says(&["llamacpp  stopped"]);
    project.run(&["up", "llamacpp"]).exits(0).says(&["llamacpp: up at http://127.0.0.1:", "models smollm2"]);
    let state = state(&project, "llamacpp");
    let (server, keeper, url) = (service(&state, "server"), pid(&state["keeper"]), url(&state));
    project.run(&["status", "llamacpp"]).exits(0).says(&["llamacpp  healthy", "`smollm2` generates", &url]);
    project.run(&["up", "llamacpp"]).exits(0).says(&["is up already"]);
    assert_eq!(service(&self::state(&project, "llamacpp"), "server"), server, "it is the same process");
    project.run(&["status", "--within", "1ms"]).exits(1).says(&["degraded", "`smollm2` gave no token within 0.001 s"]);
    signal(server, Signal::SIGSTOP);
    project.run(&["status"]).exits(1).says(&["llamacpp  down", "GET /health: no answer in time"]);
    signal(server, Signal::SIGCONT);
    project.run(&["status"]).exits(0);
    signal(server, Signal::SIGKILL);
    wait("the crash to be seen", || project.run(&["status"]).all().contains("signal 9").then_some(()));
    let ran = project.run(&["status", "--format", "json"]);
    let told: Value = serde_json::from_str(&ran.exits(1).stdout).expect("JSON");
    assert_eq!(told[0]["health"], "crashed", "{told}");
    assert!(!ran.stdout.contains("sk-fireassay"), "the key is nobody's business: {told}");
    project.run(&["logs", "llamacpp", "-n", "3"]).exits(0);
    project.run(&["down", "llamacpp"]).exits(0).says(&["it had ended before"]);
    project.run(&["status", "llamacpp"]).exits(4).says(&["stopped"]);
    assert!(!lives(server) && !lives(keeper) && !listens(port(&url)));
}

const PARIS: &str = "Feature: Capitals\n  Scenario: It knows France\n    When I ask \"What is the capital of France?\"\n    \
                     Then the reply mentions \"Paris\"\n";

#[test]
fn a_run_uses_the_stack_that_is_up_and_leaves_it_running() {
    let _lock = real_servers();
    let project = Project::new().file("paris.feature", PARIS).file("setups/fixed.yaml", FIXED_KEY);
    let project = project.file("setups/other.yaml", "name: other\nextends: fixed\nprofile: ollama\nabilities: [chat]\n");
    let project = project.file("setups/larger.yaml", "name: larger\nextends: fixed\nmodels: {text: smollm3, tools: smollm3}\n");
    let _up = Up(&project);
    let run = |stack: &str| project.run(&["run", "paris.feature", "--stack", stack]);
    // Where nothing is up it is started and ended.
    let own = run("server:fixed");
    own.exits(0).says(&["1 passed"]);
    assert!(!own.all().contains("uses the"), "{}", own.all());
    project.run(&["up", "fixed"]).exits(0);
    let state = state(&project, "fixed");
    let (server, url) = (service(&state, "server"), url(&state));
    let port = port(&url);
    let started = |project: &Project| project.events().iter().any(|event| event["phase"] == "start");
    run("server:fixed").exits(0).says(&["1 passed"]);
    assert!(!started(&project), "it is not started again");
    let uses = |event: &Value| event["message"].as_str().is_some_and(|line| line.starts_with("uses the stack that is up since"));
    project.wait_for("the stack that is used", uses);
    run(&format!("server:fixed:{port}")).exits(0).says(&["1 passed"]);
    // What it logs while a scenario fails is part of the failure.
    let wrong = "Feature: Wrong\n  Scenario: It is Lyon\n    When I ask \"What is the capital of France?\"\n    Then the reply mentions \"Lyon\"\n";
    std::fs::write(project.path("wrong.feature"), wrong).expect("a file");
    let ran = project.run(&["run", "wrong.feature", "--stack", "server:fixed"]);
    ran.exits(1).says(&["server log", "slot launch_slot_"]);
    // `--setup` means a server of this run's own.
    project.run(&["run", "paris.feature", "--setup", "fixed"]).exits(0);
    assert!(started(&project));
    // Another folder knows nothing of it but what it says of itself.
    let guest = Project::new().file("paris.feature", PARIS).file("setups/fixed.yaml", FIXED_KEY);
    guest.run(&["run", "paris.feature", "--stack", &format!("server:fixed:{port}")]).exits(0).says(&["1 passed"]);
    assert!(!started(&guest));
    run(&format!("server:other:{port}")).exits(5).says(&[&format!("pid {server}"), "`ollama`", "`llama.cpp"]);
    run(&format!("server:larger:{port}")).exits(5).says(&["`smollm3`", "smollm2)"]);
    run(&format!("server:llamacpp:{port}")).exits(5).says(&["let us in"]);
    assert!(lives(server), "what is up stays up");
    signal(server, Signal::SIGSTOP);
    let down = run("server:fixed");
    signal(server, Signal::SIGCONT);
    down.exits(5).says(&["the stack `fixed` that is up is down:"]);
    std::fs::write(project.path("setups/fixed.yaml"), FIXED_KEY.replace("8192", "4096")).expect("a file");
    run("server:fixed").exits(5).says(&["the stack `fixed` that is up at", "another text"]);
}

#[test]
fn a_stranger_on_the_port_is_refused_by_name() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    // A server that hangs up on everybody.
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let project = Project::new().file("paris.feature", PARIS);
    let ran = project.run(&["run", "paris.feature", "--stack", &format!("server:llamacpp:{port}"), "--junit", "junit.xml"]);
    let taken = format!("port {port} is taken by pid {}: ", std::process::id());
    ran.exits(5).says(&[&taken]);
    let junit = project.read("junit.xml");
    let words = [&taken, "which is not the stack `llamacpp`: nothing answers", "; end it, or name another port"];
    assert!(words.iter().all(|words| junit.contains(words)), "{junit}");
}

#[test]
fn a_gateway_that_answers_health_while_its_backend_hangs_is_degraded() {
    let _lock = real_servers();
    let project = Project::new();
    let _up = Up(&project);
    project.run(&["up", "litellm"]).exits(0);
    let state = state(&project, "litellm");
    let processes = [service(&state, "backend"), service(&state, "server"), pid(&state["keeper"])];
    signal(processes[0], Signal::SIGSTOP);
    let hung = project.run(&["status", "litellm", "--within", "3s"]);
    signal(processes[0], Signal::SIGCONT);
    hung.exits(1).says(&["litellm  degraded", "`smollm2` gave no token within 3 s"]);
    signal(processes[0], Signal::SIGKILL);
    wait("the crash to be seen", || project.run(&["status"]).all().contains("signal 9").then_some(()));
    project.run(&["status"]).exits(1).says(&["litellm  crashed", "`backend` ended: signal 9 (SIGKILL)"]);
    assert!(lives(processes[1]), "nothing is ended or started again by itself");
    project.run(&["down"]).exits(0).says(&["litellm: gone"]);
    assert!(processes.iter().all(|process| !lives(*process)) && !listens(port(&url(&state))));
}

#[test]
fn an_up_that_is_signalled_or_killed_leaves_nothing() {
    let _lock = real_servers();
    for how in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let project = Project::new();
        let child = project.start(&["up", "llamacpp"]);
        let path = project.path(".fireassay/stacks/llamacpp/logs/server.log");
        wait("the server to start", || path.exists().then_some(()));
        let keeper = pid(&state(&project, "llamacpp")["keeper"]);
        signal(child.id(), how);
        let ran = ran(&child.wait_with_output().expect("it ends"));
        match how {
            Signal::SIGINT => {
                ran.exits(130).says(&["nothing is left"]);
            }
            Signal::SIGTERM => {
                ran.exits(143);
            }
            _ => assert_eq!(ran.code, None),
        }
        wait("the keeper to end", || (!lives(keeper)).then_some(()));
        let folder = project.path("").to_string_lossy().into_owned();
        wait("the processes to end", || (!crate::harness::processes_of(&folder)).then_some(()));
        project.run(&["status", "llamacpp"]).exits(4);
        project.run(&["down", "llamacpp"]).exits(0);
    }
}

#[test]
fn a_killed_keeper_takes_its_stack_along() {
    let project = Project::new().file("setups/files.yaml", FILES);
    let _up = Up(&project);
    project.run(&["up", "files"]).exits(0);
    let state = state(&project, "files");
    signal(pid(&state["keeper"]), Signal::SIGKILL);
    wait("the service to end", || (!lives(service(&state, "server"))).then_some(()));
    assert!(!listens(port(&url(&state))));
    project.run(&["status"]).exits(1).says(&["crashed", "its keeper (process"]);
    // The next one begins where this one left off.
    project.run(&["up", "files"]).exits(0).says(&["an earlier one crashed", "files: up at"]);
    project.run(&["down"]).exits(0).says(&["files: gone after"]);
}

#[test]
fn a_stack_that_is_up_is_ended_in_order_and_its_logs_stay() {
    let project = Project::new().file("setups/files.yaml", FILES);
    project.run(&["down"]).exits(0).says(&["nothing is up here"]);
    project.run(&["status"]).exits(4).says(&["nothing is up here"]);
    project.run(&["logs", "files"]).exits(2).says(&["has no logs here"]);
    project.run(&["up", "files"]).exits(0);
    let state = state(&project, "files");
    project.run(&["status"]).exits(0).says(&["without `warm_up` it is not asked to generate"]);
    let mut following = project.start(&["logs", "files", "--follow"]);
    project.run(&["down", "files"]).exits(0).says(&["files: gone after"]);
    following.wait().expect("it ends with the stack");
    let (server, keeper) = (service(&state, "server"), pid(&state["keeper"]));
    assert!(!lives(server) && !lives(keeper) && !listens(port(&url(&state))));
    assert!(!project.path(".fireassay/stacks/files/state.json").exists());
    project.run(&["logs", "files"]).exits(0).says(&["GET / "]);
    project.run(&["logs", "files", "--service", "sever"]).exits(2).says(&["did you mean `server`"]);
    project.run(&["down", "files"]).exits(0).says(&["is not up here"]);
}

#[test]
fn a_changed_setup_is_another_stack() {
    let project = Project::new().file("setups/files.yaml", FILES);
    let _up = Up(&project);
    project.run(&["up", "files"]).exits(0);
    let project_now = FILES.replace("60s", "61s");
    std::fs::write(project.path("setups/files.yaml"), project_now).expect("a file");
    project.run(&["up", "files"]).exits(5).says(&["its setup was changed since; `fireassay down files` first"]);
}

#[test]
fn after_a_restart_of_the_machine_no_process_is_touched() {
    let project = Project::new().file("setups/files.yaml", FILES);
    let stranger = Stranger::new();
    project.run(&["up", "files"]).exits(0);
    let mut old = state(&project, "files");
    project.run(&["down"]).exits(0);
    old["boot"] = "an older one".into();
    old["keeper"]["pid"] = stranger.0.id().into();
    old["services"][0]["process"]["pid"] = stranger.0.id().into();
    write_state(&project, "files", &old);
    project.run(&["status", "files"]).exits(4).says(&["stopped", "the machine was restarted since"]);
    project.run(&["down"]).exits(0).says(&["the machine was restarted since; nothing was touched"]);
    assert!(lives(stranger.0.id()));
    project.run(&["down", "files"]).exits(0).says(&["is not up here"]);
}

#[test]
fn a_number_that_was_given_to_another_program_is_left_alone() {
    let project = Project::new().file("setups/files.yaml", FILES);
    let stranger = Stranger::new();
    project.run(&["up", "files"]).exits(0);
    let mut old = state(&project, "files");
    project.run(&["down"]).exits(0);
    old["keeper"]["pid"] = stranger.0.id().into();
    old["services"][0]["process"]["pid"] = stranger.0.id().into();
    write_state(&project, "files", &old);
    project.run(&["status", "files"]).exits(1).says(&["crashed"]);
    project.run(&["down"]).exits(5).says(&["once its keeper, is `sleep 600` now", "left alone"]);
    assert!(lives(stranger.0.id()));
    project.run(&["up", "files"]).exits(0);
    project.run(&["down"]).exits(0);
}

#[test]
fn a_damaged_state_file_is_said_and_nothing_is_touched() {
    let project = Project::new().file("setups/files.yaml", FILES).file(".fireassay/stacks/files/state.json", "{");
    for command in [&["status", "files"][..], &["down", "files"], &["up", "files"]] {
        project.run(command).exits(5).says(&["state.json is damaged", "end what it started by hand"]);
    }
}

#[test]
fn two_ups_at_once_bring_up_one_stack() {
    let project = Project::new().file("setups/files.yaml", FILES);
    let _up = Up(&project);
    let children: Vec<Child> = (0..4).map(|_| project.start(&["up", "files"])).collect();
    let mut up = 0;
    for child in children {
        let ran = ran(&child.wait_with_output().expect("it ends"));
        match ran.code {
            Some(0) => up += 1,
            _ => {
                ran.exits(5).says(&["another fireassay", "has the stack `files`"]);
            }
        }
    }
    assert!(up >= 1, "one of them brought it up");
    project.run(&["status"]).exits(0);
    let folder = project.path("").to_string_lossy().into_owned();
    project.run(&["down"]).exits(0);
    wait("the processes to end", || (!crate::harness::processes_of(&folder)).then_some(()));
}
