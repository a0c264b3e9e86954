//! When and Then: texts and their tokens; the profile says where the server counts them.

use fireassay_macros::step;
use serde_json::{Map, Value, json};

use super::{Failure, StepResult, Text, World};
use crate::check::tokens;
use crate::spec::profile::Tokens;
use crate::wire::Request;

/// Parts of a chat request that become its prompt.
const PROMPT: &[&str] = &["model", "messages", "tools", "chat_template", "chat_template_kwargs", "reasoning_effort"];

/// Asks the server for the tokens of a text, without the special ones that a prompt begins or ends with.
#[step(when, "I tokenize {text}", example = "I tokenize \"The capital of France is Paris.\"")]
async fn tokenize(world: &mut World, text: Text) -> StepResult {
    let text = world.fill(&text.0)?;
    // llama.cpp reads `content` and `add_special`, vLLM `prompt` and `add_special_tokens`; each passes the other's over.
    let mut body = json!({"content": text, "add_special": false, "prompt": text, "add_special_tokens": false});
    named(world, &mut body);
    let request = world.dressed(Request::post_json(&paths(world)?.tokenize, &body))?;
    world.tokenized = Some(text);
    world.send(request).await
}

/// The tokens that the last `I tokenize …` was answered with are asked back as a text, and it is the same, byte for byte.
///
/// What is asked for that does not become *the reply*.
#[step(then, "the tokens give the same text back")]
async fn text_back(world: &mut World) -> StepResult {
    world.claim();
    let reply = world.last()?.clone();
    let text = world.tokenized.clone().ok_or_else(|| Failure::author("no text was tokenized: `When I tokenize \"…\"` first"))?;
    let ids = tokens::ids(&reply.exchange).map_err(|mismatch| reply.blamed(mismatch))?;
    let mut body = json!({"tokens": ids});
    named(world, &mut body);
    let request = world.dressed(Request::post_json(&paths(world)?.detokenize, &body))?;
    let back = world.exchange(request).await?;
    super::world::answered(&back)?;
    tokens::text_is(&back.exchange, &text).map_err(|mismatch| back.blamed(mismatch))
}

/// The server's own count of the tokens of the last request's prompt is what its usage says: messages, tools and template.
///
/// The count is asked for by this step, at the place that the profile names (`tokens.chat`), and does not become *the reply*.
#[step(then, "the server counts the prompt as it billed it")]
async fn counts_as_billed(world: &mut World) -> StepResult {
    world.claim();
    let reply = world.last()?.clone();
    let sent = reply.exchange.request.body.as_deref().and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
    let sent = sent.filter(|sent| sent.contains_key("messages"));
    let mut sent = sent.ok_or_else(|| Failure::author("the last request was no chat request: ask with `I ask` first"))?;
    sent.retain(|key, _| PROMPT.contains(&key.as_str()));
    let request = world.dressed(Request::post_json(&paths(world)?.chat, &Value::Object(sent)))?;
    let count = world.exchange(request).await?;
    super::world::answered(&count)?;
    let said = reply.said();
    tokens::count_is(&count.exchange, &reply.chat, said.instead.as_deref()).map_err(|mismatch| count.blamed(mismatch))
}

fn named(world: &World, body: &mut Value) {
    if let Some(model) = &world.draft.model {
        body["model"] = json!(model);
    }
}

fn paths(world: &World) -> Result<Tokens, Failure> {
    let paths = world.cell()?.profile.as_ref().and_then(|profile| profile.tokens.clone());
    paths.ok_or_else(|| {
        Failure::author("no profile says where this server counts tokens: add `tokens:` to the profile of the setup")
    })
}
