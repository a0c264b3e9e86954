//! `fireassay models list|check`: the catalogue of models, and whether it is true.
//!
//! A model whose repository could not be asked is never shown as passed; unless that was wished (`--offline`), the command
//! then ends as evidence missing.

use std::fmt::Write as _;
use std::path::Path;

use futures::StreamExt;
use serde_json::{Value, json};

use super::args::{ColorArg, FormatArg, ModelsAction, ModelsArgs, ModelsCheckArgs};
use super::exit::Exit;
use super::list::count;
use super::terminal;
use crate::models::index::{Endpoints, Index};
use crate::models::memory::amount;
use crate::models::{CheckOptions, Estimate, Finding, Verdict, check_model};
use crate::source::{SourceMap, did_you_mean};
use crate::spec::files::Project;
use crate::spec::{Loaded, ModelSpec, ModelsSpec, load_models};

/// Context for which memory is shown. **Units**: tokens.
const CONTEXT: u64 = 8192;
/// Models asked after at once.
const AT_ONCE: usize = 6;

pub(super) fn models(args: &ModelsArgs) -> Exit {
    let project = Project::new(".");
    let Some((map, catalogue)) = load(&project) else { return Exit::Usage };
    let origin = map.file(catalogue.file).name().to_string();
    match &args.action {
        ModelsAction::List(list) => {
            terminal::out(&render_list(&catalogue.spec, &origin, list.format));
            Exit::Accepted
        }
        ModelsAction::Check(check) => run_check(check, &project, &catalogue.spec, &origin),
    }
}

/// The catalogue without mistakes; what is wrong with it is shown.
pub(super) fn load(project: &Project) -> Option<(SourceMap, Loaded<ModelsSpec>)> {
    let mut map = SourceMap::new();
    let (loaded, diagnostics) = load_models(project, &mut map);
    let errors = terminal::show(&map, &diagnostics, ColorArg::Auto);
    loaded.filter(|_| errors == 0).map(|loaded| (map, loaded))
}

fn render_list(catalogue: &ModelsSpec, origin: &str, format: FormatArg) -> String {
    let context = |model: &ModelSpec| model.context.map_or(CONTEXT, |most| CONTEXT.min(u64::from(most)));
    let rows = catalogue.models.iter();
    let rows = rows.map(|(name, model)| (name, model, Estimate::of_entry(model, Some(context(model)))));
    if format == FormatArg::Json {
        let rows: Vec<Value> = rows
            .map(|(name, model, estimate)| {
                json!({"name": name, "model": model, "wanted_bytes": estimate.map(|estimate| estimate.wanted())})
            })
            .collect();
        return format!("{:#}\n", Value::Array(rows));
    }
    let width = catalogue.models.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let models = count(catalogue.models.len() as u64, "model");
    let mut out = format!("{origin}: {models}; memory is for {CONTEXT} tokens, ? where the catalogue states no size\n");
    for (name, model, estimate) in rows {
        let memory = estimate.map_or_else(|| "?".to_owned(), |estimate| amount(estimate.wanted()));
        let abilities = model.abilities.join(", ");
        let _infallible = writeln!(out, "  {name:width$}  {memory:>8}  {abilities:<22}  {}", model.repo);
    }
    out
}

fn run_check(args: &ModelsCheckArgs, project: &Project, catalogue: &ModelsSpec, origin: &str) -> Exit {
    let unknown = args.models.iter().find(|name| !catalogue.models.contains_key(*name));
    if let Some(name) = unknown {
        let near = did_you_mean(name, catalogue.models.keys().map(String::as_str)).unwrap_or_default();
        terminal::err(&format!("error: there is no model `{name}` in {origin}; {near}"));
        return Exit::Usage;
    }
    let chosen: Vec<(&String, &ModelSpec)> =
        catalogue.models.iter().filter(|(name, _)| args.models.is_empty() || args.models.contains(name)).collect();
    if chosen.is_empty() {
        terminal::err(&format!("{origin} holds no model: nothing was checked"));
        return Exit::Nothing;
    }
    let index = match index(args) {
        Ok(index) => index,
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            return Exit::Environment;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::err(&format!("error: cannot start a runtime: {error}"));
            return Exit::Environment;
        }
    };
    let jobs = chosen.iter().map(|(name, model)| {
        let options = options(project, model, index.clone(), args.digest);
        async move { Checked { name: (*name).clone(), findings: check_model(model, &options).await } }
    });
    let checked: Vec<Checked> = runtime.block_on(futures::stream::iter(jobs).buffered(AT_ONCE).collect());
    terminal::out(&match args.format {
        FormatArg::Human => render(&checked, origin),
        FormatArg::Json => format!("{:#}\n", json(&checked, origin)),
    });
    exit(&checked, args.offline)
}

/// One model with all that was found.
struct Checked {
    name: String,
    findings: Vec<Finding>,
}

impl Checked {
    /// The worst of its findings.
    fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::NotEvaluated)
    }
}

fn index(args: &ModelsCheckArgs) -> Result<Option<Index>, String> {
    if args.offline {
        return Ok(None);
    }
    let mut endpoints = Endpoints::of(&|name| std::env::var(name).ok());
    for (given, place) in
        [(&args.index, &mut endpoints.pypi), (&args.hub, &mut endpoints.hub), (&args.ollama, &mut endpoints.ollama)]
    {
        if let Some(given) = given {
            place.replace_range(.., given.trim_end_matches('/'));
        }
    }
    Index::new(endpoints).map(Some)
}

/// What a check of this model may look at.
fn options(project: &Project, model: &ModelSpec, index: Option<Index>, digest: bool) -> CheckOptions {
    let sha256 = model.digest.as_deref().and_then(|digest| digest.strip_prefix("sha256:"));
    let weights = sha256.and_then(|sha256| crate::stack::cached_file(&crate::stack::cache_dir(), sha256));
    let weights = weights.filter(|_| model.file.as_deref().is_some_and(is_gguf));
    CheckOptions { index, weights, template: model.template.as_deref().map(|path| template(project, path)), digest }
}

fn is_gguf(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

/// The text of a template below `assets/`.
fn template(project: &Project, path: &str) -> Result<String, String> {
    let mut map = SourceMap::new();
    let file = project.read(&mut map, &format!("assets/{path}")).map_err(|refusal| refusal.message)?;
    Ok(map.file(file).text().to_string())
}

fn render(checked: &[Checked], origin: &str) -> String {
    let width = checked.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let mut out = format!("{origin}: {}\n", count(checked.len() as u64, "model"));
    for one in checked {
        let _infallible = writeln!(out, "  {:width$}  {}", one.name, one.verdict().word());
        for Finding { about, verdict, message } in &one.findings {
            let mark = match verdict {
                Verdict::Passed => "✓",
                Verdict::NotEvaluated => "?",
                Verdict::Failed => "✗",
            };
            let _infallible = writeln!(out, "  {:width$}    {mark} {about}: {message}", "");
        }
    }
    let counts = [Verdict::Passed, Verdict::Failed, Verdict::NotEvaluated].map(|verdict| {
        let number = checked.iter().filter(|one| one.verdict() == verdict).count();
        format!("{number} {}", verdict.word())
    });
    let _infallible = writeln!(out, "{}", counts.join(", "));
    out
}

fn json(checked: &[Checked], origin: &str) -> Value {
    let models: Vec<Value> = checked
        .iter()
        .map(|one| {
            let findings: Vec<Value> = one
                .findings
                .iter()
                .map(|finding| json!({"about": finding.about, "verdict": finding.verdict.word(), "message": finding.message}))
                .collect();
            json!({"name": one.name, "verdict": one.verdict().word(), "checks": findings})
        })
        .collect();
    json!({"catalogue": origin, "models": models})
}

fn exit(checked: &[Checked], offline: bool) -> Exit {
    let findings = || checked.iter().flat_map(|one| &one.findings);
    if findings().any(|finding| finding.verdict == Verdict::Failed) {
        return Exit::Failed;
    }
    let unasked = findings().any(|finding| finding.about == "repo" && finding.verdict == Verdict::NotEvaluated);
    if unasked && !offline { Exit::Evidence } else { Exit::Accepted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_not_looked_at_ends_well_unless_that_was_wished() {
        let one =
            |about, verdict| Checked { name: "a".to_owned(), findings: vec![Finding { about, verdict, message: String::new() }] };
        for (checked, offline, expect) in [
            (one("repo", Verdict::Passed), false, Exit::Accepted),
            (one("repo", Verdict::NotEvaluated), false, Exit::Evidence),
            (one("repo", Verdict::NotEvaluated), true, Exit::Accepted),
            (one("weights", Verdict::NotEvaluated), false, Exit::Accepted),
            (one("weights", Verdict::Failed), true, Exit::Failed),
        ] {
            assert_eq!(exit(&[checked], offline), expect);
        }
        let mixed = [one("repo", Verdict::NotEvaluated), one("template", Verdict::Failed)];
        assert_eq!(exit(&mixed, false), Exit::Failed);
        assert!(render(&mixed, "models.yaml").ends_with("0 passed, 1 failed, 1 not evaluated\n"));
    }
}
