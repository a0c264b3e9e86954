//! When: questions to the model.

use cucumber::gherkin;
use fireassay_macros::step;
use futures::future::join_all;

use super::argument::Row;
use super::responses::items_of;
use super::{Failure, StepResult, Text, TimeSpan, World, argument};
use crate::wire::{ChatRequest, ReadPlan};

/// Longest question of `I ask a question of … words`: beyond any context, and small enough to send.
const MOST_WORDS: usize = 5_000_000;

/// Asks a question in a new conversation: the system prompt, the conversation given, then the question.
#[step(when, "I ask {text}", example = "I ask \"What is the capital of France?\"")]
async fn ask(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    world.ask(&question).await
}

/// Asks a question in a new conversation; the doc string is the question.
#[step(when, "I ask:")]
async fn ask_doc(world: &mut World, step: &gherkin::Step) -> StepResult {
    let question = argument::doc(world, step)?;
    world.ask(&question).await
}

/// Goes on in the same conversation: the reply so far is appended, then the question.
#[step(when, "I continue with {text}", example = "I continue with \"And of Italy?\"")]
async fn continue_with(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    world.go_on(&question).await
}

/// Goes on in the same conversation; the doc string is the next question.
#[step(when, "I continue with:")]
async fn continue_with_doc(world: &mut World, step: &gherkin::Step) -> StepResult {
    let question = argument::doc(world, step)?;
    world.go_on(&question).await
}

/// Asks the same question several times, one after another, each in a new conversation.
///
/// Claims about *all replies* and *each reply* look at all of them, other claims at the last.
#[step(when, "I ask {text} {int} times", example = "I ask \"Say hello.\" 3 times")]
async fn ask_times(world: &mut World, question: Text, times: u64) -> StepResult {
    let question = world.fill(&question.0)?;
    let count = usize::try_from(times).ok().filter(|&count| count > 0);
    let count = count.ok_or_else(|| Failure::author("a question is asked at least 1 time"))?;
    for _ in 0..count {
        world.ask(&question).await?;
    }
    world.batch = count;
    Ok(())
}

/// Asks a question that is so many words long: to go beyond what the model can read.
#[step(when, "I ask a question of {int} words", example = "I ask a question of 9000 words")]
async fn ask_long(world: &mut World, words: u64) -> StepResult {
    let count = usize::try_from(words).ok().filter(|&count| (1..=MOST_WORDS).contains(&count));
    let count = count.ok_or_else(|| Failure::author(format!("a question has from 1 to {MOST_WORDS} words")))?;
    world.ask("word ".repeat(count).trim_end()).await
}

/// Asks all questions of the table at the same time, each in a new conversation.
///
/// The table's column `ask` is the question. Where it has a column `model`, each question goes to the model of its row: a role
/// of the setup, or an id as written. Other columns are free for `each reply mentions its …`.
#[step(when, "I ask at once:")]
async fn ask_at_once(world: &mut World, step: &gherkin::Step) -> StepResult {
    let rows = argument::rows(world, step, &["ask"])?;
    world.ask_at_once(rows).await
}

/// Asks the same question twice: whole, then streamed.
#[step(when, "I ask {text} whole and streamed", example = "I ask \"Say hello.\" whole and streamed")]
async fn ask_both_ways(world: &mut World, question: Text) -> StepResult {
    let question = world.fill(&question.0)?;
    let messages = world.draft.messages(&question);
    world.begin(messages.clone());
    for streamed in [false, true] {
        let request = world.chat_request(&messages, streamed)?;
        world.send(request).await?;
    }
    world.batch = 2;
    Ok(())
}

/// Asks for a streamed reply and closes the connection after so many events.
#[step(when, "I ask {text} and hang up after {int} events", example = "I ask \"Count to 100.\" and hang up after 3 events")]
async fn hang_up_after_events(world: &mut World, question: Text, events: u64) -> StepResult {
    let question = world.fill(&question.0)?;
    world.ask_part(&question, ReadPlan::Events(events), true).await
}

/// Asks and closes the connection after so much time, whatever came until then.
#[step(when, "I ask {text} and hang up after {duration}", example = "I ask \"Count to 100.\" and hang up after 500ms")]
async fn hang_up_after_time(world: &mut World, question: Text, time: TimeSpan) -> StepResult {
    let question = world.fill(&question.0)?;
    let streamed = world.draft.streamed;
    world.ask_part(&question, ReadPlan::For(time.0), streamed).await
}

/// Sends the last request once more, byte for byte.
#[step(when, "I repeat the request")]
async fn repeat(world: &mut World) -> StepResult {
    let request = world.last()?.exchange.request.clone();
    world.send(request).await
}

impl World {
    /// Asks a question in a new conversation.
    pub(super) async fn ask(&mut self, question: &str) -> StepResult {
        let messages = self.draft.messages(question);
        let request = self.chat_request(&messages, self.draft.streamed)?;
        self.begin(messages);
        self.send(request).await
    }

    async fn go_on(&mut self, question: &str) -> StepResult {
        let reply = self.last()?.clone();
        if self.thread.is_empty() {
            return Err(Failure::author("there is no conversation to continue: ask with `I ask` first"));
        }
        let said = reply.said();
        if !said.is_reply() {
            let claim = crate::check::text::is_not_empty(&said);
            return claim.map_err(|mismatch| reply.blamed(mismatch));
        }
        let with_reasoning = self.draft.replay_reasoning.unwrap_or(false);
        match items_of(&reply) {
            Some(items) => self.thread.extend(items),
            None => self.thread.extend(reply.chat.first().map(|choice| choice.to_message(with_reasoning))),
        }
        self.thread.push(ChatRequest::message("user", question));
        let request = self.chat_request(&self.thread, self.draft.streamed)?;
        self.send(request).await
    }

    async fn ask_part(&mut self, question: &str, plan: ReadPlan, streamed: bool) -> StepResult {
        let messages = self.draft.messages(question);
        let request = self.chat_request(&messages, streamed)?.read(plan);
        self.begin(messages);
        self.send(request).await
    }

    async fn ask_at_once(&mut self, rows: Vec<Row>) -> StepResult {
        let mut requests = Vec::with_capacity(rows.len());
        for row in &rows {
            let cell = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, cell)| cell.as_str());
            self.begin(self.draft.messages(cell("ask").unwrap_or_default()));
            let request = match cell("model") {
                None => self.chat_request(&self.thread, self.draft.streamed)?,
                Some(model) => {
                    let of_draft = self.draft.model.replace(self.model_id(model)?);
                    let request = self.chat_request(&self.thread, self.draft.streamed);
                    self.draft.model = of_draft;
                    request?
                }
            };
            requests.push(request);
        }
        let replies = join_all(requests.into_iter().map(|request| self.exchange(request))).await;
        // Every reply is kept before the first failure is told: the evidence of all of them counts.
        let mut verdict = Ok(());
        let count = replies.len();
        for (reply, row) in replies.into_iter().zip(rows) {
            let mut reply = reply?;
            reply.row = row;
            let kept = self.keep(reply);
            verdict = verdict.and(kept);
        }
        self.batch = count;
        verdict
    }
}
