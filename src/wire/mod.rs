//! HTTP, server-sent events and API surfaces: what was sent, what came, byte for byte and when. No opinions.
//!
//! [`Client::send`] never fails: a transport failure is part of the [`Exchange`]. Folding makes one form of whole and
//! streamed replies; faults of framing are reported in it, not judged.

mod api_error;
pub mod chat;
mod client;
mod coding;
mod curl;
mod evidence;
mod exchange;
mod failure;
pub mod json;
mod pieces;
mod prometheus;
mod reading;
mod redact;
pub mod responses;
mod secrets;
pub mod sse;
mod surfaces;

pub use api_error::{ApiError, ErrorShape};
pub use chat::{ChatReply, ChatRequest, Choice, FoldFault, FoldFaultKind, ToolCall, Usage, fold_chat};
pub(crate) use client::is_loopback;
pub use client::{Base, Client, Tell, WireError, install_tls};
pub(crate) use coding::Unpack;
pub use curl::curl;
pub use evidence::{Caps, Evidence};
#[cfg(test)]
pub(crate) use exchange::reply_of;
pub use exchange::{Chunk, End, Exchange, ReadPlan, Request, TransportError, TransportKind, text_of};
pub(crate) use failure::{failed_on_the_way, packed, too_long};
pub use prometheus::{Fault, Page, Sample};
pub use reading::{Frame, Reading};
pub use redact::Redactor;
pub use responses::{ResponsesReply, ResponsesRequest};
pub use secrets::{Secrets, is_secret_header, masked_address};
pub use surfaces::{
    Embedding, EmbeddingsReply, HealthReply, ModelsReply, floats_of_base64, fold_embeddings, fold_health, fold_models,
};
