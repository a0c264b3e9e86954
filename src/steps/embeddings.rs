//! When and Then: embeddings.

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Map, Value, json};

use super::world::usual_model;
use super::{StepResult, Text, World, argument};
use crate::check::embeddings;
use crate::wire::Request;

/// Asks for the embedding of one text, from the model of the role `embedding` unless another one was named.
#[step(when, "I embed {text}", example = "I embed \"hello\"")]
async fn embed(world: &mut World, text: Text) -> StepResult {
    let text = world.fill(&text.0)?;
    send(world, json!(text)).await
}

/// Asks for the embeddings of several texts in one request. The table has one column and no header.
#[step(when, "I embed:")]
async fn embed_all(world: &mut World, step: &gherkin::Step) -> StepResult {
    let texts = argument::column(world, step)?;
    send(world, json!(texts)).await
}

/// So many embeddings come back.
#[step(then, "{int} embeddings come back", example = "3 embeddings come back")]
fn count(world: &mut World, count: u64) -> StepResult {
    world.judge(|reply| embeddings::count(&reply.exchange, count))
}

/// Every embedding is a list of numbers, and all are of one length: the one that was asked for, where one was.
///
/// A length is asked for by `the parameter "dimensions" is …`, by `--embedding-dimension` or by `embedding_dimension` of a setup.
#[step(then, "every embedding has the same length")]
fn same_length(world: &mut World) -> StepResult {
    world.judge(|reply| embeddings::same_length(&reply.exchange))
}

/// The embeddings carry the indexes 0, 1, 2, … in this order.
#[step(then, "the embeddings are numbered in order")]
fn in_order(world: &mut World) -> StepResult {
    world.judge(|reply| embeddings::in_order(&reply.exchange))
}

/// A text is nearer in meaning to one than to another: the cosine of their embeddings is larger. Numbers count from 1.
#[step(then, "embedding {int} is nearer to {int} than to {int}", example = "embedding 1 is nearer to 2 than to 3")]
fn nearer(world: &mut World, one: u64, near: u64, far: u64) -> StepResult {
    world.judge(|reply| embeddings::nearer(&reply.exchange, one, near, far))
}

async fn send(world: &mut World, input: Value) -> StepResult {
    let mut body = Map::new();
    if let Some(model) = world.embedding_model()? {
        body.insert("model".to_owned(), Value::String(model));
    }
    body.insert("input".to_owned(), input);
    if let Some(length) = world.cell()?.named.embedding_dimension {
        body.insert("dimensions".to_owned(), json!(length));
    }
    // What a suite says of chat (temperature, seed, token bounds) does not belong here; what the scenario says does.
    for (name, value) in world.draft.params.iter().filter(|(name, _)| EMBEDDING_PARAMETERS.contains(&name.as_str())) {
        body.insert(name.clone(), value.clone());
    }
    let request = world.dressed(Request::post_json("/v1/embeddings", &Value::Object(body)))?;
    world.send(request).await
}

const EMBEDDING_PARAMETERS: [&str; 4] = ["dimensions", "encoding_format", "user", "input"];

impl World {
    /// The model that the scenario named, else that of the role `embedding`, else the scenario's own.
    fn embedding_model(&self) -> Result<Option<String>, super::Failure> {
        let models = &self.cell()?.models;
        let untouched = self.draft.model == usual_model(models, self.asked());
        let embedding = models.iter().find(|(role, _)| role == "embedding").filter(|_| untouched).map(|(_, id)| id.clone());
        Ok(embedding.or_else(|| self.draft.model.clone()))
    }
}
