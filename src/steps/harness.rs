//! When: a real client library does something with the stack. Then: what it got, and what it raised.
//!
//! The client talks to the stack through a proxy of ours, so that each of its exchanges is evidence, is held to the wire rules,
//! and is *the reply* of the claims that follow, the last one first.

use std::sync::Arc;

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::{Map, Value, json};

use super::tool_results::content;
use super::{Failure, Json, StepResult, Text, Word, World, argument, route};
use crate::check::json_path::{Subject, pretty};
use crate::check::text::Form;
use crate::check::{Held, counted};
use crate::event::{Mismatch, Trouble, Whose};
use crate::spec::tool::Return;
use crate::tape::{NOT_ON_THE_TAPE, Orders, Pace, Proxy};
use crate::wire::Exchange;

/// What a client said that it got or met.
#[derive(Debug)]
pub struct ClientReport {
    /// The client's name.
    name: String,
    /// What it wrote: its result, or `error` with `class`, `message` and more.
    output: Value,
    /// How many requests it made.
    requests: u64,
}

/// A client library (`clients/NAME.yaml`) does one of its tasks with the stack, and must succeed: what it raises fails the step.
///
/// It gets the model, the parameters, the tools and the key that the scenario has set so far. Each of its exchanges is judged,
/// and the last one is *the reply* of the claims that follow.
#[step(when, "the client {name} does {text}", example = "the client openai-python does \"chat\"")]
async fn does(world: &mut World, name: Word, task: Text) -> StepResult {
    let task = world.fill(&task.0)?;
    world.client_does(&name.0, &task, Map::new()).await
}

/// A client library does one of its tasks, told more by a table of names and values (JSON, else text), and must succeed.
#[step(when, "the client {name} does {text} with:", example = "the client openai-python does \"chat\" with:")]
async fn does_with(world: &mut World, step: &gherkin::Step, name: Word, task: Text) -> StepResult {
    let (task, given) = (world.fill(&task.0)?, given(world, step)?);
    world.client_does(&name.0, &task, given).await
}

/// A client library tries one of its tasks; what it raises is for the claims that follow.
#[step(when, "the client {name} tries {text}", example = "the client openai-python tries \"chat\"")]
async fn tries(world: &mut World, name: Word, task: Text) -> StepResult {
    let task = world.fill(&task.0)?;
    world.client_tries(&name.0, &task, Map::new()).await
}

/// A client library tries one of its tasks, told more by a table of names and values (JSON, else text).
#[step(when, "the client {name} tries {text} with:", example = "the client openai-python tries \"chat\" with:")]
async fn tries_with(world: &mut World, step: &gherkin::Step, name: Word, task: Text) -> StepResult {
    let (task, given) = (world.fill(&task.0)?, given(world, step)?);
    world.client_tries(&name.0, &task, given).await
}

/// The client raised an error of this class (`NotFoundError`).
#[step(then, "the client fails with {text}", example = "the client fails with \"NotFoundError\"")]
fn fails_with(world: &mut World, class: Text) -> StepResult {
    let wanted = world.fill(&class.0)?;
    world.of_client(|report| {
        let raised = report.output.get("error");
        if raised.is_some_and(|error| error["class"] == wanted.as_str()) {
            return Ok(());
        }
        let found = raised.map_or_else(|| format!("it succeeds: {}", pretty(&report.output)), pretty);
        let message = format!("the client `{}` fails with {wanted}", report.name);
        Err(Box::new(Mismatch::new("assert.client_error", Whose::Capability, message).expected(wanted).actual(found)))
    })
}

/// The client made so many requests: it repeated none, and left none out.
#[step(then, "the client made {int} requests", example = "the client made 2 requests")]
fn made_requests(world: &mut World, count: u64) -> StepResult {
    world.of_client(|report| {
        if report.requests == count {
            return Ok(());
        }
        let (wanted, found) = (counted(count, "request"), counted(report.requests, "request"));
        let message = format!("the client `{}` made {wanted}", report.name);
        Err(Box::new(Mismatch::new("assert.client_requests", Whose::Capability, message).expected(wanted).actual(found)))
    })
}

/// The value at a place in what the client got is this one: numbers by value, objects in any order.
///
/// What it raised is under `error`: `class`, `message`, and `status` where it has one.
#[step(then, "the client's {text} is {json}", example = "the client's \"finish_reason\" is \"stop\"")]
fn client_is(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let wanted = argument::json(world, &value)?;
    world.in_client(|subject| subject.is(&path, &wanted))
}

/// There is a value at that place, and it is another one.
#[step(then, "the client's {text} is not {json}", example = "the client's \"text\" is not \"\"")]
fn client_is_not(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let unwanted = argument::json(world, &value)?;
    world.in_client(|subject| subject.is_not(&path, &unwanted))
}

/// The value at that place is of a kind: `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`.
#[step(then, "the client's {text} is a(n) {name}", example = "the client's \"usage.total_tokens\" is an integer")]
fn client_is_a(world: &mut World, path: Text, kind: Word) -> StepResult {
    let path = argument::path(world, &path.0)?;
    argument::kind(&kind.0).map_err(Failure::author)?;
    world.in_client(|subject| subject.is_a(&path, &kind.0))
}

/// There is a value at that place; `null` is one.
#[step(then, "the client's {text} exists", example = "the client's \"usage.total_tokens\" exists")]
fn client_exists(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    world.in_client(|subject| subject.exists(&path))
}

/// There is nothing at that place.
#[step(then, "the client's {text} does not exist", example = "the client's \"calls\" does not exist")]
fn client_does_not_exist(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    world.in_client(|subject| subject.does_not_exist(&path))
}

/// The text at that place mentions this, ignoring case.
#[step(then, "the client's {text} mentions {text}", example = "the client's \"text\" mentions \"Paris\"")]
fn client_mentions(world: &mut World, path: Text, wanted: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let wanted = world.fill(&wanted.0)?;
    world.in_client(|subject| subject.has(&path, &Form::Mentions(&wanted)))
}

/// A regular expression matches somewhere in the text at that place; what is no text is matched as it is written in JSON.
#[step(then, "the client's {text} matches {text}", example = "the client's \"id\" matches \"^chatcmpl\"")]
fn client_matches(world: &mut World, path: Text, pattern: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let regex = argument::pattern(world, &pattern.0)?;
    world.in_client(|subject| subject.matches(&path, &regex))
}

/// The array or object at that place has so many members.
#[step(then, "the client's {text} has {int} items", example = "the client's \"calls\" has 1 items")]
fn client_has_items(world: &mut World, path: Text, count: u64) -> StepResult {
    let path = argument::path(world, &path.0)?;
    world.in_client(|subject| subject.has_items(&path, count))
}

/// What a table says beside the task.
fn given(world: &World, step: &gherkin::Step) -> Result<Map<String, Value>, Failure> {
    let value = |cell: String| serde_json::from_str(&cell).unwrap_or(Value::String(cell));
    Ok(argument::pairs(world, step)?.into_iter().map(|(name, cell)| (name.to_string(), value(cell))).collect())
}

/// What a tape said of a request that is not on it.
fn missed(exchange: &Exchange) -> Option<String> {
    let error = exchange.json().ok()?.get("error")?.clone();
    (error["type"] == NOT_ON_THE_TAPE).then(|| error["message"].as_str().unwrap_or_default().to_owned())
}

impl World {
    async fn client_does(&mut self, name: &str, task: &str, given: Map<String, Value>) -> StepResult {
        self.client_tries(name, task, given).await?;
        self.of_client(|report| {
            let task = format!("the client `{name}` does `{task}`");
            let broken = |message: String, found: String| {
                Box::new(Mismatch::new("assert.client_failed", Whose::Capability, message).expected("a result").actual(found))
            };
            match report.output.get("error") {
                Some(error) => Err(broken(format!("{task}: it raises {}", in_words(error)), pretty(error))),
                None if report.requests == 0 => {
                    Err(broken(format!("{task}: it asks the stack nothing"), "no request".to_owned()))
                }
                None => Ok(()),
            }
        })
    }

    async fn client_tries(&mut self, name: &str, task: &str, given: Map<String, Value>) -> StepResult {
        let cell = std::rc::Rc::clone(self.cell()?);
        let Some(clients) = &cell.clients else {
            return Err(Failure::author(format!("the client `{name}` was not made ready: only runs with a stack have clients")));
        };
        let trouble = |what: String| Failure::from(Trouble::new("infra.client", what));
        let mut base = cell.client.base().clone();
        if let Some(service) = self.service()? {
            base.url.clone_from(&service.address.url);
        }
        let mut orders = self.wire.dress(Orders::to(base));
        // What tells the way of a request in a composed stack may be in its body, which is waited for then.
        if !cell.routes.is_empty() {
            let (routes, bearer) = (cell.routes.clone(), cell.bearer.clone());
            orders = orders.direct(move |request| {
                if let Some(route) = route::of(&routes, request) {
                    route.apply(request, bearer.as_deref());
                }
            });
        }
        if let Some(deck) = cell.deck.as_ref().filter(|_| !self.wire.is_faulty()) {
            orders = orders.tape(Arc::clone(deck), Pace::None);
        }
        let mut proxy = Proxy::start(orders).map_err(|error| trouble(error.to_string()))?;
        let url = self.wire.refuses_at().unwrap_or_else(|| proxy.url());
        let input = self.client_input(task, &url, &given)?;
        let ended = clients.run(name, &input).await;
        let heard = proxy.heard().await.map_err(trouble)?;
        let requests = heard.len();
        if let Some(miss) = heard.iter().find_map(missed) {
            return Err(Trouble::new("infra.tape", miss).into());
        }
        for exchange in heard {
            self.overheard(exchange)?;
        }
        // Claims about several replies look at those that the client got.
        self.batch = requests;
        let output = ended.map_err(|error| Trouble::new(error.kind, error.message).detail(error.detail))?;
        // What a library says of an error may hold the key that it sent.
        let output = serde_json::from_str(&cell.secrets.text(&output.to_string())).unwrap_or(output);
        self.client = Some(ClientReport { name: name.to_owned(), output, requests: requests as u64 });
        Ok(())
    }

    /// What a client is told.
    fn client_input(&self, task: &str, url: &str, given: &Map<String, Value>) -> Result<Value, Failure> {
        let mut params = self.draft.chat_body(&[], false);
        for own in ["model", "messages"] {
            params.as_object_mut().and_then(|params| params.shift_remove(own));
        }
        Ok(json!({
            "task": task,
            "base_url": format!("{url}/v1"),
            "api_key": self.token()?,
            "model": self.draft.model,
            "system": self.draft.system,
            "params": params,
            "results": self.scripted_results(),
            "given": given,
        }))
    }

    /// What the offered tools return: the first row whose `when` fits counts, one without `when` fits always.
    fn scripted_results(&self) -> Vec<Value> {
        let row = |name: &str, one: &Return| json!({"tool": name, "when": one.when, "content": content(one)});
        let of_tool = |tool: &crate::spec::ToolSpec| -> Vec<Value> {
            let scripted = self.draft.scripts.iter().find(|(known, _)| *known == tool.name).map(|(_, returns)| returns);
            let (last, first): (Vec<_>, Vec<_>) =
                scripted.unwrap_or(&tool.returns).iter().partition(|one| one.otherwise.is_some());
            first.into_iter().chain(last).map(|one| row(&tool.name, one)).collect()
        };
        self.draft.tools.iter().flat_map(|tool| of_tool(tool)).collect()
    }

    /// Judges one claim about the last client.
    fn of_client(&self, claim: impl FnOnce(&ClientReport) -> Held) -> StepResult {
        let Some(report) = &self.client else {
            return Err(Failure::author(
                "no client has done anything yet: this claim needs `When the client … does …` before it",
            ));
        };
        self.claim();
        claim(report).map_err(|mut mismatch| {
            mismatch.exchange = self.replies.last().filter(|_| report.requests > 0).map(|reply| reply.exchange.id);
            Failure::from(mismatch)
        })
    }

    /// Judges one claim about a place in what the last client got.
    fn in_client(&self, claim: impl FnOnce(&Subject<'_>) -> Held) -> StepResult {
        self.of_client(|report| claim(&Subject { value: &report.output, name: "the client", whose: Whose::Capability }))
    }
}

/// `NotFoundError (404): no such model`.
fn in_words(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let status = error.get("status").and_then(Value::as_u64).map(|status| format!(" ({status})")).unwrap_or_default();
    // Some errors of libraries say nothing but their class.
    let message = Some(text("message")).filter(|message| !message.is_empty()).map(|message| format!(": {message}"));
    format!("{}{status}{}", text("class"), message.unwrap_or_default())
}
