//! What is held of tapes without any server: what is on them, how old they are, what people edited, what nobody asks for, what
//! changed. On a tape of two real exchanges in the first format, and on the built-in one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{Project, Ran, signal};

const TAPE: &str = "tapes/base/llamacpp";
const MODELS: &str = "models-2ef5ce20-001.http";
const CHAT: &str = "chat-completions-0133627a-001.http";

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A project whose tape of the base suite has two exchanges, in the first format.
fn small() -> Project {
    let mut project = Project::new();
    for file in ["tape.json", MODELS, CHAT] {
        let text = std::fs::read_to_string(data("tests/data/tapes/format-1").join(file)).expect("a file of a tape");
        project = project.file(&format!("{TAPE}/{file}"), &text);
    }
    project
}

/// A project with the built-in tape as a folder of its own.
fn whole() -> Project {
    let project = Project::new();
    let packed = std::fs::File::open(data("tapes/base/llamacpp.tar.gz")).expect("the built-in tape");
    tar::Archive::new(flate2::read::GzDecoder::new(packed)).unpack(project.path(TAPE)).expect("an archive");
    project
}

fn change(project: &Project, file: &str, from: &str, to: &str) {
    let path = format!("{TAPE}/{file}");
    let text = project.read(&path);
    assert!(text.contains(from), "{text}");
    std::fs::write(project.path(&path), text.replace(from, to)).expect("written");
}

/// One scenario that asks for the list of models alone.
fn listed(project: &Project, more: &[&str]) -> Ran {
    let part = ["run", "--suite", "base", "--name", "The models are listed", "--report", "json=run.json"];
    project.run(&[&part, more].concat())
}

/// What the JSON report says of the tape.
fn reported(project: &Project) -> Value {
    let report: Value = serde_json::from_str(&project.read("run.json")).expect("JSON");
    report["cells"][0]["tape"].clone()
}

#[test]
fn tapes_are_shown_those_of_the_program_too() {
    let empty = Project::new();
    empty.run(&["tapes", "list"]).exits(0).says(&["✓ built-in tapes/base/llamacpp.tar.gz", "llama.cpp", "no tape in `tapes`"]);
    empty.run(&["tapes", "verify"]).exits(4);
    empty.run(&["tapes", "show", "base/llamacpp"]).exits(0).says(&["cell       base[llamacpp]", "    1  "]);
    empty.run(&["tapes", "show", "base/llamacp"]).exits(2).says(&["there is no tape `base/llamacp`", "base/llamacpp"]);

    let project = small();
    project.run(&["tapes", "list"]).exits(0).says(&[&format!("✓ {TAPE}  2 exchanges")]);
    let shown = project.run(&["tapes", "show", "base/llamacpp"]);
    shown
        .exits(0)
        .says(&["models     text smollm2, tools smollm2", "POST /v1/chat/completions  \"What is the capital of France?\""]);
    let one = project.run(&["tapes", "show", TAPE, "1"]);
    one.exits(0).says(&[CHAT, "authorization: ***", "\"max_tokens\": 1", "→ 200 in 224.0 ms", "\"finish_reason\": \"length\""]);
    assert_eq!(project.run(&["tapes", "show", TAPE, "0133"]).stdout, one.stdout, "a key's beginning names it as well");
    project.run(&["tapes", "show", TAPE, "nothing"]).exits(2).says(&["no exchange of", "a number from 1 to 2"]);
}

#[test]
fn a_tape_of_the_first_format_is_read_and_packed_in_ours() {
    let project = small();
    listed(&project, &[]).exits(0).says(&["2 exchanges, recorded 2026-11-22"]);
    assert!(project.read(&format!("{TAPE}/tape.json")).contains("\"format\": 1"), "reading rewrites nothing");
    project.run(&["tapes", "pack", TAPE, "--out", "packed.tar.gz"]).exits(0);
    project.run(&["tapes", "diff", TAPE, "packed.tar.gz"]).exits(0).says(&["no drift: 0 of 2 exchanges"]);
    change(&project, "tape.json", "\"format\": 1", "\"format\": 9");
    project.run(&["tapes", "show", TAPE]).exits(2).says(&["has the format 9", "use a newer fireassay"]);
}

#[test]
fn an_old_tape_is_told_and_is_no_evidence_where_an_age_is_wished() {
    let project = small();
    change(&project, "tape.json", "2026-11-22T", "2021-01-02T");
    listed(&project, &[]).exits(0).says(&["days ago: old,"]);
    let tape = reported(&project);
    assert!(tape["recorded"].as_str().expect("a time").starts_with("2021-01-02T"), "{tape}");
    assert!(tape["age_days"].as_i64().expect("days") > 1000, "{tape}");
    let refused = listed(&project, &["--max-tape-age", "7d", "--junit", "junit.xml"]);
    refused.exits(3).says(&["error[run/old-tape]", TAPE, "--max-tape-age allows 168h", "record it again"]);
    assert!(project.read("junit.xml").contains("<error"), "no green file stands for it");
    listed(&project, &["--max-tape-age", "36500d", "--junit", "junit.xml"]).exits(0);
    let junit = project.read("junit.xml");
    assert!(junit.contains("fireassay.tape_recorded") && junit.contains("2021-01-02T"), "{junit}");
    listed(&project, &["--max-tape-age", "old"]).exits(2).says(&["such as `7d`"]);
}

#[test]
fn what_people_edited_is_refused_until_it_is_accepted_and_said_ever_after() {
    let project = small();
    change(&project, MODELS, "\"ftype\":\"F16\"", "\"ftype\":null");
    listed(&project, &[]).exits(2).says(&[MODELS, "not the one that was recorded", "--accept-edits"]);
    project.run(&["tapes", "verify"]).exits(3).says(&[MODELS]);

    let manifest = project.read(&format!("{TAPE}/tape.json"));
    let said = format!("1 of them edited by hand: {MODELS}");
    listed(&project, &["--accept-edits"]).exits(0).says(&[&said]);
    assert_eq!(reported(&project)["edited"], serde_json::json!([MODELS]));
    assert_eq!(project.read(&format!("{TAPE}/tape.json")), manifest, "a run rewrites nothing");
    project.run(&["tapes", "verify"]).exits(3);

    project.run(&["tapes", "verify", "--accept-edits"]).exits(0).says(&["1 edited by hand, 1 of them accepted now"]);
    project.run(&["tapes", "verify"]).exits(0).says(&["1 edited by hand\n"]);
    listed(&project, &[]).exits(0).says(&[&said]);
    project.run(&["tapes", "show", TAPE]).exits(0).says(&["edited by hand", &format!("edited     {MODELS}")]);

    // Against what was recorded, the edit is a change of form.
    let drift = project.run(&["tapes", "diff", &data("tests/data/tapes/format-1").to_string_lossy(), TAPE]);
    drift.exits(1).says(&[
        "1 × data[].meta.ftype: string → null",
        MODELS,
        "drift: 1 of 2 exchanges differ in form, 1 kind of change",
    ]);
    let json = project.run(&["tapes", "diff", TAPE, "base/llamacpp", "--json"]);
    let json: Value = serde_json::from_str(&json.exits(0).stdout).expect("JSON");
    assert_eq!((json["drifted"].clone(), json["compared"].clone()), (false.into(), 2.into()));
}

#[test]
fn a_server_that_runs_is_asked_all_that_a_tape_has() {
    let project = small();
    let mut server = project.start(&["proxy", "--mode", "replay", "--tape", TAPE]);
    let mut told = String::new();
    let out = server.stdout.as_mut().expect("its output");
    BufReader::new(out).read_line(&mut told).expect("a line");
    let url = told.split_whitespace().find(|word| word.starts_with("http://")).expect("an address").to_owned();
    let diff = || project.run(&["tapes", "diff", TAPE, "--url", &url]);
    diff().exits(0).says(&["no drift: 0 of 2 exchanges differ in form", &format!("against {url}")]);
    change(&project, CHAT, "\"finish_reason\":\"length\"", "\"finish_reason\":\"stop\"");
    project.run(&["tapes", "verify", "--accept-edits"]).exits(0);
    diff().exits(1).says(&["1 × choices[].finish_reason: stop → length", CHAT]);
    signal(server.id(), nix::sys::signal::Signal::SIGTERM);
    server.wait().expect("it ends");
}

#[test]
fn what_nobody_asks_for_is_told_and_pruned() {
    let project = whole();
    let prune = |more: &[&str]| project.run(&[&["tapes", "prune", "base/llamacpp"], more].concat());
    prune(&[]).exits(0);
    prune(&["--dry-run"]).exits(0).says(&["exchanges are asked for"]);

    // An exchange that is whole, and that no scenario wants.
    let (name, asked) = ("models-00000000-001.http", "/v1/models/of-yesterday");
    let text = std::fs::read_to_string(data("tests/data/tapes/format-1").join(MODELS)).expect("a file of a tape");
    let text = text.replace("\"/v1/models\"", &format!("\"{asked}\"")).replace("2ef5ce20", "00000000");
    std::fs::write(project.path(&format!("{TAPE}/{name}")), &text).expect("written");
    let mut manifest: Value = serde_json::from_str(&project.read(&format!("{TAPE}/tape.json"))).expect("a manifest");
    manifest["exchanges"][name] = format!("{:x}", Sha256::digest(&text)).into();
    std::fs::write(project.path(&format!("{TAPE}/tape.json")), manifest.to_string()).expect("written");

    let said = format!("1 recorded exchange was not asked for, {name}");
    let ran = project.run(&["run", "--suite", "base", "--report", "json=run.json"]);
    ran.exits(0).says(&[&said]);
    assert_eq!(reported(&project)["unused"], serde_json::json!([name]));
    assert!(!listed(&project, &[]).exits(0).all().contains("not asked for"), "a part says nothing of the rest");
    assert_eq!(reported(&project)["unused"], Value::Null);

    prune(&["--dry-run"]).exits(0).says(&[name, "would be removed"]);
    assert!(project.path(&format!("{TAPE}/{name}")).exists());
    prune(&[]).exits(0).says(&[name, "exchanges removed"]);
    assert!(!project.path(&format!("{TAPE}/{name}")).exists());
    project.run(&["tapes", "verify"]).exits(0);

    // Where a scenario cannot be judged, nobody knows what it would have asked for.
    let mut manifest: Value = serde_json::from_str(&project.read(&format!("{TAPE}/tape.json"))).expect("a manifest");
    manifest["exchanges"].as_object_mut().expect("files").retain(|name, _| !name.starts_with("models-2ef5ce20"));
    std::fs::write(project.path(&format!("{TAPE}/tape.json")), manifest.to_string()).expect("written");
    prune(&[]).exits(3).says(&["may not have asked for all of it", "--mode replay"]);
    Project::new().run(&["tapes", "prune", "base/llamacpp", "--dry-run"]).exits(0);
}
