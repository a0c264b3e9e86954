//! Where does this text stand, and how is a mistake shown?
//!
//! Texts enter a [`SourceMap`] once and are named by [`FileId`] from then on; every value that a user wrote carries an
//! [`At`] (a byte range in one file). A mistake is a [`Diagnostic`]: data, never text, until [`render`] draws it with
//! `file:line:col`, the source line, carets and the next move. This room knows nothing of suites or servers.

mod diagnostic;
mod map;
mod render;
mod suggest;

pub use diagnostic::{Code, Diagnostic, Diagnostics, Severity};
pub use map::{At, FileId, LineCol, SourceFile, SourceMap};
pub use render::render;
pub use suggest::{did_you_mean, is_near, meant, nearest};
