//! Then: token counts.

use fireassay_macros::step;

use super::{Failure, StepResult, World};
use crate::check::usage::{self, Bound, Tokens};

/// The reply has usage, and its total is the sum of prompt and completion tokens.
#[step(then, "the usage adds up")]
fn adds_up(world: &mut World) -> StepResult {
    world.judge(|reply| usage::adds_up(&reply.chat, &reply.said()))
}

/// There is a reply, and no usage in it.
#[step(then, "the usage is missing")]
fn is_missing(world: &mut World) -> StepResult {
    world.judge(|reply| usage::is_missing(&reply.chat, &reply.said()))
}

/// The prompt counted exactly so many tokens, by the server's own usage.
#[step(then, "the prompt tokens are {int}", example = "the prompt tokens are 12")]
fn prompt_is(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Prompt, Bound::Is(count))
}

/// The prompt counted so many tokens or more, by the server's own usage.
#[step(then, "the prompt tokens are at least {int}", example = "the prompt tokens are at least 12")]
fn prompt_at_least(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Prompt, Bound::AtLeast(count))
}

/// The prompt counted so many tokens or fewer, by the server's own usage.
#[step(then, "the prompt tokens are at most {int}", example = "the prompt tokens are at most 12")]
fn prompt_at_most(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Prompt, Bound::AtMost(count))
}

/// The reply counted exactly so many tokens, by the server's own usage.
#[step(then, "the completion tokens are {int}", example = "the completion tokens are 32")]
fn completion_is(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Completion, Bound::Is(count))
}

/// The reply counted so many tokens or more, by the server's own usage.
#[step(then, "the completion tokens are at least {int}", example = "the completion tokens are at least 32")]
fn completion_at_least(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Completion, Bound::AtLeast(count))
}

/// The reply counted so many tokens or fewer, by the server's own usage.
#[step(then, "the completion tokens are at most {int}", example = "the completion tokens are at most 32")]
fn completion_at_most(world: &mut World, count: u64) -> StepResult {
    bounded(world, Tokens::Completion, Bound::AtMost(count))
}

/// This prompt counted more tokens than that of the reply before: nothing of what was added got lost.
#[step(then, "the prompt tokens are more than before")]
fn prompt_grew(world: &mut World) -> StepResult {
    let [.., before, _] = world.replies.as_slice() else {
        return Err(Failure::author("there is no reply before the last one: ask twice"));
    };
    world.judge(|reply| usage::prompt_grew(&before.chat, &reply.chat, &reply.said()))
}

fn bounded(world: &World, tokens: Tokens, bound: Bound) -> StepResult {
    world.judge(|reply| usage::tokens(&reply.chat, &reply.said(), tokens, bound))
}
