//! Is thinking kept apart from what is said, called and counted?

use super::asked::{Mistake, Thinking};
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;
use crate::wire::{Choice, FoldFaultKind};

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
    statement: "the content does not repeat the thinking before the answer",
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

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() {
        return;
    }
    if let Some(Mistake::BadEffort(value)) = seen.asked.mistakes.iter().find(|mistake| matches!(mistake, Mistake::BadEffort(_))) {
        out.add(&W122, Spot::whole(), format!("the effort {value} was accepted"), "a status of 400");
    }
    fields(seen, out);
    for choice in &seen.chat.choices {
        markers(choice, seen, out);
        apart(choice, seen, out);
    }
    switched(seen, out);
    order(seen, out);
}

/// Names under which thinking comes.
const NAMES: &[&str] = &["reasoning_content", "reasoning", "thinking"];

/// Markers of thinking, channels and turns. Bare words in angle brackets that people write are left out.
pub(super) const MARKERS: &[&str] = &[
    "<think>",
    "</think>",
    "<thinking>",
    "</thinking>",
    "<mm:think>",
    "</mm:think>",
    "[THINK]",
    "[/THINK]",
    "<|channel|>",
    "<|message|>",
    "<|start|>",
    "<|end|>",
    "<|return|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<end_of_turn>",
    "<start_of_turn>",
    "<|begin_of_thought|>",
    "<|end_of_thought|>",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>",
];

/// Markers of tool calls.
const CALLS: &[&str] = &["<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call|>", "<function="];

/// The first marker in a text that the prompt does not hold; a byte of each is looked for first.
fn marker(text: &str, markers: &[&'static str], seen: &Seen<'_>) -> Option<&'static str> {
    memchr::memchr2(b'<', b'[', text.as_bytes())?;
    markers.iter().copied().find(|marker| text.contains(marker) && !seen.asked.prompt_has(marker))
}

fn fields(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let body = seen.body.as_ref().and_then(|body| body.as_ref().ok()).map(|parsed| (None, &parsed.value));
    let frames = seen.frames.iter().filter_map(|frame| Some((Some(frame.number), frame.value()?)));
    for (event, value) in body.into_iter().chain(frames) {
        for (place, choice) in value.get("choices").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let key = if event.is_some() { "delta" } else { "message" };
            let Some(part) = choice.get(key) else { continue };
            for name in NAMES {
                if let Some(other) = part.get(name).filter(|value| !value.is_string() && !value.is_null()) {
                    let spot = event.map_or_else(Spot::whole, Spot::event).path(format!("choices[{place}].{key}.{name}"));
                    out.add(&W110, spot, format!("`{name}` is {}", json::kind(other)), "a string or null");
                }
            }
        }
    }
    if let Some(fault) = seen.chat.fault(FoldFaultKind::ReasoningDiffers) {
        let spot = if fault.event > 0 { Spot::event(fault.event) } else { Spot::whole() };
        out.add(&W110, spot, "two names with different text", "the same text under both, or one name");
    }
}

fn spot(choice: &Choice, seen: &Seen<'_>, marker: &str) -> Spot {
    let spot = Spot::whole().choice(choice.index);
    let body = &seen.exchange.body;
    match memchr::memmem::find(body, marker.as_bytes()) {
        Some(at) => spot.bytes(at.saturating_sub(60)..(at + 100).min(body.len())),
        None => spot,
    }
}

fn markers(choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let content = choice.content.as_deref().unwrap_or_default();
    if !seen.asked.thinking_in_content
        && let Some(found) = marker(content, MARKERS, seen)
    {
        // Without a parser the whole thought stays where it was said: a dialect, and not the leak of a part.
        let whole = content.contains("<think>") && content.contains("</think>") && choice.reasoning.is_none();
        let severity = if whole { Severity::Dialect } else { Severity::Violation };
        out.weigh(&W111, severity, spot(choice, seen, found), format!("{found} in the content"), "text without markers");
    }
    for call in &choice.tool_calls {
        let name = call.name.as_deref().unwrap_or_default();
        for (text, what) in [(name, "the name"), (call.arguments.as_str(), "the arguments")] {
            if let Some(found) = marker(text, MARKERS, seen).or_else(|| marker(text, CALLS, seen)) {
                let right = format!("{what} without markers");
                out.add(&W112, spot(choice, seen, found), format!("{found} in {what} of a call"), right);
            }
        }
    }
    let thought = choice.reasoning.as_deref().unwrap_or_default();
    if let Some(found) = marker(thought, MARKERS, seen) {
        out.add(&W270, spot(choice, seen, found), format!("{found} in the thinking"), "text without markers");
    } else if let Some(found) = marker(thought, CALLS, seen) {
        let finished = choice.finish_reason.as_deref() == Some("tool_calls");
        let rule = if finished && choice.tool_calls.is_empty() { &W120 } else { &W270 };
        out.add(rule, spot(choice, seen, found), format!("{found} in the thinking"), "the call in tool_calls");
    }
}

/// Shortest thought whose repetition says anything. **Units**: bytes.
const THOUGHT: usize = 12;

fn apart(choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let content = choice.content.as_deref().unwrap_or_default().trim_start();
    let thought = choice.reasoning.as_deref().unwrap_or_default().trim();
    // An answer that is the thought itself is a small model's own: a parser that copies leaves the answer behind the copy.
    if thought.len() >= THOUGHT && content.starts_with(thought) && content.trim_end().len() > thought.len() {
        let found = "the content begins with the thinking";
        out.add(&W114, Spot::whole().choice(choice.index), found, "each of them once");
    }
    let finished = choice.finish_reason.as_deref() == Some("stop");
    let said = !content.trim().is_empty()
        || !choice.tool_calls.is_empty()
        || choice.refusal.as_deref().is_some_and(|text| !text.is_empty());
    if finished && !thought.is_empty() && !said && seen.asked.stop.is_empty() {
        let found = "thinking alone, and the answer finished with stop";
        out.add(&W271, Spot::whole().choice(choice.index), found, "an answer besides the thinking");
    }
}

fn switched(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let thought = seen.chat.choices.iter().find(|choice| choice.reasoning.as_deref().is_some_and(|text| !text.trim().is_empty()));
    let counted = seen.chat.usage.as_ref().and_then(|usage| usage.detail("completion_tokens_details.reasoning_tokens"));
    if seen.asked.thinking == Thinking::Off {
        if let Some(choice) = thought {
            out.add(&W115, Spot::whole().choice(choice.index), "thinking, although it is off", "no thinking");
        } else if let Some(tokens) = counted.filter(|tokens| *tokens > 0) {
            out.add(&W115, Spot::whole(), format!("{tokens} reasoning tokens, although thinking is off"), "none");
        }
    }
    if let (Some(choice), None | Some(0), Some(_)) = (thought, counted, &seen.chat.usage) {
        out.add(&W118, Spot::whole().choice(choice.index), "thinking that is not counted", "reasoning_tokens over 0");
    }
}

/// Thinking after content, unless a call stands between: then a new part of the answer began.
fn order(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.streamed()
        || seen.chat.clocks.first_reasoning_us.is_none() && seen.chat.choices.iter().all(|c| c.reasoning.is_none())
    {
        return;
    }
    let mut spoken: Vec<i64> = Vec::new();
    for frame in seen.frames {
        let Some(choices) = frame.value().and_then(|value| value.get("choices")?.as_array()) else { continue };
        for choice in choices {
            let index = choice.get("index").and_then(Value::as_i64).unwrap_or(0);
            let Some(delta) = choice.get("delta") else { continue };
            let thinks = NAMES.iter().any(|name| delta.get(name).is_some_and(Value::is_truthy));
            if thinks && spoken.contains(&index) {
                let spot = Spot::event(frame.number).choice(index);
                return out.add(&W113, spot, "thinking after content", "thinking before the content of its part");
            }
            if delta.get("tool_calls").is_some_and(Value::is_truthy) {
                spoken.retain(|known| *known != index);
            }
            // Blank lines between the two belong to neither.
            let says = delta.get("content").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
            if says && !spoken.contains(&index) {
                spoken.push(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::contract::{Context, judge};
    use crate::wire::{Reading, Request, reply_of};

    #[track_caller]
    fn check(thought: &str, content: &str, repeats: bool) {
        let message = json!({"role": "assistant", "reasoning_content": thought, "content": content});
        let reply = json!({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]});
        let mut exchange = reply_of(200, "application/json", reply.to_string().as_bytes());
        exchange.request = Request::post_json("/v1/chat/completions", &json!({"messages": []}));
        let reading = Reading::of(&exchange);
        let findings = judge(&reading, &reading.chat(), &Context::default()).findings;
        assert_eq!(findings.iter().any(|finding| finding.rule.id == "W114"), repeats, "{thought:?} {content:?}");
    }

    #[test]
    fn a_copied_thought_has_the_answer_behind_it() {
        let thought = "The user asks about France.\n";
        check(thought, "The user asks about France. The capital is Paris.", true);
        check(thought, "The capital is Paris.", false);
        check(thought, "The user asks about France.", false);
        check("Paris", "Paris is the capital.", false);
    }
}
