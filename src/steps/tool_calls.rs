//! Then: tool calls, and what their arguments are.

use cucumber::gherkin;
use fireassay_macros::step;

use super::{Failure, Json, Names, Reply, StepResult, Text, Word, World, argument};
use crate::check::Held;
use crate::check::tool_calls::{self, Offered, Step, Wanted};
use crate::wire::ChatReply;

/// The reply calls this tool, maybe among others.
#[step(then, "the reply calls {name}", example = "the reply calls get_weather")]
fn calls(world: &mut World, name: Word) -> StepResult {
    world.judge(|reply| tool_calls::calls(&reply.chat, &reply.said(), &name.0))
}

/// There is a reply, and it does not call this tool.
#[step(then, "the reply does not call {name}", example = "the reply does not call get_weather")]
fn calls_not(world: &mut World, name: Word) -> StepResult {
    world.judge(|reply| tool_calls::calls_not(&reply.chat, &reply.said(), &name.0))
}

/// There is a reply, and it calls no tool.
#[step(then, "the reply calls no tool")]
fn calls_none(world: &mut World) -> StepResult {
    world.judge(|reply| tool_calls::calls_none(&reply.chat, &reply.said()))
}

/// The reply has so many tool calls, of any tools.
#[step(then, "the reply has {int} tool call(s)", example = "the reply has 2 tool calls")]
fn call_count(world: &mut World, count: u64) -> StepResult {
    world.judge(|reply| tool_calls::calls_count(&reply.chat, &reply.said(), count))
}

/// The reply calls this tool so many times.
#[step(then, "the reply calls {name} {int} times", example = "the reply calls get_weather 2 times")]
fn calls_times(world: &mut World, name: Word, times: u64) -> StepResult {
    world.judge(|reply| tool_calls::calls_times(&reply.chat, &reply.said(), &name.0, times))
}

/// The reply calls this tool with exactly these arguments. The value is the rest of the line, as JSON.
///
/// Numbers are compared by value, objects in any order.
#[step(then, "the reply calls {name} with {json}", example = "the reply calls get_weather with {\"city\": \"Paris\"}")]
fn calls_with(world: &mut World, name: Word, arguments: Json) -> StepResult {
    let wanted = Wanted::Exactly(argument::json(world, &arguments)?);
    with_offer(world, |reply, offered| tool_calls::calls_with(&reply.chat, &reply.said(), offered, &name.0, &wanted, false))
}

/// The reply calls this tool with these arguments; others are free.
///
/// The table has two columns and no header: a place in the arguments (`city`, `stops[0].name`) and its value.
#[step(then, "the reply calls {name} with:", example = "the reply calls get_weather with:")]
fn calls_with_table(world: &mut World, name: Word, step: &gherkin::Step) -> StepResult {
    let wanted = Wanted::Has(argument::pairs(world, step)?);
    with_offer(world, |reply, offered| tool_calls::calls_with(&reply.chat, &reply.said(), offered, &name.0, &wanted, false))
}

/// The reply has one call: of this tool, with these arguments; other arguments are free. The table is that of `with:`.
#[step(then, "the reply calls {name} once with:", example = "the reply calls get_weather once with:")]
fn calls_once_with(world: &mut World, name: Word, step: &gherkin::Step) -> StepResult {
    let wanted = Wanted::Has(argument::pairs(world, step)?);
    with_offer(world, |reply, offered| tool_calls::calls_with(&reply.chat, &reply.said(), offered, &name.0, &wanted, true))
}

/// The reply calls this tool, and the arguments of every such call parse and fit the schema that was offered.
#[step(
    then,
    "the reply calls {name} with arguments that fit its schema",
    example = "the reply calls get_weather with arguments that fit its schema"
)]
fn fitting(world: &mut World, name: Word) -> StepResult {
    with_offer(world, |reply, offered| tool_calls::every_call_fits(&reply.chat, &reply.said(), offered, Some(&name.0)))
}

/// The reply calls tools, and every call is one: it names an offered tool, its arguments parse, and they fit its schema.
///
/// Each call that does not is shown with its verdict: not a call, wrong tool, arguments that do not parse, or every fault of
/// the arguments with its place in them and in the schema.
#[step(then, "every tool call fits its schema")]
fn every_call_fits(world: &mut World) -> StepResult {
    with_offer(world, |reply, offered| tool_calls::every_call_fits(&reply.chat, &reply.said(), offered, None))
}

/// The value at a place in the arguments of the first call of a tool. The value is the rest of the line, as JSON.
#[step(then, "the argument {text} of {name} is {json}", example = "the argument \"city\" of get_weather is \"Paris\"")]
fn argument_is(world: &mut World, path: Text, name: Word, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let wanted = argument::json(world, &value)?;
    world.judge(|reply| tool_calls::argument_is(&reply.chat, &reply.said(), &name.0, &path, &wanted))
}

/// The arguments of the call were streamed in so many fragments or more.
#[step(then, "the call of {name} came in at least {int} pieces", example = "the call of get_weather came in at least 3 pieces")]
fn pieces(world: &mut World, name: Word, least: u64) -> StepResult {
    world.judge(|reply| tool_calls::came_in_pieces(&reply.chat, &reply.said(), &name.0, least))
}

/// All calls of the conversation, over all its rounds, are of these tools in this order.
#[step(then, "the calls in order are {names}", example = "the calls in order are get_time, get_weather")]
fn in_order(world: &mut World, names: Names) -> StepResult {
    let wanted: Vec<Step> = names.0.into_iter().map(|name| (name, None)).collect();
    conversation(world, |replies| tool_calls::in_order(replies, &wanted))
}

/// All calls of the conversation, over all its rounds, are these in this order.
///
/// The table has the column `tool` and, where they matter, `arguments`: a JSON object; an empty cell is any.
#[step(then, "the calls in order are:")]
fn in_order_table(world: &mut World, step: &gherkin::Step) -> StepResult {
    let mut wanted: Vec<Step> = Vec::new();
    for row in argument::rows(world, step, &["tool"])? {
        let cell = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, cell)| cell.as_str());
        let arguments = match cell("arguments").filter(|cell| !cell.is_empty()) {
            Some(text) => {
                Some(serde_json::from_str(text).map_err(|error| Failure::author(format!("`{text}` is not JSON: {error}")))?)
            }
            None => None,
        };
        wanted.push((cell("tool").unwrap_or_default().to_owned(), arguments));
    }
    conversation(world, |replies| tool_calls::in_order(replies, &wanted))
}

/// The tool calls of the conversation were answered in so many rounds.
#[step(then, "the tools were run in {int} round(s)", example = "the tools were run in 2 rounds")]
fn rounds(world: &mut World, count: u64) -> StepResult {
    let seen = world.rounds;
    world.judge(|_| tool_calls::rounds(seen, count))
}

/// Every call of the conversation, over all its rounds, has an id, and no two have the same.
#[step(then, "every tool call has an id of its own")]
fn ids_differ(world: &mut World) -> StepResult {
    conversation(world, tool_calls::ids_differ)
}

fn with_offer(world: &World, claim: impl FnOnce(&Reply, &Offered) -> Held) -> StepResult {
    world.judge(|reply| claim(reply, &Offered::of(&reply.exchange)))
}

/// Judges all replies of the conversation, oldest first.
fn conversation(world: &World, claim: impl FnOnce(&[&ChatReply]) -> Held) -> StepResult {
    world.last()?;
    let replies: Vec<&ChatReply> = world.replies.iter().skip(world.began).map(|reply| &reply.chat).collect();
    world.judge(|_| claim(&replies))
}
