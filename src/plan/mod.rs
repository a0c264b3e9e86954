//! What must happen? Suites × setups × parameters × models → cells → scenarios → steps found in the catalogue.
//!
//! Pure: values in, `(Plan, Diagnostics)` out; no I/O, no clock, no order that depends on a hash. Values are filled in on
//! values, never on raw text. An undefined or ambiguous step, a scenario with no claim, a duplicate name: diagnostics here.

mod address;
mod case;
mod catalogue;
mod cell;
mod client;
mod compile;
mod compose;
mod draft;
mod entry;
mod expect;
mod feature;
mod hash;
mod input;
mod marks;
mod name;
mod placeholder;
mod profile;
mod sentence;
mod services;
mod settings;
mod tags;
mod tool;
mod types;

pub use address::normal_url;
pub use catalogue::{Below, Catalogue, DefId, Found, StepDef, StepUse};
pub use compile::compile;
pub use expect::{ExpectForm, ExpectValue, quote};
pub use input::{
    CaseFileInput, CaseInput, EntryInput, FeatureInput, Given, Names, Overrides, PlanInput, ProfileInput, Selection, SetupInput,
    SuiteInput,
};
pub use services::service_sentences;
pub use tags::{TagError, TagExpr};
pub use types::{
    CellPlan, Connect, Contract, DocArg, Explained, FeaturePlan, Flags, KnownClaim, Mode, Named, Part, Plan, Sampling,
    ScenarioPlan, StepPlan,
};

#[cfg(test)]
mod tests;
