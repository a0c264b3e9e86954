//! `fireassay init`: from what this machine has to a setup and a first feature that passes.
//!
//! Models are scored in the open; questions have sensible answers, and without a terminal nothing is guessed unless
//! `--accept-defaults` says so. Files that are there are never written over without `--force`.

mod candidates;
mod files;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use console::Term;
use dialoguer::theme::SimpleTheme;
use dialoguer::{Confirm, Input, Select};

use super::args::InitArgs;
use super::discover::look;
use super::exit::Exit;
use super::load::{self, LoadRequest};
use super::{models, terminal};
use crate::models::memory::amount;
use crate::models::score::{CANNOT, Candidate, Score, ranked};
use crate::plan::Selection;
use crate::report::text::visible;
use crate::spec::files::Project;
use crate::spec::models::Intent;
use candidates::Choice;

/// Share of the memory that a model may take, unless told otherwise.
const BUDGET_PCT: u8 = 50;

/// What ends it before its end.
enum Stop {
    /// With an exit code; it was said why.
    Exit(Exit),
    /// Asking failed, or was ended by Ctrl-C.
    Asking(dialoguer::Error),
}

impl From<dialoguer::Error> for Stop {
    fn from(error: dialoguer::Error) -> Self {
        Self::Asking(error)
    }
}

pub(super) fn init(args: &InitArgs) -> Exit {
    let asks = !args.accept_defaults;
    if asks && !console::user_attended_stderr() {
        terminal::err("error: there is no terminal to ask on; add --accept-defaults (and --intent chat|tools|code|vision)");
        return Exit::Usage;
    }
    let runtime = asks.then(|| tokio::runtime::Builder::new_current_thread().enable_all().build());
    // While we ask, Ctrl-C is an answer: the library tells it, where the signal alone would leave the terminal without cursor.
    let heard = runtime.as_ref().is_none_or(|runtime| {
        let _inside = runtime.as_ref().ok().map(tokio::runtime::Runtime::enter);
        let interrupt = tokio::signal::unix::SignalKind::interrupt();
        runtime.is_ok() && tokio::signal::unix::signal(interrupt).is_ok()
    });
    if !heard {
        terminal::err("warning: signals cannot be watched here; Ctrl-C may leave the terminal without cursor");
    }
    match guide(args, asks) {
        Ok(()) => Exit::Accepted,
        Err(Stop::Exit(exit)) => exit,
        Err(Stop::Asking(dialoguer::Error::IO(error))) if error.kind() == std::io::ErrorKind::Interrupted => {
            // The cursor was hidden while a list was shown; where that fails there is no terminal to mend.
            drop(Term::stderr().show_cursor());
            terminal::err("nothing was written");
            Exit::Signal(2)
        }
        Err(Stop::Asking(error)) => {
            terminal::err(&format!("error: cannot ask: {error}"));
            Exit::Environment
        }
    }
}

fn guide(args: &InitArgs, asks: bool) -> Result<(), Stop> {
    let project = Project::new(".");
    let Some((_, catalogue)) = models::load(&project) else { return Err(Stop::Exit(Exit::Usage)) };
    let found = look(&args.ports).map_err(|error| {
        terminal::err(&format!("error: {error}"));
        Stop::Exit(Exit::Environment)
    })?;
    let intent = match args.intent {
        Some(intent) => intent.into(),
        None if asks => ask_intent()?,
        None => Intent::Chat,
    };
    let pct = match args.budget_pct {
        Some(pct) => pct,
        None if asks => ask_budget()?,
        None => BUDGET_PCT,
    };
    let budget = found.host.memory / 100 * u64::from(pct);
    let budget = found.host.memory_free.map_or(budget, |free| budget.min(free));
    let mut ways = candidates::gather(&project, &catalogue.spec, &found);
    let candidates = ways.iter().map(|choice| choice.candidate.clone()).collect();
    let ranking = ranked(candidates, intent, budget);
    let head = format!("{} of {} for the model, intent {}\n", amount(budget), amount(found.host.memory), intent.word());
    terminal::out(&format!("{head}{}", table(&ranking)));
    let usable = ranking.iter().filter(|(_, score)| score.is_ok()).count();
    if usable == 0 {
        terminal::err(&format!(
            "error: no model for `{}` can be had here; the table says what each needs (a server that runs is found too: \
             start one, then run init again)",
            intent.word()
        ));
        return Err(Stop::Exit(Exit::Environment));
    }
    let at = if asks { ask_model(&ranking[..usable])? } else { 0 };
    let chosen = &ranking[at].0;
    let position = ways.iter().position(|choice| choice.candidate == *chosen).expect("the ranking is of these");
    let choice = ways.swap_remove(position);
    let default = || format!("my-{}", crate::event::slug(&choice.candidate.name));
    let name = match &args.name {
        Some(name) => name.clone(),
        None if asks => Input::with_theme(&SimpleTheme).with_prompt("Name of the setup").default(default()).interact_text()?,
        None => default(),
    };
    let written = write(&project, args.force, &name, intent, &choice, &found)?;
    verify(&project, &name, &written)?;
    let mut out = format!("wrote {} and {}\n", written.setup.display(), written.feature.display());
    if let Some(note) = choice.note() {
        let _infallible = writeln!(out, "{note}");
    }
    let _infallible = writeln!(
        out,
        "next:\n  fireassay doctor --setup {name}\n  fireassay run {} --setup {name} --live\n  fireassay run --suite base --setup {name} --live",
        written.feature.display()
    );
    terminal::out(&out);
    Ok(())
}

fn ask_intent() -> Result<Intent, Stop> {
    let items = ["chat: conversation", "tools: calling tools", "code: writing code", "vision: looking at pictures"];
    let at = Select::with_theme(&SimpleTheme).with_prompt("What the model is for").items(items).default(0).interact()?;
    Ok(Intent::ALL[at])
}

fn ask_budget() -> Result<u8, Stop> {
    let prompt = "Per cent of the memory that it may take";
    let allowed = |pct: &u8| if (1..=95).contains(pct) { Ok(()) } else { Err("from 1 to 95") };
    let input = Input::with_theme(&SimpleTheme).with_prompt(prompt).default(BUDGET_PCT).validate_with(allowed);
    Ok(input.interact_text()?)
}

fn ask_model(ranking: &[(Candidate, Result<Score, String>)]) -> Result<usize, Stop> {
    let items: Vec<String> = ranking
        .iter()
        .map(|(one, score)| format!("{} ({})", visible(&one.name), score.as_ref().map_or(0, |score| score.total())))
        .collect();
    let at = Select::with_theme(&SimpleTheme).with_prompt("Model").items(&items).default(0).interact()?;
    let sure = Confirm::with_theme(&SimpleTheme).with_prompt(format!("Take {}?", items[at])).default(true).interact()?;
    if sure {
        return Ok(at);
    }
    terminal::err("nothing was written");
    Err(Stop::Exit(Exit::Usage))
}

/// The scores with their parts, then what is out and why.
fn table(ranking: &[(Candidate, Result<Score, String>)]) -> String {
    let width = ranking.iter().map(|(one, _)| one.name.chars().count()).max().unwrap_or(0);
    let mut out = format!("  {:width$}  score = intent + size + here + free\n", "model");
    for (one, score) in ranking {
        let name = visible(&one.name);
        let _infallible = match score {
            Ok(score) => {
                let Score { intent, size, here, free } = score;
                let memory = one.wanted.filter(|_| !one.served).map_or_else(|| "served".to_owned(), amount);
                writeln!(
                    out,
                    "  {name:width$}  {:>5} = {intent:>6} + {size:>4} + {here:>4} + {free:>4}   {memory}",
                    score.total()
                )
            }
            // Those that cannot do it at all stand together at the end.
            Err(why) if why.starts_with(CANNOT) => Ok(()),
            Err(why) => writeln!(out, "  {name:width$}      – {}", visible(why)),
        };
    }
    let unable = |(one, score): &(Candidate, Result<Score, String>)| {
        score.as_ref().is_err_and(|why| why.starts_with(CANNOT)).then(|| visible(&one.name).into_owned())
    };
    let unable: Vec<String> = ranking.iter().filter_map(unable).collect();
    if !unable.is_empty() {
        let _infallible = writeln!(out, "  cannot do it: {}", unable.join(", "));
    }
    out
}

/// The two files.
struct Written {
    setup: PathBuf,
    feature: PathBuf,
}

fn write(
    project: &Project,
    force: bool,
    name: &str,
    intent: Intent,
    choice: &Choice,
    found: &super::discover::Found,
) -> Result<Written, Stop> {
    let refuse = |message: String| {
        terminal::err(&format!("error: {message}"));
        Stop::Exit(Exit::Usage)
    };
    let plain =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && !name.starts_with('.');
    if !plain {
        return Err(refuse(format!("`{name}` is no name of a setup; write letters, digits, `-`, `_` and `.`")));
    }
    let written = Written {
        setup: PathBuf::from(format!("setups/{name}.yaml")),
        feature: PathBuf::from(format!("features/{name}.feature")),
    };
    let texts =
        [(&written.setup, files::setup(name, intent, choice, found.host.cores)), (&written.feature, files::feature(intent))];
    for (path, _) in &texts {
        if !force && project.root.join(path).exists() {
            return Err(refuse(format!("{} is there already; choose another --name, or add --force", path.display())));
        }
    }
    for (path, text) in &texts {
        let path = project.root.join(path);
        let folder = path.parent().unwrap_or(Path::new("."));
        let done = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        if let Err(error) = done {
            terminal::err(&format!("error: cannot write {}: {error}", path.display()));
            return Err(Stop::Exit(Exit::Environment));
        }
    }
    Ok(written)
}

/// Compiles what was written; a mistake in it is ours, and is shown.
fn verify(project: &Project, name: &str, written: &Written) -> Result<(), Stop> {
    let request = LoadRequest {
        paths: vec![written.feature.display().to_string()],
        selection: Selection { setups: vec![name.to_owned()], ..Selection::default() },
        environment: std::env::vars().collect(),
        ..LoadRequest::default()
    };
    let compiled = load::compile(project, request);
    if terminal::show(&compiled.map, &compiled.diagnostics, super::args::ColorArg::Auto) > 0 {
        terminal::err("error: what was written does not compile; please report this");
        return Err(Stop::Exit(Exit::Usage));
    }
    Ok(())
}
