//! Does usage add up, within itself and with what came and was asked?

use super::finding::{Findings, Spot};
use super::json;
use super::reasoning::W117;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;
use crate::wire::{Choice, Usage};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W029, &W030, &W031, &W032, &W033, &W034, &W240, &W241, &W242];

pub(super) static W029: Rule = Rule {
    id: "W029",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "usage is there with three whole numbers, none below 0; absent is dialect",
    why: "bills and budgets are computed from it",
    source: "OpenAI API reference, CompletionUsage; mlx-openai-server may leave it out",
    breaks: r#""usage":{"prompt_tokens":"37","completion_tokens":8.0,"total_tokens":null}"#,
};

pub(super) static W030: Rule = Rule {
    id: "W030",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "total_tokens is prompt_tokens plus completion_tokens",
    why: "bills by parts and by total differ",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":37,"completion_tokens":8,"total_tokens":46"#,
};

pub(super) static W031: Rule = Rule {
    id: "W031",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "completion_tokens is over 0 if there is any text, reasoning or call",
    why: "an answer that costs nothing was not counted",
    source: "OpenAI API reference; older Ollama streams",
    breaks: r#""completion_tokens":0 beside "content":"Paris""#,
};

pub(super) static W032: Rule = Rule {
    id: "W032",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "completion_tokens is within the bound that was asked",
    why: "budgets are overrun, and slots held longer than planned",
    source: "OpenAI API reference, max_completion_tokens; ignored by Ollama",
    breaks: "max_tokens: 4 answered with 18 tokens",
};

pub(super) static W033: Rule = Rule {
    id: "W033",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer that reached its bound and was cut finishes with length",
    why: "callers take half an answer for a whole one",
    source: "OpenAI API reference, finish_reason; mlx-openai-server never says length",
    breaks: r#"max_tokens: 24, completion_tokens: 24, "The fox ran into the", finish_reason: stop"#,
};

pub(super) static W034: Rule = Rule {
    id: "W034",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "every detail of usage is a whole number from 0 to its parent",
    why: "parts that exceed the whole make every report wrong",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":37,"prompt_tokens_details":{"cached_tokens":38}"#,
};

pub(super) static W240: Rule = Rule {
    id: "W240",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "completion_tokens and the text can belong together: a token holds 1 to 128 bytes",
    why: "text was added, lost or doubled behind the counter",
    source: "tokenisers of all known models; a layer that drops or repeats text",
    breaks: r#""content":"Hi" for 350 tokens without any reasoning"#,
};

pub(super) static W241: Rule = Rule {
    id: "W241",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "prompt_tokens is over 0, and not far below the words of the prompt",
    why: "a token holds a word or less, so something was not counted",
    source: "OpenAI API reference, CompletionUsage",
    breaks: r#""prompt_tokens":0"#,
};

pub(super) static W242: Rule = Rule {
    id: "W242",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an answer that finished with length used up its bound, or the context",
    why: "a finish reason of length without a reason hides where the text went",
    source: "OpenAI API reference, finish_reason",
    breaks: "max_tokens: 64, completion_tokens: 8, finish_reason: length",
};

/// The usage of a whole reply or of an event.
fn usage<'v, 't>(event: Option<u64>, value: &'v Value<'t>) -> Option<(Spot, &'v Value<'t>)> {
    let raw = value.get("usage").filter(|usage| !usage.is_null())?;
    Some((event.map_or_else(Spot::whole, Spot::event), raw))
}

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() || seen.chat.error.is_some() || seen.chat.choices.is_empty() {
        return;
    }
    let all: Vec<(Spot, &Value)> = match &seen.body {
        Some(Ok(parsed)) => usage(None, &parsed.value).into_iter().collect(),
        _ => seen.frames.iter().filter_map(|frame| usage(Some(frame.number), frame.value()?)).collect(),
    };
    for (spot, raw) in &all {
        if !raw.is_object() {
            out.add(&W029, spot.clone().path("usage"), format!("`usage` is {}", json::kind(raw)), "an object");
            continue;
        }
        types(raw, spot, out);
        details(raw, spot, out);
        sums(raw, spot, out);
    }
    let Some(usage) = &seen.chat.usage else {
        if !seen.streamed() && all.is_empty() {
            out.weigh(&W029, Severity::Dialect, spot(seen, ""), "no usage came", "usage with three counts");
        }
        return;
    };
    prompt(usage, seen, out);
    if let Some(completion) = usage.completion {
        produced(completion, usage, seen, out);
        bound(completion, usage, seen, out);
    }
}

/// The event with the last usage, or the whole body.
fn spot(seen: &Seen<'_>, key: &str) -> Spot {
    let path = if key.is_empty() { "usage".to_owned() } else { format!("usage.{key}") };
    let last = seen.frames.iter().rev().find(|frame| {
        let usage = frame.value().and_then(|value| value.get("usage"));
        usage.is_some_and(|usage| !usage.is_null())
    });
    last.map_or_else(Spot::whole, |frame| Spot::event(frame.number)).path(path)
}

/// A place below usage.
fn below(spot: &Spot, key: &str) -> Spot {
    spot.clone().path(format!("usage.{key}"))
}

fn types(raw: &Value<'_>, spot: &Spot, out: &mut Findings<'_>) {
    for key in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        let found = match raw.get(key) {
            Some(value) if value.is_u64() => continue,
            Some(value) => format!("`{key}` is {}", json::kind(value)),
            None => format!("`{key}` is missing"),
        };
        out.add(&W029, below(spot, key), found, "a whole number, not below 0");
    }
}

fn details(raw: &Value<'_>, spot: &Spot, out: &mut Findings<'_>) {
    for (group, parent) in [("prompt_tokens_details", "prompt_tokens"), ("completion_tokens_details", "completion_tokens")] {
        let most = raw.get(parent).and_then(Value::as_u64);
        let Some(details) = raw.get(group).filter(|details| !details.is_null()) else { continue };
        let Some(details) = details.as_object() else {
            out.add(&W034, below(spot, group), json::kind(details), "an object or null");
            continue;
        };
        for (key, value) in details.iter().filter(|(key, value)| key.ends_with("_tokens") && !value.is_null()) {
            let over = value.as_u64().zip(most).filter(|(count, most)| count > most);
            let rule = if key == "reasoning_tokens" && value.is_u64() { &W117 } else { &W034 };
            let found = format!("`{key}` is {}, `{parent}` is {}", json::kind(value), most.unwrap_or_default());
            if over.is_some() || !value.is_u64() {
                out.add(rule, below(spot, &format!("{group}.{key}")), found, format!("a whole number from 0 to {parent}"));
            }
        }
    }
}

fn sums(raw: &Value<'_>, spot: &Spot, out: &mut Findings<'_>) {
    let count = |key: &str| raw.get(key).and_then(Value::as_u64);
    if let (Some(prompt), Some(completion), Some(total)) =
        (count("prompt_tokens"), count("completion_tokens"), count("total_tokens"))
        && prompt.checked_add(completion) != Some(total)
    {
        let found = format!("{prompt} and {completion} are not {total}");
        out.add(&W030, below(spot, "total_tokens"), found, format!("{}", prompt.saturating_add(completion)));
    }
}

/// Words that one token of the prompt may hold at most; no known vocabulary comes near it.
const WORDS: usize = 4;

fn prompt(usage: &Usage, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(count) = usage.prompt else { return };
    let messages = seen.asked.body.as_ref().and_then(|body| body.get("messages")?.as_array());
    let texts = messages.into_iter().flatten().filter_map(|message| message.get("content")?.as_str());
    let words: usize = texts.map(|text| text.split_whitespace().count()).sum();
    if count == 0 || count < (words / WORDS) as u64 + 1 {
        let found = format!("a prompt of {words} words and {count} tokens");
        out.add(&W241, spot(seen, "prompt_tokens"), found, "the tokens of the prompt");
    }
}

/// Bytes that a choice brought, whatever they were.
fn weight(choice: &Choice) -> usize {
    let texts = [&choice.content, &choice.reasoning, &choice.refusal];
    let said: usize = texts.into_iter().flatten().map(String::len).sum();
    said + choice.tool_calls.iter().map(|call| call.arguments.len() + call.name.as_ref().map_or(0, String::len)).sum::<usize>()
}

fn produced(completion: u64, usage: &Usage, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let bytes: usize = seen.chat.choices.iter().map(weight).sum();
    if completion == 0 && bytes > 0 {
        out.add(&W031, spot(seen, "completion_tokens"), format!("no tokens for {bytes} bytes"), "the tokens that were produced");
        return;
    }
    // Some servers count one choice of many; calls lose their markup, stop texts their tokens, hidden thoughts all of them.
    let plain = seen.chat.choices.len() == 1
        && seen.chat.tool_calls().is_empty()
        && seen.asked.tools.is_empty()
        && seen.asked.stop.is_empty()
        && usage.detail("completion_tokens_details.reasoning_tokens").unwrap_or(0) == 0
        && seen.chat.first().is_some_and(|choice| choice.reasoning.is_none());
    let finished = seen.chat.first().is_some_and(|choice| choice.finish_reason.as_deref() == Some("stop"));
    let (few, many) = (bytes as u64 > completion.saturating_mul(128), completion > bytes as u64 + 16);
    if plain && bytes > 0 && (few || (many && finished)) {
        let found = format!("{completion} tokens for {bytes} bytes of text");
        out.add(&W240, spot(seen, "completion_tokens"), found, "text and count of one answer");
    }
}

fn bound(completion: u64, usage: &Usage, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some((key, bound)) = seen.asked.bound else { return };
    let many = seen.asked.n.unwrap_or(1).max(seen.chat.choices.len() as u64).max(1);
    if completion > bound.saturating_mul(many) {
        let found = format!("{completion} tokens where {key} is {bound}");
        return out.add(&W032, spot(seen, "completion_tokens"), found, format!("at most {}", bound.saturating_mul(many)));
    }
    let (1, [choice]) = (many, seen.chat.choices.as_slice()) else { return };
    let finish = choice.finish_reason.as_deref();
    let place = || {
        let at = Spot::whole().choice(choice.index);
        if seen.streamed() { at } else { at.path(format!("choices[{}].finish_reason", choice.index)) }
    };
    if finish == Some("stop") && completion == bound && seen.asked.stop.is_empty() && is_cut(choice, completion) {
        let found = format!("{completion} tokens, which is {key}, and the text stops in the middle");
        out.add(&W033, place(), found, "\"length\"");
    }
    // No server has a context as small as this: only the bound could have cut it.
    let small = usage.total.is_some_and(|total| total < 256);
    if finish == Some("length") && completion + 1 < bound && small {
        let found = format!("length after {completion} tokens where {key} is {bound}");
        out.add(&W242, place(), found, "\"stop\", or as many tokens as were allowed");
    }
}

/// Whether an answer at its bound stopped in the middle. One that ended there by itself ends like a text; a short one may
/// be a word. Where each token came as a piece, none was left for the end of the answer.
pub(super) fn is_cut(choice: &Choice, completion: u64) -> bool {
    let Some(text) = choice.content.as_deref().map(str::trim_end).filter(|_| choice.tool_calls.is_empty()) else { return false };
    let open = text.chars().next_back().is_some_and(|last| last.is_alphanumeric() || ",-(".contains(last));
    let words = text.split_whitespace().count();
    let pieces = choice.content_pieces == completion && completion > 1;
    pieces || (open && words > 2 && !text.contains('\n') && !text.starts_with(|first: char| first.is_ascii_digit()))
}
