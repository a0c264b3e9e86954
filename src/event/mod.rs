//! What happened in a run? Ids, outcomes, mismatches, and the events that are written as they happen.
//!
//! Every report, the gate and `show` are pure functions of these events; the live console is one more reader. Places are
//! already resolved to `file:line:col` here, so a record can be read without the files it came from.
//!
//! **Order** of a run: `RunStarted`, then per cell `CellStarted`, `Stack…`, per scenario attempt `ScenarioStarted`,
//! `Exchange`…, `ScenarioFinished`, then `CellFinished`; `RunFinished` last. Scenarios of a cell interleave.
//! Every planned scenario has one last `ScenarioFinished`; one that could not begin is errored with trouble `infra.not_run`
//! and has no `ScenarioStarted`. What a killed run left out is known by the count in `CellPlanned`.

mod finding;
mod host;
mod log;
mod outcome;
mod role;
mod run;
mod seal;
mod slug;

pub use finding::{DialectRecord, FindingRecord, Weight};
pub use host::{AcceleratorRecord, HostRecord};
pub use log::{EventLog, EventLogError};
pub use outcome::{Mismatch, Outcome, Place, StepOutcome, Trouble, Whose};
pub use role::role_of;
pub use run::{
    Attempt, CellId, CellPlanned, ClockRecord, EntryRecord, ExchangeId, ExchangeRecord, HeaderRecord, RunEvent, RunTotals,
    SCHEMA, ScenarioFinished, ScenarioId, ServiceRecord, StackPhase, StepRecord, TapeRecord, Totals, UsageRecord,
};
pub use seal::{Seal, write_seal};
pub use slug::{bounded_name, slug};
