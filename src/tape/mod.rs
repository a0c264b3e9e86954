//! What stands between a client and a real server on the wire: a tap that listens to what somebody else's client says and
//! gets ([`Tap`]), and a relay that can corrupt real replies on their way ([`Relay`], [`Fault`]).
//!
//! A reply is always a real server's own: a fault cuts, repeats, reorders, pads or delays its bytes, it makes up no answers.
//! Nothing here knows of scenarios, rules or verdicts.

mod deck;
mod entry;
mod fault;
mod key;
mod listener;
mod redact;
mod relay;
mod script;
mod server;
mod set;
mod tap;

pub use deck::{Deck, Reel, Use, Written};
pub use entry::{Content, Ending, EntryError, Head, Recorded};
pub use fault::{Edit, Fault};
pub use key::{Key, Keying, VOLATILE, differences};
pub use listener::RelayError;
pub use redact::Redactor;
pub use relay::Relay;
pub use set::{FORMAT, Manifest, Miss, Recorder, Tape, TapeError};
pub use tap::Tap;
