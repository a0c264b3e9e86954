//! `fireassay status`: how the stacks are that stay; the rules of the five states are in [`crate::stack::kept::health`].

use std::path::Path;

use serde_json::{Value, json};

use super::args::{FormatArg, StatusArgs};
use super::exit::Exit;
use super::{setups, terminal};
use crate::stack::kept::{self, Checkup, Health};

pub(super) fn status(args: &StatusArgs) -> Exit {
    let runtime = match setups::runtime() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let project = Path::new(".");
    let named = if args.setups.is_empty() { kept::names(project) } else { args.setups.clone() };
    let mut seen = Vec::new();
    for name in &named {
        match runtime.block_on(kept::checkup(project, name, args.within.map(|span| span.0))) {
            Ok(checkup) => seen.push(checkup),
            Err(error) => return setups::show_error(name, &error),
        }
    }
    match args.format {
        FormatArg::Json => terminal::out(&format!("{:#}\n", seen.iter().map(json).collect::<Value>())),
        FormatArg::Human if seen.is_empty() => terminal::out("nothing is up here\n"),
        FormatArg::Human => seen.iter().for_each(|checkup| terminal::out(&human(checkup))),
    }
    exit(&seen.iter().map(|checkup| checkup.health).collect::<Vec<_>>())
}

/// A stack in trouble beats one that is not there; where nothing is up, nothing is well.
fn exit(seen: &[Health]) -> Exit {
    if seen.iter().any(|health| matches!(health, Health::Degraded | Health::Down | Health::Crashed)) {
        Exit::Failed
    } else if seen.is_empty() || seen.contains(&Health::Stopped) {
        Exit::Nothing
    } else {
        Exit::Accepted
    }
}

fn human(checkup: &Checkup) -> String {
    let mut text = format!("{}  {}  {}\n", checkup.setup, checkup.health.word(), checkup.reason);
    let Some(record) = checkup.record.as_ref().filter(|record| !record.url.is_empty()) else { return text };
    text.push_str(&format!("  server   {} at {}, since {}\n", record.server, record.url, record.since));
    if !record.models.is_empty() {
        text.push_str(&format!("  models   {}\n", record.models.join(", ")));
    }
    for service in &record.services {
        let state = service.ended.as_deref().map_or_else(String::new, |how| format!(", ended: {how}"));
        let usage = checkup.usage.iter().find(|usage| usage.name == service.name);
        let takes = usage.map_or_else(String::new, |usage| {
            format!(", {} MiB, {:.1} s of processor time", usage.rss >> 20, usage.cpu_ms as f64 / 1000.0)
        });
        text.push_str(&format!("  {:<8} process {}, port {}{takes}{state}\n", service.name, service.process.pid, service.port));
    }
    if let Some(ms) = checkup.health_ms {
        text.push_str(&format!("  health   {} took {ms} ms\n", record.health));
    }
    if let (Some(ms), Some(model)) = (checkup.generated_ms, &record.warm_up) {
        text.push_str(&format!("  token    `{model}` took {ms} ms\n"));
    }
    text
}

fn json(checkup: &Checkup) -> Value {
    let mut value = serde_json::to_value(checkup).expect("a checkup is plain data");
    if let Some(record) = &checkup.record {
        value["url"] = json!(record.url);
        value["server"] = json!(record.server);
        value["models"] = json!(record.models);
        value["since"] = json!(record.since);
        value["services"] = json!(record.services);
        value["keeper"] = json!(record.keeper);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_that_of_the_worst() {
        use Health::{Crashed, Degraded, Down, Healthy, Stopped};
        for (seen, expect) in [
            (&[][..], 4),
            (&[Healthy], 0),
            (&[Healthy, Stopped], 4),
            (&[Degraded, Stopped], 1),
            (&[Healthy, Down], 1),
            (&[Crashed], 1),
        ] {
            assert_eq!(exit(seen).code(), expect, "{seen:?}");
        }
    }
}
