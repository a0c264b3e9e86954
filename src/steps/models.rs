//! When and Then: the list of models.

use fireassay_macros::step;

use super::{StepResult, Text, World};
use crate::check::models;
use crate::wire::Request;

/// Asks the server which models it has.
#[step(when, "I list the models")]
async fn list(world: &mut World) -> StepResult {
    let request = world.dressed(Request::get("/v1/models"))?;
    world.send(request).await
}

/// Asks the server for one model: a role of the setup, or an id as written.
#[step(when, "I get the model {text}", example = "I get the model \"text\"")]
async fn get(world: &mut World, name: Text) -> StepResult {
    let name = world.fill(&name.0)?;
    let id = world.model_id(&name)?;
    let request = world.dressed(Request::get(format!("/v1/models/{id}")))?;
    world.send(request).await
}

/// So many models are listed.
#[step(then, "{int} models are listed", example = "2 models are listed")]
fn count(world: &mut World, count: u64) -> StepResult {
    world.judge(|reply| models::count(&reply.exchange, count))
}

/// So many models or more are listed.
#[step(then, "at least {int} models are listed", example = "at least 1 models are listed")]
fn at_least(world: &mut World, bound: u64) -> StepResult {
    world.judge(|reply| models::at_least(&reply.exchange, bound))
}

/// A model is listed: a role of the setup, or an id as written.
#[step(then, "the models include {text}", example = "the models include \"text\"")]
fn include(world: &mut World, name: Text) -> StepResult {
    let id = world.model_id(&world.fill(&name.0)?)?;
    world.judge(|reply| models::include(&reply.exchange, &id))
}

/// There is a list of models, and this one is not in it.
#[step(then, "the models do not include {text}", example = "the models do not include \"no-such-model\"")]
fn do_not_include(world: &mut World, name: Text) -> StepResult {
    let id = world.model_id(&world.fill(&name.0)?)?;
    world.judge(|reply| models::do_not_include(&reply.exchange, &id))
}

/// The list is an `object` of `list` whose `data` has models with ids that are not empty, each once.
#[step(then, "the models list is well-formed")]
fn well_formed(world: &mut World) -> StepResult {
    world.judge(|reply| models::well_formed(&reply.exchange))
}
