//! Placeholders of setup commands (`<python>`, `<port:OTHER>`, …): text in, text out.
//!
//! Words in angle brackets that are none of ours are plain text: a chat template's `<think>` must pass through.

/// Placeholders that setups may use. `port:` takes the name of another service after the colon.
const NAMES: [&str; 12] =
    ["python", "node", "node_modules", "assets", "files", "port", "key", "scratch", "out", "input", "output", "fireassay"];

/// Replaces each placeholder by its value; the error is the placeholder that has none here.
pub(super) fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        match after.find('>').map(|close| &after[..close]) {
            Some(name) if is_ours(name) => {
                out.push_str(&value(name).ok_or_else(|| format!("<{name}>"))?);
                rest = &after[name.len() + 1..];
            }
            _ => {
                out.push('<');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Names of other services whose port a text asks for.
pub(super) fn ports_of_others(text: &str) -> Vec<String> {
    let names = std::cell::RefCell::new(Vec::new());
    let filled = fill(text, &|name| {
        names.borrow_mut().extend(name.strip_prefix("port:").map(str::to_owned));
        Some(String::new())
    });
    debug_assert!(filled.is_ok(), "every placeholder got a value");
    names.into_inner()
}

fn is_ours(name: &str) -> bool {
    NAMES.contains(&name) || name.strip_prefix("port:").is_some_and(|other| !other.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let value = |name: &str| match name {
            "port" => Some("8080".to_owned()),
            "port:db" => Some("5432".to_owned()),
            "key" => Some("k".to_owned()),
            _ => None,
        };
        assert_eq!(fill(text, &value), expect.map(str::to_owned).map_err(str::to_owned), "{text}");
    }

    #[test]
    fn placeholders_are_filled_and_other_angle_brackets_stay() {
        check("", Ok(""));
        check("--port=<port>", Ok("--port=8080"));
        check("<port><key>", Ok("8080k"));
        check("a <port:db> b", Ok("a 5432 b"));
        check("<gh_stars>=<think>", Ok("<gh_stars>=<think>"));
        check("1 < 2 <port", Ok("1 < 2 <port"));
        check("<<port>>", Ok("<8080>"));
        check("<port:>", Ok("<port:>"));
        check("<python> -m x", Err("<python>"));
        check("<port:other>", Err("<port:other>"));
    }

    #[test]
    fn ports_of_others_are_found() {
        assert_eq!(ports_of_others("http://127.0.0.1:<port:engine>/<port>"), ["engine"]);
        assert!(ports_of_others("<port> <key>").is_empty());
    }
}
