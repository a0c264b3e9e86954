//! Then: the text of the reply.

use cucumber::gherkin;
use fireassay_macros::step;

use super::{StepResult, Text, World, argument};
use crate::check::text::{self, Form};
use crate::check::{Held, Said, choices};

/// The reply has these words, ignoring case and runs of white space.
#[step(then, "the reply mentions {text}", example = "the reply mentions \"Paris\"")]
fn mentions(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    said(world, |said| text::has(said, Form::Mentions(&wanted)))
}

/// The reply does not have these words, ignoring case and runs of white space. An empty reply does not pass.
#[step(then, "the reply does not mention {text}", example = "the reply does not mention \"Rome\"")]
fn does_not_mention(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    said(world, |said| text::has_not(said, Form::Mentions(&unwanted)))
}

/// The reply has exactly these characters somewhere.
#[step(then, "the reply contains {text}", example = "the reply contains \"fn main()\"")]
fn contains(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    said(world, |said| text::has(said, Form::Contains(&wanted)))
}

/// The reply has these characters nowhere. An empty reply does not pass.
#[step(then, "the reply does not contain {text}", example = "the reply does not contain \"<think>\"")]
fn does_not_contain(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    said(world, |said| text::has_not(said, Form::Contains(&unwanted)))
}

/// The reply is this and nothing else; white space around it is ignored.
#[step(then, "the reply is {text}", example = "the reply is \"42\"")]
fn is(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    said(world, |said| text::has(said, Form::Is(&wanted)))
}

/// The reply is something else; white space around it is ignored. An empty reply does not pass.
#[step(then, "the reply is not {text}", example = "the reply is not \"42\"")]
fn is_not(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    said(world, |said| text::has_not(said, Form::Is(&unwanted)))
}

/// The reply is the doc string and nothing else; white space around it is ignored.
#[step(then, "the reply is:")]
fn is_doc(world: &mut World, step: &gherkin::Step) -> StepResult {
    let wanted = argument::doc(world, step)?;
    said(world, |said| text::has(said, Form::Is(&wanted)))
}

/// A regular expression matches somewhere in the reply.
///
/// `^` and `$` stand for the ends of the whole reply; `(?i)` at the start ignores case, `(?m)` lets `^` and `$` stand for ends of lines.
#[step(then, "the reply matches {text}", example = "the reply matches \"[0-9]+ degrees\"")]
fn matches(world: &mut World, pattern: Text) -> StepResult {
    let regex = argument::pattern(world, &pattern.0)?;
    said(world, |said| text::has(said, Form::Matches(&regex)))
}

/// A regular expression matches nowhere in the reply. An empty reply does not pass.
#[step(then, "the reply does not match {text}", example = "the reply does not match \"(?i)sorry\"")]
fn does_not_match(world: &mut World, pattern: Text) -> StepResult {
    let regex = argument::pattern(world, &pattern.0)?;
    said(world, |said| text::has_not(said, Form::Matches(&regex)))
}

/// The reply begins with exactly these characters, after leading white space.
#[step(then, "the reply starts with {text}", example = "the reply starts with \"Yes\"")]
fn starts_with(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    said(world, |said| text::has(said, Form::StartsWith(&wanted)))
}

/// The reply begins with something else. An empty reply does not pass.
#[step(then, "the reply does not start with {text}", example = "the reply does not start with \"As an AI\"")]
fn does_not_start_with(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    said(world, |said| text::has_not(said, Form::StartsWith(&unwanted)))
}

/// The reply ends with exactly these characters, before trailing white space.
#[step(then, "the reply ends with {text}", example = "the reply ends with \".\"")]
fn ends_with(world: &mut World, wanted: Text) -> StepResult {
    let wanted = world.fill(&wanted.0)?;
    said(world, |said| text::has(said, Form::EndsWith(&wanted)))
}

/// The reply ends with something else. An empty reply does not pass.
#[step(then, "the reply does not end with {text}", example = "the reply does not end with \"END\"")]
fn does_not_end_with(world: &mut World, unwanted: Text) -> StepResult {
    let unwanted = world.fill(&unwanted.0)?;
    said(world, |said| text::has_not(said, Form::EndsWith(&unwanted)))
}

/// The reply mentions at least one of the texts. The table has one column and no header.
#[step(then, "the reply mentions one of:")]
fn mentions_one_of(world: &mut World, step: &gherkin::Step) -> StepResult {
    let wanted = argument::column(world, step)?;
    said(world, |said| text::mentions_one_of(said, &wanted))
}

/// The reply mentions every one of the texts. The table has one column and no header.
#[step(then, "the reply mentions all of:")]
fn mentions_all_of(world: &mut World, step: &gherkin::Step) -> StepResult {
    let wanted = argument::column(world, step)?;
    said(world, |said| text::mentions_all_of(said, &wanted))
}

/// The reply mentions not one of the texts. The table has one column and no header. An empty reply does not pass.
#[step(then, "the reply mentions none of:")]
fn mentions_none_of(world: &mut World, step: &gherkin::Step) -> StepResult {
    let unwanted = argument::column(world, step)?;
    said(world, |said| text::mentions_none_of(said, &unwanted))
}

/// There is text in the reply.
#[step(then, "the reply is not empty")]
fn is_not_empty(world: &mut World) -> StepResult {
    said(world, text::is_not_empty)
}

/// There is a reply, and no text in it. An error in place of a reply does not pass.
#[step(then, "the reply is empty")]
fn is_empty(world: &mut World) -> StepResult {
    said(world, text::is_empty)
}

/// The reply has so many words or more; words are what stands between white space.
#[step(then, "the reply has at least {int} words", example = "the reply has at least 5 words")]
fn at_least_words(world: &mut World, bound: u64) -> StepResult {
    said(world, |said| text::has_at_least_words(said, bound))
}

/// The reply has so many words or fewer; words are what stands between white space. An empty reply does not pass.
#[step(then, "the reply has at most {int} words", example = "the reply has at most 20 words")]
fn at_most_words(world: &mut World, bound: u64) -> StepResult {
    said(world, |said| text::has_at_most_words(said, bound))
}

/// The reply has so many choices.
#[step(then, "the reply has {int} choices", example = "the reply has 2 choices")]
fn choice_count(world: &mut World, count: u64) -> StepResult {
    world.judge(|reply| choices::count(&reply.chat, &reply.said(), count))
}

/// There is text, a tool call or a refusal in every choice.
#[step(then, "every choice is not empty")]
fn every_choice(world: &mut World) -> StepResult {
    world.judge(|reply| choices::every_not_empty(&reply.chat, &reply.said()))
}

/// The choices carry the indexes 0, 1, 2, … each once.
#[step(then, "the choices are numbered from 0")]
fn choices_numbered(world: &mut World) -> StepResult {
    world.judge(|reply| choices::numbered(&reply.chat, &reply.said()))
}

fn said(world: &World, claim: impl FnOnce(&Said<'_>) -> Held) -> StepResult {
    world.judge(|reply| claim(&reply.said()))
}
