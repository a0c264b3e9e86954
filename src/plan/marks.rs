//! Tags that mean something to the runner: `@serial`, `@destructive`, `@lock(NAME)`, `@retry(N)`, `@timeout(30s)`.

use std::time::Duration;

use super::Flags;
use crate::source::{At, Diagnostic, Diagnostics, meant};
use crate::spec::yaml::Span;

/// Most tries that `@retry(N)` may ask for: more hides a bad rate.
const MOST_RETRIES: u32 = 10;

/// What a scenario's tags ask of the runner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub flags: Flags,
    pub locks: Vec<String>,
    pub retries: Option<u32>,
    pub timeout: Option<Duration>,
}

/// Reads the marks among tags (each with its `@` and place); malformed ones are diagnosed and left out.
pub(super) fn parse<'a>(tags: impl IntoIterator<Item = (&'a str, Option<At>)>, diagnostics: &mut Diagnostics) -> Marks {
    let mut marks = Marks::default();
    for (tag, at) in tags {
        if let Err(mistake) = marks.read(tag) {
            diagnostics.push(Diagnostic::error("tags/bad-argument", at, mistake.what).help(mistake.help));
        }
    }
    marks
}

struct Mistake {
    what: String,
    help: Option<String>,
}

fn mistake(what: impl Into<String>, help: impl Into<String>) -> Mistake {
    Mistake { what: what.into(), help: Some(help.into()) }
}

impl Marks {
    fn read(&mut self, tag: &str) -> Result<(), Mistake> {
        let (name, argument) = match tag.split_once('(') {
            None => (tag, None),
            Some((name, rest)) => match rest.strip_suffix(')') {
                Some(argument) => (name, Some(argument.trim())),
                None if matches!(name, "@lock" | "@retry" | "@timeout") => {
                    return Err(mistake(format!("`{tag}` has no closing `)`"), "a tag holds no white space"));
                }
                None => return Ok(()),
            },
        };
        match (name, argument) {
            ("@serial", None) => self.flags.serial = true,
            ("@destructive", None) => self.flags.destructive = true,
            ("@serial" | "@destructive", Some(_)) => {
                return Err(mistake(format!("`{name}` takes no argument"), format!("write `{name}`")));
            }
            ("@lock", Some(lock)) if self.locks.iter().any(|known| known == lock) => {}
            ("@lock", Some(lock)) if !lock.is_empty() => self.locks.push(lock.to_owned()),
            ("@lock", _) => return Err(mistake(format!("`{tag}` names nothing to lock"), "write `@lock(NAME)`")),
            ("@retry", argument) => match argument.and_then(|text| text.parse().ok()) {
                Some(tries) if tries <= MOST_RETRIES => self.retries = Some(tries),
                _ => {
                    let what = format!("`{tag}` does not say how often to try again");
                    return Err(mistake(what, format!("write `@retry(N)` with a number up to {MOST_RETRIES}")));
                }
            },
            ("@timeout", argument) => match argument.and_then(|text| text.parse::<Span>().ok()) {
                Some(span) if span.0 > Duration::ZERO => self.timeout = Some(span.0),
                _ => return Err(mistake(format!("`{tag}` does not say how long"), "write a time span: `@timeout(30s)`")),
            },
            // `@lok(gpu)`: a misspelt mark would be ignored in silence, and the scenario would run unlocked.
            (other, Some(_)) => {
                let help = meant(other, ["@lock", "@retry", "@timeout"]);
                if help.is_some() {
                    return Err(Mistake { what: format!("`{tag}` is not a known mark"), help });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tag: &str, expect: Result<&Marks, &str>) {
        let mut diagnostics = Vec::new();
        let marks = parse([(tag, None)], &mut diagnostics);
        match expect {
            Ok(expect) => assert_eq!((&marks, &diagnostics), (expect, &Vec::new()), "{tag}"),
            Err(message) => {
                assert_eq!(diagnostics.len(), 1, "{tag}");
                assert_eq!((diagnostics[0].code, marks), ("tags/bad-argument", Marks::default()), "{tag}");
                let shown = format!("{} {:?}", diagnostics[0].message, diagnostics[0].help);
                assert!(shown.contains(message), "{tag}: {shown}");
            }
        }
    }

    #[test]
    fn marks_are_read_and_malformed_ones_are_named() {
        let none = Marks::default();
        check("@slow", Ok(&none));
        check("@issue(12)", Ok(&none));
        check("@serial", Ok(&Marks { flags: Flags { serial: true, destructive: false }, ..none.clone() }));
        check("@destructive", Ok(&Marks { flags: Flags { serial: false, destructive: true }, ..none.clone() }));
        check("@lock(gpu)", Ok(&Marks { locks: vec!["gpu".to_owned()], ..none.clone() }));
        check("@retry(2)", Ok(&Marks { retries: Some(2), ..none.clone() }));
        check("@timeout(30s)", Ok(&Marks { timeout: Some(Duration::from_secs(30)), ..none.clone() }));
        check("@lock", Err("names nothing"));
        check("@lock()", Err("names nothing"));
        check("@lock(gpu", Err("no closing"));
        check("@lok(gpu)", Err("did you mean `@lock`"));
        check("@retry", Err("how often"));
        check("@retry(x)", Err("how often"));
        check("@retry(11)", Err("up to 10"));
        check("@timeout(30)", Err("how long"));
        check("@timeout(0s)", Err("how long"));
        check("@serial(x)", Err("takes no argument"));
    }
}
