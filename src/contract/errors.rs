//! Is a failure said as clients read it, and are mistakes refused as such?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W154, &W155, &W156, &W157, &W158, &W159, &W160, &W161, &W162, &W280, &W281, &W282];

pub(super) static W154: Rule = Rule {
    id: "W154",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an error reply has a message",
    why: "clients raise with it; an error without words helps nobody",
    source: "OpenAI API reference, errors; vllm-mlx's empty 499",
    breaks: "502 with an empty body",
};

pub(super) static W155: Rule = Rule {
    id: "W155",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "errors have OpenAI's envelope: `error` with `message` and `type` strings, `param` and `code` strings or null",
    why: "SDKs read these keys to tell errors apart",
    source: "OpenAI API reference, errors; vLLM, llama.cpp, mlx_lm.server, llama-stack",
    breaks: r#"{"detail":"Not Found"}"#,
};

pub(super) static W156: Rule = Rule {
    id: "W156",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "malformed JSON, a wrong type or missing messages are answered with 400 or 422",
    why: "the mistake is the caller's, and a repetition will not help",
    source: "OpenAI API reference, errors",
    breaks: r#"{"model":"m","messages":[ answered with 500 or 200"#,
};

pub(super) static W157: Rule = Rule {
    id: "W157",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an unknown model is answered with 404",
    why: "another model answers in its place",
    source: "OpenAI API reference, errors; llama.cpp and mlx_lm.server accept any",
    breaks: "model: nosuch answered with 200",
};

pub(super) static W158: Rule = Rule {
    id: "W158",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "where a key is needed, a missing or wrong one is answered with 401 or 403 on every route below /v1",
    why: "the door is open, or legal keys are refused in the same words as mistakes",
    source: "OpenAI API reference, authentication; LiteLLM answers 400 or 500",
    breaks: "Bearer wrong answered with 200",
};

pub(super) static W159: Rule = Rule {
    id: "W159",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "a prompt over the context is refused with 4xx",
    why: "an answer to a part of the question is a wrong answer",
    source: "OpenAI API reference, context_length_exceeded; Ollama cuts it in silence",
    breaks: "200 to a prompt of twice the context",
};

pub(super) static W160: Rule = Rule {
    id: "W160",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "mistakes of a caller are never answered with 5xx, and a status in the body is that of the reply",
    why: "SDKs repeat 5xx, and alarms go off",
    source: "OpenAI API reference, errors; llama.cpp on pictures and roles",
    breaks: "500 for a message without a role",
};

pub(super) static W161: Rule = Rule {
    id: "W161",
    surface: Surface::Errors,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "429 and 503 say when to come again",
    why: "clients guess, or all come at once",
    source: "RFC 9110 §10.2.3; OpenAI guide, rate limits",
    breaks: "429 without retry-after or x-ratelimit headers",
};

pub(super) static W162: Rule = Rule {
    id: "W162",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "after a refusal the next good request succeeds",
    why: "one caller's mistake must not cost others their answers",
    source: "servers whose runner dies on bad input",
    breaks: "503 to a good request after a bad one",
};

pub(super) static W280: Rule = Rule {
    id: "W280",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a reply of 4xx or 5xx holds no choices",
    why: "SDKs raise by status and throw the answer away",
    source: "OpenAI API reference, errors",
    breaks: "500 with a whole chat completion",
};

pub(super) static W281: Rule = Rule {
    id: "W281",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an error that is no stream is not sent as events",
    why: "SDKs parse the body of an error as one JSON value",
    source: "OpenAI API reference, errors",
    breaks: r#"400 with data: {"error":…}"#,
};

pub(super) static W282: Rule = Rule {
    id: "W282",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a refusal is not answered with 1xx, 3xx or a status that does not exist",
    why: "clients know 4xx and 5xx",
    source: "RFC 9110 §15",
    breaks: "600 with an error",
};
