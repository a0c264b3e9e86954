//! A text with `<name>` placeholders, cut up once and filled in for every row.
//!
//! One pass from left to right: a value that itself holds `<name>` stays as it is. A name that nothing fills is plain text.

use std::sync::Arc;

/// The names that placeholders may have: the columns of a table of examples, then fixed values.
#[derive(Debug)]
pub(super) struct Names<'a> {
    columns: Vec<&'a str>,
    fixed: &'a [(Arc<str>, Arc<str>)],
    /// Names that hold an angle bracket themselves; they cannot be cut out of a text by looking for brackets.
    odd: Vec<&'a str>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Column(usize),
    Fixed(&'a str),
}

impl<'a> Names<'a> {
    /// Columns win over fixed values of the same name; the first of two equal columns counts.
    pub(super) fn new(columns: impl IntoIterator<Item = &'a str>, fixed: &'a [(Arc<str>, Arc<str>)]) -> Self {
        let columns: Vec<&str> = columns.into_iter().collect();
        let all = columns.iter().copied().chain(fixed.iter().map(|(name, _)| &**name));
        let odd = all.filter(|name| name.contains(['<', '>'])).collect();
        Self { columns, fixed, odd }
    }

    fn get(&self, name: &str) -> Option<Value<'a>> {
        if let Some(column) = self.columns.iter().position(|column| *column == name) {
            return Some(Value::Column(column));
        }
        self.fixed.iter().find(|(fixed, _)| **fixed == *name).map(|(_, value)| Value::Fixed(value))
    }

    /// What the text behind a `<` names, and its length with the `>`.
    fn at(&self, rest: &str) -> Option<(Value<'a>, usize)> {
        let odd = self.odd.iter().find(|name| rest.strip_prefix(**name).is_some_and(|rest| rest.starts_with('>')));
        let name = match odd {
            Some(name) => name,
            None => &rest[..memchr::memchr2(b'<', b'>', rest.as_bytes()).filter(|&end| rest.as_bytes()[end] == b'>')?],
        };
        Some((self.get(name)?, name.len() + 1))
    }
}

/// A text ready to be filled in.
#[derive(Debug, Clone)]
pub(super) enum Template {
    /// No row changes it: every pickle shares it.
    Plain(Arc<str>),
    /// It is the value of a column, whole.
    Column(usize),
    /// Text and columns by turns.
    Parts(Vec<Part>),
}

/// A piece of a [`Template`].
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Column(usize),
}

impl Template {
    /// Cuts a text up; fixed values are filled in at once.
    pub(super) fn compile(text: &Arc<str>, names: &Names<'_>) -> Self {
        let (mut parts, mut plain, mut done) = (Vec::new(), String::new(), 0);
        let mut from = 0;
        while let Some(open) = memchr::memchr(b'<', &text.as_bytes()[from..]) {
            from += open + 1;
            let Some((value, length)) = names.at(&text[from..]) else { continue };
            plain.push_str(&text[done..from - 1]);
            match value {
                Value::Fixed(value) => plain.push_str(value),
                Value::Column(column) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Column(column));
                }
            }
            from += length;
            done = from;
        }
        if done == 0 {
            return Self::Plain(text.clone());
        }
        plain.push_str(&text[done..]);
        if parts.is_empty() {
            return Self::Plain(plain.into());
        }
        if let ([Part::Column(column)], true) = (&*parts, plain.is_empty()) {
            return Self::Column(*column);
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self::Parts(parts)
    }

    /// Whether every row gives the same text.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// The text for one row; a cell that the row does not have is empty.
    pub(super) fn fill(&self, row: &[Arc<str>]) -> Arc<str> {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Column(column) => row.get(*column).cloned().unwrap_or_default(),
            Self::Parts(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Text(text) => text.as_str(),
                    Part::Column(column) => row.get(*column).map_or("", |value| value),
                })
                .collect::<String>()
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let fixed = [("p".into(), "<a>".into()), ("a".into(), "hidden".into())];
        let row: Vec<Arc<str>> = vec!["1".into(), "<a>$0\\".into(), "é".into(), "odd".into()];
        let names = Names::new(["a", "b c", "ü", "x<y>"], &fixed);
        assert_eq!(&*Template::compile(&text.into(), &names).fill(&row), expected, "{text}");
    }

    #[test]
    fn a_row_that_is_too_short_leaves_gaps() {
        let names = Names::new(["a", "b"], &[]);
        let fill = |text: &str| Template::compile(&text.into(), &names).fill(&["1".into()]);
        assert_eq!((&*fill("<b>"), &*fill("<a>-<b>!")), ("", "1-!"));
    }

    #[test]
    fn a_text_is_filled_in_once_from_left_to_right() {
        check("plain", "plain");
        check("<a>", "1");
        check("<a><a> and <ü>", "11 and é");
        check("<b c>!", "<a>$0\\!");
        check("<p> <a>", "<a> 1");
        check("<none> <a", "<none> <a");
        check("1 < 2 <a> > 0", "1 < 2 1 > 0");
        check("<<a>>", "<1>");
        check("<x<y>>", "odd");
        check("<>", "<>");
    }
}
