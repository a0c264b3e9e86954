//! `fireassay discover`: what this machine has for a model stack: hardware, servers that run, models that lie here.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{DiscoverArgs, FormatArg};
use super::exit::Exit;
use super::{doctor, list::count, terminal};
use crate::event::HostRecord;
use crate::models::memory::amount;
use crate::models::stores::{Store, stores};
use crate::report::text::visible;
use crate::stack::{FoundServer, USUAL_PORTS, running_servers};

/// What was found.
pub(super) struct Found {
    pub host: HostRecord,
    pub servers: Vec<FoundServer>,
    pub stores: Vec<Store>,
}

/// Looks around. `ports` are asked beside the usual ones.
pub(super) fn look(ports: &[u16]) -> Result<Found, String> {
    let lookup = |name: &str| std::env::var(name).ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
    let mut asked: Vec<u16> = USUAL_PORTS.iter().map(|(port, _)| *port).collect();
    asked.extend(ports.iter().filter(|port| !USUAL_PORTS.iter().any(|(usual, _)| usual == *port)));
    let servers = runtime.block_on(running_servers(&asked));
    Ok(Found { host: crate::host::facts(&lookup), servers, stores: stores(&lookup) })
}

pub(super) fn discover(args: &DiscoverArgs) -> Exit {
    let found = match look(&args.ports) {
        Ok(found) => found,
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            return Exit::Environment;
        }
    };
    terminal::out(&match args.format {
        FormatArg::Human => render(&found),
        FormatArg::Json => format!("{:#}\n", value(&found)),
    });
    Exit::Accepted
}

fn render(found: &Found) -> String {
    let mut out = doctor::host_lines(&found.host);
    out.push_str("servers\n");
    for server in &found.servers {
        let _infallible = match &server.server {
            Ok(name) => writeln!(out, "  {}  {}: {}", server.url, visible(name), names(&server.models)),
            Err(why) => writeln!(out, "  {}  not recognised: {}", server.url, visible(why)),
        };
    }
    if found.servers.is_empty() {
        let ports: Vec<String> = USUAL_PORTS.iter().map(|(port, whose)| format!("{port} ({whose})")).collect();
        let _infallible = writeln!(out, "  none answers at the usual ports: {}", ports.join(", "));
    }
    out.push_str("models\n");
    for Store { tool, folder, models, troubles } in &found.stores {
        let there = if folder.is_dir() { count(models.len() as u64, "model") } else { "not there".to_owned() };
        let _infallible = writeln!(out, "  {tool:<13} {}: {there}", folder.display());
        for model in models {
            let broken = model.broken.as_ref().map_or_else(String::new, |why| format!("  ✗ {}", visible(why)));
            let _infallible = writeln!(out, "    {:>9}  {}{broken}", amount(model.bytes), visible(&model.name));
        }
        for trouble in troubles {
            let _infallible = writeln!(out, "    ✗ {}", visible(trouble));
        }
    }
    out.push_str("`fireassay init` makes a setup and a first feature out of this\n");
    out
}

fn names(models: &[String]) -> String {
    if models.is_empty() { "lists no model".to_owned() } else { visible(&models.join(", ")).into_owned() }
}

fn value(found: &Found) -> Value {
    let servers: Vec<Value> = found
        .servers
        .iter()
        .map(|one| json!({"url": one.url, "server": one.server.as_ref().ok(), "trouble": one.server.as_ref().err(), "models": one.models}))
        .collect();
    let stores: Vec<Value> = found
        .stores
        .iter()
        .map(|store| {
            let models: Vec<Value> = store
                .models
                .iter()
                .map(|one| json!({"name": one.name, "path": one.path, "bytes": one.bytes, "gguf": one.gguf, "broken": one.broken}))
                .collect();
            json!({"tool": store.tool, "folder": store.folder, "there": store.folder.is_dir(), "models": models, "troubles": store.troubles})
        })
        .collect();
    json!({"host": found.host, "servers": servers, "stores": stores})
}
