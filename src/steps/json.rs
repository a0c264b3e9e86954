//! Then: JSON, in the reply (what the model wrote) and in the response (the whole HTTP body).

use cucumber::gherkin;
use fireassay_macros::step;
use serde_json::Value;

use super::{Failure, Json, Reply, StepResult, Text, Word, World, argument};
use crate::check::json_path::Subject;
use crate::check::{Held, fits_schema, text};
use crate::event::{Mismatch, Whose};
use crate::wire::text_of;

/// The whole reply is one JSON value; white space around it is ignored.
#[step(then, "the reply is JSON")]
fn reply_is_json(world: &mut World) -> StepResult {
    world.judge(|reply| text::is_json(&reply.said()))
}

/// The reply is not JSON. An empty reply does not pass.
#[step(then, "the reply is not JSON")]
fn reply_is_not_json(world: &mut World) -> StepResult {
    world.judge(|reply| text::is_not_json(&reply.said()))
}

/// The reply is JSON and fits the JSON Schema in the doc string (JSON or YAML). Every fault is shown with its place.
#[step(then, "the reply fits the schema:")]
fn reply_fits(world: &mut World, step: &gherkin::Step) -> StepResult {
    let schema = argument::schema(world, step)?;
    in_reply(world, |subject| fits_schema::fits(subject, &schema))
}

/// The reply is JSON and does not fit the JSON Schema in the doc string (JSON or YAML).
#[step(then, "the reply does not fit the schema:")]
fn reply_does_not_fit(world: &mut World, step: &gherkin::Step) -> StepResult {
    let schema = argument::schema(world, step)?;
    in_reply(world, |subject| fits_schema::does_not_fit(subject, &schema))
}

/// The response's body is JSON and fits the JSON Schema in the doc string (JSON or YAML). Every fault is shown with its place.
#[step(then, "the response fits the schema:")]
fn response_fits(world: &mut World, step: &gherkin::Step) -> StepResult {
    let schema = argument::schema(world, step)?;
    in_response(world, |subject| fits_schema::fits(subject, &schema))
}

/// The value at a place in the reply's JSON is this one: numbers by value, objects in any order.
///
/// The place is written `a.b[0].c`; the value is the rest of the line, as JSON.
#[step(then, "the reply's {text} is {json}", example = "the reply's \"answer\" is 42")]
fn reply_is(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let wanted = argument::json(world, &value)?;
    in_reply(world, |subject| subject.is(&path, &wanted))
}

/// There is a value at that place, and it is another one.
#[step(then, "the reply's {text} is not {json}", example = "the reply's \"answer\" is not 41")]
fn reply_is_not(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let unwanted = argument::json(world, &value)?;
    in_reply(world, |subject| subject.is_not(&path, &unwanted))
}

/// There is a value at that place; `null` is one.
#[step(then, "the reply's {text} exists", example = "the reply's \"answer\" exists")]
fn reply_exists(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_reply(world, |subject| subject.exists(&path))
}

/// There is JSON, and nothing at that place in it.
#[step(then, "the reply's {text} does not exist", example = "the reply's \"error\" does not exist")]
fn reply_does_not_exist(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_reply(world, |subject| subject.does_not_exist(&path))
}

/// The value at that place is of a kind: `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`.
#[step(then, "the reply's {text} is a(n) {name}", example = "the reply's \"answer\" is a number")]
fn reply_is_a(world: &mut World, path: Text, kind: Word) -> StepResult {
    let path = argument::path(world, &path.0)?;
    argument::kind(&kind.0).map_err(Failure::author)?;
    in_reply(world, |subject| subject.is_a(&path, &kind.0))
}

/// A regular expression matches somewhere in the text at that place; what is no text is matched as it is written in JSON.
#[step(then, "the reply's {text} matches {text}", example = "the reply's \"city\" matches \"^P\"")]
fn reply_matches(world: &mut World, path: Text, pattern: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let regex = argument::pattern(world, &pattern.0)?;
    in_reply(world, |subject| subject.matches(&path, &regex))
}

/// The array or object at that place has so many members.
#[step(then, "the reply's {text} has {int} items", example = "the reply's \"cities\" has 3 items")]
fn reply_has_items(world: &mut World, path: Text, count: u64) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_reply(world, |subject| subject.has_items(&path, count))
}

/// The value at a place in the response's JSON is this one: numbers by value, objects in any order.
///
/// The place is written `a.b[0].c`; the value is the rest of the line, as JSON.
#[step(then, "the response's {text} is {json}", example = "the response's \"object\" is \"chat.completion\"")]
fn response_is(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let wanted = argument::json(world, &value)?;
    in_response(world, |subject| subject.is(&path, &wanted))
}

/// There is a value at that place, and it is another one.
#[step(then, "the response's {text} is not {json}", example = "the response's \"model\" is not \"\"")]
fn response_is_not(world: &mut World, path: Text, value: Json) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let unwanted = argument::json(world, &value)?;
    in_response(world, |subject| subject.is_not(&path, &unwanted))
}

/// There is a value at that place; `null` is one.
#[step(then, "the response's {text} exists", example = "the response's \"usage.total_tokens\" exists")]
fn response_exists(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_response(world, |subject| subject.exists(&path))
}

/// There is JSON, and nothing at that place in it.
#[step(then, "the response's {text} does not exist", example = "the response's \"error\" does not exist")]
fn response_does_not_exist(world: &mut World, path: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_response(world, |subject| subject.does_not_exist(&path))
}

/// The value at that place is of a kind: `string`, `number`, `integer`, `boolean`, `array`, `object` or `null`.
#[step(then, "the response's {text} is a(n) {name}", example = "the response's \"created\" is an integer")]
fn response_is_a(world: &mut World, path: Text, kind: Word) -> StepResult {
    let path = argument::path(world, &path.0)?;
    argument::kind(&kind.0).map_err(Failure::author)?;
    in_response(world, |subject| subject.is_a(&path, &kind.0))
}

/// A regular expression matches somewhere in the text at that place; what is no text is matched as it is written in JSON.
#[step(then, "the response's {text} matches {text}", example = "the response's \"id\" matches \"^chatcmpl\"")]
fn response_matches(world: &mut World, path: Text, pattern: Text) -> StepResult {
    let path = argument::path(world, &path.0)?;
    let regex = argument::pattern(world, &pattern.0)?;
    in_response(world, |subject| subject.matches(&path, &regex))
}

/// The array or object at that place has so many members.
#[step(then, "the response's {text} has {int} items", example = "the response's \"choices\" has 1 items")]
fn response_has_items(world: &mut World, path: Text, count: u64) -> StepResult {
    let path = argument::path(world, &path.0)?;
    in_response(world, |subject| subject.has_items(&path, count))
}

/// Judges the reply's text as JSON; that it is none is the first thing to say.
fn in_reply(world: &World, claim: impl FnOnce(&Subject<'_>) -> Held) -> StepResult {
    world.judge(|reply| {
        let value = text::json(&reply.said())?;
        claim(&Subject { value: &value, name: "the reply", whose: Whose::Model })
    })
}

/// Judges the HTTP body as JSON.
fn in_response(world: &World, claim: impl FnOnce(&Subject<'_>) -> Held) -> StepResult {
    world.judge(|reply| {
        let value = reply.body()?;
        claim(&Reply::of_response(&value))
    })
}

impl Reply {
    /// The HTTP body as JSON; that it is none is a mismatch.
    pub(super) fn body(&self) -> Result<Value, Box<Mismatch>> {
        self.exchange.json().map_err(|error| {
            let actual = match self.exchange.status {
                None => self.exchange.failure().map_or_else(|| "no answer".to_owned(), |error| error.message.clone()),
                Some(status) if self.chat.streamed => format!("{status} and a stream of {} events", self.chat.events),
                Some(status) => format!("{status}: {}", text_of(&self.exchange.body)),
            };
            let message = if self.chat.streamed {
                "the response is a stream of events, not one JSON value".to_owned()
            } else {
                format!("the response is JSON ({error})")
            };
            Box::new(Mismatch::new("assert.json_path", Whose::Wire, message).expected("one JSON value").actual(actual))
        })
    }

    /// The body as claims look at it.
    pub(super) fn of_response(value: &Value) -> Subject<'_> {
        Subject { value, name: "the response", whose: Whose::Wire }
    }
}
