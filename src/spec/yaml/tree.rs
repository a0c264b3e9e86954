//! YAML events → [`Places`], with every duplicate key; refuses what is broken, too deep or blown up by aliases.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};
use indexmap::IndexMap;

use super::places::{Entry, Node, NodeId, Part, Places};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// Deepest nesting of lists and maps that is read.
pub(super) const DEEPEST: usize = 100;

/// Deepest nesting of `[` and `{` that the parser looks at. It must be deeper than one can write in the 1024 characters that
/// it looks ahead for a key: else it gives up before it has handed on where the text goes deeper than [`DEEPEST`].
const LOOKED_AHEAD: usize = 2048;

/// Values that all aliases of a file together may stand for.
const MOST_ALIASED: u64 = 200_000;

/// The documents of one text.
#[derive(Default)]
pub(super) struct Tree {
    pub places: Places,
    /// Root of each document that says something.
    pub documents: Vec<NodeId>,
}

/// Reads the structure of a text. `Err` where it cannot be read to its end; duplicates alone are not in the way.
pub(super) fn parse(map: &SourceMap, file: FileId) -> (Result<Tree, ()>, Diagnostics) {
    let text = map.file(file).text().clone();
    let mut builder = Builder::new(file);
    let mut parser = Parser::new_from_str_with_options(&text, granit_parser::options! { flow_nesting_limit: LOOKED_AHEAD });
    while let Some(next) = parser.next_event() {
        let step = match next {
            Ok((event, span)) => builder.event(event, builder.place(span)),
            Err(error) => Err(syntax(map, file, &error)),
        };
        if let Err(refusal) = step {
            builder.diagnostics.push(refusal);
            return (Err(()), builder.diagnostics);
        }
    }
    let read = if builder.broken { Err(()) } else { Ok(builder.tree) };
    (read, builder.diagnostics)
}

/// A collection that is still open.
struct Frame {
    at: At,
    anchor: usize,
    part: Part,
    key: Option<(Box<str>, At, bool)>,
    merged: Vec<(NodeId, At)>,
}

/// What a value weighs once aliases are expanded.
#[derive(Clone, Copy, Default)]
struct Weight {
    values: u64,
    depth: usize,
}

struct Builder {
    file: FileId,
    tree: Tree,
    weights: Vec<Weight>,
    stack: Vec<Frame>,
    anchors: HashMap<usize, NodeId>,
    aliased: u64,
    broken: bool,
    diagnostics: Diagnostics,
}

impl Builder {
    fn new(file: FileId) -> Self {
        let tree = Tree { places: Places { file: Some(file), ..Places::default() }, documents: Vec::new() };
        Self {
            file,
            tree,
            weights: Vec::new(),
            stack: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            broken: false,
            diagnostics: Vec::new(),
        }
    }

    fn place(&self, span: Span) -> At {
        let offset = |at: Option<usize>| u32::try_from(at.unwrap_or(0)).unwrap_or(u32::MAX);
        let start = offset(span.start.byte_offset());
        At { file: self.file, start, end: offset(span.end.byte_offset()).max(start) }
    }

    fn event(&mut self, event: Event<'_>, at: At) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                if self.awaits_key() {
                    let merge = plain && text == "<<";
                    if plain && is_null(&text) {
                        self.broken = true;
                        let message = "a key must be a text, and here is none";
                        let help = "write it before the `:`, in quotes if it is empty or the word `null`".to_owned();
                        self.diagnostics.push(Diagnostic::error("yaml/bad-key", at, message).help(help));
                    }
                    self.set_key(text.into(), at, merge);
                    return Ok(());
                }
                let says_nothing = plain && is_null(&text);
                let node =
                    self.add(Node { at, part: Part::Scalar { plain: plain.then_some(at) } }, Weight { values: 1, depth: 0 });
                if anchor > 0 {
                    self.anchors.insert(anchor, node);
                }
                if !(self.stack.is_empty() && says_nothing) {
                    self.finish(node, at);
                }
                Ok(())
            }
            Event::SequenceStart(_, anchor, _) => self.open(at, anchor, Part::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.open(at, anchor, Part::Map(IndexMap::default())),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(at);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        self.stack.last().is_some_and(|frame| matches!(frame.part, Part::Map(_)) && frame.key.is_none())
    }

    fn set_key(&mut self, name: Box<str>, at: At, merge: bool) {
        let Some(frame) = self.stack.last_mut() else { return };
        if let Part::Map(entries) = &frame.part
            && let Some(first) = entries.get(&name)
        {
            self.diagnostics.push(
                Diagnostic::error("yaml/duplicate-key", at, format!("the key `{name}` is written twice"))
                    .note(first.key, "first written here")
                    .help("remove one of the two".to_owned()),
            );
        }
        frame.key = Some((name, at, merge));
    }

    fn open(&mut self, at: At, anchor: usize, part: Part) -> Result<(), Diagnostic> {
        if self.stack.len() >= DEEPEST {
            return Err(too_deep(at));
        }
        self.stack.push(Frame { at, anchor, part, key: None, merged: Vec::new() });
        Ok(())
    }

    fn close(&mut self, end: At) {
        let Some(mut frame) = self.stack.pop() else { return };
        if let Part::Map(entries) = &mut frame.part {
            for (source, at) in std::mem::take(&mut frame.merged) {
                self.merge_into(entries, source, at);
            }
        }
        let children: Vec<NodeId> = match &frame.part {
            Part::Scalar { .. } => Vec::new(),
            Part::List(items) => items.clone(),
            Part::Map(entries) => entries.values().map(|entry| entry.node).collect(),
        };
        let mut weight = Weight { values: 1, depth: 1 };
        for child in children {
            let below = self.weights[child as usize];
            weight.values = weight.values.saturating_add(below.values);
            weight.depth = weight.depth.max(below.depth + 1);
        }
        let at = At { end: end.end.max(frame.at.end), ..frame.at };
        let node = self.add(Node { at, part: frame.part }, weight);
        if frame.anchor > 0 {
            self.anchors.insert(frame.anchor, node);
        }
        self.finish(node, at);
    }

    /// Takes over the keys of a merged map (or of each map of a list) that are not written out.
    fn merge_into(&mut self, entries: &mut IndexMap<Box<str>, Entry>, source: NodeId, at: At) {
        let sources = match &self.tree.places.nodes[source as usize].part {
            Part::List(items) => items.clone(),
            _ => vec![source],
        };
        for source in sources {
            let Part::Map(merged) = &self.tree.places.nodes[source as usize].part else {
                self.broken = true;
                self.diagnostics.push(Diagnostic::error(
                    "yaml/bad-merge",
                    at,
                    "`<<` takes a map, an alias of one, or a list of those",
                ));
                continue;
            };
            for (name, entry) in merged {
                entries.entry(name.clone()).or_insert(*entry);
            }
        }
    }

    fn alias(&mut self, anchor: usize, at: At) -> Result<(), Diagnostic> {
        let Some(&target) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::error("yaml/syntax", at, "this alias stands inside the value it names"));
        };
        let weight = self.weights[target as usize];
        self.aliased = self.aliased.saturating_add(weight.values);
        if self.aliased > MOST_ALIASED {
            let text = format!("the aliases of this file stand for more than {MOST_ALIASED} values");
            return Err(Diagnostic::error("yaml/alias-bomb", at, text)
                .label("at this alias")
                .help("write the values out, or read them from a data file".to_owned()));
        }
        if self.stack.len() + weight.depth > DEEPEST {
            return Err(too_deep(at));
        }
        let part = self.tree.places.nodes[target as usize].part.clone();
        let node = self.add(Node { at, part }, weight);
        self.finish(node, at);
        Ok(())
    }

    fn add(&mut self, node: Node, weight: Weight) -> NodeId {
        self.weights.push(weight);
        self.tree.places.push(node)
    }

    /// Hands a whole value to the collection around it, or ends a document.
    fn finish(&mut self, node: NodeId, at: At) {
        let key_expected = self.awaits_key();
        let Some(frame) = self.stack.last_mut() else {
            self.tree.documents.push(node);
            return;
        };
        match &mut frame.part {
            Part::List(items) => items.push(node),
            Part::Map(_) if key_expected => {
                self.broken = true;
                frame.key = Some((format!("\0{}", at.start).into(), at, false));
                self.diagnostics.push(Diagnostic::error(
                    "yaml/bad-key",
                    at,
                    "a key must be a plain text, not a list, map or alias",
                ));
            }
            Part::Map(entries) => match frame.key.take() {
                Some((_, key, true)) => frame.merged.push((node, key)),
                Some((name, key, false)) => {
                    // The first of two equal keys is kept, here and by the deserialiser.
                    entries.entry(name).or_insert(Entry { key, node });
                }
                None => {}
            },
            Part::Scalar { .. } => {}
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn too_deep(at: At) -> Diagnostic {
    Diagnostic::error("yaml/too-deep", at, format!("lists and maps are nested more than {DEEPEST} deep here"))
}

/// The parser's complaint in plain words, with a tab said first: that is what most of them are about.
fn syntax(map: &SourceMap, file: FileId, error: &ScanError) -> Diagnostic {
    let source = map.file(file);
    let marker = error.marker();
    let line = u32::try_from(marker.line()).unwrap_or(u32::MAX);
    let start = marker.byte_offset().map_or_else(
        || source.offset(line, u32::try_from(marker.col() + 1).unwrap_or(u32::MAX)),
        |at| u32::try_from(at).unwrap_or(u32::MAX),
    );
    let at = At { file, start, end: start };
    if let Some(tab) = tab_near(source.text(), start) {
        return Diagnostic::error("yaml/tab-indentation", At { file, start: tab, end: tab + 1 }, "a tab is used for indentation")
            .help("indent with spaces: YAML does not allow tabs there".to_owned());
    }
    let (message, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(at),
        ErrorKind::UnknownAnchor => (
            "this alias names an anchor that is not set before it".to_owned(),
            Some("set it with `&name` first, or quote a text that begins with `*`"),
        ),
        ErrorKind::UnclosedFlowCollection { open } => (format!("this `{open}` is never closed"), None),
        ErrorKind::UnclosedQuotedScalar => ("this quote is never closed".to_owned(), None),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            ("a `:` is not allowed here".to_owned(), Some("put a text that holds `: ` in quotes, and check the indentation"))
        }
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("no value can begin with `{character}`"), Some("put the text in quotes"))
        }
        _ => (error.info(), None),
    };
    Diagnostic::error("yaml/syntax", at, message).help(help.map(str::to_owned))
}

/// The first tab in the indentation of the line of a place, of the line before it, or of the one after.
fn tab_near(text: &str, at: u32) -> Option<u32> {
    let at = (at as usize).min(text.len());
    let line = text.as_bytes()[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |cut| cut + 1);
    let before = text.as_bytes()[..line.saturating_sub(1)].iter().rposition(|&byte| byte == b'\n').map_or(0, |cut| cut + 1);
    let after = text.as_bytes()[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |cut| at + cut + 1);
    [line, before, after].into_iter().find_map(|start| {
        let indent = text.as_bytes()[start..].iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let tab = indent.clone().position(|&byte| byte == b'\t')?;
        u32::try_from(start + tab).ok()
    })
}
