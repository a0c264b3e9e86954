//! The `#[step]` attribute.
