//! `fireassay mutate`: the score of a suite on its tape.

use std::io::IsTerminal;
use std::path::Path;

use super::args::{ModeArg, MutateArgs, SelectArgs};
use super::exit::Exit;
use super::{load, reels, select, terminal};
use crate::mutate::{self, Cache, Expect, Operator, Sheet, Shown, Trial, operator, operators};
use crate::plan::{Contract, Plan};
use crate::report::write_text;
use crate::run::Stage;
use crate::source::{Diagnostic, Diagnostics, did_you_mean};
use crate::spec::files::Project;
use crate::tape::Reel;

/// Where fates are kept from one call to the next.
const CACHE: &str = ".fireassay/mutate";
/// Lines of a reply's difference where all are shown.
const LINES: usize = 12;

pub(super) fn mutate(args: &MutateArgs) -> Exit {
    if args.list {
        terminal::out(&listed());
        return Exit::Accepted;
    }
    let (plan, reel, operators) = match compile(args) {
        Ok(compiled) => compiled,
        Err(exit) => return exit,
    };
    let cell = plan.cells.first().expect("a plan with scenarios has a cell");
    let sheet = match tried(args, cell, reel, operators) {
        Ok(sheet) => sheet,
        Err((exit, message)) => {
            terminal::err(&format!("error: {message}"));
            return exit;
        }
    };
    let shown = if args.all_survivors { Shown { examples: usize::MAX, lines: LINES, markdown: false } } else { Shown::SHORT };
    terminal::out(&mutate::render(&sheet, shown));
    let files = [
        (&args.json, format!("{:#}\n", mutate::json(&sheet))),
        (&args.markdown, mutate::render(&sheet, Shown { lines: LINES, markdown: true, ..shown })),
    ];
    for (path, text) in files.into_iter().filter_map(|(path, text)| Some((path.as_deref()?, text))) {
        if let Err(error) = write_text(path, &text) {
            terminal::err(&format!("error: {error}"));
            return Exit::Environment;
        }
    }
    let (exit, words) = verdict(&sheet, args.min_score);
    terminal::out(&format!("\nfireassay: {words} (exit {})\n", exit.code()));
    exit
}

/// The plan with the tape of its one cell, and the operators; mistakes are shown here.
fn compile(args: &MutateArgs) -> Result<(Plan, Reel, Vec<&'static Operator>), Exit> {
    let select = SelectArgs {
        suites: vec![args.suite.clone()],
        setups: args.setup.iter().cloned().collect(),
        tags: args.tags.clone(),
        name: args.name.clone(),
        mode: Some(ModeArg::Replay),
        contract: args.contract,
        concurrency: Some(1),
        color: args.color,
        ..SelectArgs::default()
    };
    let (request, mut diagnostics) = select::select(&select, None);
    let chosen = chosen(&args.operators, &mut diagnostics);
    let (mut plan, mut reel, mut map) = (Plan::default(), None, crate::source::SourceMap::new());
    if diagnostics.is_empty() {
        let compiled = load::compile(&Project::new("."), request);
        (map, plan, diagnostics) = (compiled.map, compiled.plan, compiled.diagnostics);
        let (mut found, mistakes) = reels::of(&plan, reels::Trust::default());
        reel = plan.cells.first().and_then(|cell| found.remove(&cell.id));
        diagnostics.extend(mistakes);
    }
    let errors = terminal::show(&map, &diagnostics, args.color);
    if errors > 0 {
        terminal::err(&format!("{errors} error{} found; nothing was tried", if errors == 1 { "" } else { "s" }));
        return Err(Exit::Usage);
    }
    let Some(reel) = reel.filter(|_| plan.planned() > 0) else {
        terminal::err("error: the selection holds no scenario: nothing would be tried");
        return Err(Exit::Nothing);
    };
    Ok((plan, reel, chosen))
}

fn chosen(ids: &[String], diagnostics: &mut Diagnostics) -> Vec<&'static Operator> {
    if ids.is_empty() {
        return operators().collect();
    }
    let mut chosen = Vec::new();
    for id in ids {
        match operator(id) {
            Some(operator) => chosen.push(operator),
            None => diagnostics.push(
                Diagnostic::error("flag/operator", None, format!("`--operator {id}`: there is no such operator"))
                    .help(did_you_mean(id, operators().map(|operator| operator.id))),
            ),
        }
    }
    chosen
}

/// Plays the trial.
fn tried(
    args: &MutateArgs,
    cell: &crate::plan::CellPlan,
    reel: Reel,
    operators: Vec<&'static Operator>,
) -> Result<Sheet, (Exit, String)> {
    let stage = Stage::open(cell, reel).map_err(|message| (Exit::Usage, message))?;
    let mut contracts = vec![cell.contract];
    if args.contract.is_none() && cell.contract != Contract::Openai {
        contracts.push(Contract::Openai);
    }
    let disk = |message: String| (Exit::Environment, message);
    let cache = if args.afresh { None } else { Some(Cache::open(Path::new(CACHE)).map_err(disk)?) };
    let trial = Trial { stage: &stage, contracts, operators, cache };
    let shows = std::io::stderr().is_terminal();
    let tell = |done: usize, all: usize| {
        if shows && (done == all || done.is_multiple_of(8)) {
            terminal::status(&format!("tried {done} of {all} replies"), done == all);
        }
    };
    trial.run(&tell).map_err(disk)
}

/// What it comes to: nothing tried > a false alarm or too low a score > accepted.
fn verdict(sheet: &Sheet, least: Option<f64>) -> (Exit, String) {
    let all: Vec<_> = (0..sheet.contracts.len()).map(|number| sheet.counts(number, |_| true)).collect();
    let Some(lowest) = all.iter().filter_map(mutate::Counts::score).min_by(f64::total_cmp) else {
        return (Exit::Nothing, "nothing was tried: no reply of the tape could be changed".to_owned());
    };
    let alarms = all.iter().map(|counts| counts.false_alarms).max().unwrap_or(0);
    // Rounded down: what is not all is not shown as all.
    let score = format!("{:.1} % of the breaks are noticed", (lowest * 10.0).floor() / 10.0);
    match least {
        _ if alarms > 0 => (Exit::Failed, format!("{score}, and {alarms} legal replies fail")),
        Some(least) if lowest < least => (Exit::Failed, format!("{score}, below {least} %")),
        _ => (Exit::Accepted, format!("{score}, and no legal reply fails")),
    }
}

/// The operators, a line each.
fn listed() -> String {
    let line = |operator: &Operator| {
        let rules = match operator.expect {
            Expect::Tolerate => "legal".to_owned(),
            Expect::Detect if operator.rules.is_empty() => "claims".to_owned(),
            Expect::Detect => operator.rules.join(" "),
        };
        format!("{:<11} {:<45} {} ({rules})\n", operator.family.word(), operator.id, operator.what)
    };
    operators().map(line).collect()
}
