//! Would the suite notice? A recorded reply is broken in every way we can think of, one at a time, and the suite is asked
//! again: what it does not notice is a hole in it, and what it holds against a legal reply is a false alarm.
//!
//! An [`Operator`] is one way, as data: its id, what it does, whether a suite must notice, and the rules that name it. All of
//! them stand in one table, [`operators()`], a file per [`Family`]. They are pure and know nothing of suites: a good
//! [`Exchange`](crate::wire::Exchange) goes in, a changed one comes out, or nothing where the change says nothing about it.
//!
//! To add one: a row in the file of its family. The tests hold it on every recording that there is.

mod change;
mod good;
mod operator;
mod operators;
#[cfg(test)]
mod tests;

pub use good::Good;
pub use operator::{Expect, Family, Operator, operator, operators};
