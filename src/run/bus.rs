//! Where the events of a run go: [`Bus`], in order, on one thread.

use std::cell::RefCell;
use std::rc::Rc;

use crate::event::RunEvent;

/// Takes the events of a run: the log, the console, the summary.
pub trait Consumer {
    /// Takes one event; an error ends the run as an environment error (a record that cannot be written is no evidence).
    fn take(&mut self, event: &RunEvent) -> Result<(), String>;
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
        let inner = &mut *self.inner.borrow_mut();
        for consumer in &mut inner.consumers {
            if let Err(error) = consumer.take(event) {
                inner.broken.get_or_insert(error);
            }
        }
    }

    /// The first failure of a consumer, if there was one.
    pub fn broken(&self) -> Option<String> {
        self.inner.borrow().broken.clone()
    }
}
