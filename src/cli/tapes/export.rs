//! `fireassay tapes export`: recorded exchanges in the forms of others.

use std::path::Path;

use super::find;
use crate::cli::args::{ExportArgs, ExportForm};
use crate::cli::exit::Exit;
use crate::cli::terminal;
use crate::report::write_text;
use crate::tape::{Edits, to_curl, to_har, to_json};

pub(super) fn export(args: &ExportArgs) -> Exit {
    let tape = match find::load(&args.tape, Edits::Refused) {
        Ok(tape) => tape,
        Err(exit) => return exit,
    };
    let mut chosen = Vec::new();
    for wanted in &args.exchanges {
        let found = find::exchanges(&tape, wanted);
        if found.is_empty() {
            return find::nothing(&tape, wanted);
        }
        chosen.extend(found.into_iter().map(|(_, name, recorded)| (name, recorded)));
    }
    if args.exchanges.is_empty() {
        chosen.extend(tape.exchanges());
    }
    let text = match args.to {
        ExportForm::Curl => to_curl(&chosen, &args.url),
        ExportForm::Json => format!("{:#}\n", to_json(tape.manifest(), &chosen)),
        ExportForm::Har => format!("{:#}\n", to_har(tape.manifest(), &chosen, &args.url)),
    };
    let Some(file) = &args.output else {
        terminal::out(&text);
        return Exit::Accepted;
    };
    match write_text(Path::new(file), &text) {
        Ok(()) => {
            let count = chosen.len();
            terminal::out(&format!("{}: {count} exchange{}\n", file.display(), if count == 1 { "" } else { "s" }));
            Exit::Accepted
        }
        Err(error) => {
            terminal::err(&format!("error: {error}"));
            Exit::Environment
        }
    }
}
