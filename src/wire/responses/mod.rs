//! The Responses API: what is asked ([`ResponsesRequest`]) and what was answered ([`ResponsesReply`]), in one form for whole
//! responses and for typed event streams.
//!
//! A stream is kept as it went: each event in short ([`ResponseEvent`]), each item with what every phase of its life said of
//! it ([`Lifecycle`]). Folding tolerates every known dialect, unknown items and events included, and judges nothing; what it
//! had to repair or skip is a [`FoldFault`](super::FoldFault). [`ResponsesReply::to_chat`] is the same reply as claims look at
//! it, whatever surface it came by. Work and memory are linear in the bytes that came.

mod event;
mod fold;
mod item;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod view;

pub use event::{EventKind, Need, ResponseEvent};
pub(super) use fold::fold;
pub use reply::{
    ItemKind, Lifecycle, OutputItem, Part, PartKind, ResponseObject, ResponsesReply, StreamedPart, is_response_address,
};
pub use request::{ResponsesRequest, Unsayable};
