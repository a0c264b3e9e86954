//! Do the fragments of streamed tool calls make whole ones?

use super::rule::{Rule, Scope, Severity, Surface};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W090, &W091, &W092, &W093, &W094];

pub(super) static W090: Rule = Rule {
    id: "W090",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each fragment of a call has an integer index from 0",
    why: "fragments are put together by index",
    source: "OpenAI API reference, chunk; older Ollama",
    breaks: r#""tool_calls":[{"id":"a","function":{…}}] without index"#,
};

pub(super) static W091: Rule = Rule {
    id: "W091",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the first fragment of a call has its id and name",
    why: "helpers begin the call with it",
    source: "OpenAI API reference, chunk; vLLM 18412",
    breaks: r#""tool_calls":[{"index":0,"function":{"arguments":"{"}}] first"#,
};

pub(super) static W092: Rule = Rule {
    id: "W092",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "id and name of a call never change; equal ones that come again are dialect",
    why: "accumulators join strings, and get call_1call_1",
    source: "openai-python, lib/streaming/_deltas",
    breaks: r#""id":"a" and then "id":"b" for index 0"#,
};

pub(super) static W093: Rule = Rule {
    id: "W093",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "different calls have different indexes; holes are dialect",
    why: "two calls become one with arguments of both",
    source: "Ollama 15457",
    breaks: "two calls with index 0",
};

pub(super) static W094: Rule = Rule {
    id: "W094",
    surface: Surface::Tools,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "arguments joined from a stream parse as whole ones do",
    why: "clients parse what they joined",
    source: "OpenAI API reference, chunk",
    breaks: r#"fragments {"city": and Paris"} that lost a quote"#,
};
