//! Given: what the next requests carry.

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Value, json};

use super::world::Key;
use super::{Delivery, Json, StepResult, Text, TimeSpan, World, argument};

/// Names the model that is asked.
///
/// The text is a role of the setup (`text`, `tools`, `embedding`, …); where no role has that name it is sent as a model id, as written.
#[step(given, "the model {text}", example = "the model \"text\"")]
fn model(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    world.draft.model = Some(world.model_id(&name)?);
    Ok(())
}

/// Sends requests without `model`.
#[step(given, "no model is named")]
fn no_model(world: &mut World) -> StepResult {
    world.draft.model = None;
    Ok(())
}

/// Sets `temperature`.
#[step(given, "the temperature is {float}", example = "the temperature is 0.7")]
fn temperature(world: &mut World, value: f64) -> StepResult {
    world.draft.set("temperature", json!(value));
    Ok(())
}

/// Sets `seed`.
#[step(given, "the seed is {int}", example = "the seed is 7")]
fn seed(world: &mut World, value: i64) -> StepResult {
    world.draft.set("seed", json!(value));
    Ok(())
}

/// Bounds the reply: `max_tokens`.
#[step(given, "at most {int} tokens", example = "at most 32 tokens")]
fn max_tokens(world: &mut World, value: u64) -> StepResult {
    world.draft.set("max_tokens", json!(value));
    Ok(())
}

/// Sets `top_p`.
#[step(given, "top p is {float}", example = "top p is 0.9")]
fn top_p(world: &mut World, value: f64) -> StepResult {
    world.draft.set("top_p", json!(value));
    Ok(())
}

/// Ends the reply before this text: `stop`, sent as one text.
#[step(given, "the stop text {text}", example = "the stop text \"5\"")]
fn stop_text(world: &mut World, text: Text) -> StepResult {
    let text = world.fill(&text.0)?;
    world.draft.set("stop", json!(text));
    Ok(())
}

/// Ends the reply before any of these texts: `stop`, sent as a list. The table has one column and no header.
#[step(given, "the stop texts:")]
fn stop_texts(world: &mut World, step: &gherkin::Step) -> StepResult {
    let texts = argument::column(world, step)?;
    world.draft.set("stop", json!(texts));
    Ok(())
}

/// Asks for several choices: `n`.
#[step(given, "{int} choices are asked for", example = "2 choices are asked for")]
fn choices(world: &mut World, count: u64) -> StepResult {
    world.draft.set("n", json!(count));
    Ok(())
}

/// Puts a system message before every conversation.
#[step(given, "the system prompt {text}", example = "the system prompt \"Answer in one word.\"")]
fn system(world: &mut World, text: Text) -> StepResult {
    world.draft.system = Some(world.fill(&text.0)?);
    Ok(())
}

/// Puts a system message before every conversation; the doc string is its text.
#[step(given, "the system prompt:")]
fn system_doc(world: &mut World, step: &gherkin::Step) -> StepResult {
    world.draft.system = Some(argument::doc(world, step)?);
    Ok(())
}

/// How replies travel: `whole` as one JSON object, `streamed` as server-sent events.
///
/// Streams are asked for usage (`stream_options`), unless `streamed replies come without usage`.
#[step(given, "replies are {delivery}", example = "replies are streamed")]
fn delivery(world: &mut World, delivery: Delivery) -> StepResult {
    world.draft.streamed = delivery == Delivery::Streamed;
    Ok(())
}

/// Leaves `stream_options` out of streamed requests.
#[step(given, "streamed replies come without usage")]
fn without_usage(world: &mut World) -> StepResult {
    world.draft.without_usage = true;
    Ok(())
}

/// Sets any parameter of the request, over what the suite and the setup say. The value is the rest of the line, as JSON.
///
/// `"model"`, `"messages"` and `"stream"` can be set as well, to ask what a client library would not.
#[step(given, "the parameter {text} is {json}", example = "the parameter \"logprobs\" is true")]
fn parameter(world: &mut World, name: Text, value: Json) -> StepResult {
    let name = world.fill(&name.0)?;
    let value = argument::json(world, &value)?;
    world.draft.set(&name, value);
    Ok(())
}

/// Leaves a parameter out of the request, whoever set it.
#[step(given, "the parameter {text} is left out", example = "the parameter \"max_tokens\" is left out")]
fn parameter_left_out(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    world.draft.leave_out(&name);
    Ok(())
}

/// Bounds the time of one request; a reply that takes longer fails the step.
#[step(given, "the time limit is {duration}", example = "the time limit is 30s")]
fn time_limit(world: &mut World, limit: TimeSpan) -> StepResult {
    world.draft.timeout = Some(limit.0);
    Ok(())
}

/// Sends requests without authorization.
#[step(given, "no API key is sent")]
fn no_key(world: &mut World) -> StepResult {
    world.draft.key = Key::Absent;
    Ok(())
}

/// Sends this API key in place of the setup's.
#[step(given, "the API key {text}", example = "the API key \"wrong\"")]
fn key(world: &mut World, key: Text) -> StepResult {
    world.draft.key = Key::Is(world.fill(&key.0)?);
    Ok(())
}

/// Messages before the next question. The table has the columns `role` and `content`.
#[step(given, "the conversation:")]
fn conversation(world: &mut World, step: &gherkin::Step) -> StepResult {
    let rows = argument::rows(world, step, &["role", "content"])?;
    world.draft.conversation = rows
        .into_iter()
        .map(|row| Value::Object(row.into_iter().map(|(name, cell)| (name, Value::String(cell))).collect()))
        .collect();
    Ok(())
}
