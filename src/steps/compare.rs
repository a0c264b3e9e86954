//! Then: several replies.

use std::rc::Rc;

use fireassay_macros::step;

use super::{Failure, Reply, StepResult, Text, World};
use crate::check::{Held, Said, compare};

/// The last two replies have the same text; white space around it is ignored.
#[step(then, "both replies are the same")]
fn both_same(world: &mut World) -> StepResult {
    let [.., _, _] = world.replies.as_slice() else {
        return Err(Failure::author("there are no two replies: ask twice, or `whole and streamed`"));
    };
    judge(world, &world.replies[world.replies.len() - 2..], compare::all_same)
}

/// All replies have the same text: those of the last When if it asked several times, else all of the scenario.
#[step(then, "all replies are the same")]
fn all_same(world: &mut World) -> StepResult {
    judge(world, together(world)?, compare::all_same)
}

/// At least two of the replies differ: of the last When if it asked several times, else of the scenario.
#[step(then, "not all replies are the same")]
fn not_all_same(world: &mut World) -> StepResult {
    judge(world, together(world)?, compare::not_all_same)
}

/// Each reply mentions what its row of `I ask at once` has in this column, ignoring case.
#[step(then, "each reply mentions its {text}", example = "each reply mentions its \"capital\"")]
fn each_mentions(world: &mut World, column: Text) -> StepResult {
    let replies = world.last_batch()?;
    let mut pairs = Vec::with_capacity(replies.len());
    for reply in replies {
        let cell = reply.row.iter().find(|(name, _)| *name == column.0).map(|(_, cell)| cell.as_str());
        let cell = cell.ok_or_else(|| {
            Failure::author(format!("the replies have no column `{}`: ask them with `I ask at once:`", column.0))
        })?;
        pairs.push((reply.said(), cell));
    }
    world.claim();
    let held = compare::each_mentions(&pairs);
    held.map_err(|mismatch| world.last().map_or_else(|failure| failure, |reply| reply.blamed(mismatch)))
}

fn together(world: &World) -> Result<&[Rc<Reply>], Failure> {
    let batch = world.last_batch()?;
    Ok(if batch.len() > 1 { batch } else { world.replies.as_slice() })
}

fn judge(world: &World, replies: &[Rc<Reply>], claim: impl FnOnce(&[Said<'_>]) -> Held) -> StepResult {
    world.claim();
    let said: Vec<Said<'_>> = replies.iter().map(|reply| reply.said()).collect();
    claim(&said).map_err(|mismatch| world.last().map_or_else(|failure| failure, |reply| reply.blamed(mismatch)))
}
