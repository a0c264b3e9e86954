//! The list of what folding met: one entry per kind and path, with its first place and its number.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use super::reply::{FoldFault, FoldFaultKind};

/// Faults by kind and path, and the frame being read.
#[derive(Default)]
pub(in crate::wire) struct Faults {
    pub(in crate::wire) list: Vec<FoldFault>,
    /// Number of that frame, from 1; 0 for a whole body.
    pub(in crate::wire) event: u64,
    /// Where it stands.
    pub(in crate::wire) at: Range<usize>,
}

impl Faults {
    /// Notes something about the frame being read. The message is written only where it is new.
    pub(in crate::wire) fn add(&mut self, kind: FoldFaultKind, path: impl Into<Cow<'static, str>>, message: impl Display) {
        let path = path.into();
        match self.list.iter_mut().find(|fault| fault.kind == kind && fault.path == path) {
            Some(fault) => fault.count += 1,
            None => self.list.push(FoldFault {
                kind,
                path,
                event: self.event,
                at: self.at.clone(),
                count: 1,
                message: message.to_string(),
            }),
        }
    }
}
