//! The catalogue: one function per sentence, thin; claims are judged in `check`, requests are made by `wire`.
//!
//! Topics are files. [`catalogue`] gathers all sentences as data, [`functions`] the functions behind them, in the same order.

mod catalogue;
mod failure;
mod parameter;
mod world;

pub use catalogue::{StepFunction, StepText, catalogue, functions};
pub use failure::{Failure, StepResult};
pub use parameter::{Delivery, Json, Names, Numbers, Text, TimeSpan, Word};
pub use world::{CellContext, Reply, World};
