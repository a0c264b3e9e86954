//! Does a chat stream end as it should: finish reasons, errors, usage, and nothing after them?

use super::asked::Call;
use super::chat_body::REASONS;
use super::finding::{Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] =
    &[&W058, &W059, &W061, &W062, &W063, &W064, &W065, &W066, &W067, &W071, &W261, &W262, &W264, &W266];

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
    statement: "under include_usage the usage stands on one chunk of its own with empty choices",
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

pub(super) static W261: Rule = Rule {
    id: "W261",
    surface: Surface::Stream,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a piece of text is what is new, not all of the text so far",
    why: "clients join the pieces and show the beginning again and again",
    source: "OpenAI API reference, delta; other APIs send the text so far",
    breaks: r#""content":"The", then "The capital", then "The capital of""#,
};

pub(super) static W262: Rule = Rule {
    id: "W262",
    surface: Surface::Stream,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a stream brings no more pieces of text than completion_tokens",
    why: "pieces were added, doubled or lost on the way",
    source: "usage counts tokens; a piece holds at least a part of one",
    breaks: "nine deltas with text for completion_tokens: 8",
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

/// An answer of nothing at all to a request for a stream, under the label of one.
pub(super) fn empty(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let chat = seen.call == Call::Chat && seen.is_success() && seen.exchange.is_event_stream();
    if chat && seen.exchange.body.is_empty() && !seen.cut_by_us() {
        out.add(&W266, Spot::whole(), "an empty body", "an answer, or an error");
    }
}

/// How a stream went, as far as its end needs it.
#[derive(Default)]
pub(super) struct Flow<'f> {
    /// The event of the first error.
    error: Option<u64>,
    /// Choices with their finish.
    choices: Vec<Ending<'f>>,
    /// Event, usage, and whether choices stood beside it.
    usages: Vec<(u64, &'f Value<'f>, bool)>,
    /// Events that finish a choice after an error, or bring more after its finish.
    late: Vec<Late>,
    /// Whether anything of an answer came before the first error.
    answered: bool,
    /// The last event that brought a part of an answer or finished one.
    last: u64,
}

struct Ending<'f> {
    index: i64,
    finish: Option<&'f str>,
    /// The last piece of text, whether each began with the one before, and how many were longer.
    piece: &'f str,
    so_far: bool,
    grown: u64,
}

/// What came too late, at which event, for which choice.
enum Late {
    Repeated(u64, i64, String),
    Empty(u64, i64),
    More(u64, i64),
    Idle(u64, i64),
    AfterError(u64, i64),
}

impl<'f> Flow<'f> {
    pub(super) fn error(&mut self, number: u64) {
        self.error.get_or_insert(number);
    }

    pub(super) fn usage(&mut self, number: u64, frame: &'f Value<'f>) {
        if let Some(usage) = frame.get("usage").filter(|usage| !usage.is_null()) {
            let beside = frame.get("choices").and_then(Value::as_array).is_some_and(|choices| !choices.is_empty());
            self.usages.push((number, usage, beside));
        }
    }

    /// Takes a choice of a chunk; `brings` says whether its delta holds a part of the answer.
    pub(super) fn choice(&mut self, number: u64, index: i64, choice: &'f Value<'f>, brings: bool) {
        let with_usage = self.usages.last().is_some_and(|(event, ..)| *event == number);
        self.answered |= brings && self.error.is_none();
        let at = self.choices.iter().position(|known| known.index == index).unwrap_or_else(|| {
            self.choices.push(Ending { index, finish: None, piece: "", so_far: true, grown: 0 });
            self.choices.len() - 1
        });
        let ending = &mut self.choices[at];
        let content = choice.get("delta").and_then(|delta| delta.get("content")?.as_str()).filter(|text| !text.is_empty());
        if let Some(piece) = content {
            ending.grown += u64::from(piece.len() > ending.piece.len());
            ending.so_far &= piece.starts_with(ending.piece);
            ending.piece = piece;
        }
        let finishes = choice.get("finish_reason").is_some_and(Value::is_string);
        if brings || finishes {
            self.last = number;
        }
        if !brings && !finishes && !with_usage && ending.finish.is_some() {
            self.late.push(Late::Idle(number, index));
        }
        if brings && ending.finish.is_some() {
            self.late.push(Late::More(number, index));
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            None => {}
            Some("") => self.late.push(Late::Empty(number, index)),
            Some(_) if self.error.is_some() => self.late.push(Late::AfterError(number, index)),
            Some(reason) => match ending.finish {
                Some(first) => self.late.push(Late::Repeated(number, index, format!("{reason:?} after {first:?}"))),
                None => ending.finish = Some(reason),
            },
        }
    }
}

/// Checks the end of a chat stream.
pub(super) fn check(seen: &Seen<'_>, flow: &Flow<'_>, out: &mut Findings<'_>) {
    finishes(seen, flow, out);
    if let Some(number) = flow.error {
        errors(number, seen, flow, out);
    } else {
        usages(seen, flow, out);
    }
    for choice in &seen.chat.choices {
        let text = choice.content.as_deref().unwrap_or_default();
        if choice.content_pieces == 1 && text.len() > 400 {
            out.add(&W071, Spot::whole().choice(choice.index), format!("{} bytes in one piece", text.len()), "a piece a token");
        }
    }
}

fn finishes(seen: &Seen<'_>, flow: &Flow<'_>, out: &mut Findings<'_>) {
    const PATH: &str = "choices[0].finish_reason";
    for late in &flow.late {
        match late {
            Late::Repeated(number, index, words) => {
                out.add(&W058, Spot::event(*number).choice(*index).path(PATH), words.clone(), "one reason for each choice");
            }
            Late::Empty(number, index) => {
                out.add(&W058, Spot::event(*number).choice(*index).path(PATH), "an empty reason", "null, or a reason");
            }
            Late::More(number, index) => {
                let spot = Spot::event(*number).choice(*index).path("choices[0].delta");
                out.add(&W059, spot, "more came after the choice finished", "nothing");
            }
            Late::Idle(number, index) => {
                let spot = Spot::event(*number).choice(*index).path("choices[0]");
                out.weigh(&W059, Severity::Dialect, spot, "the choice came again after it finished", "nothing");
            }
            Late::AfterError(number, index) => {
                let spot = Spot::event(*number).choice(*index).path(PATH);
                out.add(&W062, spot, "the choice finishes after an error", "the end of the stream");
            }
        }
    }
    for ending in &flow.choices {
        if ending.so_far && ending.grown > 3 {
            let spot = Spot::whole().choice(ending.index);
            out.add(&W261, spot, "each piece begins with the one before", "what is new since the piece before");
        }
        match ending.finish {
            Some(reason) if !REASONS.contains(&reason) => {
                let spot = Spot::whole().choice(ending.index).path("finish_reason");
                out.add(&W058, spot, format!("the reason {reason:?}"), REASONS.join(", "));
            }
            None if flow.error.is_none() && !seen.cut_by_us() => {
                let end = seen.exchange.body.len();
                let spot = Spot::whole().choice(ending.index).bytes(end.saturating_sub(160)..end);
                out.add(&W061, spot, "the stream ended before the choice finished", "a finish reason, or an error");
            }
            _ => {}
        }
    }
    if flow.choices.is_empty() && flow.error.is_none() && seen.chat.error.is_none() && !seen.cut_by_us() {
        out.add(&W266, Spot::whole(), "no chunk with a choice", "an answer, or an error");
    }
}

fn errors(number: u64, seen: &Seen<'_>, flow: &Flow<'_>, out: &mut Findings<'_>) {
    if seen.chat.error.as_ref().is_none_or(|error| error.message.trim().is_empty()) {
        out.add(&W063, Spot::event(number), "an error without a message", "{\"error\":{\"message\":…}}");
    }
    if !flow.answered {
        let found = format!("status {} and an error before anything else", seen.exchange.status.unwrap_or_default());
        out.add(&W064, Spot::event(number), found, "a status of 400 or more");
    }
}

fn usages(seen: &Seen<'_>, flow: &Flow<'_>, out: &mut Findings<'_>) {
    let asked = &seen.asked;
    let done = seen.chat.is_complete() && !seen.cut_by_us();
    let Some((number, _, beside)) = flow.usages.last() else {
        if asked.include_usage && done {
            let end = seen.exchange.body.len();
            let spot = Spot::whole().bytes(end.saturating_sub(160)..end);
            out.add(&W065, spot, "no usage came", "a chunk with usage before `[DONE]`");
        }
        return;
    };
    let spot = || Spot::event(*number).path("usage");
    if asked.include_usage && *beside && !asked.continuous_usage {
        out.add(&W066, spot(), "usage beside choices", "usage on a chunk with `choices: []`");
    }
    if !asked.include_usage && !beside {
        out.add(&W067, spot(), "usage that was not asked for", "no chunk for usage alone");
    }
    let alone = flow.usages.iter().filter(|(_, _, beside)| !beside).count();
    if alone > 1 && !asked.continuous_usage {
        out.add(&W066, spot(), format!("{alone} chunks for usage alone"), "one chunk, after the last choice finished");
    }
    if *number < flow.last && done {
        out.add(&W264, spot(), "more of the answer came after usage", "usage after the last choice finished");
    }
    let completions: Vec<(u64, u64)> =
        flow.usages.iter().filter_map(|(number, usage, _)| Some((*number, usage.get("completion_tokens")?.as_u64()?))).collect();
    if let Some(pair) = completions.windows(2).find(|pair| pair[1].1 < pair[0].1) {
        let found = format!("completion_tokens {} after {}", pair[1].1, pair[0].1);
        out.add(&W264, Spot::event(pair[1].0).path("usage.completion_tokens"), found, "a count that grows");
    }
    let pieces: u64 = seen.chat.choices.iter().map(|choice| choice.content_pieces).sum();
    if let (Some((_, completion)), [choice]) = (completions.last(), seen.chat.choices.as_slice())
        && pieces > *completion
        && *completion > 0
        && choice.tool_calls.is_empty()
    {
        let found = format!("{pieces} pieces of text for completion_tokens {completion}");
        out.add(&W262, Spot::event(*number).path("usage.completion_tokens"), found, "at least a token for each piece");
    }
}
