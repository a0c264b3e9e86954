//! Why did a try not pass? Its [`Cause`]s, what is not known of the server first, each with its step and its exchange.

use std::borrow::Cow;

use crate::event::{ExchangeRecord, FindingRecord, Mismatch, Outcome, StepOutcome, StepRecord, Trouble, Whose};

use super::summary::Try;
use super::text::one_line;

/// First words of every kind there is; the closed list of the reports.
const TOPICS: [&str; 10] =
    ["assert", "wire", "capability", "stream", "timeout", "setup", "infra", "internal", "author", "report"];
/// Longest headline. **Units**: characters.
const HEADLINE_LIMIT: usize = 250;
/// Longest side of a comparison in a headline. **Units**: characters.
const SIDE_LIMIT: usize = 70;

/// One reason why a try did not pass.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// Step number from 1 and the step, where it was one.
    pub step: Option<(usize, &'a StepRecord)>,
    /// A false claim, or what hindered us.
    pub what: What<'a>,
    /// The exchange that was judged, else the last one of the step, else of the try.
    pub exchange: Option<&'a ExchangeRecord>,
}

/// What a cause is about.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// The stack answered and a claim is false.
    Claim(&'a Mismatch),
    /// The stack answered and broke a wire rule.
    Broken(&'a FindingRecord),
    /// We could not judge.
    Hindered(&'a Trouble),
}

/// All causes of a try: false claims and troubles of its steps, broken wire rules, a trouble of the whole try last; but those
/// that are written down as known come after those that are not.
pub fn causes(one: &Try) -> Vec<Cause<'_>> {
    let mut out = Vec::new();
    for (number, step) in (1..).zip(&one.steps) {
        let place = Some((number, step));
        match &step.outcome {
            StepOutcome::Failed { mismatches } => {
                for mismatch in mismatches {
                    out.push(Cause { step: place, what: What::Claim(mismatch), exchange: exchange_of(one, step, mismatch) });
                }
            }
            StepOutcome::Errored { trouble } => {
                out.push(Cause { step: place, what: What::Hindered(trouble), exchange: last_of(one, step) });
            }
            StepOutcome::Passed | StepOutcome::NotReached | StepOutcome::NotEvaluated { .. } => {}
        }
    }
    for finding in &one.findings {
        let exchange = one.exchanges.iter().find(|record| record.id == finding.exchange);
        out.push(Cause { step: None, what: What::Broken(finding), exchange });
    }
    if let Some(trouble) = &one.trouble {
        out.push(Cause { step: None, what: What::Hindered(trouble), exchange: one.exchanges.last() });
    }
    out.sort_by_key(|cause| cause.known().is_some());
    out
}

fn exchange_of<'a>(one: &'a Try, step: &StepRecord, mismatch: &Mismatch) -> Option<&'a ExchangeRecord> {
    let named = mismatch.exchange.and_then(|id| one.exchanges.iter().find(|record| record.id == id));
    named.or_else(|| last_of(one, step))
}

/// A claim judges what an earlier step fetched, so a step without exchanges means the try's last one.
fn last_of<'a>(one: &'a Try, step: &StepRecord) -> Option<&'a ExchangeRecord> {
    let own = step.exchanges.last().and_then(|id| one.exchanges.iter().find(|record| record.id == *id));
    own.or_else(|| one.exchanges.last())
}

impl<'a> Cause<'a> {
    /// Dotted kind from the closed list; what is not in it is filed under `assert.other` or `infra.other`.
    pub fn kind(&self) -> Cow<'a, str> {
        let (kind, other) = match self.what {
            What::Claim(mismatch) => (mismatch.kind.as_str(), "assert.other"),
            What::Broken(finding) => return Cow::Owned(format!("wire.{}", finding.rule)),
            What::Hindered(trouble) => (trouble.kind.as_str(), "infra.other"),
        };
        Cow::Borrowed(closed_kind(kind).unwrap_or(other))
    }

    /// Whose promise is broken, where the stack answered.
    pub fn whose(&self) -> Option<Whose> {
        match self.what {
            What::Claim(mismatch) => Some(mismatch.whose),
            What::Broken(finding) => Some(finding.whose),
            What::Hindered(_) => None,
        }
    }

    /// Why the profile expects it, where it does.
    pub fn known(&self) -> Option<&'a str> {
        match self.what {
            What::Claim(mismatch) => mismatch.known.as_deref(),
            What::Broken(finding) => finding.known.as_deref(),
            What::Hindered(_) => None,
        }
    }

    /// One line: what is wrong.
    pub fn message(&self) -> &'a str {
        match self.what {
            What::Claim(mismatch) => &mismatch.message,
            What::Broken(finding) => &finding.statement,
            What::Hindered(trouble) => &trouble.message,
        }
    }

    /// `step 4: the reply mentions "Paris": expected "Paris", got "London"`, or `W057 2 roles: the role appears once per choice`;
    /// one line of at most 250 characters.
    pub fn headline(&self) -> String {
        if let What::Broken(finding) = self.what {
            let FindingRecord { rule, found, statement, .. } = finding;
            return one_line(&format!("{rule} {}: {statement}", one_line(found, HEADLINE_LIMIT / 2)), HEADLINE_LIMIT);
        }
        let mut line = self.step.map(|(number, _)| format!("step {number}: ")).unwrap_or_default();
        line.push_str(&one_line(self.message(), HEADLINE_LIMIT));
        if let What::Claim(mismatch) = self.what {
            let sides = [(": expected ", &mismatch.expected), (", got ", &mismatch.actual)];
            for (word, side) in sides {
                if let Some(side) = side {
                    line.push_str(word);
                    line.push_str(&one_line(side, SIDE_LIMIT));
                }
            }
        }
        one_line(&line, HEADLINE_LIMIT)
    }
}

/// Whether a try that did not pass is an error of the test bed rather than a failure of the stack.
pub(super) fn is_error(outcome: Outcome) -> bool {
    outcome == Outcome::Errored
}

/// The kind itself where it has the closed list's form.
pub(super) fn closed_kind(kind: &str) -> Option<&str> {
    let (topic, rest) = kind.split_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    (TOPICS.contains(&topic) && !rest.is_empty() && rest.chars().all(plain)).then_some(kind)
}
