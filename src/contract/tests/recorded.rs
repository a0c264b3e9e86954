//! Replies recorded from real servers, each judged: exactly the deviations of `findings.txt`, by rule.
//!
//! A recording holds the request, `### RESPONSE`, the reply, and a line of the client that took it. After a change of rules,
//! `FIREASSAY_BLESS=1 cargo test --lib contract` writes the list again; its difference is what is to be reviewed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::contract::{Context, Finding, Severity, judge};
use crate::event::ExchangeId;
use crate::wire::{Chunk, Exchange, Reading, Request};

const FOLDER: &str = "tests/data/contract";

/// A recording as an exchange.
pub(crate) fn load(name: &str) -> Exchange {
    let path = Path::new(FOLDER).join(format!("{name}.http"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let at = memchr::memmem::find(&bytes, b"\n### RESPONSE\n").expect("a reply");
    let (request, reply) = (&bytes[..at], &bytes[at + "\n### RESPONSE\n".len()..]);
    let end = memchr::memmem::rfind(reply, b"\n\n### curl").expect("the line of the client");
    let (first, sent, asked) = message(request);
    let (status, headers, body) = message(&reply[..end]);
    let mut words = first.split(' ');
    let mut request = Request { method: words.next().unwrap_or_default().to_owned(), ..Request::default() };
    request.target = words.next().unwrap_or_default().to_owned();
    request.headers = sent;
    request.body = Some(Bytes::copy_from_slice(asked)).filter(|body| !body.is_empty());
    Exchange {
        status: status.split(' ').nth(1).and_then(|code| code.parse().ok()),
        headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), Bytes::from(value))).collect(),
        head_at: Some(Duration::from_millis(5)),
        body: Bytes::copy_from_slice(body),
        chunks: vec![Chunk { at: Duration::from_millis(10), end: body.len() }],
        took: Duration::from_millis(10),
        ..Exchange::begun(ExchangeId(1), request, String::new())
    }
}

/// First line, headers and body of a message.
fn message(bytes: &[u8]) -> (String, Vec<(String, String)>, &[u8]) {
    // Requests were written down by the client; heads of replies are as they came.
    let end = |mark: &[u8]| memchr::memmem::find(bytes, mark).map(|at| (at, at + mark.len()));
    let (end, start) = end(b"\r\n\r\n").or_else(|| end(b"\n\n")).unwrap_or((bytes.len(), bytes.len()));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let body = &bytes[start..];
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    (first, headers.collect(), body)
}

/// Names of all recordings, `server/case`.
pub(crate) fn names() -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![PathBuf::from(FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of recordings") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "http") {
                let name = path.strip_prefix(FOLDER).expect("below the folder").with_extension("");
                names.push(name.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    names.sort();
    names
}

/// Everything found in an exchange of a stack with this key and these models.
pub(crate) fn found(exchange: &Exchange, key: Option<&str>, models: &[String]) -> Vec<Finding> {
    let reading = Reading::of(exchange);
    judge(&reading, &reading.reply(), &Context { key, models, now: None }).findings
}

/// The models that each server had, and whether it wanted a key: recordings hold `(redacted)` in its place.
fn stack(name: &str) -> (Option<&'static str>, Vec<String>) {
    let (server, case) = name.split_once('/').expect("server and case");
    let models: &[&str] = match server {
        "litellm" | "litellm-prisma" => &["gpt-4o"],
        "mlx" | "mlx-hfcache" | "vllm-mlx" => &[],
        "ollama" => &["smollm2", "smollm2-tools", "smollm2-thinking"],
        _ if case.starts_with("think") => &[],
        _ => &["smollm2"],
    };
    let key = case.starts_with("auth").then_some("(redacted)");
    (key, models.iter().map(|model| (*model).to_owned()).collect())
}

/// `name: V W037 W040 | D W052 | A W043`.
fn line(name: &str, findings: &[Finding]) -> String {
    let mut line = format!("{name}:");
    for severity in [Severity::Violation, Severity::Dialect, Severity::Advice] {
        let mut ids: Vec<&str> =
            findings.iter().filter(|finding| finding.severity == severity).map(|finding| finding.rule.id).collect();
        ids.dedup();
        if !ids.is_empty() {
            write!(line, " {} {}", severity.letter(), ids.join(" ")).expect("a string takes all");
        }
    }
    line
}

#[test]
fn recordings_show_exactly_their_deviations() {
    let mut lines = Vec::new();
    for name in names() {
        let exchange = load(&name);
        let (key, models) = stack(&name);
        let findings = found(&exchange, key, &models);
        for finding in &findings {
            assert!(!finding.found.is_empty() && !finding.right.is_empty(), "{name}: {finding:?}");
            if let Some(bytes) = &finding.spot.bytes {
                assert!(bytes.start <= bytes.end && bytes.end <= exchange.body.len(), "{name}: {finding:?}");
            }
            assert!(finding.excerpt.len() < 800 && finding.found.len() < 400, "{name}: {finding:?}");
        }
        lines.push(line(&name, &findings));
    }
    let text = lines.join("\n") + "\n";
    let golden = Path::new(FOLDER).join("findings.txt");
    if std::env::var_os("FIREASSAY_BLESS").is_some() {
        std::fs::write(&golden, &text).expect("the list can be written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    let known: BTreeMap<&str, &str> = expected.lines().filter_map(|line| line.split_once(':')).collect();
    let changed: Vec<String> = lines
        .iter()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, ids)| known.get(name) != Some(ids))
        .map(|(name, ids)| format!("{name}:{ids}   (was:{})", known.get(name).unwrap_or(&" absent")))
        .collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
    assert_eq!(text, expected, "recordings of the list are gone");
}
