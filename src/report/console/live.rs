//! What is happening right now? The moving part of a terminal: a bar for the cell, a line for each running scenario.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::paint::fit;
use crate::event::ScenarioId;
use crate::report::summary::{CellSummary, Running};
use crate::report::text::{one_line, visible};
use crate::report::verdict::counts;

/// Running scenarios that have a line.
const SLOTS: usize = 6;
/// How often clocks move.
const TICK: Duration = Duration::from_millis(120);

/// Draws on standard error while a run goes on; gone without a trace when dropped.
#[derive(Debug)]
pub(super) struct Live {
    all: MultiProgress,
    head: ProgressBar,
    slots: Vec<(Option<ScenarioId>, ProgressBar)>,
    color: bool,
    width: usize,
}

impl Live {
    pub(super) fn new(color: bool, width: usize) -> Self {
        Self::on(ProgressDrawTarget::stderr(), color, width)
    }

    fn on(target: ProgressDrawTarget, color: bool, width: usize) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let head = all.add(ProgressBar::new(0));
        head.enable_steady_tick(TICK);
        Self { all, head, slots: Vec::new(), color, width }
    }

    /// Writes lasting lines above the moving ones.
    pub(super) fn above<R>(&self, write: impl FnOnce() -> R) -> R {
        self.all.suspend(write)
    }

    /// A stack on its way up or down.
    pub(super) fn stack(&mut self, cell: &str, words: &str) {
        self.clear_slots();
        self.head.set_style(style(if self.color { "{spinner:.cyan} {wide_msg}" } else { "{spinner} {wide_msg}" }));
        self.head.set_message(fit(&one_line(&format!("{cell}  {words}"), 400), self.width.saturating_sub(4)));
    }

    /// Scenarios of a cell.
    pub(super) fn cell(&mut self, name: &str, cell: &CellSummary) {
        let template = if self.color {
            "{spinner:.cyan} {prefix}  {bar:24.cyan/dim} {pos}/{len}  {msg}  {elapsed} {eta:>4} left"
        } else {
            "{spinner} {prefix}  {bar:24} {pos}/{len}  {msg}  {elapsed} {eta:>4} left"
        };
        self.head.set_style(style(template).progress_chars("━━─"));
        self.head.set_length(cell.plan.planned);
        self.head.set_position(cell.scenarios.len() as u64);
        self.head.set_prefix(fit(name, self.width / 3));
        self.head.set_message(counts(&cell.totals).join(" · "));
        self.show_running(&cell.running);
    }

    /// Starts the clock of a cell anew.
    pub(super) fn restart_clock(&self) {
        self.head.reset();
    }

    fn show_running(&mut self, running: &[Running]) {
        for (id, bar) in &mut self.slots {
            if id.as_ref().is_some_and(|id| !running.iter().any(|one| one.id == *id)) {
                *id = None;
                bar.set_message("");
            }
        }
        for one in running {
            if self.slots.iter().any(|(id, _)| id.as_ref() == Some(&one.id)) {
                continue;
            }
            let free = self.slots.iter().position(|(id, _)| id.is_none());
            let at = match free {
                Some(at) => at,
                None if self.slots.len() < SLOTS => {
                    let bar = self.all.add(ProgressBar::new_spinner());
                    bar.enable_steady_tick(TICK);
                    self.slots.push((None, bar));
                    self.slots.len() - 1
                }
                None => break,
            };
            let (slot, bar) = &mut self.slots[at];
            *slot = Some(one.id.clone());
            bar.reset_elapsed();
            bar.set_style(style(if self.color { "    {msg} {elapsed:.dim}" } else { "    {msg} {elapsed}" }));
            bar.set_message(running_words(one, self.width.saturating_sub(16)));
        }
        self.slots.retain(|(id, bar)| {
            if id.is_none() {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            id.is_some()
        });
    }

    fn clear_slots(&mut self) {
        self.show_running(&[]);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear_slots();
        self.head.finish_and_clear();
    }
}

/// `capital of France [delivery=whole]`, with the attempt where it is not the first.
pub(super) fn running_words(one: &Running, width: usize) -> String {
    let (_, name) = one.names();
    let attempt = if one.attempt.number > 1 { format!(" (attempt {})", one.attempt.number) } else { String::new() };
    fit(&format!("{}{attempt}", visible(&one_line(name, 300))), width)
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("our templates are well formed")
}
