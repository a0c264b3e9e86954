//! One scenario's replies in the order in which it asks, whatever it asks: [`Rehearsal`].
//!
//! It listens while a scenario is answered, and gives the same replies again later, one of them changed: what a scenario asks
//! after a changed reply may be another request than was recorded, and must be answered all the same.

use std::cell::RefCell;
use std::sync::Arc;

use crate::event::ExchangeId;
use crate::wire::{Exchange, Request};

/// Replies of one scenario, on one thread.
#[derive(Debug, Default)]
pub struct Rehearsal(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    heard: Vec<Exchange>,
    /// What is given again: the exchanges as they were, and one in place of one of them.
    script: Option<(Arc<Vec<Exchange>>, usize, Exchange)>,
    next: usize,
}

impl Rehearsal {
    /// Nothing is given from now on, and what others answer is kept.
    pub fn listen(&self) {
        *self.0.borrow_mut() = State::default();
    }

    /// What was heard since.
    pub fn heard(&self) -> Vec<Exchange> {
        std::mem::take(&mut self.0.borrow_mut().heard)
    }

    /// Keeps what somebody else answered.
    pub fn hear(&self, exchange: &Exchange) {
        let mut state = self.0.borrow_mut();
        if state.script.is_none() {
            state.heard.push(exchange.clone());
        }
    }

    /// These replies are given from now on in their order, `changed` in place of the one at `at`.
    pub fn follow(&self, replies: &Arc<Vec<Exchange>>, at: usize, changed: Exchange) {
        *self.0.borrow_mut() = State { script: Some((Arc::clone(replies), at, changed)), ..State::default() };
    }

    /// The next reply to whatever is asked; `None` while it listens. **Errors**: all replies were given.
    pub fn reply(&self, id: ExchangeId, request: &Request, url: String) -> Option<Result<Exchange, String>> {
        let mut state = self.0.borrow_mut();
        let at = state.next;
        state.next += 1;
        let (replies, changed_at, changed) = state.script.as_ref()?;
        let reply = if at == *changed_at { Some(changed) } else { replies.get(at) };
        let Some(reply) = reply else {
            return Some(Err(format!("the scenario asks once more than before: {} times", at + 1)));
        };
        Some(Ok(Exchange { id, request: request.clone(), url, ..reply.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &'static str) -> Exchange {
        Exchange { body: body.into(), ..Exchange::begun(ExchangeId(1), Request::get("/x"), String::new()) }
    }

    #[test]
    fn what_was_heard_is_given_again_with_one_change_whatever_is_asked() {
        let rehearsal = Rehearsal::default();
        let ask = |path: &str| rehearsal.reply(ExchangeId(9), &Request::get(path), "http://h/".to_owned());
        assert!(ask("/a").is_none(), "it only listens");
        rehearsal.hear(&said("one"));
        rehearsal.hear(&said("two"));
        let heard = Arc::new(rehearsal.heard());
        rehearsal.follow(&heard, 1, said("changed"));
        let first = ask("/a").unwrap().unwrap();
        assert_eq!((first.id, first.request.target.as_str(), &first.body[..]), (ExchangeId(9), "/a", &b"one"[..]));
        assert_eq!(ask("/b").unwrap().unwrap().body, "changed");
        assert!(ask("/c").unwrap().unwrap_err().contains("3 times"));
        rehearsal.listen();
        assert!(ask("/d").is_none());
    }
}
