//! What a tape is of: [`Manifest`], the file `tape.json`. One of an older format is made one of ours as it is read, by a step for
//! each format between; one of a newer format is refused. What is written has our format.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Version of the format.
pub const FORMAT: u32 = 2;
/// Its file within a tape.
pub(super) const MANIFEST: &str = "tape.json";
/// Makes a manifest of the format 1 one of the format 2, and so on.
const STEPS: [fn(&mut Map<String, Value>); FORMAT as usize - 1] = [with_weights_and_edits];

/// What a tape is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Suite and setup: `base[llamacpp]`.
    pub cell: String,
    /// Server and version as it said.
    pub server: String,
    /// Models by role.
    pub models: BTreeMap<String, String>,
    /// SHA-256 by name of the files that the setup brought for its models; none where it brought none.
    pub weights: BTreeMap<String, String>,
    /// Ids of the models that it had; empty where nobody knew.
    pub served: Vec<String>,
    /// Whether requests carried a key.
    pub keyed: bool,
    /// Profile of the setup.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
    /// When it was recorded, RFC 3339 in UTC.
    pub recorded: String,
    /// Version of fireassay that recorded it.
    pub fireassay: String,
    /// Members of bodies that do not count, beside the usual ones.
    pub volatile: Vec<String>,
    /// Files that people edited since they were recorded, and accepted.
    pub edited: BTreeSet<String>,
    /// SHA-256 by file.
    pub exchanges: BTreeMap<String, String>,
}

/// A text is no manifest that we read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManifestError {
    /// It is of another fireassay.
    #[error("it has the format {0}")]
    Newer(u32),
    /// It is none.
    #[error("it is no manifest: {0}")]
    Form(String),
}

impl Manifest {
    /// Of what is recorded now.
    pub fn now(cell: &str, server: &str) -> Self {
        Self {
            cell: cell.to_owned(),
            server: server.to_owned(),
            recorded: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            fireassay: env!("CARGO_PKG_VERSION").to_owned(),
            ..Self::default()
        }
    }

    /// The suite; `(files)` where files were named.
    pub fn suite(&self) -> &str {
        self.cell.split('[').next().unwrap_or_default()
    }

    /// The setup; empty where it was recorded of no cell.
    pub fn setup(&self) -> &str {
        self.cell.split('[').nth(1).unwrap_or_default().trim_end_matches(']')
    }

    /// The day on which it was recorded: `2026-11-22`.
    pub fn day(&self) -> &str {
        self.recorded.split('T').next().unwrap_or_default()
    }

    /// How long ago that was; `None` where what is written is no time. **Units**: days.
    pub fn age(&self) -> Option<i64> {
        let days = self.since()?.as_secs() / (24 * 60 * 60);
        i64::try_from(days).ok()
    }

    /// The same, to the second; no time at all since what is written is still to come.
    pub fn since(&self) -> Option<Duration> {
        let recorded = DateTime::parse_from_rfc3339(&self.recorded).ok()?;
        Some((Utc::now() - recorded.to_utc()).to_std().unwrap_or_default())
    }

    pub(super) fn render(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest can be written as JSON");
        text.push(b'\n');
        text
    }

    /// Reads one of our format, or of an older one. **Errors**: a newer format, or no manifest.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let form = |error: serde_json::Error| ManifestError::Form(error.to_string());
        let mut members: Map<String, Value> = serde_json::from_slice(text).map_err(form)?;
        let format = members.get("format").and_then(Value::as_u64).and_then(|format| u32::try_from(format).ok());
        match format {
            Some(found @ 1..=FORMAT) => {
                STEPS[found as usize - 1..].iter().for_each(|step| step(&mut members));
                members.insert("format".to_owned(), FORMAT.into());
            }
            Some(0) | None => return Err(ManifestError::Form("it has no `format` from 1 on".to_owned())),
            Some(newer) => return Err(ManifestError::Newer(newer)),
        }
        serde_json::from_value(Value::Object(members)).map_err(form)
    }
}

/// 1 → 2: what was left out where it said nothing is always there, beside the digests of weights and what people edited.
fn with_weights_and_edits(members: &mut Map<String, Value>) {
    let new =
        [("served", json!([])), ("keyed", json!(false)), ("volatile", json!([])), ("weights", json!({})), ("edited", json!([]))];
    for (name, nothing) in new {
        members.entry(name).or_insert(nothing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it was first written.
    const FIRST: &str = r#"{"format": 1, "cell": "base[llamacpp][smollm2]", "server": "llama.cpp b1", "models": {"text": "smollm2"},
        "recorded": "2026-11-22T05:01:02Z", "fireassay": "0.1.0", "exchanges": {"models-1.http": "00"}}"#;

    #[test]
    fn one_of_an_older_format_is_made_one_of_ours() {
        let manifest = Manifest::parse(FIRST.as_bytes()).unwrap();
        assert_eq!((manifest.format, manifest.suite(), manifest.setup()), (FORMAT, "base", "llamacpp"));
        assert_eq!((manifest.day(), manifest.keyed, manifest.exchanges.len()), ("2026-11-22", false, 1));
        assert_eq!(Manifest::parse(&manifest.render()).unwrap(), manifest);
    }

    #[track_caller]
    fn refused(from: &str, to: &str, expect: &str) {
        let error = Manifest::parse(FIRST.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn what_we_do_not_read_is_refused() {
        refused("\"format\": 1", "\"format\": 3", "it has the format 3");
        refused("\"format\": 1", "\"format\": 0", "it has no `format` from 1 on");
        refused("\"format\": 1, ", "", "it has no `format` from 1 on");
        refused("\"format\": 1", "\"format\": 2", "missing field `weights`");
        refused("\"cell\"", "\"cel\"", "unknown field `cel`");
    }
}
