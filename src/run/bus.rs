//! Where the events of a run go: [`Bus`], in order, on one thread.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use crate::event::{EventLog, RunEvent};
use crate::wire::{Redactor, Secrets};

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
    secrets: Secrets,
    broken: Option<String>,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bus").finish_non_exhaustive()
    }
}

impl Bus {
    /// A bus with no consumers; these secrets are in nothing that it hands out.
    pub fn new(secrets: Secrets) -> Self {
        let bus = Self::default();
        bus.inner.borrow_mut().secrets = secrets;
        bus
    }

    /// Adds a consumer; it sees events from now on.
    pub fn add(&self, consumer: impl Consumer + 'static) {
        self.inner.borrow_mut().consumers.push(Box::new(consumer));
    }

    /// Hands out one event, without the secrets that are known by now.
    pub fn emit(&self, event: &RunEvent) {
        let redactor = self.inner.borrow().secrets.redactor();
        match masked(event, &redactor) {
            Ok(None) => self.each(|consumer| consumer.take(event)),
            Ok(Some(masked)) => self.each(|consumer| consumer.take(&masked)),
            // What cannot be masked is not written.
            Err(error) => {
                self.inner.borrow_mut().broken.get_or_insert(format!("secrets cannot be taken out of an event: {error}"));
            }
        }
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

/// Members of events by which they belong together; what an author named so is no secret.
const IDS: [&str; 4] = ["id", "cell", "scenario", "run_id"];

/// An event without its secrets, where it has any.
fn masked(event: &RunEvent, redactor: &Redactor) -> serde_json::Result<Option<RunEvent>> {
    if redactor.is_empty() {
        return Ok(None);
    }
    let mut value = serde_json::to_value(event)?;
    if mask(&mut value, redactor) { serde_json::from_value(value).map(Some) } else { Ok(None) }
}

fn mask(value: &mut Value, redactor: &Redactor) -> bool {
    match value {
        Value::String(text) => {
            let masked = redactor.text(text);
            let was = std::mem::replace(text, masked);
            was != *text
        }
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= mask(item, redactor);
            }
            any
        }
        Value::Object(members) => {
            let mut any = false;
            for (_, item) in members.iter_mut().filter(|(name, _)| !IDS.contains(&name.as_str())) {
                any |= mask(item, redactor);
            }
            any
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::event::{CellId, StackPhase};

    #[test]
    fn what_is_secret_by_now_is_handed_to_nobody() {
        let secrets = Secrets::default();
        let bus = Bus::new(secrets.clone());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        bus.add(move |event: &RunEvent| {
            ear.lock().unwrap().push(event.clone());
            Ok(())
        });
        let said = |message: &str| RunEvent::Stack {
            cell: CellId("planted-1[x]".into()),
            phase: StackPhase::Tape,
            message: message.to_owned(),
        };
        bus.emit(&said("it is planted-1"));
        secrets.add(vec!["planted-1".to_owned()]);
        bus.emit(&said("it is planted-1"));
        assert_eq!(*heard.lock().unwrap(), [said("it is planted-1"), said("it is ***")]);
        assert_eq!(bus.broken(), None);
    }
}
