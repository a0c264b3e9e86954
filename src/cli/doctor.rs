//! `fireassay doctor`: the machine, and what a setup or a cell misses here, each with the command that brings it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{DoctorArgs, FormatArg};
use super::exit::Exit;
use super::list::count;
use super::load::{self, LoadRequest};
use super::terminal;
use crate::event::HostRecord;
use crate::models::memory::amount;
use crate::plan::{Plan, Selection};
use crate::source::{SourceMap, did_you_mean};
use crate::spec::SetupSpec;
use crate::spec::files::{Kind, Project};
use crate::stack::{Diagnosis, Health, examine_machine, examine_setup};

pub(super) fn doctor(args: &DoctorArgs) -> Exit {
    let project = Project::new(".");
    let lookup = |name: &str| std::env::var(name).ok();
    let (suite, setup) = match args.cell.as_deref().map(|cell| cell.split_once('/').ok_or(cell)) {
        Some(Ok((suite, setup))) => (Some(suite), Some(setup)),
        Some(Err(cell)) => {
            terminal::err(&format!("error: `--cell {cell}` is no cell; write SUITE/SETUP, such as base/llamacpp"));
            return Exit::Usage;
        }
        None => (None, args.setup.as_deref()),
    };
    let names: Vec<String> = match setup {
        Some(name) => vec![name.to_owned()],
        None => project.names(Kind::Setup),
    };
    let mut setups = Vec::new();
    for name in &names {
        match load_setup(&project, name) {
            Some(spec) => setups.push(spec),
            None => return Exit::Usage,
        }
    }
    let plan = match suite.map(|suite| compile(&project, suite, &names)) {
        Some(None) => return Exit::Usage,
        plan => plan.flatten(),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::err(&format!("error: cannot start a runtime: {error}"));
            return Exit::Environment;
        }
    };
    let host = crate::host::facts(&lookup);
    let machine = examine_machine(&project, &host, &lookup);
    let patients: Vec<Patient> = setups
        .into_iter()
        .map(|spec| Patient { findings: runtime.block_on(examine_setup(&spec, &project, &lookup)), name: spec.name })
        .collect();
    let report = Report { host, machine, patients, plan, whole: setup.is_some() };
    terminal::out(&match args.format {
        FormatArg::Human => report.render(),
        FormatArg::Json => format!("{:#}\n", report.json()),
    });
    report.exit()
}

fn load_setup(project: &Project, name: &str) -> Option<SetupSpec> {
    let Some(path) = project.find(Kind::Setup, name) else {
        let names = project.names(Kind::Setup);
        let help = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_default();
        terminal::err(&format!("error: there is no setup named `{name}`; {help}"));
        return None;
    };
    let mut map = SourceMap::new();
    let (setup, diagnostics) = crate::spec::load_setup(project, &mut map, &path);
    let errors = terminal::show(&map, &diagnostics, super::args::ColorArg::Auto);
    setup.filter(|_| errors == 0).map(|loaded| loaded.spec)
}

/// The plan of a cell, if its files are right.
fn compile(project: &Project, suite: &str, setups: &[String]) -> Option<Plan> {
    let request = LoadRequest {
        suites: vec![suite.to_owned()],
        selection: Selection { setups: setups.to_vec(), ..Selection::default() },
        environment: std::env::vars().collect(),
        ..LoadRequest::default()
    };
    let compiled = load::compile(project, request);
    let errors = terminal::show(&compiled.map, &compiled.diagnostics, super::args::ColorArg::Auto);
    (errors == 0).then_some(compiled.plan)
}

/// One setup with all that was looked at.
struct Patient {
    name: String,
    findings: Vec<Diagnosis>,
}

struct Report {
    host: HostRecord,
    machine: Vec<Diagnosis>,
    patients: Vec<Patient>,
    plan: Option<Plan>,
    /// Whether one setup was asked after: it is then shown whole.
    whole: bool,
}

fn missing(findings: &[Diagnosis]) -> Option<&Diagnosis> {
    findings.iter().find(|one| one.health == Health::Missing)
}

impl Report {
    fn render(&self) -> String {
        let mut out = host_lines(&self.host);
        findings(&self.machine, &mut out);
        for patient in &self.patients {
            if self.whole {
                let _infallible = writeln!(out, "setup {}", patient.name);
                findings(&patient.findings, &mut out);
            }
        }
        for cell in self.plan.iter().flat_map(|plan| &plan.cells) {
            let skipped = cell.features.iter().flat_map(|feature| &feature.scenarios).filter(|one| one.skip.is_some()).count();
            let labels = &cell.setup.labels;
            let labels = if labels.is_empty() { String::new() } else { format!(", labels {}", labels.join(", ")) };
            let _infallible =
                writeln!(out, "cell {}: {}, {skipped} skipped by ability{labels}", cell.id, count(cell.planned(), "scenario"));
        }
        if !self.whole {
            let width = self.patients.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
            out.push_str("setups\n");
            for Patient { name, findings } in &self.patients {
                let line = match missing(findings) {
                    Some(one) => format!("✗ {name:width$}  {}", one.message),
                    None => match findings.iter().find(|one| one.about == "offline" && one.health == Health::Warning) {
                        Some(_) => format!("✓ {name:width$}  can run; the first run fetches what it needs"),
                        None => format!("✓ {name:width$}  can run"),
                    },
                };
                let _infallible = writeln!(out, "  {line}");
            }
            out.push_str("`fireassay doctor --setup NAME` tells all of one\n");
        }
        out
    }

    fn json(&self) -> Value {
        let list = |findings: &[Diagnosis]| -> Vec<Value> {
            let one = |one: &Diagnosis| json!({"about": one.about, "health": one.health.word(), "message": one.message, "next": one.next});
            findings.iter().map(one).collect()
        };
        let setups: Vec<Value> = self
            .patients
            .iter()
            .map(|one| json!({"name": one.name, "can_run": missing(&one.findings).is_none(), "checks": list(&one.findings)}))
            .collect();
        json!({"host": self.host, "machine": list(&self.machine), "setups": setups})
    }

    /// Environment, where what was asked after cannot run: the one setup, or every setup.
    fn exit(&self) -> Exit {
        let can_run = self.patients.iter().any(|patient| missing(&patient.findings).is_none());
        let machine = self.whole || missing(&self.machine).is_none();
        if can_run && machine { Exit::Accepted } else { Exit::Environment }
    }
}

pub(super) fn host_lines(host: &HostRecord) -> String {
    let mut out = String::new();
    let system = host.os_version.as_deref().unwrap_or(&host.os);
    let chip = host.chip.as_deref().unwrap_or("unknown chip");
    let free = host.memory_free.map_or_else(String::new, |free| format!(", {} free", amount(free)));
    let _infallible = writeln!(out, "{system}, {}, {chip}, {}", host.arch, count(u64::from(host.cores), "core"));
    let _infallible = writeln!(out, "  memory       {}{free}", amount(host.memory));
    for one in &host.accelerators {
        let memory = one.memory.map_or_else(String::new, |bytes| format!(", {}", amount(bytes)));
        let driver = one.driver.as_deref().map_or_else(String::new, |driver| format!(", driver {driver}"));
        let _infallible = writeln!(out, "  {:<12} {}{memory}{driver}", one.kind, one.name);
    }
    if !host.features.is_empty() {
        let _infallible = writeln!(out, "  processor    {}", host.features.join(" "));
    }
    let commands: Vec<String> = host.commands.iter().map(|(name, version)| format!("{name} {version}")).collect();
    if !commands.is_empty() {
        let _infallible = writeln!(out, "  commands     {}", commands.join(", "));
    }
    out
}

fn findings(all: &[Diagnosis], out: &mut String) {
    for Diagnosis { about, health, message, next } in all {
        let mark = match health {
            Health::Fine => "✓",
            Health::Warning => "!",
            Health::Unknown => "?",
            Health::Missing => "✗",
        };
        let _infallible = writeln!(out, "  {mark} {about:<12} {message}");
        if let Some(next) = next {
            let _infallible = writeln!(out, "    {:<12} → {next}", "");
        }
    }
}
