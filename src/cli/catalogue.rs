//! Which models of the catalogue are run? `--catalogue` → entries, each with the setup that serves it and what is missing here.

use super::load::Loader;
use crate::plan::{EntryInput, PlanInput};
use crate::source::{Diagnostic, did_you_mean};
use crate::spec::setup::WeightsNeed;
use crate::spec::{SetupSpec, load_models};

impl Loader<'_> {
    /// Reads the catalogue and the setups of the models that are wanted; none named means all of them.
    pub(super) fn entries(&mut self, input: &mut PlanInput, wanted: &[String]) {
        let (loaded, mistakes) = load_models(self.project, &mut self.map);
        self.diagnostics.extend(mistakes);
        let mut entries = Vec::new();
        if let Some(loaded) = loaded {
            let models = loaded.spec.models;
            for name in wanted.iter().filter(|name| !models.contains_key(*name)) {
                let origin = self.map.file(loaded.file).name().to_string();
                let near = did_you_mean(name, models.keys().map(String::as_str));
                let help = near.unwrap_or_else(|| "`fireassay models list` shows them".to_owned());
                let message = format!("`--catalogue`: there is no model `{name}` in {origin}");
                self.diagnostics.push(Diagnostic::error("flag/unknown-model", None, message).help(help));
            }
            // In the order in which they were named, else in that of the catalogue.
            let names: Vec<&String> = if wanted.is_empty() { models.keys().collect() } else { wanted.iter().collect() };
            for name in names {
                let Some(spec) = models.get(name) else { continue };
                let setup = spec.setup.as_ref().and_then(|setup| self.setup(setup, input));
                let setup = setup.and_then(|setup| input.setups.iter().find(|known| known.spec.name == setup));
                let unmet = setup.and_then(|setup| self.too_big(&setup.spec, name, input));
                entries.push(EntryInput { name: name.clone(), spec: spec.clone(), wished: !wanted.is_empty(), unmet });
            }
        }
        input.entries = Some(entries);
    }

    /// Memory admission by the catalogue, where the setup does not say whose weights it serves.
    fn too_big(&self, setup: &SetupSpec, name: &str, input: &PlanInput) -> Option<String> {
        if setup.needs.weights.is_some() || setup.services.is_empty() {
            return None;
        }
        let mut setup = setup.clone();
        setup.needs.weights = Some(WeightsNeed { model: Some(name.to_owned()), ..WeightsNeed::default() });
        crate::stack::unmet(&setup, self.project, &|name| input.environment.get(name).cloned())
    }
}
