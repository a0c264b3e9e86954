//! Reports as programs read them, merged.

use chrono::TimeZone;
use serde_json::{Value, json};

use super::*;
use crate::event::RunTotals;

const ABILITIES: [&str; 3] = ["chat", "tools", "thinking"];

/// A report of one cell; scenarios are (id, tags, outcome).
fn report(hour: u32, server: Option<&str>, scenarios: &[(&str, &[&str], &str)]) -> Source {
    let scenarios: Vec<Value> = scenarios
        .iter()
        .map(|(id, tags, outcome)| {
            json!({"cell": "base[lab]", "id": id, "tags": tags, "outcome": outcome, "reason": (*outcome == "skipped").then_some("no such ability")})
        })
        .collect();
    let server = server.map(|name| json!({"name": name}));
    let value = json!({
        "schema": 1,
        "run": {"run_id": format!("run-{hour}"), "fireassay": "0.1.0", "at": format!("2026-11-21T{hour:02}:00:00Z"), "mode": "live"},
        "cells": [{"cell": "base[lab]", "suite": "base", "setup": "lab", "models": {"text": "m", "reasoning": "r"}, "contract": "profile", "server": server}],
        "scenarios": scenarios,
    });
    serde_json::from_value(value).unwrap()
}

fn matrix(sources: &[Source]) -> Matrix {
    Matrix::of(sources, &ABILITIES, Utc.with_ymd_and_hms(2026, 11, 21, 20, 0, 0).unwrap())
}

/// Model, ability and words of each cell that says something.
#[track_caller]
fn check(sources: &[Source], expect: &[&str]) {
    let matrix = matrix(sources);
    let found: Vec<String> = matrix
        .rows
        .iter()
        .flat_map(|row| row.cells.iter().map(move |cell| (row, cell)))
        .map(|(row, cell)| {
            let reason = cell.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("{} {} {}{reason}", row.model, cell.ability, cell.state.words())
        })
        .collect();
    assert_eq!(found, expect, "{matrix:#?}");
}

const S: Option<&str> = Some("lab 1.0");
const CHAT: &[&str] = &["@chat"];
const TOOLS: &[&str] = &["@chat", "@tools"];
const THINKS: &[&str] = &["@chat", "@thinking", "@tools"];

#[test]
fn each_state_comes_from_verdicts_alone() {
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "passed")])], &["m chat pass"]);
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "failed"), ("c", CHAT, "known")])], &["m chat FAIL"]);
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "known")])], &["m chat known"]);
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "flaky")])], &["m chat flaky"]);
    check(&[report(1, S, &[("a", CHAT, "skipped")])], &["m chat skipped (no such ability)"]);
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "skipped")])], &["m chat pass"]);
    check(&[report(1, S, &[("a", CHAT, "not_evaluated")])], &["m chat not run (not evaluated: not evaluated)"]);
    let errored = "m chat not run (1 could not be judged: errored)";
    check(&[report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "errored")])], &[errored]);
    check(&[report(1, S, &[("a", &[], "passed")])], &["m untagged pass"]);
    check(&[], &[]);
}

#[test]
fn a_scenario_counts_for_its_abilities_and_for_the_model_that_was_asked() {
    let all = report(1, S, &[("a", CHAT, "passed"), ("b", TOOLS, "failed"), ("c", THINKS, "passed")]);
    let expect = ["m chat pass", "m tools FAIL", "m thinking not run", "r chat not run", "r tools pass", "r thinking pass"];
    check(&[all], &expect);
}

#[test]
fn of_each_scenario_the_newest_verdict_counts() {
    let old = report(1, S, &[("a", CHAT, "failed"), ("b", CHAT, "failed")]);
    let new = report(2, S, &[("a", CHAT, "passed"), ("b", CHAT, "passed")]);
    check(&[old.clone(), new.clone()], &["m chat pass"]);
    check(&[new.clone(), old.clone()], &["m chat pass"]);
    // One scenario run again does not make the others good.
    check(&[old, report(2, S, &[("a", CHAT, "passed")])], &["m chat FAIL"]);
    check(&[new.clone(), report(3, S, &[("a", CHAT, "skipped")])], &["m chat pass"]);
    // A server that no longer comes up is not green from yesterday.
    let gone = report(3, None, &[("a", CHAT, "errored"), ("b", CHAT, "errored")]);
    check(&[new, gone], &["m chat not run (2 could not be judged: errored)"]);
}

#[test]
fn another_version_of_the_server_begins_anew() {
    let old = report(1, S, &[("a", CHAT, "passed"), ("b", CHAT, "passed")]);
    let new = report(2, Some("lab 2.0"), &[("a", CHAT, "passed")]);
    check(&[old.clone(), new], &["m chat not run (1 of 2 ran on this version of the server)"]);
    let whole = report(2, Some("lab 2.0"), &[("a", CHAT, "passed"), ("b", CHAT, "passed")]);
    let merged = matrix(&[old, whole]);
    assert_eq!((merged.rows.len(), merged.rows[0].server.as_deref()), (1, Some("lab 2.0")));
    assert_eq!(merged.rows[0].cells[0].state, State::Pass);
    assert_eq!(merged.rows[0].cells[0].runs, ["run-2"]);
}

#[test]
fn a_scenario_that_a_whole_run_has_no_more_is_expected_no_longer() {
    let old = report(1, S, &[("gone", CHAT, "failed"), ("a", CHAT, "passed")]);
    let new = report(2, S, &[("a", CHAT, "passed")]);
    check(&[old.clone(), new.clone()], &["m chat FAIL"]);
    let whole = |mut source: Source| {
        source.run.whole = Some(true);
        source
    };
    check(&[old.clone(), whole(new.clone())], &["m chat pass"]);
    check(&[whole(old.clone()), new.clone()], &["m chat FAIL"]);
    // What a stack left that never came up takes nothing away.
    let mut dead = whole(report(3, None, &[("a", CHAT, "errored")]));
    dead.cells[0].not_run = 1;
    check(&[old, new, dead], &["m chat FAIL"]);
}

#[test]
fn the_age_is_that_of_the_oldest_verdict() {
    let merged = matrix(&[report(1, S, &[("a", CHAT, "passed")]), report(10, S, &[("b", CHAT, "passed")])]);
    assert_eq!(merged.rows[0].cells[0].age_s, Some(19 * 3600));
    assert_eq!(merged.rows[0].last_run.run_id, "run-10");
}

#[test]
fn markdown_holds_what_others_wrote_in_its_cells() {
    let mut nasty = report(1, Some("lab|1 <b>\n*x*"), &[("a", CHAT, "skipped"), ("b", TOOLS, "failed"), ("c", TOOLS, "passed")]);
    nasty.cells[0].setup = "a|b".to_owned();
    nasty.scenarios[0].reason = Some("needs `x` | y".to_owned());
    let text = render_markdown(&matrix(&[nasty]));
    assert!(text.contains(r"| m | lab\|1 &lt;b&gt; \*x\* | a\|b | skipped [1] | **FAIL** 1/2, 19 h |"), "{text}");
    assert!(text.contains("1. needs \\`x\\` \\| y\n"), "{text}");
    let empty = render_markdown(&matrix(&[]));
    assert!(empty.contains("No run left anything"), "{empty}");
}

#[test]
fn what_cannot_be_read_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let says = |path: std::path::PathBuf, part: &str| {
        let error = read_sources(std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains(&*path.to_string_lossy()), "{error}");
    };
    says(folder.path().join("nowhere.json"), "cannot read");
    says(write("half.json", "{\"schema\": 1,"), "EOF");
    says(write("other.json", "{}"), "missing field");
    let newer = json!({"schema": 9, "run": {"run_id": "r", "fireassay": "9", "at": "2026-11-21T01:00:00Z", "mode": "live"}, "cells": [], "scenarios": []});
    says(write("newer.json", &newer.to_string()), "version 9");
    write("empty/readme", "");
    says(folder.path().join("empty"), "no events.ndjson");
    write("killed/events.ndjson", "");
    says(folder.path().join("killed"), "not sealed");
    write("changed/events.ndjson", "");
    let seal = json!({"schema": 1, "run_id": "r", "totals": RunTotals::default(), "exit": 0, "ended": "", "sha256": [["events.ndjson", "0"]]});
    write("changed/seal.json", &seal.to_string());
    says(folder.path().join("changed"), "not those that were sealed");
}
