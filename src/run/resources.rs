//! Once a second, and at the end, what the services of a cell take: an event each time, and the end of the cell where one takes
//! too much.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Bus, Control};
use crate::event::{CellId, RunEvent};
use crate::stack::{Sampler, StackError};

/// Time between two samples.
const EVERY: Duration = Duration::from_secs(1);

/// Why a watch has aborted its cell, if it has.
pub(super) type Over = Rc<RefCell<Option<StackError>>>;

/// A watch over the services of one cell; it ends with [`Watch::end`].
#[derive(Debug)]
pub(super) struct Watch {
    task: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    over: Over,
}

impl Watch {
    /// Begins to watch. A service over its limit aborts the cell.
    pub fn begin(sampler: Sampler, cell: CellId, epoch: Instant, (bus, control): (Bus, Control), over: Over) -> Self {
        let found = Rc::clone(&over);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::task::spawn_local(async move {
            let mut sampler = sampler;
            loop {
                let last = stopped.is_cancelled();
                // A thread beside this one: the list of processes must not hold up the scenarios.
                let Ok((back, sample)) = tokio::task::spawn_blocking(move || {
                    let sample = sampler.sample();
                    (sampler, sample)
                })
                .await
                else {
                    return;
                };
                sampler = back;
                let at_us = u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
                bus.emit(&RunEvent::Resources { cell: cell.clone(), at_us, services: sample.services, free: sample.free });
                if let Some((_, error)) = sample.over {
                    found.borrow_mut().get_or_insert(error);
                    control.abort();
                    return;
                }
                if last {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = stopped.cancelled() => {}
                }
            }
        });
        Self { task, stop, over }
    }

    /// Looks once more and stops watching; why the cell was aborted, if it was.
    pub async fn end(self) -> Option<StackError> {
        self.stop.cancel();
        // A watch that panicked has told so, and its last sample is missing.
        drop(self.task.await);
        self.over.borrow_mut().take()
    }
}
