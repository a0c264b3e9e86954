//! Every stored run as JUnit: snapshots, the file read back by another reader and counted again, nasty text, many cases.

use std::path::PathBuf;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

use super::*;
use crate::event::{CellPlanned, Outcome, RunEvent};
use crate::report::RunSummary;
use crate::report::samples::{RUNS, nasty_run, summary};

fn files(summary: &RunSummary, profile: JunitProfile) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = write_junit(summary, &folder.path().join("out/junit.xml"), profile).expect("written");
    paths.iter().map(|path| std::fs::read_to_string(path).expect("UTF-8")).collect()
}

/// Parses the file with another reader and holds every counter against the cases.
#[track_caller]
fn recount(xml: &str) -> (usize, usize, usize, usize) {
    let report = Report::deserialize_from_str(xml).unwrap_or_else(|error| panic!("{error:?}\n{xml}"));
    let mut all = (0, 0, 0, 0);
    for suite in &report.test_suites {
        let mut own = (0, 0, 0, 0);
        for case in &suite.test_cases {
            own.0 += 1;
            match &case.status {
                TestCaseStatus::Success { .. } => {}
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => own.1 += 1,
                TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => own.2 += 1,
                TestCaseStatus::Skipped { .. } => own.3 += 1,
            }
        }
        assert_eq!(own, (suite.tests, suite.failures, suite.errors, suite.skipped), "counters of {}", suite.name.as_str());
        all = (all.0 + own.0, all.1 + own.1, all.2 + own.2, all.3 + own.3);
    }
    assert_eq!((all.0, all.1, all.2), (report.tests, report.failures, report.errors), "counters of the file");
    all
}

#[test]
fn every_stored_run_in_both_profiles() {
    for name in RUNS {
        let run = summary(name);
        for (word, profile) in JunitProfile::ALL {
            let files = files(&run, profile);
            assert_eq!(files.len(), 1);
            let (_, failures, ..) = recount(&files[0]);
            assert_eq!(failures as u64, run.totals().failed, "{name}");
            insta::assert_snapshot!(format!("{name}_{word}"), files[0]);
        }
    }
}

#[test]
fn the_strict_profile_holds_to_the_schema_of_jenkins_xunit() {
    let allowed = |element: &str| -> &[&str] {
        match element {
            "testsuites" => &["name", "time", "tests", "failures", "errors"],
            "testsuite" => &[
                "name",
                "tests",
                "failures",
                "errors",
                "group",
                "time",
                "skipped",
                "timestamp",
                "hostname",
                "id",
                "package",
                "file",
                "log",
                "url",
            ],
            "testcase" => &["name", "time", "classname", "group"],
            "property" => &["name", "value"],
            "failure" | "error" | "skipped" | "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                &["type", "message"]
            }
            _ => &[],
        }
    };
    for name in RUNS {
        let xml = files(&summary(name), JunitProfile::Strict).remove(0);
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut path: Vec<String> = Vec::new();
        loop {
            use quick_xml::events::Event;
            let event = reader.read_event().expect("well-formed");
            match &event {
                Event::Start(tag) | Event::Empty(tag) => {
                    let element = String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8");
                    for attribute in tag.attributes() {
                        let key = String::from_utf8(attribute.expect("an attribute").key.as_ref().to_vec()).expect("UTF-8");
                        assert!(allowed(&element).contains(&key.as_str()), "{name}: {element}@{key}");
                    }
                    assert!(element != "properties" || path.last().is_some_and(|parent| parent == "testsuite"), "{name}");
                    if matches!(event, Event::Start(_)) {
                        path.push(element);
                    }
                }
                Event::End(_) => drop(path.pop()),
                Event::Eof => break,
                _ => {}
            }
        }
    }
}

#[test]
fn nasty_text_stays_well_formed_and_bounded() {
    let run = nasty_run();
    for (_, profile) in JunitProfile::ALL {
        let xml = files(&run, profile).remove(0);
        assert_eq!(recount(&xml), (2, 1, 0, 0));
        assert!(xml.len() < 1_000_000, "{} bytes of a 12 MB reply", xml.len());
        assert!(!xml.contains(['\x1b', '\0', '\u{fffe}', '\u{ffff}']) && !xml.contains("]]>") && !xml.contains("[31m"));
        assert!(xml.contains("🎉") && xml.contains(" bytes cut, sha256 "));
        let messages: Vec<&str> = xml.split("message=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!messages.is_empty());
        for message in messages {
            assert!(quick_xml::escape::unescape(message).expect("entities").chars().count() <= 250, "{message}");
        }
    }
}

#[test]
fn many_cases_go_to_parts_and_older_parts_go_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("junit.xml");
    let many = many_passes(12_001);
    let paths = write_junit(&many, &path, JunitProfile::Rich).expect("written");
    let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["junit.xml", "junit-p2.xml", "junit-p3.xml"]);
    let counts: Vec<_> = paths.iter().map(|path| recount(&std::fs::read_to_string(path).expect("text")).0).collect();
    assert_eq!(counts, [5000, 5000, 2001]);
    let paths = write_junit(&many_passes(1), &path, JunitProfile::Rich).expect("written");
    assert_eq!(paths, std::slice::from_ref(&path));
    let left: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).expect("folder").map(|entry| entry.expect("entry").path()).collect();
    assert_eq!(left, std::slice::from_ref(&path), "no parts and no temporary files");
    remove_stale(&path).expect("removed");
    remove_stale(&path).expect("nothing there is fine");
    assert!(!path.exists());
}

#[test]
fn an_error_case_replaces_an_older_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("junit.xml");
    write_junit(&many_passes(5001), &path, JunitProfile::Rich).expect("written");
    write_error_junit(&path, "author.usage", "no suite is called `bas`\n\n  help: base").expect("written");
    let xml = std::fs::read_to_string(&path).expect("text");
    assert_eq!(recount(&xml), (1, 0, 1, 0));
    assert!(xml.contains(r#"<error type="author.usage" message="no suite is called `bas`">"#), "{xml}");
    assert!(!folder.path().join("junit-p2.xml").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let error = write_junit(&many_passes(1), &folder.path().join("file/junit.xml"), JunitProfile::Rich).expect_err("no folder");
    assert!(error.to_string().contains("file/junit.xml"), "{error}");
}

/// A run of plain passes, as the events of a live run would make it.
fn many_passes(count: u32) -> RunSummary {
    let mut run = summary("passing");
    let model = run.cells[0].scenarios[0].clone();
    run.cells.truncate(1);
    run.cells[0].plan = CellPlanned { planned: u64::from(count), ..run.cells[0].plan.clone() };
    run.cells[0].scenarios = (0..count)
        .map(|number| {
            let mut scenario = model.clone();
            scenario.name = format!("{} #{number}", model.name).into();
            assert_eq!(scenario.outcome, Outcome::Passed);
            scenario
        })
        .collect();
    run
}

#[test]
fn what_never_ran_is_an_error_and_keeps_its_name_where_it_is_known() {
    let xml = files(&summary("interrupted"), JunitProfile::Rich).remove(0);
    for name in ["A short answer", "A very long answer", "(not run)"] {
        assert!(xml.contains(&format!("name=\"{name}\"")), "{name}\n{xml}");
    }
    assert_eq!(xml.matches("type=\"infra.not_run\"").count(), 3, "{xml}");
    // A record that ends in the middle, as after a kill.
    let events: Vec<RunEvent> = crate::report::samples::events("failing").into_iter().take(9).collect();
    let xml = files(&RunSummary::of(&events), JunitProfile::Rich).remove(0);
    assert!(xml.contains("the record of the run has no end"), "{xml}");
    recount(&xml);
}
