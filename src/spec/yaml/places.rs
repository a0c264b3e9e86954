//! Where each value of a YAML file stands: [`Places`].

use std::collections::HashMap;

use crate::source::{At, FileId};

/// JSON pointer → place, for keys and values of one file.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub(super) keys: HashMap<String, At>,
    pub(super) values: HashMap<String, At>,
    pub(super) file: Option<FileId>,
}

impl Places {
    /// Place of the value at a JSON pointer (`/features/0`); of its nearest parent where the value itself is absent.
    pub fn value(&self, pointer: &str) -> Option<At> {
        self.nearest(&self.values, pointer)
    }

    /// Place of the key whose value is at a JSON pointer; of its nearest parent's where it is absent.
    pub fn key(&self, pointer: &str) -> Option<At> {
        self.keys.get(pointer).copied().or_else(|| self.value(pointer))
    }

    fn nearest(&self, map: &HashMap<String, At>, pointer: &str) -> Option<At> {
        let mut pointer = pointer;
        loop {
            if let Some(at) = map.get(pointer) {
                return Some(*at);
            }
            match pointer.rfind('/') {
                Some(cut) => pointer = &pointer[..cut],
                None => return self.file.map(|file| At { file, start: 0, end: 0 }),
            }
        }
    }
}
