//! Is a chat reply whole and well typed? Envelope, choices, message, text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::Choice;
use crate::wire::json::{Object, Value};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W021, &W022, &W023, &W024, &W025, &W026, &W027, &W028, &W042, &W043, &W044, &W048, &W220, &W221, &W222, &W223, &W224, &W226,
    &W227, &W229,
];

pub(super) static W021: Rule = Rule {
    id: "W021",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`id`, `object`, `created`, `model` and `choices` are there with the right types, and `object` is chat.completion",
    why: "typed clients raise, or hand out objects with holes",
    source: "OpenAI API reference, CreateChatCompletionResponse",
    breaks: r#"{"id":7,"object":"chat.completion","created":"now","model":null,"choices":{}}"#,
};

pub(super) static W022: Rule = Rule {
    id: "W022",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` is a time in seconds, neither 0 nor milliseconds",
    why: "dates in logs and caches are wrong by centuries",
    source: "OpenAI API reference: Unix time in seconds",
    breaks: r#""created":1795239530123"#,
};

pub(super) static W023: Rule = Rule {
    id: "W023",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "there is at least one choice",
    why: "every example reads choices[0] and raises",
    source: "OpenAI API reference; gateways that hide a failure (BerriAI/litellm 32086)",
    breaks: r#""choices":[]"#,
};

pub(super) static W024: Rule = Rule {
    id: "W024",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "there are as many choices as asked, with the indexes 0 to n-1 once each",
    why: "what was asked and paid for is missing, or two answers claim one place; an `n` that is ignored is dialect",
    source: "OpenAI API reference; ignored by Ollama and mlx_lm.server",
    breaks: "n: 2 answered with choices of index 0 and 0",
};

pub(super) static W025: Rule = Rule {
    id: "W025",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the role of the message is assistant",
    why: "clients append the message to the history, where another role changes its meaning",
    source: "OpenAI API reference",
    breaks: r#""message":{"role":"user","content":"Hi"}"#,
};

pub(super) static W026: Rule = Rule {
    id: "W026",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`content` is a string or null; absent is dialect",
    why: "clients join and print strings: a list or an object raises",
    source: "OpenAI API reference; mlx-openai-server leaves it out beside calls",
    breaks: r#""content":[{"type":"text","text":"Hi"}]"#,
};

pub(super) static W027: Rule = Rule {
    id: "W027",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`finish_reason` is stop, length, tool_calls, content_filter or function_call",
    why: "typed clients raise, others cannot tell whether the answer is whole",
    source: r#"OpenAI API reference; seen: null, "", abort, tool_call"#,
    breaks: r#""finish_reason":"eos""#,
};

pub(super) static W028: Rule = Rule {
    id: "W028",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an answer that finished with stop holds some content, refusal, reasoning or call",
    why: "an empty answer under stop says that nothing went wrong",
    source: "OpenAI API reference; gateways that swallow failures",
    breaks: r#""finish_reason":"stop","message":{"role":"assistant","content":""}"#,
};

pub(super) static W042: Rule = Rule {
    id: "W042",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a refusal is a string, and then content is null or empty",
    why: "callers show the content and miss the refusal",
    source: "OpenAI API reference, structured outputs",
    breaks: r#""content":"Sure!","refusal":"I cannot help with that""#,
};

pub(super) static W043: Rule = Rule {
    id: "W043",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "`refusal` and `logprobs` are there",
    why: "the specification requires the keys, although OpenAI has left them out itself",
    source: "OpenAI API reference; openai/openai-openapi 433",
    breaks: r#""message":{"role":"assistant","content":"Hi"} without refusal"#,
};

pub(super) static W044: Rule = Rule {
    id: "W044",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "`system_fingerprint` is a string or null",
    why: "clients compare it to know whether a seed still means the same",
    source: "OpenAI API reference",
    breaks: r#""system_fingerprint":17"#,
};

pub(super) static W048: Rule = Rule {
    id: "W048",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a reply holds no keys that OpenAI does not have",
    why: "they are lost in typed clients; none of them changes a verdict",
    source: "OpenAI API reference; every local server adds some",
    breaks: r#""timings":{…} beside usage"#,
};

pub(super) static W220: Rule = Rule {
    id: "W220",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "`choices` are objects with an integer `index`, and a `message` that is an object",
    why: "clients address choices by index and read the message's keys",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":"0","message":"Hi"}]"#,
};

pub(super) static W221: Rule = Rule {
    id: "W221",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an answer to a chat request has no `delta` where it came whole",
    why: "typed clients find an empty message",
    source: "OpenAI API reference",
    breaks: r#""choices":[{"index":0,"delta":{"content":"Hi"}}] in a whole reply"#,
};

pub(super) static W222: Rule = Rule {
    id: "W222",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the model that answers is one of those that the stack has, or the one that was asked",
    why: "an answer of another model under the right address is a routing fault",
    source: "OpenAI API reference: the model used; aliases and dated names differ legally",
    breaks: r#""model":"other" from a stack whose model is smollm2"#,
};

pub(super) static W223: Rule = Rule {
    id: "W223",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "text holds no zero character",
    why: "terminals, databases and XML reports refuse them",
    source: "RFC 8259 §7 allows it only escaped; a decoder that lost its tokens sends it",
    breaks: r#""content":"Hi\u0000""#,
};

pub(super) static W224: Rule = Rule {
    id: "W224",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "text holds no replacement character that the prompt does not hold",
    why: "a character was lost between tokens and text",
    source: "Unicode §3.9; incremental detokenisers",
    breaks: r#""content":"caf\ufffd""#,
};

pub(super) static W226: Rule = Rule {
    id: "W226",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "text holds no UTF-8 that was decoded as another encoding",
    why: "accents and quotes come out as pairs of letters",
    source: "Unicode FAQ; a layer that read bytes as Latin-1",
    breaks: r#""content":"L'Ã‰toile" for L'Étoile"#,
};

pub(super) static W227: Rule = Rule {
    id: "W227",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "`created` does not lie ahead of the client's clock by more than a day, nor before 2020",
    why: "caches and orderings by time break",
    source: "OpenAI API reference: time of creation",
    breaks: r#""created":4102444800"#,
};

pub(super) static W229: Rule = Rule {
    id: "W229",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "text holds no marks that belong inside a tokeniser",
    why: "pieces were joined before they were decoded",
    source: "byte-level and sentence-piece vocabularies: Ġ and ▁ for a space, <0x0A> for a byte",
    breaks: r#""content":"ĠTheĠcapitalĠisĠParis.""#,
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() {
        return;
    }
    if let Some(Ok(parsed)) = &seen.body {
        let body = &parsed.value;
        if body.get("error").is_some_and(Value::is_truthy) && body.get("choices").is_none() {
            return;
        }
        envelope(body, seen, out);
        for (place, choice) in body.get("choices").and_then(Value::as_array).into_iter().flatten().enumerate() {
            written(place, choice, out);
        }
    }
    model(seen, out);
    count(seen, out);
    for choice in &seen.chat.choices {
        folded(choice, seen, out);
    }
}

/// Reasons that a choice may finish for.
pub(super) const REASONS: &[&str] = &["stop", "length", "tool_calls", "content_filter", "function_call"];

/// Whether a value has the type it must have.
pub(super) type Fits = fn(&Value<'_>) -> bool;

fn envelope(body: &Value<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !body.is_object() {
        return out.add(&W021, Spot::whole(), json::kind(body), "an object");
    }
    let keys: [(&str, Fits, &str); 5] = [
        ("id", |value| value.as_str().is_some_and(|id| !id.is_empty()), "a string that is not empty"),
        ("object", |value| value == "chat.completion", "\"chat.completion\""),
        ("created", |value| value.is_i64() || value.is_u64(), "a whole number of seconds"),
        ("model", |value| value.as_str().is_some_and(|model| !model.is_empty()), "a string that is not empty"),
        ("choices", |value| value.is_array(), "a list"),
    ];
    for (key, fits, right) in keys {
        match body.get(key) {
            None => out.add(&W021, Spot::whole().path(key), format!("`{key}` is missing"), right),
            Some(value) if !fits(value) => {
                out.add(&W021, Spot::whole().path(key), format!("`{key}` is {}", json::kind(value)), right);
            }
            Some(_) => {}
        }
    }
    if body.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        out.add(&W023, Spot::whole().path("choices"), "no choices", "at least one");
    }
    if let Some(created) = body.get("created").and_then(Value::as_i64) {
        time(created, seen, Spot::whole().path("created"), out);
    }
    if body.get("system_fingerprint").is_some_and(|print| !print.is_string() && !print.is_null()) {
        out.add(&W044, Spot::whole().path("system_fingerprint"), "no string", "a string or null");
    }
    extras(body, KNOWN, "", out);
}

/// Holds a time of creation to seconds, and to the client's own clock.
pub(super) fn time(created: i64, seen: &Seen<'_>, spot: Spot, out: &mut Findings<'_>) {
    const FIRST: i64 = 1_577_836_800;
    const DAY: Duration = Duration::from_hours(24);
    if created <= 0 || created > 100_000_000_000 {
        return out.add(&W022, spot, format!("`created` is {created}"), "seconds since 1970");
    }
    let later = |now: SystemTime| {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |now| (now + DAY).as_secs());
        u64::try_from(created).is_ok_and(|created| created > now)
    };
    if created < FIRST || seen.context.now.is_some_and(later) {
        out.add(&W227, spot, format!("`created` is {created}"), "the time of the answer");
    }
}

fn written(place: usize, choice: &Value<'_>, out: &mut Findings<'_>) {
    let path = format!("choices[{place}]");
    let index = choice.get("index");
    let spot = |key: &str| {
        let spot = Spot::whole().path(if key.is_empty() { path.clone() } else { format!("{path}.{key}") });
        spot.choice(index.and_then(Value::as_i64).unwrap_or(i64::try_from(place).unwrap_or(i64::MAX)))
    };
    if !choice.is_object() {
        return out.add(&W220, spot(""), json::kind(choice), "an object");
    }
    if !index.is_some_and(Value::is_u64) {
        let found = index.map_or_else(|| "`index` is missing".to_owned(), |index| format!("`index` is {}", json::kind(index)));
        out.add(&W220, spot("index"), found, "a whole number from 0");
    }
    match choice.get("finish_reason") {
        Some(Value::String(reason)) if REASONS.contains(&&**reason) => {}
        other => {
            let found = other.map_or_else(|| "no finish reason".to_owned(), json::kind);
            out.add(&W027, spot("finish_reason"), found, REASONS.join(", "));
        }
    }
    let Some(message) = choice.get("message").filter(|message| message.is_object()) else {
        let found = choice.get("message").map_or_else(|| "`message` is missing".to_owned(), json::kind);
        out.add(&W220, spot("message"), found, "an object");
        if choice.get("delta").is_some() {
            out.add(&W221, spot("delta"), "a delta in a whole reply", "`message`");
        }
        return;
    };
    if message.get("role").and_then(Value::as_str) != Some("assistant") {
        let found = message.get("role").map_or_else(|| "no role".to_owned(), json::kind);
        out.add(&W025, spot("message.role"), found, "\"assistant\"");
    }
    extras(message, SAID, &format!("{path}.message."), out);
    let beside =
        ["tool_calls", "refusal", "audio", "function_call"].iter().any(|key| message.get(key).is_some_and(Value::is_truthy));
    match message.get("content") {
        Some(Value::String(_) | Value::Null) => {}
        Some(other) => out.add(&W026, spot("message.content"), json::kind(other), "a string or null"),
        None if beside => out.weigh(&W026, Severity::Advice, spot("message"), "`content` is missing", "null beside calls"),
        None => out.weigh(&W026, Severity::Dialect, spot("message"), "`content` is missing", "a string or null"),
    }
    match message.get("refusal") {
        None => out.add(&W043, spot("message"), "`refusal` is missing", "null where nothing is refused"),
        Some(Value::String(_) | Value::Null) => {}
        Some(other) => out.add(&W042, spot("message.refusal"), json::kind(other), "a string or null"),
    }
    if choice.get("logprobs").is_none() {
        out.add(&W043, spot(""), "`logprobs` is missing", "null where none were asked");
    }
}

/// Keys of a message.
const SAID: &[&str] = &["role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio"];

/// Keys of the envelope.
const KNOWN: &[&str] =
    &["id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "metadata", "moderation"];

fn extras(body: &Value<'_>, known: &[&str], path: &str, out: &mut Findings<'_>) {
    let extra: Vec<&str> = body.as_object().into_iter().flat_map(Object::keys).filter(|key| !known.contains(key)).collect();
    if let Some(first) = extra.first() {
        out.add(
            &W048,
            Spot::whole().path(format!("{path}{first}")),
            format!("also {}", extra.join(", ")),
            "nothing: they are tolerated",
        );
    }
}

fn model(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let models = seen.context.models;
    let asked = seen.asked.body.as_ref().and_then(|body| body.get("model")?.as_str());
    let (Some(came), Some(asked)) = (&seen.chat.model, asked) else { return };
    if !models.iter().any(|known| known == asked) {
        return;
    }
    // A dated name of the same model, a path and its last part, and an added tag are one model.
    let same = |known: &str| came.contains(known) || known.contains(came.as_str());
    if !same(asked) && !models.iter().any(|known| same(known)) {
        let spot = if seen.streamed() { Spot::event(1) } else { Spot::whole() };
        let right = format!("{asked}, or one of {}", models.join(", "));
        out.add(&W222, spot.path("model"), format!("the answer is from {came}"), right);
    }
}

fn count(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let asked = seen.asked.n.unwrap_or(1);
    let indexes: Vec<i64> = match &seen.body {
        Some(Ok(parsed)) => {
            let choices = parsed.value.get("choices").and_then(Value::as_array);
            choices.into_iter().flatten().filter_map(|choice| choice.get("index")?.as_i64()).collect()
        }
        _ if seen.failed_in_stream() || !seen.chat.is_complete() => return,
        _ => seen.chat.choices.iter().map(|choice| choice.index).collect(),
    };
    if asked == 0 || indexes.is_empty() {
        return;
    }
    let mut sorted = indexes.clone();
    sorted.sort_unstable();
    let dense = (0..).zip(&sorted).all(|(place, index)| place == *index);
    let path = Spot::whole().path("choices");
    let (found, right) = (format!("choices with the indexes {indexes:?}"), format!("{asked}, with the indexes from 0 on"));
    if dense && sorted.len() == 1 && asked > 1 {
        out.weigh(&W024, Severity::Dialect, path, format!("n is {asked}, and one choice came"), right);
    } else if !dense || sorted.len() as u64 != asked {
        out.add(&W024, path, found, right);
    }
}

/// What holds for a choice however it came.
fn folded(choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let spot = || Spot::whole().choice(choice.index);
    let full = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let said = full(&choice.content) || full(&choice.refusal) || full(&choice.reasoning) || !choice.tool_calls.is_empty();
    if choice.finish_reason.as_deref() == Some("stop") && !said && seen.asked.stop.is_empty() {
        let billed = seen.chat.usage.as_ref().and_then(|usage| usage.completion);
        // A model may end at once: then one token is billed, or none.
        let severity = if billed.is_some_and(|tokens| tokens <= 1) { Severity::Advice } else { Severity::Dialect };
        let found = billed.map_or_else(|| "an empty answer".to_owned(), |tokens| format!("an empty answer of {tokens} tokens"));
        out.weigh(&W028, severity, spot(), found, "an answer, or a reason for there being none");
    }
    if full(&choice.refusal) && full(&choice.content) {
        out.add(&W042, spot(), "a refusal beside content", "content null or empty");
    }
    if let Some(role) = choice.role.as_deref().filter(|role| seen.streamed() && *role != "assistant") {
        out.add(&W025, spot(), format!("the role is {role:?}"), "\"assistant\"");
    }
    if !seen.streamed() && texts(choice).any(|text| lost(text, choice, seen)) {
        out.add(&W224, spot(), "a replacement character", "the character that was said");
    }
    text(choice, seen, out);
}

/// All that a choice says: content, refusal, thinking, arguments.
pub(super) fn texts(choice: &Choice) -> impl Iterator<Item = &str> {
    let said = [&choice.content, &choice.refusal, &choice.reasoning].into_iter().filter_map(Option::as_deref);
    said.chain(choice.tool_calls.iter().map(|call| call.arguments.as_str()))
}

fn text(choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(content) = choice.content.as_deref() else { return };
    let spot = || {
        let spot = Spot::whole().choice(choice.index);
        if seen.streamed() { spot } else { spot.path(format!("choices[{}].message.content", choice.index)) }
    };
    let bytes = content.as_bytes();
    if memchr::memchr(0, bytes).is_some() {
        out.add(&W223, spot(), "a zero character", "text");
    }
    if let Some(mark) = piece(content).filter(|mark| !seen.asked.prompt_has(mark)) {
        out.add(&W229, spot(), format!("{mark:?} in the text"), "the text that the pieces stand for");
    }
    if let Some(pair) = garbled(content).filter(|pair| !seen.asked.prompt_has(pair)) {
        out.add(&W226, spot(), format!("{pair:?} is UTF-8 that was read as Latin-1"), "the character that was said");
    }
}

/// Whether a text lost a character: one that was cut off at the bound did not.
pub(super) fn lost(content: &str, choice: &Choice, seen: &Seen<'_>) -> bool {
    const MARK: &str = "\u{FFFD}";
    let cut = choice.finish_reason.as_deref() == Some("length") || seen.cut_by_us();
    let content = if cut { content.trim_end_matches(MARK) } else { content };
    memchr::memmem::find(content.as_bytes(), MARK.as_bytes()).is_some() && !seen.asked.prompt_has(MARK)
}

/// A mark of word pieces in a text: of those that are letters elsewhere, only where they stand for all spaces.
fn piece(content: &str) -> Option<&str> {
    let byte = memchr::memmem::find_iter(content.as_bytes(), "<0x").find_map(|at| {
        let mark = content.get(at..at + "<0x0A>".len())?;
        let digits = mark[3..5].bytes().all(|byte| byte.is_ascii_hexdigit());
        (digits && mark.ends_with('>')).then_some(mark)
    });
    let spaces = || {
        let all = |mark: &&&str| content.matches(**mark).count() > 1 && !content.contains(' ');
        ["\u{120}", "\u{2581}"].iter().find(all).copied()
    };
    byte.or_else(spaces)
}

/// A pair of characters that only comes from reading UTF-8 as Latin-1 or as Windows-1252.
fn garbled(content: &str) -> Option<&str> {
    let quote = memchr::memmem::find(content.as_bytes(), "â€".as_bytes()).map(|at| &content[at..at + "â€".len()]);
    let accent = || {
        memchr::memmem::find_iter(content.as_bytes(), "Ã".as_bytes()).find_map(|at| {
            let next = content[at + "Ã".len()..].chars().next()?;
            ('\u{80}'..='\u{BF}').contains(&next).then(|| &content[at..at + "Ã".len() + next.len_utf8()])
        })
    };
    quote.or_else(accent)
}
