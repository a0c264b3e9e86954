//! Where the events of a run go: [`Bus`], in order, on one thread.

use std::cell::RefCell;
use std::rc::Rc;

use crate::event::{EventLog, RunEvent};

/// Takes the events of a run: the log, the console, the summary.
pub trait Consumer {
    /// Takes one event; an error ends the run as an environment error (a record that cannot be written is no evidence).
    fn take(&mut self, event: &RunEvent) -> Result<(), String>;

    /// The engine begins to wait: what was held back to go out together goes out now.
    fn settle(&mut self) -> Result<(), String> {
        Ok(())
    }
}

impl Consumer for EventLog {
    fn take(&mut self, event: &RunEvent) -> Result<(), String> {
        self.append(event).map_err(|error| error.to_string())
    }

    fn settle(&mut self) -> Result<(), String> {
        Self::settle(self).map_err(|error| error.to_string())
    }
}

impl<F: FnMut(&RunEvent) -> Result<(), String>> Consumer for F {
    fn take(&mut self, event: &RunEvent) -> Result<(), String> {
        self(event)
    }
}

/// Hands each event to every consumer in turn. Cheap to clone; stays on one thread.
#[derive(Clone, Default)]
pub struct Bus {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    consumers: Vec<Box<dyn Consumer>>,
    broken: Option<String>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

impl Bus {
    /// A bus with no consumers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a consumer; it sees events from now on.
    pub fn add(&self, consumer: impl Consumer + 'static) {
        self.inner.borrow_mut().consumers.push(Box::new(consumer));
    }

    /// Hands out one event.
    pub fn emit(&self, event: &RunEvent) {
        self.each(|consumer| consumer.take(event));
    }

    /// Tells every consumer that nothing more comes for now.
    pub fn settle(&self) {
        self.each(|consumer| consumer.settle());
    }

    fn each(&self, mut tell: impl FnMut(&mut dyn Consumer) -> Result<(), String>) {
        let inner = &mut *self.inner.borrow_mut();
        for consumer in &mut inner.consumers {
            if let Err(error) = tell(consumer.as_mut()) {
                inner.broken.get_or_insert(error);
            }
        }
    }

    /// The first failure of a consumer, if there was one.
    pub fn broken(&self) -> Option<String> {
        self.inner.borrow().broken.clone()
    }
}
