//! The house rules that a compiler does not hold: import directions, file sizes, and the one place of each outside world.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which rooms a room may import; `cli` may import all and nothing imports it.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("event", &[]),
    ("spec", &["source"]),
    ("schema", &["source"]),
    ("plan", &["source", "event", "spec", "schema"]),
    ("wire", &["event"]),
    ("contract", &["wire", "event", "schema", "spec"]),
    ("check", &["wire", "event", "schema"]),
    ("host", &["event"]),
    ("models", &["source", "spec", "host"]),
    ("stack", &["spec", "event", "wire", "host", "models"]),
    ("steps", &["source", "plan", "spec", "schema", "wire", "contract", "check", "tape", "stack", "event"]),
    ("run", &["plan", "steps", "stack", "spec", "event", "wire", "contract", "tape"]),
    ("mutate", &["contract", "wire", "schema", "plan", "run", "event"]),
    ("report", &["event", "source"]),
    ("tape", &["wire", "event"]),
];

/// Words that touch an outside world, and where alone they may stand.
const PLACES: &[(&str, &[&str])] = &[
    ("std::process::Command", &["src/stack/", "src/host/", "src/cli/run.rs"]),
    ("tokio::process", &["src/stack/"]),
    ("println!", &[]),
    // Guardian and keeper answer their parent on their standard output.
    ("std::io::stdout", &["src/cli/terminal.rs", "src/report/console", "src/stack/guardian.rs", "src/stack/kept/keeper.rs"]),
    ("reqwest::", &["src/wire/", "src/stack/", "src/models/index.rs"]),
    ("TcpStream", &["src/wire/", "src/stack/", "src/tape/"]),
    ("TcpListener", &["src/stack/", "src/tape/"]),
    ("cucumber::", &["src/steps/", "src/run/"]),
    ("serde_yaml", &["src/spec/yaml/"]),
];

const LONGEST_FILE: usize = 600;

#[test]
fn rooms_import_only_what_their_row_allows() {
    let rows: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    let mut read = 0;
    for (path, text) in sources("src") {
        let Some(room) = room(&path) else { continue };
        let Some(allowed) = rows.get(room.as_str()) else { continue };
        read += 1;
        for (number, line) in code_lines(&text) {
            for import in imports(line) {
                if import != room && rows.contains_key(import) && !allowed.contains(&import) || import == "cli" {
                    wrong.push(format!("{}:{number}: `{room}` imports `{import}`", path.display()));
                }
            }
        }
    }
    assert!(read > 40, "only {read} files were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_over_the_limit() {
    let long: Vec<String> = ["src", "macros/src", "tests", "benches"]
        .iter()
        .flat_map(|root| sources(root))
        .filter(|(_, text)| text.lines().count() > LONGEST_FILE)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn each_outside_world_is_touched_in_one_place() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let name = path.to_string_lossy().replace('\\', "/");
        if name.ends_with("tests.rs") || name.ends_with("_tests.rs") {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for (word, allowed) in PLACES {
                if line.contains(word) && !allowed.iter().any(|place| name.contains(place)) {
                    wrong.push(format!("{name}:{number}: `{word}` belongs into {allowed:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn main_is_tiny_and_every_module_says_what_it_is_for() {
    let main = std::fs::read_to_string("src/main.rs").expect("src/main.rs");
    assert!(main.lines().count() < 20, "src/main.rs has {} lines", main.lines().count());
    let bare: Vec<String> = sources("src")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(bare.is_empty(), "without a module doc: {bare:?}");
}

/// Code up to the inline tests, with line numbers; comments left out.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line))
}

/// Names after `crate::`.
fn imports(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .map(|(at, word)| &line[at + word.len()..])
        .map(|rest| &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())])
        .collect()
}

fn room(path: &Path) -> Option<String> {
    let mut parts = path.iter().skip(1);
    let first = parts.next()?.to_str()?;
    parts.next()?;
    Some(first.to_owned())
}

fn sources(root: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder that can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file that can be read");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}
