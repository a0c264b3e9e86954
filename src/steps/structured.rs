//! Given and Then: replies as JSON, free or after a schema, and refusals.

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Value, json};

use super::{Failure, StepResult, World, argument};
use crate::check::structured;
use crate::schema::Schema;

/// Asks for replies that are JSON objects of any form: `response_format` of type `json_object`.
#[step(given, "replies are JSON objects")]
fn json_objects(world: &mut World) -> StepResult {
    world.draft.set("response_format", json!({"type": "json_object"}));
    Ok(())
}

/// Asks for replies that fit the JSON Schema in the doc string (JSON or YAML): `response_format` of type `json_schema`.
#[step(given, "replies fit the schema:")]
fn after_schema(world: &mut World, step: &gherkin::Step) -> StepResult {
    ask_for(world, step, false)
}

/// Asks for replies that fit the JSON Schema in the doc string (JSON or YAML), with `strict: true`: the server promises it.
#[step(given, "replies strictly fit the schema:")]
fn strictly_after_schema(world: &mut World, step: &gherkin::Step) -> StepResult {
    ask_for(world, step, true)
}

/// The reply is JSON and fits the schema that was given with `replies fit the schema:`. Every fault is shown with its place.
#[step(then, "the reply fits its schema")]
fn fits_its_schema(world: &mut World) -> StepResult {
    let (schema, strict) = structured::asked_schema(&world.last()?.exchange)
        .ok_or_else(|| Failure::author("no schema was asked for: write `Given replies fit the schema:` before the question"))?;
    let schema = Schema::compile(&schema).map_err(|error| Failure::author(error.to_string()))?;
    world.judge(|reply| structured::fits_asked(&reply.chat, &reply.said(), &schema, strict))
}

/// The model refused to answer: its reply has a `refusal` text.
#[step(then, "the reply is a refusal")]
fn refuses(world: &mut World) -> StepResult {
    world.judge(|reply| structured::refuses(&reply.chat, &reply.said()))
}

/// There is a reply, and it is no refusal.
#[step(then, "the reply is not a refusal")]
fn refuses_not(world: &mut World) -> StepResult {
    world.judge(|reply| structured::refuses_not(&reply.chat, &reply.said()))
}

fn ask_for(world: &mut World, step: &gherkin::Step, strict: bool) -> StepResult {
    let text = argument::doc(world, step)?;
    let (schema, _) = argument::read_schema(&text).map_err(|(words, _)| Failure::author(words))?;
    world.draft.set("response_format", format(&schema, strict));
    Ok(())
}

/// A schema as it is asked for.
fn format(schema: &Value, strict: bool) -> Value {
    let mut asked = json!({"name": "reply", "schema": schema});
    if strict && let Value::Object(asked) = &mut asked {
        asked.insert("strict".to_owned(), json!(true));
    }
    json!({"type": "json_schema", "json_schema": asked})
}
