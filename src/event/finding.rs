//! A broken wire rule as data: [`FindingRecord`], and the deviations that are granted to a server: [`DialectRecord`].

use serde::{Deserialize, Serialize};

use super::{ExchangeId, Whose};

/// What a broken rule meant for its scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It fails the scenario, unless it is known.
    Fails,
    /// Tolerated: the profile lists it, or the contract is generic.
    Lenient,
    /// Only reported.
    Advice,
}

/// One wire rule that a scenario's exchanges break. What is tolerated or only reported has no excerpt and is told once a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Its id, `W…`.
    pub rule: String,
    /// What the rule says.
    pub statement: String,
    /// `violation`, `dialect` or `advice`.
    pub severity: String,
    /// What it meant here.
    pub weight: Weight,
    /// Whose promise is broken.
    pub whose: Whose,
    /// Why the profile expects it of this scenario, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The exchange that shows it first.
    pub exchange: ExchangeId,
    /// Number of the event in its stream, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// Where in its body: first byte, and the one after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<(u64, u64)>,
    /// JSON path in the event or body, or `header content-type`; empty where it is all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What is wrong, in a line.
    pub found: String,
    /// What would be right, in a line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub right: String,
    /// The bytes it is about as text, bounded.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// How often the scenario showed it.
    pub count: u64,
}

impl FindingRecord {
    /// `x14, event 12, bytes 2210..2413, choices[0].delta.role`.
    pub fn place(&self) -> String {
        let mut place = self.exchange.to_string();
        if let Some(event) = self.event {
            place.push_str(&format!(", event {event}"));
        }
        if let Some((start, end)) = self.bytes {
            place.push_str(&format!(", bytes {start}..{end}"));
        }
        if !self.path.is_empty() {
            place.push_str(&format!(", {}", self.path));
        }
        place
    }
}

/// A deviation that the profile grants to the server that answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialectRecord {
    /// The rule, `W…`.
    pub rule: String,
    /// Why the server does so.
    pub reason: String,
}
