//! Which models are there, what do they take, and are they what the catalogue says?
//!
//! [`gguf`] reads what weights say of themselves, [`template`] what a chat template offers, [`memory`] turns sizes into an
//! estimate, [`index`] asks the places that models come from, [`check`] holds a catalogue against all of it,
//! [`stores`] finds what lies on this machine, [`score`] ranks what could be taken. What cannot be
//! known is said to be unknown, never guessed.

pub mod check;
pub mod gguf;
pub mod index;
pub mod memory;
pub mod score;
pub mod stores;
pub mod template;

pub use check::{CheckOptions, Finding, Verdict, check_model};
pub use gguf::Gguf;
pub use memory::Estimate;
