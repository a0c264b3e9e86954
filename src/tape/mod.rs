//! What stands between a client and a real server on the wire: a tap that listens to what somebody else's client says and
//! gets ([`Tap`]), and a relay that can corrupt real replies on their way ([`Relay`], [`Fault`]).
//!
//! A reply is always a real server's own: a fault cuts, repeats, reorders, pads or delays its bytes, it makes up no answers.
//! Nothing here knows of scenarios, rules or verdicts.

mod fault;
mod listener;
mod relay;
mod script;
mod server;
mod tap;

pub use fault::{Edit, Fault};
pub use listener::RelayError;
pub use relay::Relay;
pub use tap::Tap;
