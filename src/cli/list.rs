//! `fireassay list`: the plan, for people and for programs.

use std::fmt::Write as _;

use clap::ArgMatches;
use serde_json::{Value, json};

use super::args::{FormatArg, ListArgs};
use super::exit::Exit;
use super::{load, select, terminal};
use crate::plan::{CellPlan, Plan, ScenarioPlan};
use crate::source::SourceMap;
use crate::spec::files::Project;

/// Shows what would run; starts nothing.
pub(super) fn list(args: &ListArgs, matches: Option<&ArgMatches>) -> Exit {
    let (mut request, diagnostics) = select::select(&args.select, matches);
    if !diagnostics.is_empty() {
        terminal::show(&SourceMap::new(), &diagnostics, args.select.color);
        return Exit::Usage;
    }
    request.bare_setup = true;
    let compiled = load::compile(&Project::new("."), request);
    if terminal::show(&compiled.map, &compiled.diagnostics, args.select.color) > 0 {
        return Exit::Usage;
    }
    let text = match args.format {
        FormatArg::Human => human(&compiled.plan),
        FormatArg::Json => format!("{:#}\n", json(&compiled.plan)),
    };
    terminal::out(&text);
    if compiled.plan.planned() == 0 { Exit::Nothing } else { Exit::Accepted }
}

/// How many scenarios a cell skips.
fn skipped(cell: &CellPlan) -> u64 {
    match cell.skip {
        Some(_) => cell.planned(),
        None => cell.features.iter().flat_map(|feature| &feature.scenarios).filter(|it| it.skip.is_some()).count() as u64,
    }
}

/// `1 scenario`, `2 scenarios`.
pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The plan for people: cells, features, scenarios with their lines, tags and skips, and the sum.
pub(super) fn human(plan: &Plan) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    for cell in &plan.cells {
        let models: Vec<String> = cell.models.iter().map(|(role, model)| format!("{role}={model}")).collect();
        line(&format!("{}  {}  {}", cell.id, count(cell.planned(), "scenario"), models.join(" ")));
        if let Some(reason) = &cell.skip {
            line(&format!("  skipped: {reason}"));
        }
        for feature in &cell.features {
            line(&format!("  {}: {} ({})", feature.keyword, feature.name, feature.file));
            for scenario in &feature.scenarios {
                line(&format!("    {:>5}  {}  {}", scenario.at.line, scenario.name, scenario.tags.join(" ")));
                if let Some(reason) = &scenario.skip {
                    line(&format!("           skipped: {reason}"));
                }
                if !scenario.known.is_empty() {
                    line("           known: its failure is written down in the profile");
                }
            }
        }
    }
    let skipped: u64 = plan.cells.iter().map(skipped).sum();
    let _infallible = write!(out, "{}, {}", count(plan.cells.len() as u64, "cell"), count(plan.planned(), "scenario"));
    if skipped > 0 {
        let _infallible = write!(out, " ({skipped} skipped)");
    }
    if !plan.plan_id.is_empty() {
        let _infallible = write!(out, ", plan {}", plan.short_id());
    }
    out.push('\n');
    out
}

/// The plan for programs.
pub(super) fn json(plan: &Plan) -> Value {
    let cell = |cell: &CellPlan| {
        let features: Vec<Value> = cell
            .features
            .iter()
            .map(|feature| {
                let scenarios: Vec<Value> = feature.scenarios.iter().map(|it| scenario(it)).collect();
                json!({"name": feature.name, "keyword": feature.keyword, "file": feature.file, "scenarios": scenarios})
            })
            .collect();
        json!({
            "id": cell.id,
            "suite": cell.suite.name,
            "setup": cell.setup.name,
            "labels": cell.setup.labels,
            "catalogue": cell.entry.as_ref().map(|entry| &entry.name),
            "models": cell.models.iter().cloned().map(|(role, model)| (role, Value::String(model))).collect::<serde_json::Map<_, _>>(),
            "mode": cell.mode,
            "contract": cell.contract,
            "profile": cell.profile.as_ref().map(|profile| &profile.name),
            "skip": cell.skip,
            "concurrency": cell.concurrency,
            "planned": cell.planned(),
            "features": features,
        })
    };
    json!({
        "plan_id": plan.plan_id,
        "cells": plan.cells.iter().map(cell).collect::<Vec<_>>(),
        "totals": {
            "cells": plan.cells.len(),
            "scenarios": plan.planned(),
            "skipped": plan.cells.iter().map(skipped).sum::<u64>(),
        },
    })
}

fn scenario(scenario: &ScenarioPlan) -> Value {
    let steps: Vec<Value> = scenario.steps.iter().map(|step| json!({"keyword": step.keyword, "text": step.text})).collect();
    json!({
        "id": scenario.id,
        "classname": scenario.classname,
        "name": scenario.name,
        "file": scenario.at.file,
        "line": scenario.at.line,
        "tags": scenario.tags,
        "skip": scenario.skip,
        "known": !scenario.known.is_empty(),
        "serial": scenario.flags.serial,
        "destructive": scenario.flags.destructive,
        "locks": scenario.locks,
        "retries": scenario.retries,
        "timeout_ms": u64::try_from(scenario.timeout.as_millis()).unwrap_or(u64::MAX),
        "steps": steps,
    })
}
