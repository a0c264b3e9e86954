//! `server:NAME[:PORT]`: the stack of a setup that is up here, a server on that port that proves to be it, or one that we start.
//!
//! What is reused has passed the identity handshake: it says that it is the server that the setup's profile is about, and it
//! lists the setup's models. A port that is merely taken is a stranger's, and is said with his name.

use super::kept::follow::Followed;
use super::kept::{self, Health, Record};
use super::os::{self, Listening};
use super::{Progress, Stack, StackError, StackOptions, handle, order};
use crate::event::StackPhase;
use crate::spec::{ProfileSpec, SetupSpec};

/// Which stack is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The setup.
    pub setup: &'a SetupSpec,
    /// Model id by role.
    pub models: &'a [(String, String)],
    /// What the setup's server is known by.
    pub profile: Option<&'a ProfileSpec>,
    /// Where its server must listen; `None`: anywhere.
    pub port: Option<u16>,
}

impl Stack {
    /// Attaches to the setup's stack if it runs, else starts it. What was not started here is not ended here.
    ///
    /// **Errors**: `infra.identity` where what runs is not, or no longer, the setup's stack; else as [`Stack::up`].
    pub async fn serve(wanted: &Wanted<'_>, options: &StackOptions, progress: Progress) -> Result<Self, StackError> {
        if let Some(stack) = kept_stack(wanted, options, &progress).await? {
            return Ok(stack);
        }
        if let Some(port) = wanted.port
            && let Listening::Stranger(who) = os::listening(port, None)
        {
            return at_port(wanted, port, &who, &options.environment, &progress).await;
        }
        let options = StackOptions { port: wanted.port, ..options.clone() };
        Self::up(wanted.setup, wanted.models, &options, progress).await
    }
}

/// The stack that `fireassay up` left, if there is one (on that port).
async fn kept_stack(wanted: &Wanted<'_>, options: &StackOptions, progress: &Progress) -> Result<Option<Stack>, StackError> {
    let (project, name) = (&options.project.root, &wanted.setup.name);
    let Some(record) = Record::load(project, name)? else { return Ok(None) };
    let port = reqwest::Url::parse(&record.url).ok().and_then(|url| url.port());
    if wanted.port.is_some() && port.is_some() && wanted.port != port {
        return Ok(None);
    }
    let checkup = kept::checkup(project, name, None).await?;
    let next = format!("`fireassay down {name}` ends it");
    match checkup.health {
        Health::Healthy => {}
        Health::Stopped => return Ok(None),
        Health::Crashed => {
            progress(
                StackPhase::Start,
                &format!("the stack `{name}` that was up crashed ({}); starting another", checkup.reason),
            );
            return Ok(None);
        }
        Health::Down | Health::Degraded => {
            let state = checkup.health.word();
            let message = format!("the stack `{name}` that is up is {state}: {}; {next}", checkup.reason);
            return Err(StackError::identity(message));
        }
    }
    if record.fingerprint != kept::fingerprint(wanted.setup) {
        let message = format!("the stack `{name}` that is up at {} is of another text of its setup; {next}", record.url);
        return Err(StackError::identity(message));
    }
    let stack = Stack::attach(&record.url, record.bearer(&options.environment)?).await?;
    proven(&stack, wanted)?;
    let stack = stack.follow(Followed::begin(project, name, wanted.setup.services.keys().map(String::as_str))?);
    progress(StackPhase::Ready, &format!("uses the stack that is up since {} at {}", record.since, record.url));
    Ok(Some(stack))
}

/// The server that has the port, if it proves to be the setup's.
async fn at_port(
    wanted: &Wanted<'_>,
    port: u16,
    who: &str,
    environment: &[(String, String)],
    progress: &Progress,
) -> Result<Stack, StackError> {
    let name = &wanted.setup.name;
    let refuse = |why: &str| {
        // Here the next move is another one than for a server that was attached to.
        let (why, next) = (why.split("; ").next().unwrap_or(why), "end it, or name another port");
        StackError::identity(format!("port {port} is taken by {who}, which is not the stack `{name}`: {why}; {next}"))
    };
    // A key that is made for a stack is known to nobody else.
    let bearer = wanted.setup.auth.as_ref().filter(|auth| !auth.bearer.contains("<key>"));
    let bearer = bearer.map(|auth| handle::bearer_from(&auth.bearer, "", environment)).transpose()?;
    let asked = order::asked(&wanted.setup.services).map(|name| wanted.setup.services[name].base_path.as_str());
    let url = format!("http://127.0.0.1:{port}{}", asked.unwrap_or_default());
    let stack = Stack::attach(&url, bearer).await.map_err(|error| refuse(&error.message))?;
    if wanted.profile.is_none() {
        return Err(refuse("the setup names no profile to know it by"));
    }
    proven(&stack, wanted).map_err(|error| refuse(&error.message))?;
    let server = stack.server();
    progress(StackPhase::Ready, &format!("uses the server at {url}: it answers as `{name}` ({server}); it is {who}"));
    Ok(stack)
}

/// It is the server that the profile is about, and has the models of the setup.
fn proven(stack: &Stack, wanted: &Wanted<'_>) -> Result<(), StackError> {
    if let Some(profile) = wanted.profile {
        stack.meets(wanted.setup, profile)?;
    }
    let of_setup = || wanted.setup.models.values().filter_map(|models| models.all().first());
    let models: Vec<&String> =
        if wanted.models.is_empty() { of_setup().collect() } else { wanted.models.iter().map(|(_, model)| model).collect() };
    let missing = models.into_iter().find(|model| !stack.models().contains(model));
    match missing {
        Some(model) if !stack.models().is_empty() => {
            let listed = stack.models().join(", ");
            Err(StackError::identity(format!("it does not list the model `{model}` (it lists {listed})")))
        }
        _ => Ok(()),
    }
}
