//! Is the list of models one that clients can choose from?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W163, &W164, &W290, &W291];

pub(super) static W163: Rule = Rule {
    id: "W163",
    surface: Surface::Models,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the list of models has `object` list and `data` with ids that are not empty and unique; a tested model that is not listed is dialect",
    why: "clients choose from it",
    source: "OpenAI API reference, models; llama-stack lacks object, mlx_lm.server lists its cache",
    breaks: r#"{"data":[{"id":""},{"id":"a"},{"id":"a"}]}"#,
};

pub(super) static W164: Rule = Rule {
    id: "W164",
    surface: Surface::Models,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "models have `created` and `owned_by`, and /v1/models/{id} works",
    why: "typed clients expect them",
    source: "OpenAI API reference, models; vLLM and llama.cpp have no route for one",
    breaks: "404 for GET /v1/models/smollm2",
};

pub(super) static W290: Rule = Rule {
    id: "W290",
    surface: Surface::Models,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a model of the list has `object` model, and `created` and `owned_by` of the right types where they are there",
    why: "typed clients raise, or hand out objects with holes",
    source: "OpenAI API reference, models",
    breaks: r#"{"id":"a","object":"engine","created":"today"}"#,
};

pub(super) static W291: Rule = Rule {
    id: "W291",
    surface: Surface::Models,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "/v1/models/{id} answers with that one model, and an unknown id with 404",
    why: "clients ask to know whether it exists",
    source: "OpenAI API reference, models; mlx_lm.server answers with a list",
    breaks: "200 with an empty list for /v1/models/nosuch",
};
