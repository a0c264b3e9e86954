//! Then: how the reply travelled.

use fireassay_macros::step;

use super::{StepResult, World};
use crate::check::stream;

/// The reply was streamed, and its text came in two pieces or more.
#[step(then, "the reply came in more than one piece")]
fn more_than_one(world: &mut World) -> StepResult {
    world.judge(|reply| stream::at_least_pieces(&reply.chat, &reply.said(), 2))
}

/// The reply was streamed, and its text came in so many pieces or more.
#[step(then, "the reply came in at least {int} pieces", example = "the reply came in at least 5 pieces")]
fn at_least(world: &mut World, bound: u64) -> StepResult {
    world.judge(|reply| stream::at_least_pieces(&reply.chat, &reply.said(), bound))
}

/// The reply's text came at once: whole, or in a stream with one piece of text.
#[step(then, "the reply came in one piece")]
fn one(world: &mut World) -> StepResult {
    world.judge(|reply| stream::one_piece(&reply.chat, &reply.said()))
}

/// The response is a stream of events under its media type; each event is JSON; every choice has a finish reason; there is no error.
#[step(then, "the stream is well-formed")]
fn well_formed(world: &mut World) -> StepResult {
    world.judge(|reply| stream::well_formed(&reply.exchange, &reply.chat))
}

/// The stream's last event is `[DONE]`.
#[step(then, "the stream ends with [DONE]")]
fn ends_with_done(world: &mut World) -> StepResult {
    world.judge(|reply| stream::ends_with_done(&reply.exchange, &reply.chat))
}

/// The stream came to its end, or an error in it says why not; so does a refusal before it began.
///
/// For streams that something happens to: a client must be able to tell a whole reply from a piece of one.
#[step(then, "the stream ends whole or with an error")]
fn whole_or_told(world: &mut World) -> StepResult {
    world.judge(|reply| stream::whole_or_told(&reply.exchange, &reply.chat))
}

/// The response is one body, and does not call itself a stream of events.
#[step(then, "the response is not a stream")]
fn not_a_stream(world: &mut World) -> StepResult {
    world.judge(|reply| stream::is_not_a_stream(&reply.exchange, &reply.chat))
}
