//! `fireassay schema KIND`: the JSON Schema of a kind of file, for editors.

use super::args::SchemaArgs;
use super::exit::Exit;
use super::terminal;
use crate::source::did_you_mean;
use crate::spec::json_schema;
use crate::spec::load::SCHEMA_KINDS;

pub(super) fn schema(args: &SchemaArgs) -> Exit {
    let Some(schema) = json_schema(&args.kind) else {
        let help = did_you_mean(&args.kind, SCHEMA_KINDS).unwrap_or_default();
        terminal::err(&format!("error: there is no kind of file named `{}`; {help}", args.kind));
        return Exit::Usage;
    };
    terminal::out(&format!("{schema:#}\n"));
    Exit::Accepted
}
