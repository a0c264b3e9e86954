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

/// A setup whose environment, file and made file each take a moment.
const SMALL: &str = r#"name: small
provision:
  python: {packages: ["six==1.17.0"], licence: MIT, size: 1 MB}
  files:
    - {package: "six==1.17.0", path: six.py, sha256: SHA, as: six.py, licence: MIT, size: 35 kB}
  make:
    - {run: ["<python>", -c, "import sys, six, shutil; shutil.copy(sys.argv[1], sys.argv[2])", "<files>/six.py", "<out>"], as: copy.py}
services: {server: {command: [sleep, '60']}}
"#;

#[test]
fn a_provisioning_that_is_killed_at_any_point_is_done_by_the_next() {
    let sha = "c51c91f703d3d4b3696c923cb5fec213e05e75d9215393befac7f2fa6a3904df";
    let project = Project::new().file("setups/small.yaml", &SMALL.replace("SHA", sha));
    let provision = || {
        let mut command = project.command(&["provision", "small"]);
        command.env("FIREASSAY_CACHE", project.path("cache")).stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        command
    };
    let folder = project.path("").to_string_lossy().into_owned();
    for moment in [30, 100, 250, 500, 900, 1400, 2000] {
        let mut child = provision().spawn().expect("the command starts");
        let began = std::time::Instant::now();
        let moment = std::time::Duration::from_millis(moment);
        while began.elapsed() < moment {
            std::thread::park_timeout(moment.saturating_sub(began.elapsed()));
        }
        child.kill().expect("it is killed, or has ended");
        child.wait().expect("it ends");
        crate::harness::wait("the processes to end", || (!crate::harness::processes_of(&folder)).then_some(()));
    }
    let ran = crate::harness::ran(&provision().output().expect("the command starts"));
    ran.exits(0).says(&["small: ready"]);
    let files = project.path("cache/files");
    let view = std::fs::read_dir(&files).expect("a view").next().expect("one view").expect("an entry").path();
    let text = |name: &str| std::fs::read(view.join(name)).expect("a file");
    assert!(text("copy.py") == text("six.py") && text("six.py").len() > 30_000, "all is whole");
}

#[test]
fn a_full_disk_is_said_as_such_and_what_is_complete_stays() {
    let big = r#"name: big
provision:
  python: {packages: ["six==1.17.0"], licence: MIT, size: 1 MB}
  make:
    - {run: [sh, -c, "echo first > \"$1\"", x, "<out>"], as: first}
    - {run: ["<python>", -c, "import sys; open(sys.argv[1], 'wb').write(bytes(200_000_000))", "<out>"], as: big}
services: {server: {command: [sleep, '60']}}
"#;
    let project = Project::new().file("setups/big.yaml", big);
    // A bound on the size of files stands for the end of the disk: no rights are needed for it. In blocks of 512 or 1024 bytes.
    let provision = |limit: &str| {
        let program = project.command(&[]).get_program().to_owned();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("{limit} exec \"$0\" provision big")]).arg(program).current_dir(project.path(""));
        crate::harness::ran(&command.env("FIREASSAY_CACHE", project.path("cache")).output().expect("the command starts"))
    };
    provision("ulimit -f 160000;")
        .exits(5)
        .says(&["making big failed", "make room, or let FIREASSAY_CACHE name a folder on a bigger disk"]);
    let again = provision("");
    again.exits(0).says(&["big: ready"]);
    assert!(!again.all().contains("making first"), "{}", again.all());
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
