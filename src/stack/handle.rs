//! A running stack: [`Stack`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use nix::unistd::Pid;

use super::guardian::Guardian;
use super::identity::{self, Identity};
use super::kept::follow::Followed;
use super::logs::Logs;
use super::probe::Probe;
use super::process::Launch;
use super::provision::{Provisioned, provision};
use super::scratch::{Scratch, run_key};
use super::service::{Gone, Running, Start};
use super::usage::{Groups, Sampler, Watched};
use super::{StackError, fill, order};
use crate::event::StackPhase;
use crate::spec::env::expand_env;
use crate::spec::files::Project;
use crate::spec::setup::{PortSpec, Service};
use crate::spec::{ProfileSpec, SetupSpec};
use crate::wire::Secrets;

/// Where things go and how patient we are.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Cache folder (`FIREASSAY_CACHE`, else the platform's): [`super::cache_dir`].
    pub cache: PathBuf,
    /// Folder of the run record; service logs are written to `logs/NAME.log` in it.
    pub record: PathBuf,
    /// Source of `assets/…`.
    pub project: Project,
    /// Where the service that is asked must listen; `None`: as the setup says.
    pub port: Option<u16>,
    /// Variables that the setup reads before ours (`--env`).
    pub environment: Vec<(String, String)>,
    /// What must not be written; a stack adds its own keys, and what variables say whose names are those of secrets.
    pub secrets: Secrets,
}

/// A service that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Its name in the setup.
    pub name: String,
    /// Its process group, whose number is the first process's.
    pub group: Pid,
    /// Where it listens on this machine.
    pub port: u16,
    /// From the start of its process until it was ready.
    pub took: Duration,
}

/// Where a service can be asked itself, not through the stack.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Its name in the setup.
    pub name: String,
    /// Base address without trailing slash and without `/v1`.
    pub url: String,
    /// Bearer token that it takes.
    pub bearer: Option<String>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}

/// Called with a phase and one line for people; may be called often (download progress).
pub type Progress = Arc<dyn Fn(StackPhase, &str) + Send + Sync>;

/// A position in the service logs of each provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogMark(Vec<u64>);

/// Grace when we are in a hurry, because we were signalled ourselves.
const HURRY: Duration = Duration::from_secs(2);

/// A stack that answers. Stop it with [`Stack::down`]; a dropped one is killed.
#[derive(Debug)]
pub struct Stack {
    url: String,
    bearer: Option<String>,
    identity: Identity,
    /// Without one, the stack is attached.
    pub(super) life: Option<Life>,
    /// What a stack that was up already says.
    followed: Option<Followed>,
    /// Its name among the providers of a composed stack.
    called: Option<String>,
    /// The other providers of a composed stack, in the order written.
    beside: Vec<Self>,
}

/// The services of a stack of ours. Fields are dropped in this order: services, scratch, guardian.
#[derive(Debug)]
pub(super) struct Life {
    /// In start order.
    running: IndexMap<String, Running>,
    scratch: Scratch,
    guardian: Guardian,
    logs: Logs,
    setup: SetupSpec,
    models: IndexMap<String, String>,
    provisioned: Provisioned,
    key: String,
    bearer: Option<String>,
    /// Ports of an earlier start, which a restart keeps.
    ports: IndexMap<String, u16>,
    /// Where each service that was started is, or was, asked itself.
    addresses: IndexMap<String, Address>,
    /// Where the service that is asked must listen.
    port: Option<u16>,
    /// What samplers look at.
    groups: Groups,
    /// Variables that the setup reads before ours.
    environment: Vec<(String, String)>,
}

impl Stack {
    /// Provisions, starts in order, waits until ready and warm, and knows who answers. `models` is the model id by role.
    pub async fn up(
        setup: &SetupSpec,
        models: &[(String, String)],
        options: &StackOptions,
        progress: Progress,
    ) -> Result<Self, StackError> {
        let asked = order::asked(&setup.services).ok_or_else(|| {
            StackError::start(format!("the setup `{}` has no services to start; give its address with --url", setup.name))
        })?;
        let provisioned = provision(setup.provision.as_ref(), options, &progress).await?;
        let key = run_key()?;
        let bearer = bearer_of(setup, &key, &options.environment)?;
        let guardian = Guardian::start()?;
        let of_services = setup.services.values().filter_map(|service| service.auth.as_ref());
        let of_services =
            of_services.map(|auth| bearer_from(&auth.bearer, &key, &options.environment)).collect::<Result<Vec<_>, _>>()?;
        options.secrets.add(std::iter::once(key.clone()).chain(bearer.clone()).chain(of_services).collect());
        // Services have our environment, and may say what is in it.
        options.secrets.add_named(options.environment.iter().cloned().chain(std::env::vars()));
        let logs = Logs::create(Some(options.record.join("logs")), options.secrets.clone())?;
        let mut life = Life {
            running: IndexMap::new(),
            scratch: Scratch::create(&guardian)?,
            guardian,
            logs,
            setup: setup.clone(),
            models: models.iter().cloned().collect(),
            provisioned,
            key,
            bearer: bearer.clone(),
            ports: IndexMap::new(),
            addresses: IndexMap::new(),
            port: options.port,
            groups: Groups::default(),
            environment: options.environment.clone(),
        };
        match life.come_up(asked, bearer.as_deref(), &progress).await {
            Ok((url, identity)) => {
                Ok(Self { url, bearer, identity, life: Some(life), followed: None, called: None, beside: Vec::new() })
            }
            Err(error) => match life.stop(HURRY, &progress).await {
                Ok(_) => Err(error),
                Err(stop) => Err(error.and(&stop)),
            },
        }
    }

    /// Attaches to a stack that runs already: identity and model list, no life.
    pub async fn attach(url: &str, bearer: Option<String>) -> Result<Self, StackError> {
        let url = base_of(url);
        let identity = identity::of_attached(&Probe::new(&url, bearer.as_deref())?, &url).await?;
        Ok(Self { url, bearer, identity, life: None, followed: None, called: None, beside: Vec::new() })
    }

    /// Several stacks by their names as one; the first one's address, token and logs are its own. `None` without any.
    pub fn composed(parts: Vec<(String, Self)>) -> Option<Self> {
        let mut parts = parts.into_iter().map(|(called, stack)| Self { called: Some(called), ..stack });
        let mut first = parts.next()?;
        first.beside = parts.collect();
        for other in &first.beside {
            first.identity.server = format!("{} + {}", first.identity.server, other.identity.server);
            let new = other.identity.models.iter().filter(|model| !first.identity.models.contains(model));
            let new: Vec<String> = new.cloned().collect();
            first.identity.models.extend(new);
        }
        Some(first)
    }

    /// The providers of a composed stack in the order written; else itself.
    pub fn providers(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.beside)
    }

    /// Base address without trailing slash and without `/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Bearer token for requests; made for this run, or the author's.
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// Server name and version as reported or provisioned.
    pub fn server(&self) -> &str {
        &self.identity.server
    }

    /// Models as listed by the server.
    pub fn models(&self) -> &[String] {
        &self.identity.models
    }

    /// An error, naming what was meant and what was met, unless this is the server that the profile is about.
    pub fn meets(&self, setup: &SetupSpec, profile: &ProfileSpec) -> Result<(), StackError> {
        self.identity.meets(setup, profile, &self.url, self.life.is_some())
    }

    /// Whether it says what it is, or is our own child.
    pub fn is_known(&self) -> bool {
        self.providers().all(|stack| stack.identity.said.is_some() || stack.life.is_some())
    }

    /// Where the logs stand now; always the same for a stack whose logs nobody here has.
    pub fn log_mark(&self) -> LogMark {
        LogMark(self.providers().map(|stack| stack.logs().map_or(0, Logs::mark)).collect())
    }

    /// Log lines since a mark, at most `cap` bytes (head and tail) of each provider; empty for a stack whose logs nobody here
    /// has.
    pub fn log_since(&self, mark: &LogMark, cap: usize) -> String {
        let since = |(number, stack): (usize, &Self)| {
            let lines = stack.logs()?.since(mark.0.get(number).copied().unwrap_or_default(), cap);
            let prefix = stack.called.as_ref().map(|called| format!("{called}: ")).unwrap_or_default();
            Some(lines.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>())
        };
        self.providers().enumerate().filter_map(since).collect()
    }

    /// Reads on what a stack that is up says, which nobody told us when it was attached to.
    pub(super) fn follow(self, followed: Followed) -> Self {
        Self { followed: Some(followed), ..self }
    }

    fn logs(&self) -> Option<&Logs> {
        self.life.as_ref().map(|life| &life.logs).or(self.followed.as_ref().map(Followed::logs))
    }

    /// The services of ours in start order; none for an attached stack.
    pub fn services(&self) -> Vec<Served> {
        let running = self.providers().flat_map(|stack| {
            let prefix = stack.called.as_ref().map(|called| format!("{called}.")).unwrap_or_default();
            stack.life.iter().flat_map(|life| &life.running).map(move |(name, running)| (format!("{prefix}{name}"), running))
        });
        let served = |(name, running): (String, &Running)| Served {
            name,
            group: running.group(),
            port: running.port(),
            took: running.took(),
        };
        running.map(served).collect()
    }

    /// Takes samples of what the services of ours take; `None` for an attached stack, or where the system does not tell.
    pub fn sampler(&self) -> Option<Sampler> {
        let groups = self.providers().filter_map(|stack| Some((stack.called.clone(), Arc::clone(&stack.life.as_ref()?.groups))));
        Sampler::new(groups.collect())
    }

    /// The services of ours that have ended by themselves: how, with their last words.
    pub fn ended(&mut self) -> Vec<(String, String)> {
        let Some(life) = &mut self.life else { return Vec::new() };
        let ended = |(name, running): (&String, &mut Running)| Some((name.clone(), running.ended(&life.logs)?));
        life.running.iter_mut().filter_map(ended).collect()
    }

    /// The key that was made for this stack; empty for an attached one.
    pub(super) fn key(&self) -> &str {
        self.life.as_ref().map_or("", |life| &life.key)
    }

    /// The model that a role has in this stack, if it is one of ours.
    pub(super) fn model(&self, role: &str) -> Option<String> {
        self.life.as_ref()?.model_of(role)
    }

    /// Whether every service of ours still lives; the error names the one that died, with its log's tail.
    pub fn alive(&mut self) -> Result<(), StackError> {
        for life in std::iter::once(&mut self.life).chain(self.beside.iter_mut().map(|other| &mut other.life)).flatten() {
            life.running.values_mut().try_for_each(|running| running.alive(&life.logs))?;
        }
        Ok(())
    }

    /// Whether services of it were started by this run.
    pub fn is_ours(&self) -> bool {
        self.life.is_some() || self.beside.iter().any(|other| other.life.is_some())
    }

    /// Stops and starts the services again on the same ports (after a destructive scenario); attached stacks: no-op.
    pub async fn restart(&mut self, progress: Progress) -> Result<(), StackError> {
        for life in std::iter::once(&mut self.life).chain(self.beside.iter_mut().map(|other| &mut other.life)).flatten() {
            life.stop(Duration::MAX, &progress).await?;
            life.start(&progress).await?;
        }
        Ok(())
    }

    /// Where each service of a stack of ours can be asked itself; none for an attached or a composed stack.
    pub fn addresses(&self) -> Vec<Address> {
        let life = self.life.as_ref().filter(|_| self.beside.is_empty());
        life.map(|life| life.addresses.values().cloned().collect()).unwrap_or_default()
    }

    /// Stops in reverse order; `hurry` caps the grace at 2 s. Verifies that ports are closed and groups are gone.
    pub async fn down(mut self, hurry: bool, progress: Progress) -> Result<(), StackError> {
        let grace = if hurry { HURRY } else { Duration::MAX };
        let mut result = Ok(());
        for stack in self.beside.iter_mut().rev().map(|other| &mut other.life).chain([&mut self.life]) {
            if let Some(mut life) = stack.take() {
                result = result.and(life.stop(grace, &progress).await.map(drop));
            }
        }
        result
    }
}

impl Life {
    /// Starts all services, and asks the one that is meant who it is.
    async fn come_up(
        &mut self,
        asked: &str,
        bearer: Option<&str>,
        progress: &Progress,
    ) -> Result<(String, Identity), StackError> {
        self.start(progress).await?;
        let url = format!("http://127.0.0.1:{}{}", self.running[asked].port(), self.setup.services[asked].base_path);
        let identity = identity::of_ours(&Probe::new(&url, bearer)?, &self.setup).await?;
        Ok((url, identity))
    }

    /// Starts those that do not run, in order.
    pub(super) async fn start(&mut self, progress: &Progress) -> Result<(), StackError> {
        let setup = self.setup.clone();
        for name in order::order(&setup.services)? {
            if !self.running.contains_key(name) {
                self.start_one(name, progress).await?;
            }
        }
        Ok(())
    }

    /// Starts a service of the setup that does not run, on its port where it had one.
    pub(super) async fn start_one(&mut self, name: &str, progress: &Progress) -> Result<(), StackError> {
        let setup = self.setup.clone();
        let service = &setup.services[name];
        let port = match (service.port, self.port.filter(|_| order::asked(&setup.services) == Some(name))) {
            (_, Some(port)) | (PortSpec::Fixed(port), None) => Some(port),
            (PortSpec::Auto, None) => self.ports.get(name).copied(),
        };
        let warm_up = service.warm_up.as_ref().map(|warm_up| self.model(name, &warm_up.chat)).transpose()?;
        let bearer = self.bearer_for(service)?;
        let start = Start {
            name,
            service,
            port,
            launch: &|port| self.launch(name, service, port),
            warm_up: warm_up.as_deref(),
            bearer: bearer.as_deref(),
            guardian: &self.guardian,
            logs: &self.logs,
            progress,
        };
        let running = Running::start(&start).await?;
        self.ports.insert(name.to_owned(), running.port());
        let url = format!("http://127.0.0.1:{}{}", running.port(), service.base_path);
        self.addresses.insert(name.to_owned(), Address { name: name.to_owned(), url, bearer });
        let watched = Watched { name: name.to_owned(), group: running.group(), limit: service.limits.memory.clone() };
        self.groups().push(watched);
        self.running.insert(name.to_owned(), running);
        // One that comes back later is ended in the same order as if it had never been away.
        let order = order::order(&setup.services)?;
        self.running.sort_by_key(|name, _| order.iter().position(|known| known == name));
        Ok(())
    }

    /// Stops all, even when one of them resists; how each ended, or the first error.
    pub(super) async fn stop(&mut self, grace_at_most: Duration, progress: &Progress) -> Result<Vec<Gone>, StackError> {
        let mut result = Ok(Vec::new());
        self.groups().clear();
        while let Some((_, running)) = self.running.pop() {
            let stopped = running.stop(grace_at_most, progress).await;
            result = result.and_then(|mut gone| {
                gone.push(stopped?);
                Ok(gone)
            });
        }
        result
    }

    /// Kills a service, so that it no longer counts among those that run; `None` where it does not run.
    pub(super) async fn kill(&mut self, name: &str, progress: &Progress) -> Result<Option<Gone>, StackError> {
        let Some(running) = self.running.shift_remove(name) else { return Ok(None) };
        self.groups().retain(|watched| watched.name != name);
        running.kill(progress).await.map(Some)
    }

    /// Whether a service runs, as far as we have not ended it; `None` where the setup has no such service.
    pub(super) fn runs(&self, name: &str) -> Option<bool> {
        self.setup.services.contains_key(name).then(|| self.running.contains_key(name))
    }

    /// The token that a service takes where it is asked itself.
    fn bearer_for(&self, service: &Service) -> Result<Option<String>, StackError> {
        match &service.auth {
            Some(auth) => bearer_from(&auth.bearer, &self.key, &self.environment).map(Some),
            None => Ok(self.bearer.clone()),
        }
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Vec<Watched>> {
        self.groups.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn model_of(&self, role: &str) -> Option<String> {
        let of_setup = || self.setup.models.get(role).and_then(|models| models.all().first());
        self.models.get(role).or_else(of_setup).cloned()
    }

    fn model(&self, service: &str, role: &str) -> Result<String, StackError> {
        self.model_of(role).ok_or_else(|| {
            StackError::start(format!("the warm-up of `{service}` asks a model for `{role}`, and the setup names none"))
        })
    }

    fn launch(&self, name: &str, service: &Service, port: u16) -> Result<Launch, StackError> {
        let value = |placeholder: &str| match placeholder {
            "port" => Some(port.to_string()),
            "key" => Some(self.key.clone()),
            "scratch" => Some(self.scratch.path().display().to_string()),
            "fireassay" => std::env::current_exe().ok().map(|program| program.display().to_string()),
            other => match other.strip_prefix("port:") {
                Some(other) => self.ports.get(other).map(u16::to_string),
                None => self.provisioned.placeholder(other),
            },
        };
        let filled = |text: &str| {
            let text = from_environment(text, &self.environment)?;
            fill::fill(&text, &value)
                .map_err(|missing| StackError::start(format!("`{missing}` has no value in the service `{name}`")))
        };
        let words = service.command.iter().map(|word| filled(word)).collect::<Result<_, _>>()?;
        let mut env = Vec::new();
        for (key, text) in &service.env {
            // A variable that points to an optional item which could not be had is not set.
            if !self.names_absent_item(text) {
                env.push((key.clone(), Some(filled(text)?).filter(|value| !value.is_empty())));
            }
        }
        Ok(Launch { name: name.to_owned(), words, env, folder: Some(self.scratch.path().to_owned()) })
    }

    /// Whether a text names an optional item that is not there.
    fn names_absent_item(&self, text: &str) -> bool {
        let provision = self.setup.provision.iter();
        let mut optional = provision.flat_map(|provision| &provision.debian).filter(|files| files.optional);
        optional
            .any(|files| text.contains(&format!("<files>/{}", files.name)) && !self.provisioned.files.join(&files.name).exists())
    }
}

/// The token that requests carry: `<key>` is this run's.
fn bearer_of(setup: &SetupSpec, key: &str, environment: &[(String, String)]) -> Result<Option<String>, StackError> {
    setup.auth.as_ref().map(|auth| bearer_from(&auth.bearer, key, environment)).transpose()
}

/// The token of an `auth: {bearer: …}`.
pub(super) fn bearer_from(text: &str, key: &str, environment: &[(String, String)]) -> Result<String, StackError> {
    let text = from_environment(text, environment)?;
    let value = |name: &str| (name == "key").then(|| key.to_owned());
    fill::fill(&text, &value).map_err(|missing| StackError::start(format!("`{missing}` has no value in `auth`")))
}

fn from_environment(text: &str, environment: &[(String, String)]) -> Result<String, StackError> {
    let unset = |names: Vec<String>| {
        StackError::start(format!("the setup reads environment variables that are not set: {}", names.join(", ")))
    };
    let given = |name: &str| environment.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    expand_env(text, |name| given(name).or_else(|| std::env::var(name).ok())).map_err(unset)
}

/// An address without trailing slashes and `/v1`; one without a scheme is `http://`.
pub(super) fn base_of(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    let url = url.strip_suffix("/v1").unwrap_or(url).trim_end_matches('/');
    if url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_with_or_without_their_ends() {
        for url in ["http://h:1", "http://h:1/", "http://h:1/v1", " http://h:1/v1/ ", "h:1/v1"] {
            assert_eq!(base_of(url), "http://h:1", "{url}");
        }
        assert_eq!(base_of("https://h/openai/v1"), "https://h/openai");
    }
}
