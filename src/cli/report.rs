//! `fireassay report matrix`: what works with what, out of what runs left.

use std::path::PathBuf;

use chrono::Utc;

use super::args::{MatrixArgs, MatrixFormat, ReportArgs, ReportKind};
use super::exit::Exit;
use super::terminal;
use crate::report::matrix::{Matrix, MatrixError, read_sources, render_markdown};
use crate::report::write_text;
use crate::spec::setup::ABILITIES;

pub(super) fn report(args: &ReportArgs) -> Exit {
    match &args.kind {
        ReportKind::Matrix(args) => matrix(args),
    }
}

fn matrix(args: &MatrixArgs) -> Exit {
    let paths = if args.paths.is_empty() { vec![PathBuf::from(".fireassay/runs")] } else { args.paths.clone() };
    let sources = match read_sources(&paths) {
        Ok(sources) => sources,
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            let inadmissible = matches!(error, MatrixError::Inadmissible { .. });
            return if inadmissible { Exit::Evidence } else { Exit::Usage };
        }
    };
    let matrix = Matrix::of(&sources, &ABILITIES, Utc::now());
    let text = match args.format {
        MatrixFormat::Markdown => render_markdown(&matrix),
        MatrixFormat::Json => format!("{}\n", serde_json::to_string_pretty(&matrix).expect("maps with text keys")),
    };
    match &args.output {
        None => terminal::out(&text),
        Some(path) => {
            if let Err(error) = write_text(path, &text) {
                terminal::err(&format!("error: {error}"));
                return Exit::Environment;
            }
        }
    }
    if matrix.has_verdict() {
        Exit::Accepted
    } else {
        terminal::err("no scenario of these reports was judged");
        Exit::Nothing
    }
}
