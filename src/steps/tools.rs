//! Then: tool calls.

use fireassay_macros::step;

use super::{StepResult, Word, World};
use crate::check::tool_calls;

/// The reply calls this tool, maybe among others.
#[step(then, "the reply calls {name}", example = "the reply calls get_weather")]
fn calls(world: &mut World, name: Word) -> StepResult {
    world.judge(|reply| tool_calls::calls(&reply.chat, &reply.said(), &name.0))
}

/// There is a reply, and it calls no tool.
#[step(then, "the reply calls no tool")]
fn calls_none(world: &mut World) -> StepResult {
    world.judge(|reply| tool_calls::calls_none(&reply.chat, &reply.said()))
}
