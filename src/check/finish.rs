//! Claims about why the model stopped.

use super::{Held, Said, broken};
use crate::event::Whose;
use crate::wire::ChatReply;

const KIND: &str = "assert.finish";

/// The finish reason of the first choice is this one.
pub fn is(reply: &ChatReply, said: &Said<'_>, wanted: &str) -> Held {
    judge(reply, said, &format!("is \"{wanted}\""), |reason| reason == wanted)
}

/// There is a finish reason, and it is another one.
pub fn is_not(reply: &ChatReply, said: &Said<'_>, unwanted: &str) -> Held {
    judge(reply, said, &format!("is not \"{unwanted}\""), |reason| reason != unwanted)
}

/// The finish reason is one of these.
pub fn is_one_of(reply: &ChatReply, said: &Said<'_>, wanted: &[String]) -> Held {
    judge(reply, said, &format!("is one of {}", wanted.join(", ")), |reason| wanted.iter().any(|wanted| wanted == reason))
}

fn judge(reply: &ChatReply, said: &Said<'_>, claim: &str, holds: impl FnOnce(&str) -> bool) -> Held {
    let reason = reply.first().and_then(|choice| choice.finish_reason.as_deref());
    if said.is_reply() && reason.is_some_and(holds) {
        return Ok(());
    }
    let actual = match (&said.instead, reason) {
        (Some(instead), _) => instead.clone(),
        (None, Some(reason)) => format!("finish reason \"{reason}\", after: {}", said.shown()),
        (None, None) => format!("no finish reason, after: {}", said.shown()),
    };
    broken(KIND, Whose::Capability, format!("the finish reason {claim}"), format!("a finish reason that {claim}"), actual)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, piece, stream, whole};
    use super::*;
    use crate::wire::{Exchange, fold_chat};

    #[track_caller]
    fn check(exchange: &Exchange, is_stop: bool, is_not_stop: bool, one_of: bool) {
        let reply = fold_chat(exchange);
        let said = Said::of(&reply, exchange);
        let names = ["stop".to_owned(), "length".to_owned()];
        let seen =
            (is(&reply, &said, "stop").is_ok(), is_not(&reply, &said, "stop").is_ok(), is_one_of(&reply, &said, &names).is_ok());
        assert_eq!(seen, (is_stop, is_not_stop, one_of));
    }

    #[test]
    fn both_directions() {
        check(&exchange(200, &whole(&choice(0, "a", "stop"), "")), true, false, true);
        check(&exchange(200, &whole(&choice(0, "a", "length"), "")), false, true, true);
        check(&exchange(200, &whole(&choice(0, "a", "tool_calls"), "")), false, true, false);
        check(&stream(&[&piece("a")]), false, false, false);
        check(&exchange(500, r#"{"error":{"message":"m"}}"#), false, false, false);
    }
}
