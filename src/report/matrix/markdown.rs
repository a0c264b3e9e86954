//! The matrix as Markdown: one table of verdicts, notes for what has a reason, one table of evidence.

use std::fmt::Write as _;

use super::{Cell, Matrix, Row, State};
use crate::report::text::{amount, one_line};

/// Longest name or reason that is shown whole.
const LONGEST: usize = 200;

/// Renders the matrix.
pub fn render_markdown(matrix: &Matrix) -> String {
    let mut out = String::from("# Compatibility\n\n");
    let runs = if matrix.reports == 1 { "one run".to_owned() } else { format!("{} runs", matrix.reports) };
    let _infallible = writeln!(
        out,
        "As of {}, from {runs}. A cell says how its scenarios ended, how many of them, and how old the oldest verdict is. *known*: \
         fails as the server's profile says, and not otherwise. *not run* is never a pass.\n",
        matrix.as_of.format("%Y-%m-%d %H:%M UTC")
    );
    let mut notes = Notes::default();
    let heads: String = matrix.abilities.iter().map(|ability| format!(" {} |", cell_text(ability))).collect();
    let _infallible = writeln!(out, "| model | server | setup |{heads}");
    let _infallible = writeln!(out, "|---|---|---|{}", "---|".repeat(matrix.abilities.len()));
    for row in &matrix.rows {
        let cells: String = row.cells.iter().map(|cell| format!(" {} |", verdict(cell, &mut notes))).collect();
        let _infallible = writeln!(out, "| {} | {} | {} |{cells}", cell_text(&row.model), server(row), setup(row));
    }
    if matrix.rows.is_empty() {
        out.push_str("\nNo run left anything.\n");
    }
    if !notes.0.is_empty() {
        out.push('\n');
        for (number, note) in notes.0.iter().enumerate() {
            let _infallible = writeln!(out, "{}. {note}", number + 1);
        }
    }
    out.push_str("\n## Evidence\n\n| model | setup | up in | memory | last run | started | commit | fireassay | contract | mode |\n|---|---|---|---|---|---|---|---|---|---|\n");
    for row in &matrix.rows {
        out.push_str(&evidence(row));
    }
    out
}

/// The setup, with the contract where it is not the setup's own.
fn setup(row: &Row) -> String {
    let setup = cell_text(&row.setup);
    if row.contract == "profile" { setup } else { format!("{setup}, contract {}", cell_text(&row.contract)) }
}

fn server(row: &Row) -> String {
    row.server.as_deref().map_or_else(|| "never answered".to_owned(), cell_text)
}

fn evidence(row: &Row) -> String {
    let run = &row.last_run;
    let dirty = if run.dirty == Some(true) { " (changed)" } else { "" };
    let commit = run.commit.as_deref().map_or_else(|| "–".to_owned(), |commit| cell_text(commit.get(..10).unwrap_or(commit)));
    let up = row.start_ms.map_or_else(|| "–".to_owned(), |ms| format!("{:.1} s", ms / 1000.0));
    let memory = row.peak_rss_bytes.map_or_else(|| "–".to_owned(), amount);
    let unfinished = if row.unfinished > 0 { format!(", {} never ended", row.unfinished) } else { String::new() };
    format!(
        "| {} | {} | {up} | {memory} | {}{unfinished} | {} | {commit}{dirty} | {} | {} | {} |\n",
        cell_text(&row.model),
        cell_text(&row.setup),
        cell_text(&run.run_id),
        run.at.format("%Y-%m-%d %H:%M"),
        cell_text(&run.fireassay),
        cell_text(&row.contract),
        cell_text(&run.mode),
    )
}

/// Reasons, each told once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn number(&mut self, reason: &str) -> usize {
        let reason = cell_text(reason);
        if let Some(at) = self.0.iter().position(|known| *known == reason) {
            return at + 1;
        }
        self.0.push(reason);
        self.0.len()
    }
}

fn verdict(cell: &Cell, notes: &mut Notes) -> String {
    let counts = &cell.counts.totals;
    let judged = counts.judged();
    let mut text = match cell.state {
        State::Fail => format!("**{}** {}/{judged}", cell.state.words(), counts.failed),
        State::Known => format!("{} {}/{judged}", cell.state.words(), counts.known),
        State::Flaky => format!("{} {}/{judged}", cell.state.words(), counts.flaky),
        State::Pass => format!("{} {judged}", cell.state.words()),
        State::Skipped | State::NotRun => cell.state.words().to_owned(),
    };
    if let Some(reason) = &cell.reason {
        let _infallible = write!(text, " [{}]", notes.number(reason));
    }
    if let (Some(age), true) = (cell.age_s, judged > 0) {
        let _infallible = write!(text, ", {}", age_words(age));
    }
    text
}

/// An age in its largest whole unit: `3 h`.
fn age_words(seconds: i64) -> String {
    match seconds {
        ..60 => "now".to_owned(),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Text of others in a cell of a table: one line, nothing that Markdown or HTML would act on.
fn cell_text(text: &str) -> String {
    let mut out = String::new();
    for c in one_line(text, LONGEST).chars() {
        match c {
            '|' | '\\' | '`' | '*' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}
