//! Would the suite notice? A recorded reply is broken in every way we can think of, one at a time, and the suite is asked
//! again: what it does not notice is a hole in it, and what it holds against a legal reply is a false alarm.
//!
//! An [`Operator`] is one way, as data: its id, what it does, whether a suite must notice, and the rules that name it. All of
//! them stand in one table, [`operators()`], a file per [`Family`]. They are pure and know nothing of suites: a good
//! [`Exchange`](crate::wire::Exchange) goes in, a changed one comes out, or nothing where the change says nothing about it.
//! A [`Trial`] plays the scenarios of a cell against its tape with each of them; what comes of it is a [`Sheet`].
//!
//! To add an operator: a row in the file of its family. The tests hold it on every recording that there is.

mod cache;
mod change;
mod difference;
mod fate;
mod good;
mod groups;
mod json;
mod operator;
mod operators;
mod sheet;
mod show;
#[cfg(test)]
mod tests;
mod trial;

pub use cache::Cache;
pub use fate::{Fate, Verdict};
pub use good::Good;
pub use json::json;
pub use operator::{Expect, Family, Operator, operator, operators};
pub use sheet::{Counts, Row, Sheet, Tried};
pub use show::{Shown, render};
pub use trial::Trial;
