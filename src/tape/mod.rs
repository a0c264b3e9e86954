//! What stands between a client and a real server on the wire: so far a relay that passes real replies on, and can corrupt
//! them on their way ([`Relay`], [`Fault`]).
//!
//! A reply is always a real server's own: a fault cuts, repeats, reorders, pads or delays its bytes, it makes up no answers.
//! Nothing here knows of scenarios, rules or verdicts.

mod fault;
mod relay;
mod script;
mod server;

pub use fault::{Edit, Fault};
pub use relay::{Relay, RelayError};
