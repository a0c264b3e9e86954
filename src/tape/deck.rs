//! What a tape does for one client: [`Deck`]. It answers, keeps what a server answered, or both, by its [`Use`].
//!
//! A recording of all that a tape is for drops what nobody asks for any more; one of a part of it leaves the rest as it is.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::draft::{self, Draft};
use super::entry::Recorded;
use super::key::Keying;
use super::manifest::Manifest;
use super::set::{Miss, Tape, TapeError};
use crate::wire::{Exchange, Request, Secrets};

/// What is done with a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The server is asked, and what it answers is kept.
    Record,
    /// The tape answers; what is not on it is an error.
    Replay,
    /// The tape answers; what is not on it is asked of the server, and kept.
    Fill,
}

/// The tape of one cell, before its run: what there is of it, and where it goes.
#[derive(Debug, Clone)]
pub struct Reel {
    /// What is done with it.
    pub used: Use,
    /// Where it is written to.
    pub folder: PathBuf,
    /// What there is already.
    pub tape: Option<Arc<Tape>>,
    /// Members of bodies that do not count.
    pub volatile: Vec<String>,
    /// What is secret beside the keys.
    pub patterns: Vec<regex::bytes::Regex>,
    /// Whether all is asked for that the tape is for: what is not asked for is then dropped.
    pub whole: bool,
}

/// A tape in use.
#[derive(Debug)]
pub struct Deck {
    reel: Reel,
    keying: Keying,
    secrets: Secrets,
    /// What was kept so far, in order, with its secrets: the last one may tell what is secret in the first.
    kept: Mutex<Vec<Exchange>>,
}

impl Reel {
    /// Begins to use it for requests with these keys. The keys are secret as well, and so is what its patterns match.
    pub fn start(self, tokens: Vec<String>, secrets: Secrets) -> Deck {
        secrets.add(tokens.clone());
        secrets.add_patterns(self.patterns.clone());
        let mut volatile = self.volatile.clone();
        // A tape is asked as it was recorded.
        if let Some(tape) = &self.tape {
            volatile.extend(tape.manifest().volatile.iter().filter(|name| !self.volatile.contains(name)).cloned());
        }
        Deck { keying: Keying { volatile, tokens }, secrets, kept: Mutex::default(), reel: self }
    }
}

impl Deck {
    /// The tape's reply; `None` where the server is to be asked. **Errors**: nobody recorded it, and nobody is to be asked.
    pub fn reply(&self, request: &Request) -> Result<Option<Arc<Recorded>>, Miss> {
        let Some(tape) = self.reel.tape.as_ref().filter(|_| self.reel.used != Use::Record) else { return Ok(None) };
        match tape.take(&self.keying.key(request)) {
            Ok(recorded) => Ok(Some(recorded)),
            Err(_) if self.reel.used == Use::Fill => Ok(None),
            Err(miss) => Err(miss),
        }
    }

    /// Keeps what the server answered.
    pub fn keep(&self, exchange: &Exchange) {
        if self.reel.used != Use::Replay {
            self.secrets.learn(&exchange.request);
            self.secrets.learn_reply(exchange);
            self.kept().push(exchange.clone());
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the tape is of, where there is one.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.reel.tape.as_ref().map(|tape| tape.manifest())
    }

    /// What there was of it at the start.
    pub fn tape(&self) -> Option<&Tape> {
        self.reel.tape.as_deref()
    }

    /// What is done with it.
    pub fn used(&self) -> Use {
        self.reel.used
    }

    /// Where it is written to.
    pub fn folder(&self) -> &Path {
        &self.reel.folder
    }

    /// Files of exchanges that nobody asked for; nothing where not all was asked for that it is for.
    pub fn unused(&self) -> Option<Vec<&str>> {
        let tape = self.reel.tape.as_ref().filter(|_| self.reel.whole && self.reel.used == Use::Replay)?;
        Some(tape.unused())
    }

    /// Writes what was recorded in place of the tape that was there; how many exchanges are new, and how many there are.
    /// **Errors**: the disk refuses; the old tape is then as it was.
    pub fn finish(&self, mut manifest: Manifest) -> Result<Written, TapeError> {
        let redactor = self.secrets.redactor();
        let recorded: Vec<Recorded> =
            std::mem::take(&mut *self.kept()).iter().map(|it| Recorded::of(it, &self.keying, &redactor)).collect();
        let new = recorded.len();
        let mut kept = Vec::new();
        if let Some(tape) = &self.reel.tape {
            let again: HashSet<&str> = recorded.iter().map(|recorded| recorded.head.key.as_str()).collect();
            let stays = |recorded: &Recorded| match self.reel.used {
                Use::Record => !self.reel.whole && !again.contains(recorded.head.key.as_str()),
                Use::Fill | Use::Replay => true,
            };
            let edited = |name: &str| tape.manifest().edited.contains(name);
            let stay = tape.exchanges().filter(|(_, recorded)| stays(recorded));
            kept.extend(stay.map(|(name, recorded)| (recorded.clone(), edited(name))));
        }
        manifest.volatile.clone_from(&self.keying.volatile);
        let all = kept.into_iter().chain(recorded.into_iter().map(|recorded| (recorded, false)));
        let Draft { manifest, replaced } = draft::write(&self.reel.folder, manifest, all)?;
        Ok(Written { new, all: manifest.exchanges.len(), replaced })
    }
}

/// What came of a recording. **Units**: exchanges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Recorded now.
    pub new: usize,
    /// On the tape.
    pub all: usize,
    /// The packed tape whose place it took.
    pub replaced: Option<PathBuf>,
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} recorded, {} in all", self.new, self.all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::ExchangeId;

    fn asked(question: &str) -> Request {
        Request::post_json("/v1/chat/completions", &json!({"messages": [{"role": "user", "content": question}]}))
    }

    fn came_of(new: usize, all: usize) -> Written {
        Written { new, all, replaced: None }
    }

    fn reel(used: Use, folder: &Path, whole: bool) -> Reel {
        let tape = Tape::load(folder).ok().map(Arc::new);
        Reel { used, folder: folder.to_owned(), tape, volatile: Vec::new(), patterns: Vec::new(), whole }
    }

    /// Asks these questions; the server's answers are `reply`. Returns what came.
    fn run(reel: Reel, questions: &[&str], reply: &'static str) -> (Vec<String>, Written) {
        let deck = reel.start(vec!["secret-token".to_owned()], Secrets::default());
        let mut came = Vec::new();
        for question in questions {
            let request = asked(question).bearer("secret-token");
            came.push(match deck.reply(&request) {
                Ok(Some(recorded)) => String::from_utf8_lossy(&recorded.body).into_owned(),
                Ok(None) => {
                    let begun = Exchange::begun(ExchangeId(1), request, String::new());
                    deck.keep(&Exchange { status: Some(200), body: reply.into(), ..begun });
                    reply.to_owned()
                }
                Err(miss) => miss.to_string(),
            });
        }
        let written = if deck.used() == Use::Replay { came_of(0, 0) } else { deck.finish(Manifest::default()).unwrap() };
        (came, written)
    }

    #[test]
    fn a_tape_is_recorded_filled_and_replayed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("t");
        let (came, written) = run(reel(Use::Record, folder, true), &["a", "b"], "first");
        assert_eq!((came, written), (vec!["first".to_owned(); 2], came_of(2, 2)));
        let (came, written) = run(reel(Use::Fill, folder, true), &["a", "c"], "second");
        assert_eq!((came.join(" "), written), ("first second".to_owned(), came_of(1, 3)));
        let (came, _) = run(reel(Use::Replay, folder, true), &["c", "a", "d"], "never");
        assert_eq!(came[..2], ["second", "first"]);
        assert!(came[2].contains("is not on the tape"), "{}", came[2]);
        let (_, written) = run(reel(Use::Record, folder, true), &["c"], "third");
        assert_eq!(written, came_of(1, 1), "what nobody asks for any more is dropped");
    }

    #[test]
    fn a_stack_that_wants_no_key_is_recorded_and_replayed_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("t");
        let recording = reel(Use::Record, folder, true).start(Vec::new(), Secrets::default());
        let begun = Exchange::begun(ExchangeId(1), asked("a"), String::new());
        recording.keep(&Exchange { status: Some(200), body: "first".into(), ..begun });
        recording.finish(Manifest::default()).unwrap();
        let replay = reel(Use::Replay, folder, true).start(Vec::new(), Secrets::default());
        assert_eq!(replay.reply(&asked("a")).unwrap().unwrap().body, "first");
        assert_eq!(replay.reply(&asked("a").bearer("any")).unwrap().unwrap().body, "first");
    }

    #[test]
    fn a_part_of_a_suite_leaves_the_rest_of_the_tape() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("t");
        run(reel(Use::Record, folder, true), &["a", "b"], "first");
        let (_, written) = run(reel(Use::Record, folder, false), &["b", "b"], "second");
        assert_eq!(written, came_of(2, 3));
        let (came, _) = run(reel(Use::Replay, folder, true), &["a", "b"], "never");
        assert_eq!(came, ["first", "second"]);
        let (_, written) = run(reel(Use::Fill, folder, false), &["a", "d"], "third");
        assert_eq!(written, came_of(1, 4));
    }

    #[test]
    fn what_a_full_run_does_not_ask_for_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let folder = &folder.path().join("t");
        run(reel(Use::Record, folder, true), &["a", "b"], "first");
        for (whole, expect) in [(true, Some(1)), (false, None)] {
            let deck = reel(Use::Replay, folder, whole).start(vec!["other".to_owned()], Secrets::default());
            deck.reply(&asked("a").bearer("other")).unwrap().unwrap();
            let miss = deck.reply(&asked("a")).unwrap_err().to_string();
            assert!(miss.contains("credentials: absent, not \"none\""), "{miss}");
            assert_eq!(deck.unused().map(|unused| unused.len()), expect);
        }
    }
}
