//! Claims about the HTTP status.

use super::{Held, broken};
use crate::event::Whose;
use crate::wire::{ChatReply, Exchange, text_of};

const KIND: &str = "assert.status";

/// Most characters of a body that is shown.
const BODY_SHOWN: usize = 500;

/// The status is this one.
pub fn is(exchange: &Exchange, wanted: u64) -> Held {
    judge(exchange, &format!("is {wanted}"), |status| status == wanted)
}

/// There is a status, and it is another one.
pub fn is_not(exchange: &Exchange, unwanted: u64) -> Held {
    judge(exchange, &format!("is not {unwanted}"), |status| status != unwanted)
}

/// The status is one of these.
pub fn is_one_of(exchange: &Exchange, wanted: &[u64]) -> Held {
    let listed = wanted.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    judge(exchange, &format!("is one of {listed}"), |status| wanted.contains(&status))
}

/// The status is 2xx, and no error came in the body or the stream.
pub fn succeeds(exchange: &Exchange, reply: &ChatReply) -> Held {
    let good = exchange.status.is_some_and(|status| (200..300).contains(&status));
    if good && reply.error.is_none() && exchange.failure().is_none() {
        return Ok(());
    }
    broken(KIND, Whose::Wire, "the request succeeds", "a status of 200 to 299 and no error", shown(exchange))
}

/// The status is 4xx and the body says why.
pub fn refused(exchange: &Exchange, reply: &ChatReply) -> Held {
    let status = exchange.status.is_some_and(|status| (400..500).contains(&status));
    let told = reply.error.as_ref().is_some_and(|error| !error.message.trim().is_empty());
    if status && told {
        return Ok(());
    }
    let expected = "a status of 400 to 499 with an error message";
    broken(KIND, Whose::Wire, "the request is refused", expected, shown(exchange))
}

fn judge(exchange: &Exchange, claim: &str, holds: impl FnOnce(u64) -> bool) -> Held {
    if exchange.status.is_some_and(|status| holds(u64::from(status))) {
        return Ok(());
    }
    broken(KIND, Whose::Wire, format!("the status {claim}"), format!("a status that {claim}"), shown(exchange))
}

/// `503: {"error":…}`.
pub(super) fn shown(exchange: &Exchange) -> String {
    let Some(status) = exchange.status else {
        return exchange.failure().map_or_else(|| "no answer".to_owned(), |error| format!("no answer: {}", error.message));
    };
    let body = text_of(&exchange.body);
    let mut shown: String = body.trim().chars().take(BODY_SHOWN).collect();
    if shown.len() < body.trim().len() {
        shown.push('…');
    }
    let cut = exchange.failure().map(|error| format!(" ({})", error.message)).unwrap_or_default();
    if shown.is_empty() { format!("{status} with an empty body{cut}") } else { format!("{status}: {shown}{cut}") }
}

#[cfg(test)]
mod tests {
    use super::super::sample::exchange;
    use super::*;
    use crate::wire::fold_chat;

    #[test]
    fn numbers() {
        let ok = exchange(200, "{}");
        assert!(is(&ok, 200).is_ok() && is(&ok, 201).is_err());
        assert!(is_not(&ok, 500).is_ok() && is_not(&ok, 200).is_err());
        assert!(is_one_of(&ok, &[200, 201]).is_ok() && is_one_of(&ok, &[400, 422]).is_err());
        let mut none = exchange(200, "");
        none.status = None;
        assert!(is_not(&none, 500).is_err(), "no answer proves nothing");
    }

    #[track_caller]
    fn check(status: u16, body: &str, success: bool, refusal: bool) {
        let exchange = exchange(status, body);
        let reply = fold_chat(&exchange);
        assert_eq!(
            (succeeds(&exchange, &reply).is_ok(), refused(&exchange, &reply).is_ok()),
            (success, refusal),
            "{status} {body}"
        );
    }

    #[test]
    fn success_and_refusal() {
        check(200, r#"{"object":"list","data":[]}"#, true, false);
        check(200, r#"{"error":{"message":"m"}}"#, false, false);
        check(404, r#"{"error":{"message":"no such model"}}"#, false, true);
        check(404, "", false, false);
        check(500, r#"{"error":{"message":"m"}}"#, false, false);
    }
}
