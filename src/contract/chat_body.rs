//! Is a chat reply whole and well typed? Envelope, choices, message, text.

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W021, &W022, &W023, &W024, &W025, &W026, &W027, &W028, &W042, &W043, &W044, &W048, &W220, &W221, &W222, &W223, &W224, &W226,
    &W227,
];

pub(super) static W021: Rule = Rule {
    id: "W021",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`id`, `object`, `created`, `model` and `choices` are there with the right types, and `object` is chat.completion",
    why: "typed clients raise, or hand out objects with holes",
    source: "OpenAI API reference, CreateChatCompletionResponse",
    breaks: r#"{"id":7,"object":"chat.completion","created":"now","model":null,"choices":{}}"#,
};

pub(super) static W022: Rule = Rule {
    id: "W022",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` is a time in seconds, neither 0 nor milliseconds",
    why: "dates in logs and caches are wrong by centuries",
    source: "OpenAI API reference: Unix time in seconds",
    breaks: r#""created":1795239530123"#,
};

pub(super) static W023: Rule = Rule {
    id: "W023",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "there is at least one choice",
    why: "every example reads choices[0] and raises",
    source: "OpenAI API reference; gateways that hide a failure (BerriAI/litellm 32086)",
    breaks: r#""choices":[]"#,
};

pub(super) static W024: Rule = Rule {
    id: "W024",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "there are as many choices as asked, with the indexes 0 to n-1 once each",
    why: "what was asked and paid for is missing, or two answers claim one place; an `n` that is ignored is dialect",
    source: "OpenAI API reference; ignored by Ollama and mlx_lm.server",
    breaks: "n: 2 answered with choices of index 0 and 0",
};

pub(super) static W025: Rule = Rule {
    id: "W025",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the role of the message is assistant",
    why: "clients append the message to the history, where another role changes its meaning",
    source: "OpenAI API reference",
    breaks: r#""message":{"role":"user","content":"Hi"}"#,
};

pub(super) static W026: Rule = Rule {
    id: "W026",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`content` is a string or null; absent is dialect",
    why: "clients join and print strings: a list or an object raises",
    source: "OpenAI API reference; mlx-openai-server leaves it out beside calls",
    breaks: r#""content":[{"type":"text","text":"Hi"}]"#,
};

pub(super) static W027: Rule = Rule {
    id: "W027",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`finish_reason` is stop, length, tool_calls, content_filter or function_call",
    why: "typed clients raise, others cannot tell whether the answer is whole",
    source: r#"OpenAI API reference; seen: null, "", abort, tool_call"#,
    breaks: r#""finish_reason":"eos""#,
};

pub(super) static W028: Rule = Rule {
    id: "W028",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an answer that finished with stop holds some content, refusal, reasoning or call",
    why: "an empty answer under stop says that nothing went wrong",
    source: "OpenAI API reference; gateways that swallow failures",
    breaks: r#""finish_reason":"stop","message":{"role":"assistant","content":""}"#,
};

pub(super) static W042: Rule = Rule {
    id: "W042",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a refusal is a string, and then content is null or empty",
    why: "callers show the content and miss the refusal",
    source: "OpenAI API reference, structured outputs",
    breaks: r#""content":"Sure!","refusal":"I cannot help with that""#,
};

pub(super) static W043: Rule = Rule {
    id: "W043",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "`refusal` and `logprobs` are there",
    why: "the specification requires the keys, although OpenAI has left them out itself",
    source: "OpenAI API reference; openai/openai-openapi 433",
    breaks: r#""message":{"role":"assistant","content":"Hi"} without refusal"#,
};

pub(super) static W044: Rule = Rule {
    id: "W044",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "`system_fingerprint` is a string or null",
    why: "clients compare it to know whether a seed still means the same",
    source: "OpenAI API reference",
    breaks: r#""system_fingerprint":17"#,
};

pub(super) static W048: Rule = Rule {
    id: "W048",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a reply holds no keys that OpenAI does not have",
    why: "they are lost in typed clients; none of them changes a verdict",
    source: "OpenAI API reference; every local server adds some",
    breaks: r#""timings":{…} beside usage"#,
};

pub(super) static W220: Rule = Rule {
    id: "W220",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`choices` are objects with an integer `index`, and a `message` that is an object",
    why: "clients address choices by index and read the message's keys",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":"0","message":"Hi"}]"#,
};

pub(super) static W221: Rule = Rule {
    id: "W221",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer to a chat request has no `delta` where it came whole",
    why: "typed clients find an empty message",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":0,"delta":{"content":"Hi"}}] in a whole reply"#,
};

pub(super) static W222: Rule = Rule {
    id: "W222",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the model that answers is one of those that the stack has, or the one that was asked",
    why: "an answer of another model under the right address is a routing fault",
    source: "OpenAI API reference: the model used; aliases and dated names differ legally",
    breaks: r#""model":"" or the name of a model that nobody configured"#,
};

pub(super) static W223: Rule = Rule {
    id: "W223",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "text holds no zero character and no other raw control character but tab and line breaks",
    why: "terminals, databases and XML reports refuse them",
    source: "RFC 8259 §7 allows them only escaped; a decoder that lost its tokens sends them",
    breaks: r#""content":"Hi\u0000""#,
};

pub(super) static W224: Rule = Rule {
    id: "W224",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "text holds no replacement character that the prompt does not hold",
    why: "a character was lost between tokens and text",
    source: "Unicode §3.9; incremental detokenisers",
    breaks: r#""content":"caf\ufffd""#,
};

pub(super) static W226: Rule = Rule {
    id: "W226",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "text holds no UTF-8 that was decoded as another encoding",
    why: "accents and quotes come out as pairs of letters",
    source: "Unicode FAQ; a layer that read bytes as Latin-1",
    breaks: r#""content":"L'Ã‰toile" for L'Étoile"#,
};

pub(super) static W227: Rule = Rule {
    id: "W227",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` does not lie ahead of the client's clock by more than a day, nor before 2020",
    why: "caches and orderings by time break",
    source: "OpenAI API reference: time of creation",
    breaks: r#""created":4102444800"#,
};
