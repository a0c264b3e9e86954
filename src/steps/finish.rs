//! Then: why the model stopped.

use fireassay_macros::step;

use super::{Names, StepResult, Text, World};
use crate::check::finish;

/// The model stopped for this reason: `stop`, `length`, `tool_calls`, `content_filter`.
#[step(then, "the finish reason is {text}", example = "the finish reason is \"stop\"")]
fn is(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    world.judge(|reply| finish::is(&reply.chat, &reply.said(), &wanted))
}

/// The model stopped, for another reason.
#[step(then, "the finish reason is not {text}", example = "the finish reason is not \"length\"")]
fn is_not(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    world.judge(|reply| finish::is_not(&reply.chat, &reply.said(), &unwanted))
}

/// The model stopped for one of these reasons.
#[step(then, "the finish reason is one of {names}", example = "the finish reason is one of stop, length")]
fn is_one_of(world: &mut World, wanted: Names) -> StepResult {
    world.judge(|reply| finish::is_one_of(&reply.chat, &reply.said(), &wanted.0))
}
