//! What responses say of each other: previous ones, stored ones, histories of calls, whole and streamed.

use serde_json::Value;

use crate::contract::asked::Call;
use crate::contract::finding::{Finding, Findings, Spot};
use crate::contract::rule::Severity;
use crate::contract::rule::{Rule, Scope, Surface};
use crate::contract::seen::Seen;
use crate::contract::trace::Trace;
use crate::wire::responses::{ItemKind, PartKind};

/// The rules of this topic.
pub(in crate::contract) static RULES: &[&Rule] = &[&W143, &W144, &W145, &W146, &W147, &W148];

pub(in crate::contract) static W143: Rule = Rule {
    id: "W143",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "a response that goes on from a previous one knows it, or the request is refused",
    why: "an answer without its context is a wrong answer that looks right",
    source: "OpenAI API reference, previous_response_id; Ollama ignores it",
    breaks: r#"200 with "previous_response_id":null where one was sent"#,
};

pub(in crate::contract) static W144: Rule = Rule {
    id: "W144",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "a previous response that does not exist is refused",
    why: "the conversation is lost in silence",
    source: "OpenAI API reference: 404; Ollama answers",
    breaks: r#"200 for "previous_response_id":"resp_none""#,
};

pub(in crate::contract) static W145: Rule = Rule {
    id: "W145",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a history of calls and their results is taken as input, without stored state",
    why: "tools cannot be used on a server that keeps nothing",
    source: "OpenAI API reference, function calling",
    breaks: "400 for a function_call with its function_call_output",
};

pub(in crate::contract) static W146: Rule = Rule {
    id: "W146",
    surface: Surface::Responses,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "instructions of an earlier response are not those of the next",
    why: "orders for one answer rule the next",
    source: "OpenAI API reference, instructions",
    breaks: r#""instructions" in a response to a request that has none"#,
};

pub(in crate::contract) static W147: Rule = Rule {
    id: "W147",
    surface: Surface::Responses,
    severity: Severity::Dialect,
    scope: Scope::Scenario,
    statement: "a response that was not to be stored cannot be fetched or gone on from",
    why: "what was to be forgotten was kept",
    source: "OpenAI API reference, store",
    breaks: "store: false, and then 200 for GET /v1/responses/{id}",
};

pub(in crate::contract) static W148: Rule = Rule {
    id: "W148",
    surface: Surface::Responses,
    severity: Severity::Violation,
    scope: Scope::Scenario,
    statement: "a text beside a call comes whole as it comes streamed",
    why: "what the model said before its call is lost to one half of the callers",
    source: "openresponses, specification; Ollama drops it from whole replies",
    breaks: "a message and a call in the stream, and only the call in the whole reply",
};

/// What is kept of a response, and of the request for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// `previous_response_id` of the request.
    pub previous: Option<String>,
    /// Whether the request said `store: false`.
    pub unstored: bool,
    /// Whether the request has nothing but its input that costs tokens: no instructions, no tools.
    pub plain: bool,
    /// Whether a message with text is in the output.
    pub has_text: bool,
    /// Whether a call is in the output.
    pub has_call: bool,
}

impl Told {
    /// Keeps what matters of an exchange; `None` where it is none that makes a response.
    pub(in crate::contract) fn of(seen: &Seen<'_>) -> Option<Self> {
        let reply = seen.responses.filter(|_| seen.call == Call::Responses)?;
        let body = seen.asked.body.as_ref()?;
        let text = |item: &&crate::wire::responses::OutputItem| {
            item.kind == ItemKind::Message && !item.text_of(PartKind::Text).trim().is_empty()
        };
        Some(Self {
            previous: body.get("previous_response_id").and_then(Value::as_str).map(str::to_owned),
            unstored: body.get("store").and_then(Value::as_bool) == Some(false),
            plain: body.get("instructions").is_none_or(Value::is_null) && seen.asked.tools.is_empty(),
            has_text: reply.output.iter().any(|item| text(&item)),
            has_call: reply.calls().next().is_some(),
        })
    }
}

/// Checks one exchange: what the response says of the one before it, and whether a history is taken.
pub(in crate::contract) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let (Call::Responses, Some(body)) = (&seen.call, &seen.asked.body) else { return };
    history(seen, body, out);
    let response = seen.responses.and_then(|reply| reply.response.as_ref()).filter(|_| seen.is_success() && !seen.cut_by_us());
    let Some(response) = response else { return };
    let path = |key: &str| if seen.streamed() { format!("response.{key}") } else { key.to_owned() };
    let spot = |key: &str| Spot { event: Some(response.event).filter(|event| *event > 0), ..Spot::whole().path(path(key)) };
    if let Some(previous) = body.get("previous_response_id").and_then(Value::as_str)
        && response.previous.as_deref() != Some(previous)
    {
        let found =
            format!("previous_response_id {previous:?} was sent, and the response has {:?}", response.previous.as_deref());
        out.add(&W143, spot("previous_response_id"), found, "the response before it, or a status of 4xx");
    }
    let unsaid = body.get("instructions").is_none_or(Value::is_null) && body.get("prompt").is_none_or(Value::is_null);
    if let Some(instructions) = response.instructions.as_deref().filter(|text| unsaid && !text.is_empty()) {
        out.add(&W146, spot("instructions"), format!("the instructions {instructions:?}, which were not sent"), "null");
    }
}

/// Keys that every server takes, in a request that is refused for its history and nothing else.
const PLAIN: &[&str] = &["model", "input", "instructions", "tools", "temperature", "max_output_tokens", "stream", "store"];

/// Longest input that fits every context. **Units**: bytes.
const SHORT: usize = 4096;

fn history(seen: &Seen<'_>, body: &Value, out: &mut Findings<'_>) {
    let kind = |item: &Value, wanted: &str| item.get("type").and_then(Value::as_str) == Some(wanted);
    let items = body.get("input").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let paired =
        items.iter().any(|item| kind(item, "function_call")) && items.iter().any(|item| kind(item, "function_call_output"));
    let plain = body.as_object().is_some_and(|body| body.keys().all(|key| PLAIN.contains(&key.as_str())));
    let refused = seen.exchange.status.filter(|status| matches!(status, 400 | 422 | 500));
    let short = seen.exchange.request.body.as_ref().is_some_and(|body| body.len() <= SHORT);
    if let Some(status) = refused.filter(|_| paired && plain && short && seen.asked.mistakes.is_empty()) {
        let found = format!("status {status} for a history with a call and its result");
        out.add(&W145, Spot::whole(), found, "an answer that knows the result");
    }
}

/// Checks the exchanges of one scenario against each other.
pub(in crate::contract) fn across(traces: &[Trace], out: &mut Vec<Finding>) {
    for (place, later) in traces.iter().enumerate() {
        let earlier = &traces[..place];
        if let Some(Call::Response(id)) = &later.call
            && is_success(later)
        {
            stored(earlier, id, later, out);
        }
        let Some(told) = &later.told else { continue };
        if let Some(previous) = told.previous.as_deref().filter(|_| is_success(later)) {
            gone_on(earlier, previous, later, told, out);
            stored(earlier, previous, later, out);
        }
        for before in earlier.iter().filter(|before| before.told.is_some()) {
            both_ways(before, later, out);
        }
    }
}

fn is_success(trace: &Trace) -> bool {
    trace.status.is_some_and(|status| (200..300).contains(&status))
}

fn gone_on(earlier: &[Trace], previous: &str, later: &Trace, told: &Told, out: &mut Vec<Finding>) {
    let before = earlier.iter().find(|trace| trace.id.as_deref() == Some(previous));
    let Some(before) = before else {
        let found = format!("an answer that goes on from {previous:?}, which no response of the scenario is");
        return out.push(Finding::across(&W144, later.exchange, found, "status 404, or another of 4xx"));
    };
    let was_plain = before.told.as_ref().is_some_and(|before| before.plain);
    if let (Some(then), Some(now)) = (before.prompt_tokens, later.prompt_tokens)
        && was_plain
        && told.plain
        && later.complete
        && now <= then
    {
        let found = format!("{now} input tokens, and {then} for the response that it goes on from");
        out.push(Finding::across(&W143, later.exchange, found, "the tokens of both, or a status of 4xx"));
    }
}

fn stored(earlier: &[Trace], id: &str, later: &Trace, out: &mut Vec<Finding>) {
    let of = |trace: &&Trace| trace.id.as_deref() == Some(id) && trace.told.as_ref().is_some_and(|told| told.unstored);
    if earlier.iter().any(|trace| of(&trace)) {
        let found = format!("the response {id:?} was not to be stored, and it is there");
        out.push(Finding::across(&W147, later.exchange, found, "status 404, or another of 4xx"));
    }
}

/// The same request whole and streamed: a text beside a call is in both.
fn both_ways(before: &Trace, later: &Trace, out: &mut Vec<Finding>) {
    let same = before.settings == later.settings && before.messages == later.messages && before.streamed != later.streamed;
    let (Some(one), Some(other)) = (&before.told, &later.told) else { return };
    if same
        && before.greedy
        && before.complete
        && later.complete
        && one.has_call
        && other.has_call
        && one.has_text != other.has_text
    {
        let words = |streamed: bool| if streamed { "streamed" } else { "whole" };
        let with = if one.has_text { before.streamed } else { later.streamed };
        let found = format!("a text beside the call when {}, and none when {}", words(with), words(!with));
        out.push(Finding::across(&W148, later.exchange, found, "the same items both ways"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ExchangeId;

    fn trace(number: u64, id: &str, tokens: u64, told: Told) -> Trace {
        Trace {
            exchange: ExchangeId(number),
            call: Some(Call::Responses),
            status: Some(200),
            complete: true,
            greedy: true,
            id: Some(id.to_owned()),
            prompt_tokens: Some(tokens),
            told: Some(told),
            ..Trace::default()
        }
    }

    fn after(id: &str) -> Told {
        Told { previous: Some(id.to_owned()), plain: true, ..Told::default() }
    }

    #[track_caller]
    fn check(traces: &[Trace], expect: &[&str]) {
        let mut found = Vec::new();
        across(traces, &mut found);
        assert_eq!(found.iter().map(|finding| finding.rule.id).collect::<Vec<_>>(), expect, "{found:?}");
    }

    #[test]
    fn a_previous_response_is_known_and_its_context_counts() {
        let first = || trace(1, "a", 20, Told { plain: true, ..Told::default() });
        check(&[first(), trace(2, "b", 35, after("a"))], &[]);
        check(&[first(), trace(2, "b", 20, after("a"))], &["W143"]);
        check(&[first(), trace(2, "b", 35, after("none"))], &["W144"]);
        check(&[first(), Trace { status: Some(404), ..trace(2, "b", 0, after("none")) }], &[]);
        // Instructions of the first one cost tokens, and are not those of the next.
        check(&[trace(1, "a", 20, Told::default()), trace(2, "b", 12, after("a"))], &[]);
    }

    #[test]
    fn what_was_not_to_be_stored_is_gone() {
        let unstored = || trace(1, "a", 20, Told { unstored: true, plain: true, ..Told::default() });
        let got = |status: u16| Trace { status: Some(status), call: Some(Call::Response("a".to_owned())), ..Trace::default() };
        check(&[unstored(), got(200)], &["W147"]);
        check(&[unstored(), got(404)], &[]);
        check(&[trace(1, "a", 20, Told::default()), got(200)], &[]);
        check(&[unstored(), trace(2, "b", 35, after("a"))], &["W147"]);
    }

    #[test]
    fn a_text_beside_a_call_comes_both_ways() {
        let told = |has_text: bool| Told { has_text, has_call: true, ..Told::default() };
        let streamed = |told: Told| Trace { streamed: true, ..trace(2, "b", 20, told) };
        check(&[trace(1, "a", 20, told(true)), streamed(told(true))], &[]);
        check(&[trace(1, "a", 20, told(false)), streamed(told(true))], &["W148"]);
        check(&[trace(1, "a", 20, told(false)), trace(2, "b", 20, told(true))], &[]);
    }
}
