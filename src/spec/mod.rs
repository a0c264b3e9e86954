//! What did the user write? Suites, setups, features, cases, tools and profiles, each value with its place.
//!
//! Text in, `(Loaded<T>, Diagnostics)` out: all mistakes of all files at once. Nothing here resolves names across files
//! or knows a step sentence: that is `plan`'s. Disk and built-in files are read through [`files`] alone.

pub mod bytes;
pub mod case;
pub mod client;
pub mod env;
pub mod files;
pub mod gherkin;
pub mod load;
pub mod models;
pub mod profile;
pub mod rows;
pub mod setup;
pub mod suite;
pub mod tool;
pub mod yaml;

pub use case::{CaseFile, CaseSpec};
pub use client::ClientSpec;
pub use load::{json_schema, load_cases, load_client, load_models, load_profile, load_setup, load_suite, load_tool, model_named};
pub use models::{ModelSpec, ModelsSpec};
pub use profile::ProfileSpec;
pub use setup::SetupSpec;
pub use suite::SuiteSpec;
pub use tool::ToolSpec;
pub use yaml::{Loaded, Places};
