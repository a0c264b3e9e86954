//! What is happening right now? The moving part of a terminal: a bar for the cell, a line for each running scenario.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::paint::{fit, width_of};
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
        let (done, planned) = (cell.scenarios.len() as u64, cell.plan.planned);
        let (name, said) = (fit(name, self.width / 3), counts(&cell.totals).join(" · "));
        let template = template(self.width, self.color, &name, done, planned, &said);
        self.head.set_style(style(&template).progress_chars("━━─"));
        self.head.set_length(planned);
        self.head.set_position(done);
        self.head.set_prefix(name);
        self.head.set_message(said);
        self.show_running(&cell.running);
    }

    /// Starts the clock of a cell anew: what its server took to start says nothing about its scenarios.
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

/// The bar's line, in one line of the terminal: first the bar gives way, then the clock, then the name. Without anything done
/// nobody knows how long it takes.
fn template(width: usize, color: bool, name: &str, done: u64, planned: u64, said: &str) -> String {
    // A clock takes up to six columns; one column stays free, as some terminals wrap in the last.
    let counted = 2 + format!("{done}/{planned}  {said}").chars().count() + 1;
    let clock = if done > 0 { ("  {elapsed}, {eta} left", 21) } else { ("  {elapsed}", 8) };
    let (name, name_takes) = ("{prefix}  ", width_of(name) + 2);
    let spinner = if color { "{spinner:.cyan} " } else { "{spinner} " };
    let room = width.saturating_sub(counted);
    if room < name_takes {
        return format!("{spinner}{{pos}}/{{len}}  {{msg}}");
    }
    if room < name_takes + clock.1 {
        return format!("{spinner}{name}{{pos}}/{{len}}  {{msg}}");
    }
    let bar = (room - name_takes - clock.1).min(25).saturating_sub(1);
    let bar = match (bar, color) {
        (0..6, _) => String::new(),
        (bar, true) => format!("{{bar:{bar}.cyan/dim}} "),
        (bar, false) => format!("{{bar:{bar}}} "),
    };
    format!("{spinner}{name}{bar}{{pos}}/{{len}}  {{msg}}{}", clock.0)
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::event::RunEvent;
    use crate::report::RunSummary;
    use crate::report::samples::events;

    /// A terminal that remembers what was written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> std::io::Result<()> {
            self.write_str(line)
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.0.lock().expect("no panic holds it").push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_bar_gives_way_in_a_narrow_terminal() {
        let (name, said) = ("base × llamacpp", "12 passed · 0 failed");
        for (width, done, expect) in [
            (120, 5, "{spinner} {prefix}  {bar:24} {pos}/{len}  {msg}  {elapsed}, {eta} left"),
            (120, 0, "{spinner} {prefix}  {bar:24} {pos}/{len}  {msg}  {elapsed}"),
            (80, 5, "{spinner} {prefix}  {bar:11} {pos}/{len}  {msg}  {elapsed}, {eta} left"),
            (70, 5, "{spinner} {prefix}  {pos}/{len}  {msg}  {elapsed}, {eta} left"),
            (50, 5, "{spinner} {prefix}  {pos}/{len}  {msg}"),
            (40, 5, "{spinner} {pos}/{len}  {msg}"),
        ] {
            assert_eq!(template(width, false, name, done, 103, said), expect, "{width}");
        }
    }

    #[test]
    fn a_bar_counts_and_running_scenarios_have_a_line_that_goes_away() {
        let screen = Screen::default();
        let mut live = Live::on(ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255), false, 100);
        live.stack("base × llamacpp", "provision  smollm2.gguf 34 of 98 MiB");
        let mut summary = RunSummary::default();
        let mut most = 0;
        for event in events("failing") {
            summary.push(&event);
            let is_scenario = matches!(event, RunEvent::ScenarioStarted { .. } | RunEvent::ScenarioFinished(_));
            if is_scenario {
                live.cell("base × llamacpp", &summary.cells[0]);
                most = most.max(live.slots.len());
            }
        }
        assert_eq!((most, live.slots.len()), (1, 0));
        assert_eq!((live.head.position(), live.head.length()), (5, Some(5)));
        assert_eq!(live.head.message(), "1 passed · 3 failed · 1 errored");
        let drawn = screen.0.lock().expect("no panic holds it").clone();
        assert!(drawn.contains("smollm2.gguf") && drawn.contains("The right tool is called [city=Paris]"), "{drawn}");
    }
}
