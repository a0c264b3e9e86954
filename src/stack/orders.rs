//! What scenarios may have done to the services of their own stack: [`Order`]s, carried by a [`Door`], obeyed by [`Stack::obey`].
//!
//! Scenarios run on threads of their own, and the stack has one owner: an order travels to it, and how it went travels back.
//! What an order has ended no longer counts among the services that run, so it is not one that died; a restart brings it back.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::service::Gone;
use super::{Progress, Stack, StackError};

/// Something that a scenario has done to its stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A service ends as in a crash: SIGKILL.
    Kill(String),
    /// A service that was ended comes back on its port, ready and warm.
    Start(String),
    /// All services end as the setup says, the last started first.
    Stop,
    /// All that were ended come back, in order.
    StartAll,
}

/// The scenarios' end of the way to the stack's owner.
#[derive(Debug, Clone)]
pub struct Door(mpsc::UnboundedSender<Asked>);

/// An order that has arrived. Dropping it tells the scenario that it will not be obeyed.
#[derive(Debug)]
pub struct Asked {
    /// What is wanted.
    pub order: Order,
    told: oneshot::Sender<Result<Vec<Gone>, StackError>>,
}

impl Door {
    /// A door, and what comes through it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let (door, orders) = mpsc::unbounded_channel();
        (Self(door), orders)
    }

    /// Has an order obeyed; which services it ended. **Errors**: `author.step` where it makes no sense now, `infra.…` where it
    /// did not work, `infra.not_run` where the run ends first.
    pub async fn order(&self, order: Order) -> Result<Vec<Gone>, StackError> {
        let (told, answer) = oneshot::channel();
        let over = || StackError::not_run("the run was stopped before the stack had obeyed");
        self.0.send(Asked { order, told }).map_err(|_| over())?;
        answer.await.unwrap_or_else(|_| Err(over()))
    }
}

impl Asked {
    /// Tells the scenario how it went; one that has ended meanwhile does not hear it.
    pub fn tell(self, went: Result<Vec<Gone>, StackError>) {
        drop(self.told.send(went));
    }
}

impl Stack {
    /// Obeys an order. **Errors**: `author.step` where it makes no sense now; else what went wrong with a service.
    pub async fn obey(&mut self, order: &Order, progress: Progress) -> Result<Vec<Gone>, StackError> {
        let Some(life) = &mut self.life else {
            return Err(StackError::author("the stack was not started by this run: its services are not to be ended by it"));
        };
        match order {
            Order::Kill(name) => {
                let gone = life.kill(name, &progress).await?;
                let none = || StackError::author(format!("there is no service `{name}` that runs: was it ended before?"));
                gone.map(|gone| vec![gone]).ok_or_else(none)
            }
            Order::Start(name) => match life.runs(name) {
                Some(false) => life.start_one(name, &progress).await.map(|()| Vec::new()),
                Some(true) => Err(StackError::author(format!("the service `{name}` runs: nothing has ended it"))),
                None => Err(StackError::author(format!("the setup has no service `{name}`"))),
            },
            Order::Stop => life.stop(Duration::MAX, &progress).await,
            Order::StartAll => life.start(&progress).await.map(|()| Vec::new()),
        }
    }
}
