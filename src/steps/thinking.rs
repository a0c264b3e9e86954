//! Given and Then: thinking, switched and bounded; the reasoning that comes with a reply, apart from its text.

use fireassay_macros::step;
use serde_json::{Map, Value, json};

use super::{StepResult, Switch, Text, World, argument};
use crate::check::text::Form;
use crate::check::thinking;

/// Switches thinking on or off: `enable_thinking` for the chat template (`chat_template_kwargs`).
///
/// This is how llama.cpp, vLLM, SGLang and mlx-lm are told. Servers that only know levels take `the thinking effort is …`.
#[step(given, "thinking is {switch}", example = "thinking is on")]
fn switched(world: &mut World, switch: Switch) -> StepResult {
    let mut arguments = match world.draft.params.get("chat_template_kwargs") {
        Some(Value::Object(arguments)) => arguments.clone(),
        _ => Map::new(),
    };
    arguments.insert("enable_thinking".to_owned(), json!(switch == Switch::On));
    world.draft.set("chat_template_kwargs", Value::Object(arguments));
    Ok(())
}

/// Says how hard the model may think: `reasoning_effort` (`none`, `minimal`, `low`, `medium`, `high`, or what the server knows).
#[step(given, "the thinking effort is {text}", example = "the thinking effort is \"low\"")]
fn effort(world: &mut World, effort: Text) -> StepResult {
    let effort = world.fill(&effort.0)?;
    world.draft.set("reasoning_effort", json!(effort));
    Ok(())
}

/// Bounds the thinking: `thinking_budget_tokens` (llama.cpp) and `thinking_token_budget` (vLLM) are both sent.
#[step(given, "thinking has at most {int} tokens", example = "thinking has at most 16 tokens")]
fn budget(world: &mut World, tokens: u64) -> StepResult {
    world.draft.set("thinking_budget_tokens", json!(tokens));
    world.draft.set("thinking_token_budget", json!(tokens));
    Ok(())
}

/// Says whether the reasoning of earlier replies goes back with the conversation, under the field it came in.
///
/// `I continue with` leaves it out unless this says `on`; `I answer the tool calls` sends it unless this says `off`.
#[step(given, "replaying reasoning is {switch}", example = "replaying reasoning is on")]
fn replayed(world: &mut World, switch: Switch) -> StepResult {
    world.draft.replay_reasoning = Some(switch == Switch::On);
    Ok(())
}

/// There is reasoning in the reply, under any of the names of its field.
#[step(then, "the reply has reasoning")]
fn has(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::has(&reply.chat, &reply.said()))
}

/// There is a reply, and no reasoning in it.
#[step(then, "the reply has no reasoning")]
fn has_none(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::has_none(&reply.chat, &reply.said()))
}

/// The reasoning has these words, ignoring case and runs of white space.
#[step(then, "the reasoning mentions {text}", example = "the reasoning mentions \"Paris\"")]
fn mentions(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    world.judge(|reply| thinking::says(&reply.chat, &reply.said(), Form::Mentions(&wanted), true))
}

/// There is reasoning, and it does not have these words, ignoring case and runs of white space.
#[step(then, "the reasoning does not mention {text}", example = "the reasoning does not mention \"tool_call\"")]
fn does_not_mention(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    world.judge(|reply| thinking::says(&reply.chat, &reply.said(), Form::Mentions(&unwanted), false))
}

/// A regular expression matches somewhere in the reasoning.
#[step(then, "the reasoning matches {text}", example = "the reasoning matches \"(?i)capital of \\\\w+\"")]
fn matches(world: &mut World, pattern: Text) -> StepResult {
    let regex = argument::pattern(world, &pattern.0)?;
    world.judge(|reply| thinking::says(&reply.chat, &reply.said(), Form::Matches(&regex), true))
}

/// The reasoning has so many words or fewer; words are what stands between white space. Without reasoning it does not pass.
#[step(then, "the reasoning has at most {int} words", example = "the reasoning has at most 20 words")]
fn at_most_words(world: &mut World, bound: u64) -> StepResult {
    world.judge(|reply| thinking::has_at_most_words(&reply.chat, &reply.said(), bound))
}

/// No mark of thoughts, turns, channels or calls (`</think>`, `<|im_end|>`, `<tool_call>`) is left anywhere in the reply.
///
/// All of every choice is searched: text, reasoning, refusal, the names of calls and their arguments, also where a mark was split
/// between pieces of a stream. A rest of one, such as `think>`, counts as well. A reply without anything does not pass.
#[step(then, "no marker is left in the reply")]
fn no_marker(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::no_marker(&reply.chat, &reply.said()))
}

/// There is reasoning, and the text of the reply does not begin with it.
#[step(then, "the reply does not repeat the reasoning")]
fn not_repeated(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::not_repeated(&reply.chat, &reply.said()))
}

/// The reply was streamed with reasoning, and its first piece came before any text and any call.
#[step(then, "the reasoning comes before the answer")]
fn comes_first(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::comes_first(&reply.chat, &reply.said()))
}

/// Of the tokens of the reply at most all are counted as reasoning, where the usage tells (`reasoning_tokens`); it need not.
#[step(then, "the reasoning tokens are part of the completion tokens")]
fn counted(world: &mut World) -> StepResult {
    world.judge(|reply| thinking::counted(&reply.chat, &reply.said()))
}
