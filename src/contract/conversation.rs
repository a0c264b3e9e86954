//! What only several exchanges of one scenario can show: ids, costs of prompts, deliveries, refusals.

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W045, &W046, &W047];

pub(super) static W045: Rule = Rule {
    id: "W045",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Scenario,
    statement: "ids of two replies differ",
    why: "logs and caches mix them up",
    source: "OpenAI API reference: unique identifier; Ollama has 999 of them",
    breaks: "chatcmpl-752 twice in one run",
};

pub(super) static W046: Rule = Rule {
    id: "W046",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "an option that was asked for is honoured or refused with 4xx, never dropped",
    why: "callers believe that it acts",
    source: "OpenAI API reference; Ollama and mlx_lm.server drop several",
    breaks: "logit_bias that bans a word answered with that word",
};

pub(super) static W047: Rule = Rule {
    id: "W047",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "what an early turn said can be recalled while the history fits",
    why: "a part of the conversation was dropped in silence",
    source: "Ollama with a small context",
    breaks: r#""I do not know your number" after it was told"#,
};
