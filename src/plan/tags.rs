//! Tag expressions, in cucumber's language: `@smoke and not (@slow or @gpu)`; `\` takes the next character as it is.
//!
//! Text → [`TagExpr`], or a [`TagError`] with the range it is about. An empty expression takes every scenario.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// Parentheses and `not`s inside each other; more is refused rather than risking the stack.
const DEEPEST: usize = 128;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagExpr {
    /// Every scenario.
    Any,
    /// Scenarios with this tag.
    Tag(String),
    /// The others.
    Not(Box<Self>),
    /// Both.
    And(Box<Self>, Box<Self>),
    /// Either.
    Or(Box<Self>, Box<Self>),
}

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagError {
    /// Bytes of the expression that are meant.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The next move.
    pub help: Option<String>,
}

impl TagExpr {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Self, TagError> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, end: text.len() };
        if parser.tokens.is_empty() {
            return Ok(Self::Any);
        }
        let expr = parser.or()?;
        match parser.next() {
            None => Ok(expr),
            Some(Token { kind: Kind::Close, range }) => Err(error(range, "this `)` closes nothing", None)),
            Some(token) => Err(no_operator(&token)),
        }
    }

    /// Whether a scenario with these tags (each with its `@`) is taken.
    pub fn matches<S: AsRef<str>>(&self, tags: &[S]) -> bool {
        match self {
            Self::Any => true,
            Self::Tag(name) => tags.iter().any(|tag| tag.as_ref() == name),
            Self::Not(inner) => !inner.matches(tags),
            Self::And(one, two) => one.matches(tags) && two.matches(tags),
            Self::Or(one, two) => one.matches(tags) || two.matches(tags),
        }
    }
}

impl Display for TagExpr {
    /// Fully parenthesised, so that it reads back as the same tree.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Tag(name) => {
                for c in name.chars() {
                    if c.is_whitespace() || matches!(c, '(' | ')' | '\\') {
                        f.write_str("\\")?;
                    }
                    write!(f, "{c}")?;
                }
                Ok(())
            }
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::And(one, two) => write!(f, "( {one} and {two} )"),
            Self::Or(one, two) => write!(f, "( {one} or {two} )"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    And,
    Or,
    Not,
    Tag(String),
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    range: Range<usize>,
}

fn error(range: Range<usize>, message: impl Into<String>, help: Option<String>) -> TagError {
    TagError { range, message: message.into(), help }
}

/// Two operands beside each other: most often a misspelt operator.
fn no_operator(token: &Token) -> TagError {
    let word = match &token.kind {
        Kind::Tag(word) => word.as_str(),
        Kind::Not => "not",
        _ => "(",
    };
    let near = ["and", "or"].into_iter().find(|operator| !word.starts_with('@') && strsim::osa_distance(word, operator) <= 1);
    let help = match near {
        Some(operator) => format!("did you mean `{operator}`?"),
        None => "write `and` or `or` before it".to_owned(),
    };
    error(token.range.clone(), format!("`and` or `or` is missing before `{word}`"), Some(help))
}

fn tokens(text: &str) -> Result<Vec<Token>, TagError> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
            continue;
        }
        if c == '(' || c == ')' {
            chars.next();
            out.push(Token { kind: if c == '(' { Kind::Open } else { Kind::Close }, range: start..start + 1 });
            continue;
        }
        let mut word = String::new();
        let mut end = start;
        while let Some(&(at, c)) = chars.peek() {
            if c.is_whitespace() || c == '(' && !call(&word) || c == ')' && !word.contains('(') {
                break;
            }
            chars.next();
            end = at + c.len_utf8();
            if c == '\\' {
                let Some((at, next)) = chars.next() else {
                    return Err(error(at..end, "a `\\` at the end escapes nothing", None));
                };
                if !matches!(next, '(' | ')' | '\\') && !next.is_whitespace() {
                    let help = "only `(`, `)`, `\\` and white space are escaped".to_owned();
                    return Err(error(at - 1..at + next.len_utf8(), format!("`\\{next}` is no escape"), Some(help)));
                }
                word.push(next);
                end = at + next.len_utf8();
            } else {
                word.push(c);
                if c == ')' {
                    break;
                }
            }
        }
        let range = start..end;
        for (written, meant) in [("&&", "and"), ("||", "or")] {
            if let Some(at) = text[range.clone()].find(written) {
                let range = start + at..start + at + written.len();
                return Err(error(range, format!("`{written}` is no operator"), Some(format!("did you mean `{meant}`?"))));
            }
        }
        let escaped = text[range.clone()].contains('\\');
        let kind = match word.as_str() {
            "and" if !escaped => Kind::And,
            "or" if !escaped => Kind::Or,
            "not" if !escaped => Kind::Not,
            _ => Kind::Tag(word),
        };
        out.push(Token { kind, range });
    }
    Ok(out)
}

/// Whether a `(` after this word belongs to it: `@lock(gpu)`, unlike `not(@a)`.
fn call(word: &str) -> bool {
    word.len() > 1 && word.starts_with('@') && !word.contains('(')
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, kind: &Kind) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|token| token.kind == *kind);
        self.at += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<TagExpr, TagError> {
        let mut left = self.and()?;
        while self.take(&Kind::Or) {
            left = TagExpr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<TagExpr, TagError> {
        let mut left = self.operand()?;
        while self.take(&Kind::And) {
            left = TagExpr::And(Box::new(left), Box::new(self.operand()?));
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<TagExpr, TagError> {
        let end = self.end;
        let Some(token) = self.next() else {
            return Err(error(end..end, "a tag is missing at the end", None));
        };
        if self.depth == DEEPEST {
            return Err(error(token.range, format!("more than {DEEPEST} parentheses or `not`s inside each other"), None));
        }
        self.depth += 1;
        let expr = match token.kind {
            Kind::Tag(name) if name.starts_with('@') => TagExpr::Tag(name),
            Kind::Tag(name) => {
                let help = match strsim::osa_distance(&name, "not") {
                    1 | 2 if name.len() <= 4 && self.at < self.tokens.len() => "did you mean `not`?".to_owned(),
                    _ => format!("did you mean `@{name}`?"),
                };
                return Err(error(token.range, format!("`{name}` is no tag: tags begin with `@`"), Some(help)));
            }
            Kind::Not => TagExpr::Not(Box::new(self.operand()?)),
            Kind::Open => {
                let inner = self.or()?;
                match self.next() {
                    Some(Token { kind: Kind::Close, .. }) => inner,
                    Some(other) => return Err(no_operator(&other)),
                    None => return Err(error(token.range, "this `(` is not closed", None)),
                }
            }
            Kind::And | Kind::Or | Kind::Close => {
                let word = match token.kind {
                    Kind::And => "and",
                    Kind::Or => "or",
                    _ => ")",
                };
                return Err(error(token.range, format!("a tag is missing before `{word}`"), None));
            }
        };
        self.depth -= 1;
        Ok(expr)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, tags: &[&str], expect: bool) {
        assert_eq!(TagExpr::parse(text).map(|expr| expr.matches(tags)), Ok(expect), "{text} over {tags:?}");
    }

    #[test]
    fn expressions_take_and_leave_scenarios() {
        check("", &["@a"], true);
        check("  ", &[], true);
        check("@a", &["@a", "@b"], true);
        check("@a", &["@ab"], false);
        check("not @a", &["@b"], true);
        check("@a and @b", &["@a"], false);
        check("@a or @b and @c", &["@a"], true);
        check("(@a or @b) and @c", &["@a"], false);
        check("not @a and @b", &["@b"], true);
        check("not (@a and @b)", &["@b"], true);
        check("not(@a)", &[], true);
        check("@lock(gpu) and (@b)", &["@lock(gpu)", "@b"], true);
        check("(not @retry(2))", &["@retry(2)"], false);
        check(r"@a\ b", &["@a b"], true);
        check(r"@x\(1\) or @y", &["@x(1)"], true);
    }

    #[track_caller]
    fn broken(text: &str, start: usize, message: &str, help: &str) {
        let error = TagExpr::parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.help.as_deref().unwrap_or("").contains(help), "{text}: {error:?}");
        assert_eq!(error.range.start, start, "{text}: {error:?}");
    }

    #[test]
    fn mistakes_say_what_and_where() {
        broken("@a adn @b", 3, "missing before `adn`", "did you mean `and`");
        broken("@a @b", 3, "missing before `@b`", "write `and` or `or`");
        broken("nto @a", 0, "`nto` is no tag", "did you mean `not`");
        broken("not slow", 4, "`slow` is no tag", "did you mean `@slow`");
        broken("(@a and @b", 0, "not closed", "");
        broken("@a)", 2, "closes nothing", "");
        broken("@a and", 6, "missing at the end", "");
        broken("and @a", 0, "missing before `and`", "");
        broken("()", 1, "missing before `)`", "");
        broken("@a\\", 2, "escapes nothing", "");
        broken(r"@a\b", 2, "no escape", "");
        broken(&"(".repeat(100_000), DEEPEST, "inside each other", "");
        broken(&"not ".repeat(100_000), DEEPEST * 4, "inside each other", "");
    }

    fn expr() -> impl Strategy<Value = TagExpr> {
        let leaf = r"@[a-z() \\é]{1,6}".prop_map(TagExpr::Tag);
        leaf.prop_recursive(6, 32, 2, |inner| {
            prop_oneof![
                inner.clone().prop_map(|one| TagExpr::Not(Box::new(one))),
                (inner.clone(), inner.clone()).prop_map(|(one, two)| TagExpr::And(Box::new(one), Box::new(two))),
                (inner.clone(), inner).prop_map(|(one, two)| TagExpr::Or(Box::new(one), Box::new(two))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(expr in expr()) {
            prop_assert_eq!(TagExpr::parse(&expr.to_string()), Ok(expr));
        }
    }
}
