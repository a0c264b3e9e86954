//! From a request to what the compiler reads: which files, read once, each with its mistakes.
//!
//! Names lead to files through the project; suites on disk see files on disk, built-in ones the built-in ones. What is
//! missing or broken is a diagnostic, and all else goes on, so that all mistakes are shown in one go.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::lint;
use super::paths::{FILES, is_yaml};
use crate::contract;
use crate::plan::{
    self, CaseFileInput, CaseInput, CellPlan, Connect, FeatureInput, Names, Overrides, Plan, PlanInput, ProfileInput, Selection,
    SetupInput, SuiteInput,
};
use crate::source::{At, Diagnostic, Diagnostics, FileId, SourceMap, did_you_mean};
use crate::spec::case::Each;
use crate::spec::env::expand_env;
use crate::spec::files::{BUILTIN, Kind, Origin, Project};
use crate::spec::gherkin::Document;
use crate::spec::rows::case_rows;
use crate::spec::{CaseFile, CaseSpec, Loaded, Places, ProfileSpec, SetupSpec, SuiteSpec};
use crate::spec::{gherkin, load_cases, load_client, load_models, load_profile, load_setup, load_suite, load_tool};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadRequest {
    /// Suites by name.
    pub suites: Vec<String>,
    /// Files, `FILE:LINE`, folders: a suite of their own, or, beside named suites, what is kept of those.
    pub paths: Vec<String>,
    /// What narrows the run.
    pub selection: Selection,
    /// What flags and the environment say.
    pub overrides: Overrides,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Models of the catalogue in place of setups; none named means all of them.
    pub catalogue: Option<Vec<String>>,
    /// Every suite, setup and profile of the project.
    pub all: bool,
    /// Where no setup is named, plan against a bare address.
    pub bare_setup: bool,
}

/// A compiled request.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    /// The texts that were read.
    pub map: SourceMap,
    /// The plan.
    pub plan: Plan,
    /// All mistakes.
    pub diagnostics: Diagnostics,
    /// Bearer token by setup, for stacks that run already.
    pub bearers: HashMap<String, String>,
    /// What was read.
    pub counts: Counts,
}

/// How much there is of the project's own: a built-in setup counts where a suite of the project uses it. In a folder that
/// has no suite and no setup of its own, the built-in ones are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub suites: usize,
    pub setups: usize,
    pub scenarios: u64,
}

impl Counts {
    fn of(project: &Project, input: &PlanInput, plan: &Plan) -> Self {
        let on_disk = |kind, name: &str| project.find(kind, name).is_none_or(|path| !path.starts_with(BUILTIN));
        let own = |suite: &SuiteSpec| on_disk(Kind::Suite, &suite.name);
        let any = input.suites.iter().any(|suite| own(&suite.spec))
            || input.setups.iter().any(|setup| on_disk(Kind::Setup, &setup.spec.name));
        let suites = || input.suites.iter().filter(|suite| !any || own(&suite.spec));
        let used = |name: &str| suites().any(|suite| suite.spec.default_setup.as_deref() == Some(name));
        let counted = |name: &str| !any || on_disk(Kind::Setup, name) || used(name);
        Self {
            suites: suites().filter(|suite| suite.spec.name != FILES).count(),
            setups: input.setups.iter().filter(|setup| counted(&setup.spec.name)).count(),
            scenarios: plan.cells.iter().filter(|cell| !any || own(&cell.suite)).map(CellPlan::planned).sum(),
        }
    }
}

/// Loads and compiles.
pub(super) fn compile(project: &Project, request: LoadRequest) -> Compiled {
    let (map, input, mut diagnostics) = load(project, request);
    let catalogue = crate::steps::catalogue();
    let (plan, mistakes) = plan::compile(&map, &input, &catalogue, crate::steps::EXPECT);
    diagnostics.extend(mistakes);
    diagnostics.extend(lint::lint(&map, &plan, &catalogue));
    let bearers = bearers(&plan, &input);
    let counts = Counts::of(project, &input, &plan);
    Compiled { map, plan, diagnostics, bearers, counts }
}

/// Tokens of the setups that are attached to. One made for the run (`<key>`) is known to nobody but a server of ours.
fn bearers(plan: &Plan, input: &PlanInput) -> HashMap<String, String> {
    let is_attached = |connect: &Connect| matches!(connect, Connect::Attach { .. });
    let attached = plan.cells.iter().flat_map(|cell| match &cell.connect {
        Connect::Compose { parts } => {
            parts.iter().filter(|part| is_attached(&part.connect)).map(|part| &part.setup).collect::<Vec<_>>()
        }
        connect if is_attached(connect) => vec![&cell.setup],
        _ => Vec::new(),
    });
    let token = |setup: &SetupSpec| {
        let auth = setup.auth.as_ref().filter(|auth| !auth.bearer.contains("<key>"))?;
        expand_env(&auth.bearer, |name| input.environment.get(name).cloned()).ok()
    };
    attached.filter_map(|setup| Some((setup.name.clone(), token(setup)?))).collect()
}

/// Reads all that a request needs.
pub(super) fn load(project: &Project, request: LoadRequest) -> (SourceMap, PlanInput, Diagnostics) {
    let mut loader =
        Loader { project, map: SourceMap::new(), diagnostics: Vec::new(), features: HashMap::new(), cases: HashMap::new() };
    let mut input = PlanInput {
        names: Names {
            suites: project.names(Kind::Suite),
            setups: project.names(Kind::Setup),
            profiles: project.names(Kind::Profile),
        },
        selection: request.selection,
        overrides: request.overrides,
        environment: request.environment,
        bare_setup: request.bare_setup,
        ..PlanInput::default()
    };
    let named = if request.all { input.names.suites.clone() } else { unique(&request.suites) };
    input.selection.narrowed |= !request.all;
    if let Some((text, at)) = &mut input.selection.tags {
        let file = loader.map.add("--tags", text.as_str());
        *at = Some(At { file, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) });
    }
    for name in &named {
        input.suites.extend(loader.suite(name, &input.names.suites));
    }
    let wanted = loader.paths(&request.paths);
    if named.is_empty() || request.all {
        input.suites.extend(loader.files_suite(&wanted, &input.names.suites));
    } else if !request.paths.is_empty() {
        loader.narrow(&mut input.suites, &wanted);
    }
    match &request.catalogue {
        Some(wanted) => loader.entries(&mut input, &unique(wanted)),
        None => loader.setups(&mut input, request.all),
    }
    loader.profiles(&mut input, request.all);
    loader.tools(&mut input);
    loader.clients(&mut input);
    if request.all {
        let (_, mistakes) = load_models(project, &mut loader.map);
        loader.diagnostics.extend(mistakes);
    }
    (loader.map, input, loader.diagnostics)
}

fn unique(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// A case file that was read.
#[derive(Clone)]
struct ReadCases {
    file: FileId,
    cases: Arc<Vec<CaseInput>>,
    places: Places,
    broken: bool,
}

/// Reads files, and collects what is wrong with them.
pub(super) struct Loader<'a> {
    pub(super) project: &'a Project,
    pub(super) map: SourceMap,
    pub(super) diagnostics: Diagnostics,
    /// Files that several suites hold are read once.
    features: HashMap<String, Option<FeatureInput>>,
    cases: HashMap<String, Option<ReadCases>>,
}

impl Loader<'_> {
    fn suite(&mut self, name: &str, known: &[String]) -> Option<SuiteInput> {
        let Some(path) = self.project.find(Kind::Suite, name) else {
            let diagnostic = Diagnostic::error("suite/unknown", None, format!("there is no suite `{name}`"));
            self.diagnostics.push(diagnostic.help(did_you_mean(name, known.iter().map(String::as_str))));
            return None;
        };
        let (loaded, mistakes) = load_suite(self.project, &mut self.map, &path);
        self.diagnostics.extend(mistakes);
        let loaded = loaded?;
        let origin = self.project.origin(&self.map, loaded.file);
        let mut suite = SuiteInput { complete: true, places: loaded.places, ..SuiteInput::default() };
        for (index, pattern) in loaded.spec.features.iter().enumerate() {
            let at = suite.places.value(&format!("/features/{index}"));
            for path in self.glob(pattern, origin, at, &mut suite.complete) {
                let known = suite.features.len();
                suite.features.extend(self.feature(&path, at));
                suite.complete &= suite.features.len() > known && suite.features.iter().all(|feature| !feature.broken());
            }
        }
        for (index, pattern) in loaded.spec.cases.iter().enumerate() {
            let at = suite.places.value(&format!("/cases/{index}"));
            self.other_ending(&loaded.spec.cases, pattern, origin, at);
            for path in self.glob(pattern, origin, at, &mut suite.complete) {
                let known = suite.cases.len();
                suite.cases.extend(self.case_file(&path, at));
                suite.complete &= suite.cases.len() > known && suite.cases.iter().all(|cases| !cases.broken);
            }
        }
        once_each(&mut suite);
        suite.spec = Arc::new(loaded.spec);
        Some(suite)
    }

    /// Says of case files with the other ending that no pattern of the suite names them.
    fn other_ending(&mut self, patterns: &[String], pattern: &str, origin: Origin, at: Option<At>) {
        let Some(other) = pattern.strip_suffix(".yaml").map(|stem| format!("{stem}.yml")) else { return };
        if origin == Origin::Builtin || patterns.contains(&other) {
            return;
        }
        // That nothing has the other ending is what is hoped for, and no mistake.
        for path in self.project.glob(&other, origin).unwrap_or_default() {
            let message = format!("`{path}` is not read: no pattern of the suite names it");
            let right = format!("{}yaml", path.strip_suffix("yml").unwrap_or(&path));
            let taken = self.project.shadowed(&right).is_some();
            let first = if taken { format!("move its cases to `{right}`") } else { format!("rename it to `{right}`") };
            let help = format!("{first}, or add the pattern `{other}`");
            self.diagnostics.push(Diagnostic::warning("case/not-read", at, message).help(help));
        }
    }

    fn glob(&mut self, pattern: &str, origin: Origin, at: Option<At>, complete: &mut bool) -> Vec<String> {
        match self.project.glob(pattern, origin) {
            Ok(paths) => paths,
            Err(refusal) => {
                *complete = false;
                self.diagnostics.push(Diagnostic { at: refusal.at.or(at), ..refusal });
                Vec::new()
            }
        }
    }

    pub(super) fn feature(&mut self, path: &str, at: Option<At>) -> Option<FeatureInput> {
        if let Some(known) = self.features.get(path) {
            return known.clone();
        }
        let input = match self.project.read(&mut self.map, path) {
            Ok(file) => {
                let (document, mistakes) = gherkin::parse(&self.map, file);
                let wrong = mistakes.iter().filter(|mistake| mistake.is_error()).filter_map(|mistake| mistake.at).collect();
                self.diagnostics.extend(mistakes);
                Some(FeatureInput { file, document: Arc::<Document>::new(document), mistakes: wrong, lines: Vec::new() })
            }
            Err(refusal) => {
                self.diagnostics.push(Diagnostic { at: refusal.at.or(at), ..refusal });
                None
            }
        };
        self.features.insert(path.to_owned(), input.clone());
        input
    }

    pub(super) fn case_file(&mut self, path: &str, at: Option<At>) -> Option<CaseFileInput> {
        if !self.cases.contains_key(path) {
            let read = self.read_cases(path, at);
            self.cases.insert(path.to_owned(), read);
        }
        let read = self.cases.get(path)?.clone()?;
        Some(CaseFileInput { file: read.file, cases: read.cases, places: read.places, broken: read.broken, lines: Vec::new() })
    }

    fn read_cases(&mut self, path: &str, at: Option<At>) -> Option<ReadCases> {
        let (loaded, mistakes) = load_cases(self.project, &mut self.map, path);
        let mut broken = mistakes.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(asked_at(mistakes, at));
        let loaded = loaded?;
        let specs: Vec<(String, CaseSpec)> = match &loaded.spec {
            CaseFile::One(case) => vec![(String::new(), (**case).clone())],
            CaseFile::Many(cases) => cases.iter().enumerate().map(|(index, case)| (format!("/{index}"), case.clone())).collect(),
        };
        let mut cases = Vec::with_capacity(specs.len());
        for (pointer, mut spec) in specs {
            let (rows, mistakes) = case_rows(self.project, &mut self.map, &loaded, &pointer, &spec);
            broken |= mistakes.iter().any(Diagnostic::is_error);
            self.diagnostics.extend(mistakes);
            // Without its rows a case cannot be expanded, and says nothing that the reader has not said.
            if rows.is_none() && spec.each.is_some() {
                continue;
            }
            // Inline rows are kept once, as rows.
            if let Some(Each::Rows(inline)) = &mut spec.each {
                inline.clear();
            }
            cases.push(CaseInput { spec, pointer, rows });
        }
        Some(ReadCases { file: loaded.file, cases: Arc::new(cases), places: loaded.places, broken })
    }

    /// The setups that are named by flag, by suite, or all of them.
    fn setups(&mut self, input: &mut PlanInput, all: bool) {
        let defaults = input.suites.iter().filter_map(|suite| suite.spec.default_setup.clone());
        let mut names: Vec<String> = if input.selection.setups.is_empty() && input.overrides.url.is_none() || all {
            defaults.collect()
        } else {
            Vec::new()
        };
        if all {
            names.extend(input.names.setups.iter().cloned());
        }
        for name in unique(&names) {
            self.setup(&name, input);
        }
        let chosen = unique(&input.selection.setups);
        let names: Vec<String> = chosen.iter().map(|name| self.setup(name, input).unwrap_or_else(|| name.clone())).collect();
        // A provider that was given as a file goes by its name from here on.
        for (_, provider) in input.overrides.compose.iter_mut().flat_map(|given| &mut given.value) {
            if let Some(at) = chosen.iter().position(|form| form == provider) {
                provider.clone_from(&names[at]);
            }
        }
        input.selection.setups = names;
    }

    /// Reads one setup, by name or by file; the name it carries.
    pub(super) fn setup(&mut self, name: &str, input: &mut PlanInput) -> Option<String> {
        let path = if is_yaml(name) { Some(name.to_owned()) } else { self.project.find(Kind::Setup, name) };
        // A name without a file is said by the compiler, which knows who wrote it.
        let path = path?;
        let (loaded, mistakes) = load_setup(self.project, &mut self.map, &path);
        let asked = input.suites.iter().find(|suite| suite.spec.default_setup.as_deref() == Some(name));
        self.once(asked_at(mistakes, asked.and_then(|suite| suite.places.value("/default_setup"))));
        let loaded = loaded?;
        let name = loaded.spec.name.clone();
        if !input.setups.iter().any(|known| known.spec.name == name) {
            if let Some(reason) = crate::stack::unmet(&loaded.spec, self.project, &|name| input.environment.get(name).cloned()) {
                input.unmet.insert(name.clone(), reason);
            }
            input.setups.push(SetupInput { spec: Arc::new(loaded.spec), places: loaded.places });
        }
        Some(name)
    }

    /// Takes over mistakes that are not known: a setup that others extend is read with each of them.
    fn once(&mut self, mistakes: Diagnostics) {
        let same = |one: &Diagnostic, other: &Diagnostic| {
            let place = |at: Option<At>| at.map(|at| self.map.show(at));
            one.code == other.code && one.message == other.message && place(one.at) == place(other.at)
        };
        let fresh: Vec<Diagnostic> =
            mistakes.into_iter().filter(|one| !self.diagnostics.iter().any(|known| same(known, one))).collect();
        self.diagnostics.extend(fresh);
    }

    fn profiles(&mut self, input: &mut PlanInput, all: bool) {
        let of_setup = |setup: &SetupInput| {
            let of_services = setup.spec.services.values().filter_map(|service| service.profile.clone());
            setup.spec.profile.iter().cloned().chain(of_services).collect::<Vec<_>>()
        };
        let mut names: Vec<String> = input.setups.iter().flat_map(of_setup).collect();
        if all {
            names.extend(input.names.profiles.iter().cloned());
        }
        for name in unique(&names) {
            let Some(path) = self.project.find(Kind::Profile, &name) else { continue };
            let (loaded, mistakes) = load_profile(self.project, &mut self.map, &path);
            let asked = input.setups.iter().find(|setup| setup.spec.profile.as_ref() == Some(&name));
            let mistakes = asked_at(mistakes, asked.and_then(|setup| setup.places.value("/profile")));
            // A profile with mistakes has been told of already.
            let unknown = loaded.as_ref().filter(|_| mistakes.is_empty()).map(unknown_rules);
            self.diagnostics.extend(mistakes.into_iter().chain(unknown.into_iter().flatten()));
            input.profiles.extend(loaded.map(|loaded| ProfileInput { spec: Arc::new(loaded.spec), places: loaded.places }));
        }
    }

    fn tools(&mut self, input: &mut PlanInput) {
        let mut tools = Vec::new();
        for name in self.project.names(Kind::Tool) {
            let Some(path) = self.project.find(Kind::Tool, &name) else { continue };
            let (loaded, mistakes) = load_tool(self.project, &mut self.map, &path);
            self.diagnostics.extend(mistakes);
            if let Some(loaded) = loaded {
                tools.push(Arc::new(loaded.spec));
                input.tool_places.push(loaded.places);
            }
        }
        input.tools = Arc::new(tools);
    }

    fn clients(&mut self, input: &mut PlanInput) {
        for name in self.project.names(Kind::Client) {
            let Some(path) = self.project.find(Kind::Client, &name) else { continue };
            let (loaded, mistakes) = load_client(self.project, &mut self.map, &path);
            self.diagnostics.extend(mistakes);
            input.clients.extend(loaded.map(|loaded| Arc::new(loaded.spec)));
        }
    }
}

/// Mistakes of a file as a whole (it cannot be read, say) at the place that asks for it.
fn asked_at(mistakes: Diagnostics, at: Option<At>) -> Diagnostics {
    mistakes.into_iter().map(|one| Diagnostic { at: one.at.or(at), ..one }).collect()
}

/// Rules that a profile names and that there are not: an entry of theirs could never show.
fn unknown_rules(loaded: &Loaded<ProfileSpec>) -> Diagnostics {
    let dialect = loaded.spec.dialect.iter().map(|entry| Some(&entry.rule)).enumerate();
    let known = loaded.spec.known.iter().map(|entry| entry.rule.as_ref()).enumerate();
    let dialect = dialect.map(|(at, rule)| (format!("/dialect/{at}/rule"), rule));
    let all = dialect.chain(known.map(|(at, rule)| (format!("/known/{at}/rule"), rule)));
    let unknown = all.filter_map(|(pointer, rule)| Some((pointer, rule.filter(|id| contract::rule(id).is_none())?)));
    unknown
        .map(|(pointer, id)| {
            let near = did_you_mean(id, contract::rules().iter().map(|rule| rule.id));
            let help = near.unwrap_or_else(|| "`fireassay rules` lists them".to_owned());
            Diagnostic::error("profile/unknown-rule", loaded.places.value(&pointer), format!("there is no wire rule `{id}`"))
                .help(help)
        })
        .collect()
}

/// Two patterns of a suite may name one file.
fn once_each(suite: &mut SuiteInput) {
    let mut seen = BTreeSet::new();
    suite.features.retain(|feature| seen.insert(feature.file));
    suite.cases.retain(|cases| seen.insert(cases.file));
}
