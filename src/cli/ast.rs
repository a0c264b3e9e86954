//! `fireassay ast FILE`: a feature file as Cucumber Messages JSON lines, or its pickles.

use super::args::{AstArgs, ColorArg};
use super::exit::Exit;
use super::terminal;
use crate::source::SourceMap;
use crate::spec::files::Project;
use crate::spec::gherkin::{ast_ndjson, pickles_ndjson};

pub(super) fn ast(args: &AstArgs) -> Exit {
    let mut exit = Exit::Accepted;
    let project = Project::new(".");
    for path in &args.files {
        let mut map = SourceMap::new();
        let uri = path.to_string_lossy();
        let rendered = match project.read(&mut map, &uri) {
            Ok(file) if args.pickles => pickles_ndjson(&map, file, &uri),
            Ok(file) => ast_ndjson(&map, file, &uri),
            Err(diagnostic) => Err(vec![diagnostic]),
        };
        match rendered {
            Ok(lines) => terminal::out(&lines),
            Err(diagnostics) => {
                terminal::show(&map, &diagnostics, ColorArg::Auto);
                exit = Exit::Usage;
            }
        }
    }
    exit
}
