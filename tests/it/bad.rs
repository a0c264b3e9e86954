//! Bad input: every folder `tests/data/bad/CODE/` holds a project, a command line and what is printed, to the caret.
//!
//! `command` has the arguments on one line (default `check`), `exit` the code (default 2), `expected.txt` what
//! is printed on standard error, `stdout_has` lines that must be on standard output.
//! `UPDATE_EXPECTED=1 cargo test` writes what is printed now; read the diff before it is committed.

use std::path::{Path, PathBuf};

use crate::harness::Project;

#[test]
fn every_bad_input_gets_its_diagnostic() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bad");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).expect("tests/data/bad").map(|entry| entry.expect("entry").path()).collect();
    folders.sort();
    let mut wrong = Vec::new();
    for folder in &folders {
        if let Err(difference) = check(folder) {
            wrong.push(difference);
        }
    }
    assert!(folders.len() >= 30, "only {} folders", folders.len());
    assert!(wrong.is_empty(), "{} of {} differ:\n\n{}", wrong.len(), folders.len(), wrong.join("\n\n"));
}

/// Nesting that would overflow a careless reader's stack; too long to be a folder here.
#[test]
fn yaml_that_is_nested_fifty_thousand_deep_is_refused() {
    let text = format!("name: chat\nfeatures: {}{}\n", "[".repeat(50_000), "]".repeat(50_000));
    let project = Project::new().file("suites/chat.yaml", &text);
    project.run(&["check"]).exits(2).says(&["error[yaml/too-deep]", "suites/chat.yaml:2:"]);
}

#[test]
fn a_fixed_port_that_is_taken_is_an_error_of_the_environment() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let setup = format!(
        "name: lab\nservices:\n  server:\n    command: [sleep, '60']\n    port: {port}\nmodels: {{text: lab-7b}}\nabilities: [chat]\n"
    );
    let feature = "Feature: Capitals\n  Scenario: It knows France\n    When I ask \"What is the capital of France?\"\n    \
                   Then the reply mentions \"Paris\"\n";
    let project = Project::new().file("setups/lab.yaml", &setup).file("features/capitals.feature", feature);
    let ran = project.run(&["run", "features/capitals.feature", "--setup", "lab"]);
    ran.exits(5).says(&[&format!("`server` cannot listen: port {port} is taken by pid {}", std::process::id())]);
}

#[test]
fn a_service_is_given_what_the_command_line_sets() {
    let setup = "name: lab\nservices:\n  server:\n    command: [sh, -c, 'echo the word is ${WORD}; exit 3']\nneeds: {env: [WORD]}\n\
                 models: {text: lab-7b}\nabilities: [chat]\n";
    let feature = "Feature: Capitals\n  Scenario: It knows France\n    When I ask \"What is the capital of France?\"\n    \
                   Then the reply mentions \"Paris\"\n";
    let project = Project::new().file("setups/lab.yaml", setup).file("features/capitals.feature", feature);
    let ran = project.run(&["run", "features/capitals.feature", "--setup", "lab", "--env", "WORD=plugh"]);
    ran.exits(5).says(&["last words: the word is plugh"]);
    project.run(&["up", "lab", "--env", "WORD=xyzzy"]).exits(5).says(&["last words: the word is xyzzy"]);
}

fn check(folder: &Path) -> Result<(), String> {
    let project = Project::new();
    copy(folder, &project.path(""));
    let read = |name: &str, default: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|_| default.to_owned());
    let command = read("command", "check");
    let arguments: Vec<&str> = command.split_whitespace().collect();
    let ran = project.run(&arguments);
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let exit: i32 = read("exit", "2").trim().parse().map_err(|_| format!("{name}: `exit` is no number"))?;
    let started = project.path(".fireassay").exists();
    if ran.code != Some(exit) || (exit == 2 && started) {
        return Err(format!("{name}: exit {:?}, wanted {exit}; a run began: {started}\n{}", ran.code, ran.all()));
    }
    for line in read("stdout_has", "").lines() {
        if !ran.stdout.contains(line) {
            return Err(format!("{name}: `{line}` is not in\n{}", ran.stdout));
        }
    }
    let printed = without_lines(&ran.stderr.replace(&*project.path("").to_string_lossy(), "[project]/"));
    let expected = folder.join("expected.txt");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        return std::fs::write(&expected, &printed).map_err(|error| format!("{name}: {error}"));
    }
    let wanted = read("expected.txt", "");
    if printed == wanted { Ok(()) } else { Err(format!("{name}: printed\n{printed}\nwanted\n{wanted}")) }
}

/// Places in our own source move with every edit: their line numbers are taken out.
fn without_lines(text: &str) -> String {
    let place = regex::Regex::new(r"(src/steps/[a-z_]+\.rs):\d+").expect("a pattern");
    place.replace_all(text, "$1:[line]").into_owned()
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            std::fs::create_dir_all(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).expect("a link"), &target).expect("a link");
        } else {
            std::fs::copy(entry.path(), &target).expect("a file");
        }
    }
}
