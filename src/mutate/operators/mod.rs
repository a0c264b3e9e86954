//! The operators, a file per family.

/// `family!(Counts: detect, legal)`: what those two names make in a file is of this family.
macro_rules! family {
    ($family:ident: $($made:ident),+) => {
        $(family!(@$made $family);)+
    };
    (@detect $family:ident) => {
        const fn detect(
            id: &'static str,
            rules: &'static [&'static str],
            what: &'static str,
            apply: fn(&Good<'_>) -> Option<Exchange>,
        ) -> Operator {
            Operator::detect(crate::mutate::operator::Family::$family, id, rules, what, apply)
        }
    };
    (@legal $family:ident) => {
        const fn legal(id: &'static str, what: &'static str, apply: fn(&Good<'_>) -> Option<Exchange>) -> Operator {
            Operator::tolerate(crate::mutate::operator::Family::$family, id, what, apply)
        }
    };
}

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
