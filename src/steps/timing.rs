//! Then: time. A tape has none: unless a live server answers, these claims are not evaluated.

use fireassay_macros::step;

use super::{Clock, StepResult, TimeSpan, World};
use crate::check::timing;

/// The reply is complete within this time. Live only.
#[step(then, "the reply ends within {duration}", example = "the reply ends within 30s", live)]
fn ends_within(world: &mut World, limit: TimeSpan) -> StepResult {
    world.judge(|reply| timing::ends_within(&reply.exchange, &reply.said(), limit.0))
}

/// The first text, reasoning or tool call comes within this time. Live only.
#[step(then, "the first token comes within {duration}", example = "the first token comes within 2s", live)]
fn first_token_within(world: &mut World, limit: TimeSpan) -> StepResult {
    world.judge(|reply| timing::first_token_within(&reply.chat, &reply.said(), limit.0))
}

/// One of the five clocks of a streamed reply: its first byte, role, thought, text or tool call comes within this time. Live only.
///
/// A whole reply shows all but its first byte at its end.
#[step(then, "the first {clock} comes within {duration}", example = "the first thought comes within 2s", live)]
fn first_within(world: &mut World, clock: Clock, limit: TimeSpan) -> StepResult {
    world.judge(|reply| {
        let at = match clock {
            Clock::Byte => reply.chat.clocks.first_byte_us,
            Clock::Role => reply.chat.clocks.first_role_us,
            Clock::Thought => reply.chat.clocks.first_reasoning_us,
            Clock::Text => reply.chat.clocks.first_content_us,
            Clock::ToolCall => reply.chat.clocks.first_tool_us,
        };
        timing::first_within(&reply.chat, &reply.said(), clock.word(), at, limit.0)
    })
}

/// A streamed reply never pauses for longer than this between two pieces of text. Live only.
#[step(then, "no gap between pieces is longer than {duration}", example = "no gap between pieces is longer than 1s", live)]
fn no_gap_longer(world: &mut World, limit: TimeSpan) -> StepResult {
    world.judge(|reply| timing::no_gap_longer(&reply.chat, &reply.said(), limit.0))
}
