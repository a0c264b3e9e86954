//! `${NAME}` and `${NAME:-default}` in texts of a setup: found, filled in, and held against `needs.env`.

use std::ops::Range;

use serde_json::Value;

use super::SetupSpec;
use super::yaml::escape;

/// One reference to an environment variable in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvRef {
    /// Name of the variable.
    pub name: String,
    /// Text used where it is not set; `${NAME:-}` has an empty one.
    pub default: Option<String>,
    /// Bytes of the whole reference in the text.
    pub range: Range<usize>,
}

/// All references of a text, in order. What is not of the form, `$NAME` or `${1x}`, is plain text.
pub fn env_refs(text: &str) -> Vec<EnvRef> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| from + at) {
        from = start + 2;
        let Some(end) = text[from..].find('}').map(|at| from + at) else { break };
        let inside = &text[from..end];
        let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
        if is_name(name) {
            found.push(EnvRef { name: name.to_owned(), default: default.map(str::to_owned), range: start..end + 1 });
            from = end + 1;
        }
    }
    found
}

fn is_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// The text with every reference filled in: the variable, where it is unset or empty the default.
///
/// **Errors**: the names that are neither set nor have a default, each once.
pub fn expand_env(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, Vec<String>> {
    let (mut out, mut missing, mut from) = (String::with_capacity(text.len()), Vec::new(), 0);
    for one in env_refs(text) {
        out.push_str(&text[from..one.range.start]);
        from = one.range.end;
        let value = lookup(&one.name);
        match value.filter(|value| one.default.is_none() || !value.is_empty()).or(one.default) {
            Some(value) => out.push_str(&value),
            None if missing.contains(&one.name) => {}
            None => missing.push(one.name),
        }
    }
    out.push_str(&text[from..]);
    if missing.is_empty() { Ok(out) } else { Err(missing) }
}

/// The declared variables that are not set and without which the setup cannot run: the cell is skipped with that reason.
///
/// A variable that is read only with defaults may be unset, and so may one that is read only by `attach.url` where there
/// are services to start instead.
pub fn missing_env(setup: &SetupSpec, lookup: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let Ok(raw) = serde_json::to_value(setup) else { return Vec::new() };
    let mut uses: Vec<(String, EnvRef)> = Vec::new();
    each_text(&raw, "", &mut |pointer, text| {
        uses.extend(env_refs(text).into_iter().map(|one| (pointer.to_owned(), one)));
    });
    let spared = |pointer: &str, one: &EnvRef| one.default.is_some() || (pointer == "/attach/url" && !setup.services.is_empty());
    let needed = |name: &String| {
        let mut of_it = uses.iter().filter(|(_, one)| one.name == *name).peekable();
        of_it.peek().is_none() || of_it.any(|(pointer, one)| !spared(pointer, one))
    };
    let unset = |name: &&String| lookup(name).is_none_or(|value| value.is_empty());
    setup.needs.env.iter().filter(unset).filter(|name| needed(name)).cloned().collect()
}

/// Calls with JSON pointer and text of every text of a value.
pub(super) fn each_text<'a>(value: &'a Value, pointer: &str, call: &mut impl FnMut(&str, &'a str)) {
    match value {
        Value::String(text) => call(pointer, text),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                each_text(item, &format!("{pointer}/{at}"), call);
            }
        }
        Value::Object(entries) => {
            for (name, item) in entries {
                each_text(item, &format!("{pointer}/{}", escape(name)), call);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("localhost".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn references_are_found_and_filled_in() {
        for (text, expect) in [
            ("http://${HOST}:1", Ok("http://localhost:1")),
            ("${HOST}${HOST}", Ok("localhostlocalhost")),
            ("${NONE:-é}x", Ok("éx")),
            ("${EMPTY:-x}${EMPTY}", Ok("x")),
            ("${NONE:-}", Ok("")),
            ("$HOST ${1x} ${} ${a b} ${HOST", Ok("$HOST ${1x} ${} ${a b} ${HOST")),
            ("${a${HOST}", Ok("${alocalhost")),
            ("${NONE} ${NOR} ${NONE}", Err(vec!["NONE".to_owned(), "NOR".to_owned()])),
        ] {
            assert_eq!(expand_env(text, lookup), expect.map(str::to_owned), "{text}");
        }
        assert_eq!(env_refs("a ${B:-c:-d}"), [EnvRef { name: "B".into(), default: Some("c:-d".into()), range: 2..12 }]);
    }

    #[test]
    fn only_what_a_run_needs_is_missing() {
        let mut setup = SetupSpec::default();
        setup.needs.env = ["HOST", "URL", "TOKEN", "OPT", "UNUSED"].map(str::to_owned).to_vec();
        setup.attach = Some(super::super::setup::Attach { url: "${URL}".to_owned() });
        setup.auth = Some(super::super::setup::Auth { bearer: "${TOKEN}${OPT:-x}${HOST}".to_owned() });
        assert_eq!(missing_env(&setup, lookup), ["URL", "TOKEN", "UNUSED"]);
        setup.services.insert("server".to_owned(), super::super::setup::Service::default());
        assert_eq!(missing_env(&setup, lookup), ["TOKEN", "UNUSED"]);
    }
}
