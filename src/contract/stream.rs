//! Do the chunks of a chat stream make one reply? Envelope, roles, ends, errors, usage.

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W049, &W050, &W051, &W052, &W053, &W054, &W055, &W056, &W057, &W058, &W059, &W060, &W061, &W062, &W063, &W064, &W065, &W066,
    &W067, &W068, &W069, &W070, &W071, &W072, &W260, &W261, &W262, &W263, &W264, &W265, &W266,
];

pub(super) static W049: Rule = Rule {
    id: "W049",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each chunk has `id`, `object`, `created`, `model` and `choices` with the right types",
    why: "typed clients raise in the middle of an answer",
    source: "OpenAI API reference, CreateChatCompletionStreamResponse",
    breaks: r#"data: {"id":"a","choices":{}}"#,
};

pub(super) static W050: Rule = Rule {
    id: "W050",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`object` is chat.completion.chunk",
    why: "clients that dispatch by it drop the chunk, usage included",
    source: "OpenAI API reference; mlx_lm.server on its usage chunk",
    breaks: r#""object":"chat.completion""#,
};

pub(super) static W051: Rule = Rule {
    id: "W051",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`id` is not empty and the same on all chunks",
    why: "replies cannot be told apart or found in logs",
    source: "OpenAI API reference: each chunk has the same id; Ollama's chunk after a crash",
    breaks: r#""id":"a" and then "id":"b""#,
};

pub(super) static W052: Rule = Rule {
    id: "W052",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` is the same on all chunks",
    why: "the specification says so; caches key on it",
    source: "OpenAI API reference: each chunk has the same timestamp; llama.cpp",
    breaks: r#""created":1 and then "created":2"#,
};

pub(super) static W053: Rule = Rule {
    id: "W053",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`model` is not empty and the same on all chunks",
    why: "a model that changes in an answer is a routing fault",
    source: "OpenAI API reference; Ollama's chunk after a crash",
    breaks: r#""model":"a" and then "model":"b""#,
};

pub(super) static W054: Rule = Rule {
    id: "W054",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`choices` is empty only on usage or metadata chunks",
    why: "every example reads choices[0] of a chunk",
    source: "OpenAI API reference, stream_options",
    breaks: r#""choices":[] on a chunk without usage"#,
};

pub(super) static W055: Rule = Rule {
    id: "W055",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the index of a choice is an integer from 0 to n-1",
    why: "pieces are put together by index",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":3,…}] where n is 1"#,
};

pub(super) static W056: Rule = Rule {
    id: "W056",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the role assistant comes in the first delta of each choice; later is dialect",
    why: "helpers that build the message raise without it",
    source: "openai-node, ChatCompletionStream",
    breaks: r#"a first delta {"content":"Hi"} and no role later"#,
};

pub(super) static W057: Rule = Rule {
    id: "W057",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the role comes once for each choice",
    why: "accumulators that join strings make assistantassistant of it",
    source: "openai-python, lib/streaming/_deltas; mlx_lm.server, Ollama",
    breaks: r#""role":"assistant" in every delta"#,
};

pub(super) static W058: Rule = Rule {
    id: "W058",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each choice finishes exactly once with a known reason, unless an error came",
    why: "helpers wait for it, or finish twice",
    source: "OpenAI API reference; openai-node raises without it",
    breaks: r#"two chunks with "finish_reason":"stop""#,
};

pub(super) static W059: Rule = Rule {
    id: "W059",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "nothing comes for a choice after it finished",
    why: "readers have handed the message out by then",
    source: "OpenAI API reference",
    breaks: r#"finish_reason: stop, and then "delta":{"content":"!"}"#,
};

pub(super) static W060: Rule = Rule {
    id: "W060",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "texts of a delta are strings or null",
    why: "accumulators join strings and raise on others",
    source: "OpenAI API reference",
    breaks: r#""delta":{"content":{"text":"Hi"}}"#,
};

pub(super) static W061: Rule = Rule {
    id: "W061",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a stream that ends before every choice finished said why in an error",
    why: "an answer that stops in silence is taken for a whole one",
    source: "servers that die in the middle: Ollama, mlx_lm.server, vllm-mlx",
    breaks: "half an answer, and then the end of the body",
};

pub(super) static W062: Rule = Rule {
    id: "W062",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "after an error no choice finishes",
    why: "a finish reason after an error says that all went well",
    source: "mlx-openai-server",
    breaks: r#"data: {"error":…} and then "finish_reason":"stop""#,
};

pub(super) static W063: Rule = Rule {
    id: "W063",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an error in a stream has a message",
    why: "clients raise with it; an error without words helps nobody",
    source: "OpenAI API reference, errors",
    breaks: r#"data: {"error":{"code":17}}"#,
};

pub(super) static W064: Rule = Rule {
    id: "W064",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "what fails before the first token has a status of 400 or more",
    why: "SDKs retry and raise by status; a 200 tells them that all is well",
    source: "OpenAI API reference, errors; mlx_lm.server, gateways",
    breaks: r#"200, and then only data: {"error":…}"#,
};

pub(super) static W065: Rule = Rule {
    id: "W065",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under include_usage a stream that succeeded brings a usage that adds up",
    why: "bills and budgets of streams have no other source",
    source: "OpenAI API reference, stream_options",
    breaks: "include_usage: true, and no chunk with usage",
};

pub(super) static W066: Rule = Rule {
    id: "W066",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "under include_usage the usage stands on a chunk of its own with empty choices",
    why: "clients find it there",
    source: "OpenAI API reference, stream_options; LiteLLM, vllm-mlx",
    breaks: r#""choices":[{"index":0,"delta":{}}],"usage":{…}"#,
};

pub(super) static W067: Rule = Rule {
    id: "W067",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "without include_usage no chunk is there only for usage",
    why: "clients that read choices[0] raise on it",
    source: "OpenAI API reference, stream_options",
    breaks: r#""choices":[],"usage":{…} unasked"#,
};

pub(super) static W068: Rule = Rule {
    id: "W068",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the joined text holds no replacement character that the prompt does not hold",
    why: "a character was split between two chunks and lost",
    source: "Unicode §3.9; incremental detokenisers",
    breaks: r#""content":"\ufffd" twice for one accented letter"#,
};

pub(super) static W069: Rule = Rule {
    id: "W069",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a folded stream keeps every rule that a whole reply keeps",
    why: "what a client puts together is what it works with",
    source: "one contract for both deliveries",
    breaks: "a stream whose joined text holds the stop text",
};

pub(super) static W070: Rule = Rule {
    id: "W070",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "whole and streamed, the same request at temperature 0 ends with the same reason and calls the same tools",
    why: "features must not depend on the delivery",
    source: "vLLM 53269, BerriAI/litellm 17246",
    breaks: "tool_calls whole, plain text streamed",
};

pub(super) static W071: Rule = Rule {
    id: "W071",
    surface: Surface::Stream,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a long answer comes in more than one piece",
    why: "a stream that comes at once is no stream",
    source: "vllm-mlx with structured output",
    breaks: "300 tokens in one delta",
};

pub(super) static W072: Rule = Rule {
    id: "W072",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "streamed log probabilities, if asked, join to a list that is valid",
    why: "callers of the stream need them as much",
    source: "OpenAI API reference, logprobs",
    breaks: "logprobs: true and none in any chunk",
};

pub(super) static W260: Rule = Rule {
    id: "W260",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "deltas are objects",
    why: "clients read their keys",
    source: "OpenAI API reference",
    breaks: r#""delta":"Hi" or "delta":null"#,
};

pub(super) static W261: Rule = Rule {
    id: "W261",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no chunk comes twice in a row with the same text where a counter says otherwise",
    why: "the answer says words twice",
    source: "retries of a layer in between",
    breaks: "two equal chunks, and one token less in usage than there are pieces",
};

pub(super) static W262: Rule = Rule {
    id: "W262",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a stream does not bring more pieces of text than completion_tokens, nor far fewer for servers that send token by token",
    why: "pieces were added, doubled or lost on the way",
    source: "usage counts tokens; a piece holds at least a part of one",
    breaks: "nine deltas with text for completion_tokens: 8",
};

pub(super) static W263: Rule = Rule {
    id: "W263",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a chunk has no `message` in place of its delta",
    why: "typed clients find an empty delta",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":0,"message":{"content":"Hi"}}] in a stream"#,
};

pub(super) static W264: Rule = Rule {
    id: "W264",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "usage in a stream never falls, and comes last",
    why: "the last one counts for clients",
    source: "OpenAI API reference, stream_options",
    breaks: "completion_tokens 8 and then 3",
};

pub(super) static W265: Rule = Rule {
    id: "W265",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the reason a choice finished is null or absent until it finishes",
    why: "a reason of another type ends some readers early",
    source: "OpenAI API reference",
    breaks: r#""finish_reason":false on the first chunks"#,
};

pub(super) static W266: Rule = Rule {
    id: "W266",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a successful chat stream holds at least one chunk",
    why: "an empty stream is taken for an empty answer",
    source: "OpenAI API reference; BerriAI/litellm 32086",
    breaks: "200 and only data: [DONE]",
};
