//! Does usage add up, within itself and with what came and was asked?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W029, &W030, &W031, &W032, &W033, &W034, &W035, &W036, &W240, &W241, &W242];

pub(super) static W029: Rule = Rule {
    id: "W029",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "usage is there with three whole numbers, none below 0; absent is dialect",
    why: "bills and budgets are computed from it",
    source: "OpenAI API reference, CompletionUsage; mlx-openai-server may leave it out",
    breaks: r#""usage":{"prompt_tokens":"37","completion_tokens":8.0,"total_tokens":null}"#,
};

pub(super) static W030: Rule = Rule {
    id: "W030",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "total_tokens is prompt_tokens plus completion_tokens",
    why: "bills by parts and by total differ",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":37,"completion_tokens":8,"total_tokens":46"#,
};

pub(super) static W031: Rule = Rule {
    id: "W031",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "completion_tokens is over 0 if there is any text, reasoning or call",
    why: "an answer that costs nothing was not counted",
    source: "OpenAI API reference; older Ollama streams",
    breaks: r#""completion_tokens":0 beside "content":"Paris""#,
};

pub(super) static W032: Rule = Rule {
    id: "W032",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "completion_tokens is within the bound that was asked",
    why: "budgets are overrun, and slots held longer than planned",
    source: "OpenAI API reference, max_completion_tokens; ignored by Ollama",
    breaks: "max_tokens: 4 answered with 18 tokens",
};

pub(super) static W033: Rule = Rule {
    id: "W033",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer that reached its bound and was cut finishes with length",
    why: "callers take half an answer for a whole one",
    source: "OpenAI API reference, finish_reason; mlx-openai-server never says length",
    breaks: r#"max_tokens: 24, completion_tokens: 24, "The fox ran into the", finish_reason: stop"#,
};

pub(super) static W034: Rule = Rule {
    id: "W034",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "every detail of usage is a whole number from 0 to its parent",
    why: "parts that exceed the whole make every report wrong",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":37,"prompt_tokens_details":{"cached_tokens":38}"#,
};

pub(super) static W035: Rule = Rule {
    id: "W035",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "the same messages cost the same prompt_tokens, cached or not",
    why: "costs cannot be foreseen, and one of the two prompts was not what was sent",
    source: "OpenAI API reference: cached tokens are part of prompt_tokens",
    breaks: "the same question for 37 and then for 13 tokens",
};

pub(super) static W036: Rule = Rule {
    id: "W036",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "a conversation that was continued costs more prompt_tokens than before",
    why: "if it does not, the server dropped a part of it in silence",
    source: "Ollama cuts prompts that do not fit",
    breaks: "five messages for 80 tokens after three for 95",
};

pub(super) static W240: Rule = Rule {
    id: "W240",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "completion_tokens can hold the text: a token is no longer than 128 bytes, and no text has more tokens than twice its bytes",
    why: "text was added, lost or doubled behind the counter",
    source: "tokenisers of all known models; a decoder that drops or repeats pieces",
    breaks: r#""content":"Hi" for 350 tokens without any reasoning"#,
};

pub(super) static W241: Rule = Rule {
    id: "W241",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "prompt_tokens is over 0",
    why: "every template adds tokens, so nothing was counted",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":0"#,
};

pub(super) static W242: Rule = Rule {
    id: "W242",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a whole reply that stopped early by length reports a count that reached its bound or the context",
    why: "a finish reason of length without a reason hides where the text went",
    source: "OpenAI API reference, finish_reason",
    breaks: "max_tokens: 64, completion_tokens: 8, finish_reason: length",
};
