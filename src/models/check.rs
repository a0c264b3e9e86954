//! One entry of the catalogue against what can be known: the place it comes from, the weights that are here, its template.
//!
//! What could not be looked at is *not evaluated*, with the reason; it never counts as passed.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::gguf::Gguf;
use super::index::{Answer, Index, same_size};
use super::template::offers;
use crate::spec::ModelSpec;
use crate::spec::models::{Repo, parse_parameters};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Looked at, and as stated.
    Passed,
    /// It could not be looked at.
    NotEvaluated,
    /// Looked at, and otherwise than stated.
    Failed,
}

impl Verdict {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::NotEvaluated => "not evaluated",
            Self::Failed => "failed",
        }
    }
}

/// One check of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `repo`, `weights`, `template`.
    pub about: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen, or why not.
    pub message: String,
}

/// What a check may use.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Whom to ask; without one no network is touched.
    pub index: Option<Index>,
    /// The weights, where they lie on this machine.
    pub weights: Option<PathBuf>,
    /// Text of the template that the entry names, or why there is none.
    pub template: Option<Result<String, String>>,
    /// Whether weights that are here are read whole for their digest.
    pub digest: bool,
}

/// Checks one entry.
pub async fn check_model(model: &ModelSpec, options: &CheckOptions) -> Vec<Finding> {
    let service = matches!(Repo::parse(&model.repo), Ok(Repo::OpenAi(_)));
    let mut findings = vec![repo(model, options.index.as_ref()).await];
    if service {
        return findings;
    }
    let header = options.weights.as_deref().map(|path| (path, Gguf::read(path)));
    findings.push(match &header {
        None => Finding { about: "weights", verdict: Verdict::NotEvaluated, message: "they are not on this machine".to_owned() },
        Some((path, header)) => weights(model, path, header.as_ref(), options.digest),
    });
    let talks = model.abilities.iter().any(|ability| ["chat", "tools", "vision", "thinking"].contains(&ability.as_str()));
    if talks || options.template.is_some() {
        findings.push(template(model, options, header.as_ref().and_then(|(_, header)| header.as_ref().ok())));
    }
    findings
}

fn finding(about: &'static str, wrong: &[String], right: String) -> Finding {
    if wrong.is_empty() {
        Finding { about, verdict: Verdict::Passed, message: right }
    } else {
        Finding { about, verdict: Verdict::Failed, message: wrong.join("; ") }
    }
}

async fn repo(model: &ModelSpec, index: Option<&Index>) -> Finding {
    let unknown = |message: String| Finding { about: "repo", verdict: Verdict::NotEvaluated, message };
    let Some(index) = index else { return unknown("no network is touched (--offline)".to_owned()) };
    let pieces = model.pieces();
    let mut last = None;
    for (repo, file) in &pieces {
        let repo = match Repo::parse(repo) {
            Ok(repo) => repo,
            Err(error) => return finding("repo", &[error], String::new()),
        };
        match index.ask(&repo, file.as_deref()).await {
            Answer::Unknown(why) => return unknown(why),
            Answer::Missing(why) => return finding("repo", &[why], String::new()),
            found @ Answer::Found { .. } => last = Some(found),
        }
    }
    let Some(Answer::Found { note, size, digest, gated }) = last else { return unknown("nothing was asked".to_owned()) };
    let mut wrong = Vec::new();
    if let (Some(stated), Some(found)) = (&model.size, size)
        && !same_size(stated, found)
    {
        wrong.push(format!("its size is stated as {stated}, the index says {:.2} GB", found as f64 / 1e9));
    }
    if let (Some(stated), Some(found)) = (&model.digest, &digest)
        && stated != found
    {
        wrong.push(format!("its digest is stated as {stated}, the index says {found}"));
    }
    if let (Some(stated), Some(found)) = (model.gated, gated)
        && stated != found
    {
        wrong.push(format!("`gated` is stated as {stated}, the hub says {found}"));
    }
    let parts = if pieces.len() > 1 { format!(", and all its {} parts", pieces.len()) } else { String::new() };
    finding("repo", &wrong, format!("{note}{parts}"))
}

fn weights(model: &ModelSpec, path: &Path, header: Result<&Gguf, &super::gguf::GgufError>, digest: bool) -> Finding {
    let mut wrong = Vec::new();
    let mut seen = Vec::new();
    match header {
        Ok(header) => compare(model, header, &mut wrong, &mut seen),
        Err(error) => wrong.push(error.to_string()),
    }
    if let (Some(stated), true) = (&model.digest, digest) {
        match sha256(path) {
            Ok(found) if found == *stated => seen.push("digest".to_owned()),
            Ok(found) => wrong.push(format!("the digest is stated as {stated}, the file has {found}")),
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    finding("weights", &wrong, format!("{} as stated", seen.join(", ")))
}

/// Holds what is stated against what the header says; what only one of them says is not held.
fn compare(model: &ModelSpec, header: &Gguf, wrong: &mut Vec<String>, seen: &mut Vec<String>) {
    let mut hold = |what: &str, stated: Option<String>, found: Option<String>, same: bool| {
        let (Some(stated), Some(found)) = (stated, found) else { return };
        if same {
            seen.push(what.to_owned());
        } else {
            wrong.push(format!("{what} is stated as {stated}, the file says {found}"));
        }
    };
    let size = format!("{:.1} MB", header.bytes as f64 / 1e6);
    hold("size", model.size.clone(), Some(size), model.size.as_deref().is_some_and(|stated| same_size(stated, header.bytes)));
    hold("quant", model.quant.clone(), header.quant.clone(), model.quant == header.quant);
    let context = model.context.map(u64::from);
    hold("context", context.map(|it| it.to_string()), header.context.map(|it| it.to_string()), context == header.context);
    let parameters = model.parameters.as_deref().and_then(|text| parse_parameters(text).ok());
    // Names round: 0.5B has 494 million, 1.5B has 1.54 or 1.78 with its embeddings counted twice.
    let near = parameters.is_some_and(|stated| (stated - header.parameters as f64).abs() <= 0.25 * stated);
    let found = (header.parameters > 0).then(|| format!("{:.0}M", header.parameters as f64 / 1e6));
    hold("parameters", model.parameters.clone(), found, near);
    let per_token = model.kv.map(|kv| 4 * u64::from(kv.layers) * u64::from(kv.heads) * u64::from(kv.length));
    let bytes = |bytes: u64| format!("{bytes} bytes a token");
    hold("kv", per_token.map(bytes), header.kv_bytes_per_token().map(bytes), per_token == header.kv_bytes_per_token());
}

fn template(model: &ModelSpec, options: &CheckOptions, header: Option<&Gguf>) -> Finding {
    let (text, whose) = match (&options.template, header) {
        (Some(Ok(text)), _) => (text.as_str(), format!("the template {}", model.template.as_deref().unwrap_or_default())),
        (Some(Err(error)), _) => return finding("template", std::slice::from_ref(error), String::new()),
        (None, Some(header)) => {
            let Some(text) = &header.template else {
                let claims = model.abilities.iter().any(|ability| ability == "chat");
                let wrong = claims.then(|| "the weights have no chat template, and `chat` is claimed".to_owned());
                return finding("template", wrong.as_slice(), "it has none, and claims no chat".to_owned());
            };
            (text.as_str(), "its own template".to_owned())
        }
        (None, None) => {
            let message = "there is no template to read without the weights".to_owned();
            return Finding { about: "template", verdict: Verdict::NotEvaluated, message };
        }
    };
    let found = offers(text);
    let rows = [("tools", found.tools), ("thinking", found.thinking), ("vision", found.vision)];
    let claims = |name: &str| model.abilities.iter().any(|ability| ability == name);
    let lacks = rows.iter().filter(|(name, offered)| claims(name) && !offered);
    let wrong: Vec<String> = lacks.map(|(name, _)| format!("`{name}` is claimed, and {whose} has no place for it")).collect();
    let offered: Vec<&str> = rows.iter().filter(|(_, offered)| *offered).map(|(name, _)| *name).collect();
    let more: Vec<&str> = offered.iter().filter(|name| !claims(name)).copied().collect();
    let mut right = match offered.as_slice() {
        [] => format!("{whose} offers plain chat"),
        some => format!("{whose} offers {}", some.join(", ")),
    };
    if !more.is_empty() {
        right.push_str(&format!(" ({} not claimed)", more.join(", ")));
    }
    finding("template", &wrong, right)
}

/// `sha256:` and the digest of a file.
fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 1 << 20];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(format!("sha256:{:x}", hash.finalize())),
            read => hash.update(&bytes[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::models::KvSpec;

    fn entry(abilities: &[&str]) -> ModelSpec {
        ModelSpec {
            repo: "pypi:a==1".to_owned(),
            abilities: abilities.iter().map(|&ability| ability.to_owned()).collect(),
            size: Some("98 MB".to_owned()),
            quant: Some("Q4_1".to_owned()),
            context: Some(8192),
            parameters: Some("135M".to_owned()),
            kv: Some(KvSpec { layers: 30, heads: 3, length: 64 }),
            ..ModelSpec::default()
        }
    }

    fn header() -> Gguf {
        Gguf {
            bytes: 98_362_432,
            quant: Some("Q4_1".to_owned()),
            context: Some(8192),
            parameters: 134_515_008,
            kv_heads: Some(90),
            kv_length: Some(128),
            template: Some("{{ messages }}".to_owned()),
            ..Gguf::default()
        }
    }

    #[track_caller]
    fn held(model: &ModelSpec, header: &Gguf, expect: &[&str]) {
        let (mut wrong, mut seen) = (Vec::new(), Vec::new());
        compare(model, header, &mut wrong, &mut seen);
        assert_eq!(wrong, expect, "{seen:?}");
    }

    #[test]
    fn what_is_stated_is_held_against_the_file() {
        held(&entry(&["chat"]), &header(), &[]);
        held(&entry(&["chat"]), &Gguf { context: Some(2048), ..header() }, &["context is stated as 8192, the file says 2048"]);
        held(&entry(&["chat"]), &Gguf { context: None, ..header() }, &[]);
        held(&entry(&["chat"]), &Gguf { bytes: 7, ..header() }, &["size is stated as 98 MB, the file says 0.0 MB"]);
        let kv = "kv is stated as 23040 bytes a token, the file says 256 bytes a token";
        held(&entry(&["chat"]), &Gguf { kv_heads: Some(1), ..header() }, &[kv]);
    }

    #[track_caller]
    fn told(abilities: &[&str], options: &CheckOptions, header: Option<&Gguf>, expect: (Verdict, &str)) {
        let mut model = entry(abilities);
        model.template = options.template.as_ref().map(|_| "t.jinja".to_owned());
        let found = template(&model, options, header);
        assert_eq!((found.verdict, found.message.as_str()), expect);
    }

    #[test]
    fn abilities_are_held_against_the_template() {
        let none = CheckOptions::default();
        let (tools, plain) = (Gguf { template: Some("{{ tools }}".to_owned()), ..header() }, header());
        let bare = Gguf { template: None, ..header() };
        told(&["chat"], &none, Some(&plain), (Verdict::Passed, "its own template offers plain chat"));
        told(&["chat", "tools"], &none, Some(&tools), (Verdict::Passed, "its own template offers tools"));
        told(&["chat"], &none, Some(&tools), (Verdict::Passed, "its own template offers tools (tools not claimed)"));
        let lacks = "`tools` is claimed, and its own template has no place for it";
        told(&["chat", "tools"], &none, Some(&plain), (Verdict::Failed, lacks));
        let no_template = "the weights have no chat template, and `chat` is claimed";
        told(&["chat"], &none, Some(&bare), (Verdict::Failed, no_template));
        told(&["completions"], &none, Some(&bare), (Verdict::Passed, "it has none, and claims no chat"));
        told(&["chat"], &none, None, (Verdict::NotEvaluated, "there is no template to read without the weights"));
        let own = CheckOptions { template: Some(Ok("{{ tools }}".to_owned())), ..none };
        told(&["chat", "tools"], &own, Some(&plain), (Verdict::Passed, "the template t.jinja offers tools"));
    }
}
