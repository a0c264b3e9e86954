//! What is missing here, and which command brings it? The same questions as before a run, each answered, none left out.
//!
//! What cannot be looked at is *unknown*, never fine.

use std::path::Path;
use std::time::Duration;

use super::cache::cache_dir_in;
use super::needs::{self, attaches};
use super::os::{Listening, listening};
use super::probe::Probe;
use super::{identity, provision, weights};
use crate::event::HostRecord;
use crate::host::{Sleep, free_disk, free_memory, is_pointer, on_path, pointers_in, sleep, version_of};
use crate::models::memory::amount;
use crate::spec::SetupSpec;
use crate::spec::env::{expand_env, missing_env};
use crate::spec::files::Project;
use crate::spec::setup::PortSpec;

/// Disk below which provisioning is likely to fail. **Units**: bytes.
const LITTLE_DISK: u64 = 2 << 30;
/// An attached server answers within this.
const PATIENCE: Duration = Duration::from_secs(10);

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Fine,
    /// It works, with a risk.
    Warning,
    /// It could not be looked at.
    Unknown,
    /// A run here would be skipped or fail.
    Missing,
}

impl Health {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What: `memory`, `commands`, `model cache`.
    pub about: &'static str,
    /// How it is.
    pub health: Health,
    /// What was seen.
    pub message: String,
    /// What brings it, where something does: a command, or words.
    pub next: Option<String>,
}

impl Diagnosis {
    fn fine(about: &'static str, message: impl Into<String>) -> Self {
        Self { about, health: Health::Fine, message: message.into(), next: None }
    }

    fn of(about: &'static str, health: Health, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { about, health, message: message.into(), next: Some(next.into()) }
    }

    /// Out of the reason for a skip: `needs the command …; install it: …`.
    fn unmet(about: &'static str, reason: &str) -> Self {
        let (message, next) = reason.split_once("; ").unwrap_or((reason, "see the setup's `needs`"));
        Self::of(about, Health::Missing, message, next)
    }
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The machine and the project, whatever setup is run.
pub fn examine_machine(project: &Project, host: &HostRecord, lookup: Lookup<'_>) -> Vec<Diagnosis> {
    let mut all = vec![tools(lookup), cache(lookup)];
    all.extend(asleep(lookup));
    all.extend(host.accelerators.iter().filter(|one| one.paravirtual).map(|one| {
        let message = format!("{} is a virtual machine's stand-in: work on it hangs or lies", one.name);
        Diagnosis::of("accelerator", Health::Warning, message, "run what needs Metal on the machine itself")
    }));
    let pointers = pointers_in(&project.root);
    all.push(match pointers.first() {
        None => Diagnosis::fine("lfs", "no file of the project is an LFS pointer"),
        Some(first) => {
            let others = if pointers.len() > 1 { format!(" and {} more", pointers.len() - 1) } else { String::new() };
            let message = format!("{}{others} is an LFS pointer in place of the file", first.display());
            Diagnosis::of("lfs", Health::Missing, message, "git lfs install && git lfs pull")
        }
    });
    all
}

/// uv, or the Python that puts it into the cache.
fn tools(lookup: Lookup<'_>) -> Diagnosis {
    let has =
        |name: &str| on_path(name, lookup).map(|_| version_of(name, lookup).unwrap_or_else(|| "of unknown version".to_owned()));
    match (has("uv"), has("python3")) {
        (Some(uv), _) => Diagnosis::fine("provisioning", format!("uv {uv}")),
        (None, Some(python)) => {
            Diagnosis::fine("provisioning", format!("python3 {python}; uv is put into the cache when it is needed"))
        }
        (None, None) => {
            let next = needs::how_to_install("python3");
            Diagnosis::of("provisioning", Health::Missing, "neither `uv` nor `python3` is on PATH", next)
        }
    }
}

fn cache(lookup: Lookup<'_>) -> Diagnosis {
    let folder = cache_dir_in(lookup);
    let shown = folder.display();
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    if nix::unistd::access(there, nix::unistd::AccessFlags::W_OK).is_err() {
        let message = format!("the cache {shown} cannot be written");
        return Diagnosis::of("disk", Health::Missing, message, "let FIREASSAY_CACHE name a folder that can be written");
    }
    match free_disk(&folder) {
        None => Diagnosis::of("disk", Health::Unknown, format!("nobody tells what is free at {shown}"), "look with `df`"),
        Some(free) if free < LITTLE_DISK => {
            let message = format!("only {} are free at the cache {shown}", amount(free));
            Diagnosis::of("disk", Health::Warning, message, "make room, or let FIREASSAY_CACHE name a folder on a bigger disk")
        }
        Some(free) => Diagnosis::fine("disk", format!("{} are free at the cache {shown}", amount(free))),
    }
}

fn asleep(lookup: Lookup<'_>) -> Option<Diagnosis> {
    Some(match sleep(lookup)? {
        Sleep::Never => Diagnosis::fine("sleep", "this Mac stays awake"),
        Sleep::After(minutes) => {
            let message = format!("this Mac sleeps after {minutes} min, also in the middle of a run");
            Diagnosis::of("sleep", Health::Warning, message, "caffeinate -ims fireassay run …, or: sudo pmset -a sleep 0")
        }
        Sleep::Unknown => Diagnosis::of("sleep", Health::Unknown, "pmset does not tell when this Mac sleeps", "pmset -g"),
    })
}

/// One setup: everything that it needs, and whether it is there.
pub async fn examine_setup(setup: &SetupSpec, project: &Project, lookup: Lookup<'_>) -> Vec<Diagnosis> {
    let mut all = vec![environment(setup, lookup)];
    let url = setup.attach.as_ref().map(|attach| expand_env(&attach.url, lookup));
    if attaches(setup, lookup) || setup.services.is_empty() {
        all.extend(match url {
            Some(Ok(url)) if !url.is_empty() => Some(server(setup, &url, lookup).await),
            _ => None,
        });
        return all;
    }
    all.push(match needs::platform(&setup.needs) {
        Some(reason) => Diagnosis::unmet("platform", &format!("{reason}; run it on such a machine")),
        None => Diagnosis::fine("platform", format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH)),
    });
    all.extend(setup.needs.commands.iter().map(|command| match (on_path(command, lookup), version_of(command, lookup)) {
        (None, _) => {
            let next = needs::how_to_install(command);
            Diagnosis::of("commands", Health::Missing, format!("`{command}` is not on PATH"), next)
        }
        (Some(_), Some(version)) => Diagnosis::fine("commands", format!("{command} {version}")),
        (Some(path), None) => Diagnosis::fine("commands", format!("{}, which tells no version", path.display())),
    }));
    if !setup.needs.accelerator.is_empty() {
        all.push(match needs::accelerator(&setup.needs, lookup) {
            Some(reason) => Diagnosis::unmet("accelerator", &reason),
            None => Diagnosis::fine("accelerator", format!("there is one: {}", setup.needs.accelerator.join(" or "))),
        });
    }
    let cache = cache_dir_in(lookup);
    all.extend(memory(setup, project, &cache, lookup));
    all.push(offline(setup, project, &cache));
    all.extend(ports(setup));
    all
}

fn environment(setup: &SetupSpec, lookup: Lookup<'_>) -> Diagnosis {
    let missing = missing_env(setup, lookup);
    match missing.first() {
        None if setup.needs.env.is_empty() => Diagnosis::fine("environment", "no variable is needed"),
        None => Diagnosis::fine("environment", "every variable that is needed is set or has a default"),
        Some(name) => {
            let message = format!("{} {} not set", missing.join(", "), if missing.len() == 1 { "is" } else { "are" });
            Diagnosis::of("environment", Health::Missing, message, format!("export {name}=…"))
        }
    }
}

/// Who answers at an address that the setup attaches to.
async fn server(setup: &SetupSpec, url: &str, lookup: Lookup<'_>) -> Diagnosis {
    let base = super::handle::base_of(url);
    let bearer = setup.auth.as_ref().filter(|auth| !auth.bearer.contains("<key>"));
    let bearer = bearer.and_then(|auth| expand_env(&auth.bearer, lookup).ok());
    let asked = async { identity::of_attached(&Probe::new(&base, bearer.as_deref())?, &base).await };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(found)) => Diagnosis::fine("server", format!("{} answers at {base}", found.server)),
        Ok(Err(error)) => {
            let text = error.to_string();
            let (message, next) = text.split_once("; ").unwrap_or((&text, "start it"));
            Diagnosis::of("server", Health::Missing, message, next)
        }
        Err(_) => Diagnosis::of("server", Health::Missing, format!("{base} does not answer in time"), "look at its log"),
    }
}

fn memory(setup: &SetupSpec, project: &Project, cache: &Path, lookup: Lookup<'_>) -> Vec<Diagnosis> {
    let free = free_memory();
    let free_words = free.map_or_else(|| "nobody tells what is free".to_owned(), |free| format!("{} are free", amount(free)));
    let mut all = Vec::new();
    if let Some(wanted) = &setup.needs.memory {
        all.push(match needs::memory_unmet(wanted, free) {
            Some(reason) => Diagnosis::unmet("memory", &reason),
            None => Diagnosis::fine("memory", format!("{wanted} are needed, {free_words}")),
        });
    }
    let Some(need) = &setup.needs.weights else { return all };
    all.push(match weights::estimate(setup, need, project, cache) {
        Err(why) => {
            let message = format!("the weights cannot be sized: {why}");
            Diagnosis::of("weights", Health::Unknown, message, format!("fireassay provision {}", setup.name))
        }
        Ok(estimate) => match needs::admission(setup, project, cache, lookup) {
            Some(reason) => Diagnosis::unmet("weights", &reason),
            None => Diagnosis::fine("weights", format!("{estimate}, {free_words}")),
        },
    });
    let file = need.file.as_deref().and_then(|file| weights::located(setup, file, project, cache));
    all.extend(file.filter(|path| is_pointer(path)).map(|path| {
        let message = format!("{} is an LFS pointer in place of the weights", path.display());
        Diagnosis::of("weights", Health::Missing, message, "git lfs install && git lfs pull")
    }));
    all
}

/// Whether a run would need the network, and disk for what it fetches.
fn offline(setup: &SetupSpec, project: &Project, cache: &Path) -> Diagnosis {
    let fetch = format!("fireassay provision {}", setup.name);
    match provision::missing(setup, project, cache) {
        Err(error) => Diagnosis::of("offline", Health::Missing, error.to_string(), "correct the setup's `provision`"),
        Ok(missing) if missing.is_empty() => {
            Diagnosis::fine("offline", "all that it needs is in the cache: a run needs no network")
        }
        Ok(missing) => {
            let wanted = setup.needs.disk.as_deref();
            if let Some(reason) = wanted.and_then(|wanted| needs::disk(setup, project, wanted, cache)) {
                return Diagnosis::unmet("disk", &reason);
            }
            let message = format!("{} are not in the cache yet: the first run needs the network", missing.join(", "));
            Diagnosis::of("offline", Health::Warning, message, fetch)
        }
    }
}

/// Ports that the setup fixes must be nobody's.
fn ports(setup: &SetupSpec) -> Vec<Diagnosis> {
    let fixed = setup.services.iter().filter_map(|(name, service)| match service.port {
        PortSpec::Fixed(port) => Some((name, port)),
        PortSpec::Auto => None,
    });
    let told = |(name, port): (&String, u16)| match listening(port, None) {
        Listening::Stranger(who) => {
            let message = format!("port {port} of `{name}` is taken by {who}");
            Diagnosis::of("ports", Health::Missing, message, "end that process, or write `port: auto`")
        }
        Listening::Nobody | Listening::Ours => Diagnosis::fine("ports", format!("port {port} of `{name}` is free")),
    };
    let all: Vec<Diagnosis> = fixed.map(told).collect();
    if all.is_empty() { vec![Diagnosis::fine("ports", "each is chosen when it is needed")] } else { all }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn examined(setup: &str, env: &[(&str, &str)]) -> Vec<Diagnosis> {
        let setup: SetupSpec = serde_yaml::from_str(&format!("name: lab\n{setup}")).unwrap();
        let lookup = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        examine_setup(&setup, &Project::new("/nonexistent"), &lookup).await
    }

    #[track_caller]
    fn says(all: &[Diagnosis], about: &str, health: Health, part: &str) {
        let found = all.iter().find(|one| one.about == about && one.health == health);
        assert!(found.is_some_and(|one| one.message.contains(part)), "{about}: {part} in {all:#?}");
        let next = found.and_then(|one| one.next.as_deref());
        assert!(health == Health::Fine || next.is_some_and(|next| !next.is_empty()), "{about} says what to do");
    }

    #[tokio::test]
    async fn everything_that_is_missing_is_said_at_once() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = port.local_addr().unwrap().port();
        let file = "{package: a==1, path: a, sha256: b, as: a.gguf, licence: MIT, size: 1 MB}";
        let setup = format!(
            "needs: {{os: [plan9], commands: [nonesuch], env: [KEY], memory: 900000TB, accelerator: [metal, cuda], weights: {{file: <files>/a.gguf}}}}\n\
             provision: {{files: [{file}]}}\nservices: {{server: {{command: [x], port: {taken}}}}}"
        );
        let all = examined(&setup, &[("FIREASSAY_CACHE", "/nonexistent/cache"), ("PATH", "/nonexistent")]).await;
        says(&all, "environment", Health::Missing, "KEY is not set");
        says(&all, "platform", Health::Missing, "needs plan9");
        says(&all, "commands", Health::Missing, "`nonesuch` is not on PATH");
        says(&all, "memory", Health::Missing, "GiB of free memory");
        says(&all, "accelerator", Health::Missing, "there is none");
        says(&all, "weights", Health::Unknown, "is not there yet");
        says(&all, "offline", Health::Warning, "a==1 are not in the cache yet");
        says(&all, "ports", Health::Missing, &format!("port {taken} of `server` is taken by"));
    }

    #[tokio::test]
    async fn a_setup_that_attaches_needs_its_server() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let all = examined(&format!("attach: {{url: 'http://127.0.0.1:{free}'}}"), &[]).await;
        says(&all, "server", Health::Missing, "nothing answers at");
        assert_eq!(all.len(), 2, "{all:#?}");
    }

    #[tokio::test]
    async fn a_setup_without_wishes_is_fine() {
        let all = examined("services: {server: {command: [x]}}", &[("PATH", "/bin")]).await;
        assert!(all.iter().all(|one| one.health == Health::Fine), "{all:#?}");
    }
}
