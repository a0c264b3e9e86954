//! How does text look? Colours where they are wanted, widths as a terminal counts them.

use crate::event::{Outcome, StepOutcome};
use crate::report::text::visible;

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Where a terminal reads and `NO_COLOR` is not set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// All, by the word of `--color`.
    pub const ALL: [(&'static str, Self); 3] = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];

    /// Whether to colour. A flag beats the environment: `NO_COLOR` (set and not empty) and `TERM=dumb` decide under `auto`.
    pub fn decide(self, terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
                terminal && !refused && variable("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// What a piece of text is, not what colour it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Odd,
    Hindered,
    Quiet,
    Strong,
    /// A word that differs, in what was expected.
    Wanted,
    /// A word that differs, in what came.
    Came,
}

/// Paints or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    /// The text in its tone; nothing but the text where colours are off.
    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        if !self.0 || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Odd => "33",
            Tone::Hindered => "35",
            Tone::Quiet => "2",
            Tone::Strong => "1",
            Tone::Wanted => "1;32",
            Tone::Came => "1;31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// The mark of an outcome and its tone.
pub(super) fn outcome_mark(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Passed => ("✓", Tone::Good),
        Outcome::Flaky => ("↻", Tone::Odd),
        Outcome::Known => ("≈", Tone::Odd),
        Outcome::Failed => ("✗", Tone::Bad),
        Outcome::Errored => ("!", Tone::Hindered),
        Outcome::Skipped => ("○", Tone::Quiet),
        Outcome::NotEvaluated => ("◌", Tone::Quiet),
    }
}

/// The mark of a step and its tone.
pub(super) fn step_mark(outcome: &StepOutcome) -> (&'static str, Tone) {
    match outcome {
        StepOutcome::Passed => ("✓", Tone::Good),
        StepOutcome::Failed { .. } => ("✗", Tone::Bad),
        StepOutcome::Errored { .. } => ("!", Tone::Hindered),
        StepOutcome::NotReached => ("–", Tone::Quiet),
        StepOutcome::NotEvaluated { .. } => ("◌", Tone::Quiet),
    }
}

/// Columns a text takes.
pub(super) fn width_of(text: &str) -> usize {
    ::console::measure_text_width(text)
}

/// One line in at most `width` columns, control characters made visible.
pub(super) fn fit(text: &str, width: usize) -> String {
    ::console::truncate_str(&visible(text), width.max(4), "…").into_owned()
}

/// Lines of at most `width` columns; longer ones go on in the next line, which takes the place of a blank where there is one.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut out = Vec::new();
    for line in visible(text).lines() {
        let mut rest = line.replace('\t', "    ");
        while width_of(&rest) > width {
            let (mut cut, mut columns) = (0, 0);
            for (at, c) in rest.char_indices() {
                columns += width_of(c.encode_utf8(&mut [0; 4]));
                if columns > width {
                    break;
                }
                cut = at + c.len_utf8();
            }
            // At a blank where one is near enough; a word that fills the line is cut.
            let blank = rest[..cut].rfind(' ').filter(|&at| at * 3 > cut && !rest[..at].trim().is_empty());
            match blank {
                Some(at) if !rest[cut..].starts_with(' ') => {
                    out.push(rest[..at].trim_end().to_owned());
                    rest.drain(..=at);
                }
                _ => {
                    out.push(rest[..cut].to_owned());
                    rest.drain(..cut + usize::from(rest[cut..].starts_with(' ')));
                }
            }
        }
        out.push(rest);
    }
    out
}

/// `0.812` → `0.8 s`, `75` → `1:15`. **Units**: microseconds in.
pub(super) fn duration(us: u64) -> String {
    let tenths = us.saturating_add(50_000) / 100_000;
    match tenths / 10 {
        0..60 if us < 1_000_000 => format!("{} ms", us.saturating_add(500) / 1000),
        seconds @ 0..60 => format!("{seconds}.{} s", tenths % 10),
        seconds @ 60..3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
        seconds => format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_flag_then_environment() {
        let none = |_: &str| None;
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        let dumb = |name: &str| (name == "TERM").then(|| "dumb".to_owned());
        assert!(ColorChoice::Auto.decide(true, none) && !ColorChoice::Auto.decide(false, none));
        assert!(!ColorChoice::Auto.decide(true, no_color) && !ColorChoice::Auto.decide(true, dumb));
        assert!(ColorChoice::Always.decide(false, no_color) && !ColorChoice::Never.decide(true, none));
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let said: Vec<String> =
            [0, 1_499, 812_000, 999_999, 2_300_000, 59_949_999, 75_000_000, 3_700_000_000].map(duration).into();
        assert_eq!(said, ["0 ms", "1 ms", "812 ms", "1000 ms", "2.3 s", "59.9 s", "1:15 min", "1:01 h"]);
    }

    #[test]
    fn wide_text_is_wrapped_and_cut_by_columns() {
        assert_eq!(wrap("東京東京東京\nab\u{1b}", 8), ["東京東京", "東京", "ab\\u{1b}"]);
        assert_eq!(fit("東京東京東京", 8), "東京東…");
    }
}
