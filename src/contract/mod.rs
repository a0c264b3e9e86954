//! Which promises of the wire does a reply break, whether or not anybody asked? [`Exchange`](crate::wire::Exchange) →
//! [`Finding`]s.
//!
//! A rule is data ([`Rule`]) with a check beside it, in the file of its topic; `TOPICS` is the one table. Checks get a
//! [`Seen`]: request, raw bytes, events with byte ranges, parsed frames and the folded reply, each prepared once.
//! A legal variation never breaks a rule: extra keys, absent optional keys, null where a key is optional, comments between
//! events. What a finding means for a scenario is said by [`Leniency`]; nothing here knows of outcomes.
//!
//! To add a rule: one `static` in the file of its topic, its name in that file's `RULES`, and its check beside it.

mod asked;
mod call_shape;
mod chat_body;
mod conversation;
mod errors;
mod excerpt;
mod finding;
mod http;
mod json;
mod json_schema;
mod judge;
mod leniency;
mod logprobs;
mod models;
mod ops;
mod optional;
mod reasoning;
mod responses;
mod rule;
mod seen;
mod sse;
mod stream;
mod stream_end;
mod structure;
#[cfg(test)]
pub(crate) mod tests;
mod tool_stream;
#[cfg(test)]
mod tool_tests;
mod tools;
mod trace;
mod usage;

pub use asked::{Asked, Call, Format, Mistake, Offered, Thinking, ToolChoice};
pub use finding::{Finding, Spot};
pub use judge::{Context, Docket, Judged, Judgement, judge, judge_scenario};
pub use leniency::{Leniency, Verdict};
pub use responses::Told;
pub use rule::{Rule, Scope, Severity, Surface};
pub use seen::Seen;
pub use trace::Trace;

use finding::Findings;

type ExchangeCheck = fn(&Seen<'_>, &mut Findings<'_>);
type ScenarioCheck = fn(&[Trace], &mut Vec<Finding>);

/// Rules of one topic and what checks them.
struct Topic {
    rules: &'static [&'static Rule],
    /// The check of one exchange, where it has one.
    exchange: Option<ExchangeCheck>,
    /// The check of a scenario's exchanges, where it has one.
    scenario: Option<ScenarioCheck>,
}

/// All rules at a glance.
static TOPICS: &[Topic] = &[
    Topic { rules: http::RULES, exchange: Some(http::check), scenario: None },
    Topic { rules: sse::RULES, exchange: Some(sse::check), scenario: None },
    Topic { rules: chat_body::RULES, exchange: Some(chat_body::check), scenario: None },
    Topic { rules: optional::RULES, exchange: Some(optional::check), scenario: None },
    Topic { rules: logprobs::RULES, exchange: Some(logprobs::check), scenario: None },
    Topic { rules: usage::RULES, exchange: Some(usage::check), scenario: None },
    Topic { rules: structure::RULES, exchange: Some(structure::check), scenario: None },
    Topic { rules: stream::RULES, exchange: Some(stream::check), scenario: None },
    // Checked by the walk over the frames that `stream` makes.
    Topic { rules: stream_end::RULES, exchange: None, scenario: None },
    Topic { rules: tools::RULES, exchange: Some(tools::check), scenario: Some(tools::check_scenario) },
    Topic { rules: call_shape::RULES, exchange: Some(call_shape::check), scenario: None },
    Topic { rules: tool_stream::RULES, exchange: Some(tool_stream::check), scenario: None },
    Topic { rules: json_schema::RULES, exchange: Some(json_schema::check), scenario: None },
    Topic { rules: reasoning::RULES, exchange: Some(reasoning::check), scenario: None },
    Topic { rules: errors::RULES, exchange: Some(errors::check), scenario: None },
    Topic { rules: models::RULES, exchange: Some(models::check), scenario: None },
    Topic { rules: ops::RULES, exchange: Some(ops::check), scenario: Some(ops::across) },
    Topic { rules: conversation::RULES, exchange: None, scenario: Some(conversation::across) },
    Topic { rules: responses::object::RULES, exchange: Some(responses::object::check), scenario: None },
    Topic { rules: responses::events::RULES, exchange: Some(responses::events::check), scenario: None },
    Topic { rules: responses::items::RULES, exchange: Some(responses::items::check), scenario: None },
    Topic { rules: responses::talk::RULES, exchange: Some(responses::talk::check), scenario: Some(responses::talk::across) },
];

/// Every rule, in the order of their ids.
pub fn rules() -> Vec<&'static Rule> {
    let mut all: Vec<&Rule> = TOPICS.iter().flat_map(|topic| topic.rules).copied().collect();
    all.sort_unstable_by_key(|rule| rule.id);
    all
}

/// A rule by its id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    TOPICS.iter().flat_map(|topic| topic.rules).copied().find(|rule| rule.id == id)
}
