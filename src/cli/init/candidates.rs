//! What could be taken: shipped setups, servers that run, weights that lie here, and the rest of the catalogue with what it lacks.

use std::path::PathBuf;

use crate::cli::discover::Found;
use crate::models::score::Candidate;
use crate::models::stores::StoredModel;
use crate::models::{Estimate, Gguf, template};
use crate::source::SourceMap;
use crate::spec::files::{Kind, Project};
use crate::spec::models::{Intent, Repo, parse_parameters};
use crate::spec::{ModelSpec, ModelsSpec, SetupSpec, load_profile, load_setup};

/// Context that a server of ours is given. **Units**: tokens.
pub(super) const CONTEXT: u32 = 8192;

/// A candidate and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub candidate: Candidate,
    pub way: Way,
}

/// How a model is served.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// A shipped setup serves it.
    Shipped(String),
    /// A server that runs already has it.
    Server { url: String, server: String, model: String, profile: Option<String> },
    /// llama.cpp serves a file that is here; its alias.
    File { path: PathBuf, alias: String },
    /// OpenAI serves it.
    Service(String),
    /// Not by us.
    Nowhere,
}

impl Choice {
    /// What whoever takes it has to know.
    pub(super) fn note(&self) -> Option<&'static str> {
        match &self.way {
            Way::Shipped(_) if !self.candidate.here => Some("the first run fetches what it needs, once"),
            Way::Service(_) => Some("every run asks a service that costs money"),
            _ => None,
        }
    }
}

/// All candidates: what is here first, then the catalogue.
pub(super) fn gather(project: &Project, catalogue: &ModelsSpec, found: &Found) -> Vec<Choice> {
    let lookup = |name: &str| std::env::var(name).ok();
    let setups = shipped(project);
    let mut all = Vec::new();
    for server in &found.servers {
        let Ok(name) = &server.server else { continue };
        let profile = profile_of(project, name);
        for model in server.models.iter().take(50) {
            let known = catalogue.models.values().find(|entry| is_named(entry, model));
            let way =
                Way::Server { url: server.url.clone(), server: name.clone(), model: model.clone(), profile: profile.clone() };
            let candidate = Candidate { here: true, served: true, ..of_entry(&format!("{model} at {}", server.url), known) };
            all.push(Choice { candidate, way });
        }
    }
    let llamacpp = setups.iter().find(|setup| setup.name == "llamacpp");
    for (tool, model) in found.stores.iter().flat_map(|store| store.models.iter().map(move |model| (store.tool, model))) {
        all.extend(stored(tool, model, llamacpp, project));
    }
    for (name, entry) in &catalogue.models {
        let serves = |setup: &&SetupSpec| setup.needs.weights.as_ref().and_then(|need| need.model.as_deref()) == Some(name);
        let named = setups.iter().find(|setup| entry.setup.as_ref() == Some(&setup.name));
        // Else of several the one that stands on its own: others extend it, those that were made here among them.
        let setup =
            named.or_else(|| setups.iter().filter(serves).min_by_key(|setup| (setup.extends.is_some(), setup.name.len())));
        let mut candidate = of_entry(name, Some(entry));
        let way = match (setup, Repo::parse(&entry.repo)) {
            (Some(setup), _) => {
                candidate.here = crate::stack::is_provisioned(setup, project);
                candidate.out_of_reach = crate::stack::unmet(setup, project, &lookup);
                Way::Shipped(setup.name.clone())
            }
            (None, Ok(Repo::OpenAi(model))) => {
                candidate.served = true;
                let key = lookup("OPENAI_API_KEY").is_some_and(|key| !key.is_empty());
                candidate.out_of_reach = (!key).then(|| "export OPENAI_API_KEY=… first; it costs money".to_owned());
                Way::Service(model)
            }
            (None, Ok(Repo::Ollama { name, tag })) => {
                candidate.out_of_reach = Some(format!("`ollama pull {name}:{tag}`, and let Ollama run"));
                Way::Nowhere
            }
            (None, Ok(Repo::Hub(repo))) => {
                candidate.out_of_reach = Some(format!("start a server with {repo}"));
                Way::Nowhere
            }
            (None, _) => {
                candidate.out_of_reach = Some("no shipped setup serves it".to_owned());
                Way::Nowhere
            }
        };
        all.push(Choice { candidate, way });
    }
    all
}

/// Every setup that can be read; mistakes are said where they are checked.
fn shipped(project: &Project) -> Vec<SetupSpec> {
    let names = project.names(Kind::Setup);
    let paths = names.iter().filter_map(|name| project.find(Kind::Setup, name));
    let loaded = paths.filter_map(|path| load_setup(project, &mut SourceMap::new(), &path).0);
    loaded.map(|loaded| loaded.spec).filter(|setup| !setup.services.is_empty()).collect()
}

/// The profile that is about such a server.
fn profile_of(project: &Project, server: &str) -> Option<String> {
    let server = server.to_lowercase();
    let names = project.names(Kind::Profile);
    let paths = names.iter().filter_map(|name| project.find(Kind::Profile, name));
    let mut profiles = paths.filter_map(|path| load_profile(project, &mut SourceMap::new(), &path).0);
    profiles.find(|profile| server.starts_with(&profile.spec.server.like.to_lowercase())).map(|profile| profile.spec.name)
}

/// Whether an id that a server lists is this entry of the catalogue.
fn is_named(entry: &ModelSpec, id: &str) -> bool {
    match Repo::parse(&entry.repo) {
        Ok(Repo::Ollama { name, tag }) => id == format!("{name}:{tag}") || tag == "latest" && id == name,
        Ok(Repo::Hub(repo)) => id == repo,
        Ok(Repo::OpenAi(name)) => id == name,
        _ => false,
    }
}

fn of_entry(name: &str, entry: Option<&ModelSpec>) -> Candidate {
    let context = |entry: &ModelSpec| u64::from(entry.context.unwrap_or(CONTEXT).min(CONTEXT));
    Candidate {
        name: name.to_owned(),
        intents: entry.map(|entry| entry.intents.clone()).unwrap_or_default(),
        abilities: entry.map(|entry| entry.abilities.clone()).unwrap_or_default(),
        parameters: entry.and_then(|entry| parse_parameters(entry.parameters.as_deref()?).ok()),
        wanted: entry.and_then(|entry| Some(Estimate::of_entry(entry, Some(context(entry)))?.wanted())),
        here: false,
        served: false,
        gated: entry.and_then(|entry| entry.gated),
        out_of_reach: None,
    }
}

/// A GGUF file in a store, as llama.cpp would serve it.
fn stored(tool: &str, model: &StoredModel, llamacpp: Option<&SetupSpec>, project: &Project) -> Option<Choice> {
    if !model.gguf {
        return None;
    }
    let name = format!("{} ({tool})", model.name);
    let mut candidate = Candidate { here: true, gated: Some(false), ..of_entry(&name, None) };
    match (&model.broken, Gguf::read(&model.path)) {
        (Some(why), _) => candidate.out_of_reach = Some(why.clone()),
        (None, Err(error)) => candidate.out_of_reach = Some(error.to_string()),
        (None, Ok(header)) => {
            let offers = header.template.as_deref().map(template::offers);
            let can = |able: bool, word: &str| able.then(|| word.to_owned());
            candidate.abilities = match offers {
                None => vec!["completions".to_owned()],
                Some(offers) => {
                    let more = [can(offers.tools, "tools"), can(offers.thinking, "thinking")];
                    std::iter::once("chat".to_owned()).chain(more.into_iter().flatten()).collect()
                }
            };
            let coder = model.name.to_lowercase().contains("code");
            candidate.intents = if coder { vec![Intent::Code] } else { Vec::new() };
            candidate.parameters = (header.parameters > 0).then_some(header.parameters as f64);
            candidate.wanted = Some(Estimate::of_file(&header, Some(u64::from(CONTEXT))).wanted());
        }
    }
    let lookup = |name: &str| std::env::var(name).ok();
    let setup = llamacpp?;
    if candidate.out_of_reach.is_none() {
        candidate.out_of_reach = crate::stack::unmet(setup, project, &lookup);
    }
    let alias = crate::event::slug(&model.name);
    let path = model.path.canonicalize().unwrap_or_else(|_| model.path.clone());
    Some(Choice { candidate, way: Way::File { path, alias } })
}
