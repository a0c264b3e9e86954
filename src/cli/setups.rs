//! A setup by its name or file, for the commands that need no suite: `provision`, `up`.

use super::args::ColorArg;
use super::exit::Exit;
use super::paths::is_yaml;
use super::terminal;
use crate::source::{Diagnostics, SourceMap, did_you_mean};
use crate::spec::files::{Kind, Project};
use crate::spec::setup::Provision;
use crate::spec::{Loaded, SetupSpec};

/// Loads a setup; mistakes are shown, and the exit code says so.
pub(super) fn load(project: &Project, name: &str) -> Result<SetupSpec, Exit> {
    let path = if is_yaml(name) { Some(name.to_owned()) } else { project.find(Kind::Setup, name) };
    let Some(path) = path else {
        let names = project.names(Kind::Setup);
        let help = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_default();
        terminal::err(&format!("error: there is no setup named `{name}`; {help}"));
        return Err(Exit::Usage);
    };
    let mut map = SourceMap::new();
    let loaded = crate::spec::load_setup(project, &mut map, &path);
    without_mistakes(&map, loaded)
}

/// What was loaded; mistakes are shown, and are then the exit.
fn without_mistakes<T>(map: &SourceMap, (loaded, diagnostics): (Option<Loaded<T>>, Diagnostics)) -> Result<T, Exit> {
    if terminal::show(map, &diagnostics, ColorArg::Auto) > 0 {
        return Err(Exit::Usage);
    }
    loaded.map(|loaded| loaded.spec).ok_or(Exit::Usage)
}

/// What a setup, or a client, wants to have in the cache; mistakes are shown, and the exit code says so.
pub(super) fn provision_of(project: &Project, name: &str) -> Result<Option<Provision>, Exit> {
    let client = project.find(Kind::Client, name).filter(|_| !is_yaml(name) && project.find(Kind::Setup, name).is_none());
    let Some(path) = client else { return load(project, name).map(|setup| setup.provision) };
    let mut map = SourceMap::new();
    let loaded = crate::spec::load_client(project, &mut map, &path);
    without_mistakes(&map, loaded).map(|client| client.provision)
}

/// A runtime for one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        terminal::err(&format!("error: cannot start a runtime: {error}"));
        Exit::Environment
    })
}

/// Shows a failure of a stack with the tail of its log.
pub(super) fn show_error(name: &str, error: &crate::stack::StackError) -> Exit {
    terminal::err(format!("error: {name}: {error}\n{}", error.detail).trim_end());
    Exit::Environment
}
