//! When: keeping a part of what came for later steps, where `{{name}}` stands for it.

use fireassay_macros::step;
use serde_json::Value;

use super::{Failure, Reply, StepResult, Text, World, argument};
use crate::check::text;

/// Names that stand for something already.
const TAKEN: [&str; 4] = ["model", "url", "safety_shield", "embedding_dimension"];

/// Keeps the text of the reply; `{{NAME}}` stands for it in later steps.
#[step(when, "I save the reply as {text}", example = "I save the reply as \"answer\"")]
fn save_reply(world: &mut World, name: Text) -> StepResult {
    let reply = world.last()?.clone();
    let said = reply.said();
    text::is_not_empty(&said).map_err(|mismatch| reply.blamed(mismatch))?;
    world.save(&name.0, Value::String(said.text.to_owned()))
}

/// Keeps a part of the response's JSON; `{{NAME}}` stands for it in later steps.
#[step(when, "I save the response's {text} as {text}", example = "I save the response's \"data[0].id\" as \"first\"")]
fn save_part(world: &mut World, path: Text, name: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let reply = world.last()?.clone();
    let value = reply.body().map_err(|mismatch| reply.blamed(mismatch))?;
    let found = Reply::of_response(&value);
    let found = found.find(&path, "exists").map_err(|mismatch| reply.blamed(mismatch))?;
    world.save(&name.0, found.clone())
}

impl World {
    fn save(&mut self, name: &str, value: Value) -> StepResult {
        if let Err(mistake) = saved_name(name) {
            return Err(Failure::author(mistake));
        }
        self.saved.insert(name.to_owned(), value);
        Ok(())
    }
}

/// Whether a value may be saved under a name.
pub(super) fn saved_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() || name.trim() != name || name.contains(['{', '}']) || TAKEN.contains(&name) {
        return Err(format!("a value cannot be saved as `{name}`; choose a plain name such as `answer`"));
    }
    Ok(())
}
