//! `fireassay down`: ends stacks that stay, in reverse order, and looks whether they are gone.

use std::path::Path;

use super::args::DownArgs;
use super::exit::Exit;
use super::{setups, terminal};
use crate::stack::kept::{self, Ended};

pub(super) fn down(args: &DownArgs) -> Exit {
    let runtime = match setups::runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let project = Path::new(".");
    let named = if args.setups.is_empty() { kept::names(project) } else { args.setups.clone() };
    if named.is_empty() {
        terminal::out("nothing is up here\n");
    }
    let mut exit = Exit::Accepted;
    for name in &named {
        match runtime.block_on(kept::end(project, name, args.now)) {
            Ok(ended) => {
                if matches!(ended, Ended::Strangers { .. }) {
                    exit = Exit::Environment;
                }
                tell(name, &ended);
            }
            Err(error) => exit = setups::show_error(name, &error),
        }
    }
    exit
}

fn tell(name: &str, ended: &Ended) {
    match ended {
        Ended::NotUp => terminal::out(&format!("{name}: is not up here\n")),
        Ended::Gone { took } => terminal::out(&format!("{name}: gone after {:.2} s\n", took.as_secs_f64())),
        Ended::Forgotten { why } => terminal::out(&format!("{name}: {why}\n")),
        Ended::Strangers { who } => {
            let next = "it was left alone, and what was written down of the stack is removed";
            terminal::err(&format!("error: {name}: {}; {next}", who.join("; ")));
        }
    }
}
