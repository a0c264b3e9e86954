//! Parameter types of the sentences: `{text}`, `{json}`, `{duration}`, ….

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use cucumber::Parameter;
use serde_json::Value;

/// `{text}`: a quoted text; `\"`, `\\`, `\n` and `\t` are unescaped, any other backslash stands for itself.
#[derive(Debug, Clone, PartialEq, Eq, Parameter)]
#[param(name = "text", regex = r#""(?:[^"\\]|\\.)*""#)]
pub struct Text(pub String);

impl FromStr for Text {
    type Err = Infallible;

    fn from_str(quoted: &str) -> Result<Self, Infallible> {
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(quoted @ ('"' | '\\')) => out.push(quoted),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            }
        }
        Ok(Self(out))
    }
}

/// `{json}`: the rest of the line, any JSON. What cannot begin JSON does not match, so that `is a string` is another sentence.
#[derive(Debug, Clone, PartialEq, Parameter)]
#[param(name = "json", regex = r#"["\[{0-9-].*|true|false|null"#)]
pub struct Json {
    /// As written.
    pub text: String,
    /// Its value; `Err` keeps the parser's words for the step to report.
    pub value: Result<Value, String>,
}

impl FromStr for Json {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let value = serde_json::from_str(text).map_err(|error| format!("`{text}` is not JSON: {error}"));
        Ok(Self { text: text.to_owned(), value })
    }
}

/// `{duration}`: `30s`, `500ms`, `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "duration", regex = r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)")]
pub struct TimeSpan(pub Duration);

impl FromStr for TimeSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<crate::spec::yaml::Span>().map(|span| Self(span.0))
    }
}

/// `{delivery}`: `whole` or `streamed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "delivery", regex = r"whole|streamed")]
pub enum Delivery {
    /// One JSON object.
    Whole,
    /// Server-sent events.
    Streamed,
}

impl FromStr for Delivery {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "whole" => Ok(Self::Whole),
            "streamed" => Ok(Self::Streamed),
            _ => Err(format!("`{text}` is neither `whole` nor `streamed`")),
        }
    }
}

/// `{name}`: one name (`get_weather`).
#[derive(Debug, Clone, PartialEq, Eq, Parameter)]
#[param(name = "name", regex = r"[A-Za-z_][A-Za-z0-9_.-]*")]
pub struct Word(pub String);

impl FromStr for Word {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// `{choice}`: `auto`, `none` or `required`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "choice", regex = r"auto|none|required")]
pub enum Choice {
    /// The model decides.
    Auto,
    /// No call.
    None,
    /// Some call.
    Required,
}

impl Choice {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Required => "required",
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Auto, Self::None, Self::Required];
        known.into_iter().find(|choice| choice.word() == text).ok_or_else(|| format!("`{text}` is no tool choice"))
    }
}

/// `{beside}`: what stands as content beside tool calls that are sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "beside", regex = "null|empty|absent")]
pub enum Beside {
    /// `null`.
    Null,
    /// An empty text.
    Empty,
    /// No such key.
    Absent,
}

impl FromStr for Beside {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "null" => Ok(Self::Null),
            "empty" => Ok(Self::Empty),
            "absent" => Ok(Self::Absent),
            _ => Err(format!("`{text}` is none of `null`, `empty`, `absent`")),
        }
    }
}

/// `{clock}`: what of a reply is seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "clock", regex = r"byte|role|thought|text|tool call")]
pub enum Clock {
    /// The response head, or the first byte of the body.
    Byte,
    /// A role.
    Role,
    /// Reasoning.
    Thought,
    /// Text.
    Text,
    /// A piece of a tool call.
    ToolCall,
}

impl Clock {
    /// As it is written in sentences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Role => "role",
            Self::Thought => "thought",
            Self::Text => "text",
            Self::ToolCall => "tool call",
        }
    }
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Byte, Self::Role, Self::Thought, Self::Text, Self::ToolCall];
        known.into_iter().find(|clock| clock.word() == text).ok_or_else(|| format!("`{text}` is not timed"))
    }
}

/// `{switch}`: `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(name = "switch", regex = r"on|off")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(format!("`{text}` is neither `on` nor `off`")),
        }
    }
}

/// `{names}`: names separated by commas or `and` (`get_weather, get_time and add`).
#[derive(Debug, Clone, PartialEq, Eq, Parameter)]
#[param(name = "names", regex = r"[A-Za-z_][A-Za-z0-9_.-]*(?:(?:, *| and )[A-Za-z_][A-Za-z0-9_.-]*)*")]
pub struct Names(pub Vec<String>);

impl FromStr for Names {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split(',').flat_map(|names| names.split(" and ")).map(|name| name.trim().to_owned()).collect()))
    }
}

/// `{ints}`: whole numbers separated by commas (`400, 422`).
#[derive(Debug, Clone, PartialEq, Eq, Parameter)]
#[param(name = "ints", regex = r"[0-9]+(?:, *[0-9]+)*")]
pub struct Numbers(pub Vec<u64>);

impl FromStr for Numbers {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(|number| number.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_follows_one_escape_rule() {
        for (quoted, text) in
            [(r#""a""#, "a"), (r#""a\"b""#, "a\"b"), (r#""a\\n""#, r"a\n"), (r#""a\nb""#, "a\nb"), (r#""\d+""#, r"\d+")]
        {
            assert_eq!(quoted.parse::<Text>().expect("infallible").0, text, "{quoted}");
        }
    }

    fn whole<T: Parameter>(text: &str) -> bool {
        regex::Regex::new(&format!("^(?:{})$", T::REGEX)).expect("a parameter's pattern").is_match(text)
    }

    #[test]
    fn json_takes_what_begins_as_json_only() {
        for (text, taken, good) in [
            ("1", true, true),
            ("-1.5", true, true),
            ("\"a\"", true, true),
            ("{\"a\": [1]}", true, true),
            ("null", true, true),
            ("{\"a\":", true, false),
            ("{{saved}}", true, false),
            ("a string", false, false),
            ("not 1", false, false),
            ("nullable", false, false),
        ] {
            let json: Json = text.parse().expect("infallible");
            assert_eq!((whole::<Json>(text), json.value.is_ok()), (taken, good), "{text}");
        }
    }

    #[test]
    fn spans_names_and_numbers() {
        for (text, ms) in [("500ms", 500), ("30s", 30_000), ("1.5s", 1_500), ("2m", 120_000)] {
            assert!(whole::<TimeSpan>(text), "{text}");
            assert_eq!(text.parse::<TimeSpan>().map(|span| span.0), Ok(Duration::from_millis(ms)), "{text}");
        }
        assert!(!whole::<TimeSpan>("5") && !whole::<TimeSpan>("5 s"));
        assert!(whole::<Names>("get_weather, get-time,a.b") && !whole::<Names>("no tool") && !whole::<Names>("a,"));
        assert_eq!("a, b,c and d".parse::<Names>().expect("infallible").0, ["a", "b", "c", "d"]);
        assert!(whole::<Names>("a, b and c") && !whole::<Names>("a and"));
        assert!(whole::<Choice>("required") && !whole::<Choice>("get_time") && whole::<Switch>("off"));
        assert!(whole::<Numbers>("400, 422") && !whole::<Numbers>("400 422"));
        assert_eq!("400, 422".parse::<Numbers>().map(|numbers| numbers.0), Ok(vec![400, 422]));
        assert!(whole::<Delivery>("whole") && !whole::<Delivery>("broken"));
        assert!(whole::<Text>(r#""a \"b\" c""#) && !whole::<Text>(r#""a" b""#) && whole::<Text>(r#""""#));
    }
}
