//! `fireassay explain`: every effective value of suite × setup with the place that decided it, what is fetched under which
//! licence, and which needs are unmet.

use std::fmt::Write as _;

use clap::ArgMatches;

use super::args::SelectArgs;
use super::exit::Exit;
use super::{load, select, terminal};
use crate::plan::{CellPlan, Plan};
use crate::source::SourceMap;
use crate::spec::files::Project;

/// Explains the cells of a selection.
pub(super) fn explain(args: &SelectArgs, matches: Option<&ArgMatches>) -> Exit {
    let (mut request, diagnostics) = select::select(args, matches);
    if !diagnostics.is_empty() {
        terminal::show(&SourceMap::new(), &diagnostics, args.color);
        return Exit::Usage;
    }
    request.bare_setup = true;
    let compiled = load::compile(&Project::new("."), request);
    if terminal::show(&compiled.map, &compiled.diagnostics, args.color) > 0 {
        return Exit::Usage;
    }
    terminal::out(&render(&compiled.plan));
    if compiled.plan.planned() == 0 { Exit::Nothing } else { Exit::Accepted }
}

/// The cells' values, one below the other.
pub(super) fn render(plan: &Plan) -> String {
    let mut out = String::new();
    for cell in &plan.cells {
        if !out.is_empty() {
            out.push('\n');
        }
        render_cell(cell, &mut out);
    }
    if plan.cells.is_empty() {
        out.push_str("the selection holds no scenario\n");
    }
    out
}

fn render_cell(cell: &CellPlan, out: &mut String) {
    let _infallible = writeln!(out, "{}: {}", cell.id, super::list::count(cell.planned(), "scenario"));
    let width =
        |of: fn(&crate::plan::Explained) -> &str| cell.explained.iter().map(|it| of(it).chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(|it| &it.key), width(|it| &it.value).min(40));
    for it in &cell.explained {
        let _infallible = writeln!(out, "  {:keys$}  {:values$}  {}", it.key, it.value, it.origin);
    }
    for (what, licence, size) in crate::stack::licences(&cell.setup) {
        let _infallible = writeln!(out, "  fetched: {what}, licence {licence}, {size}");
    }
    let needs = &cell.setup.needs;
    let lists = [
        ("commands", &needs.commands),
        ("env", &needs.env),
        ("os", &needs.os),
        ("arch", &needs.arch),
        ("accelerator", &needs.accelerator),
    ];
    let amounts = [("memory", &needs.memory), ("disk", &needs.disk)];
    let amounts = amounts.iter().filter_map(|(name, amount)| Some(format!("{name} {}", amount.as_deref()?)));
    let mut wanted: Vec<String> = amounts.collect();
    wanted.extend(lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| format!("{name} {}", list.join(", "))));
    if let Some(weights) = &needs.weights {
        let whose = weights.file.as_deref().or(weights.model.as_deref()).unwrap_or_default();
        let context = weights.context.map_or_else(String::new, |context| format!(" with {context} tokens"));
        wanted.push(format!("weights {whose}{context}"));
    }
    if !wanted.is_empty() {
        let _infallible = writeln!(out, "  needs: {}", wanted.join("; "));
    }
    if let Some(reason) = &cell.skip {
        let _infallible = writeln!(out, "  unmet, so all of it is skipped: {reason}");
    }
}
