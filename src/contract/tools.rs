//! Are tool calls well formed, and are they those that were asked for?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W073, &W074, &W075, &W076, &W077, &W078, &W079, &W080, &W081, &W082, &W083, &W084, &W085, &W086, &W087, &W088, &W089, &W095,
    &W096, &W097, &W098, &W099, &W100,
];

pub(super) static W073: Rule = Rule {
    id: "W073",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a call has an id that is not empty, the type function or custom, a name, and arguments that are a string",
    why: "clients answer by id and parse the arguments themselves",
    source: "OpenAI API reference, ChatCompletionMessageToolCall; an object as arguments at gateways (LiteLLM 37792)",
    breaks: r#""tool_calls":[{"id":"","function":{"name":"f","arguments":{"city":"Paris"}}}]"#,
};

pub(super) static W074: Rule = Rule {
    id: "W074",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "ids of calls are unique within a message",
    why: "two results cannot be told apart",
    source: "OpenAI API reference, tool messages",
    breaks: "two calls with the id call_1",
};

pub(super) static W075: Rule = Rule {
    id: "W075",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "ids of calls are unique within a conversation",
    why: "histories that answer by id find the older call",
    source: "OpenAI API reference, tool messages; parsers that count from 0 in each reply",
    breaks: "call_0 in two replies of one conversation",
};

pub(super) static W076: Rule = Rule {
    id: "W076",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the name of a call is one of the tools that were offered",
    why: "there is nothing to run",
    source: "OpenAI API reference, tools; mlx_lm.server does not check",
    breaks: r#"a call of "capital" where get_weather was offered"#,
};

pub(super) static W077: Rule = Rule {
    id: "W077",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "without tools there are no calls",
    why: "clients without tools do not look for calls and show an empty answer",
    source: "OpenAI API reference, tool_choice: none is the default without tools",
    breaks: r#""tool_calls":[…] to a request without tools"#,
};

pub(super) static W078: Rule = Rule {
    id: "W078",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments of an answer that was not cut parse to one JSON object; empty ones of a tool without required properties are dialect",
    why: "clients parse them without a second look",
    source: "OpenAI API reference, function.arguments",
    breaks: r#""arguments":"{\"city\": \"Paris\"} That is all.""#,
};

pub(super) static W079: Rule = Rule {
    id: "W079",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments are not encoded twice, and objects within them are objects",
    why: "clients get a text where they need an object",
    source: "OpenAI API reference, function.arguments; some parsers of vLLM",
    breaks: r#""arguments":"\"{\\\"city\\\":\\\"Paris\\\"}\"""#,
};

pub(super) static W080: Rule = Rule {
    id: "W080",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments of a strict or forced call fit the schema that was sent; of other calls it is advice",
    why: "strict mode exists so that callers need no checks",
    source: "OpenAI API reference, strict; words of a schema that Ollama and llama.cpp lose",
    breaks: r#""arguments":"{\"unit\":\"kelvin\"}" where unit is an enum and city is required"#,
};

pub(super) static W081: Rule = Rule {
    id: "W081",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer with calls finishes with tool_calls; of a tool that was named, stop will do",
    why: "loops run the tools only under that reason",
    source: "OpenAI API reference, finish_reason; a named tool finishes with stop there",
    breaks: r#""finish_reason":"stop" beside "tool_calls":[…]"#,
};

pub(super) static W082: Rule = Rule {
    id: "W082",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer that finishes with tool_calls holds at least one",
    why: "loops wait for a call that never comes",
    source: "vLLM 53255; parsers that drop a call they cannot read",
    breaks: r#""finish_reason":"tool_calls","tool_calls":[]"#,
};

pub(super) static W083: Rule = Rule {
    id: "W083",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under tool_choice none there are no calls",
    why: "the caller said that no tool may run",
    source: "OpenAI API reference, tool_choice; ignored by Ollama and mlx_lm.server",
    breaks: "tool_choice: none answered with a call",
};

pub(super) static W084: Rule = Rule {
    id: "W084",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under tool_choice required there is at least one call",
    why: "the caller cannot go on without",
    source: "OpenAI API reference, tool_choice; ignored by Ollama and mlx_lm.server",
    breaks: "tool_choice: required answered with text",
};

pub(super) static W085: Rule = Rule {
    id: "W085",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under a named tool only that one is called",
    why: "the caller runs another tool than it asked for",
    source: "OpenAI API reference, tool_choice; llama.cpp, Ollama and mlx_lm.server ignore the name",
    breaks: "get_time was named, get_weather is called",
};

pub(super) static W086: Rule = Rule {
    id: "W086",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under allowed_tools only those are called, or the request is refused",
    why: "tools that are not allowed now would run",
    source: "OpenAI API reference, tool_choice",
    breaks: "allowed_tools: [get_time] answered with get_weather",
};

pub(super) static W087: Rule = Rule {
    id: "W087",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under parallel_tool_calls false there is at most one call",
    why: "callers that work in order run only the first",
    source: "OpenAI API reference, parallel_tool_calls; ignored by llama.cpp, Ollama, mlx_lm.server",
    breaks: "parallel_tool_calls: false answered with two calls",
};

pub(super) static W088: Rule = Rule {
    id: "W088",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a tool_choice that names an unknown tool, or asks for a call without tools, is refused with 4xx",
    why: "a mistake of the caller is hidden",
    source: "OpenAI API reference, errors; accepted by llama.cpp, Ollama, mlx_lm.server",
    breaks: "tool_choice: nosuch answered with 200",
};

pub(super) static W089: Rule = Rule {
    id: "W089",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no markup of tool calls is left in the content",
    why: "users read the markup, and the call never ran",
    source: "parsers that do not fit the model",
    breaks: r#""content":"<tool_call>{\"name\":\"get_weather\"…""#,
};

pub(super) static W095: Rule = Rule {
    id: "W095",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "an id that the server gave is accepted back, and the result of the tool shows in the next reply",
    why: "the loop breaks after its first round",
    source: "OpenAI guide, function calling",
    breaks: "the result says 18°C and the reply asks for the weather again",
};

pub(super) static W096: Rule = Rule {
    id: "W096",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: r#"a history with content null and one with "" beside the calls are both accepted"#,
    why: "SDKs send either",
    source: "OpenAI API reference, assistant message",
    breaks: r#"400 for "content":null beside tool_calls"#,
};

pub(super) static W097: Rule = Rule {
    id: "W097",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "results of parallel calls are accepted in any order",
    why: "results come in when the tools are ready",
    source: "OpenAI guide, parallel function calling",
    breaks: "400 for the second result before the first",
};

pub(super) static W098: Rule = Rule {
    id: "W098",
    surface: Surface::Tools,
    severity: Severity::Advice,
    scope: Scope::Probe,
    statement: "a result without its call, and a call without its result, are refused with 4xx",
    why: "a broken history is hidden",
    source: "OpenAI API reference, errors; most local servers accept it",
    breaks: "200 for a tool message after a user message",
};

pub(super) static W099: Rule = Rule {
    id: "W099",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the input of a custom tool is a string",
    why: "there is no schema that could repair it",
    source: "OpenAI API reference, custom tools",
    breaks: r#""custom":{"name":"run","input":{"code":"1"}}"#,
};

pub(super) static W100: Rule = Rule {
    id: "W100",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "an empty list of tools is as none, or refused with 4xx",
    why: "clients that filter their tools send it",
    source: "OpenAI API reference, tools",
    breaks: r#"500 for "tools":[]"#,
};
