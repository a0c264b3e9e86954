//! Paths of the command line: `FILE`, `FILE:LINE` and folders, as a suite of their own or as what is kept of named suites.

use std::sync::Arc;

use super::load::Loader;
use crate::plan::{CaseFileInput, FeatureInput, SuiteInput};
use crate::source::{Diagnostic, FileId};
use crate::spec::files::{BUILTIN, Kind, Origin};
use crate::spec::suite::Defaults;
use crate::spec::{Loaded, Places, SuiteSpec, load_suite};

/// Name of the suite that holds files given by path.
pub(super) const FILES: &str = "(files)";

/// Folders of a project whose YAML files are not cases.
const NOT_CASES: [&str; 9] = ["suites", "setups", "tools", "profiles", "phrases", "gates", "tapes", "assets", "target"];

/// A path of the command line with the lines it selects.
#[derive(Debug)]
pub(super) struct Wanted {
    pub path: String,
    pub lines: Vec<u32>,
}

impl Loader<'_> {
    /// Paths of the command line as files; folders are looked into.
    pub(super) fn paths(&mut self, paths: &[String]) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for given in paths {
            let (path, line) = split_line(given);
            let found = if self.project.root.join(path).is_dir() {
                self.folder(path, Origin::Disk)
            } else if !is_yaml(path) && !path.ends_with(".feature") && !self.project.root.join(path).exists() {
                self.folder(path, Origin::Builtin)
            } else {
                vec![path.to_owned()]
            };
            for path in found {
                let at = wanted.iter().position(|known| known.path == path).unwrap_or(wanted.len());
                if at == wanted.len() {
                    wanted.push(Wanted { path, lines: Vec::new() });
                }
                let entry = &mut wanted[at];
                entry.lines.extend(line);
            }
        }
        wanted
    }

    /// The features and case files of a folder.
    fn folder(&mut self, path: &str, origin: Origin) -> Vec<String> {
        let folder = path.trim_end_matches('/');
        let mut files = Vec::new();
        for ending in ["feature", "yaml", "yml"] {
            let pattern = if folder == "." { format!("**/*.{ending}") } else { format!("{folder}/**/*.{ending}") };
            match self.project.glob(&pattern, origin) {
                Ok(found) => files.extend(found.into_iter().filter(|path| is_test_file(path))),
                Err(refusal) if refusal.code == "file/no-match" => {}
                Err(refusal) => self.diagnostics.push(refusal),
            }
        }
        if files.is_empty() {
            let message = match origin {
                Origin::Disk => format!("the folder `{path}` holds no feature and no case file"),
                Origin::Builtin => format!("there is no file and no folder `{path}`"),
            };
            // A folder that is not there is looked for under a name near it, as a pattern would be.
            let near = self.project.glob(&format!("{folder}/**"), Origin::Disk).err().and_then(|refusal| refusal.help);
            self.diagnostics.push(Diagnostic::error("file/no-match", None, message).help(near));
        }
        files
    }

    /// The suite of files given by path. What the suites that hold them say of parameters and defaults holds here too, so
    /// that a scenario run by its place is the one that its suite runs.
    pub(super) fn files_suite(&mut self, wanted: &[Wanted], names: &[String]) -> Option<SuiteInput> {
        if wanted.is_empty() {
            return None;
        }
        let mut spec = SuiteSpec {
            name: FILES.to_owned(),
            description: "files given by path".to_owned(),
            // Where no suite holds the files nobody says how to sample; a first test should answer the same way twice.
            defaults: Defaults { temperature: Some(0.0), seed: Some(7), ..Defaults::default() },
            ..SuiteSpec::default()
        };
        let mut places = Places::default();
        for owner in self.owners(wanted, names) {
            if spec.default_setup.is_none() {
                spec.default_setup = owner.spec.default_setup;
                spec.defaults = owner.spec.defaults;
                places = owner.places;
            }
            for (name, values) in owner.spec.parameters {
                spec.parameters.entry(name).or_insert(values);
            }
        }
        let mut suite = SuiteInput { spec: Arc::new(spec), places, ..SuiteInput::default() };
        for Wanted { path, lines } in wanted {
            match path.rsplit_once('.').map(|(_, ending)| ending) {
                Some("feature") => {
                    suite.features.extend(self.feature(path, None).map(|input| FeatureInput { lines: lines.clone(), ..input }));
                }
                Some("yaml" | "yml") => {
                    suite.cases.extend(self.case_file(path, None).map(|input| CaseFileInput { lines: lines.clone(), ..input }));
                }
                _ => {
                    let diagnostic =
                        Diagnostic::error("file/unknown-kind", None, format!("`{path}` is no feature and no case file"));
                    self.diagnostics.push(diagnostic.help("features end with `.feature`, cases with `.yaml`".to_owned()));
                }
            }
        }
        Some(suite)
    }

    /// The suites that hold any of these files. Mistakes in suites that are not run are not said.
    fn owners(&mut self, wanted: &[Wanted], names: &[String]) -> Vec<Loaded<SuiteSpec>> {
        let mut owners = Vec::new();
        for name in names {
            let Some(path) = self.project.find(Kind::Suite, name) else { continue };
            let (Some(loaded), _) = load_suite(self.project, &mut self.map, &path) else { continue };
            let origin = self.project.origin(&self.map, loaded.file);
            let patterns = loaded.spec.features.iter().chain(&loaded.spec.cases);
            let holds = patterns
                .filter_map(|pattern| self.project.glob(pattern, origin).ok())
                .flatten()
                .any(|file| wanted.iter().any(|it| plain_path(&it.path) == plain_path(&file)));
            if holds {
                owners.push(loaded);
            }
        }
        owners
    }

    /// Keeps of the named suites the files that were given.
    pub(super) fn narrow(&mut self, suites: &mut [SuiteInput], wanted: &[Wanted]) {
        let mut met = vec![false; wanted.len()];
        let map = &self.map;
        let mut lines_of = |file: FileId| {
            let name = map.file(file).name();
            let at = wanted.iter().position(|it| plain_path(&it.path) == plain_path(name))?;
            met[at] = true;
            Some(wanted[at].lines.clone())
        };
        for suite in suites {
            suite.complete = false;
            suite.features.retain_mut(|feature| lines_of(feature.file).map(|lines| feature.lines = lines).is_some());
            suite.cases.retain_mut(|cases| lines_of(cases.file).map(|lines| cases.lines = lines).is_some());
        }
        for (it, _) in wanted.iter().zip(met).filter(|(_, met)| !met) {
            let message = format!("none of the named suites holds `{}`", it.path);
            let help = "leave out `--suite` to run it on its own".to_owned();
            self.diagnostics.push(Diagnostic::error("suite/not-in-suite", None, message).help(help));
        }
    }
}

/// A path as suites name it.
fn plain_path(path: &str) -> &str {
    path.strip_prefix(BUILTIN).unwrap_or(path).trim_start_matches("./")
}

/// `FILE:LINE` as file and line.
fn split_line(given: &str) -> (&str, Option<u32>) {
    match given.rsplit_once(':') {
        Some((path, line)) if path.contains('.') => match line.parse() {
            Ok(line) => (path, Some(line)),
            Err(_) => (given, None),
        },
        _ => (given, None),
    }
}

/// Whether a path is YAML by its ending.
pub(super) fn is_yaml(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml"))
}

/// Whether a file found in a folder is a feature, or YAML that can be cases.
fn is_test_file(path: &str) -> bool {
    let path = plain_path(path);
    let folders: Vec<&str> = path.rsplit_once('/').map_or(Vec::new(), |(folders, _)| folders.split('/').collect());
    !is_yaml(path) || folders.contains(&"cases") && !folders.first().is_some_and(|first| NOT_CASES.contains(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_from_its_file() {
        for (given, expect) in [
            ("a.feature:12", ("a.feature", Some(12))),
            ("a.feature", ("a.feature", None)),
            ("a.feature:x", ("a.feature:x", None)),
            ("C:12", ("C:12", None)),
            ("features/a:b.feature:3", ("features/a:b.feature", Some(3))),
        ] {
            assert_eq!(split_line(given), expect, "{given}");
        }
    }

    #[test]
    fn folders_hold_features_and_cases_alone() {
        for (path, expect) in [
            ("features/a.feature", true),
            ("cases/a.yaml", true),
            ("builtin:cases/base/a.yml", true),
            ("setups/cases/a.yaml", false),
            ("docs/a.yaml", false),
            ("my/cases/a.yaml", true),
        ] {
            assert_eq!(is_test_file(path), expect, "{path}");
        }
    }
}
