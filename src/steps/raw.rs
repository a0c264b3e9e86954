//! When: requests as an author writes them, byte for byte, and the service itself.

use cucumber::gherkin;
use fireassay_macros::step;

use super::request::CHAT;
use super::{StepResult, Text, World, argument};
use crate::event::{Mismatch, Whose};
use crate::wire::{ChatRequest, Request, TransportKind};

/// Sends a `GET`. The text is a path below the stack's address (`/v1/models`), or a whole address.
#[step(when, "I get {text}", example = "I get \"/v1/models\"")]
async fn get(world: &mut World, target: Text) -> StepResult {
    let target = world.fill(&target.0)?;
    let request = world.dressed(Request::get(target))?;
    world.send(request).await
}

/// Sends a `POST` whose body is the doc string, byte for byte: broken JSON stays broken.
///
/// It is sent as `application/json`, or as the media type after the opening quotes (`"""text/plain`).
#[step(when, "I post to {text}:", example = "I post to \"/v1/chat/completions\":")]
async fn post(world: &mut World, target: Text, step: &gherkin::Step) -> StepResult {
    let target = world.fill(&target.0)?;
    let body = argument::doc(world, step)?;
    let request = world.dressed(Request::post_raw(target, &argument::media_type(world)?, body))?;
    world.send(request).await
}

/// Sends the doc string, byte for byte, as the body of a chat request.
///
/// It is sent as `application/json`, or as the media type after the opening quotes (`"""text/plain`).
#[step(when, "I send a chat request:")]
async fn chat_request(world: &mut World, step: &gherkin::Step) -> StepResult {
    let body = argument::doc(world, step)?;
    let request = world.dressed(Request::post_raw(CHAT, &argument::media_type(world)?, body))?;
    world.send(request).await
}

/// Asks the service whether it is well, at the address the setup names for that.
#[step(when, "I check the health")]
async fn health(world: &mut World) -> StepResult {
    let health = world.cell()?.health.clone();
    let request = world.dressed(Request::get(health))?;
    world.send(request).await
}

/// The service is alive and answers a plain question of ours.
///
/// It asks for its health and then one short question with the setup's own model, key and settings, whatever the scenario
/// has set. Neither becomes *the reply*.
#[step(then, "the server is still up")]
async fn still_up(world: &mut World) -> StepResult {
    world.claim();
    let cell = world.cell()?.clone();
    let mut fresh = World::new(cell.clone(), world.scenario().clone(), world.asked(), 1);
    // A sign of life is enough: a few tokens, so that the claim costs little on a slow server.
    fresh.draft.set("max_tokens", serde_json::json!(4));
    if !cell.health.is_empty() {
        let request = fresh.dressed(Request::get(&cell.health))?;
        let reply = world.exchange(request).await?;
        let well = reply.exchange.status.is_some_and(|status| (200..300).contains(&status));
        if !well {
            return Err(reply.blamed(Box::new(down(&reply, "its health"))));
        }
    }
    let request = fresh.chat_request(&[ChatRequest::message("user", "Say yes.")], false)?;
    let reply = world.exchange(request).await?;
    if reply.said().is_reply() {
        return Ok(());
    }
    Err(reply.blamed(Box::new(down(&reply, "a plain question"))))
}

fn down(reply: &super::Reply, asked: &str) -> Mismatch {
    let gone = reply.exchange.failure().is_some_and(|error| error.kind == TransportKind::Connect);
    let actual = match (gone, reply.exchange.failure()) {
        (true, Some(error)) => format!("nobody listens any more: {}", error.message),
        (_, Some(error)) => error.message.clone(),
        (_, None) => reply.said().instead.unwrap_or_else(|| format!("status {}", reply.exchange.status.unwrap_or_default())),
    };
    Mismatch::new("assert.alive", Whose::Capability, format!("the server is still up: asked for {asked}"))
        .expected(format!("an answer to {asked}"))
        .actual(actual)
}
