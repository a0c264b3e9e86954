//! The server of a cell, asked by hand, without any scenario: [`visit`].

use std::collections::BTreeMap;

use super::telling::Telling;
use super::{Bus, Control, RunOptions, cell, tapes};
use crate::event::ExchangeId;
use crate::plan::CellPlan;
use crate::stack::StackError;
use crate::wire::{Base, Client, Exchange, Request};

/// A server that is there.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Name and version as it says.
    pub server: String,
    /// Ids of the models that it lists.
    pub listed: Vec<String>,
    /// Models by role; of a bare address the first that is listed.
    pub models: BTreeMap<String, String>,
    /// SHA-256 by name of the files that its setup brings for its models.
    pub weights: BTreeMap<String, String>,
    /// Its key.
    pub bearer: Option<String>,
}

/// Brings the server of a cell up (or attaches), asks what `questions` makes of it, one after the other, hands each reply with its
/// number to `heard`, and takes the server down. **Errors**: it does not come up, or does not go.
pub async fn visit(
    cell: &CellPlan,
    options: &RunOptions,
    (bus, control): (&Bus, &Control),
    questions: impl FnOnce(&Host) -> Vec<Request>,
    mut heard: impl FnMut(usize, Exchange),
) -> Result<Host, StackError> {
    let stack = cell::connect(cell, options, bus, control).await?;
    let mut host = Host {
        server: stack.server().to_owned(),
        listed: stack.models().to_vec(),
        models: cell.models.iter().cloned().collect(),
        weights: tapes::weights(&cell.setup),
        bearer: stack.bearer().map(str::to_owned),
    };
    if let (true, Some(first)) = (host.models.is_empty(), host.listed.first()) {
        host.models.insert("text".to_owned(), first.clone());
    }
    let base = Base { body_limit: options.body_limit, ..Base::new(stack.url()) };
    let asked = match Client::new(base) {
        Ok(client) => {
            for (number, request) in questions(&host).into_iter().enumerate() {
                if control.finishing().is_cancelled() {
                    break;
                }
                heard(number, client.send(ExchangeId(number as u64 + 1), request).await);
            }
            Ok(host)
        }
        Err(error) => Err(StackError::not_run(error.to_string())),
    };
    let telling = Telling::new(&cell.id, bus);
    let down = stack.down(control.signal().is_some(), telling.progress()).await;
    telling.told().await;
    down.and(asked)
}
