//! Real replies of llama.cpp, corrupted on their way by a proxy: each fault is bounded in time and memory, fails with words
//! that say what came, and the scenario after it runs.

use std::net::TcpListener;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fireassay::tape::{Fault, Orders, Proxy};
use fireassay::wire::{Base, Request};
use nix::sys::signal::Signal;

use crate::harness::{FIXED_KEY, Project, Ran, real_servers, signal};

/// A question whose reply is corrupted, and one whose reply is not. Patience is short: a stall must not take a minute.
const FEATURE: &str = r#"Feature: Faults
  Background:
    Given the model "text"
    And at most 64 tokens

  Scenario: Streamed
    Given replies are streamed
    And the time limit is 10s
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"
    And the finish reason is "stop"

  Scenario: Whole
    Given the time limit is 10s
    When I ask "What is the capital of France?"
    Then the reply mentions "Paris"

  Scenario: Called
    Given the tools get_weather
    And the tool choice is required
    And replies are streamed
    When I ask "What is the weather in Paris, France?"
    Then the reply calls get_weather once with:
      | city | Paris |

  Scenario: Twice
    Given replies are streamed
    When I ask "What is the capital of France?"
    And I ask "Is France in Europe?"
    Then the request succeeds

  Scenario: After
    When I ask "What is the capital of Italy?"
    Then the reply is not empty
"#;

/// A real server, held by a run that waits for an address which never answers.
pub struct Server {
    owner: Project,
    child: Child,
    pub url: String,
    _silent: TcpListener,
}

impl Server {
    pub fn start() -> Self {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("an address");
        let rows: String = (0..60).map(|row| format!("      | {row} |\n")).collect();
        let wait = format!(
            "Feature: Wait\n  Scenario Outline: Turn <n>\n    When I get \"http://{address}/<n>\"\n    Then the request succeeds\n    Examples:\n      | n |\n{rows}"
        );
        let owner = Project::new().file("wait.feature", &wait).file("setups/fixed.yaml", FIXED_KEY);
        let child = owner.start(&["run", "wait.feature", "--setup", "fixed", "--concurrency", "1"]);
        let server = owner.wait_for("the server's event", |event| event["event"] == "server");
        let url = server["url"].as_str().expect("an address").to_owned();
        Self { owner, child, url, _silent: silent }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal(self.child.id(), Signal::SIGTERM);
        if !std::thread::panicking() {
            self.owner.wait_for("the first signal", |event| event["event"] == "interrupted");
        }
        signal(self.child.id(), Signal::SIGTERM);
        self.child.wait().expect("it ends");
    }
}

/// How a fault ends: exit code of the run, and what it says.
struct Case {
    fault: Fault,
    scenario: &'static str,
    flags: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
}

fn fails(scenario: &'static str, fault: Fault, says: &'static [&'static str]) -> Case {
    Case { fault, scenario, flags: &[], code: 1, says }
}

fn passes(scenario: &'static str, fault: Fault) -> Case {
    Case { fault, scenario, flags: &[], code: 0, says: &[] }
}

/// Longest time of one case, with a start of the command and a busy machine.
const LONGEST: Duration = Duration::from_mins(1);

/// Most memory of the command. **Units**: bytes. The longest body that is kept is 64 MiB.
const MOST: u64 = 600 << 20;

#[test]
fn a_fault_on_the_wire_fails_its_scenario_and_no_other() {
    let _lock = real_servers();
    let server = Server::start();
    let mut wrong = Vec::new();
    for case in cases() {
        let fault = case.fault.clone();
        let about = |request: &Request| {
            let body = request.body.as_deref().unwrap_or_default();
            memchr::memmem::find(body, b"France").is_some()
        };
        let orders = Orders::to(Base::new(&server.url)).read_ahead();
        let orders = orders.choose(move |request| if about(request) { fault.clone() } else { Fault::None });
        let proxy = Proxy::start(orders).expect("a proxy");
        let guest = Project::new().file("a.feature", FEATURE).file("setups/fixed.yaml", FIXED_KEY);
        let names = format!("^({}|After)$", case.scenario);
        let began = Instant::now();
        let url = proxy.url();
        let fixed = ["run", "a.feature", "--setup", "fixed", "--url", &url, "--name", &names, "--concurrency", "1"];
        let (ran, memory) = measured(&guest, &[&fixed, case.flags].concat());
        let (took, all) = (began.elapsed(), ran.all());
        let passed = if case.code == 0 { "2 passed" } else { "1 passed" };
        let said = case.says.iter().copied().chain([passed]).filter(|part| !all.contains(*part)).collect::<Vec<_>>();
        if ran.code != Some(case.code) || !said.is_empty() || took > LONGEST || memory > MOST {
            let what = format!("{:?} of {}", case.fault, case.scenario);
            wrong.push(format!("{what}: {:?} in {took:.1?} with {} MiB, without {said:?}:\n{all}", ran.code, memory >> 20));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs the command and watches its memory.
fn measured(project: &Project, arguments: &[&str]) -> (Ran, u64) {
    let child = project.start(arguments);
    let pid = sysinfo::Pid::from_u32(child.id());
    let watch = std::thread::spawn(move || crate::harness::ran(&child.wait_with_output().expect("it ends")));
    let mut system = sysinfo::System::new().expect("the list of processes");
    let mut most = 0;
    while !watch.is_finished() {
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        most = most.max(system.process(pid).map_or(0, sysinfo::Process::memory));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    (watch.join().expect("the command's output"), most)
}

fn cases() -> Vec<Case> {
    let edit = |change: fn(&mut Vec<u8>)| Fault::Edit(Arc::new(change));
    vec![
        passes("Streamed", Fault::None),
        passes("Streamed", Fault::Bytewise),
        passes("Called", Fault::Fragment(10_000)),
        // Sent again on a connection of its own, and said so.
        Case { says: &["W206"], ..passes("Twice", Fault::Leave) },
        fails("Streamed", Fault::CutAfter(3), &["W011"]),
        fails("Streamed", Fault::EndAfter(3), &["W061"]),
        fails("Streamed", Fault::StallAfter(3), &["no complete reply in time"]),
        fails("Streamed", Fault::NoiseAfter(3), &["W015"]),
        // By its time or by its length, whichever comes first.
        fails("Streamed", Fault::RepeatAfter(3), &["the body"]),
        fails("Streamed", Fault::Double(1), &["W057"]),
        fails("Streamed", Fault::Swap(1), &["W056"]),
        fails("Streamed", Fault::Nest(50_000), &["W204"]),
        fails("Called", Fault::Double(3), &["W094"]),
        fails("Whole", Fault::CutAfter(0), &["W011"]),
        fails("Whole", Fault::Longer(100), &["W011"]),
        fails("Whole", Fault::StallAfter(0), &["no complete reply in time"]),
        fails("Whole", Fault::Nest(50_000), &["W204"]),
        fails("Whole", Fault::Pad(100 << 20), &["the reply has no end in sight"]),
        passes("Whole", Fault::Pad(1 << 20)),
        passes("Whole", Fault::Gzip),
        passes("Streamed", Fault::Gzip),
        Case { flags: &["--max-reply", "512KiB"], ..fails("Whole", Fault::Pad(1 << 20), &["longer than 524288 bytes"]) },
        fails("Whole", edit(|body| body.truncate(body.len() / 2)), &["W003"]),
    ]
}

#[test]
fn the_faults_suite_holds_on_llama_cpp() {
    let _lock = real_servers();
    let ran = Project::new().run(&["run", "--suite", "faults", "--setup", "llamacpp"]);
    ran.exits(0).says(&["33 passed, 0 failed"]);
}

#[test]
fn the_faults_router_suite_holds_on_litellm() {
    let _lock = real_servers();
    let ran = Project::new().run(&["run", "--suite", "faults-router", "--setup", "router-faulty"]);
    ran.exits(0).says(&["17 passed, 0 failed"]);
}

/// What must not pass: a rule that is not broken, one that is beside the one that is told, a connection that does not break.
const NOT_SO: &str = r#"Feature: Not so
  Background:
    Given at most 24 tokens

  Scenario: Not broken
    When I ask "What is the capital of France?"
    Then the rule W061 is broken

  Scenario: Another as well
    Given replies are streamed
    And the connection is cut after 3 events
    When I try to ask "What is the capital of France?"
    Then the rule W061 is broken

  Scenario: Not for others
    Given replies are streamed
    And the next 1 requests meet the fault "end=3"
    When I ask "What is the capital of France?"
    Then the rule W061 is broken
    When I ask "What is the capital of Italy?"
    Then the rule W061 is broken

  Scenario: It holds
    When I try to ask "What is the capital of France?"
    Then the connection breaks: cut

  Scenario: Nobody tried
    Given the connection is refused
    When I ask "What is the capital of France?"
    Then the connection breaks: refused
"#;

#[test]
fn what_is_expected_of_a_fault_and_does_not_come_fails() {
    let _lock = real_servers();
    let project = Project::new().file("a.feature", NOT_SO);
    let ran = project.run(&["run", "a.feature", "--setup", "llamacpp"]);
    ran.exits(1).says(&["4 failed, 1 errored", "expected  cut", "no connection"]);
    let events = project.events();
    let told = |name: &str| {
        let of_name = |event: &&serde_json::Value| event["event"] == "scenario_finished" && event["name"] == name;
        events.iter().find(of_name).unwrap_or_else(|| panic!("no scenario `{name}`")).to_string()
    };
    for name in ["Not broken", "Not for others"] {
        assert!(told(name).contains("the rule W061 is broken"), "{}", told(name));
    }
    let other = told("Another as well");
    assert!(other.contains("W011") && !other.contains("\"W061\""), "{other}");
    project.file("b.feature", "Feature: B\n  Scenario: C\n    When I list the models\n    Then the rule W999 is broken\n    Given requests meet the fault \"kut=3\"\n")
        .run(&["check", "b.feature"])
        .exits(2)
        .says(&["there is no wire rule `W999`", "there is no fault `kut`"]);
}
