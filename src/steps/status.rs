//! Then: HTTP status, headers and errors.

use cucumber::gherkin;
use fireassay_macros::step;

use super::{Numbers, StepResult, Text, World};
use crate::check::{error, header, status};

/// The HTTP status of the response.
#[step(then, "the status is {int}", example = "the status is 200")]
fn is(world: &mut World, wanted: u64) -> StepResult {
    world.judge(|reply| status::is(&reply.exchange, wanted))
}

/// The server answered with another HTTP status.
#[step(then, "the status is not {int}", example = "the status is not 500")]
fn is_not(world: &mut World, unwanted: u64) -> StepResult {
    world.judge(|reply| status::is_not(&reply.exchange, unwanted))
}

/// The HTTP status is one of these.
#[step(then, "the status is one of {ints}", example = "the status is one of 400, 422")]
fn is_one_of(world: &mut World, wanted: Numbers) -> StepResult {
    world.judge(|reply| status::is_one_of(&reply.exchange, &wanted.0))
}

/// The status is 200 to 299, and there is no error in the body or in the stream.
#[step(then, "the request succeeds")]
fn succeeds(world: &mut World) -> StepResult {
    world.judge(|reply| status::succeeds(&reply.exchange, &reply.chat))
}

/// The status is 400 to 499, and the body says why.
#[step(then, "the request is refused")]
fn refused(world: &mut World) -> StepResult {
    world.judge(|reply| status::refused(&reply.exchange, &reply.chat))
}

/// The server answered an error that says something.
#[step(then, "the error has a message")]
fn error_has_message(world: &mut World) -> StepResult {
    world.judge(|reply| error::has_message(&reply.exchange, &reply.chat))
}

/// The error's message has this text, ignoring case.
#[step(then, "the error message mentions {text}", example = "the error message mentions \"context\"")]
fn error_mentions(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    world.judge(|reply| error::mentions(&reply.exchange, &reply.chat, &wanted))
}

/// The error's `type`.
#[step(then, "the error type is {text}", example = "the error type is \"invalid_request_error\"")]
fn error_type(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    world.judge(|reply| error::type_is(&reply.exchange, &reply.chat, &wanted))
}

/// The error is written as OpenAI writes it: `error` with the texts `message` and `type`, and `param` and `code` as text, null or left out.
#[step(then, "the error has the OpenAI form")]
fn error_form(world: &mut World) -> StepResult {
    world.judge(|reply| error::has_openai_form(&reply.exchange, &reply.chat))
}

/// A header of the response has this value. Under Given: requests carry this header.
#[step(then, "the header {text} is {text}", example = "the header \"content-type\" is \"application/json\"")]
fn header_is(world: &mut World, name: Text, value: Text, step: &gherkin::Step) -> StepResult {
    let (name, value) = (world.fill(&name.0)?, world.fill(&value.0)?);
    // One sentence, two uses: each sentence is found under every keyword, so the keyword is looked at here.
    if step.ty == gherkin::StepType::Given {
        world.draft.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
        world.draft.headers.push((name, value));
        return Ok(());
    }
    world.judge(|reply| header::is(&reply.exchange, &name, &value))
}

/// A header of the response has this text, ignoring case.
#[step(then, "the header {text} mentions {text}", example = "the header \"content-type\" mentions \"json\"")]
fn header_mentions(world: &mut World, name: Text, wanted: Text) -> StepResult {
    let (name, wanted) = (world.fill(&name.0)?, world.fill(&wanted.0)?);
    world.judge(|reply| header::mentions(&reply.exchange, &name, &wanted))
}

/// The response does not have this text in the header, ignoring case; it may lack the header.
#[step(then, "the header {text} does not mention {text}", example = "the header \"server\" does not mention \"python\"")]
fn header_does_not_mention(world: &mut World, name: Text, unwanted: Text) -> StepResult {
    let (name, unwanted) = (world.fill(&name.0)?, world.fill(&unwanted.0)?);
    world.judge(|reply| header::does_not_mention(&reply.exchange, &name, &unwanted))
}

/// The response has this header.
#[step(then, "the header {text} is present", example = "the header \"content-type\" is present")]
fn header_is_present(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    world.judge(|reply| header::is_present(&reply.exchange, &name))
}

/// The response does not have this header.
#[step(then, "the header {text} is absent", example = "the header \"x-powered-by\" is absent")]
fn header_is_absent(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    world.judge(|reply| header::is_absent(&reply.exchange, &name))
}
