//! `fireassay proxy`: our proxy for any client of the user's, until Ctrl-C.

use std::path::Path;
use std::sync::Arc;

use chrono::Local;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{ProxyArgs, ProxyMode};
use super::exit::Exit;
use super::{setups, terminal};
use crate::tape::{By, Deck, Fault, Faults, Manifest, Orders, Passed, Proxy, ProxyError, Reel, Tape, TapeError, Use};
use crate::wire::{Base, End, Secrets, masked_address};

pub(super) fn proxy(args: &ProxyArgs) -> Exit {
    if args.list {
        for (word, says) in Fault::words() {
            terminal::out(&format!("{word:<26} the reply {says}\n"));
        }
        return Exit::Accepted;
    }
    match stand_between(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn usage(what: impl std::fmt::Display) -> Exit {
    terminal::err(&format!("error: {what}"));
    Exit::Usage
}

fn stand_between(args: &ProxyArgs) -> Result<Exit, Exit> {
    let mode = args.mode.unwrap_or(if args.faults.is_empty() && !args.control { ProxyMode::Pass } else { ProxyMode::Fault });
    let secrets = Secrets::default();
    let deck = deck(args, mode, &secrets)?.map(Arc::new);
    if mode != ProxyMode::Fault && (!args.faults.is_empty() || args.control) {
        return Err(usage("faults are for `--mode fault`: a tape holds what servers say"));
    }
    if mode == ProxyMode::Fault && args.faults.is_empty() && !args.control {
        return Err(usage("`--mode fault` needs a fault: `--fault cut=3`; `fireassay proxy --faults` lists them"));
    }
    let to = match (&args.to, mode) {
        (Some(to), _) => to.clone(),
        (None, ProxyMode::Replay) => "http://localhost".to_owned(),
        (None, _) => return Err(usage("`--to URL` names the server; only a replay needs none")),
    };
    let faults = Arc::new(Faults::default());
    faults.replace(args.faults.clone());
    secrets.learn_address(&to);
    let heard = secrets.clone();
    let mut orders = Orders::to(Base::new(&to)).listen(args.listen).ended(move |passed| {
        heard.learn(&passed.exchange.request);
        terminal::out(&heard.text(&line(&passed)));
    });
    orders = if args.control { orders.controlled(&faults) } else { orders.faults(&faults) };
    orders = match &deck {
        Some(deck) => orders.tape_for_all(Arc::clone(deck), args.pace),
        None => orders.keep_nothing(),
    };
    let runtime = setups::runtime()?;
    runtime.block_on(async {
        // Before the address is told: whoever reads it may end us at once.
        let signals = signal(SignalKind::interrupt()).and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
        let (mut interrupt, mut terminate) = signals.map_err(|error| {
            terminal::err(&format!("error: signals cannot be watched here: {error}"));
            Exit::Environment
        })?;
        let proxy = Proxy::start(orders).map_err(|error| {
            let of_user = matches!(error, ProxyError::Server(_));
            terminal::err(&format!("error: {error}"));
            if of_user { Exit::Usage } else { Exit::Environment }
        })?;
        terminal::out(&told(&proxy.url(), args, mode));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })?;
    deck.map_or(Ok(Exit::Accepted), |deck| finish(&deck, &masked_address(&to)))
}

/// The first line.
fn told(url: &str, args: &ProxyArgs, mode: ProxyMode) -> String {
    let to = masked_address(args.to.as_deref().unwrap_or_default());
    let tape = args.tape.as_deref().map(|tape| tape.display().to_string()).unwrap_or_default();
    let what = match mode {
        ProxyMode::Pass => format!("passes on to {to}"),
        ProxyMode::Fault => format!("passes on to {to}, with faults"),
        ProxyMode::Record => format!("passes on to {to}, records {tape}"),
        ProxyMode::Fill => format!("answers from {tape}, fills it from {to}"),
        ProxyMode::Replay => format!("answers from {tape}"),
    };
    format!("fireassay proxy {url} {what}; Ctrl-C ends it\n")
}

/// The tape, where the mode has one.
fn deck(args: &ProxyArgs, mode: ProxyMode, secrets: &Secrets) -> Result<Option<Deck>, Exit> {
    let used = match mode {
        ProxyMode::Record => Use::Record,
        ProxyMode::Replay => Use::Replay,
        ProxyMode::Fill => Use::Fill,
        ProxyMode::Pass | ProxyMode::Fault if args.tape.is_some() => {
            return Err(usage("`--tape` needs `--mode record`, `replay` or `fill`"));
        }
        ProxyMode::Pass | ProxyMode::Fault => return Ok(None),
    };
    let Some(folder) = &args.tape else { return Err(usage("this mode needs `--tape FOLDER`")) };
    let mut tokens = Vec::new();
    for name in &args.secrets {
        match std::env::var(name) {
            Ok(value) if !value.is_empty() => tokens.push(value),
            _ => return Err(usage(format!("`--secret-env {name}`: the environment has no such variable, or nothing in it"))),
        }
    }
    let tape = match Tape::load(folder) {
        Ok(tape) => Some(Arc::new(tape)),
        Err(TapeError::Absent(_)) if used != Use::Replay => None,
        Err(error) => return Err(usage(error)),
    };
    let reel = Reel {
        used,
        folder: folder.clone(),
        tape,
        volatile: args.volatile.clone(),
        patterns: Vec::new(),
        whole: used == Use::Record,
    };
    secrets.add_named(std::env::vars());
    Ok(Some(reel.start(tokens, secrets.clone())))
}

fn finish(deck: &Deck, server: &str) -> Result<Exit, Exit> {
    if deck.used() == Use::Replay {
        return Ok(Exit::Accepted);
    }
    let written = deck.finish(Manifest::now("proxy", server)).map_err(|error| {
        terminal::err(&format!("error: {error}"));
        Exit::Environment
    })?;
    let folder: &Path = deck.folder();
    terminal::out(&format!("{}: {} exchanges, {} of them new\n", folder.display(), written.all, written.new));
    Ok(Exit::Accepted)
}

/// One exchange: `12:01:02.345 200 POST /v1/chat/completions 312 B, 1840 B in 0.812 s`.
fn line(passed: &Passed) -> String {
    let exchange = &passed.exchange;
    let at = Local::now().format("%H:%M:%S%.3f");
    let status = exchange.status.map_or("---".to_owned(), |status| status.to_string());
    let request = &exchange.request;
    let (asked, came, took) = (passed.asked, passed.came, exchange.took.as_secs_f64());
    let mut line =
        format!("{at} {status} {} {} {asked} B, {came} B in {took:.3} s", request.method, masked_address(&request.target));
    match &passed.by {
        By::Server => {}
        By::Tape => line.push_str(" [tape]"),
        By::Fault(fault) => line.push_str(&format!(" [fault {fault}]")),
        By::Miss(miss) => line.push_str(&format!(": {miss}")),
    }
    match &passed.end {
        End::Complete => {}
        End::HungUp => line.push_str(": the client left"),
        End::Failed(error) => line.push_str(&format!(": {}", error.message)),
    }
    line.push('\n');
    line
}
