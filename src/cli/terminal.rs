//! Standard output and error: the only place of the command line that writes to them.

use std::io::{IsTerminal, Write};

use super::args::ColorArg;
use crate::source::{Diagnostics, SourceMap, render};

/// Most diagnostics shown of one command; the rest is counted.
const SHOWN: usize = 50;

/// Writes to standard output; a closed pipe (`| head`) ends the process as success, as other commands do.
pub fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Writes a line to standard error. Where even that is closed there is nowhere left to say so.
pub fn err(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Prints clap's help or error to the stream it belongs to.
pub fn print_clap(error: &clap::Error) {
    drop(error.print());
}

/// Whether standard error gets colours.
pub fn colored(color: ColorArg) -> bool {
    match color {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto => std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::stderr().is_terminal(),
    }
}

/// Shows diagnostics on standard error, errors first, and returns how many errors there are.
pub fn show(map: &SourceMap, diagnostics: &Diagnostics, color: ColorArg) -> usize {
    let (errors, warnings): (Vec<_>, Vec<_>) = diagnostics.iter().cloned().partition(crate::source::Diagnostic::is_error);
    let all: Vec<_> = errors.iter().chain(&warnings).take(SHOWN).cloned().collect();
    if !all.is_empty() {
        err(render(map, &all, colored(color)).trim_end());
    }
    let hidden = diagnostics.len().saturating_sub(SHOWN);
    if hidden > 0 {
        err(&format!("\n… and {hidden} more; mend these first"));
    }
    errors.len()
}

/// Writes over the present line of standard error; `last` ends the line.
pub fn status(text: &str, last: bool) {
    drop(write!(std::io::stderr(), "\r{text}{}", if last { "\n" } else { "" }));
}
