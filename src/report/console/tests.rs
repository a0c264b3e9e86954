//! Every stored run on the console: as a file sees it, with colours, verbose and quiet.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::event::{EntryRecord, ServiceRecord, Trouble, UsageRecord};
use crate::report::samples::{RUNS, events, nasty_run};
use crate::report::{JunitProfile, write_junit};

/// A place to write to that the test can read.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shown(name: &str, options: ConsoleOptions) -> String {
    let sink = Sink::default();
    let mut console = Console::new(Box::new(sink.clone()), options);
    let mut summary = RunSummary::default();
    for event in events(name) {
        summary.push(&event);
        console.push(&event, &summary).expect("written");
    }
    let bytes = sink.0.lock().expect("one thread").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn every_stored_run_without_a_terminal() {
    for name in RUNS {
        let text = shown(name, ConsoleOptions::default());
        assert!(text.starts_with("fireassay: "), "{text}");
        let RunEvent::RunFinished { verdict, .. } = events(name).pop().expect("an end") else { panic!("{name}") };
        assert_eq!(text.lines().last(), Some(verdict.as_str()), "the verdict is the last line");
        assert!(!text.contains('\x1b'));
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn verbose_has_a_line_for_every_scenario_and_quiet_the_verdict_only() {
    insta::assert_snapshot!("verbose", shown("passing", ConsoleOptions { verbosity: Verbosity::Verbose, ..Default::default() }));
    let quiet = shown("failing", ConsoleOptions { verbosity: Verbosity::Quiet, ..Default::default() });
    assert_eq!(quiet, "FAILED  1 passed, 3 failed, 1 errored\n");
}

#[test]
fn without_a_server_the_cell_says_why_once() {
    let text = shown("no_server", ConsoleOptions::default());
    assert_eq!(text.matches("nothing answers at").count(), 1, "{text}");
    assert!(text.contains("features/smoke.feature  5 not run") && text.contains("errored (5)"), "{text}");
    let verbose = shown("no_server", ConsoleOptions { verbosity: Verbosity::Verbose, ..Default::default() });
    assert_eq!(verbose.matches("not run: nothing answers at").count(), 5, "{verbose}");
}

#[test]
fn colours_mark_without_changing_a_word() {
    let options = ConsoleOptions { color: true, width: 72, ..Default::default() };
    let (plain, colored) = (ConsoleOptions { color: false, ..options }, shown("failing", options));
    insta::assert_snapshot!("colored", colored.replace('\x1b', "␛"));
    let mut rest = colored.as_str();
    let mut bare = String::new();
    while let Some((before, after)) = rest.split_once("\x1b[") {
        bare.push_str(before);
        rest = after.split_once('m').expect("only colours").1;
    }
    bare.push_str(rest);
    assert_eq!(bare, shown("failing", plain));
}

#[test]
fn a_reply_cannot_draw_on_the_terminal_nor_flood_it() {
    let text = render_console(&nasty_run(), 1, ConsoleOptions::default());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "control characters are shown, not sent");
    assert!(text.len() < 60_000, "{} bytes", text.len());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut console = Console::new(Box::new(Closed), ConsoleOptions::default());
    let mut summary = RunSummary::default();
    for event in events("failing") {
        summary.push(&event);
        console.push(&event, &summary).expect("a closed pipe is silence");
    }
}

/// The server dies under a scenario: the one that saw it shows what it saw, its cell why, and both are in `JUnit`.
#[test]
fn a_server_that_dies_is_told_once_on_the_console_and_by_each_case_of_junit() {
    const DIED: &str = "`server` died with signal 9";
    let mut all = events("failing");
    let trouble = Trouble::new("infra.server_died", DIED).detail("the last words of the log");
    let mut saw = 0;
    for event in &mut all {
        match event {
            RunEvent::ScenarioFinished(end) if end.outcome == Outcome::Errored => {
                end.trouble = Some(trouble.clone().of_cell());
                end.server_log = "the last words of the log\n".to_owned();
                saw += 1;
            }
            RunEvent::CellFinished { trouble: of_cell, .. } => *of_cell = Some(trouble.clone()),
            _ => {}
        }
    }
    let summary = RunSummary::of(&all);
    let text = render_console(&summary, 1, ConsoleOptions::default());
    for (words, count) in [(DIED, 1), ("the last words of the log", 1), ("the server closed the connection", 1)] {
        assert_eq!(text.matches(words).count(), count, "{words}\n{text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let paths = write_junit(&summary, &folder.path().join("junit.xml"), JunitProfile::Rich).expect("written");
    let junit = std::fs::read_to_string(&paths[0]).expect("UTF-8");
    assert!(saw == 1 && junit.contains(DIED), "{junit}");
}

#[test]
fn a_dead_stack_is_told_once_with_all_it_took_along() {
    let mut all = events("failing");
    let errored =
        all.iter().position(|event| matches!(event, RunEvent::ScenarioFinished(end) if end.outcome == Outcome::Errored));
    let model = all[errored.expect("there is one")].clone();
    for number in 0..200 {
        let mut copy = model.clone();
        if let RunEvent::ScenarioFinished(end) = &mut copy {
            end.name = format!("copy {number}").into();
            end.id = crate::event::ScenarioId(format!("base.llamacpp.chat/copy {number}").into());
        }
        all.push(copy);
    }
    let text = render_console(&RunSummary::of(&all), 1, ConsoleOptions::default());
    assert!(text.contains("for the same reason (200):") && text.contains("… and 100 more"), "{text}");
    assert_eq!(text.matches("the server closed the connection").count(), 1, "{text}");
}

#[test]
fn a_cell_tells_how_long_its_server_took_to_be_up_and_its_most_memory_and_where_the_catalogue_is_far_from_it() {
    let service =
        |rss: u64, peak_rss: Option<u64>| UsageRecord { name: "server".to_owned(), rss, peak_rss, cpu_ms: 1, processes: 1 };
    let told = |stated: Option<u64>, sample: UsageRecord| {
        let mut all = events("passing");
        let mut entry = None;
        for event in &mut all {
            match event {
                RunEvent::RunStarted { cells, .. } => {
                    cells[0].entry = Some(EntryRecord { name: "small".to_owned(), memory: stated, wished: false });
                    entry = Some(cells[0].cell.clone());
                }
                RunEvent::Server { cell, services, .. } if Some(&*cell) == entry.as_ref() => {
                    *services = vec![ServiceRecord { name: "server".to_owned(), pid: 1, port: 2, start_us: 1_200_000 }];
                }
                _ => {}
            }
        }
        let at = all.iter().position(|event| matches!(event, RunEvent::Server { .. })).expect("a server") + 1;
        let cell = entry.expect("a cell");
        all.insert(at, RunEvent::Resources { cell, at_us: 1, services: vec![sample], free: None });
        render_console(&RunSummary::of(&all), 0, ConsoleOptions::default())
    };
    let mib = |mib: u64| mib << 20;
    let text = told(Some(mib(600)), service(mib(400), Some(mib(519))));
    assert!(text.contains(", up in 1.2 s, 519 MiB at most") && !text.contains("models.yaml"), "{text}");
    let text = told(Some(mib(300)), service(mib(400), Some(mib(519))));
    let advice = "models.yaml states 300 MiB of memory for `small`, the server took 519 MiB at most: correct its `memory`";
    assert!(text.contains(advice), "{text}");
    assert!(
        told(Some(mib(1600)), service(mib(1000), None))
            .contains("1.6 GiB of memory for `small`, the server took 1.0 GiB at most")
    );
    assert!(!told(None, service(mib(400), None)).contains("models.yaml"), "what is not stated is not far");
}
