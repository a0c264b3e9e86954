//! Is a failure said as clients read it, and are mistakes refused as such?

use super::asked::{Call, Mistake};
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;
use crate::wire::{ApiError, ErrorShape};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W154, &W155, &W156, &W157, &W158, &W159, &W160, &W161, &W280, &W281, &W282, &W283];

pub(super) static W154: Rule = Rule {
    id: "W154",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "an error reply has a message",
    why: "clients raise with it; an error without words helps nobody",
    source: "OpenAI API reference, errors; vllm-mlx's empty 499",
    breaks: "502 with an empty body",
};

pub(super) static W155: Rule = Rule {
    id: "W155",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "errors have OpenAI's envelope: `error` with `message` and `type` strings, `param` and `code` strings or null",
    why: "SDKs read these keys to tell errors apart",
    source: "OpenAI API reference, errors; vLLM, llama.cpp, mlx_lm.server, llama-stack",
    breaks: r#"{"detail":"Not Found"}"#,
};

pub(super) static W156: Rule = Rule {
    id: "W156",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "malformed JSON, a wrong type or missing messages are answered with 400 or 422; odd messages are not answered with 404",
    why: "the mistake is the caller's, and a repetition will not help",
    source: "OpenAI API reference, errors",
    breaks: r#"{"model":"m","messages":[ answered with 500 or 200"#,
};

pub(super) static W157: Rule = Rule {
    id: "W157",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an unknown model is answered with 404",
    why: "another model answers in its place",
    source: "OpenAI API reference, errors; llama.cpp and mlx_lm.server accept any",
    breaks: "model: nosuch answered with 200",
};

pub(super) static W158: Rule = Rule {
    id: "W158",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "where a key is needed, a missing or wrong one is answered with 401 or 403 on every route below /v1",
    why: "the door is open, or legal keys are refused in the same words as mistakes",
    source: "OpenAI API reference, authentication; LiteLLM answers 400 or 500",
    breaks: "Bearer wrong answered with 200",
};

pub(super) static W159: Rule = Rule {
    id: "W159",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Probe,
    statement: "a prompt over the context is refused with 4xx",
    why: "an answer to a part of the question is a wrong answer",
    source: "OpenAI API reference, context_length_exceeded; Ollama cuts it in silence",
    breaks: "200 to a prompt of twice the context",
};

pub(super) static W160: Rule = Rule {
    id: "W160",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "mistakes of a caller are never answered with 5xx, and a status in the body is that of the reply",
    why: "SDKs repeat 5xx, and alarms go off",
    source: "OpenAI API reference, errors; llama.cpp on pictures and roles",
    breaks: "500 for a message without a role",
};

pub(super) static W161: Rule = Rule {
    id: "W161",
    surface: Surface::Errors,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "429 and 503 say when to come again",
    why: "clients guess, or all come at once",
    source: "RFC 9110 §10.2.3; OpenAI guide, rate limits",
    breaks: "429 without retry-after or x-ratelimit headers",
};

pub(super) static W280: Rule = Rule {
    id: "W280",
    surface: Surface::Errors,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a reply of 4xx or 5xx holds no choices",
    why: "SDKs raise by status and throw the answer away",
    source: "OpenAI API reference, errors",
    breaks: "500 with a whole chat completion",
};

pub(super) static W281: Rule = Rule {
    id: "W281",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an error that is no stream is not sent as events",
    why: "SDKs parse the body of an error as one JSON value",
    source: "OpenAI API reference, errors",
    breaks: r#"400 with data: {"error":…}"#,
};

pub(super) static W282: Rule = Rule {
    id: "W282",
    surface: Surface::Errors,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a refusal is not answered with 1xx, 3xx or a status that does not exist",
    why: "clients know 4xx and 5xx",
    source: "RFC 9110 §15",
    breaks: "600 with an error",
};

pub(super) static W283: Rule = Rule {
    id: "W283",
    surface: Surface::Errors,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "the message of an error is written for the caller: no bare exception, no dump of a validator",
    why: "it names the inside of the server where it should name the mistake",
    source: "mlx_lm.server answers with the key of a KeyError, vLLM with a list of pydantic's errors",
    breaks: r#"{"error":"'role'"}"#,
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(status) = seen.exchange.status else { return };
    if !(200..=599).contains(&status) {
        out.add(&W282, Spot::whole(), format!("status {status}"), "a status of 200, 4xx or 5xx");
    }
    refused(status, seen, out);
    if status >= 400 && !seen.cut_by_us() && !matches!(seen.call, Call::Health | Call::Metrics) {
        said(status, seen, out);
    }
}

/// What the server says went wrong.
fn said(status: u16, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let head = ["head", "options"].iter().any(|method| seen.exchange.request.method.eq_ignore_ascii_case(method));
    let error = seen.chat.error.clone().unwrap_or_else(|| ApiError::read(Some(status), &seen.exchange.body));
    if error.message.trim().is_empty() && !head {
        out.add(&W154, Spot::whole(), format!("status {status} without a message"), "{\"error\":{\"message\":…}}");
    }
    if let Some(what) = unsaid(&error.message) {
        out.add(&W283, Spot::whole(), format!("{what}: {}", error.message.trim()), "what is wrong with the request, in words");
    }
    let api = seen.call != Call::Other;
    if seen.streamed() {
        out.add(&W281, Spot::whole(), format!("status {status} with events"), "one JSON object");
    } else if api || matches!(error.shape, ErrorShape::Envelope) {
        envelope(seen, out);
    }
    let body = seen.body.as_ref().and_then(|body| body.as_ref().ok()).map(|parsed| &parsed.value);
    if body.and_then(|body| body.get("choices")).and_then(Value::as_array).is_some_and(|choices| !choices.is_empty()) {
        out.add(&W280, Spot::whole().path("choices"), format!("status {status} with choices"), "status 200, or no choices");
    }
    let inner = body.and_then(|body| body.get("error")?.get("code").or_else(|| body.get("code")));
    let number = inner.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    if let Some(number) = number.filter(|number| (400..600).contains(number) && *number != u64::from(status)) {
        let found = format!("status {status}, and {number} in the body");
        out.add(&W160, Spot::whole().path("error.code"), found, "the same in both");
    }
    if matches!(status, 429 | 503) {
        let says = |name: &str| name == "retry-after" || name == "retry-after-ms" || name.starts_with("x-ratelimit-");
        if !seen.exchange.headers.iter().any(|(name, _)| says(&name.to_ascii_lowercase())) {
            out.add(&W161, Spot::whole(), format!("status {status} without a word on when to come again"), "retry-after");
        }
    }
}

/// What words of the inside of a program a message is made of, where it is.
fn unsaid(message: &str) -> Option<&'static str> {
    const EXCEPTIONS: &[&str] = &[
        "object has no attribute",
        "object is not subscriptable",
        "object is not iterable",
        "list index out of range",
        "NoneType",
        "KeyError",
        "AttributeError",
        "json.exception.",
        "json: cannot unmarshal",
        "Cannot read properties of undefined",
    ];
    let message = message.trim();
    let quoted = message.len() > 2 && message.starts_with('\'') && message.ends_with('\'') && message.matches('\'').count() == 2;
    if quoted || EXCEPTIONS.iter().any(|part| message.contains(part)) {
        Some("the text of an exception")
    } else if message.contains("'loc': ") && message.contains("'msg': ") {
        Some("the dump of a validator")
    } else {
        None
    }
}

fn envelope(seen: &Seen<'_>, out: &mut Findings<'_>) {
    const RIGHT: &str = "{\"error\":{\"message\":\"…\",\"type\":\"…\",\"param\":null,\"code\":null}}";
    let Some(Ok(parsed)) = &seen.body else {
        if !seen.text.trim().is_empty() {
            out.add(&W155, Spot::whole(), "no JSON", RIGHT);
        }
        return;
    };
    let Some(error) = parsed.value.get("error").and_then(Value::as_object) else {
        let found = parsed
            .value
            .get("error")
            .map_or_else(|| "no `error`".to_owned(), |error| format!("`error` is {}", json::kind(error)));
        return out.add(&W155, Spot::whole().path("error"), found, RIGHT);
    };
    for (key, null) in [("message", false), ("type", false), ("param", true), ("code", true)] {
        let found = match error.get(key) {
            Some(Value::String(_)) => continue,
            Some(Value::Null) if null => continue,
            // Absent where null would do: worth knowing at most.
            None if null => {
                out.weigh(&W155, Severity::Advice, Spot::whole().path("error"), format!("`{key}` is missing"), RIGHT);
                continue;
            }
            None => format!("`{key}` is missing"),
            Some(other) => format!("`{key}` is {}", json::kind(other)),
        };
        out.add(&W155, Spot::whole().path(format!("error.{key}")), found, RIGHT);
    }
}

/// Whether what had to be refused was, and as it should be.
fn refused(status: u16, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let spot = || Spot::whole();
    let came = format!("status {status}");
    let api = matches!(seen.call, Call::Chat | Call::Completions | Call::Responses);
    // A key is looked at before the request is read, or after: one mistake is enough to explain a refusal.
    let keyless = seen.asked.mistakes.iter().any(|mistake| matches!(mistake, Mistake::NoKey | Mistake::WrongKey));
    if keyless && is_guarded(seen) && !matches!(status, 401 | 403) {
        out.add(&W158, spot(), format!("{came} without the right key"), "status 401 or 403");
    }
    if !api || keyless || seen.cut_by_us() {
        return;
    }
    let only_model = seen.asked.mistakes.iter().all(|mistake| matches!(mistake, Mistake::UnknownModel(_)));
    let names_model = seen.asked.mistakes.iter().any(|mistake| matches!(mistake, Mistake::UnknownModel(_)));
    for mistake in &seen.asked.mistakes {
        match mistake {
            Mistake::NotJson => malformed("a body that is no JSON", status, out),
            Mistake::NotAnObject => malformed("a body that is no object", status, out),
            Mistake::NoMessages => malformed("a request without messages or input", status, out),
            Mistake::WrongType(key) => malformed(&format!("`{key}` of a wrong type"), status, out),
            // A server may take what is odd; where it does not, the request is bad, and nothing is missing.
            Mistake::Odd(what) if !names_model && status == 404 => malformed(what, status, out),
            Mistake::UnknownModel(model) if only_model && status != 404 => {
                let found = format!("{came} for the model {model:?}");
                // A gateway answers 400; what matters is that another model does not answer.
                out.add(&W157, spot(), found, "status 404");
            }
            _ => {}
        }
    }
    if status >= 500 && !seen.asked.mistakes.is_empty() {
        out.add(&W160, spot(), format!("{came} for a mistake of the caller"), "a status of 4xx");
    } else if status >= 500 && is_callers(seen) {
        out.add(&W160, spot(), format!("{came}, and the words say that the request is at fault"), "a status of 4xx");
    }
}

fn malformed(what: &str, status: u16, out: &mut Findings<'_>) {
    if !matches!(status, 400 | 422) {
        out.add(&W156, Spot::whole(), format!("status {status} for {what}"), "status 400 or 422");
    }
}

fn is_guarded(seen: &Seen<'_>) -> bool {
    let address = if seen.exchange.url.is_empty() { &seen.exchange.request.target } else { &seen.exchange.url };
    address.contains("/v1/") && !matches!(seen.call, Call::Health | Call::Metrics)
}

/// Whether an error of the server says itself that the caller made a mistake.
fn is_callers(seen: &Seen<'_>) -> bool {
    let Some(error) = &seen.chat.error else { return false };
    let kind = error.kind.as_deref().unwrap_or_default();
    let words = error.message.to_ascii_lowercase();
    kind.contains("invalid_request")
        || ["invalid ", "unsupported", "must be", "missing", "not supported"].iter().any(|word| words.contains(word))
}
