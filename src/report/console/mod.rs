//! What do people see? One consumer of events: lines as things change, a moving part on a terminal, the verdict at the end.
//!
//! The first line says what will be judged, the last one the verdict. Passes are quiet; what is not a plain pass has a line
//! when it happens and, where it needs one, a block at the end. Text from models and servers is made visible, never drawn.
//! A reader that goes away (broken pipe) is not an error of the run.

mod block;
mod closing;
mod diff;
mod live;
mod paint;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::{CellPlanned, Outcome, RunEvent, ScenarioFinished, StackPhase};

use super::cause::{Cause, causes};
use super::summary::{CellSummary, RunSummary, ScenarioSummary};
use super::text::{one_line, visible};
use super::verdict::verdict_line;
use block::Blocks;
use live::Live;
pub use paint::ColorChoice;
use paint::{Paint, Tone, duration, fit, outcome_mark, width_of};

/// Silence after which a run without a terminal says that it lives.
const HEARTBEAT: Duration = Duration::from_mins(1);
/// Columns where nobody says how many there are.
const WIDTH: usize = 120;

/// How much is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// The verdict only.
    Quiet,
    /// Passes summed per feature.
    #[default]
    Normal,
    /// A line for every scenario.
    Verbose,
}

/// How the console looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsoleOptions {
    /// Colours.
    pub color: bool,
    /// How much is said.
    pub verbosity: Verbosity,
    /// Whether a moving part is drawn on standard error.
    pub live: bool,
    /// Columns.
    pub width: usize,
}

impl ConsoleOptions {
    /// What suits this process' standard output.
    pub fn detect(color: ColorChoice, verbosity: Verbosity) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let width = ::console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| usize::from(columns));
        Self {
            color: color.decide(terminal, |name| std::env::var(name).ok()),
            verbosity,
            live: terminal && std::io::stderr().is_terminal() && verbosity != Verbosity::Quiet,
            width: width.clamp(40, 160),
        }
    }
}

impl Default for ConsoleOptions {
    /// A file: no colours, nothing that moves.
    fn default() -> Self {
        Self { color: false, verbosity: Verbosity::Normal, live: false, width: WIDTH }
    }
}

/// Scenarios of one feature that are counted, and have not been told: passes, skips, and what its cell kept from running.
#[derive(Debug)]
struct Passes {
    classname: Arc<str>,
    file: Arc<str>,
    passed: u64,
    skipped: u64,
    not_run: u64,
    took_us: u64,
}

impl Passes {
    /// `3 passed, 1 skipped`, and what it comes to.
    fn words(&self) -> (String, Outcome) {
        let counts = [(self.passed, "passed"), (self.skipped, "skipped"), (self.not_run, "not run")];
        let words: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let took = if self.passed > 0 { format!("  {}", duration(self.took_us)) } else { String::new() };
        let outcome = match (self.passed, self.not_run) {
            (0, 0) => Outcome::Skipped,
            (_, 0) => Outcome::Passed,
            _ => Outcome::Errored,
        };
        (words.join(", ") + &took, outcome)
    }
}

/// The console of a run. Give it every event, together with the summary that has taken the event in.
pub struct Console {
    out: Box<dyn Write + Send>,
    options: ConsoleOptions,
    paint: Paint,
    live: Option<Live>,
    passes: Vec<Passes>,
    last_stack: Option<(StackPhase, String)>,
    last_line: Instant,
    gone: bool,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Console {
    /// On standard output.
    pub fn stdout(options: ConsoleOptions) -> Self {
        Self::new(Box::new(std::io::stdout()), options)
    }

    /// On anything that takes text.
    pub fn new(out: Box<dyn Write + Send>, options: ConsoleOptions) -> Self {
        Self {
            out,
            options,
            paint: Paint(options.color),
            live: None,
            passes: Vec::new(),
            last_stack: None,
            last_line: Instant::now(),
            gone: false,
        }
    }

    /// Shows an event. **Errors**: writing failed for another reason than that the reader went away.
    pub fn push(&mut self, event: &RunEvent, summary: &RunSummary) -> std::io::Result<()> {
        if let RunEvent::RunFinished { exit, verdict, .. } = event {
            return self.finish(summary, *exit, verdict);
        }
        if self.options.verbosity == Verbosity::Quiet {
            return Ok(());
        }
        let mut lines = Vec::new();
        match event {
            RunEvent::RunStarted { .. } => {
                lines = opening(summary, self.paint);
                if self.options.live {
                    self.live = Some(Live::new(self.options.color, self.options.width));
                }
            }
            RunEvent::CellStarted { cell } => {
                self.last_stack = None;
                if let Some(cell) = find(summary, &cell.0).filter(|_| summary.cells.len() > 1) {
                    lines.push(String::new());
                    lines.push(self.paint.tone(Tone::Strong, &cell_name(&cell.plan)));
                }
            }
            RunEvent::Stack { cell, phase, message } => {
                if *phase == StackPhase::Stop {
                    self.tell_passes(&mut lines, |_| true);
                }
                lines.extend(self.stack(summary, &cell.0, *phase, message));
            }
            RunEvent::Server { server, url, models, .. } => {
                let models = if models.is_empty() { String::new() } else { format!(", models {}", models.join(", ")) };
                lines.push(self.quiet_line("server", &format!("{server} at {url}{models}")));
                if let Some(live) = &self.live {
                    live.restart_clock();
                }
            }
            RunEvent::ScenarioFinished(end) => self.scenario(&mut lines, summary, end),
            RunEvent::CellFinished { cell, took_us, trouble, skipped, .. } => {
                self.tell_passes(&mut lines, |_| true);
                // Where there is one cell only, the end follows at once and says it.
                if let Some(trouble) = trouble.as_ref().filter(|_| summary.cells.len() > 1) {
                    let words = format!("! {}", one_line(&trouble.message, 400));
                    lines.push(format!("  {}", self.paint.tone(Tone::Hindered, &visible(&words))));
                }
                if let Some(reason) = skipped {
                    lines.push(format!("  {}", self.paint.tone(Tone::Quiet, &visible(&format!("○ not applicable: {reason}")))));
                }
                if let Some(cell) = find(summary, &cell.0).filter(|_| summary.cells.len() > 1) {
                    let counted = super::verdict::counts(&cell.final_totals()).join(", ");
                    lines.push(self.quiet_line("done", &format!("{counted} in {}", duration(*took_us))));
                }
            }
            RunEvent::Interrupted { signal } => {
                let words = format!("interrupted by signal {signal}: stopping; once more stops at once");
                lines.push(self.paint.tone(Tone::Odd, &words));
            }
            RunEvent::ScenarioStarted { .. }
            | RunEvent::Tape { .. }
            | RunEvent::Resources { .. }
            | RunEvent::Exchange(_)
            | RunEvent::RunFinished { .. } => {}
        }
        self.write(&lines)?;
        self.draw(event, summary);
        Ok(())
    }

    /// To be called now and then: without a terminal it says once a minute of silence that the run lives, and with what.
    pub fn heartbeat(&mut self, summary: &RunSummary) -> std::io::Result<()> {
        if self.live.is_some() || self.options.verbosity == Verbosity::Quiet || self.last_line.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.write(&[still_running(summary, self.options.width, self.paint)])
    }

    /// The end: everything that has to be said, the verdict last.
    fn finish(&mut self, summary: &RunSummary, exit: u8, verdict: &str) -> std::io::Result<()> {
        self.live = None;
        let mut lines = Vec::new();
        if self.options.verbosity == Verbosity::Quiet {
            lines.push(self.paint.tone(closing::verdict_tone(exit), &visible(verdict)));
        } else {
            self.tell_passes(&mut lines, |_| true);
            let blocks = Blocks { paint: self.paint, width: self.options.width };
            lines.extend(closing::closing(summary, exit, verdict, blocks));
        }
        self.write(&lines)
    }

    /// Phases of a stack; of a download only its beginning and what is not a mere change of figures.
    fn stack(&mut self, summary: &RunSummary, cell: &str, phase: StackPhase, message: &str) -> Option<String> {
        if let Some(live) = &mut self.live {
            let name = find(summary, cell).map(|cell| cell_name(&cell.plan)).unwrap_or_default();
            live.stack(&name, &format!("{}  {message}", phase_word(phase)));
            if phase == StackPhase::Provision {
                return None;
            }
        }
        let shape: String = message.chars().filter(|c| !c.is_ascii_digit()).collect();
        let now = Some((phase, shape));
        if self.last_stack == now {
            return None;
        }
        self.last_stack = now;
        Some(self.quiet_line(phase_word(phase), message))
    }

    fn quiet_line(&self, word: &str, message: &str) -> String {
        let line = fit(&one_line(message, 400), self.options.width.saturating_sub(13).max(20));
        self.paint.tone(Tone::Quiet, &format!("  {word:<9}  {line}"))
    }

    fn scenario(&mut self, lines: &mut Vec<String>, summary: &RunSummary, end: &ScenarioFinished) {
        let Some(cell) = find(summary, &end.cell.0) else { return };
        if end.will_retry {
            let name = visible(&one_line(&end.name, 200)).into_owned();
            let words = format!("attempt {} of {} {}", end.attempt.number, end.attempt.of, end.outcome.word());
            lines.push(format!("  {} {name}  {}", self.paint.tone(Tone::Odd, "↻"), self.paint.tone(Tone::Quiet, &words)));
            return;
        }
        let Some(scenario) = cell.scenarios.last().filter(|scenario| scenario.id == end.id) else { return };
        let counts = matches!(end.outcome, Outcome::Passed | Outcome::Skipped) || scenario.never_ran();
        if counts && self.options.verbosity != Verbosity::Verbose {
            self.count(scenario);
        } else {
            lines.push(self.scenario_line(scenario));
        }
        // What a feature counts is told once nothing of it runs and another one has come to its turn.
        let busy = |classname: &str| cell.running.iter().any(|one| one.names().0 == classname);
        let current = Arc::clone(&scenario.classname);
        self.tell_passes(lines, |passes| passes.classname != current && !busy(&passes.classname));
    }

    fn scenario_line(&self, scenario: &ScenarioSummary) -> String {
        let (mark, tone) = outcome_mark(scenario.outcome);
        let name = visible(&one_line(&scenario.name, 200)).into_owned();
        let cause = scenario.last_try().and_then(|last| causes(last).first().map(Cause::headline));
        let why = match scenario.outcome {
            Outcome::Failed | Outcome::Errored => cause.unwrap_or_default(),
            Outcome::Flaky => format!("passed at attempt {}", scenario.attempts),
            _ => scenario.reason().unwrap_or_default().to_owned(),
        };
        let ran = !matches!(scenario.outcome, Outcome::Skipped | Outcome::NotEvaluated);
        let took = if ran { format!("  {}", duration(scenario.took_us)) } else { String::new() };
        let quiet = format!("{}{took}", scenario.at);
        let line = format!("  {} {name}  {}", self.paint.tone(tone, mark), self.paint.tone(Tone::Quiet, &visible(&quiet)));
        if why.is_empty() {
            return line;
        }
        let words = visible(&one_line(&format!("{}: {why}", scenario.outcome.word()), 250)).into_owned();
        // On a terminal a line of its own reads better than one that is broken in mid-word; the whole story comes at the end.
        if self.options.live && width_of(&line) + 2 + width_of(&words) > self.options.width {
            return format!("{line}\n    {}", self.paint.tone(tone, &fit(&words, self.options.width - 5)));
        }
        format!("{line}  {}", self.paint.tone(tone, &words))
    }

    fn count(&mut self, scenario: &ScenarioSummary) {
        let at = self.passes.iter().position(|passes| passes.classname == scenario.classname).unwrap_or_else(|| {
            let (classname, file) = (Arc::clone(&scenario.classname), Arc::clone(&scenario.at.file));
            self.passes.push(Passes { classname, file, passed: 0, skipped: 0, not_run: 0, took_us: 0 });
            self.passes.len() - 1
        });
        let passes = &mut self.passes[at];
        *match scenario.outcome {
            Outcome::Passed => &mut passes.passed,
            Outcome::Skipped => &mut passes.skipped,
            _ => &mut passes.not_run,
        } += 1;
        passes.took_us += scenario.took_us;
    }

    fn tell_passes(&mut self, lines: &mut Vec<String>, ready: impl Fn(&Passes) -> bool) {
        let paint = self.paint;
        self.passes.retain(|passes| {
            let now = ready(passes);
            if now {
                let (quiet, outcome) = passes.words();
                let (mark, tone) = outcome_mark(outcome);
                lines.push(format!(
                    "  {} {}  {}",
                    paint.tone(tone, mark),
                    visible(&passes.file),
                    paint.tone(Tone::Quiet, &quiet)
                ));
            }
            !now
        });
    }

    fn draw(&mut self, event: &RunEvent, summary: &RunSummary) {
        let cell = match event {
            RunEvent::ScenarioStarted { cell, .. } => cell,
            RunEvent::ScenarioFinished(end) => &end.cell,
            _ => return,
        };
        if let (Some(live), Some(cell)) = (&mut self.live, find(summary, &cell.0)) {
            live.cell(&cell_name(&cell.plan), cell);
        }
    }

    fn write(&mut self, lines: &[String]) -> std::io::Result<()> {
        if lines.is_empty() || self.gone {
            return Ok(());
        }
        self.last_line = Instant::now();
        let mut text = lines.join("\n");
        text.push('\n');
        let out = &mut self.out;
        let mut put = || out.write_all(text.as_bytes()).and_then(|()| out.flush());
        let done = match &self.live {
            Some(live) => live.above(put),
            None => put(),
        };
        match done {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            other => other,
        }
    }
}

/// The whole console text of a run that is over, as for a file.
pub fn render_console(summary: &RunSummary, exit: u8, options: ConsoleOptions) -> String {
    let paint = Paint(options.color);
    let mut lines = opening(summary, paint);
    let verdict = verdict_line(summary, exit);
    lines.extend(closing::closing(summary, exit, &verdict, Blocks { paint, width: options.width }));
    lines.join("\n") + "\n"
}

/// What will be judged: `fireassay: base × llamacpp, live, 52 scenarios`; with several cells, one line for each follows.
fn opening(summary: &RunSummary, paint: Paint) -> Vec<String> {
    let count = |planned: u64| if planned == 1 { "1 scenario".to_owned() } else { format!("{planned} scenarios") };
    let contract = |plan: &CellPlanned| match plan.contract.as_str() {
        "profile" | "" => String::new(),
        other => format!(", {other} contract"),
    };
    let name = paint.tone(Tone::Strong, "fireassay:");
    let mode = &summary.run.mode;
    match summary.cells.as_slice() {
        [cell] => {
            let plan = &cell.plan;
            vec![format!("{name} {}, {mode}{}, {}", cell_name(plan), contract(plan), count(plan.planned))]
        }
        cells => {
            let mut lines = vec![format!("{name} {} cells, {mode}, {}", cells.len(), count(summary.planned()))];
            for CellSummary { plan, .. } in cells {
                lines.push(format!("  {}, {}{}", cell_name(plan), count(plan.planned), contract(plan)));
            }
            lines
        }
    }
}

/// `23 of 52 done, running: capital of France (1:15 min)`.
fn still_running(summary: &RunSummary, width: usize, paint: Paint) -> String {
    let done: u64 = summary.cells.iter().map(|cell| cell.scenarios.len() as u64).sum();
    let running: Vec<String> =
        summary.cells.iter().flat_map(|cell| &cell.running).take(4).map(|one| live::running_words(one, 60)).collect();
    let what = if running.is_empty() { String::new() } else { format!(", running: {}", running.join("; ")) };
    paint.tone(Tone::Quiet, &fit(&format!("  … {done} of {} done{what}", summary.planned()), width))
}

/// `base × llamacpp`, with the model where the cell has one of several.
fn cell_name(plan: &CellPlanned) -> String {
    let model = plan.cell.0.split(['[', ']']).filter(|part| !part.is_empty()).nth(2).map(|model| format!(" × {model}"));
    visible(&format!("{} × {}{}", plan.suite, plan.setup, model.unwrap_or_default())).into_owned()
}

fn find<'a>(summary: &'a RunSummary, id: &str) -> Option<&'a CellSummary> {
    summary.cells.iter().find(|cell| cell.id().0.as_ref() == id)
}

fn phase_word(phase: StackPhase) -> &'static str {
    match phase {
        StackPhase::Provision => "provision",
        StackPhase::Start => "start",
        StackPhase::Ready => "ready",
        StackPhase::Stop => "stop",
        StackPhase::Gone => "gone",
        StackPhase::Tape => "tape",
    }
}
