//! Which kind of transport failure is it, in words for people? Errors of reqwest and hyper → [`TransportError`].

use std::error::Error;
use std::io::ErrorKind;

use super::exchange::{TransportError, TransportKind};

/// A failure before the response head.
pub(super) fn before_head(error: &reqwest::Error) -> TransportError {
    let cause = chain(error);
    if error.is_builder() {
        return failed(TransportKind::NotSent, format!("the request cannot be sent: {cause}"));
    }
    if error.is_connect() {
        return failed(TransportKind::Connect, format!("no connection: {cause}"));
    }
    if error.is_timeout() {
        return failed(TransportKind::Timeout, format!("the connection timed out before an answer: {cause}"));
    }
    if is_malformed(error) {
        return failed(TransportKind::Malformed, format!("the answer is not HTTP: {cause}"));
    }
    failed(TransportKind::NoReply, format!("the connection was closed before an answer: {cause}"))
}

/// A failure while the body was read, `got` bytes into it.
pub(super) fn in_body(error: &reqwest::Error, got: usize) -> TransportError {
    let cause = chain(error);
    if error.is_timeout() {
        return failed(TransportKind::Timeout, format!("the connection timed out after {got} bytes of the body: {cause}"));
    }
    if is_malformed(error) {
        return failed(TransportKind::Malformed, format!("the body's framing broke after {got} bytes: {cause}"));
    }
    failed(TransportKind::Truncated, format!("the body was cut after {got} bytes: {cause}"))
}

/// A failure of a connection of hyper's own: before the response head, or so many bytes into the body.
pub(crate) fn failed_on_the_way(error: &hyper::Error, got: Option<usize>) -> TransportError {
    let cause = if error.source().is_none() { error.to_string() } else { chain(error) };
    let malformed = error.is_parse() || is_malformed(error);
    match got {
        None if malformed => failed(TransportKind::Malformed, format!("the answer is not HTTP: {cause}")),
        None => failed(TransportKind::NoReply, format!("the connection was closed before an answer: {cause}")),
        Some(got) if malformed => {
            failed(TransportKind::Malformed, format!("the body's framing broke after {got} bytes: {cause}"))
        }
        Some(got) => failed(TransportKind::Truncated, format!("the body was cut after {got} bytes: {cause}")),
    }
}

/// A body that is not packed as its header says, `got` bytes into what was unpacked.
pub(crate) fn packed(error: &std::io::Error, got: usize) -> TransportError {
    failed(TransportKind::Malformed, format!("the body is not packed as content-encoding says, after {got} bytes: {error}"))
}

/// A body over the limit.
pub(crate) fn too_long(limit: usize) -> TransportError {
    failed(TransportKind::TooLong, format!("the body is longer than {limit} bytes; the rest was not read"))
}

/// The causes of an error in one line, outermost wrapping left out, repetitions dropped.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // The pool's own wrapping says nothing that its cause does not say.
        let wrapping = text.starts_with("client error (") && error.source().is_some();
        if !wrapping && !parts.last().is_some_and(|last| last.contains(&text)) {
            parts.push(text);
        }
        cause = error.source();
    }
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

fn failed(kind: TransportKind, message: impl AsRef<str>) -> TransportError {
    TransportError { kind, message: message.as_ref().replace(['\n', '\r'], " ") }
}

/// Whether bytes came that are not HTTP, as against bytes that did not come.
fn is_malformed(error: &dyn Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput);
        }
        cause = error.source();
    }
    false
}
