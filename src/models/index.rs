//! Is a model really where the catalogue says? Asks the package index, the Hugging Face hub, Ollama's registry, OpenAI.
//!
//! Only an index that answered in its own words is believed: what cannot be reached, refuses us or answers something else is
//! [`Answer::Unknown`], never a yes and never a no. Each address can be set, so a mirror serves as well.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use crate::spec::bytes::parse_bytes;
use crate::spec::models::Repo;

/// Longest answer that is read. **Units**: bytes.
const LONGEST: usize = 32 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// Where to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Simple index of Python packages.
    pub pypi: String,
    /// The hub.
    pub hub: String,
    /// Token for the hub.
    pub hub_token: Option<String>,
    /// Ollama's registry.
    pub ollama: String,
    /// OpenAI's API, with `/v1`.
    pub openai: String,
    /// Key for it.
    pub openai_key: Option<String>,
}

impl Endpoints {
    /// The addresses that the tools of each place would use, by their own variables.
    pub fn of(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |names: &[&str]| names.iter().find_map(|name| lookup(name).filter(|value| !value.trim().is_empty()));
        let address = |names: &[&str], default: &str| plain(&set(names).unwrap_or_else(|| default.to_owned()));
        Self {
            pypi: address(&["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"], "https://pypi.org/simple"),
            hub: address(&["HF_ENDPOINT"], "https://huggingface.co"),
            hub_token: set(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]),
            ollama: address(&["OLLAMA_REGISTRY"], "https://registry.ollama.ai"),
            openai: address(&["OPENAI_BASE_URL"], "https://api.openai.com/v1"),
            openai_key: set(&["OPENAI_API_KEY"]),
        }
    }
}

fn plain(address: &str) -> String {
    address.trim().trim_end_matches('/').to_owned()
}

/// What an index says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is there.
    Found {
        /// In words, with the index.
        note: String,
        /// Length of the weights, where the index tells. **Units**: bytes.
        size: Option<u64>,
        /// Digest of the weights, where the index tells: `sha256:…`.
        digest: Option<String>,
        /// Whether a licence has to be accepted first, where the index tells.
        gated: Option<bool>,
    },
    /// The index answered, and it is not there.
    Missing(String),
    /// Nobody could tell.
    Unknown(String),
}

impl Answer {
    fn found(note: String) -> Self {
        Self::Found { note, size: None, digest: None, gated: None }
    }
}

/// Asks indexes.
#[derive(Debug, Clone)]
pub struct Index {
    client: reqwest::Client,
    endpoints: Endpoints,
}

impl Index {
    /// A client for these addresses. **Errors**: the TLS library cannot be set up.
    pub fn new(endpoints: Endpoints) -> Result<Self, String> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Losing a race against another thread that installs the same one is fine.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let builder = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).timeout(PATIENCE);
        let client = builder.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self { client, endpoints })
    }

    /// Asks the place that a model comes from. `file` is the path of the weights there.
    pub async fn ask(&self, repo: &Repo, file: Option<&str>) -> Answer {
        let at = &self.endpoints;
        let (url, token) = match repo {
            Repo::Pypi { package, .. } => (format!("{}/{}/", at.pypi, normal(package)), None),
            Repo::Hub(name) => (format!("{}/api/models/{name}", at.hub), at.hub_token.as_deref()),
            Repo::Ollama { name, tag } => {
                let name = if name.contains('/') { name.clone() } else { format!("library/{name}") };
                (format!("{}/v2/{name}/manifests/{tag}", at.ollama), None)
            }
            Repo::OpenAi(name) => match &at.openai_key {
                Some(key) => (format!("{}/models/{name}", at.openai), Some(key.as_str())),
                None => return Answer::Unknown("OPENAI_API_KEY is not set, so OpenAI cannot be asked".to_owned()),
            },
        };
        let host = host(&url);
        let (status, body) = match self.get(&url, token).await {
            Ok(reply) => reply,
            Err(error) => return Answer::Unknown(format!("{host} cannot be asked: {error}")),
        };
        match (status, repo) {
            (200, Repo::Pypi { package, version }) => package_answer(&body, &host, package, version),
            (200, Repo::Hub(name)) => hub_answer(&body, &host, name, file),
            (200, Repo::Ollama { name, tag }) => ollama_answer(&body, &host, &format!("{name}:{tag}")),
            (200, Repo::OpenAi(name)) => match serde_json::from_str::<Value>(&body) {
                Ok(model) if model["id"] == **name => Answer::found(format!("{host} has {name}")),
                _ => strange(&host),
            },
            (404, _) => Answer::Missing(format!("{host} has none of that name")),
            (401, Repo::Hub(_)) => {
                let whose = if at.hub_token.is_some() { "this token" } else { "a token (HF_TOKEN)" };
                Answer::Missing(format!("{host} has none of that name, or not without {whose}"))
            }
            (status, _) => Answer::Unknown(format!("{host} answered {status}")),
        }
    }

    async fn get(&self, url: &str, token: Option<&str>) -> Result<(u16, String), String> {
        let accept = "application/vnd.pypi.simple.v1+json, application/json, application/vnd.docker.distribution.manifest.v2+json, text/html;q=0.5";
        let request = self.client.get(url).header("accept", accept);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut response = request.send().await.map_err(|error| in_words(&error))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| in_words(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err(format!("its answer is longer than {} MiB", LONGEST >> 20));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// The innermost cause says most.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let words = cause.to_string();
    words.split_once(" (os error ").map_or(words.clone(), |(words, _)| words.to_owned())
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest);
    // What stands before an @ may be a secret.
    host.rsplit('@').next().unwrap_or(host).to_owned()
}

fn strange(host: &str) -> Answer {
    Answer::Unknown(format!("{host} answered something else than an index does"))
}

/// A package's name as indexes write it.
fn normal(package: &str) -> String {
    let mut out = String::new();
    for c in package.to_ascii_lowercase().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c),
        }
    }
    out
}

/// Reads the page of a package: JSON or HTML, whichever the index has.
fn package_answer(body: &str, host: &str, package: &str, version: &str) -> Answer {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<a\b[^>]*>\s*([^<]+?)\s*</a>").expect("a pattern"));
    let files: Vec<String> = match serde_json::from_str::<Value>(body) {
        Ok(page) => {
            let files = page.get("files").and_then(Value::as_array).into_iter().flatten();
            files.filter_map(|file| file.get("filename")?.as_str().map(str::to_owned)).collect()
        }
        Err(_) => LINK.captures_iter(body).map(|link| link[1].to_owned()).collect(),
    };
    let mut versions: Vec<&str> = files.iter().filter_map(|file| version_of(file, package)).collect();
    if versions.is_empty() {
        return strange(host);
    }
    if versions.contains(&version) {
        return Answer::found(format!("{host} has {package} {version}"));
    }
    versions.dedup();
    let latest = versions.last().copied().unwrap_or_default();
    Answer::Missing(format!("{host} has {package}, but no version {version} (last listed: {latest})"))
}

/// The version in the name of a wheel or an archive of this package.
fn version_of<'a>(file: &'a str, package: &str) -> Option<&'a str> {
    let stem = [".whl", ".tar.gz", ".zip"].iter().find_map(|ending| file.strip_suffix(ending))?;
    let wheel = file.len() - stem.len() == ".whl".len();
    // A dash in a wheel's name parts it; an archive may have one in the package's name.
    let (name, version) = if wheel {
        let mut parts = stem.splitn(3, '-');
        (parts.next()?, parts.next()?)
    } else {
        stem.rsplit_once('-')?
    };
    (normal(name) == normal(package)).then_some(version)
}

fn hub_answer(body: &str, host: &str, name: &str, file: Option<&str>) -> Answer {
    let Ok(model) = serde_json::from_str::<Value>(body) else { return strange(host) };
    let Some(id) = model.get("id").or_else(|| model.get("modelId")).and_then(Value::as_str) else { return strange(host) };
    let gated = match model.get("gated") {
        Some(Value::Bool(gated)) => Some(*gated),
        Some(Value::String(_)) => Some(true),
        _ => None,
    };
    if let (Some(file), Some(files)) = (file, model.get("siblings").and_then(Value::as_array))
        && !files.iter().any(|sibling| sibling.get("rfilename").and_then(Value::as_str) == Some(file))
    {
        return Answer::Missing(format!("{host} has {name}, but no file {file} in it"));
    }
    Answer::Found { note: format!("{host} has {id}"), size: None, digest: None, gated }
}

fn ollama_answer(body: &str, host: &str, name: &str) -> Answer {
    let Ok(manifest) = serde_json::from_str::<Value>(body) else { return strange(host) };
    let Some(layers) = manifest.get("layers").and_then(Value::as_array) else { return strange(host) };
    let weights = layers.iter().find(|layer| layer["mediaType"] == "application/vnd.ollama.image.model");
    let Some(weights) = weights else { return strange(host) };
    Answer::Found {
        note: format!("{host} has {name}"),
        size: weights.get("size").and_then(Value::as_u64),
        digest: weights.get("digest").and_then(Value::as_str).map(str::to_owned),
        gated: None,
    }
}

/// Whether two sizes are the same as far as people write them: within a twentieth.
pub fn same_size(stated: &str, found: u64) -> bool {
    parse_bytes(stated).is_ok_and(|stated| {
        let (stated, found) = (stated as f64, found as f64);
        (stated - found).abs() <= 0.05 * stated.max(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<html><a href="x#sha256=1" data-requires-python="&gt;=3.9">llm_x-0.1.tar.gz</a><br/>
        <a href="y">llm_x-0.1.2-py3-none-any.whl</a></html>"#;

    #[track_caller]
    fn package(body: &str, package: &str, version: &str, expect: &str) {
        let answer = match package_answer(body, "i", package, version) {
            Answer::Found { note, .. } => format!("found: {note}"),
            Answer::Missing(why) => format!("missing: {why}"),
            Answer::Unknown(why) => format!("unknown: {why}"),
        };
        assert_eq!(answer, expect);
    }

    #[test]
    fn a_package_is_found_by_its_version() {
        package(PAGE, "llm-x", "0.1.2", "found: i has llm-x 0.1.2");
        package(PAGE, "LLM.x", "0.1", "found: i has LLM.x 0.1");
        package(PAGE, "llm-x", "0.1.3", "missing: i has llm-x, but no version 0.1.3 (last listed: 0.1.2)");
        let json = r#"{"files": [{"filename": "llm_x-2-py3-none-any.whl"}]}"#;
        package(json, "llm-x", "2", "found: i has llm-x 2");
        package(json, "llm-x", "1", "missing: i has llm-x, but no version 1 (last listed: 2)");
    }

    #[test]
    fn an_answer_that_is_no_index_is_no_answer() {
        let strange = "unknown: i answered something else than an index does";
        package("<html>Please log in <a href='/'>here</a></html>", "llm-x", "1", strange);
        package("", "llm-x", "1", strange);
        package(r#"{"files": 3}"#, "llm-x", "1", strange);
        assert!(matches!(hub_answer("<html>", "h", "a/b", None), Answer::Unknown(_)));
        assert!(matches!(hub_answer("{}", "h", "a/b", None), Answer::Unknown(_)));
        assert!(matches!(ollama_answer(r#"{"layers": []}"#, "o", "a:b"), Answer::Unknown(_)));
    }

    #[test]
    fn a_hub_says_whether_a_licence_has_to_be_accepted() {
        let gated = |body: &str| match hub_answer(body, "h", "a/b", None) {
            Answer::Found { gated, .. } => gated,
            other => panic!("{other:?}"),
        };
        assert_eq!(gated(r#"{"id": "a/b", "gated": "manual"}"#), Some(true));
        assert_eq!(gated(r#"{"id": "a/b", "gated": false}"#), Some(false));
        assert_eq!(gated(r#"{"id": "a/b"}"#), None);
        let listed = r#"{"id": "a/b", "siblings": [{"rfilename": "m.gguf"}]}"#;
        assert!(matches!(hub_answer(listed, "h", "a/b", Some("m.gguf")), Answer::Found { .. }));
        assert!(matches!(hub_answer(listed, "h", "a/b", Some("n.gguf")), Answer::Missing(_)));
    }

    #[test]
    fn a_manifest_tells_size_and_digest() {
        let body = r#"{"layers": [{"mediaType": "application/vnd.ollama.image.model", "size": 7, "digest": "sha256:0"}]}"#;
        match ollama_answer(body, "o", "a:b") {
            Answer::Found { size, digest, .. } => assert_eq!((size, digest.as_deref()), (Some(7), Some("sha256:0"))),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn addresses_follow_the_variables_of_each_tool() {
        let endpoints = Endpoints::of(&|name| match name {
            "PIP_INDEX_URL" => Some("https://mirror/simple/".to_owned()),
            "HF_ENDPOINT" => Some(String::new()),
            _ => None,
        });
        assert_eq!((endpoints.pypi.as_str(), endpoints.hub.as_str()), ("https://mirror/simple", "https://huggingface.co"));
        assert_eq!(host("https://user:secret@mirror/simple/a/"), "mirror");
        assert!(same_size("2.0 GB", 2_019_377_376) && !same_size("2.0 GB", 1_321_098_329) && !same_size("much", 1));
    }
}
