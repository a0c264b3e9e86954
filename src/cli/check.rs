//! `fireassay check`: everything of the project is compiled and every mistake is shown; nothing is started, no network is touched.

use super::args::CheckArgs;
use super::exit::Exit;
use super::list::count;
use super::load::{self, LoadRequest};
use super::terminal;
use crate::source::Diagnostic;
use crate::spec::files::Project;

/// Checks all suites, setups, tools and profiles of the project, and the files and folders given besides.
pub(super) fn check(args: &CheckArgs) -> Exit {
    let request = LoadRequest {
        all: true,
        paths: args.paths.clone(),
        environment: std::env::vars().collect(),
        bare_setup: true,
        ..LoadRequest::default()
    };
    let compiled = load::compile(&Project::new("."), request);
    let errors = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = compiled.diagnostics.len() - errors;
    terminal::show(&compiled.map, &compiled.diagnostics, args.color);
    terminal::out(&format!(
        "{}, {}, {}: {}, {}\n",
        count(compiled.counts.suites as u64, "suite"),
        count(compiled.counts.setups as u64, "setup"),
        count(compiled.counts.scenarios, "scenario"),
        count(errors as u64, "error"),
        count(warnings as u64, "warning"),
    ));
    if compiled.diagnostics.iter().any(Diagnostic::is_error) { Exit::Usage } else { Exit::Accepted }
}
