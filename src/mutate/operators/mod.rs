//! The operators, a file per family.

mod calls;
mod counts;
mod encoding;
mod errors;
mod finish;
mod fragments;
mod framing;
mod identity;
mod json_text;
mod legal_calls;
mod lists;
mod logprobs;
mod order;
mod reasoning;
mod schema;
mod sse_legal;
mod structure;

use super::operator::Operator;

/// All of them, in the order in which they are shown.
pub(super) static TABLES: &[&[Operator]] = &[
    framing::OPERATORS,
    sse_legal::OPERATORS,
    order::OPERATORS,
    identity::OPERATORS,
    counts::OPERATORS,
    finish::OPERATORS,
    calls::OPERATORS,
    fragments::OPERATORS,
    legal_calls::OPERATORS,
    schema::OPERATORS,
    reasoning::OPERATORS,
    structure::OPERATORS,
    logprobs::OPERATORS,
    errors::OPERATORS,
    encoding::OPERATORS,
    json_text::OPERATORS,
    lists::OPERATORS,
];
