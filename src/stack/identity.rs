//! Who answers? Before the first step we know that the server is the one meant, and what it calls itself.

use std::time::Duration;

use serde_json::Value;

use super::StackError;
use super::probe::Probe;
use crate::spec::SetupSpec;

const PATIENCE: Duration = Duration::from_secs(15);

/// Name and models of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub server: String,
    pub models: Vec<String>,
}

/// What a server tells of itself.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// The `Server` header of any answer.
    header: Option<String>,
    /// `/version`: vLLM and its kin.
    version: Option<String>,
    /// `/api/version`: Ollama.
    ollama: Option<String>,
    /// `/props`: llama.cpp's `build_info`.
    build: Option<String>,
    /// `owned_by` of the first model.
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
    let mut facts = Facts { header: list.server.clone(), owner: first_owner(&listed), ..Facts::default() };
    facts.version = field(probe, "/version", "version").await;
    facts.ollama = field(probe, "/api/version", "version").await;
    facts.build = field(probe, "/props", "build_info").await;
    Ok(Identity { server: name(&facts), models: model_ids(&listed) })
}

/// Who our own child is: the provisioned package, and the models that the server lists.
pub(super) async fn of_ours(probe: &Probe, setup: &SetupSpec) -> Result<Identity, StackError> {
    let list = probe
        .get("/v1/models", PATIENCE)
        .await
        .map_err(|error| StackError::identity(format!("the server does not list its models ({error})")))?;
    let models = list.json().map(|listed| model_ids(&listed)).unwrap_or_default();
    let server = match provisioned(setup) {
        Some(server) => server,
        None => of_attached(probe, "the server").await?.server,
    };
    Ok(Identity { server, models })
}

/// `llama.cpp (xllamacpp 2026.10.11549)`: the setup's profile, and the first package, which is the server's by convention.
pub(super) fn provisioned(setup: &SetupSpec) -> Option<String> {
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

/// The best name that the facts allow; the most specific fact wins.
fn name(facts: &Facts) -> String {
    let owner = facts.owner.as_deref();
    if let Some(version) = &facts.ollama {
        return format!("ollama {version}");
    }
    if let Some(build) = &facts.build {
        // A library build does not know its number.
        let known = !build.starts_with("b0-");
        return if known { format!("llama.cpp {build}") } else { "llama.cpp".to_owned() };
    }
    if let Some(version) = &facts.version {
        return format!("{} {version}", owner.unwrap_or("unknown server"));
    }
    match (owner, facts.header.as_deref()) {
        (Some("llamacpp"), _) => "llama.cpp".to_owned(),
        (Some("system" | "openai" | "openai-internal"), _) => "openai".to_owned(),
        (_, Some(header)) if header.starts_with("BaseHTTP/") => "mlx-lm".to_owned(),
        (Some(owner), _) => owner.to_owned(),
        (None, Some(header)) => header.to_owned(),
        (None, None) => "unknown server".to_owned(),
    }
}

fn first_owner(listed: &Value) -> Option<String> {
    let owner = listed.pointer("/data/0/owned_by")?.as_str()?;
    (!owner.is_empty()).then(|| owner.to_owned())
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
    fn check(facts: &Facts, expect: &str) {
        assert_eq!(name(facts), expect);
    }

    #[test]
    fn the_most_specific_fact_names_the_server() {
        let some = |text: &str| Some(text.to_owned());
        check(&Facts::default(), "unknown server");
        check(&Facts { header: some("uvicorn"), ..Facts::default() }, "uvicorn");
        check(
            &Facts { header: some("uvicorn"), owner: some("vllm"), version: some("0.32.0"), ..Facts::default() },
            "vllm 0.32.0",
        );
        check(&Facts { owner: some("library"), ollama: some("0.17.4"), ..Facts::default() }, "ollama 0.17.4");
        check(&Facts { owner: some("llamacpp"), build: some("b11549-abc"), ..Facts::default() }, "llama.cpp b11549-abc");
        check(&Facts { build: some("b0-unknown"), ..Facts::default() }, "llama.cpp");
        check(&Facts { header: some("llama.cpp"), owner: some("llamacpp"), ..Facts::default() }, "llama.cpp");
        check(&Facts { header: some("BaseHTTP/0.6 Python/3.11.7"), ..Facts::default() }, "mlx-lm");
        check(&Facts { header: some("cloudflare"), owner: some("openai"), ..Facts::default() }, "openai");
    }

    #[test]
    fn the_provisioned_package_names_our_own_server() {
        let setup = |text: &str| -> SetupSpec { serde_yaml::from_str(text).unwrap() };
        let python = "provision: {python: {packages: [\"xllamacpp[x]==1.2\", \"numpy==2\"], licence: MIT, size: 1 MB}}";
        let of = |head: &str| provisioned(&setup(&format!("name: a\n{head}\n{python}")));
        assert_eq!(of("profile: llama.cpp").as_deref(), Some("llama.cpp (xllamacpp 1.2)"));
        assert_eq!(of("profile: xllamacpp").as_deref(), Some("xllamacpp 1.2"));
        assert_eq!(of("").as_deref(), Some("xllamacpp 1.2"));
        assert_eq!(provisioned(&setup("name: a")), None);
    }

    #[test]
    fn models_are_listed_and_a_broken_list_is_empty() {
        assert_eq!(model_ids(&json!({"data": [{"id": "a"}, {"nope": 1}, {"id": "b"}]})), ["a", "b"]);
        assert!(model_ids(&Value::Null).is_empty());
        assert_eq!(first_owner(&json!({"data": [{"owned_by": ""}]})), None);
    }
}
