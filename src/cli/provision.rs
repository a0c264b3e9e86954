//! `fireassay provision SETUP|CLIENT`: fetch and make what a setup or a client needs, ahead of time; a run is then offline.

use std::sync::Arc;

use super::args::ProvisionArgs;
use super::exit::Exit;
use super::{setups, terminal};
use crate::event::StackPhase;
use crate::spec::files::Project;
use crate::stack::{self, Progress, StackOptions};

pub(super) fn provision(args: &ProvisionArgs) -> Exit {
    let project = Project::new(".");
    let mut exit = Exit::Accepted;
    let runtime = match setups::runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    for name in &args.setups {
        let wanted = match setups::provision_of(&project, name) {
            Ok(wanted) => wanted,
            Err(exit) => return exit,
        };
        let options = StackOptions {
            cache: stack::cache_dir(),
            record: std::env::temp_dir(),
            project: project.clone(),
            port: None,
            environment: Vec::new(),
            secrets: crate::wire::Secrets::default(),
        };
        let progress: Progress = Arc::new(|_: StackPhase, line: &str| terminal::out(&format!("{line}\n")));
        match runtime.block_on(stack::provision(wanted.as_ref(), &options, &progress)) {
            Ok(_) => terminal::out(&format!("{name}: ready\n")),
            Err(error) => exit = setups::show_error(name, &error),
        }
    }
    exit
}
