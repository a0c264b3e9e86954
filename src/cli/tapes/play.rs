//! The cell of a tape, compiled as the project has it now, and what it is run with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use crate::cli::args::{ColorArg, ModeArg, SelectArgs};
use crate::cli::exit::Exit;
use crate::cli::{load, run, select, terminal};
use crate::event::{CellId, RunEvent, StackPhase};
use crate::plan::{CellPlan, Plan};
use crate::run::{Bus, RunOptions};
use crate::source::SourceMap;
use crate::spec::files::{Kind, Project};
use crate::stack::StackOptions;
use crate::tape::{Manifest, Reel};
use crate::wire::{Base, Secrets};

/// Where logs of servers go that are asked by hand.
const RECORD: &str = ".fireassay/tapes";
/// The suite that stands for the suite of a tape where a server is only asked.
const ANY: &str = "smoke";

/// A compiled cell.
pub(super) struct Compiled {
    /// A plan of this cell alone.
    pub plan: Plan,
    /// What must not be written.
    pub secrets: Secrets,
    bearers: HashMap<String, String>,
    environment: Vec<(String, String)>,
}

impl Compiled {
    /// Its cell.
    pub fn cell(&self) -> &CellPlan {
        &self.plan.cells[0]
    }

    /// What it is run with. **Errors**: the folder of its logs cannot be made.
    pub fn options(&self, reels: HashMap<CellId, Reel>) -> Result<RunOptions, Exit> {
        let record = PathBuf::from(RECORD);
        std::fs::create_dir_all(&record).map_err(|error| {
            terminal::err(&format!("error: cannot make `{RECORD}`: {error}"));
            Exit::Environment
        })?;
        let stack = StackOptions {
            cache: crate::stack::cache_dir(),
            record,
            project: Project::new("."),
            port: None,
            environment: self.environment.clone(),
            secrets: self.secrets.clone(),
        };
        Ok(RunOptions {
            stack,
            fail_fast: false,
            epoch: Instant::now(),
            bearers: self.bearers.clone(),
            rerun: String::new(),
            body_limit: Base::BODY_LIMIT,
            reels,
        })
    }
}

/// The suite and setup of a tape whose whole cell can be run again; says why there is none.
pub(super) fn suite_and_setup(manifest: &Manifest) -> Result<(String, String), Exit> {
    let (suite, setup) = (manifest.suite(), manifest.setup());
    let project = Project::new(".");
    let known = |kind, name: &str| project.find(kind, name).is_some();
    if known(Kind::Suite, suite) && known(Kind::Setup, setup) && manifest.cell == format!("{suite}[{setup}]") {
        return Ok((suite.to_owned(), setup.to_owned()));
    }
    terminal::err(&format!(
        "error: the tape is of `{}`, which is not one suite on one setup of this project\nhelp: name what it was recorded with: \
         `fireassay run … --mode record`",
        manifest.cell
    ));
    Err(Exit::Usage)
}

/// A suite that a server can be asked under, for a tape that may be of none.
pub(super) fn any_suite(manifest: &Manifest) -> String {
    let known = Project::new(".").find(Kind::Suite, manifest.suite()).is_some();
    if known { manifest.suite() } else { ANY }.to_owned()
}

/// Compiles the one cell of a selection; mistakes are shown here.
pub(super) fn compile(select: SelectArgs, mode: ModeArg) -> Result<Compiled, Exit> {
    let pairs = select.env.iter().filter_map(|pair| pair.split_once('='));
    let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let select = SelectArgs { mode: Some(mode), ..select };
    let (request, mut diagnostics) = select::select(&select, None);
    let (mut map, mut plan, mut bearers) = (SourceMap::new(), Plan::default(), HashMap::new());
    if diagnostics.is_empty() {
        let compiled = load::compile(&Project::new("."), request);
        (map, plan, diagnostics, bearers) = (compiled.map, compiled.plan, compiled.diagnostics, compiled.bearers);
    }
    if terminal::show(&map, &diagnostics, ColorArg::Auto) > 0 {
        return Err(Exit::Usage);
    }
    let Some(cell) = plan.cells.first() else {
        terminal::err("error: the selection holds no scenario: there is nothing to run");
        return Err(Exit::Nothing);
    };
    if let Some(reason) = &cell.skip {
        terminal::err(&format!("error: {} cannot run here: {reason}", cell.id.0));
        return Err(Exit::Nothing);
    }
    plan.cells.truncate(1);
    let secrets = run::secrets(&select, &plan, &bearers);
    Ok(Compiled { plan, secrets, bearers, environment })
}

/// A bus that tells on standard error what stacks do.
pub(super) fn bus(secrets: &Secrets) -> Bus {
    let bus = Bus::new(secrets.clone());
    let mut last = None;
    bus.add(move |event: &RunEvent| {
        if let RunEvent::Stack { phase, message, .. } = event
            && last != Some(*phase)
            && *phase != StackPhase::Tape
        {
            last = Some(*phase);
            terminal::err(&format!("  {message}"));
        }
        Ok(())
    });
    bus
}
