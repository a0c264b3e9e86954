//! What did the user write? Suites, setups, features, cases, tools and profiles, each value with its place.
//!
//! Text in, `(Loaded<T>, Diagnostics)` out: all mistakes of all files at once. Nothing here resolves names across files
//! or knows a step sentence: that is `plan`'s. Disk and built-in files are read through [`files`] alone.

pub mod case;
pub mod files;
pub mod gherkin;
pub mod profile;
pub mod setup;
pub mod suite;
pub mod tool;
pub mod yaml;

pub use case::{CaseFile, CaseSpec};
pub use profile::ProfileSpec;
pub use setup::SetupSpec;
pub use suite::SuiteSpec;
pub use tool::ToolSpec;
pub use yaml::{Loaded, Places};
