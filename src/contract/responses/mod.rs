//! Is a reply of the Responses API what its types promise? The object, the order of its events, the life of its items, and
//! what several responses of one scenario say of each other.

pub(super) mod events;
pub(super) mod items;
pub(super) mod object;
pub(super) mod talk;

pub use talk::Told;
