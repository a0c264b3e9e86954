//! `fireassay provision SETUP`: fetch and make what a setup needs, ahead of time; a run is then offline.

use std::sync::Arc;

use super::args::{ColorArg, ProvisionArgs};
use super::exit::Exit;
use super::terminal;
use crate::event::StackPhase;
use crate::source::{SourceMap, did_you_mean};
use crate::spec::files::{Kind, Project};
use crate::stack::{self, Progress, StackOptions};

pub(super) fn provision(args: &ProvisionArgs) -> Exit {
    let project = Project::new(".");
    let mut map = SourceMap::new();
    let mut exit = Exit::Accepted;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::err(&format!("error: cannot start a runtime: {error}"));
            return Exit::Environment;
        }
    };
    for name in &args.setups {
        let Some(path) = project.find(Kind::Setup, name) else {
            let names = project.names(Kind::Setup);
            let help = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_default();
            terminal::err(&format!("error: there is no setup named `{name}`; {help}"));
            return Exit::Usage;
        };
        let (setup, diagnostics) = crate::spec::load_setup(&project, &mut map, &path);
        if terminal::show(&map, &diagnostics, ColorArg::Auto) > 0 {
            return Exit::Usage;
        }
        let Some(setup) = setup else { return Exit::Usage };
        let options = StackOptions { cache: stack::cache_dir(), record: std::env::temp_dir(), project: project.clone() };
        let progress: Progress = Arc::new(|_: StackPhase, line: &str| terminal::out(&format!("{line}\n")));
        match runtime.block_on(stack::provision(&setup.spec, &options, &progress)) {
            Ok(_) => terminal::out(&format!("{name}: ready\n")),
            Err(error) => {
                terminal::err(&format!("error: {name}: {error}\n{}", error.detail));
                exit = Exit::Environment;
            }
        }
    }
    exit
}
