//! One integration binary: the house rules, and the real command against real servers.

mod harness;
mod life;
mod tidy;
