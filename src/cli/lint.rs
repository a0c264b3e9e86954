//! What is wrong with the arguments of planned steps: bad patterns, paths, JSON, schemas, tables, each at its step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::event::Place;
use crate::plan::{Catalogue, Plan};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap};

/// Looks at every distinct step of a plan once.
pub(super) fn lint(map: &SourceMap, plan: &Plan, catalogue: &Catalogue) -> Diagnostics {
    let files: HashMap<&str, FileId> = map.files().map(|(id, file)| (&**file.name(), id)).collect();
    let (mut seen, mut places) = (HashSet::new(), HashSet::new());
    let mut found = Diagnostics::new();
    let features = plan.cells.iter().flat_map(|cell| &cell.features);
    for step in features.flat_map(|feature| &feature.scenarios).flat_map(|scenario| scenario.steps.iter()) {
        if !seen.insert(Arc::as_ptr(step)) {
            continue;
        }
        let def = catalogue.def(step.def);
        if let Some(words) = crate::steps::lint(def, &step.captures, step.doc.as_ref(), step.table.as_deref())
            && places.insert((step.at.clone(), words.clone()))
        {
            let at = files.get(&*step.at.file).map(|&file| covered(map, file, &step.at));
            found.push(Diagnostic::error("step/bad-argument", at, words));
        }
    }
    found
}

/// The step's sentence in its file, from its keyword to the end of its line.
fn covered(map: &SourceMap, file: FileId, place: &Place) -> At {
    let source = map.file(file);
    let start = source.offset(place.line, place.column);
    let rest = source.text()[start as usize..].lines().next().unwrap_or("").trim_end();
    At { file, start, end: start + u32::try_from(rest.len()).unwrap_or_default() }
}
