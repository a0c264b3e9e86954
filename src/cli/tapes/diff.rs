//! `fireassay tapes diff|refresh`: what changed in form since a tape was recorded.

use std::ffi::OsString;
use std::io::IsTerminal;

use clap::Parser;

use super::{find, play};
use crate::cli::args::{Cli, Command, DiffArgs, ModeArg, SelectArgs};
use crate::cli::exit::Exit;
use crate::cli::{run, setups, terminal};
use crate::run::{Control, visit};
use crate::tape::{Asking, Drift, Edits, Recorded, Tape, same_roles};

pub(super) fn diff(args: &DiffArgs) -> Exit {
    let drift = find::load(&args.tape, Edits::Refused).and_then(|tape| match &args.other {
        Some(other) => find::load(other, Edits::Refused).map(|other| of_tapes(&tape, &other)),
        None => of_server(&tape, args),
    });
    match drift {
        Ok(drift) => {
            terminal::out(&if args.json { format!("{:#}\n", drift.json()) } else { drift.render() });
            if drift.is_none() { Exit::Accepted } else { Exit::Failed }
        }
        Err(exit) => exit,
    }
}

fn of_tapes(was: &Tape, is: &Tape) -> Drift {
    let (from, to) = (was.manifest(), is.manifest());
    let mut drift = Drift { was: named(was), is: named(is), ..Drift::default() };
    drift.identity("server", &from.server, &to.server);
    drift.identity("profile", from.profile.as_deref().unwrap_or_default(), to.profile.as_deref().unwrap_or_default());
    drift.identities("model", &from.models, &to.models);
    drift.weights(&from.weights, &to.weights);
    drift.identity("listed models", &from.served.join(", "), &to.served.join(", "));
    drift.tapes(was, is);
    drift.sort();
    drift
}

/// `tapes/base/llamacpp (llama.cpp b1, 2026-11-22)`.
fn named(tape: &Tape) -> String {
    format!("{} ({}, {})", tape.place(), tape.manifest().server, tape.manifest().day())
}

/// Asks the server of a setup, or at an address, all that is on the tape.
fn of_server(tape: &Tape, args: &DiffArgs) -> Result<Drift, Exit> {
    let manifest = tape.manifest();
    let setup = args.setup.clone().or_else(|| Some(manifest.setup().to_owned()).filter(|name| !name.is_empty()));
    let setups = if args.url.is_some() { args.setup.iter().cloned().collect() } else { setup.into_iter().collect::<Vec<_>>() };
    if setups.is_empty() && args.url.is_none() {
        terminal::err(&format!(
            "error: the tape is of `{}`, no setup: name one with --setup, or an address with --url",
            manifest.cell
        ));
        return Err(Exit::Usage);
    }
    let select = SelectArgs {
        suites: vec![play::any_suite(manifest)],
        setups,
        url: args.url.clone(),
        env: args.env.clone(),
        ..SelectArgs::default()
    };
    let compiled = play::compile(select, ModeArg::Live)?;
    let (bus, options, cell) =
        (play::bus(&compiled.secrets), compiled.options(std::collections::HashMap::new())?, compiled.cell());
    let exchanges: Vec<(&str, &Recorded)> = tape.exchanges().collect();
    let mut drift = Drift { was: named(tape), ..Drift::default() };
    let shows = std::io::stderr().is_terminal();
    let questions = |host: &crate::run::Host| {
        let asking = Asking { bearer: host.bearer.clone(), models: same_roles(&manifest.models, &host.models) };
        exchanges.iter().map(|(_, recorded)| asking.request(recorded)).collect()
    };
    let heard = |number: usize, reply: crate::wire::Exchange| {
        let (name, recorded) = exchanges[number];
        drift.answered(name, recorded, &reply);
        if shows {
            terminal::status(&format!("asked {} of {}", number + 1, exchanges.len()), number + 1 == exchanges.len());
        }
    };
    let local = tokio::task::LocalSet::new();
    let control = Control::new();
    let visited = local.run_until(visit(cell, &options, (&bus, &control), questions, heard));
    let host = setups::runtime()?.block_on(visited).map_err(|error| setups::show_error(&cell.setup.name, &error))?;
    drift.is = format!("{} ({})", args.url.as_deref().unwrap_or(&cell.setup.name), host.server);
    // A server that runs already says less of itself than one whose package we know.
    if args.url.is_none() || !manifest.server.starts_with(&host.server) {
        drift.identity("server", &manifest.server, &host.server);
    }
    if args.url.is_none() || args.setup.is_some() {
        drift.identities("model", &manifest.models, &host.models);
        drift.weights(&manifest.weights, &host.weights);
    }
    drift.identity("listed models", &manifest.served.join(", "), &host.listed.join(", "));
    drift.sort();
    Ok(drift)
}

/// Records the cell of a tape anew, and tells what changed.
pub(super) fn refresh(name: &str) -> Exit {
    let ready = find::load(name, Edits::Accepted).and_then(|tape| {
        let cell = play::suite_and_setup(tape.manifest())?;
        Ok((tape, cell))
    });
    let (was, (suite, setup)) = match ready {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let words = ["fireassay", "run", "--suite", &suite, "--setup", &setup, "--mode", "record"].map(OsString::from);
    let exit = match Cli::try_parse_from(&words).map(|cli| cli.command) {
        Ok(Command::Run(args)) => run::run(&args, None, &words),
        Ok(_) | Err(_) => Exit::Usage,
    };
    match find::load(&format!("{suite}/{setup}"), Edits::Accepted) {
        Ok(is) if is.manifest().recorded != was.manifest().recorded => {
            terminal::out(&format!("\n{}", of_tapes(&was, &is).render()));
        }
        _ => terminal::err("nothing was recorded: the tape is as it was"),
    }
    exit
}
