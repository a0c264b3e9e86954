//! Cells in order: stack up, scenarios through cucumber's seams, stack down.
//!
//! [`run`] takes a [`Plan`](crate::plan::Plan) and a [`Bus`] and returns when everything is judged, cancelled or lost. What happens is said in
//! [`RunEvent`](crate::event::RunEvent)s alone. Must hold: every planned scenario ends in exactly one final
//! `ScenarioFinished`, also when the stack dies, a signal comes or a step panics; no process of ours outlives the cell.

mod account;
mod books;
mod bus;
mod cell;
mod compose;
mod control;
mod engine;
mod feature;
mod judge;
mod panic;
mod queue;
mod resources;
mod scenario;
mod services;
mod stage;
mod tapes;
mod telling;
mod versions;
mod visit;
mod worker;

pub use bus::{Bus, Consumer};
pub use cell::{CELL_MODEL, RunOptions, run};
pub use control::Control;
pub use panic::install_hook;
pub use stage::{Player, Stage, Told};
pub use visit::{Host, visit};
