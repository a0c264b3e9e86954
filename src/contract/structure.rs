//! Has the content the form that was asked for? Stop texts, JSON, schemas.

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W037, &W040, &W041, &W250, &W251];

pub(super) static W037: Rule = Rule {
    id: "W037",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no stop text occurs in the content, and an answer cut by one finishes with stop",
    why: "callers split at the stop text and find too much",
    source: "OpenAI API reference, stop; mlx_lm.server goes on after it",
    breaks: r#"stop: ["Paris"] answered with "The capital is Paris.""#,
};

pub(super) static W040: Rule = Rule {
    id: "W040",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under json_object a content that finished with stop parses as a JSON object",
    why: "callers parse it without a second look",
    source: "OpenAI API reference, response_format; ignored by mlx_lm.server",
    breaks: r#""content":"Sure! Here is the JSON: {…}""#,
};

pub(super) static W041: Rule = Rule {
    id: "W041",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under a strict json_schema a content that finished with stop and is no refusal fits the schema",
    why: "structured output exists so that callers need no checks",
    source: "OpenAI API reference, structured outputs; words of a schema that llama.cpp and vLLM skip",
    breaks: r#""content":"{\"name\":\"Paris\",\"capital\":\"yes\"}" where capital is a boolean"#,
};

pub(super) static W250: Rule = Rule {
    id: "W250",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under json_schema, strict or not, a content that finished with stop parses as JSON",
    why: "prose cannot be what a schema describes",
    source: "OpenAI API reference, structured outputs",
    breaks: r#""content":"Paris is the capital of France.""#,
};

pub(super) static W251: Rule = Rule {
    id: "W251",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "under a json_schema that is not strict a content that finished with stop fits the schema",
    why: "it was asked for; only its promise is weaker",
    source: "OpenAI API reference: strict is off by default",
    breaks: r#""content":"{\"city\":\"Paris\"}" where name is required"#,
};
