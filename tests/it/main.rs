//! One integration binary: the house rules, and the real command against real servers.

mod bad;
mod catalogue;
mod clients;
mod compose;
mod faults;
mod harness;
mod host;
mod kept;
mod keywords;
mod kill;
mod life;
mod matrix;
mod models;
mod mutate;
mod provision;
mod proxy;
mod schemas;
mod secrets;
mod stack;
mod start;
mod tapes;
mod tidy;
mod wire;
