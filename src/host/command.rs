//! Commands on PATH, and what they answer within a bound of time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A tool that takes longer than this is taken for silent: a driver that hangs must not hang us.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program that a command name stands for on PATH.
pub fn on_path(command: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |path: &PathBuf| path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0);
    std::env::split_paths(&lookup("PATH")?).map(|folder| folder.join(command)).find(runs)
}

/// What a program prints on its standard output; `None` if it fails, is silent for too long, or cannot be started.
pub(super) fn answer(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut stdout = child.stdout.take()?;
    // Read beside it: what prints more than a pipe holds would wait for us for ever.
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut bytes).map(|_| bytes)
    });
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if Instant::now() >= end => {
                // It may just have ended; whatever remains of it is of no use.
                drop(child.kill());
                drop(child.wait());
                return None;
            }
            None => std::thread::park_timeout(Duration::from_millis(2)),
        }
    };
    let bytes = reader.join().ok()?.ok()?;
    status.success().then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// The version that a command reports, in one line.
pub fn version_of(command: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let program = on_path(command, lookup)?;
    let arguments: &[&str] = if command == "go" { &["version"] } else { &["--version"] };
    first_version(&answer(&program, arguments)?)
}

/// The first word that looks like a version: `Python 3.11.7` → `3.11.7`.
fn first_version(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "(),".contains(c));
    let trimmed = words.map(|word| word.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    let version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    trimmed.into_iter().find(version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_is_found() {
        for (text, expect) in [
            ("Python 3.11.7", Some("3.11.7")),
            ("g++ (Debian 12.2.0-14) 12.2.0\nCopyright", Some("12.2.0-14")),
            ("go version go1.26.8 linux/amd64", Some("1.26.8")),
            ("v20.20.2", Some("20.20.2")),
            ("git version 2.39.5", Some("2.39.5")),
            ("no such thing", None),
        ] {
            assert_eq!(first_version(text).as_deref(), expect, "{text}");
        }
    }

    #[test]
    fn a_command_is_found_and_answers() {
        let path = |name: &str| (name == "PATH").then(|| "/nonexistent:/usr/bin:/bin".to_owned());
        let shell = on_path("sh", &path).expect("a shell");
        assert_eq!(answer(&shell, &["-c", "echo it"]).as_deref(), Some("it\n"));
        assert_eq!(answer(&shell, &["-c", "echo it; exit 3"]), None);
        // More than a pipe holds.
        let long = answer(&shell, &["-c", "head -c 300000 /dev/zero"]).map(|text| text.len());
        assert_eq!(long, Some(300_000));
        assert_eq!(on_path("nonesuch", &path), None);
    }
}
