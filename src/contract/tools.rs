//! Are tool calls well formed, and are they those that were asked for?

use serde_json::Value;

use super::asked::{Call, Format, Mistake, Offered, ToolChoice};
use super::finding::{Finding, Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::tool_stream::W094;
use super::trace::Trace;
use crate::wire::{Choice, Frame, ToolCall, json};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W074, &W075, &W076, &W077, &W078, &W079, &W080, &W081, &W082, &W083, &W084, &W085, &W086, &W087, &W088, &W089, &W095, &W096,
    &W097, &W098, &W100, &W301,
];

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
    scope: Scope::Exchange,
    statement: "a result without its call, and a call without its result, are refused with 4xx",
    why: "a broken history is hidden",
    source: "OpenAI API reference, errors; most local servers accept it",
    breaks: "200 for a tool message after a user message",
};

pub(super) static W100: Rule = Rule {
    id: "W100",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an empty list of tools is as none, or refused with 4xx",
    why: "clients that filter their tools send it",
    source: "OpenAI API reference, tools",
    breaks: r#"500 for "tools":[]"#,
};

pub(super) static W301: Rule = Rule {
    id: "W301",
    surface: Surface::Tools,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a call of an offered tool is not left as JSON in the content",
    why: "users read the JSON, and the call never ran",
    source: "models that call without markup, and parsers that look for it",
    breaks: r#""content":"{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}" where get_weather was offered"#,
};

/// What parsers leave behind when they do not fit the model.
const MARKUP: [&str; 8] = [
    // Without its end: a parser may take that away and leave the rest.
    "<tool_call",
    "</tool_call>",
    "<|tool_call|>",
    "<|tool_calls_section_begin|>",
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "<function=",
    "<\u{ff5c}tool\u{2581}calls\u{2581}begin\u{ff5c}>",
];

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    empty_list(seen, out);
    if !seen.is_chat() {
        return;
    }
    mistakes(seen, out);
    for choice in &seen.chat.choices {
        ids(choice, out);
        names(seen, choice, out);
        chosen(seen, choice, out);
        finish(seen, choice, out);
        markup(seen, choice, out);
        for (number, call) in choice.tool_calls.iter().enumerate() {
            arguments(seen, choice, number, call, out);
        }
    }
}

/// Checks a scenario: ids within one conversation, which a later request goes on with.
pub(super) fn check_scenario(traces: &[Trace], out: &mut Vec<Finding>) {
    for (at, later) in traces.iter().enumerate() {
        let earlier = traces[..at]
            .iter()
            .filter(|earlier| earlier.messages.len() < later.messages.len() && later.messages.starts_with(&earlier.messages));
        for id in earlier.flat_map(|earlier| &earlier.call_ids).filter(|id| later.call_ids.contains(id)) {
            out.push(Finding {
                exchange: later.exchange,
                rule: &W075,
                severity: W075.severity,
                spot: Spot::whole().path("choices[0].message.tool_calls"),
                found: format!("the id `{id}` was given to an earlier call of the conversation"),
                right: "an id of its own for every call".to_owned(),
                excerpt: id.clone(),
                count: 1,
            });
        }
    }
}

/// Whether the answer was neither cut by its limit nor by an error nor by us: then it is held to its promises.
fn is_whole(seen: &Seen<'_>, choice: &Choice) -> bool {
    let cut = matches!(choice.finish_reason.as_deref(), None | Some("length" | "content_filter"));
    !cut && !seen.cut_by_us() && seen.chat.error.is_none()
}

/// Where a call stands; in a stream it has many places.
fn spot(seen: &Seen<'_>, choice: &Choice, number: usize, below: &str) -> Spot {
    let message = if seen.streamed() { "delta" } else { "message" };
    let at = seen.chat.choices.iter().position(|known| known.index == choice.index).unwrap_or(0);
    Spot::whole().path(format!("choices[{at}].{message}.tool_calls[{number}]{below}")).choice(choice.index)
}

fn content(seen: &Seen<'_>, choice: &Choice) -> Spot {
    let message = if seen.streamed() { "delta" } else { "message" };
    let at = seen.chat.choices.iter().position(|known| known.index == choice.index).unwrap_or(0);
    Spot::whole().path(format!("choices[{at}].{message}.content")).choice(choice.index)
}

/// W100; calls under an empty list are W077.
fn empty_list(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let tools = seen.asked.body.as_ref().and_then(|body| body.get("tools")?.as_array());
    let status = seen.exchange.status.unwrap_or_default();
    if seen.call == Call::Chat && status >= 500 && tools.is_some_and(Vec::is_empty) {
        out.add(&W100, Spot::whole(), format!("status {status} for an empty list of tools"), "an answer, or 4xx with a message");
    }
}

/// W088 and W098: what was accepted and is a mistake.
fn mistakes(seen: &Seen<'_>, out: &mut Findings<'_>) {
    for mistake in &seen.asked.mistakes {
        let (rule, found) = match mistake {
            Mistake::UnknownTool(name) => (&W088, format!("the tool `{name}` must be called and was not offered")),
            Mistake::NoTools => (&W088, "a call is required and no tools were offered".to_owned()),
            Mistake::LoneResult(id) => (&W098, format!("the result of `{id}`, which nobody called")),
            Mistake::UnansweredCall(id) => (&W098, format!("the call `{id}` has no result")),
            _ => continue,
        };
        out.add(rule, Spot::whole(), format!("{found}, and the status is 2xx"), "4xx with a message");
    }
}

/// W074.
fn ids(choice: &Choice, out: &mut Findings<'_>) {
    let ids: Vec<&str> = choice.tool_calls.iter().filter_map(|call| call.id.as_deref()).collect();
    if let Some(twice) = ids.iter().enumerate().find(|(at, id)| ids[..*at].contains(id)).map(|(_, id)| id) {
        out.add(&W074, Spot::whole().choice(choice.index), format!("two calls have the id `{twice}`"), "ids that differ");
    }
}

/// W076 and W077.
fn names(seen: &Seen<'_>, choice: &Choice, out: &mut Findings<'_>) {
    for (number, call) in choice.tool_calls.iter().enumerate() {
        let name = call.name.as_deref().unwrap_or_default();
        if seen.asked.tools.is_empty() {
            out.add(&W077, spot(seen, choice, number, ""), format!("`{name}` is called and no tool was offered"), "no calls");
        } else if !name.is_empty() && seen.asked.tool(name).is_none() {
            let offered: Vec<&str> = seen.asked.tools.iter().map(|tool| tool.name.as_str()).collect();
            let right = format!("one of {}", offered.join(", "));
            out.add(&W076, spot(seen, choice, number, ".function.name"), format!("`{name}` was not offered"), right);
        }
    }
}

/// W083 to W087: what was chosen for the model.
fn chosen(seen: &Seen<'_>, choice: &Choice, out: &mut Findings<'_>) {
    if seen.asked.tools.is_empty() {
        return;
    }
    let called: Vec<&str> = choice.tool_calls.iter().map(|call| call.name.as_deref().unwrap_or_default()).collect();
    let refused = choice.refusal.as_deref().is_some_and(|refusal| !refusal.is_empty());
    let missing = called.is_empty() && is_whole(seen, choice) && !refused;
    let here = || Spot::whole().choice(choice.index);
    match &seen.asked.tool_choice {
        ToolChoice::None if !called.is_empty() => {
            out.add(&W083, spot(seen, choice, 0, ""), format!("calls of {}", called.join(", ")), "no calls under `none`");
        }
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } if missing => {
            out.add(&W084, here(), "no call", "at least one call under `required`");
        }
        ToolChoice::Named(name) if seen.asked.tool(name).is_some() => {
            if let Some(other) = called.iter().find(|called| **called != name) {
                out.add(&W085, here(), format!("`{other}` is called"), format!("a call of `{name}`"));
            } else if missing {
                out.add(&W085, here(), "no call", format!("a call of `{name}`"));
            }
        }
        _ => {}
    }
    if let ToolChoice::Allowed { names, .. } = &seen.asked.tool_choice
        && let Some(other) = called.iter().find(|called| !names.iter().any(|name| name == *called))
    {
        out.add(&W086, here(), format!("`{other}` is called"), format!("one of {}", names.join(", ")));
    }
    if seen.asked.parallel == Some(false) && called.len() > 1 {
        out.add(&W087, here(), format!("{} calls", called.len()), "at most one call");
    }
}

/// W081 and W082.
fn finish(seen: &Seen<'_>, choice: &Choice, out: &mut Findings<'_>) {
    let Some(reason) = choice.finish_reason.as_deref() else { return };
    let here = || Spot::whole().choice(choice.index);
    let older = reason == "function_call" && !has_function_call(seen);
    if (reason == "tool_calls" || older) && choice.tool_calls.is_empty() {
        out.add(&W082, here(), format!("the finish reason is `{reason}`, and there is no call"), "at least one call");
    }
    let named = matches!(seen.asked.tool_choice, ToolChoice::Named(_));
    let fits = matches!(reason, "tool_calls" | "length" | "content_filter") || (named && reason == "stop");
    if !choice.tool_calls.is_empty() && !fits {
        out.add(&W081, here(), format!("calls, and the finish reason `{reason}`"), "`tool_calls`");
    }
}

/// Whether a call came in the older key.
fn has_function_call(seen: &Seen<'_>) -> bool {
    let values = seen.whole().into_iter().chain(seen.frames.iter().filter_map(Frame::value));
    let mut choices = values.filter_map(|value| value.get("choices")?.as_array()).flatten();
    choices.any(|choice| {
        let part = choice.get("message").or_else(|| choice.get("delta"));
        part.and_then(|part| part.get("function_call")).is_some_and(json::Value::is_object)
    })
}

/// W089 and W301.
fn markup(seen: &Seen<'_>, choice: &Choice, out: &mut Findings<'_>) {
    if seen.asked.tools.is_empty() {
        return;
    }
    let text = choice.content.as_deref().unwrap_or_default();
    if let Some(left) = MARKUP.into_iter().find(|markup| text.contains(markup) && !seen.asked.prompt_has(markup)) {
        out.add(&W089, content(seen, choice), format!("`{left}` stands in the content"), "a call, or plain text");
    }
    if choice.tool_calls.is_empty()
        && matches!(seen.asked.format, Format::Text)
        && let Some(name) = call_as_text(text, seen)
    {
        out.add(&W301, content(seen, choice), format!("a call of `{name}` as text"), "the call in tool_calls");
    }
}

/// The offered tool that a text calls: an object with its name and arguments, alone, in a list or in a fence.
fn call_as_text<'a>(text: &str, seen: &'a Seen<'_>) -> Option<&'a str> {
    let text = text.trim();
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text).trim();
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    let value = value.as_array().map_or(Some(&value), |list| list.first())?;
    let part = value.get("function").filter(|part| part.is_object()).unwrap_or(value);
    part.get("arguments").or_else(|| part.get("parameters"))?;
    seen.asked.tool(part.get("name")?.as_str()?).map(|tool| tool.name.as_str())
}

/// W078, W079, W080 and W094.
fn arguments(seen: &Seen<'_>, choice: &Choice, number: usize, call: &ToolCall, out: &mut Findings<'_>) {
    let offered = call.name.as_deref().and_then(|name| seen.asked.tool(name));
    if !is_whole(seen, choice) || call.kind.as_deref() == Some("custom") || offered.is_some_and(|tool| tool.custom) {
        return;
    }
    let here = || spot(seen, choice, number, ".function.arguments");
    let rule = if seen.streamed() { &W094 } else { &W078 };
    if call.arguments.trim().is_empty() {
        let needs = offered.is_some_and(needs_arguments);
        let severity = if needs { Severity::Violation } else { Severity::Dialect };
        return out.weigh(rule, severity, here(), "the arguments are empty", "a JSON object");
    }
    let value = match call.parsed() {
        Ok(value @ Value::Object(_)) => value,
        Ok(Value::String(inner)) if holds_object(&inner) => {
            return out.add(&W079, here(), format!("an object within a string: {}", call.arguments), "a JSON object");
        }
        Ok(_) => return out.add(rule, here(), format!("JSON, but no object: {}", call.arguments), "a JSON object"),
        Err(error) => return out.add(rule, here(), format!("{error}: {}", call.arguments), "a JSON object"),
    };
    let Some(offered) = offered else { return };
    if let Some(name) = offered.parameters.as_ref().and_then(|schema| encoded_within(&value, schema)) {
        return out.add(&W079, here(), format!("`{name}` is an object or array within a string"), "the object or array itself");
    }
    let faults = offered.schema().map(|schema| schema.validate(&value)).unwrap_or_default();
    if let Some(first) = faults.first() {
        let forced = matches!(seen.asked.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
        let severity = if offered.strict || forced { Severity::Violation } else { Severity::Advice };
        let more = if faults.len() > 1 { format!(" (and {} more)", faults.len() - 1) } else { String::new() };
        out.weigh(&W080, severity, here(), format!("{first}{more}"), "arguments that fit the schema as it was sent");
    }
}

/// Whether a tool has arguments that must be there.
fn needs_arguments(tool: &Offered) -> bool {
    let required = tool.parameters.as_ref().and_then(|schema| schema.get("required")).and_then(Value::as_array);
    required.is_some_and(|required| !required.is_empty())
}

/// Whether a text is an object as JSON, or a string that is such a text.
fn holds_object(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::String(inner)) => holds_object(&inner),
        Ok(value) => value.is_object(),
        Err(_) => false,
    }
}

/// A property, at any depth, that the schema wants as an object or array and that came as a string which holds one.
fn encoded_within<'v>(value: &'v Value, schema: &Value) -> Option<&'v str> {
    let wanted = |schema: &Value, kind: &str| match schema.get("type") {
        Some(Value::String(wanted)) => wanted == kind,
        Some(Value::Array(list)) => list.iter().any(|wanted| wanted == kind) && !list.iter().any(|wanted| wanted == "string"),
        _ => false,
    };
    if let Value::Array(items) = value {
        let schema = schema.get("items")?;
        return items.iter().find_map(|item| encoded_within(item, schema));
    }
    let properties = schema.get("properties")?;
    value.as_object()?.iter().find_map(|(name, value)| {
        let schema = properties.get(name)?;
        let Some(text) = value.as_str() else { return encoded_within(value, schema) };
        let inner: Value = serde_json::from_str(text).ok()?;
        let is = (wanted(schema, "object") && inner.is_object()) || (wanted(schema, "array") && inner.is_array());
        is.then_some(name.as_str())
    })
}
