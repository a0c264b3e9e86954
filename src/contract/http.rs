//! Is the reply sound HTTP? Status, media type, length, encoding, and what no body may hold.

use super::asked::Call;
use super::finding::{Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::{End, TransportKind};

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[
    &W001, &W002, &W003, &W004, &W005, &W006, &W007, &W008, &W009, &W010, &W011, &W200, &W201, &W202, &W203, &W204, &W205, &W206,
];

pub(super) static W001: Rule = Rule {
    id: "W001",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a status line arrives before the connection closes",
    why: "without one a client has only a transport error and cannot tell a refusal from a crash",
    source: "RFC 9112 §2; mlx_lm.server drops the socket on bad parameters",
    breaks: "the connection closes right after the request was sent",
};

pub(super) static W002: Rule = Rule {
    id: "W002",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a body that is not a stream has a JSON media type (parameters and `+json` allowed)",
    why: "typed clients choose their decoder by the media type and hand text to the caller instead of an object",
    source: "OpenAI API reference; llama.cpp sends text/plain for a top-level exception",
    breaks: r#"content-type: text/plain with the body {"id":"chatcmpl-1",…}"#,
};

pub(super) static W003: Rule = Rule {
    id: "W003",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a body labelled JSON is exactly one JSON value",
    why: "every SDK parses it whole; an empty body or a second value is an exception in the caller",
    source: "RFC 8259 §2; mlx_lm.server on unknown routes and on /v1/models without a cache",
    breaks: r#"content-type: application/json with the body {"id":"a"}{"id":"a"}"#,
};

pub(super) static W004: Rule = Rule {
    id: "W004",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a body is valid UTF-8",
    why: "strict decoders fail, lenient ones show replacement characters",
    source: "RFC 8259 §8.1",
    breaks: "a body whose content holds the byte 0xE9 alone",
};

pub(super) static W005: Rule = Rule {
    id: "W005",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "JSON holds no NaN or Infinity, no lone surrogate and no key twice in one object",
    why: "parsers of other languages refuse it, or disagree on which of two values counts",
    source: "RFC 8259 §4, §6, §8.2; Python servers write -Infinity as a log probability",
    breaks: r#"{"logprob":-Infinity}"#,
};

pub(super) static W006: Rule = Rule {
    id: "W006",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a successful reply to `stream: true` is a text/event-stream",
    why: "stream readers look for events and find none: the reply seems empty",
    source: "OpenAI API reference, streaming",
    breaks: "stream: true answered with content-type: application/json",
};

pub(super) static W007: Rule = Rule {
    id: "W007",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "without `stream: true` the body is no stream of events",
    why: "a client that waits for one object cannot parse events",
    source: "OpenAI API reference; seen at gateways (BerriAI/litellm 25766)",
    breaks: r#"a request without stream answered with data: {"id":…"#,
};

pub(super) static W008: Rule = Rule {
    id: "W008",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no body begins with an HTML document",
    why: "a page for browsers comes from a proxy in between, not from the server that was asked",
    source: "OpenAI API reference; proxies and gateways",
    breaks: "<!DOCTYPE html><title>502 Bad Gateway</title>",
};

pub(super) static W009: Rule = Rule {
    id: "W009",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no reply holds a stack trace, an absolute path of the server, or a key",
    why: "it tells strangers how the server is built and lends them its secrets",
    source: "OWASP, improper error handling; older vLLM sent paths",
    breaks: r#"{"error":{"message":"Traceback (most recent call last):\n  File \"/app/server.py\", line 7"}}"#,
};

pub(super) static W010: Rule = Rule {
    id: "W010",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a successful reply that is no stream has no `error`",
    why: "SDKs look at the status: they take the error for a reply and fail much later",
    source: "openai-python, status handling; wrapping gateways",
    breaks: r#"200 with {"error":{"message":"upstream failed"}}"#,
};

pub(super) static W011: Rule = Rule {
    id: "W011",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the body is as long as its framing says: Content-Length is met, a chunked body ends properly",
    why: "what is missing is lost in silence, or the client reports a broken connection",
    source: "RFC 9112 §6, §7; crashes of servers, dropped sockets at gateways",
    breaks: "content-length: 645 and only 600 bytes",
};

pub(super) static W200: Rule = Rule {
    id: "W200",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a JSON media type names no charset but utf-8",
    why: "clients that believe the label decode the text wrongly",
    source: "RFC 8259 §11: JSON is UTF-8 and has no charset",
    breaks: "content-type: application/json; charset=iso-8859-1",
};

pub(super) static W201: Rule = Rule {
    id: "W201",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a JSON body does not begin with a byte order mark",
    why: "parsers must not expect one, and many fail on it",
    source: "RFC 8259 §8.1",
    breaks: r#"the bytes EF BB BF before {"id":…"#,
};

pub(super) static W202: Rule = Rule {
    id: "W202",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a success that carries a body has status 200",
    why: "201, 202, 204 or 206 promise something else, and generated clients take only the documented one",
    source: "OpenAI API reference; RFC 9110 §15.3",
    breaks: "206 with a whole chat completion",
};

pub(super) static W203: Rule = Rule {
    id: "W203",
    surface: Surface::Http,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "an API route does not answer with a redirect",
    why: "SDKs that post do not follow it, or repeat it as a GET without a body",
    source: "RFC 9110 §15.4; routers that redirect a missing slash",
    breaks: "307 with location: /v1/chat/completions/",
};

pub(super) static W204: Rule = Rule {
    id: "W204",
    surface: Surface::Http,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "a body is no more deeply nested than parsers accept (128 levels)",
    why: "parsers stop with an error, or overflow their stack",
    source: "serde_json, Python's json and Go limit their depth",
    breaks: "[[[[… 50 000 levels deep",
};

pub(super) static W205: Rule = Rule {
    id: "W205",
    surface: Surface::Http,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "the framing of a stream tells its end from a cut: it is chunked or has a length",
    why: "where a stream ends with its connection, a server that was killed looks to HTTP like one that is done",
    source: "RFC 9112 §6.3 and §8; mlx_lm.server speaks HTTP/1.0",
    breaks: "HTTP/1.0 200 with events, neither transfer-encoding nor content-length",
};

pub(super) static W206: Rule = Rule {
    id: "W206",
    surface: Surface::Http,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "a connection stays open after a stream, unless the head said that it closes",
    why: "a client that trusts the head sends its next request into a closed connection, and must guess whether it was read",
    source: "RFC 9112 §9.3, persistence; llama.cpp closes after each stream and says keep-alive",
    breaks: "keep-alive in the head of a stream, and the end of the connection right behind it",
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    transport(seen, out);
    if seen.exchange.status.is_none() {
        return;
    }
    status(seen, out);
    media(seen, out);
    encoding(seen, out);
    bodies(seen, out);
    secrets(seen, out);
}

/// Whether the call is one of the API's own, whose replies are JSON or events.
fn is_api(call: &Call) -> bool {
    matches!(
        call,
        Call::Chat | Call::Completions | Call::Responses | Call::Response(_) | Call::Models | Call::Model(_) | Call::Tokenize
    )
}

fn transport(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let exchange = seen.exchange;
    if let End::Failed(error) = &exchange.end {
        match error.kind {
            TransportKind::NoReply | TransportKind::Malformed if exchange.status.is_none() => {
                out.add(&W001, Spot::whole(), error.message.clone(), "an HTTP reply, whatever it says");
            }
            TransportKind::Truncated | TransportKind::Malformed => {
                let end = exchange.body.len();
                let spot = Spot::whole().bytes(end.saturating_sub(80)..end);
                out.add(&W011, spot, error.message.clone(), "a body that ends as its framing says");
            }
            _ => {}
        }
    }
    let framed = ["transfer-encoding", "content-length"].iter().any(|name| exchange.header(name).is_some());
    if seen.streamed() && !framed && exchange.end == End::Complete {
        out.add(&W205, Spot::whole(), "the stream ends with its connection", "transfer-encoding: chunked");
    }
    if let Some(why) = &exchange.resent {
        let found = format!("after the stream before this request: {why}; it was sent again on a connection of its own");
        out.add(&W206, Spot::whole(), found, "`connection: close` in the head of that stream, or an open connection");
    }
    let encoded = exchange.header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    let promised = exchange.header("content-length").and_then(|length| length.trim().parse::<usize>().ok());
    if let (End::Complete, false, Some(promised)) = (&exchange.end, encoded, promised)
        && promised != exchange.body.len()
        && !exchange.request.method.eq_ignore_ascii_case("head")
    {
        let found = format!("content-length says {promised} bytes, {} came", exchange.body.len());
        out.add(&W011, Spot::whole().path("header content-length"), found, "as many bytes as content-length says");
    }
}

fn status(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(status) = seen.exchange.status.filter(|_| is_api(&seen.call)) else { return };
    let found = format!("status {status}");
    if (300..400).contains(&status) {
        out.add(&W203, Spot::whole().path("header location"), found, "the answer itself, at the address that was asked");
    } else if seen.is_success() && status != 200 {
        out.add(&W202, Spot::whole(), found, "status 200");
    }
}

fn media(seen: &Seen<'_>, out: &mut Findings<'_>) {
    const PATH: &str = "header content-type";
    let exchange = seen.exchange;
    let label = exchange.header("content-type");
    let shown = label.unwrap_or("no content-type");
    let json = label.is_some_and(is_json);
    let empty = seen.text.trim().is_empty();
    let like_json = seen.text.trim_start().starts_with(['{', '[']);
    if let Some(charset) = label.and_then(charset).filter(|_| json || seen.streamed())
        && !["utf-8", "utf8", "us-ascii"].iter().any(|fine| charset.eq_ignore_ascii_case(fine))
    {
        out.add(&W200, Spot::whole().path(PATH), format!("the charset is {charset}"), "no charset, or utf-8");
    }
    let chat = matches!(seen.call, Call::Chat | Call::Completions | Call::Responses);
    if chat && seen.asked.stream && seen.is_success() {
        if !exchange.is_event_stream() {
            out.add(&W006, Spot::whole().path(PATH), format!("a stream was asked for, and {shown} came"), "text/event-stream");
        }
    } else if seen.is_success() && is_api(&seen.call) && (seen.streamed() || exchange.is_event_stream()) && !empty {
        out.add(&W007, Spot::whole().path(PATH), "no stream was asked for, and events came", "one JSON object");
    }
    if seen.streamed() || empty || json || exchange.is_event_stream() {
        return;
    }
    if is_api(&seen.call) || (like_json && !matches!(seen.call, Call::Metrics | Call::Health)) {
        out.add(&W002, Spot::whole().path(PATH), format!("{shown} for a body that is to be JSON"), "application/json");
    }
}

/// Whether a media type is JSON: `application/json`, `application/problem+json`, parameters or not.
fn is_json(label: &str) -> bool {
    let media = label.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == "application/json" || media == "text/json" || media.ends_with("+json")
}

fn charset(label: &str) -> Option<&str> {
    let mut parameters = label.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"'))
}

/// Bytes and JSON text, of a whole body and of each event.
fn encoding(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let exchange = seen.exchange;
    let labelled = exchange.header("content-type").is_some_and(is_json);
    let bodyless = matches!(exchange.status, Some(204 | 304)) || exchange.request.method.eq_ignore_ascii_case("head");
    if !seen.streamed() && (labelled || is_api(&seen.call)) && !bodyless {
        if let Err(error) = std::str::from_utf8(&exchange.body) {
            let at = error.valid_up_to();
            let found = format!("byte 0x{:02X} at {at} is not UTF-8", exchange.body[at]);
            let around = at.saturating_sub(40)..(at + 40).min(exchange.body.len());
            out.add(&W004, Spot::whole().bytes(around), found, "UTF-8");
        }
        if exchange.body.starts_with(b"\xEF\xBB\xBF") {
            out.add(&W201, Spot::whole().bytes(0..3), "a byte order mark", "the first byte of the JSON text");
        }
        match &seen.body {
            None if (labelled || (seen.is_success() && !exchange.is_event_stream())) && exchange.end == End::Complete => {
                out.add(&W003, Spot::whole(), "the body is empty", "one JSON value");
            }
            Some(Err(error)) if labelled || (seen.is_success() && seen.text.trim_start().starts_with(['{', '['])) => {
                let rule = broken(seen.text, error).unwrap_or(&W003);
                let near = place(seen.text, error).min(exchange.body.len());
                let around = near.saturating_sub(60)..(near + 60).min(exchange.body.len());
                out.add(rule, Spot::whole().bytes(around), format!("no JSON: {error}"), "exactly one JSON value");
            }
            Some(Ok(parsed)) => twice(&parsed.twice, &Spot::whole(), out),
            _ => {}
        }
    }
    for frame in seen.frames {
        match &frame.json {
            Ok(parsed) if parsed.twice.is_empty() => {}
            Ok(parsed) => twice(&parsed.twice, &Spot::event(frame.number), out),
            Err(error) => {
                let data = usize::try_from(frame.number - 1).ok().and_then(|at| seen.stream.as_ref()?.events.get(at));
                if let Some(rule) = data.and_then(|event| broken(&event.data, error)) {
                    out.add(rule, Spot::event(frame.number), format!("no JSON: {error}"), "JSON as the standard has it");
                }
            }
        }
    }
}

fn twice(keys: &[String], spot: &Spot, out: &mut Findings<'_>) {
    for key in keys {
        let found = format!("the key `{key}` stands twice in one object");
        out.add(&W005, spot.clone().path(key.clone()), found, "each key once");
    }
}

/// The rule that says more than that a text is no JSON, where one does.
fn broken(text: &str, error: &serde_json::Error) -> Option<&'static Rule> {
    let words = error.to_string();
    if words.contains("recursion limit") {
        return Some(&W204);
    }
    let at = place(text, error);
    let near = &text[text.floor_char_boundary(at.saturating_sub(10))..text.ceil_char_boundary((at + 10).min(text.len()))];
    let literal = ["NaN", "Infinity", "nan", "inf"].iter().any(|word| near.contains(word));
    (literal || words.contains("surrogate") || words.contains("end of hex escape")).then_some(&W005)
}

/// The byte at which parsing stopped.
fn place(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column().saturating_sub(1)).min(text.len())
}

/// What stands in a body that is sound as such.
fn bodies(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let start = seen.text.trim_start();
    let start = start.get(..14).unwrap_or(start).to_ascii_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head");
    if page && !(seen.call == Call::Other && seen.is_success()) {
        out.add(&W008, Spot::whole(), "a page for browsers", "JSON, for an error as well");
    }
    if is_api(&seen.call)
        && let Some(error) = seen.whole().and_then(|body| body.get("error")).filter(|error| error.is_truthy())
    {
        let found = format!("status {} with an error: {error}", seen.exchange.status.unwrap_or_default());
        out.add(&W010, Spot::whole().path("error"), found, "a status of 400 or more for an error");
    }
}

/// What shows the inside of a program: part of its text, and what it is.
const INSIDES: &[(&str, &str)] = &[
    ("Traceback (most recent call last)", "a stack trace"),
    ("goroutine ", "a stack trace"),
    ("panicked at ", "a stack trace"),
    ("\n    at ", "a stack trace"),
    ("\\n    at ", "a stack trace"),
    ("site-packages/", "a path of the server"),
    ("dist-packages/", "a path of the server"),
    ("/home/", "a path of the server"),
    ("/root/", "a path of the server"),
    ("/usr/", "a path of the server"),
    ("/opt/", "a path of the server"),
    ("/var/", "a path of the server"),
    ("/app/", "a path of the server"),
    ("/tmp/", "a path of the server"),
    ("/Users/", "a path of the server"),
    (":\\Users\\", "a path of the server"),
];

fn secrets(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let request = seen.exchange.request.body.as_deref().unwrap_or_default();
    let body = &seen.exchange.body;
    // What a model says may hold anything; only what the server says of itself is held to this.
    if seen.is_failure() || seen.chat.error.is_some() {
        for (part, what) in INSIDES {
            if let Some(at) = memchr::memmem::find(body, part.as_bytes())
                && memchr::memmem::find(request, part.as_bytes()).is_none()
            {
                let around = at.saturating_sub(40)..(at + 160).min(body.len());
                out.add(&W009, Spot::whole().bytes(around).path(*what), (*what).to_owned(), "words for a caller");
            }
        }
    }
    let sent = seen.exchange.request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let sent = sent.map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or(value));
    for key in [seen.context.key, sent].into_iter().flatten().filter(|key| key.len() >= 8) {
        if memchr::memmem::find(body, key.as_bytes()).is_some() && memchr::memmem::find(request, key.as_bytes()).is_none() {
            // The excerpt would hold the key, so that there is none.
            out.add(&W009, Spot::whole().bytes(0..0).path("a key"), "the key stands in the reply", "no key in any reply");
        }
    }
}
