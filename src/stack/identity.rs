//! Who answers? Before the first step we know that the server is the one meant, and what it calls itself.
//!
//! An attached server must say that it is the one that the setup's profile is about. A child of ours is the one meant unless it
//! says that it is another; the header of a web framework that many servers share says nothing against it.

use std::time::Duration;

use serde_json::Value;

use super::StackError;
use super::order;
use super::probe::{Probe, Reply};
use crate::spec::{ProfileSpec, SetupSpec};

const PATIENCE: Duration = Duration::from_secs(15);

/// Name and models of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// Name and version for people and version bounds.
    pub server: String,
    /// What it calls itself, where that tells it from others.
    pub said: Option<String>,
    pub models: Vec<String>,
}

impl Identity {
    /// An error unless the server at `url` is the one that the profile is about.
    pub(super) fn meets(&self, setup: &SetupSpec, profile: &ProfileSpec, url: &str, ours: bool) -> Result<(), StackError> {
        let like = &profile.server.like;
        if like.is_empty() {
            return Ok(());
        }
        let met = match &self.said {
            Some(said) if is_like(said, like) => return Ok(()),
            None if ours => return Ok(()),
            Some(said) => format!("`{said}` answers at {url}"),
            None => format!("the server at {url} does not say what it is"),
        };
        let next = if ours {
            "correct the setup's `profile`, or its `command`"
        } else {
            "correct the address, or take a setup whose profile is about that server (--url without a setup claims none)"
        };
        let (setup, profile) = (&setup.name, &profile.name);
        let meant = format!("the setup `{setup}` is for a server like `{like}` (profile `{profile}`)");
        Err(StackError::identity(format!("{meant}, and {met}; {next}")))
    }
}

/// Whether a name such as `llama.cpp b11549` begins with the profile's word, as a whole word and in any case.
fn is_like(said: &str, like: &str) -> bool {
    let (said, like) = (said.to_lowercase(), like.trim().to_lowercase());
    let rest = said.strip_prefix(&*like).filter(|_| !like.is_empty());
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// What a server tells of itself.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// The `Server` header of any answer.
    header: Option<String>,
    /// `/version`: vLLM and its kin. `/v1/version`: llama-stack.
    version: Option<String>,
    /// `/api/version`: Ollama.
    ollama: Option<String>,
    /// `/health/readiness/details`: LiteLLM's `litellm_version`. Its models say that OpenAI owns them.
    litellm: Option<String>,
    /// `/props`: llama.cpp's `build_info`.
    build: Option<String>,
    /// `owned_by` of the first model; OpenAI's own where it is one of many, as with fine-tuned models of an account.
    owner: Option<String>,
}

/// Who the attached server at `base` is; an error if nothing answers or it does not let us in.
pub(super) async fn of_attached(probe: &Probe, base: &str) -> Result<Identity, StackError> {
    let list = probe.get("/v1/models", PATIENCE).await.map_err(|error| {
        StackError::identity(format!("nothing answers at {base} ({error}); start the server, or correct the address"))
    })?;
    if matches!(list.status, 401 | 403) {
        let next = "set `auth: {bearer: …}` in the setup, or the variable that it reads";
        return Err(StackError::identity(format!("{base} does not let us in ({}); {next}", list.brief())));
    }
    let listed = list.json().unwrap_or_default();
    let facts = facts(probe, &list, &listed).await;
    let said = said(&facts).or_else(|| by_header(&facts));
    let server = said.clone().unwrap_or_else(|| match &facts.version {
        Some(version) => format!("unknown server {version}"),
        None => "unknown server".to_owned(),
    });
    Ok(Identity { server, said, models: model_ids(&listed) })
}

/// Who our own child is: the provisioned package, else what it calls itself, and the models that it lists.
pub(super) async fn of_ours(probe: &Probe, setup: &SetupSpec) -> Result<Identity, StackError> {
    let list = probe
        .get("/v1/models", PATIENCE)
        .await
        .map_err(|error| StackError::identity(format!("the server does not list its models ({error})")))?;
    let listed = list.json().unwrap_or_default();
    let facts = facts(probe, &list, &listed).await;
    let said = said(&facts);
    let known = provisioned(setup).or_else(|| said.clone()).or_else(|| by_header(&facts));
    let server = known.unwrap_or_else(|| "unknown server".to_owned());
    Ok(Identity { server, said, models: model_ids(&listed) })
}

async fn facts(probe: &Probe, list: &Reply, listed: &Value) -> Facts {
    let owner = owner(listed);
    let version = match owner.as_deref() {
        // Its API has a path of its own, its version has not.
        Some("llama_stack") => field(&probe.at_origin(), "/v1/version", "version").await,
        _ => field(probe, "/version", "version").await,
    };
    Facts {
        header: list.server.clone(),
        version,
        ollama: field(probe, "/api/version", "version").await,
        litellm: field(probe, "/health/readiness/details", "litellm_version").await,
        build: field(probe, "/props", "build_info").await,
        owner,
    }
}

/// `llama.cpp (xllamacpp 2026.10.11549)`: the setup's profile, and the first package, which is the server's by convention where
/// the server is a Python program.
pub(super) fn provisioned(setup: &SetupSpec) -> Option<String> {
    let asked = order::asked(&setup.services)?;
    setup.services[asked].command.first().filter(|program| *program == "<python>")?;
    let python = setup.provision.as_ref()?.python.as_ref()?;
    let (package, version) = super::provision::packages_here(python).first()?.split_once("==")?;
    let package = package.split('[').next()?;
    Some(match setup.profile.as_deref() {
        Some(profile) if profile != package => format!("{profile} ({package} {version})"),
        _ => format!("{package} {version}"),
    })
}

async fn field(probe: &Probe, path: &str, key: &str) -> Option<String> {
    // Any failure here only means that it is another kind of server.
    let reply = probe.get(path, PATIENCE).await.ok().filter(|reply| reply.status == 200)?;
    Some(reply.json()?.get(key)?.as_str()?.to_owned())
}

/// The best name that the server's own words allow; the most specific fact wins.
fn said(facts: &Facts) -> Option<String> {
    if let Some(version) = &facts.ollama {
        return Some(format!("ollama {version}"));
    }
    if let Some(version) = &facts.litellm {
        return Some(format!("litellm {version}"));
    }
    if let Some(build) = &facts.build {
        // A library build does not know its number.
        let known = !build.starts_with("b0-");
        return Some(if known { format!("llama.cpp {build}") } else { "llama.cpp".to_owned() });
    }
    let owner = facts.owner.as_deref()?;
    Some(match (owner, &facts.version) {
        (owner, Some(version)) => format!("{} {version}", owner.replace('_', "-")),
        ("llamacpp", None) => "llama.cpp".to_owned(),
        ("llama_stack", None) => "llama-stack".to_owned(),
        (owner, None) if OPENAI.contains(&owner) => "openai".to_owned(),
        (owner, None) => owner.to_owned(),
    })
}

/// A guess by the `Server` header, which often names no more than a web framework.
fn by_header(facts: &Facts) -> Option<String> {
    let header = facts.header.as_deref()?;
    Some(if header.starts_with("BaseHTTP/") { "mlx-lm".to_owned() } else { header.to_owned() })
}

/// Owners of models that OpenAI itself serves.
const OPENAI: [&str; 3] = ["system", "openai", "openai-internal"];

fn owner(listed: &Value) -> Option<String> {
    let rows = listed.get("data").and_then(Value::as_array).into_iter().flatten();
    let owners: Vec<&str> = rows.filter_map(|row| row.get("owned_by")?.as_str()).filter(|owner| !owner.is_empty()).collect();
    owners.iter().find(|owner| OPENAI.contains(owner)).or_else(|| owners.first()).map(|&owner| owner.to_owned())
}

fn model_ids(listed: &Value) -> Vec<String> {
    let rows = listed.get("data").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| row.get("id")?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(facts: &Facts, expect: Option<&str>) {
        assert_eq!(said(facts).or_else(|| by_header(facts)).as_deref(), expect);
    }

    #[test]
    fn the_most_specific_fact_names_the_server() {
        let some = |text: &str| Some(text.to_owned());
        check(&Facts::default(), None);
        check(&Facts { version: some("1"), ..Facts::default() }, None);
        check(&Facts { header: some("uvicorn"), ..Facts::default() }, Some("uvicorn"));
        check(
            &Facts { header: some("uvicorn"), owner: some("vllm"), version: some("0.32.0"), ..Facts::default() },
            Some("vllm 0.32.0"),
        );
        check(&Facts { owner: some("library"), ollama: some("0.17.4"), ..Facts::default() }, Some("ollama 0.17.4"));
        check(&Facts { owner: some("openai"), litellm: some("1.106.2"), ..Facts::default() }, Some("litellm 1.106.2"));
        let build = Facts { owner: some("llamacpp"), build: some("b11549-abc"), ..Facts::default() };
        check(&build, Some("llama.cpp b11549-abc"));
        check(&Facts { build: some("b0-unknown"), ..Facts::default() }, Some("llama.cpp"));
        check(&Facts { owner: some("llama_stack"), version: some("0.2.12"), ..Facts::default() }, Some("llama-stack 0.2.12"));
        check(&Facts { owner: some("llama_stack"), ..Facts::default() }, Some("llama-stack"));
        check(&Facts { header: some("llama.cpp"), owner: some("llamacpp"), ..Facts::default() }, Some("llama.cpp"));
        check(&Facts { header: some("BaseHTTP/0.6 Python/3.11.7"), ..Facts::default() }, Some("mlx-lm"));
        check(&Facts { header: some("cloudflare"), owner: some("openai"), ..Facts::default() }, Some("openai"));
    }

    #[test]
    fn a_name_is_like_a_word_that_it_begins_with() {
        for (said, like, expect) in [
            ("llama.cpp b11549-abc", "llama.cpp", true),
            ("llama.cpp", "llama.cpp", true),
            ("vLLM 0.32.0", "vllm", true),
            ("llama.cpp", "llama", true),
            ("llama.cpp", "ollama", false),
            ("ollama 0.17.4", "llama", false),
            ("vllm-omni 1", "vllm", true),
            ("vllmx 1", "vllm", false),
            ("anything", "", false),
        ] {
            assert_eq!(is_like(said, like), expect, "{said} {like}");
        }
    }

    /// What is said of a server that calls itself so, under a setup whose profile is about Ollama; `None` where it is met.
    #[track_caller]
    fn meets(said: Option<&str>, ours: bool, expect: Option<&str>) {
        let identity = Identity { server: String::new(), said: said.map(str::to_owned), models: Vec::new() };
        let setup = SetupSpec { name: "mine".to_owned(), ..SetupSpec::default() };
        let profile: ProfileSpec = serde_yaml::from_str("{name: ollama-here, server: {like: ollama}}").unwrap();
        let error = identity.meets(&setup, &profile, "http://h:1", ours).err().map(|error| error.message);
        let meant = "the setup `mine` is for a server like `ollama` (profile `ollama-here`), and ";
        assert_eq!(error.as_deref().map(|error| error.strip_prefix(meant).unwrap_or(error)), expect);
    }

    #[test]
    fn a_profile_that_names_no_server_meets_any() {
        let identity = Identity { server: String::new(), said: Some("llama.cpp b1".to_owned()), models: Vec::new() };
        let profile: ProfileSpec = serde_yaml::from_str("{name: open}").unwrap();
        assert_eq!(identity.meets(&SetupSpec::default(), &profile, "http://h:1", false), Ok(()));
    }

    #[test]
    fn the_profile_is_held_against_the_server() {
        let attached =
            "correct the address, or take a setup whose profile is about that server (--url without a setup claims none)";
        meets(Some("ollama 0.17.4"), false, None);
        meets(Some("ollama 0.17.4"), true, None);
        meets(None, true, None);
        meets(None, false, Some(&format!("the server at http://h:1 does not say what it is; {attached}")));
        meets(Some("llama.cpp b1"), false, Some(&format!("`llama.cpp b1` answers at http://h:1; {attached}")));
        let ours = "`llama.cpp b1` answers at http://h:1; correct the setup's `profile`, or its `command`";
        meets(Some("llama.cpp b1"), true, Some(ours));
    }

    #[test]
    fn the_provisioned_package_names_our_own_server() {
        let setup = |text: &str| -> SetupSpec { serde_yaml::from_str(text).unwrap() };
        let python = "provision: {python: {packages: [\"xllamacpp[x]==1.2\", \"numpy==2\"], licence: MIT, size: 1 MB}}";
        let run = |program: &str| format!("services: {{server: {{command: [\"{program}\", serve]}}}}");
        let of = |head: &str| provisioned(&setup(&format!("name: a\n{head}\n{python}\n{}", run("<python>"))));
        assert_eq!(of("profile: llama.cpp").as_deref(), Some("llama.cpp (xllamacpp 1.2)"));
        assert_eq!(of("profile: xllamacpp").as_deref(), Some("xllamacpp 1.2"));
        assert_eq!(of("").as_deref(), Some("xllamacpp 1.2"));
        assert_eq!(provisioned(&setup("name: a")), None);
        assert_eq!(provisioned(&setup(&format!("name: a\n{python}\n{}", run("ollama")))), None);
    }

    #[test]
    fn models_are_listed_and_a_broken_list_is_empty() {
        assert_eq!(model_ids(&json!({"data": [{"id": "a"}, {"nope": 1}, {"id": "b"}]})), ["a", "b"]);
        assert!(model_ids(&Value::Null).is_empty());
        assert_eq!(owner(&json!({"data": [{"owned_by": ""}]})), None);
        let account = json!({"data": [{"owned_by": "acme-4711"}, {"owned_by": "system"}]});
        assert_eq!(owner(&account).as_deref(), Some("system"));
    }
}
