//! What the stack room says while it works, on its way to the bus: [`Telling`].

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::Bus;
use crate::event::{CellId, RunEvent, StackPhase};
use crate::stack::Progress;

/// What the stack room says, on its way to the bus. The bus stays on this thread; the stack room may speak from its own
/// tasks, so lines travel by a channel.
pub(super) struct Telling(mpsc::UnboundedSender<Told>);

enum Told {
    Line(StackPhase, String),
    /// Everything before it has been passed on.
    Mark(oneshot::Sender<()>),
}

impl Telling {
    /// What is said from now on is of this cell.
    pub fn new(cell: &CellId, bus: &Bus) -> Self {
        let (lines, mut inbox) = mpsc::unbounded_channel();
        let (id, bus) = (cell.clone(), bus.clone());
        tokio::task::spawn_local(async move {
            while let Some(told) = inbox.recv().await {
                match told {
                    Told::Line(phase, message) => bus.emit(&RunEvent::Stack { cell: id.clone(), phase, message }),
                    // Whoever waited for it may have been cancelled.
                    Told::Mark(mark) => drop(mark.send(())),
                }
            }
        });
        Self(lines)
    }

    /// For the stack room.
    pub fn progress(&self) -> Progress {
        let lines = self.0.clone();
        // A bus that is gone has nobody left to tell.
        Arc::new(move |phase, message| drop(lines.send(Told::Line(phase, message.to_owned()))))
    }

    /// Returns when everything that was said so far is on the bus, so that no event comes after its cell's end.
    pub async fn told(&self) {
        let (mark, passed) = oneshot::channel();
        if self.0.send(Told::Mark(mark)).is_ok() {
            // The other end only goes away with the run.
            drop(passed.await);
        }
    }
}
