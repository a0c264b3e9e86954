//! Do health, metrics and token counts agree with what happened?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W169, &W170, &W292];

pub(super) static W169: Rule = Rule {
    id: "W169",
    surface: Surface::Operations,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "health is 2xx before and after, metrics parse, and counters never fall",
    why: "watchers restart what is well, and rates go wrong",
    source: "Prometheus, exposition formats; vLLM and llama.cpp have counters of tokens",
    breaks: "a counter of 120 and then of 80 without a restart",
};

pub(super) static W170: Rule = Rule {
    id: "W170",
    surface: Surface::Tokens,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "the count of tokens agrees with usage.prompt_tokens up to special tokens",
    why: "callers cut their prompts by it",
    source: "vLLM and llama.cpp, /tokenize",
    breaks: "37 tokens counted and 90 billed",
};

pub(super) static W292: Rule = Rule {
    id: "W292",
    surface: Surface::Operations,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "metrics are valid Prometheus text",
    why: "one bad line loses the whole scrape",
    source: "Prometheus, exposition formats",
    breaks: "llamacpp:tokens_total one hundred",
};
