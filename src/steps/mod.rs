//! The catalogue: one function per sentence, thin; claims are judged in `check`, requests are made by `wire`.
//!
//! Topics are files. [`catalogue`] gathers all sentences as data, [`functions`] the functions behind them, in the same order;
//! [`lint`] finds what is wrong with a step's arguments before anything runs; [`EXPECT`] says which sentence an item of a
//! case's `expect:` stands for.

mod argument;
mod ask;
mod catalogue;
mod compare;
mod context;
mod embeddings;
mod expect;
mod failure;
mod faults;
mod finish;
mod harness;
mod json;
mod lint;
mod metrics;
mod models;
mod parameter;
mod raw;
mod reply;
mod request;
mod responses;
mod route;
mod save;
mod services;
mod state;
mod status;
mod stream;
mod structured;
mod thinking;
mod timing;
mod tokens;
mod tool_calls;
mod tool_results;
mod tools;
mod usage;
mod world;

pub use catalogue::{StepFunction, StepText, catalogue, functions};
pub use context::CellContext;
pub use expect::EXPECT;
pub use failure::{Failure, StepResult};
pub use lint::{BadArgument, Part, lint};
pub use parameter::{Beside, Choice, Clock, Delivery, Json, Names, Numbers, Switch, Text, TimeSpan, Word};
pub use route::Route;
pub use services::{ServiceContext, Services};
pub use world::{Draft, Key, Reply, Surface, World};
