//! `fireassay up SETUP`: a stack that stays between runs, until `fireassay down`.

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::args::UpArgs;
use super::exit::Exit;
use super::{setups, terminal};
use crate::spec::SetupSpec;
use crate::spec::files::Project;
use crate::stack::kept::{self, Began, Ended, Order, Record, keeper};
use crate::stack::{self, StackError};

pub(super) fn up(args: &UpArgs) -> Exit {
    let project = Project::new(".");
    match setups::load(&project, &args.setup).and_then(|setup| bring_up(args, &project, setup)) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn bring_up(args: &UpArgs, project: &Project, setup: SetupSpec) -> Result<Exit, Exit> {
    let name = setup.name.clone();
    let environment = environment(&args.env)?;
    let given = |name: &str| environment.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let lookup = |name: &str| given(name).or_else(|| std::env::var(name).ok());
    if setup.services.is_empty() {
        terminal::err(&format!("error: the setup `{name}` has no services to start; its server runs elsewhere"));
        return Err(Exit::Usage);
    }
    if let Some(reason) = stack::unmet(&setup, project, &lookup) {
        terminal::err(&format!("error: {name}: {reason}"));
        return Err(Exit::Nothing);
    }
    let runtime = setups::runtime()?;
    let show = |error: &StackError| setups::show_error(&name, error);
    let root = std::env::current_dir().map_err(|error| {
        terminal::err(&format!("error: the working folder cannot be told: {error}"));
        Exit::Environment
    })?;
    let known = Record::load(&root, &name).map_err(|error| show(&error))?;
    if let Some(record) = known.as_ref().filter(|record| record.is_up()) {
        return already(record, &setup);
    }
    let order = Order { project: root, cache: absolute(stack::cache_dir()), setup, port: args.port };
    runtime.block_on(async {
        if known.is_some() {
            clear(&order).await.map_err(|error| show(&error))?;
        }
        start(&order, &environment).await
    })
}

/// It is up: fine, unless the setup has become another one.
fn already(record: &Record, setup: &SetupSpec) -> Result<Exit, Exit> {
    let name = &setup.name;
    if record.fingerprint == kept::fingerprint(setup) {
        terminal::out(&format!("{name}: is up already since {}\n", record.since));
        terminal::out(&told(record));
        return Ok(Exit::Accepted);
    }
    let next = format!("`fireassay down {name}` first");
    terminal::err(&format!("error: {name}: is up at {}, and its setup was changed since; {next}", record.url));
    Err(Exit::Environment)
}

/// Removes what an earlier one left that ended by itself. One that is coming up is left to its keeper's lock.
async fn clear(order: &Order) -> Result<(), StackError> {
    let name = &order.setup.name;
    let checkup = kept::checkup(&order.project, name, None).await?;
    if checkup.health == kept::Health::Crashed {
        terminal::out(&format!("{name}: an earlier one crashed: {}\n", checkup.reason));
        if let Ended::Strangers { who } = kept::end(&order.project, name, false).await? {
            terminal::out(&format!("{name}: left alone: {}\n", who.join("; ")));
        }
    }
    Ok(())
}

async fn start(order: &Order, environment: &[(String, String)]) -> Result<Exit, Exit> {
    let name = &order.setup.name;
    let cancel = CancellationToken::new();
    let mut started = std::pin::pin!(keeper::start(order, environment, &cancel, |line| terminal::out(&format!("{line}\n"))));
    let (mut interrupt, mut terminate) = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => {
            terminal::err(&format!("error: signals cannot be watched here: {error}"));
            return Err(Exit::Environment);
        }
    };
    let mut number = None;
    let began = loop {
        tokio::select! {
            began = &mut started => break began,
            _ = interrupt.recv() => number = Some(2),
            _ = terminate.recv() => number = Some(15),
        }
        cancel.cancel();
    };
    match (began, number) {
        (Ok(Began::Up(record)), None) => {
            terminal::out(&told(&record));
            Ok(Exit::Accepted)
        }
        (Ok(Began::Up(_)), Some(number)) => {
            // It came up in the moment of the signal.
            let ended = kept::end(&order.project, name, true).await;
            ended.map_err(|error| setups::show_error(name, &error))?;
            Err(Exit::Signal(number))
        }
        (Ok(Began::Cancelled) | Err(_), Some(number)) => {
            terminal::err(&format!("{name}: stopped before it was up; nothing is left"));
            Err(Exit::Signal(number))
        }
        (Ok(Began::Cancelled), None) => {
            terminal::err(&format!("error: {name}: was ended before it was up"));
            Err(Exit::Environment)
        }
        (Err(error), None) => Err(setups::show_error(name, &error)),
    }
}

/// Where it is and what to do with it.
fn told(record: &Record) -> String {
    let name = &record.setup;
    let models = if record.models.is_empty() { String::new() } else { format!(", models {}", record.models.join(", ")) };
    let mut text = format!("{name}: up at {} as {}{models}\n", record.url, record.server);
    text.push_str(&format!("  use it  fireassay run --stack server:{name}\n"));
    text.push_str(&format!("  see it  fireassay status {name}, fireassay logs {name}\n"));
    text.push_str(&format!("  end it  fireassay down {name}\n"));
    text
}

/// The variables of `--env`.
fn environment(pairs: &[String]) -> Result<Vec<(String, String)>, Exit> {
    let split = |pair: &String| match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => {
            terminal::err(&format!("error: `--env {pair}` sets nothing; write KEY=VALUE"));
            Err(Exit::Usage)
        }
    };
    pairs.iter().map(split).collect()
}

/// The keeper works in the project's folder; a path that was relative to it stays one.
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
