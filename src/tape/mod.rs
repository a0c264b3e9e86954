//! What stands between a client and a real server on the wire: a proxy that passes everything on ([`Proxy`]), and can corrupt
//! real replies on their way ([`Fault`], [`Faults`]); and what was recorded, to be replayed ([`Tape`]).
//!
//! A reply is a real server's own: a fault cuts, repeats, reorders, pads or delays its bytes. Two faults stand for somebody
//! else who answers in its place, a limiter or a gateway, and say so.
//! Nothing here knows of scenarios, rules or verdicts.

mod again;
mod archive;
mod blob;
mod bodies;
mod course;
mod deck;
mod draft;
mod drift;
mod entry;
mod export;
mod fault;
mod faults;
mod form;
mod hearing;
mod key;
mod line;
mod listener;
mod manifest;
mod pen;
mod proxy;
mod rehearsal;
mod remote;
mod replay;
mod script;
mod server;
mod set;
mod upstream;

pub use again::{Asking, same_roles};
pub use blob::Blobs;
pub use deck::{Deck, Reel, Use, Written};
pub use drift::Drift;
pub use entry::{Content, Ending, EntryError, Head, Recorded};
pub use export::{FIXTURE, Named, to_curl, to_har, to_json};
pub use fault::{Edit, Fault};
pub use faults::{Faults, Planned};
pub use hearing::{By, Passed};
pub use key::{Key, Keying, VOLATILE, differences};
pub use listener::{ProxyError, Refusing};
pub use manifest::{FORMAT, Manifest};
pub use proxy::{Orders, Proxy};
pub use rehearsal::Rehearsal;
pub use remote::Remote;
pub use replay::{NOT_ON_THE_TAPE, Pace};
pub use set::{Edits, Miss, Tape, TapeError, TapePlace};
