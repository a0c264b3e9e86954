//! Are log probabilities there where they were asked for, and are they any?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W038, &W039, &W230, &W231, &W232];

pub(super) static W038: Rule = Rule {
    id: "W038",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "asked-for log probabilities are there: each at most 0, its bytes 0 to 255 or null; a list that is absent is dialect",
    why: "callers that rank or filter by probability compute nonsense",
    source: "OpenAI API reference, logprobs; mlx_lm.server has a shape of its own",
    breaks: r#""logprobs":{"content":[{"token":"Hi","logprob":1.5}]}"#,
};

pub(super) static W039: Rule = Rule {
    id: "W039",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no token has more alternatives than were asked",
    why: "callers size their tables by what they asked",
    source: "OpenAI API reference, top_logprobs",
    breaks: "top_logprobs: 2 answered with three",
};

pub(super) static W230: Rule = Rule {
    id: "W230",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the `bytes` of a token are those of its text, unless the token is part of a character",
    why: "callers join the bytes to text and get another answer",
    source: "OpenAI API reference, logprobs",
    breaks: r#""token":"Hi","bytes":[72]"#,
};

pub(super) static W231: Rule = Rule {
    id: "W231",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "log probabilities come only where they were asked for",
    why: "they make a reply many times as long",
    source: "OpenAI API reference",
    breaks: r#""logprobs":{"content":[…]} without logprobs: true"#,
};

pub(super) static W232: Rule = Rule {
    id: "W232",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the tokens with their log probabilities join to the content, but for stop and special tokens",
    why: "probabilities that belong to another text mislead",
    source: "OpenAI API reference, logprobs",
    breaks: r#""content":"Paris" with the tokens "Lon" and "don""#,
};
