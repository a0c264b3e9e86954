//! Stored runs for the tests of every reporter: `tests/data/events/*.ndjson`.

use crate::event::{Mismatch, RunEvent, StepOutcome, Whose};

use super::RunSummary;

/// Names of all stored runs.
pub(super) const RUNS: [&str; 9] =
    ["passing", "failing", "flaky", "known_stale", "errored_stack", "no_server", "skipped", "interrupted", "wire"];

/// The events of a stored run.
#[track_caller]
pub(super) fn events(name: &str) -> Vec<RunEvent> {
    let path = format!("{}/tests/data/events/{name}.ndjson", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{path}: {error}\n{line}"))).collect()
}

/// A stored run, folded.
#[track_caller]
pub(super) fn summary(name: &str) -> RunSummary {
    RunSummary::of(&events(name))
}

/// Two scenarios, the second one failed with everything in its text that ever broke a reader.
pub(super) fn nasty_run() -> RunSummary {
    let reply =
        format!("HEAD ]]> \x1b[31mred\x1b[0m \0 \u{fffe} \u{ffff} 🎉 \\ud800 <b>&amp;{}TAIL", "x\u{fffe}<".repeat(2_400_000));
    let head = |length: usize| &reply[..reply.floor_char_boundary(length)];
    let mut all: Vec<RunEvent> = Vec::new();
    for mut event in events("flaky") {
        match &mut event {
            RunEvent::RunStarted { cells, .. } => cells[0].planned = 2,
            RunEvent::Exchange(record) if record.attempt == 3 => record.response_body.clone_from(&reply),
            RunEvent::ScenarioFinished(end) => {
                for step in &mut end.steps {
                    if let StepOutcome::Failed { mismatches } = &mut step.outcome {
                        let mismatch = Mismatch::new("assert.text", Whose::Model, format!("{}\n{}", head(60), head(5000)));
                        *mismatches = vec![mismatch.expected("\0\x1b[2J").actual(head(if end.attempt.number == 3 {
                            reply.len()
                        } else {
                            100_000
                        }))];
                    }
                }
                end.name = format!("{} ]]> \x1b[31m \u{ffff}\n🎉{}", end.name, "é".repeat(300)).into();
                head(2_000_000).clone_into(&mut end.server_log);
            }
            _ => {}
        }
        all.push(event);
    }
    RunSummary::of(&all)
}
