//! What do CI systems read? JUnit XML in one dialect that all of them count alike, in two profiles.
//!
//! What must hold: suites are flat, one per cell; the counters of both levels are those of the cases written below them;
//! every verdict has a message and text; a file is whole or absent, and holds at most 5000 cases, further ones go to
//! `NAME-p2.xml`. A planned scenario that did not run is an error, never left out.

mod case;
mod cell;
mod parts;
#[cfg(test)]
mod tests;
mod xml;

pub use parts::{remove_stale, write_error_junit, write_junit};

/// How much a file may hold beside what every reader knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JunitProfile {
    /// Places, times, tags and counts of claims on every case.
    #[default]
    Rich,
    /// What the schema of Jenkins' xunit plugin (`junit-10.xsd`) admits.
    Strict,
}

impl JunitProfile {
    /// All, by the word of `--junit-profile`.
    pub const ALL: [(&'static str, Self); 2] = [("rich", Self::Rich), ("strict", Self::Strict)];
}
