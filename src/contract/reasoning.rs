//! Is thinking kept apart from what is said, called and counted?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] =
    &[&W110, &W111, &W112, &W113, &W114, &W115, &W116, &W117, &W118, &W119, &W120, &W121, &W122, &W270, &W271];

pub(super) static W110: Rule = Rule {
    id: "W110",
    surface: Surface::Reasoning,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "reasoning is a string or null, and under two names it is the same text",
    why: "clients show either, or both",
    source: "vLLM and gateways that rename reasoning_content to reasoning",
    breaks: r#""reasoning":"a","reasoning_content":"b""#,
};

pub(super) static W111: Rule = Rule {
    id: "W111",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no marker of thinking, channels or turns is left in the content",
    why: "users read the markup, and histories carry it on",
    source: "vLLM 39885, 46042; llama.cpp when a thinking budget ends",
    breaks: r#""content":"</think>Paris""#,
};

pub(super) static W112: Rule = Rule {
    id: "W112",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no such marker stands in names or arguments of calls",
    why: "names do not match, and arguments do not parse",
    source: "parsers of tools and of thinking in the wrong order",
    breaks: r#""name":"get_weather<|channel|>commentary""#,
};

pub(super) static W113: Rule = Rule {
    id: "W113",
    surface: Surface::Reasoning,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "thinking comes before the first content of its part of the answer",
    why: "clients that show thoughts first show them too late",
    source: "vLLM; models that think between calls are exempt",
    breaks: "content, then reasoning_content, without a call between",
};

pub(super) static W114: Rule = Rule {
    id: "W114",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the content does not repeat the thinking",
    why: "users read it twice and pay for it",
    source: "parsers that copy instead of move",
    breaks: r#""reasoning_content":"The user asks…","content":"The user asks…Paris.""#,
};

pub(super) static W115: Rule = Rule {
    id: "W115",
    surface: Surface::Reasoning,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "with thinking off there is none, and no reasoning tokens",
    why: "it was switched off for its time and cost",
    source: "templates that ignore the switch",
    breaks: "enable_thinking: false answered with reasoning_content",
};

pub(super) static W116: Rule = Rule {
    id: "W116",
    surface: Surface::Reasoning,
    severity: Severity::Dialect,
    scope: Scope::Probe,
    statement: "with thinking on, a model that can think does",
    why: "it was switched on for its quality",
    source: "OpenAI's chat API is exempt: it hides thoughts",
    breaks: "enable_thinking: true answered without reasoning",
};

pub(super) static W117: Rule = Rule {
    id: "W117",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "reasoning_tokens is at most completion_tokens",
    why: "it is a part of them",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""completion_tokens":8,"completion_tokens_details":{"reasoning_tokens":40}"#,
};

pub(super) static W118: Rule = Rule {
    id: "W118",
    surface: Surface::Reasoning,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "thinking that is seen is counted in reasoning_tokens",
    why: "costs of thinking cannot be told from those of answers",
    source: "Ollama, llama.cpp, mlx_lm.server; vLLM without a parser",
    breaks: r#""reasoning_content":"…" and no reasoning_tokens"#,
};

pub(super) static W119: Rule = Rule {
    id: "W119",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "what holds for JSON and tools holds with thinking on",
    why: "one feature must not undo the other",
    source: "vLLM, reasoning with structured output",
    breaks: "json_schema with thinking answered with prose",
};

pub(super) static W120: Rule = Rule {
    id: "W120",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer that finishes with tool_calls has its calls outside of the thinking",
    why: "the call is never run",
    source: "parsers of tools and of thinking in the wrong order",
    breaks: r#""finish_reason":"tool_calls","reasoning_content":"<tool_call>…""#,
};

pub(super) static W121: Rule = Rule {
    id: "W121",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "a history with the server's own reasoning field is accepted",
    why: "clients send back what they got; some models need it on tool turns",
    source: "DeepSeek API guide, thinking mode",
    breaks: r#"400 for "reasoning_content" in an assistant message"#,
};

pub(super) static W122: Rule = Rule {
    id: "W122",
    surface: Surface::Reasoning,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "an effort or thinking value that nobody knows is refused with 4xx",
    why: "a mistake of the caller is hidden",
    source: "OpenAI API reference, errors",
    breaks: "reasoning_effort: extreme answered with 200",
};

pub(super) static W270: Rule = Rule {
    id: "W270",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no marker of turns, channels or tool calls is left in the thinking",
    why: "clients that show thoughts show the markup",
    source: "models with channels; parsers that stop at the wrong marker",
    breaks: r#""reasoning_content":"<|channel|>analysis<|message|>The user…""#,
};

pub(super) static W271: Rule = Rule {
    id: "W271",
    surface: Surface::Reasoning,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer that finished with stop has content, a refusal or a call besides its thinking",
    why: "the answer was sorted into the thoughts: clients show nothing",
    source: "vLLM's deepseek_r1 parser with thinking off",
    breaks: r#""reasoning":"Paris.","content":null,"finish_reason":"stop""#,
};
