//! The texts of a run and places in them: [`SourceMap`], [`At`], [`LineCol`].

use std::sync::Arc;

/// Names one text of a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A byte range in one text. **Units**: bytes, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// The text.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte; equal to `start` for a point.
    pub end: u32,
}

/// A position as people count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineCol {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters (not bytes), from 1.
    pub column: u32,
}

/// One text with its name as shown to people.
#[derive(Debug, Clone)]
pub struct SourceFile {
    name: Arc<str>,
    text: Arc<str>,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// The name as shown: relative to the project, `/` between parts; built-in files as `builtin:suites/base.yaml`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column of a byte offset; past the end, the line after the last newline or after the last line without one
    /// (where a file "ends too early"). Takes the logarithm of the number of lines, plus the line's length.
    pub fn line_col(&self, offset: u32) -> LineCol {
        if offset as usize > self.text.len() && !self.text.is_empty() && !self.text.ends_with('\n') {
            return LineCol { line: narrow(self.line_starts.len() + 1), column: 1 };
        }
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|&start| start as usize <= offset) - 1;
        let column = self.text[self.line_starts[line] as usize..offset].chars().count() + 1;
        LineCol { line: narrow(line + 1), column: narrow(column) }
    }

    /// Byte offset of the first character of a line (from 1); past the end, the end of the text.
    pub fn line_start(&self, line: u32) -> u32 {
        let at = (line as usize).saturating_sub(1);
        self.line_starts.get(at).copied().unwrap_or_else(|| narrow(self.text.len()))
    }

    /// Byte offset of a line and column, both from 1, clamped to the line.
    pub fn offset(&self, line: u32, column: u32) -> u32 {
        let start = self.line_start(line) as usize;
        let rest = &self.text[start..];
        let rest = rest.split_once('\n').map_or(rest, |(first, _)| first);
        let skip = (column as usize).saturating_sub(1);
        narrow(start + rest.char_indices().nth(skip).map_or(rest.len(), |(at, _)| at))
    }
}

/// All texts of one command, each named once.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text under the name people will see. Texts of 4 GiB or more are refused by the loader before this.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let (name, text) = (name.into(), text.into());
        let line_starts =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| narrow(at + 1))).collect();
        self.files.push(SourceFile { name, text, line_starts });
        FileId(narrow(self.files.len() - 1))
    }

    /// The text of an id that this map gave out.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All texts in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(narrow(at)), file))
    }

    /// Where a place begins, as people count.
    pub fn line_col(&self, at: At) -> LineCol {
        self.file(at.file).line_col(at.start)
    }

    /// The text a place covers.
    pub fn slice(&self, at: At) -> &str {
        self.file(at.file).text.get(at.start as usize..at.end as usize).unwrap_or("")
    }

    /// `file:line:col` of a place.
    pub fn show(&self, at: At) -> String {
        let LineCol { line, column } = self.line_col(at);
        format!("{}:{line}:{column}", self.file(at.file).name)
    }
}

fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let mut map = SourceMap::new();
        let id = map.add("a.yaml", "a: é1\nb: 2\n");
        let file = map.file(id);
        assert_eq!(file.line_col(5), LineCol { line: 1, column: 5 });
        assert_eq!(file.line_col(7), LineCol { line: 2, column: 1 });
        assert_eq!(file.line_col(999), LineCol { line: 3, column: 1 });
        let open = map.add("b.yaml", "a\nb");
        assert_eq!(map.file(open).line_col(3), LineCol { line: 2, column: 2 });
        assert_eq!(map.file(open).line_col(4), LineCol { line: 3, column: 1 });
        let file = map.file(id);
        assert_eq!(file.offset(1, 5), 5);
        assert_eq!(file.offset(2, 99), 11);
        assert_eq!(map.slice(At { file: id, start: 7, end: 8 }), "b");
    }
}
