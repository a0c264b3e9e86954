//! The Responses API: Given that it is asked, When stored responses are gone on from, fetched or ended, Then what only it has.

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Value, json};

use super::request::RESPONSES;
use super::world::Surface;
use super::{Failure, Names, Reply, StepResult, Text, World, argument};
use crate::check::{Held, responses};
use crate::wire::{ChatRequest, Reading, Request, ResponsesReply};

/// Sends what is asked from now on to `/v1/responses`; every other sentence stays as it is.
///
/// The system prompt becomes the instructions, messages and tool results become items of the input, `max_tokens` becomes
/// `max_output_tokens`, a response format becomes `text.format`; `seed` is left out. What the Responses API cannot say
/// (`n`, `stop`, `logit_bias`) is an error of the scenario.
#[step(given, "the responses API")]
fn responses_api(world: &mut World) -> StepResult {
    world.draft.surface = Surface::Responses;
    Ok(())
}

/// Sends what is asked from now on to `/v1/chat/completions`, as at the beginning.
#[step(given, "the chat API")]
fn chat_api(world: &mut World) -> StepResult {
    world.draft.surface = Surface::Chat;
    Ok(())
}

/// Asks for responses to be kept by the server: `store: true`.
#[step(given, "responses are stored")]
fn stored(world: &mut World) -> StepResult {
    world.draft.set("store", json!(true));
    Ok(())
}

/// Asks for responses not to be kept by the server: `store: false`.
#[step(given, "responses are not stored")]
fn not_stored(world: &mut World) -> StepResult {
    world.draft.set("store", json!(false));
    Ok(())
}

/// Goes on from the last response by its id (`previous_response_id`): only the new question is sent.
#[step(when, "I go on from the last response with {text}", example = "I go on from the last response with \"And of Italy?\"")]
async fn go_on_from(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    let id = last_id(world)?;
    world.go_on_from(&id, &question).await
}

/// Goes on from a response of this id, whether there is one or not: only the new question is sent.
#[step(
    when,
    "I go on from the response {text} with {text}",
    example = "I go on from the response \"resp_none\" with \"And of Italy?\""
)]
async fn go_on_from_id(world: &mut World, id: Text, question: Text) -> StepResult {
    let (id, question) = (world.fill(&id.0)?, world.fill(&question.0)?);
    world.go_on_from(&id, &question).await
}

/// Fetches the last response again: `GET /v1/responses/{id}`.
#[step(when, "I get the last response")]
async fn get(world: &mut World) -> StepResult {
    of_last(world, "GET", "").await
}

/// Deletes the last response: `DELETE /v1/responses/{id}`.
#[step(when, "I delete the last response")]
async fn delete(world: &mut World) -> StepResult {
    of_last(world, "DELETE", "").await
}

/// Cancels the last response: `POST /v1/responses/{id}/cancel`.
#[step(when, "I cancel the last response")]
async fn cancel(world: &mut World) -> StepResult {
    of_last(world, "POST", "/cancel").await
}

/// Lists what the last response was asked: `GET /v1/responses/{id}/input_items`.
#[step(when, "I list the input items of the last response")]
async fn input_items(world: &mut World) -> StepResult {
    of_last(world, "GET", "/input_items").await
}

/// The response ended with this status: `completed`, `incomplete`, `failed`, `cancelled`; or is `queued` or `in_progress`.
#[step(then, "the response status is {text}", example = "the response status is \"completed\"")]
fn status_is(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    of_response(world, |reply, response| responses::status_is(response, &reply.said(), &wanted))
}

/// The response is incomplete and says why: `max_output_tokens`, `content_filter`.
#[step(
    then,
    "the response is incomplete because of {text}",
    example = "the response is incomplete because of \"max_output_tokens\""
)]
fn incomplete_because(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    of_response(world, |reply, response| responses::incomplete_because(response, &reply.said(), &wanted))
}

/// The output has items of these types in this order, and no others: `message`, `function_call`, `reasoning`.
#[step(then, "the output items are {names}", example = "the output items are reasoning, message")]
fn items_are(world: &mut World, wanted: Names) -> StepResult {
    of_response(world, |reply, response| responses::items_are(response, &reply.said(), &wanted.0))
}

/// Events of these types came in this order; others may stand between them. The table has one column and no header.
#[step(then, "the events come in this order:")]
fn events_in_order(world: &mut World, step: &gherkin::Step) -> StepResult {
    let wanted = argument::column(world, step)?;
    world.judge(|reply| {
        let reading = Reading::of(&reply.exchange);
        let types = reading.frames.iter().filter_map(|frame| frame.value()?.get("type")?.as_str());
        responses::events_in_order(reading.responses(), &types.collect::<Vec<_>>(), &reply.said(), &wanted)
    })
}

/// This response is the one before it: the same id, status, text and calls.
#[step(then, "the response is the same as the one before")]
fn is_the_same(world: &mut World) -> StepResult {
    let [.., before, _] = world.replies.as_slice() else {
        return Err(Failure::author("there is no response before the last one: ask, then fetch it"));
    };
    let before = Reading::of(&before.exchange).responses().cloned();
    of_response(world, |reply, response| responses::is_the_same(before.as_ref(), response, &reply.said()))
}

/// Judges a claim about the last reply as a response.
fn of_response(world: &World, claim: impl FnOnce(&Reply, Option<&ResponsesReply>) -> Held) -> StepResult {
    world.judge(|reply| claim(reply, Reading::of(&reply.exchange).responses()))
}

/// The id of the last response.
fn last_id(world: &World) -> Result<String, Failure> {
    let reply = world.last()?;
    let id = Reading::of(&reply.exchange).responses().and_then(|reply| reply.response.as_ref()?.id.clone());
    let none = || responses::status_is(None, &reply.said(), "completed").map_err(|mismatch| reply.blamed(mismatch));
    id.map_or_else(|| Err(none().expect_err("without a response it never holds")), Ok)
}

async fn of_last(world: &mut World, method: &str, below: &str) -> StepResult {
    let id = last_id(world)?;
    let request = Request { method: method.to_owned(), ..Request::get(format!("{RESPONSES}/{id}{below}")) };
    let request = world.dressed(request)?;
    world.send(request).await
}

impl World {
    async fn go_on_from(&mut self, id: &str, question: &str) -> StepResult {
        let mut draft = self.draft.clone();
        draft.surface = Surface::Responses;
        draft.set("previous_response_id", json!(id));
        let asked = ChatRequest::message("user", question);
        let request = self.dressed(draft.request(std::slice::from_ref(&asked), draft.streamed)?)?;
        self.thread.push(asked);
        self.send(request).await
    }
}

/// What goes back with a history: the items of a response as they came; nothing where the reply is none of this API.
pub(super) fn items_of(reply: &Reply) -> Option<Vec<Value>> {
    let reading = Reading::of(&reply.exchange);
    let items = reading.responses()?.output.iter().map(|item| item.raw.clone());
    Some(items.filter(Value::is_object).collect())
}
