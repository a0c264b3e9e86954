//! Claims about time. Only a live server has any: the caller sees to that.

use std::time::Duration;

use super::{Held, Said, broken};
use crate::event::Whose;
use crate::wire::{ChatReply, Exchange};

const KIND: &str = "assert.timing";

/// The reply was complete within a time.
pub fn ends_within(exchange: &Exchange, said: &Said<'_>, limit: Duration) -> Held {
    if said.is_reply() && exchange.took <= limit {
        return Ok(());
    }
    let actual = shown(said, || format!("it ended after {:.3?}", exchange.took));
    broken(KIND, Whose::Capability, format!("the reply ends within {limit:?}"), format!("the end within {limit:?}"), actual)
}

/// The first text, reasoning or tool call came within a time.
pub fn first_token_within(reply: &ChatReply, said: &Said<'_>, limit: Duration) -> Held {
    let clocks = &reply.clocks;
    let first = [clocks.first_content_us, clocks.first_reasoning_us, clocks.first_tool_us].into_iter().flatten().min();
    // A whole reply shows its first token when it shows anything.
    let first = first.or(if reply.streamed { None } else { clocks.end_us }).map(Duration::from_micros);
    if said.is_reply() && first.is_some_and(|first| first <= limit) {
        return Ok(());
    }
    let actual = shown(said, || first.map_or_else(|| "no token came".to_owned(), |first| format!("it came after {first:.3?}")));
    let message = format!("the first token comes within {limit:?}");
    broken(KIND, Whose::Capability, message, format!("the first token within {limit:?}"), actual)
}

/// What one of the clocks shows (**Units**: microseconds after the request was sent) came within a time.
///
/// A whole reply has only its first byte and its end: what it shows, it shows there.
pub fn first_within(reply: &ChatReply, said: &Said<'_>, what: &str, at: Option<u64>, limit: Duration) -> Held {
    let choice = reply.first();
    let shows = match what {
        "byte" => true,
        "role" => choice.is_some_and(|choice| choice.role.is_some()),
        "thought" => choice.is_some_and(|choice| choice.reasoning.is_some()),
        "tool call" => choice.is_some_and(|choice| !choice.tool_calls.is_empty()),
        _ => choice.is_some_and(|choice| choice.content.as_deref().is_some_and(|text| !text.is_empty())),
    };
    let at = at.or(if reply.streamed || !shows { None } else { reply.clocks.end_us }).map(Duration::from_micros);
    if said.is_reply() && at.is_some_and(|at| at <= limit) {
        return Ok(());
    }
    let actual = shown(said, || at.map_or_else(|| format!("no {what} came"), |at| format!("it came after {at:.3?}")));
    let message = format!("the first {what} comes within {limit:?}");
    broken(KIND, Whose::Capability, message, format!("the first {what} within {limit:?}"), actual)
}

/// No wait between two pieces of text was longer than this.
pub fn no_gap_longer(reply: &ChatReply, said: &Said<'_>, limit: Duration) -> Held {
    let longest = reply.gaps.iter().copied().max();
    if said.is_reply() && reply.streamed && longest.is_none_or(|gap| gap <= limit) {
        return Ok(());
    }
    let actual = shown(said, || match longest {
        Some(gap) if reply.streamed => format!("the longest gap is {gap:.3?}"),
        _ => "the reply is not a stream".to_owned(),
    });
    let message = format!("no gap between pieces is longer than {limit:?}");
    broken(KIND, Whose::Capability, message, format!("gaps of at most {limit:?}"), actual)
}

fn shown(said: &Said<'_>, reply: impl FnOnce() -> String) -> String {
    said.instead.clone().unwrap_or_else(reply)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, finish, piece, stream, whole};
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(exchange: &Exchange, limit_ms: u64, end: bool, first: bool, gap: bool) {
        let reply = fold_chat(exchange);
        let said = Said::of(&reply, exchange);
        let limit = Duration::from_millis(limit_ms);
        let seen =
            [ends_within(exchange, &said, limit), first_token_within(&reply, &said, limit), no_gap_longer(&reply, &said, limit)];
        assert_eq!(seen.map(|held| held.is_ok()), [end, first, gap], "{limit:?}");
    }

    #[test]
    fn every_clock_has_its_own_time() {
        let thought = piece("").replace(r#""content":"""#, r#""reasoning":"hm""#);
        let streamed = stream(&[&thought, &piece("a"), &finish("stop")]);
        let reply = fold_chat(&streamed);
        let said = Said::of(&reply, &streamed);
        let clocks = &reply.clocks;
        let held = |what, at, ms| first_within(&reply, &said, what, at, Duration::from_millis(ms)).is_ok();
        assert!(held("role", clocks.first_role_us, 10) && !held("role", clocks.first_role_us, 9));
        assert!(held("thought", clocks.first_reasoning_us, 10) && !held("thought", clocks.first_reasoning_us, 9));
        assert!(held("text", clocks.first_content_us, 20) && !held("text", clocks.first_content_us, 19));
        assert!(!held("tool call", clocks.first_tool_us, 1000));
        let whole = exchange(200, &whole(&choice(0, "a", "stop"), ""));
        let reply = fold_chat(&whole);
        let said = Said::of(&reply, &whole);
        let held = |what, ms| first_within(&reply, &said, what, None, Duration::from_millis(ms)).is_ok();
        assert!(held("text", 10) && !held("text", 9) && !held("thought", 1000) && !held("tool call", 1000));
    }

    #[test]
    fn both_directions() {
        let streamed = stream(&[&piece("a"), &piece("b"), &piece("c"), &finish("stop")]);
        check(&streamed, 40, true, true, true);
        check(&streamed, 10, false, true, true);
        check(&streamed, 9, false, false, false);
        let whole = exchange(200, &whole(&choice(0, "a", "stop"), ""));
        check(&whole, 10, true, true, false);
        check(&whole, 9, false, false, false);
        check(&exchange(500, ""), 10_000, false, false, false);
    }
}
