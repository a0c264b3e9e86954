//! `fireassay provision SETUP`: fetch and make what a setup needs, ahead of time; a run is then offline.

use std::sync::Arc;

use super::args::{ColorArg, ProvisionArgs};
use super::exit::Exit;
use super::terminal;
use crate::event::StackPhase;
use crate::source::SourceMap;
use crate::spec::files::Project;
use crate::stack::{self, Progress, StackOptions};

pub(super) fn provision(args: &ProvisionArgs) -> Exit {
    let project = Project::new(".");
    let mut map = SourceMap::new();
    let mut exit = Exit::Accepted;
    for name in &args.setups {
        let (setup, diagnostics) = crate::spec::load_setup(&project, &mut map, name);
        if terminal::show(&map, &diagnostics, ColorArg::Auto) > 0 {
            return Exit::Usage;
        }
        let Some(setup) = setup else { return Exit::Usage };
        let options = StackOptions { cache: stack::cache_dir(), record: std::env::temp_dir(), project: project.clone() };
        let progress: Progress = Arc::new(|_: StackPhase, line: &str| terminal::out(&format!("{line}\n")));
        match stack::provision(&setup.spec, &options, &progress) {
            Ok(_) => terminal::out(&format!("{name}: ready\n")),
            Err(error) => {
                terminal::err(&format!("error: {name}: {error}\n{}", error.detail));
                exit = Exit::Environment;
            }
        }
    }
    exit
}
