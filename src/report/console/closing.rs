//! What stands at the end? Failures, then what could not be judged, then the summary between two verdict lines.

use std::collections::HashMap;

use super::block::Blocks;
use super::paint::{Paint, Tone, duration, fit, outcome_mark, width_of, wrap};
use crate::event::{Outcome, Weight};
use crate::report::cause::{Cause, causes};
use crate::report::rules::RuleTally;
use crate::report::summary::{CellSummary, RunSummary, ScenarioSummary, ServerIdentity};
use crate::report::text::{amount, one_line, visible};
use crate::report::verdict::counts;

/// Blocks of one kind that are shown whole; further ones are lines.
const BLOCK_LIMIT: usize = 50;
/// Most columns of a server's name beside its cell's counts; below them it has the whole width.
const SERVER_WIDTH: usize = 60;
/// Lines of one list.
const LIST_LIMIT: usize = 100;

/// Everything after the last scenario, ending in the verdict line.
pub(super) fn closing(summary: &RunSummary, exit: u8, verdict: &str, blocks: Blocks) -> Vec<String> {
    let page = Page { summary, blocks, paint: blocks.paint };
    let verdict = page.paint.tone(verdict_tone(exit), &visible(verdict));
    let mut out = Vec::new();
    page.blocks_of(&mut out, Outcome::Failed);
    page.blocks_of(&mut out, Outcome::Errored);
    page.troubles(&mut out);
    out.push(String::new());
    out.push(verdict.clone());
    page.cells(&mut out);
    page.list(&mut out, Outcome::Known);
    page.list(&mut out, Outcome::Flaky);
    page.list(&mut out, Outcome::NotEvaluated);
    page.list(&mut out, Outcome::Skipped);
    page.rules(&mut out, Weight::Lenient);
    page.rules(&mut out, Weight::Advice);
    page.stale(&mut out);
    out.push(verdict);
    out
}

/// The tone of a verdict.
pub(super) fn verdict_tone(exit: u8) -> Tone {
    match exit {
        0 => Tone::Wanted,
        5 | 130 | 143 => Tone::Odd,
        _ => Tone::Came,
    }
}

struct Page<'a> {
    summary: &'a RunSummary,
    blocks: Blocks,
    paint: Paint,
}

impl<'a> Page<'a> {
    fn of(&self, outcome: Outcome) -> impl Iterator<Item = (&'a CellSummary, &'a ScenarioSummary)> {
        self.summary.scenarios().filter(move |(_, scenario)| scenario.outcome == outcome)
    }

    /// A heading like `failed (3)`.
    fn heading(&self, out: &mut Vec<String>, outcome: Outcome, word: &str, count: usize) {
        let (_, tone) = outcome_mark(outcome);
        out.push(String::new());
        out.push(self.paint.tone(tone, &format!("{word} ({count})")));
    }

    /// Blocks for the first of each cause; those that share a trouble with an earlier one are lines below it. What a cell
    /// kept from running is counted with its trouble.
    fn blocks_of(&self, out: &mut Vec<String>, outcome: Outcome) {
        let mut all: Vec<_> = self.of(outcome).collect();
        if all.is_empty() {
            return;
        }
        self.heading(out, outcome, outcome.word(), all.len());
        all.retain(|(cell, scenario)| !cell.kept_from_running(scenario));
        let mut order: Vec<Vec<(&CellSummary, &ScenarioSummary)>> = Vec::new();
        let mut by_cause: HashMap<String, usize> = HashMap::new();
        for (cell, scenario) in all {
            let same = (outcome == Outcome::Errored).then(|| trouble_of(scenario)).flatten();
            if let Some(at) = same.as_ref().and_then(|cause| by_cause.get(cause)) {
                order[*at].push((cell, scenario));
                continue;
            }
            if let Some(cause) = same {
                by_cause.insert(cause, order.len());
            }
            order.push(vec![(cell, scenario)]);
        }
        for group in order.iter().take(BLOCK_LIMIT) {
            let Some(((cell, scenario), others)) = group.split_first() else { continue };
            out.push(String::new());
            out.extend(self.blocks.scenario(cell, scenario));
            if !others.is_empty() {
                out.push(format!("  {}", self.paint.tone(Tone::Quiet, &format!("for the same reason ({}):", others.len()))));
                Self::lines(out, others.iter().map(|(_, scenario)| self.line(scenario, "")));
            }
        }
        if order.len() > BLOCK_LIMIT {
            out.push(String::new());
            out.push(format!("and {} more:", order.len() - BLOCK_LIMIT));
            let rest = order.iter().skip(BLOCK_LIMIT).flatten();
            Self::lines(out, rest.map(|(_, scenario)| self.line(scenario, &headline(scenario))));
        }
    }

    /// What kept whole cells from serving.
    fn troubles(&self, out: &mut Vec<String>) {
        for cell in &self.summary.cells {
            let Some(trouble) = &cell.trouble else { continue };
            out.push(String::new());
            let name = super::cell_name(&cell.plan);
            out.push(format!("{} {}", self.paint.tone(Tone::Hindered, "!"), self.paint.tone(Tone::Strong, &name)));
            let words = wrap(&trouble.message, self.blocks.width.saturating_sub(4));
            out.extend(words.iter().map(|line| format!("  {}", self.paint.tone(Tone::Hindered, line))));
            let kept = cell.scenarios.iter().filter(|scenario| cell.kept_from_running(scenario)).count() as u64;
            match kept + cell.missing() {
                0 => {}
                1 => out.push("  1 planned scenario did not run".to_owned()),
                count => out.push(format!("  {count} planned scenarios did not run")),
            }
            let detail: Vec<&str> = trouble.detail.lines().collect();
            let bar = self.paint.tone(Tone::Quiet, "│");
            for line in &detail[detail.len().saturating_sub(20)..] {
                out.push(format!("    {bar} {}", fit(line, self.blocks.width.saturating_sub(6))));
            }
        }
    }

    /// One line per cell: who served, how it went, how long.
    fn cells(&self, out: &mut Vec<String>) {
        let rows: Vec<[String; 4]> = self
            .summary
            .cells
            .iter()
            .map(|cell| {
                let server = match (&cell.server, &cell.skipped) {
                    (Some(server), _) => server.name.clone(),
                    (None, Some(reason)) => format!("not applicable: {reason}"),
                    (None, None) => "no server".to_owned(),
                };
                let took = cell.took_us.map_or_else(|| "not ended".to_owned(), duration) + &figures(cell);
                [super::cell_name(&cell.plan), one_line(&server, 200), counts(&cell.final_totals()).join(", "), took]
            })
            .collect();
        let mut widths = [0, 1, 2].map(|column| rows.iter().map(|row| width_of(&row[column])).max().unwrap_or(0));
        widths[1] = widths[1].min(SERVER_WIDTH);
        for ([name, server, counted, took], cell) in rows.iter().zip(&self.summary.cells) {
            let pad = |text: &str, width: usize| format!("{}{}", text, " ".repeat(width.saturating_sub(width_of(text))));
            let rest = format!("{}  {}  {took}", pad(&fit(server, SERVER_WIDTH), widths[1]), pad(counted, widths[2]));
            if widths[0] + 4 + width_of(&rest) > self.blocks.width {
                out.push(format!("  {}  {}", pad(name, widths[0]), self.paint.tone(Tone::Quiet, &format!("{counted}  {took}"))));
                out.push(format!("    {}", self.paint.tone(Tone::Quiet, &fit(server, self.blocks.width.saturating_sub(4)))));
            } else {
                out.push(format!("  {}  {}", pad(name, widths[0]), self.paint.tone(Tone::Quiet, &rest)));
            }
            let advice = cell.memory_advice().map(|advice| wrap(&advice, self.blocks.width.saturating_sub(6)));
            out.extend(advice.iter().flatten().map(|line| format!("    · {}", self.paint.tone(Tone::Odd, line))));
        }
        let begun = self.summary.cells.iter().filter(|cell| cell.skipped.is_none());
        let missing: u64 = begun.map(CellSummary::missing).sum();
        if missing > 0 {
            out.push(format!(
                "  {}",
                self.paint.tone(Tone::Hindered, &format!("{missing} planned scenarios never ended; they count as errored"))
            ));
        }
    }

    /// Scenarios of an outcome that is no alarm: one line each, or one line per reason where many share it.
    fn list(&self, out: &mut Vec<String>, outcome: Outcome) {
        let all: Vec<_> = self.of(outcome).map(|(_, scenario)| scenario).collect();
        if all.is_empty() {
            return;
        }
        let (mark, tone) = outcome_mark(outcome);
        out.push(self.paint.tone(tone, &format!("{} ({})", outcome.word(), all.len())));
        let grouped = matches!(outcome, Outcome::Skipped | Outcome::NotEvaluated);
        if !grouped {
            let why = |scenario: &ScenarioSummary| match outcome {
                Outcome::Flaky => format!("passed at attempt {}; before: {}", scenario.attempts, first_failure(scenario)),
                _ => scenario.reason().unwrap_or_default().to_owned(),
            };
            Self::lines(out, all.iter().map(|scenario| self.line(scenario, &why(scenario))));
            return;
        }
        let mut reasons: Vec<(&str, u64)> = Vec::new();
        for scenario in all {
            let reason = scenario.reason().unwrap_or("no reason was declared");
            match reasons.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, count)) => *count += 1,
                None => reasons.push((reason, 1)),
            }
        }
        let line = |(reason, count): &(&str, u64)| {
            format!("  {} {count} × {}", self.paint.tone(tone, mark), fit(&one_line(reason, 400), self.blocks.width - 10))
        };
        Self::lines(out, reasons.iter().map(line));
    }

    /// Wire rules that were broken without failing anything: one line a rule, with how often and why it is tolerated.
    fn rules(&self, out: &mut Vec<String>, weight: Weight) {
        for cell in &self.summary.cells {
            let all: Vec<_> = cell.rules.of(weight).collect();
            if all.is_empty() {
                continue;
            }
            let of = match self.summary.cells.len() {
                1 => String::new(),
                _ => format!(" of {}", super::cell_name(&cell.plan)),
            };
            let what = match (weight, cell.plan.profile.as_deref().filter(|_| cell.plan.contract != "generic")) {
                (Weight::Lenient, Some(profile)) => format!("dialect{of} ({}): as written in the profile {profile}", all.len()),
                (Weight::Lenient, None) => format!("dialect{of} ({}): tolerated by the generic contract", all.len()),
                _ => format!("advice{of} ({}): worth knowing, fails nothing", all.len()),
            };
            out.push(self.paint.tone(Tone::Quiet, &visible(&what)));
            let digits = all.iter().map(|(_, tally)| tally.count.to_string().len()).max().unwrap_or(1);
            let line = |(rule, tally): (&str, &RuleTally)| {
                let why = cell.dialect_reason(rule).filter(|_| weight == Weight::Lenient).unwrap_or(&tally.statement);
                let line = format!("  · {rule}  {:>digits$} ×  {}", tally.count, one_line(why, 400));
                self.paint.tone(Tone::Quiet, &fit(&line, self.blocks.width))
            };
            Self::lines(out, all.into_iter().map(line));
        }
    }

    fn stale(&self, out: &mut Vec<String>) {
        let all: Vec<&String> = self.summary.cells.iter().flat_map(|cell| &cell.stale).collect();
        if all.is_empty() {
            return;
        }
        out.push(self.paint.tone(Tone::Odd, &format!("stale ({}): written down as failing, and did not", all.len())));
        Self::lines(
            out,
            all.iter().map(|entry| format!("  {} {}", self.paint.tone(Tone::Odd, "·"), visible(&one_line(entry, 400)))),
        );
    }

    fn line(&self, scenario: &ScenarioSummary, why: &str) -> String {
        let (mark, tone) = outcome_mark(scenario.outcome);
        let name = visible(&one_line(&scenario.name, 200)).into_owned();
        let place = visible(&scenario.at.to_string()).into_owned();
        let why = visible(&one_line(why, 250)).into_owned();
        let quiet = |text: &str| self.paint.tone(Tone::Quiet, text);
        let head = format!("  {} {name}  {}", self.paint.tone(tone, mark), quiet(&place));
        if why.is_empty() {
            return head;
        }
        if width_of(&head) + 2 + width_of(&why) <= self.blocks.width {
            return format!("{head}  {}", quiet(&why));
        }
        let below = wrap(&why, self.blocks.width.saturating_sub(6));
        below.iter().fold(head, |text, line| format!("{text}\n      {}", quiet(line)))
    }

    fn lines(out: &mut Vec<String>, lines: impl Iterator<Item = String>) {
        let mut more = 0;
        for (at, line) in lines.enumerate() {
            if at < LIST_LIMIT { out.push(line) } else { more += 1 }
        }
        if more > 0 {
            out.push(format!("  … and {more} more"));
        }
    }
}

/// `, up in 1.4 s, 512 MiB at most`, where we started the server.
fn figures(cell: &CellSummary) -> String {
    let server = cell.server.as_ref();
    let start = server.and_then(ServerIdentity::start_us).map(|us| format!(", up in {}", duration(us)));
    let memory = server.and_then(ServerIdentity::peak_rss).map(|bytes| format!(", {} at most", amount(bytes)));
    start.unwrap_or_default() + &memory.unwrap_or_default()
}

fn first_failure(scenario: &ScenarioSummary) -> String {
    scenario.tries().first().and_then(|one| causes(one).first().map(Cause::headline)).unwrap_or_default()
}

fn headline(scenario: &ScenarioSummary) -> String {
    scenario.last_try().and_then(|last| causes(last).first().map(Cause::headline)).unwrap_or_default()
}

/// What two errored scenarios must share to be told once.
fn trouble_of(scenario: &ScenarioSummary) -> Option<String> {
    let last = scenario.last_try()?;
    causes(last).first().map(|cause| format!("{} {}", cause.kind(), cause.message()))
}
