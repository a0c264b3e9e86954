//! What will the weights of a setup take of memory? Asked of the file where it is there, else of the catalogue.

use std::path::{Path, PathBuf};

use super::provision;
use crate::models::{Estimate, Gguf};
use crate::spec::files::Project;
use crate::spec::setup::WeightsNeed;
use crate::spec::{SetupSpec, model_named};

/// The estimate for what `needs.weights` names; the error is why there is none.
pub(super) fn estimate(setup: &SetupSpec, need: &WeightsNeed, project: &Project, cache: &Path) -> Result<Estimate, String> {
    let context = need.context.map(u64::from);
    let mut why = "`needs.weights` names neither a file nor a model".to_owned();
    if let Some(file) = &need.file {
        match located(setup, file, project, cache) {
            Some(path) => match Gguf::read(&path) {
                Ok(header) => return Ok(Estimate::of_file(&header, context)),
                Err(error) => why = error.to_string(),
            },
            None => why = format!("{file} is not there yet"),
        }
    }
    let Some(name) = &need.model else { return Err(why) };
    let entry = model_named(project, name).ok_or_else(|| format!("{why}, and the catalogue has no model `{name}`"))?;
    Estimate::of_entry(&entry, context).ok_or_else(|| format!("{why}, and the catalogue states no size of `{name}`"))
}

/// Where the file lies, if it is there: `<files>/NAME` in the cache, else a path as it is written.
pub(super) fn located(setup: &SetupSpec, file: &str, project: &Project, cache: &Path) -> Option<PathBuf> {
    let path = match file.strip_prefix("<files>/") {
        Some(name) => provision::provisioned_file(setup, project, cache, name)?,
        None => project.root.join(file),
    };
    path.is_file().then_some(path)
}
