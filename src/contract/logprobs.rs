//! Are log probabilities there where they were asked for, and are they any?

use serde_json::Value;

use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use super::stream::W072;
use crate::wire::Choice;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W038, &W039, &W230, &W231, &W232];

pub(super) static W038: Rule = Rule {
    id: "W038",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "asked-for log probabilities are there: each at most 0, its bytes 0 to 255 or null; a list that is absent is dialect",
    why: "callers that rank or filter by probability compute nonsense",
    source: "OpenAI API reference, logprobs; mlx_lm.server has a shape of its own",
    breaks: r#""logprobs":{"content":[{"token":"Hi","logprob":1.5}]}"#,
};

pub(super) static W039: Rule = Rule {
    id: "W039",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no token has more alternatives than were asked",
    why: "callers size their tables by what they asked",
    source: "OpenAI API reference, top_logprobs",
    breaks: "top_logprobs: 2 answered with three",
};

pub(super) static W230: Rule = Rule {
    id: "W230",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the `bytes` of a token are those of its text, unless the token is part of a character",
    why: "callers join the bytes to text and get another answer",
    source: "OpenAI API reference, logprobs",
    breaks: r#""token":"Hi","bytes":[72]"#,
};

pub(super) static W231: Rule = Rule {
    id: "W231",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "log probabilities come only where they were asked for",
    why: "they make a reply many times as long",
    source: "OpenAI API reference",
    breaks: r#""logprobs":{"content":[…]} without logprobs: true"#,
};

pub(super) static W232: Rule = Rule {
    id: "W232",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the tokens with their log probabilities join to the content, but for stop and special tokens",
    why: "probabilities that belong to another text mislead",
    source: "OpenAI API reference, logprobs",
    breaks: r#""content":"Paris" with the tokens "Lon" and "don""#,
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() || seen.chat.error.is_some() {
        return;
    }
    for choice in &seen.chat.choices {
        let list = choice.logprobs.as_ref().and_then(|logprobs| logprobs.get("content")).and_then(Value::as_array);
        let some = list.is_some_and(|list| !list.is_empty());
        let spot = || Spot::whole().choice(choice.index).path(format!("choices[{}].logprobs", choice.index));
        if !seen.asked.logprobs {
            if some && seen.asked.top_logprobs.is_none() {
                out.add(&W231, spot(), "log probabilities that were not asked for", "null");
            }
            continue;
        }
        if choice.logprobs.as_ref().is_some_and(|logprobs| !logprobs.is_object() && !logprobs.is_null()) {
            out.add(&W038, spot(), "no object", "an object with `content`, or null");
        }
        let inner = choice.logprobs.as_ref().and_then(|logprobs| logprobs.get("content"));
        if let Some(other) = inner.filter(|inner| !inner.is_array() && !inner.is_null()) {
            out.add(&W038, spot(), format!("`content` is {}", json::kind(&other.into())), "a list or null");
        }
        let text = choice.content.as_deref().is_some_and(|text| !text.is_empty());
        match list {
            Some(list) if some => items(list, choice, seen, out),
            _ if text && seen.streamed() => out.add(&W072, spot(), "none in any chunk", "a list with every piece"),
            _ if text => out.weigh(&W038, Severity::Dialect, spot(), "none came", "one item for each token"),
            _ => {}
        }
    }
}

fn items(list: &[Value], choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let most = seen.asked.top_logprobs.unwrap_or(0);
    let base = format!("choices[{}].logprobs.content", choice.index);
    let mut joined = Some(Vec::new());
    for (place, item) in list.iter().enumerate() {
        let spot = |key: &str| Spot::whole().choice(choice.index).path(format!("{base}[{place}]{key}"));
        let token = one(item, &|key| spot(key), out);
        match (token, &mut joined) {
            (Some(token), Some(joined)) => joined.extend_from_slice(&token),
            _ => joined = None,
        }
        let others = item.get("top_logprobs").filter(|others| !others.is_null());
        if let Some(other) = others.filter(|others| !others.is_array()) {
            out.add(&W038, spot(".top_logprobs"), format!("`top_logprobs` is {}", json::kind(&other.into())), "a list");
        }
        let others = others.and_then(Value::as_array);
        if let Some(others) = others {
            // The token itself may stand beside those that were asked for.
            if others.len() as u64 > most.max(1) {
                let found = format!("{} alternatives", others.len());
                out.add(&W039, spot(".top_logprobs").path(format!("{base}[].top_logprobs")), found, format!("at most {most}"));
            }
            for other in others {
                one(other, &|key| spot(&format!(".top_logprobs{key}")), out);
            }
        }
    }
    let content = choice.content.as_deref().unwrap_or_default().trim();
    if let Some(joined) = joined {
        let tokens = String::from_utf8_lossy(&joined);
        let tokens = tokens.trim();
        let apart = !tokens.contains('\u{0120}') && !tokens.contains(content) && !content.contains(tokens);
        if apart && choice.tool_calls.is_empty() && choice.reasoning.is_none() && !tokens.contains('\u{FFFD}') {
            let found = format!("the tokens say {tokens:?}");
            out.add(&W232, Spot::whole().choice(choice.index).path(base), found, format!("{content:?}"));
        }
    }
}

/// Checks one item; returns the bytes of its token.
fn one(item: &Value, spot: &dyn Fn(&str) -> Spot, out: &mut Findings<'_>) -> Option<Vec<u8>> {
    let token = item.get("token").and_then(Value::as_str);
    match item.get("token") {
        Some(Value::String(_)) => {}
        None => out.weigh(&W038, Severity::Dialect, spot(""), "an item without `token`", "token, logprob, bytes, top_logprobs"),
        Some(other) => out.add(&W038, spot(".token"), format!("the token is {}", json::kind(&other.into())), "a string"),
    }
    match item.get("logprob").map(|value| (value, value.as_f64())) {
        Some((_, Some(probability))) if probability <= 0.0 => {}
        Some((value, _)) => {
            out.add(&W038, spot(".logprob"), format!("`logprob` is {}", json::kind(&value.into())), "a number, at most 0");
        }
        None => out.add(&W038, spot(""), "an item without `logprob`", "a number, at most 0"),
    }
    let bytes = match item.get("bytes") {
        None | Some(Value::Null) => None,
        Some(Value::Array(list)) => {
            let bytes: Option<Vec<u8>> = list.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect();
            if bytes.is_none() {
                out.add(&W038, spot(".bytes"), "`bytes` holds something else", "numbers from 0 to 255, or null");
            }
            bytes.filter(|bytes| !bytes.is_empty())
        }
        Some(other) => {
            out.add(&W038, spot(".bytes"), format!("`bytes` is {}", json::kind(&other.into())), "a list or null");
            None
        }
    };
    let token = token?;
    let named = token.starts_with("token_id:");
    let bytes = match (bytes, std::str::from_utf8(token.as_bytes())) {
        (Some(bytes), _) => {
            let whole = std::str::from_utf8(&bytes).is_ok() && !token.contains('\u{FFFD}') && !named;
            if whole && bytes != token.as_bytes() {
                let found = format!("the token is {token:?}, its bytes are {:?}", String::from_utf8_lossy(&bytes));
                out.add(&W230, spot(".bytes"), found, "the bytes of the token");
            }
            bytes
        }
        (None, _) if named => return None,
        (None, _) => token.as_bytes().to_vec(),
    };
    Some(bytes)
}
