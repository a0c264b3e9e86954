//! `fireassay run`: compile, bring stacks up, run, judge, report; one value decides the verdict line and the exit code.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

use chrono::{SecondsFormat, Utc};
use clap::ArgMatches;

use super::args::{ColorArg, JunitProfileArg, RunArgs, SelectArgs};
use super::exit::{Exit, RunFacts, verdict};
use super::reels::{self, Trust};
use super::{load, record, select, terminal};
use crate::event::{CellId, CellPlanned, EventLog, RunEvent, RunTotals, SCHEMA, Seal, Totals, write_seal};
use crate::plan::{CellPlan, Connect, Plan};
use crate::report::{
    self, CellSummary, ColorChoice, Console, ConsoleOptions, JunitProfile, ReportOptions, RunSummary, Verbosity,
};
use crate::run::{Bus, CELL_MODEL, Control, RunOptions};
use crate::source::{Diagnostic, Diagnostics, SourceMap};
use crate::spec::files::Project;
use crate::stack::StackOptions;
use crate::tape::{Edits, Reel};
use crate::wire::Secrets;

pub(super) fn run(args: &RunArgs, matches: Option<&ArgMatches>, arguments: &[OsString]) -> Exit {
    if let Some(path) = &args.junit
        && let Err(error) = report::remove_stale(path)
    {
        terminal::err(&format!("error: {error}"));
        return Exit::Usage;
    }
    let refuse = |exit: Exit, kind: &str, message: &str| {
        record::error_junit(args.junit.as_deref(), kind, message);
        terminal::err(&format!("fireassay: {} (exit {})", report::verdict_word(exit.code()), exit.code()));
        exit
    };
    let (plan, bearers, reels) = match compile(args, matches) {
        Ok(compiled) => compiled,
        Err((exit, kind, message)) => return refuse(exit, kind, &message),
    };
    if plan.planned() == 0 {
        let message = "the selection holds no scenario: nothing would run";
        terminal::err(&format!("error: {message}\nhelp: `fireassay list` shows what there is"));
        return refuse(Exit::Nothing, "nothing_ran", message);
    }
    match execute(args, &plan, (bearers, reels), arguments) {
        Ok(exit) => exit,
        Err(message) => {
            terminal::err(&format!("error: {message}"));
            refuse(Exit::Environment, "infra.record", &message)
        }
    }
}

/// A plan, the tokens of its setups, the tapes of its cells.
type Ready = (Plan, HashMap<String, String>, HashMap<CellId, Reel>);

/// Whether nothing but names of suites and setups says what runs.
fn is_whole(select: &SelectArgs) -> bool {
    select.paths.is_empty() && select.tags.is_none() && select.name.is_none()
}

/// Everything up to the plan; mistakes are shown here, and their number is the message.
fn compile(args: &RunArgs, matches: Option<&ArgMatches>) -> Result<Ready, (Exit, &'static str, String)> {
    let (request, mut diagnostics) = select::select(&args.select, matches);
    let mut map = SourceMap::new();
    check_reports(args, &mut diagnostics);
    let mut plan = Plan::default();
    let (mut bearers, mut reels) = (HashMap::new(), HashMap::new());
    if diagnostics.is_empty() {
        let compiled = load::compile(&Project::new("."), request);
        (map, plan, diagnostics) = (compiled.map, compiled.plan, compiled.diagnostics);
        bearers = compiled.bearers;
        let (whole, max_age) = (is_whole(&args.select), args.max_tape_age.map(|age| age.0));
        let edits = if args.accept_edits { Edits::Accepted } else { Edits::Refused };
        let (found, mistakes) = reels::of(&plan, Trust { whole, edits, max_age });
        reels = found;
        diagnostics.extend(mistakes);
    }
    let errors = terminal::show(&map, &diagnostics, args.select.color);
    if errors > 0 {
        let first = diagnostics.iter().find(|d| d.is_error()).map(|d| d.message.clone()).unwrap_or_default();
        terminal::err(&format!("{errors} error{} found; nothing was started", if errors == 1 { "" } else { "s" }));
        // Nothing is wrong but the age of what would be judged: evidence that is not admitted, whatever is on it.
        let aged = diagnostics.iter().filter(|d| d.is_error()).all(|d| d.code == reels::OLD);
        let (exit, kind) = if aged { (Exit::Evidence, "evidence") } else { (Exit::Usage, "usage") };
        return Err((exit, kind, first));
    }
    Ok((plan, bearers, reels))
}

fn check_reports(args: &RunArgs, diagnostics: &mut Diagnostics) {
    for text in &args.reports {
        match text.split_once('=') {
            Some((kind, file)) if report::reporter(kind).is_ok() && !file.is_empty() => {}
            Some((kind, _)) => {
                let names: Vec<&str> = report::REPORTERS.iter().map(|row| row.kind).collect();
                diagnostics.push(
                    Diagnostic::error("flag/report", None, format!("`--report {text}`: there is no report `{kind}`"))
                        .help(crate::source::did_you_mean(kind, names)),
                );
            }
            None => diagnostics.push(
                Diagnostic::error("flag/report", None, format!("`--report {text}` names no file"))
                    .help("write KIND=FILE".to_owned()),
            ),
        }
    }
}

fn execute(
    args: &RunArgs,
    plan: &Plan,
    (bearers, reels): (HashMap<String, String>, HashMap<CellId, Reel>),
    arguments: &[OsString],
) -> Result<Exit, String> {
    let first = plan.cells.first().expect("a plan with scenarios has a cell");
    let on = if first.entry.is_some() { "catalogue" } else { &first.setup.name };
    let folder = record::create(args.run_dir.as_deref(), &format!("{}-{on}", first.suite.name))?;
    let epoch = Instant::now();
    let secrets = secrets(&args.select, plan, &bearers);
    let bus = Bus::new(secrets.clone());
    bus.add(EventLog::create(&folder.path.join("events.ndjson")).map_err(|error| error.to_string())?);
    let summary = Rc::new(RefCell::new(RunSummary::default()));
    let fold = Rc::clone(&summary);
    bus.add(move |event: &RunEvent| {
        fold.borrow_mut().push(event);
        Ok(())
    });
    let mut console = Console::stdout(console_options(args));
    let shown = Rc::clone(&summary);
    bus.add(move |event: &RunEvent| {
        console.push(event, &shown.borrow()).map_err(|error| format!("cannot write to the terminal: {error}"))
    });
    bus.emit(&started(plan, &folder.id, arguments, is_whole(&args.select)));
    let control = Control::new();
    let rerun = rerun_line(&args.select);
    let pairs = args.select.env.iter().filter_map(|pair| pair.split_once('='));
    let environment = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let options = RunOptions {
        stack: StackOptions {
            cache: crate::stack::cache_dir(),
            record: folder.path.clone(),
            project: Project::new("."),
            port: None,
            environment,
            secrets,
        },
        fail_fast: args.fail_fast,
        epoch,
        bearers,
        rerun,
        body_limit: args.max_reply,
        reels,
    };
    let totals = block_on(args, plan, &options, &bus, &control)?;
    let exit = verdict(&facts(args, &summary.borrow(), totals, &bus, &control));
    let took_us = u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
    let line = report::verdict_line(&summary.borrow(), exit.code());
    bus.emit(&RunEvent::RunFinished { totals, exit: exit.code(), verdict: line, took_us });
    seal(&folder.path, &folder.id, totals, exit)?;
    write_reports(args, &summary.borrow(), exit)?;
    Ok(exit)
}

/// What must not be written, as far as it is known before anything is sent.
pub(super) fn secrets(select: &SelectArgs, plan: &Plan, bearers: &HashMap<String, String>) -> Secrets {
    let secrets = Secrets::default();
    secrets.add(bearers.values().cloned().collect());
    let given = select.env.iter().filter_map(|pair| pair.split_once('='));
    secrets.add_named(given.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(std::env::vars()));
    for address in select.url.iter().map(String::as_str).chain(plan.cells.iter().filter_map(attached)) {
        secrets.learn_address(address);
    }
    // A pattern that is none was refused when the setup was loaded.
    let patterns = plan.cells.iter().flat_map(|cell| &cell.setup.tape.redact);
    secrets.add_patterns(patterns.filter_map(|pattern| regex::bytes::Regex::new(pattern).ok()).collect());
    secrets
}

/// The address that a cell is attached to.
fn attached(cell: &CellPlan) -> Option<&str> {
    match &cell.connect {
        Connect::Attach { url } => Some(url),
        _ => None,
    }
}

/// Runs the plan on a current-thread runtime, with signals and the run's time limit beside it.
fn block_on(args: &RunArgs, plan: &Plan, options: &RunOptions, bus: &Bus, control: &Control) -> Result<RunTotals, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    let local = tokio::task::LocalSet::new();
    let (signals, limit) = (control.clone(), args.max_time);
    let signal_bus = bus.clone();
    let late = control.clone();
    let totals = runtime.block_on(local.run_until(async move {
        let watch = tokio::task::spawn_local(watch_signals(signals, signal_bus));
        let clock = tokio::task::spawn_local(async move {
            if let Some(limit) = limit {
                tokio::time::sleep(limit.0).await;
                late.abort();
            }
        });
        let totals = crate::run::run(plan, options, bus, control).await;
        watch.abort();
        clock.abort();
        totals
    }));
    Ok(totals)
}

async fn watch_signals(control: Control, bus: Bus) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        terminal::err("warning: signals cannot be watched here; Ctrl-C will end the run at once");
        return;
    };
    loop {
        let number = tokio::select! {
            _ = interrupt.recv() => 2,
            _ = terminate.recv() => 15,
        };
        control.signalled(number);
        bus.emit(&RunEvent::Interrupted { signal: number });
    }
}

fn facts(args: &RunArgs, summary: &RunSummary, totals: RunTotals, bus: &Bus, control: &Control) -> RunFacts {
    if let Some(broken) = bus.broken() {
        terminal::err(&format!("error: {broken}"));
    }
    RunFacts {
        totals,
        empty_cell: ran_nothing(&summary.cells),
        trouble: bus.broken().is_some() || summary.cells.iter().any(|cell| cell.trouble.is_some()),
        strict: args.strict,
        signal: control.signal(),
    }
}

/// Whether nothing was judged, and nothing went wrong either, in a cell that had to run. A model of the catalogue that does not
/// fit here need not, unless it was named; but something has to.
fn ran_nothing(cells: &[CellSummary]) -> bool {
    let empty = |totals: Totals| totals.judged() == 0 && totals.errored == 0;
    let need_not = |cell: &CellSummary| cell.skipped.is_some() && cell.plan.entry.as_ref().is_some_and(|entry| !entry.wished);
    let (may, must): (Vec<&CellSummary>, Vec<&CellSummary>) =
        cells.iter().filter(|cell| empty(cell.final_totals())).partition(|cell| need_not(cell));
    !must.is_empty() || !may.is_empty() && may.len() == cells.len()
}

/// `whole`: nothing narrowed the suites.
fn started(plan: &Plan, run_id: &str, arguments: &[OsString], whole: bool) -> RunEvent {
    let cells = plan.cells.iter().map(|cell| CellPlanned {
        cell: cell.id.clone(),
        suite: cell.suite.name.clone(),
        setup: cell.setup.name.clone(),
        models: cell.models.clone(),
        profile: cell.profile.as_ref().map(|profile| profile.name.clone()),
        contract: format!("{:?}", cell.contract).to_lowercase(),
        planned: cell.planned(),
        entry: cell.entry.clone(),
    });
    RunEvent::RunStarted {
        schema: SCHEMA,
        run_id: run_id.to_owned(),
        plan_id: plan.plan_id.clone(),
        fireassay: env!("CARGO_PKG_VERSION").to_owned(),
        at: now(),
        argv: arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        mode: modes(plan),
        commit: commit(),
        hostname: sysinfo::System::host_name().unwrap_or_else(|_| "unknown".to_owned()),
        whole: Some(whole),
        host: Some(Box::new(crate::host::facts(&|name| std::env::var(name).ok()))),
        cells: cells.collect(),
    }
}

/// Where the replies come from: `replay`, or `live, replay` where that differs by cell.
fn modes(plan: &Plan) -> String {
    let mut words: Vec<&str> = plan.cells.iter().map(|cell| cell.mode.word()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}

/// The commit of the working folder and whether it is dirty, where git says so.
fn commit() -> Option<(String, bool)> {
    let git = |args: &[&str]| {
        let out = std::process::Command::new("git").args(args).stderr(std::process::Stdio::null()).output().ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let hash = git(&["rev-parse", "HEAD"])?;
    Some((hash, !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty()))
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The line that runs one scenario again: everything as typed, with the scenario's place for the paths. `--name`, `--tags` and
/// the outputs are left out: the place says it all.
fn rerun_line(select: &SelectArgs) -> String {
    let mut words = vec!["fireassay run {}".to_owned()];
    let mut flag = |name: &str, values: &[String]| {
        if !values.is_empty() {
            words.push(format!("--{name} {}", quoted(&values.join(","))));
        }
    };
    flag("suite", &select.suites);
    flag("setup", &select.setups);
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    if select.catalogue.is_some() {
        flag("catalogue", &[CELL_MODEL.to_owned()]);
    }
    flag("stack", &one(&select.stack));
    flag("url", &one(&select.url));
    for model in &select.models {
        flag("model", std::slice::from_ref(model));
    }
    flag("text-model", &one(&select.text_model));
    flag("vision-model", &one(&select.vision_model));
    flag("embedding-model", &one(&select.embedding_model));
    flag("judge-model", &one(&select.judge_model));
    flag("safety-shield", &one(&select.safety_shield));
    flag("embedding-dimension", &one(&select.embedding_dimension.map(|length| length.to_string())));
    for pair in &select.env {
        let name = pair.split('=').next().unwrap_or_default();
        flag("env", &[format!("{name}=…")]);
    }
    if let Some(contract) = select.contract {
        flag("contract", &[format!("{contract:?}").to_lowercase()]);
    }
    if select.live {
        words.push("--live".to_owned());
    } else if let Some(mode) = select.mode {
        words.push(format!("--mode {}", format!("{mode:?}").to_lowercase()));
    }
    words.join(" ")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = word == CELL_MODEL || word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,=@%+…".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn seal(folder: &Path, run_id: &str, totals: RunTotals, exit: Exit) -> Result<(), String> {
    let seal = Seal { schema: SCHEMA, run_id: run_id.to_owned(), totals, exit: exit.code(), ended: now(), sha256: Vec::new() };
    write_seal(folder, seal, &["events.ndjson"]).map_err(|error| format!("cannot seal the run record: {error}"))
}

fn write_reports(args: &RunArgs, summary: &RunSummary, exit: Exit) -> Result<(), String> {
    let junit = match args.junit_profile {
        JunitProfileArg::Rich => JunitProfile::Rich,
        JunitProfileArg::Strict => JunitProfile::Strict,
    };
    if let Some(path) = &args.junit {
        report::write_junit(summary, path, junit).map_err(|error| error.to_string())?;
    }
    for (kind, file) in args.reports.iter().filter_map(|text| text.split_once('=')) {
        let reporter = report::reporter(kind).map_err(|error| error.to_string())?;
        (reporter.write)(summary, Path::new(file), ReportOptions { exit: exit.code(), junit })
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn console_options(args: &RunArgs) -> ConsoleOptions {
    let verbosity = match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    ConsoleOptions::detect(color_choice(args.select.color), verbosity)
}

fn color_choice(color: ColorArg) -> ColorChoice {
    match color {
        ColorArg::Auto => ColorChoice::Auto,
        ColorArg::Always => ColorChoice::Always,
        ColorArg::Never => ColorChoice::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EntryRecord;

    /// Cells of a stored run in which everything was skipped (`true`) or passed, as those of models of a catalogue where that is told.
    fn cells(of: &[(bool, Option<bool>)]) -> Vec<CellSummary> {
        let cell = |(skipped, wished): &(bool, Option<bool>)| {
            let plan = CellPlanned {
                cell: CellId("s[t]".into()),
                suite: "s".to_owned(),
                setup: "t".to_owned(),
                models: Vec::new(),
                profile: None,
                contract: "profile".to_owned(),
                planned: 1,
                entry: wished.map(|wished| EntryRecord { name: "m".to_owned(), memory: None, wished }),
            };
            let mut cell = CellSummary::new(plan);
            cell.skipped = skipped.then(|| "too big".to_owned());
            cell.totals =
                if *skipped { Totals { skipped: 1, ..Totals::default() } } else { Totals { passed: 1, ..Totals::default() } };
            cell
        };
        of.iter().map(cell).collect()
    }

    #[test]
    fn a_model_that_does_not_fit_need_not_run_unless_it_was_named_but_something_has_to() {
        let check = |of: &[(bool, Option<bool>)], expect: bool| assert_eq!(ran_nothing(&cells(of)), expect, "{of:?}");
        check(&[(false, None)], false);
        check(&[(true, None), (false, None)], true);
        check(&[(true, Some(false)), (false, Some(false))], false);
        check(&[(true, Some(false)), (true, Some(false))], true);
        check(&[(true, Some(true)), (false, Some(true))], true);
        check(&[(false, Some(true))], false);
    }
}
