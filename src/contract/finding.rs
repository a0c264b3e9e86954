//! What was found: [`Finding`] with its [`Spot`], and the list that collects them.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use super::excerpt::{self, EXCERPT};
use super::rule::{Rule, Severity};
use super::seen::Seen;
use crate::event::ExchangeId;

/// Where in a reply something stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spot {
    /// Number of the event in the stream, from 1.
    pub event: Option<u64>,
    /// Byte range in the body.
    pub bytes: Option<Range<usize>>,
    /// JSON path in the event or body (`choices[0].delta.role`), or `header content-type`; empty where it is all of it.
    pub path: Cow<'static, str>,
    /// Index of the choice.
    pub choice: Option<i64>,
}

impl Spot {
    /// The reply as a whole.
    pub fn whole() -> Self {
        Self::default()
    }

    /// An event of the stream, by its number from 1.
    pub fn event(number: u64) -> Self {
        Self { event: Some(number), ..Self::default() }
    }

    /// Adds a JSON path.
    #[must_use]
    pub fn path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }

    /// Adds a choice.
    #[must_use]
    pub fn choice(mut self, index: i64) -> Self {
        self.choice = Some(index);
        self
    }

    /// Adds a byte range.
    #[must_use]
    pub fn bytes(mut self, range: Range<usize>) -> Self {
        self.bytes = Some(range);
        self
    }
}

impl Display for Spot {
    /// `event 12, bytes 2210..2413, choices[0].delta.role`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if let Some(event) = self.event {
            parts.push(format!("event {event}"));
        }
        if let Some(bytes) = &self.bytes {
            parts.push(format!("bytes {}..{}", bytes.start, bytes.end));
        }
        if !self.path.is_empty() {
            parts.push(self.path.to_string());
        } else if let Some(choice) = self.choice {
            parts.push(format!("choice {choice}"));
        }
        f.write_str(if parts.is_empty() { "the reply" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// One broken rule in one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which exchange.
    pub exchange: ExchangeId,
    /// Which rule.
    pub rule: &'static Rule,
    /// What it weighs here; some rules weigh more or less by what exactly was found.
    pub severity: Severity,
    /// Where it was first seen.
    pub spot: Spot,
    /// What is wrong, in a line.
    pub found: String,
    /// What would be right, in a line.
    pub right: String,
    /// The bytes it is about as text, bounded; empty where nothing came.
    pub excerpt: String,
    /// How often it was seen in this exchange at this path.
    pub count: u64,
}

impl Finding {
    /// A finding that several exchanges show, at the one that shows it last.
    pub(super) fn across(rule: &'static Rule, exchange: ExchangeId, found: String, right: &str) -> Self {
        let (spot, excerpt) = (Spot::whole(), String::new());
        Self { exchange, rule, severity: rule.severity, spot, found, right: right.to_owned(), excerpt, count: 1 }
    }
}

/// Findings of one exchange while they are collected: one per rule, choice and path.
#[derive(Debug)]
pub(super) struct Findings<'s> {
    seen: &'s Seen<'s>,
    list: Vec<Finding>,
}

/// Most findings of one exchange; more of them say nothing new.
const MOST: usize = 100;

impl<'s> Findings<'s> {
    pub(super) fn new(seen: &'s Seen<'s>) -> Self {
        Self { seen, list: Vec::new() }
    }

    /// Adds a finding of the rule's own weight. The words are written only where it is new: many repeat on each chunk.
    pub(super) fn add(&mut self, rule: &'static Rule, spot: Spot, found: impl Display, right: impl Display) {
        self.weigh(rule, rule.severity, spot, found, right);
    }

    /// Adds a finding that weighs something else than its rule.
    pub(super) fn weigh(
        &mut self,
        rule: &'static Rule,
        severity: Severity,
        spot: Spot,
        found: impl Display,
        right: impl Display,
    ) {
        let same = |known: &&mut Finding| {
            known.rule.id == rule.id
                && known.severity == severity
                && known.spot.choice == spot.choice
                && known.spot.path == spot.path
        };
        if let Some(known) = self.list.iter_mut().find(same) {
            known.count += 1;
            return;
        }
        if self.list.len() >= MOST {
            return;
        }
        let (spot, excerpt) = self.place(spot);
        let found = excerpt::bounded(&found.to_string(), EXCERPT);
        let exchange = self.seen.exchange.id;
        self.list.push(Finding { exchange, rule, severity, spot, found, right: right.to_string(), excerpt, count: 1 });
    }

    /// All of them, heaviest first, else in the order of the rules.
    pub(super) fn done(mut self) -> Vec<Finding> {
        self.list.sort_by(|a, b| (a.severity, a.rule.id).cmp(&(b.severity, b.rule.id)));
        self.list
    }

    /// Completes a spot with its bytes and cuts the excerpt.
    fn place(&self, mut spot: Spot) -> (Spot, String) {
        let body = &self.seen.exchange.body;
        if let Some(name) = spot.path.strip_prefix("header ") {
            return (spot.clone(), self.seen.exchange.header(name).map(|value| format!("{name}: {value}")).unwrap_or_default());
        }
        if spot.bytes.is_none() {
            spot.bytes = match spot.event {
                Some(number) => self.seen.range_of(number, &spot.path),
                None if self.seen.streamed() => None,
                None => Some(excerpt::locate(body, 0..body.len(), &spot.path)),
            };
        }
        let excerpt = spot.bytes.clone().map(|range| excerpt::cut(body, range)).unwrap_or_default();
        (spot, excerpt)
    }
}
