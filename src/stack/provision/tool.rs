//! Runs a tool of provisioning to its end; its failure is told with the output and the next move.

use std::path::PathBuf;

use crate::stack::StackError;
use crate::stack::guardian::Guardian;
use crate::stack::logs::Logs;
use crate::stack::process::{Launch, Process, describe};
use crate::wire::Secrets;

/// Bytes of output that go into an error.
const SHOWN: usize = 4000;

/// A tool's command.
#[derive(Debug, Clone, Default)]
pub(super) struct Tool {
    /// What it does, for messages: `installing xllamacpp`.
    pub doing: String,
    pub words: Vec<String>,
    pub env: Vec<(String, Option<String>)>,
    pub folder: Option<PathBuf>,
}

/// Runs it in a guarded group; returns its output, which is cut in the middle if it is long.
pub(super) async fn run(tool: &Tool, guardian: &Guardian) -> Result<String, StackError> {
    let launch =
        Launch { name: tool.doing.clone(), words: tool.words.clone(), env: tool.env.clone(), folder: tool.folder.clone() };
    let logs = Logs::create(None, Secrets::default())?;
    let mut process = Process::spawn(&launch, guardian, &logs)?;
    let status = process.wait().await;
    let output = logs.since(0, SHOWN);
    if status.success() {
        return Ok(output);
    }
    // A limit on the size of files ends some tools without a word.
    let next = next_move(&format!("{}\n{}", describe(status), logs.since(0, usize::MAX)));
    let next = next.map(|next| format!("; {next}")).unwrap_or_default();
    let program = tool.words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let message = format!("{} failed: `{program}` ended with {}{next}", tool.doing, describe(status));
    Err(StackError::provision(message).with_detail(output))
}

/// The way out that a tool's words point to.
fn next_move(output: &str) -> Option<&'static str> {
    const WAYS: [(&[&str], &str); 6] = [
        (
            &["hash mismatch", "do not match the hashes", "doesn't match"],
            "what came is not what the lock file names: check the package index, or make the lock file anew",
        ),
        (
            &["no space left", "disk quota", "file too large", "sigxfsz"],
            "make room, or let FIREASSAY_CACHE name a folder on a bigger disk",
        ),
        (
            &["ensurepip is not available", "no module named venv", "no module named ensurepip"],
            "install the package `python3-venv` (Debian, Ubuntu), or put `uv` on PATH",
        ),
        (
            &["no interpreter found", "no python", "python3: not found", "not found in managed installations"],
            "install Python 3.11 or newer",
        ),
        (
            &[
                "dns error",
                "failed to resolve",
                "name resolution",
                "could not connect",
                "connection refused",
                "failed to fetch",
                "error sending request",
                "network is unreachable",
                "timed out",
                "temporary failure",
                "could not resolve",
                "connect error",
                "max retries exceeded",
                // All that pip says of an index that it cannot reach.
                "from versions: none",
            ],
            "check the network, or the index and proxy variables of uv and pip; what is complete stays, so run it again",
        ),
        (
            &["no solution found", "no matching distribution", "not find a version", "no wheels"],
            "the package index has no such version for this platform: check the index, or the versions in the setup",
        ),
    ];
    let output = output.to_lowercase();
    WAYS.iter().find(|(signs, _)| signs.iter().any(|sign| output.contains(sign))).map(|(_, next)| *next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, expect: Option<&str>) {
        let got = next_move(output);
        assert!(got.map(|text| text.split(' ').next()) == Some(expect) || got.is_none() && expect.is_none(), "{got:?}");
    }

    #[test]
    fn words_point_to_a_way_out() {
        check("error: Failed to download\n  cause: Hash mismatch for `x==1`", Some("what"));
        check("OSError: [Errno 28] No space left on device", Some("make"));
        check("signal 25 (SIGXFSZ)\n", Some("make"));
        check("OSError: [Errno 27] File too large", Some("make"));
        check("The virtual environment was not created successfully because ensurepip is not available.", Some("install"));
        check("error: No interpreter found for Python >=3.11", Some("install"));
        check("error: Failed to fetch: `X`\n  cause: dns error", Some("check"));
        check("ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)", Some("check"));
        check("error: No solution found when resolving dependencies", Some("the"));
        check("Traceback (most recent call last)", None);
    }
}
