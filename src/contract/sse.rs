//! Is the stream a stream of events as the standard has it, and does each of them hold what it must?

use std::time::Duration;

use super::asked::Call;
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::sse::{EventStream, FramingFaultKind};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W013, &W014, &W015, &W016, &W017, &W018, &W019, &W020, &W210, &W211, &W212, &W213, &W214];

pub(super) static W013: Rule = Rule {
    id: "W013",
    surface: Surface::Sse,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the data of every event but `[DONE]` is one JSON object",
    why: "SDKs parse each event by itself and raise on the first that is none",
    source: "WHATWG HTML, server-sent events; OpenAI API reference, streaming",
    breaks: r#"data: {"id":"a","choices":["#,
};

pub(super) static W014: Rule = Rule {
    id: "W014",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "no event has empty data",
    why: "Python's SDK tries to parse the empty text and raises",
    source: "openai-python, _streaming; servers that send a bare event: ping",
    breaks: "event: ping with an empty data: line",
};

pub(super) static W015: Rule = Rule {
    id: "W015",
    surface: Surface::Sse,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "each event is strict UTF-8, and the stream begins without a byte order mark",
    why: "strict readers raise, lenient ones show replacement characters; a mark hides the first event from Python's SDK",
    source: "WHATWG HTML, server-sent events; openai-python decodes lines strictly",
    breaks: r#"data: {"choices":[{"delta":{"content":"caf\xC3"}}]}"#,
};

pub(super) static W016: Rule = Rule {
    id: "W016",
    surface: Surface::Sse,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`[DONE]` comes at most once and nothing but comments follows it",
    why: "readers have left by then: what follows is lost",
    source: "openai-python and openai-node stop at the marker",
    breaks: r#"data: [DONE] and then data: {"choices":[…"#,
};

pub(super) static W017: Rule = Rule {
    id: "W017",
    surface: Surface::Sse,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a chat stream that succeeded ends with `[DONE]`",
    why: "a reader cannot tell a complete stream from a cut one by its framing",
    source: "OpenAI API reference, streaming; llama-stack sends none",
    breaks: "the finish chunk, and then the end of the body",
};

pub(super) static W018: Rule = Rule {
    id: "W018",
    surface: Surface::Sse,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the last event with a payload is closed by a blank line",
    why: "the standard and both SDKs drop an event that was never closed",
    source: "WHATWG HTML, server-sent events",
    breaks: r#"data: {"choices":[{"finish_reason":"stop"…}]} and then the end of the body"#,
};

pub(super) static W019: Rule = Rule {
    id: "W019",
    surface: Surface::Sse,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the event name `error` stands on error payloads only, and good payloads have no `error`",
    why: "SDKs raise on either, and lose the rest of a good stream",
    source: "openai-python and openai-node, streaming",
    breaks: r#"event: error over data: {"choices":[{"delta":{"content":"Hi"}}]}"#,
};

pub(super) static W020: Rule = Rule {
    id: "W020",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "bytes come at least every 30 s while a stream lives (comments count)",
    why: "proxies and clients cut connections that seem idle",
    source: "common idle limits of proxies; mlx_lm.server between its keep-alives",
    breaks: "no byte for 45 s in the middle of an answer",
};

pub(super) static W210: Rule = Rule {
    id: "W210",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "lines of a stream are `data`, `event`, `id`, `retry` or comments; a payload on any other is a violation",
    why: "a line of another kind is dropped by the standard: a payload on it is lost",
    source: "WHATWG HTML, server-sent events",
    breaks: r#"date: {"choices":[…]} in place of data:"#,
};

pub(super) static W211: Rule = Rule {
    id: "W211",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "an event with fields has data",
    why: "the standard drops it; Python's SDK raises on a named one",
    source: "WHATWG HTML, server-sent events; openai-python",
    breaks: "event: chunk and a blank line",
};

pub(super) static W212: Rule = Rule {
    id: "W212",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a stream of chat chunks names no events besides `error`",
    why: "clients that subscribe by name never see the chunks",
    source: "OpenAI API reference: chat chunks have no event line",
    breaks: "event: delta over a chat chunk",
};

pub(super) static W213: Rule = Rule {
    id: "W213",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a stream sends no `id:` lines, and `retry:` holds a number",
    why: "Python's SDK dispatches an empty event after an id and fails on it",
    source: "openai-python, _streaming",
    breaks: "id: 17",
};

pub(super) static W214: Rule = Rule {
    id: "W214",
    surface: Surface::Sse,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "lines of a stream hold no zero characters and do not end in a lone carriage return",
    why: "readers by line disagree on where the line ends, or stop there",
    source: "WHATWG HTML, server-sent events",
    breaks: "data: {…} and a carriage return without a line feed",
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(stream) = &seen.stream else { return };
    framing(seen, stream, out);
    payloads(seen, out);
    idle(seen, out);
    let chat = matches!(seen.call, Call::Chat | Call::Completions);
    if chat && seen.is_success() && seen.chat.is_complete() && !seen.chat.done_marker && !seen.cut_by_us() {
        let end = seen.exchange.body.len();
        let spot = Spot::whole().bytes(end.saturating_sub(80)..end);
        out.add(&W017, spot, "the stream ended without `[DONE]`", "data: [DONE] as the last event");
    }
}

fn framing(seen: &Seen<'_>, stream: &EventStream<'_>, out: &mut Findings<'_>) {
    use FramingFaultKind as Kind;
    for fault in &stream.faults {
        let number = stream.events.partition_point(|event| event.end <= fault.offset) + 1;
        let line = memchr::memchr2(b'\n', b'\r', &seen.exchange.body[fault.offset..]).unwrap_or(80).clamp(1, 400);
        let end = (fault.offset + line).min(seen.exchange.body.len());
        let mut spot = Spot::event(number as u64).bytes(fault.offset..end);
        if number > stream.events.len() {
            spot.event = None;
        }
        let line = &seen.exchange.body[fault.offset..end];
        match fault.kind {
            Kind::BadUtf8 => out.add(&W015, spot, "bytes that are not UTF-8", "UTF-8 in every event"),
            Kind::Bom => {
                out.weigh(&W015, Severity::Advice, spot, "a byte order mark", "the first event at the first byte");
            }
            Kind::AfterDone => out.add(&W016, spot, "an event after `[DONE]`", "nothing but comments after it"),
            Kind::Unterminated if !seen.cut_by_us() => {
                out.add(&W018, spot, "the last event is not closed", "a blank line after every event");
            }
            Kind::EmptyData => out.add(&W014, spot, "an event with empty data", "a comment as a sign of life"),
            Kind::NoData => out.add(&W211, spot, "an event without data", "a comment as a sign of life"),
            Kind::UnknownField if line.contains(&b'{') => {
                let found = "a payload on a line that is no data line";
                out.weigh(&W210, Severity::Violation, spot, found, "data: before every payload");
            }
            Kind::UnknownField => out.add(&W210, spot, "a field that the standard does not know", "data, event, id or retry"),
            Kind::Id => out.add(&W213, spot, "an id line", "no ids on chat chunks"),
            Kind::BadRetry => out.add(&W213, spot, "retry without a number", "a number of milliseconds"),
            Kind::Nul => out.add(&W214, spot, "a zero character", "text"),
            Kind::BareCr => out.add(&W214, spot, "a line that ends in a carriage return alone", "a line feed"),
            Kind::Unterminated | Kind::UnterminatedDone => {}
        }
    }
}

fn payloads(seen: &Seen<'_>, out: &mut Findings<'_>) {
    for frame in seen.frames {
        let spot = || Spot::event(frame.number);
        match &frame.json {
            Err(error) => out.add(&W013, spot(), format!("no JSON: {error}"), "one JSON object"),
            Ok(parsed) if !parsed.value.is_object() => {
                out.add(&W013, spot(), json::kind(&parsed.value), "one JSON object");
            }
            Ok(parsed) => {
                let choices = parsed.value.get("choices").and_then(|choices| choices.as_array());
                if frame.is_error() && choices.is_some_and(|choices| !choices.is_empty()) {
                    let found = "an error on a payload with choices";
                    out.add(&W019, spot().path("error"), found, "`error` on error payloads only");
                }
            }
        }
    }
    for (number, event) in seen.events() {
        let Some(name) = event.name.as_deref() else { continue };
        let frame = seen.frames.binary_search_by_key(&number, |frame| frame.number).ok().map(|at| &seen.frames[at]);
        if name == "error" && frame.is_some_and(|frame| frame.value().is_some_and(|value| value.get("choices").is_some())) {
            out.add(&W019, Spot::event(number), "the name error on a good payload", "no event name on chunks");
        } else if name != "error" && seen.call == Call::Chat {
            out.add(&W212, Spot::event(number), format!("an event named {name:?}"), "no event name on chunks");
        }
    }
}

/// Longest silence that is not worth a word.
const IDLE: Duration = Duration::from_secs(30);

fn idle(seen: &Seen<'_>, out: &mut Findings<'_>) {
    for pair in seen.exchange.chunks.windows(2) {
        let gap = pair[1].at.saturating_sub(pair[0].at);
        if gap > IDLE {
            let spot = Spot::whole().bytes(pair[0].end..pair[1].end);
            return out.add(&W020, spot, format!("no byte for {:.1} s", gap.as_secs_f64()), "a comment now and then");
        }
    }
}
