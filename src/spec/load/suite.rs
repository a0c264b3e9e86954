//! `suites/NAME.yaml` → [`SuiteSpec`].

use serde_json::Value;

use super::{Checks, named};
use crate::source::{Diagnostics, SourceMap};
use crate::spec::SuiteSpec;
use crate::spec::files::Project;
use crate::spec::yaml::{Loaded, escape, got};

/// Loads one suite by its path (`suites/base.yaml`).
pub fn load_suite(project: &Project, map: &mut SourceMap, path: &str) -> (Option<Loaded<SuiteSpec>>, Diagnostics) {
    named(project, map, path, "suite/twice", check)
}

fn check(map: &SourceMap, loaded: &Loaded<SuiteSpec>) -> Diagnostics {
    let mut checks = Checks::new(map, loaded);
    let suite = &loaded.spec;
    checks.name_is_stem("suite/name", loaded.file, &suite.name);
    if suite.features.is_empty() && suite.cases.is_empty() {
        let pointer = if checks.places.has("/features") { "/features" } else { "" };
        let help = "name some: `features: [\"features/**/*.feature\"]` or `cases: [\"cases/*.yaml\"]`".to_owned();
        checks.at_key("suite/nothing-to-run", pointer, "the suite names neither features nor cases", Some(help));
    }
    for (name, values) in &suite.parameters {
        parameter(&mut checks, name, values);
    }
    checks.sorted()
}

fn parameter(checks: &mut Checks<'_>, name: &str, values: &Value) {
    let pointer = format!("/parameters/{}", escape(name));
    if name.is_empty() || name.contains(['<', '>', '\n']) {
        let message = "a parameter's name must be a text without `<` and `>`";
        checks.at_key("suite/bad-parameter", &pointer, message, None);
    }
    let Some(values) = values.as_array() else { return };
    if values.is_empty() {
        let message = format!("the parameter `{name}` has no values, so nothing that mentions it would run");
        checks.at_key("suite/bad-parameter", &pointer, message, Some("give it at least one, or remove it".to_owned()));
    }
    for (at, value) in values.iter().enumerate() {
        if values[..at].contains(value) {
            let message = format!("the parameter `{name}` has {} twice", got(value));
            checks.at_value("suite/bad-parameter", &format!("{pointer}/{at}"), message, None);
        }
    }
}
