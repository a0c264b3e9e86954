//! A stack of several providers: each is brought up or attached to, and known for what it is; if one fails, none stays.

use std::collections::HashMap;

use super::cell::of_roles;
use crate::plan::{CellPlan, Connect, Part};
use crate::stack::{Progress, Stack, StackError, StackOptions};
use crate::steps::Route;

/// Brings all providers up, in the order written.
pub(super) async fn up(
    cell: &CellPlan,
    parts: &[Part],
    options: &StackOptions,
    bearers: &HashMap<String, String>,
    progress: Progress,
) -> Result<Stack, StackError> {
    let mut stacks = Vec::new();
    for part in parts {
        match provider(cell, part, options, bearers, &progress).await {
            Ok(stack) => stacks.push((part.setup.name.clone(), stack)),
            Err(mut error) => {
                error.message = format!("`{}`: {}", part.setup.name, error.message);
                while let Some((_, stack)) = stacks.pop() {
                    // The first error is the one to tell; what does not end is killed when it is dropped.
                    drop(stack.down(true, progress.clone()).await);
                }
                return Err(error);
            }
        }
    }
    Stack::composed(stacks).ok_or_else(|| StackError {
        kind: "infra.start",
        message: "a composed stack has no providers".to_owned(),
        detail: String::new(),
    })
}

async fn provider(
    cell: &CellPlan,
    part: &Part,
    options: &StackOptions,
    bearers: &HashMap<String, String>,
    progress: &Progress,
) -> Result<Stack, StackError> {
    let stack = if let Connect::Attach { url } = &part.connect {
        Stack::attach(url, bearers.get(&part.setup.name).cloned()).await?
    } else {
        let options = StackOptions { record: options.record.join(&part.setup.name), ..options.clone() };
        Stack::up(&part.setup, &of_roles(&cell.models, &part.roles), &options, progress.clone()).await?
    };
    if let Some(profile) = &part.profile
        && let Err(error) = stack.meets(&part.setup, profile)
    {
        drop(stack.down(true, progress.clone()).await);
        return Err(error);
    }
    Ok(stack)
}

/// Where requests go; nowhere in particular for a stack of one.
pub(super) fn routes(cell: &CellPlan, stack: &Stack) -> Vec<Route> {
    let Connect::Compose { parts } = &cell.connect else { return Vec::new() };
    let route = |(part, stack): (&Part, &Stack)| {
        let bearer = stack.bearer().map(str::to_owned);
        let wants = part.abilities.iter().any(|ability| ability == "auth");
        Route {
            abilities: part.abilities.clone(),
            models: of_roles(&cell.models, &part.roles).into_iter().map(|(_, model)| model).collect(),
            url: stack.url().to_owned(),
            wanted_key: bearer.clone().filter(|_| wants),
            bearer,
        }
    };
    parts.iter().zip(stack.providers()).map(route).collect()
}
