//! What is the run's verdict in one line? One function for the console, the record and the exit text.

use crate::event::Totals;

use super::RunSummary;

/// The word that an exit code stands for.
pub fn verdict_word(exit: u8) -> &'static str {
    match exit {
        0 => "PASSED",
        2 => "INVALID",
        3 => "INCOMPLETE",
        4 => "NOTHING RAN",
        5 => "NOT JUDGED",
        130 | 143 => "INTERRUPTED",
        _ => "FAILED",
    }
}

/// The verdict as one line: `PASSED  52 passed, 3 known, 0 failed, 1 skipped`. Planned scenarios that never ran are among the
/// errored. Counts of passed and failed are always there, the others where they are not zero.
pub fn verdict_line(summary: &RunSummary, exit: u8) -> String {
    let mut counts = counts(&summary.final_totals());
    match summary.stale() {
        0 => {}
        stale => counts.push(format!("{stale} stale")),
    }
    match summary.cells.iter().filter(|cell| cell.trouble.is_some()).count() {
        0 => {}
        1 => counts.push("1 cell in trouble".to_owned()),
        cells => counts.push(format!("{cells} cells in trouble")),
    }
    format!("{}  {}", verdict_word(exit), counts.join(", "))
}

/// `12 passed`, `0 failed`, and what else there is, in the order of the reports.
pub fn counts(totals: &Totals) -> Vec<String> {
    let all = [
        (totals.passed, "passed", true),
        (totals.flaky, "flaky", false),
        (totals.known, "known", false),
        (totals.failed, "failed", true),
        (totals.errored, "errored", false),
        (totals.skipped, "skipped", false),
        (totals.not_evaluated, "not evaluated", false),
    ];
    all.iter().filter(|(count, _, always)| *always || *count > 0).map(|(count, word, _)| format!("{count} {word}")).collect()
}
