//! From names and paths to a plan: reads every file the command needs, once, and hands the values to the compiler.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use crate::plan::{
    self, CaseFileInput, CaseInput, CaseRow, FeatureInput, Names, Overrides, Plan, PlanInput, ProfileInput, RowValue, Selection,
    SetupInput, SuiteInput,
};
use crate::source::{Diagnostic, Diagnostics, FileId, SourceMap, did_you_mean};
use crate::spec::case::{CaseFile, CaseSpec};
use crate::spec::env::{expand_env, missing_env};
use crate::spec::files::{Kind, Origin, Project};
use crate::spec::gherkin::{self, Document};
use crate::spec::rows::{self, Datum};
use crate::spec::{SetupSpec, SuiteSpec, load_cases, load_profile, load_setup, load_suite, load_tool};
use crate::stack;

/// Name of the suite that holds files given by path.
const FILES: &str = "(files)";

/// What a command asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadRequest {
    /// Suites by name.
    pub suites: Vec<String>,
    /// Files, `FILE:LINE`, folders.
    pub paths: Vec<String>,
    /// Tags, names, setups.
    pub selection: Selection,
    /// Flags.
    pub overrides: Overrides,
    /// Environment, with `--env` over it.
    pub environment: BTreeMap<String, String>,
    /// Every suite, setup, tool and profile of the project, and no complaint where no setup is named (`check`).
    pub everything: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    /// All texts.
    pub map: SourceMap,
    /// The plan; not to be run while a diagnostic is an error.
    pub plan: Plan,
    /// All mistakes.
    pub diagnostics: Diagnostics,
    /// Bearer token of attached stacks, by setup.
    pub bearers: HashMap<String, String>,
    /// Setups that were read.
    pub setups: usize,
}

/// Reads and compiles.
pub(super) fn compile(project: &Project, request: LoadRequest) -> Compiled {
    let mut loader = Loader { project, map: SourceMap::new(), found: Vec::new(), documents: HashMap::new(), cases: HashMap::new() };
    let names = Names {
        suites: project.names(Kind::Suite),
        setups: project.names(Kind::Setup),
        profiles: project.names(Kind::Profile),
    };
    let wanted = if request.everything { names.suites.clone() } else { request.suites.clone() };
    let mut suites: Vec<SuiteInput> = wanted.iter().filter_map(|name| loader.suite(name, &names)).collect();
    if !request.paths.is_empty() {
        suites.push(loader.files(&request.paths));
    }
    let setups = loader.setups(&request, &suites, &names);
    let profiles = loader.profiles(&setups, request.everything.then_some(&names));
    let tools = loader.tools();
    let lookup = |name: &str| request.environment.get(name).cloned();
    let unmet = setups.iter().filter_map(|setup| Some((setup.spec.name.clone(), unmet(&setup.spec, &request, lookup)?))).collect();
    let bearers = setups.iter().filter_map(|setup| bearer(&setup.spec, lookup)).collect();
    let mut selection = request.selection;
    selection.narrowed = !request.everything;
    let count = setups.len();
    let input = PlanInput {
        suites,
        setups,
        profiles,
        tools,
        names,
        selection,
        overrides: request.overrides,
        environment: request.environment,
        unmet,
        bare_setup: request.everything,
    };
    let Loader { map, found: mut diagnostics, .. } = loader;
    let (plan, more) = plan::compile(&map, &input, &crate::steps::catalogue(), crate::steps::EXPECT);
    diagnostics.extend(more);
    Compiled { map, plan, diagnostics, bearers, setups: count }
}

/// Why a setup cannot run here. Needs of services do not count where an address is given.
fn unmet(setup: &SetupSpec, request: &LoadRequest, lookup: impl Fn(&str) -> Option<String>) -> Option<String> {
    if request.everything || request.overrides.url.is_some() {
        return None;
    }
    let missing = missing_env(setup, &lookup);
    if !missing.is_empty() {
        return Some(format!("`{}` is not set; set it, or give `--env {}=…`", missing.join("`, `"), missing[0]));
    }
    stack::unmet(setup, &lookup)
}

fn bearer(setup: &SetupSpec, lookup: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let text = &setup.auth.as_ref()?.bearer;
    let token = expand_env(text, lookup).ok().filter(|token| !token.is_empty() && !token.contains("<key>"))?;
    Some((setup.name.clone(), token))
}

struct Loader<'a> {
    project: &'a Project,
    map: SourceMap,
    found: Diagnostics,
    documents: HashMap<String, (FileId, Arc<Document>, bool)>,
    cases: HashMap<String, CaseFileInput>,
}

impl Loader<'_> {
    fn unknown(&mut self, kind: &str, name: &str, names: &[String]) {
        let code = if kind == "suite" { "suite/unknown-suite" } else { "suite/unknown-setup" };
        let help = did_you_mean(name, names.iter().map(String::as_str));
        self.found.push(Diagnostic::error(code, None, format!("there is no {kind} named `{name}`")).help(help));
    }

    fn suite(&mut self, name: &str, names: &Names) -> Option<SuiteInput> {
        let Some(path) = self.project.find(Kind::Suite, name) else {
            self.unknown("suite", name, &names.suites);
            return None;
        };
        let (loaded, diagnostics) = load_suite(self.project, &mut self.map, &path);
        self.found.extend(diagnostics);
        let loaded = loaded?;
        let origin = Origin::of(&path);
        let mut suite = SuiteInput { places: loaded.places.clone(), complete: true, ..SuiteInput::default() };
        for (key, patterns) in [("features", &loaded.spec.features), ("cases", &loaded.spec.cases)] {
            for (at, pattern) in patterns.iter().enumerate() {
                match self.project.glob(pattern, origin) {
                    Ok(paths) => {
                        for path in paths {
                            suite.complete &= self.file(&mut suite, &path, Vec::new());
                        }
                    }
                    Err(mut refusal) => {
                        refusal.at = loaded.places.value(&format!("/{key}/{at}"));
                        self.found.push(refusal);
                        suite.complete = false;
                    }
                }
            }
        }
        suite.spec = Arc::new(loaded.spec);
        Some(suite)
    }

    /// The suite of files given by path: features and cases, `FILE:LINE`, folders.
    fn files(&mut self, paths: &[String]) -> SuiteInput {
        let spec = SuiteSpec { name: FILES.to_owned(), description: "files given by path".to_owned(), ..SuiteSpec::default() };
        let mut suite = SuiteInput { spec: Arc::new(spec), ..SuiteInput::default() };
        let mut asked: Vec<(String, Vec<u32>)> = Vec::new();
        for path in paths {
            let (path, line) = with_line(path);
            let before = asked.iter_mut().find(|(known, _)| *known == path);
            match (before, line) {
                (Some((_, lines)), Some(line)) if !lines.is_empty() => lines.push(line),
                (Some((_, lines)), None) => lines.clear(),
                (Some(_), Some(_)) => {}
                (None, line) => asked.push((path, line.into_iter().collect())),
            }
        }
        for (path, lines) in asked {
            if Path::new(&path).is_dir() || self.project.root.join(&path).is_dir() {
                self.folder(&mut suite, &path);
            } else {
                self.file(&mut suite, &path, lines);
            }
        }
        suite
    }

    fn folder(&mut self, suite: &mut SuiteInput, folder: &str) {
        let folder = folder.trim_end_matches('/');
        let mut any = false;
        for pattern in ["**/*.feature", "**/cases/**/*.yaml", "**/cases/**/*.yml"] {
            let pattern = if folder == "." || folder.is_empty() { pattern.to_owned() } else { format!("{folder}/{pattern}") };
            match self.project.glob(&pattern, Origin::Disk) {
                Ok(paths) => {
                    any |= !paths.is_empty();
                    for path in paths {
                        self.file(suite, &path, Vec::new());
                    }
                }
                Err(refusal) if refusal.code == "file/no-match" => {}
                Err(refusal) => self.found.push(refusal),
            }
        }
        if !any {
            let text = format!("the folder `{folder}` holds no feature and no case");
            self.found.push(
                Diagnostic::error("file/no-match", None, text)
                    .help("features end in `.feature`; cases are YAML files below a folder named `cases`".to_owned()),
            );
        }
    }

    /// Adds a feature or case file to a suite. Returns whether it was read without complaint.
    fn file(&mut self, suite: &mut SuiteInput, path: &str, lines: Vec<u32>) -> bool {
        if path.ends_with(".yaml") || path.ends_with(".yml") {
            let Some(cases) = self.case_file(path) else { return false };
            let fine = !cases.broken;
            suite.cases.push(CaseFileInput { lines, ..cases });
            return fine;
        }
        if !path.ends_with(".feature") {
            let text = format!("`{path}` is neither a feature nor a case file");
            self.found.push(
                Diagnostic::error("file/unknown-kind", None, text)
                    .help("features end in `.feature`, cases in `.yaml`; `--suite NAME` runs a suite".to_owned()),
            );
            return false;
        }
        let Some((file, document, broken)) = self.document(path) else { return false };
        suite.features.push(FeatureInput { file, document, broken, lines });
        !broken
    }

    fn document(&mut self, path: &str) -> Option<(FileId, Arc<Document>, bool)> {
        if let Some(known) = self.documents.get(path) {
            return Some(known.clone());
        }
        let file = match self.project.read(&mut self.map, path) {
            Ok(file) => file,
            Err(refusal) => {
                self.found.push(refusal);
                return None;
            }
        };
        let (document, diagnostics) = gherkin::parse(&self.map, file);
        let broken = diagnostics.iter().any(Diagnostic::is_error);
        self.found.extend(diagnostics);
        let read = (file, Arc::new(document), broken);
        self.documents.insert(path.to_owned(), read.clone());
        Some(read)
    }

    fn case_file(&mut self, path: &str) -> Option<CaseFileInput> {
        if let Some(known) = self.cases.get(path) {
            return Some(known.clone());
        }
        let (loaded, diagnostics) = load_cases(self.project, &mut self.map, path);
        let mut broken = diagnostics.iter().any(Diagnostic::is_error);
        self.found.extend(diagnostics);
        let loaded = loaded?;
        let specs: Vec<(String, CaseSpec)> = match loaded.spec.clone() {
            CaseFile::One(case) => vec![(String::new(), *case)],
            CaseFile::Many(cases) => cases.into_iter().enumerate().map(|(at, case)| (format!("/{at}"), case)).collect(),
        };
        let mut cases = Vec::with_capacity(specs.len());
        for (pointer, spec) in specs {
            let (rows, diagnostics) = rows::case_rows(self.project, &mut self.map, &loaded, &pointer, &spec);
            broken |= diagnostics.iter().any(Diagnostic::is_error);
            self.found.extend(diagnostics);
            let rows = rows.map(|rows| rows.into_iter().map(|row| CaseRow { at: row.at, values: values(row.values) }).collect());
            cases.push(CaseInput { spec, pointer, rows });
        }
        let input = CaseFileInput { file: loaded.file, cases: Arc::new(cases), places: loaded.places, broken, lines: Vec::new() };
        self.cases.insert(path.to_owned(), input.clone());
        Some(input)
    }

    /// The setups named by flags and suites; all of them for `check`.
    fn setups(&mut self, request: &LoadRequest, suites: &[SuiteInput], names: &Names) -> Vec<SetupInput> {
        let mut wanted: BTreeSet<String> = request.selection.setups.iter().cloned().collect();
        if request.everything {
            wanted.extend(names.setups.iter().cloned());
        } else if request.selection.setups.is_empty() {
            wanted.extend(suites.iter().filter_map(|suite| suite.spec.default_setup.clone()));
        }
        let mut setups = Vec::new();
        for name in wanted {
            // The compiler says which names are unknown, at their place.
            let Some(path) = self.project.find(Kind::Setup, &name) else { continue };
            let (loaded, diagnostics) = load_setup(self.project, &mut self.map, &path);
            self.found.extend(diagnostics);
            if let Some(loaded) = loaded {
                setups.push(SetupInput { spec: Arc::new(loaded.spec), places: loaded.places });
            }
        }
        setups
    }

    fn profiles(&mut self, setups: &[SetupInput], all: Option<&Names>) -> Vec<ProfileInput> {
        let mut wanted: BTreeSet<String> = setups.iter().filter_map(|setup| setup.spec.profile.clone()).collect();
        wanted.extend(all.into_iter().flat_map(|names| names.profiles.clone()));
        let mut profiles = Vec::new();
        for name in wanted {
            let Some(path) = self.project.find(Kind::Profile, &name) else { continue };
            let (loaded, diagnostics) = load_profile(self.project, &mut self.map, &path);
            self.found.extend(diagnostics);
            profiles.extend(loaded.map(|loaded| ProfileInput { spec: Arc::new(loaded.spec), places: loaded.places }));
        }
        profiles
    }

    fn tools(&mut self) -> Arc<Vec<Arc<crate::spec::ToolSpec>>> {
        let mut tools = Vec::new();
        for name in self.project.names(Kind::Tool) {
            let Some(path) = self.project.find(Kind::Tool, &name) else { continue };
            let (loaded, diagnostics) = load_tool(self.project, &mut self.map, &path);
            self.found.extend(diagnostics);
            tools.extend(loaded.map(|loaded| Arc::new(loaded.spec)));
        }
        Arc::new(tools)
    }
}

fn values(row: Vec<(Arc<str>, Datum)>) -> Vec<(Arc<str>, RowValue)> {
    let value = |datum| match datum {
        Datum::Text(text) => RowValue::Text(text),
        Datum::Json(json) => RowValue::Json(json),
    };
    row.into_iter().map(|(name, datum)| (name, value(datum))).collect()
}

/// `FILE:LINE` into its parts.
fn with_line(path: &str) -> (String, Option<u32>) {
    match path.rsplit_once(':') {
        Some((file, line)) if !file.is_empty() => match line.parse() {
            Ok(line) => (file.to_owned(), Some(line)),
            Err(_) => (path.to_owned(), None),
        },
        _ => (path.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::with_line;

    #[test]
    fn a_line_is_split_from_its_file() {
        for (path, file, line) in [("a.feature:12", "a.feature", Some(12)), ("a.feature", "a.feature", None), ("c:x", "c:x", None)] {
            assert_eq!(with_line(path), (file.to_owned(), line), "{path}");
        }
    }
}
