//! Stacks that stay between runs: brought up by `fireassay up`, looked at by `status`, ended by `down`.
//!
//! `up` starts a **keeper**, our own binary in a session of its own, and the keeper brings the stack up as a run would, guardian
//! included. So there is an owner at every moment:
//!
//! * while it comes up, the keeper ends everything as soon as the pipe to `up` closes: a killed `up` leaves nothing;
//! * once it is up, the keeper needs nobody: it reads the services' output into logs of bounded size, notes how a service ended
//!   (nothing is ever started again by itself), and ends the stack in reverse order when `down` asks it to;
//! * if the keeper itself is killed, its guardian ends the services at once.
//!
//! What is known stands in `.fireassay/stacks/NAME/state.json` ([`Record`]); [`health`] has the rules of the five states.

mod end;
pub(in crate::stack) mod follow;
pub mod health;
pub mod keeper;
mod record;

pub use end::{Ended, end};
pub use health::{Checkup, Health, checkup};
pub use keeper::{Began, Order};
pub use record::{Phase, Record, ServiceRecord, fingerprint, folder_of, names};
