//! Are tool calls well formed, and are they those that were asked for?

use serde_json::Value;

use super::asked::{Mistake, Offered, ToolChoice};
use super::finding::{Finding, Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::tool_stream::W094;
use super::trace::Trace;
use crate::wire::{Choice, ToolCall};

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
    if !seen.is_chat() {
        return;
    }
    mistaken_choice(seen, out);
    shapes(seen, out);
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

/// W088.
fn mistaken_choice(seen: &Seen<'_>, out: &mut Findings<'_>) {
    for mistake in &seen.asked.mistakes {
        let found = match mistake {
            Mistake::UnknownTool(name) => format!("the tool `{name}` must be called and was not offered, and the status is 2xx"),
            Mistake::NoTools => "a call is required and no tools were offered, and the status is 2xx".to_owned(),
            _ => continue,
        };
        out.add(&W088, Spot::whole(), found, "4xx with a message");
    }
}

/// W073 and W099, on the JSON of a whole reply; in a stream, on each fragment.
fn shapes(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let whole = seen.whole().map(|body| (None, "message", body));
    let frames = seen.frames.iter().filter_map(|frame| Some((Some(frame.number), "delta", frame.value()?)));
    for (event, message, value) in whole.into_iter().filter(|_| !seen.streamed()).chain(frames) {
        let choices = value.get("choices").and_then(Value::as_array);
        for (at, choice) in choices.into_iter().flatten().enumerate() {
            let calls = choice.get(message).and_then(|message| message.get("tool_calls")).and_then(Value::as_array);
            for (number, call) in calls.into_iter().flatten().enumerate() {
                let path = format!("choices[{at}].{message}.tool_calls[{number}]");
                let spot = |below: &str| Spot { event, ..Spot::whole().path(format!("{path}{below}")) };
                shape(call, event.is_none(), &spot, out);
            }
        }
    }
}

/// One call, or one fragment of a call: what is there must be of its type, and in a whole reply all of it must be there.
fn shape(call: &Value, whole: bool, spot: &dyn Fn(&str) -> Spot, out: &mut Findings<'_>) {
    let custom = call.get("custom").is_some_and(Value::is_object);
    let (part, text, rule) = if custom { ("custom", "input", &W099) } else { ("function", "arguments", &W073) };
    let inner = call.get(part).and_then(|part| part.get(text)).filter(|value| !value.is_null());
    match inner {
        Some(Value::String(_)) => {}
        Some(other) => {
            let found = format!("`{text}` is {}", kind(other));
            out.add(rule, spot(&format!(".{part}.{text}")), found, "a string");
        }
        None if whole => out.add(rule, spot(""), format!("there is no `{part}.{text}`"), "a string"),
        None => {}
    }
    if !whole {
        return;
    }
    let text_at = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    if text_at(call.get("id")).is_none() {
        out.add(&W073, spot(".id"), "the call has no id", "a string that is not empty");
    }
    if !matches!(call.get("type").and_then(Value::as_str), Some("function" | "custom")) {
        out.add(&W073, spot(".type"), "the type is neither `function` nor `custom`", "`function` or `custom`");
    }
    if text_at(call.get(part).and_then(|part| part.get("name"))).is_none() {
        out.add(&W073, spot(&format!(".{part}.name")), "the call has no name", "the name of an offered tool");
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
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
    if reason == "tool_calls" && choice.tool_calls.is_empty() {
        out.add(&W082, here(), "the finish reason is `tool_calls`, and there are none", "at least one call");
    }
    let named = matches!(seen.asked.tool_choice, ToolChoice::Named(_));
    let fits = matches!(reason, "tool_calls" | "length" | "content_filter") || (named && reason == "stop");
    if !choice.tool_calls.is_empty() && !fits {
        out.add(&W081, here(), format!("calls, and the finish reason `{reason}`"), "`tool_calls`");
    }
}

/// W089.
fn markup(seen: &Seen<'_>, choice: &Choice, out: &mut Findings<'_>) {
    if seen.asked.tools.is_empty() {
        return;
    }
    let text = choice.content.as_deref().unwrap_or_default();
    if let Some(left) = MARKUP.into_iter().find(|markup| text.contains(markup) && !seen.asked.prompt_has(markup)) {
        out.add(&W089, content(seen, choice), format!("`{left}` stands in the content"), "a call, or plain text");
    }
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
        Ok(Value::String(inner)) if serde_json::from_str::<Value>(&inner).is_ok_and(|inner| inner.is_object()) => {
            return out.add(&W079, here(), format!("an object within a string: {}", call.arguments), "a JSON object");
        }
        Ok(_) => return out.add(rule, here(), format!("JSON, but no object: {}", call.arguments), "a JSON object"),
        Err(error) => return out.add(rule, here(), format!("{error}: {}", call.arguments), "a JSON object"),
    };
    let Some(offered) = offered else { return };
    if let Some(name) = encoded_within(&value, offered) {
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

/// A property that the schema wants as an object or array and that came as a string which holds one.
fn encoded_within<'v>(value: &'v Value, tool: &Offered) -> Option<&'v str> {
    let properties = tool.parameters.as_ref()?.get("properties")?;
    value.as_object()?.iter().find_map(|(name, value)| {
        let wanted = properties.get(name)?.get("type")?.as_str()?;
        let inner: Value = serde_json::from_str(value.as_str()?).ok()?;
        let is = (wanted == "object" && inner.is_object()) || (wanted == "array" && inner.is_array());
        is.then_some(name.as_str())
    })
}
