//! The exit codes, in one table. The printed verdict and the code come from the same value.

use crate::event::RunTotals;

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: accepted.
    Accepted,
    /// 1: the stack failed a claim or a quality rule.
    Failed,
    /// 2: usage, file or policy error; nothing was started.
    Usage,
    /// 3: evidence missing or inadmissible.
    Evidence,
    /// 4: nothing ran.
    Nothing,
    /// 5: only environment errors stand in the way.
    Environment,
    /// 128 + signal.
    Signal(i32),
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Evidence => 3,
            Self::Nothing => 4,
            Self::Environment => 5,
            Self::Signal(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

/// What a run shows, beyond its counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFacts {
    /// Counts.
    pub totals: RunTotals,
    /// A cell in which nothing was judged and nothing went wrong either: all skipped or not evaluated.
    pub empty_cell: bool,
    /// Something of the environment failed outside any scenario (a stack that would not stop, a record that cannot be written).
    pub trouble: bool,
    /// `--strict`: stale entries count.
    pub strict: bool,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// A signal beats all, then 2 > 4 > 1 > 3 > 5 > 0.
pub fn verdict(facts: &RunFacts) -> Exit {
    let totals = &facts.totals.totals;
    if let Some(signal) = facts.signal {
        Exit::Signal(signal)
    } else if facts.empty_cell || totals.all() == 0 {
        Exit::Nothing
    } else if totals.failed > 0 || (facts.strict && facts.totals.stale > 0) {
        Exit::Failed
    } else if totals.errored > 0 || facts.trouble {
        Exit::Environment
    } else {
        Exit::Accepted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Totals;

    #[test]
    fn the_worst_fact_decides() {
        let check = |totals: Totals, change: fn(&mut RunFacts), code: u8| {
            let mut facts = RunFacts { totals: RunTotals { totals, stale: 0 }, ..RunFacts::default() };
            change(&mut facts);
            assert_eq!(verdict(&facts).code(), code, "{facts:?}");
        };
        let passed = Totals { passed: 3, ..Totals::default() };
        check(passed, |_| {}, 0);
        check(Totals::default(), |_| {}, 4);
        check(passed, |facts| facts.empty_cell = true, 4);
        check(Totals { failed: 1, errored: 1, ..passed }, |_| {}, 1);
        check(Totals { errored: 1, ..passed }, |_| {}, 5);
        check(Totals { flaky: 1, known: 1, ..passed }, |_| {}, 0);
        check(passed, |facts| facts.totals.stale = 1, 0);
        check(passed, |facts| (facts.totals.stale, facts.strict) = (1, true), 1);
        check(Totals { failed: 1, ..passed }, |facts| facts.signal = Some(2), 130);
        check(passed, |facts| facts.trouble = true, 5);
    }
}
