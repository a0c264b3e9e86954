//! When: tool calls are answered with scripted results, once or in rounds, and sent back with the calls as they came.

use fireassay_macros::step;
use serde_json::{Value, json};

use super::responses::items_of;
use super::{Beside, Failure, Reply, StepResult, Text, World};
use crate::check::json_path::equal;
use crate::check::tool_calls::{self, Offered, Verdict};
use crate::spec::tool::Return;
use crate::wire::{ChatRequest, Request, ToolCall};

/// Rounds of `I ask … and run the tools` where the sentence names none.
const ROUNDS: u64 = 8;

/// Answers every call of the last reply with the tool's result for its arguments, and asks the model to go on.
///
/// A call of a tool that was not offered, or with arguments that do not parse or fit, is answered with an error that says so.
#[step(when, "I answer the tool calls")]
async fn answer(world: &mut World) -> StepResult {
    world.answer_calls(false).await
}

/// Answers every call of the last reply, the last call first.
#[step(when, "I answer the tool calls in reverse order")]
async fn answer_reversed(world: &mut World) -> StepResult {
    world.answer_calls(true).await
}

/// Asks a question in a new conversation and answers tool calls until the model calls none, for at most 8 rounds.
#[step(when, "I ask {text} and run the tools", example = "I ask \"What time is it in Tokyo?\" and run the tools")]
async fn run_tools(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    world.run_tools(&question, ROUNDS).await
}

/// Asks a question in a new conversation and answers tool calls until the model calls none; more rounds than this fail.
#[step(
    when,
    "I ask {text} and run the tools for at most {int} rounds",
    example = "I ask \"What time is it in Tokyo?\" and run the tools for at most 4 rounds"
)]
async fn run_tools_bounded(world: &mut World, question: Text, rounds: u64) -> StepResult {
    let question = world.fill(&question.0)?;
    world.run_tools(&question, rounds).await
}

impl World {
    async fn run_tools(&mut self, question: &str, rounds: u64) -> StepResult {
        self.ask(question).await?;
        let mut asked = 1;
        while !self.last()?.chat.tool_calls().is_empty() {
            if self.rounds == rounds {
                let reply = self.last()?.clone();
                return tool_calls::still_calls(&reply.chat, &reply.said(), rounds).map_err(|mismatch| reply.blamed(mismatch));
            }
            self.answer_calls(false).await?;
            asked += 1;
        }
        self.batch = asked;
        Ok(())
    }

    async fn answer_calls(&mut self, reversed: bool) -> StepResult {
        let reply = self.last()?.clone();
        if self.thread.is_empty() {
            return Err(Failure::author("there is no conversation whose calls can be answered: ask with `I ask` first"));
        }
        tool_calls::some_call(&reply.chat, &reply.said()).map_err(|mismatch| reply.blamed(mismatch))?;
        let offered = Offered::of(&reply.exchange);
        let mut results = Vec::new();
        for call in reply.chat.tool_calls() {
            let content = self.result(&reply, call, &offered)?;
            results.push(ChatRequest::tool_result(call.id.as_deref().unwrap_or_default(), &content));
        }
        if reversed {
            results.reverse();
        }
        match items_of(&reply) {
            Some(items) => self.thread.extend(items),
            None => self.thread.push(sent_back(&reply, self.draft.beside, self.draft.replay_reasoning.unwrap_or(true))),
        }
        self.thread.extend(results);
        self.rounds += 1;
        let request = self.freed_request()?;
        self.send(request).await
    }

    /// What is answered to a call.
    fn result(&self, reply: &Reply, call: &ToolCall, offered: &Offered) -> Result<String, Failure> {
        let arguments = match offered.verdict(call) {
            Verdict::Fits(arguments) => arguments,
            verdict => return Ok(json!({"error": verdict.to_string()}).to_string()),
        };
        let name = call.name.as_deref().unwrap_or_default();
        let tool = self.draft.tools.iter().find(|tool| tool.name == name);
        let scripted = self.draft.scripts.iter().find(|(known, _)| known == name).map(|(_, returns)| returns.as_slice());
        let returns = scripted.or(tool.map(|tool| tool.returns.as_slice())).unwrap_or_default();
        if let Some(found) = pick(returns, &arguments) {
            return Ok(content(found));
        }
        let held = tool_calls::no_result(call, &known_arguments(returns));
        Err(held.map_err(|mismatch| reply.blamed(mismatch)).expect_err("it never holds"))
    }

    /// The next request of the conversation, in which no call is forced: else a loop would never end.
    fn freed_request(&self) -> Result<Request, Failure> {
        let mut draft = self.draft.clone();
        let forces = |choice: &Value| choice.is_object() || choice == "required";
        if draft.params.get("tool_choice").is_some_and(forces) {
            draft.params.shift_remove("tool_choice");
        }
        self.dressed(draft.request(&self.thread, draft.streamed)?)
    }
}

/// The first result whose arguments match; what stands under `otherwise` where none does.
fn pick<'a>(returns: &'a [Return], arguments: &Value) -> Option<&'a Return> {
    let matches = |one: &&Return| {
        one.otherwise.is_none()
            && one.when.iter().flatten().all(|(name, wanted)| arguments.get(name).is_some_and(|found| equal(found, wanted)))
    };
    returns.iter().find(matches).or_else(|| returns.iter().find(|one| one.otherwise.is_some()))
}

/// A result as the text of a tool message.
pub(super) fn content(one: &Return) -> String {
    match (&one.mcp, &one.result, one.otherwise.as_deref()) {
        (Some(mcp), ..) => mcp_text(mcp),
        (_, Some(Value::String(text)), _) => text.clone(),
        (_, Some(result), _) => result.to_string(),
        (_, _, Some("error") | None) => json!({"error": "there is no result for these arguments"}).to_string(),
        (_, _, Some(text)) => text.to_owned(),
    }
}

/// The texts of an MCP result; its structured content where it has none.
fn mcp_text(mcp: &Value) -> String {
    let parts = mcp.get("content").and_then(Value::as_array);
    let texts: Vec<&str> = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str()).collect();
    match mcp.get("structuredContent") {
        Some(structured) if texts.is_empty() => structured.to_string(),
        _ => texts.join("\n"),
    }
}

fn known_arguments(returns: &[Return]) -> String {
    let known: Vec<String> =
        returns.iter().filter_map(|one| one.when.as_ref()).map(|when| Value::Object(when.clone()).to_string()).collect();
    if known.is_empty() { "the tool has no results".to_owned() } else { format!("results for {}", known.join(", ")) }
}

/// The assistant's message as it is sent back: the very JSON that came, or what its stream folds to.
/// Reasoning, under whatever name, is only kept `with_reasoning`.
fn sent_back(reply: &Reply, beside: Option<Beside>, with_reasoning: bool) -> Value {
    let whole = || reply.exchange.json().ok()?.get("choices")?.get(0)?.get("message").cloned();
    let message = if reply.chat.streamed { None } else { whole() };
    let mut message =
        message.or_else(|| Some(reply.chat.first()?.to_message(true))).unwrap_or_else(|| ChatRequest::message("assistant", ""));
    if let (Some(beside), Value::Object(message)) = (beside, &mut message) {
        match beside {
            Beside::Null => drop(message.insert("content".to_owned(), Value::Null)),
            Beside::Empty => drop(message.insert("content".to_owned(), json!(""))),
            Beside::Absent => drop(message.shift_remove("content")),
        }
    }
    if let (false, Value::Object(message)) = (with_reasoning, &mut message) {
        for field in ["reasoning_content", "reasoning", "thinking"] {
            message.shift_remove(field);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::sample;
    use crate::wire::fold_chat;

    fn returns() -> Vec<Return> {
        serde_json::from_value(json!([
            {"when": {"a": 2, "b": 3}, "result": {"sum": 5}},
            {"otherwise": "no idea"},
            {"when": {"a": 2}, "result": "a text"},
            {"when": {"a": 4}, "mcp": {"content": [{"type": "text", "text": "{\"x\": 1}"}, {"type": "text", "text": "done"}]}},
            {"when": {"a": 5}, "mcp": {"structuredContent": {"x": 1}}},
        ]))
        .expect("returns")
    }

    #[track_caller]
    fn check_sent(stream: bool, beside: Option<Beside>, with_reasoning: bool, expect: &Value) {
        let message = r#"{"role":"assistant","content":"so","reasoning":"hm","tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
        let exchange = if stream {
            sample::stream(&[&format!(r#"{{"choices":[{{"index":0,"delta":{message}}}]}}"#)])
        } else {
            sample::exchange(200, &sample::whole(&format!(r#"{{"index":0,"message":{message}}}"#), ""))
        };
        let reply = Reply { chat: fold_chat(&exchange), exchange, row: Vec::new() };
        let mut sent = sent_back(&reply, beside, with_reasoning);
        sent.as_object_mut().expect("a message").shift_remove("tool_calls").expect("calls always go back");
        assert_eq!(&sent, expect);
    }

    #[test]
    fn a_message_goes_back_with_or_without_its_thought() {
        for stream in [false, true] {
            check_sent(stream, None, true, &json!({"role": "assistant", "content": "so", "reasoning": "hm"}));
            check_sent(stream, None, false, &json!({"role": "assistant", "content": "so"}));
            check_sent(stream, Some(Beside::Absent), true, &json!({"role": "assistant", "reasoning": "hm"}));
            check_sent(stream, Some(Beside::Null), false, &json!({"role": "assistant", "content": null}));
        }
    }

    #[track_caller]
    fn check(arguments: &Value, expect: &str) {
        assert_eq!(pick(&returns(), arguments).map(content).as_deref(), Some(expect), "{arguments}");
    }

    #[test]
    fn the_first_result_whose_arguments_match_is_answered() {
        check(&json!({"b": 3.0, "a": 2.0}), r#"{"sum":5}"#);
        check(&json!({"a": 2, "b": 4}), "a text");
        check(&json!({"a": "2"}), "no idea");
        check(&json!({"a": 4}), "{\"x\": 1}\ndone");
        check(&json!({"a": 5}), r#"{"x":1}"#);
        let none: &[Return] = &[];
        assert_eq!(pick(none, &json!({})), None);
        let error = Return { otherwise: Some("error".to_owned()), ..Return::default() };
        assert_eq!(content(&error), r#"{"error":"there is no result for these arguments"}"#);
        assert_eq!(known_arguments(&returns()[..1]), r#"results for {"a":2,"b":3}"#);
    }
}
