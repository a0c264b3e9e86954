//! fireassay: does an LLM inference stack keep its promises?
//!
//! Suites × setups are compiled into scenarios, run against real servers and judged; what is left is evidence.
//!
//! ```text
//! files ─load→ SourceMap + specs ─compile→ Plan ─execute→ RunEvents ─fold→ totals → verdict → exit code
//!         diagnostics*               │          │ stack, wire, steps          └ console / junit / json (pure functions of events)
//!                                    └ Catalogue (all steps as data)
//! ```
//!
//! | room | asks |
//! |---|---|
//! | [`source`] | where does this text stand, how is a mistake shown |
//! | [`event`] | what happened in a run |
//! | [`spec`] | what the user wrote |
//! | [`schema`] | does this value fit that JSON Schema |
//! | [`plan`] | what must happen: pure, no I/O, no clock |
//! | [`wire`] | HTTP, SSE, surfaces; no opinions |
//! | [`contract`] | the wire rules that are always on: data, checks, leniency |
//! | [`check`] | the claims authors make |
//! | [`host`] | what is this machine: system, memory, accelerators, commands |
//! | [`models`] | which models are there, what do they take, are they what the catalogue says |
//! | [`stack`] | process life: provision, start, ready, stop |
//! | [`tape`] | what stands between a client and a server: pass on, corrupt |
//! | [`steps`] | the catalogue: one function per sentence |
//! | [`mutate`] | would the suite notice: replies broken in every way, one at a time |
//! | [`run`] | cells in order: stack up, scenarios through the engine, stack down |
//! | [`report`] | console, JUnit, JSON: functions of events |
//! | [`cli`] | arguments → options → wiring |
//!
//! A room imports only the rooms that `tests/it/tidy.rs` lists for it; nothing imports [`cli`].

pub mod check;
pub mod cli;
pub mod contract;
pub mod event;
pub mod host;
pub mod models;
pub mod mutate;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod source;
pub mod spec;
pub mod stack;
pub mod steps;
pub mod tape;
pub mod wire;
