//! Where each value of a YAML file stands: [`Places`], a tree of byte ranges beside the JSON value.
//!
//! An alias shares the subtree of its anchor (the parts keep the places where they were written), so the tree grows with
//! the text and not with what aliases make of it. Merged keys (`<<`) and merged files (`extends:`) keep their own places.

use std::collections::hash_map::RandomState;

use indexmap::IndexMap;

use crate::source::{At, FileId};

/// JSON pointer → place, for keys and values. Places may lie in several files where a file was merged over another.
#[derive(Debug, Clone, Default)]
pub struct Places {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<NodeId>,
    pub(super) file: Option<FileId>,
}

/// Index of a node in [`Places`].
pub(super) type NodeId = u32;

/// One value as written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub at: At,
    pub part: Part,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// A scalar; `plain` is its text where it carries neither quotes nor a tag: then its text is what was written.
    Scalar { plain: Option<At> },
    /// A list.
    List(Vec<NodeId>),
    /// A map, in the order written, merged keys last.
    Map(IndexMap<Box<str>, Entry, RandomState>),
}

/// One key of a map with its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub key: At,
    pub node: NodeId,
}

impl Places {
    /// Place of the value at a JSON pointer (`/features/0`); of its nearest parent where the value itself is absent.
    pub fn value(&self, pointer: &str) -> Option<At> {
        let (found, _, _) = self.walk(pointer);
        found.map(|node| self.nodes[node as usize].at).or_else(|| self.start())
    }

    /// Place of the key whose value is at a JSON pointer; of the value where it has no key, of the nearest parent's value
    /// where it is absent.
    pub fn key(&self, pointer: &str) -> Option<At> {
        match self.walk(pointer) {
            (_, Some(key), true) => Some(key),
            _ => self.value(pointer),
        }
    }

    /// The narrowest place that names the value: its key, else its first key if it is a map, else the value itself.
    pub fn head(&self, pointer: &str) -> Option<At> {
        let (found, key, whole) = self.walk(pointer);
        if let (Some(key), true) = (key, whole) {
            return Some(key);
        }
        match &self.nodes.get(found? as usize)?.part {
            Part::Map(entries) => entries.first().map(|(_, entry)| entry.key).or_else(|| self.value(pointer)),
            _ => self.value(pointer),
        }
    }

    /// Whether a value stands at exactly this JSON pointer.
    pub fn has(&self, pointer: &str) -> bool {
        matches!(self.walk(pointer), (Some(_), _, true))
    }

    /// The keys of the map at a JSON pointer.
    #[cfg(test)]
    pub(super) fn keys_of(&self, pointer: &str) -> std::collections::BTreeSet<&str> {
        match self.walk(pointer) {
            (Some(node), _, true) => match &self.nodes[node as usize].part {
                Part::Map(entries) => entries.keys().map(|key| &**key).collect(),
                _ => std::collections::BTreeSet::new(),
            },
            _ => std::collections::BTreeSet::new(),
        }
    }

    /// Place of the text of a number, truth value or word at a JSON pointer, where it is written without quotes or a tag;
    /// of the anchored text where an alias stands there.
    pub fn plain(&self, pointer: &str) -> Option<At> {
        match self.walk(pointer) {
            (Some(node), _, true) => match self.nodes[node as usize].part {
                Part::Scalar { plain } => plain,
                _ => None,
            },
            _ => None,
        }
    }

    /// The deepest node on the way, the key of the last step that was taken, and whether the whole pointer was walked.
    fn walk(&self, pointer: &str) -> (Option<NodeId>, Option<At>, bool) {
        let Some(mut node) = self.root else { return (None, None, false) };
        let mut key = None;
        for step in pointer.split('/').skip(1) {
            let next = match &self.nodes[node as usize].part {
                Part::Scalar { .. } => None,
                Part::List(items) => step.parse().ok().and_then(|at: usize| items.get(at)).map(|&node| (None, node)),
                Part::Map(entries) => entries.get(&*unescape(step)).map(|entry| (Some(entry.key), entry.node)),
            };
            let Some((at, next)) = next else { return (Some(node), key, false) };
            (key, node) = (at, next);
        }
        (Some(node), key, true)
    }

    fn start(&self) -> Option<At> {
        self.file.map(|file| At { file, start: 0, end: 0 })
    }

    /// Puts this tree over another the way `extends:` merges values: maps merge, all else replaces; keys of `base` come first.
    pub(crate) fn merge_over(&mut self, base: &Self) {
        let offset = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.extend(base.nodes.iter().map(|node| node.shifted(offset)));
        self.root = match (self.root, base.root) {
            (Some(over), Some(under)) => Some(self.merge(over, under + offset)),
            (over, under) => over.or(under.map(|under| under + offset)),
        };
    }

    fn merge(&mut self, over: NodeId, under: NodeId) -> NodeId {
        let (Part::Map(upper), Part::Map(lower)) = (&self.nodes[over as usize].part, &self.nodes[under as usize].part) else {
            return over;
        };
        let (upper, mut merged) = (upper.clone(), lower.clone());
        for (key, entry) in upper {
            let node = merged.get(&key).map_or(entry.node, |below| self.merge(entry.node, below.node));
            merged.insert(key, Entry { key: entry.key, node });
        }
        let at = self.nodes[over as usize].at;
        self.push(Node { at, part: Part::Map(merged) })
    }

    /// Drops a top-level key.
    pub(crate) fn drop_key(&mut self, key: &str) {
        if let Some(root) = self.root
            && let Part::Map(entries) = &mut self.nodes[root as usize].part
        {
            entries.shift_remove(key);
        }
    }

    /// Gives a key of the map at a JSON pointer another name.
    pub(super) fn rename(&mut self, pointer: &str, from: &str, to: &str) {
        if let (Some(node), _, true) = self.walk(pointer)
            && let Part::Map(entries) = &mut self.nodes[node as usize].part
            && let Some(entry) = entries.shift_remove(from)
        {
            entries.insert(to.into(), entry);
        }
    }

    pub(super) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }
}

impl Node {
    fn shifted(&self, offset: u32) -> Self {
        let part = match &self.part {
            Part::Scalar { plain } => Part::Scalar { plain: *plain },
            Part::List(items) => Part::List(items.iter().map(|node| node + offset).collect()),
            Part::Map(entries) => Part::Map(
                entries.iter().map(|(name, entry)| (name.clone(), Entry { key: entry.key, node: entry.node + offset })).collect(),
            ),
        };
        Self { at: self.at, part }
    }
}

/// A name as one step of a JSON pointer.
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescape(step: &str) -> std::borrow::Cow<'_, str> {
    if step.contains('~') { step.replace("~1", "/").replace("~0", "~").into() } else { step.into() }
}
