//! Suites meet setups: models multiplied, abilities compared, names given, one [`CellPlan`] per combination.

use std::borrow::Cow;
use std::sync::Arc;

use super::Mode;
use super::address::normal_url;
use super::compose::{Share, compose};
use super::draft::{Draft, DraftFile, pointer_part};
use super::profile::Entries;
use super::settings::{self, Settings};
use super::{
    CellPlan, Connect, EntryInput, Explained, FeaturePlan, KnownClaim, Named, Part, PlanInput, ProfileInput, ScenarioPlan,
    SetupInput, SuiteInput, entry, name, services,
};
use crate::event::{CellId, ScenarioId, role_of, slug};
use crate::source::{Diagnostic, Diagnostics, SourceMap, did_you_mean};
use crate::spec::env::expand_env;
use crate::spec::files::BUILTIN;
use crate::spec::profile::{self, Dialect, Known};
use crate::spec::setup::{ABILITIES, ROLES, Service, TEXT_ROLES};
use crate::spec::{ProfileSpec, SetupSpec};

/// Name of the setup that stands for a bare address.
const BARE: &str = "(url)";

/// A setup of a suite's cells; `bare` claims everything.
pub(super) struct Chosen<'a> {
    input: Cow<'a, SetupInput>,
    bare: bool,
    /// What its providers have a share in, where it is composed of several.
    shares: Vec<Share>,
    /// The model of the catalogue that it serves, where one was asked for.
    entry: Option<&'a EntryInput>,
}

impl<'a> Chosen<'a> {
    fn of(input: &'a SetupInput) -> Self {
        Self::new(Cow::Borrowed(input))
    }

    fn new(input: Cow<'a, SetupInput>) -> Self {
        Self { input, bare: false, shares: Vec::new(), entry: None }
    }

    /// What serves a model of the catalogue.
    pub(super) fn of_entry(input: Cow<'a, SetupInput>, entry: &'a EntryInput) -> Self {
        Self { entry: Some(entry), ..Self::new(input) }
    }
}

/// The cells of one suite, in the order of the setups.
pub(super) fn cells(
    map: &SourceMap,
    input: &PlanInput,
    suite: &SuiteInput,
    files: &[DraftFile],
    diagnostics: &mut Diagnostics,
) -> Vec<CellPlan> {
    let mut out = Vec::new();
    for setup in chosen_setups(input, suite, diagnostics) {
        let Some(connect) = connect(input, &setup, diagnostics) else { continue };
        if services::are_ours(&connect.connect) {
            services::exist(&setup.input.spec, files, diagnostics);
        }
        let (settings, explained) = settings::resolve(map, suite, &setup.input, &input.overrides, diagnostics);
        let builder = Builder { map, input, suite, setup: &setup, connect, settings, explained };
        for models in builder.model_choices() {
            out.push(builder.cell(models, files));
        }
    }
    out
}

fn chosen_setups<'a>(input: &'a PlanInput, suite: &SuiteInput, diagnostics: &mut Diagnostics) -> Vec<Chosen<'a>> {
    if let Some(entries) = &input.entries {
        return entry::chosen(input, entries);
    }
    if let Some(given) = &input.overrides.compose {
        return match compose(&given.value, &input.setups) {
            Ok((spec, shares)) => {
                let input = SetupInput { spec: Arc::new(spec), ..SetupInput::default() };
                vec![Chosen { shares, ..Chosen::new(Cow::Owned(input)) }]
            }
            Err(diagnostic) => {
                say(diagnostics, diagnostic);
                Vec::new()
            }
        };
    }
    let (names, at): (Vec<&str>, _) = match (&input.selection.setups[..], &suite.spec.default_setup) {
        ([], Some(default)) if input.overrides.url.is_none() => (vec![default], suite.places.value("/default_setup")),
        ([], _) if input.overrides.url.is_some() || input.bare_setup => {
            let spec = SetupSpec { name: BARE.to_owned(), description: "a bare address".to_owned(), ..SetupSpec::default() };
            let input = SetupInput { spec: Arc::new(spec), ..SetupInput::default() };
            return vec![Chosen { bare: true, ..Chosen::new(Cow::Owned(input)) }];
        }
        ([], _) => {
            let message = format!("no setup is named for the suite `{}`, and it has no default", suite.spec.name);
            let help = "add `--setup NAME` or `--url URL`, or write `default_setup: NAME` in the suite".to_owned();
            say(diagnostics, Diagnostic::error("suite/no-setup", suite.places.key("/name"), message).help(help));
            return Vec::new();
        }
        (names, _) => (names.iter().map(String::as_str).collect(), None),
    };
    let mut chosen = Vec::new();
    for name in names {
        if let Some(setup) = input.setups.iter().find(|setup| setup.spec.name == name) {
            chosen.push(Chosen::of(setup));
        } else if !input.names.setups.iter().any(|known| known == name) {
            // A setup that exists but was not loaded has had its own diagnostics.
            let diagnostic = Diagnostic::error("suite/unknown-setup", at, format!("there is no setup `{name}`"));
            say(diagnostics, diagnostic.help(did_you_mean(name, input.names.setups.iter().map(String::as_str))));
        }
    }
    chosen
}

/// Several suites may meet the same mistake in a flag or a setup: it is said once.
fn say(diagnostics: &mut Diagnostics, diagnostic: Diagnostic) {
    if !diagnostics.contains(&diagnostic) {
        diagnostics.push(diagnostic);
    }
}

/// How a setup is reached, where the address came from, and why it cannot be reached at all.
struct Reached {
    connect: Connect,
    explained: Explained,
    unset: Option<String>,
}

/// How the providers of a composed stack are reached.
fn connect_parts(input: &PlanInput, shares: &[Share], diagnostics: &mut Diagnostics) -> Option<Reached> {
    let (mut parts, mut unset, mut shown) = (Vec::new(), None, Vec::new());
    for share in shares {
        let spec = &share.setup.spec;
        let reached = connect(input, &Chosen::of(&share.setup), diagnostics)?;
        let lacking = || input.unmet.get(&spec.name).map(|reason| format!("`{}`: {reason}", spec.name));
        unset = unset.or(reached.unset).or_else(lacking);
        shown.push(format!("{}: {}", spec.name, reached.explained.value));
        let profile = input.profiles.iter().find(|profile| spec.profile.as_deref() == Some(profile.spec.name.as_str()));
        parts.push(Part {
            setup: Arc::clone(spec),
            connect: reached.connect,
            profile: profile.map(|profile| profile.spec.clone()),
            abilities: share.abilities.clone(),
            roles: share.roles.clone(),
        });
    }
    let origin = input.overrides.compose.as_ref().map(|given| given.origin.clone()).unwrap_or_default();
    let explained = Explained { key: "url".to_owned(), value: shown.join(", "), origin };
    Some(Reached { connect: Connect::Compose { parts }, explained, unset })
}

fn connect(input: &PlanInput, setup: &Chosen<'_>, diagnostics: &mut Diagnostics) -> Option<Reached> {
    if !setup.shares.is_empty() {
        return connect_parts(input, &setup.shares, diagnostics);
    }
    let spec = &setup.input.spec;
    let reached = |connect, value: &str, origin: String, unset| Reached {
        connect,
        explained: Explained { key: "url".to_owned(), value: value.to_owned(), origin },
        unset,
    };
    if let Some(reason) = setup.entry.and_then(entry::nowhere) {
        return Some(reached(Connect::Start, "nowhere", "the catalogue".to_owned(), Some(reason)));
    }
    let mut normal = |text: &str, at| {
        normal_url(text).map_err(|message| say(diagnostics, Diagnostic::error("setup/bad-url", at, message))).ok()
    };
    if let Some(given) = &input.overrides.url {
        let url = normal(&given.value, None)?;
        return Some(reached(Connect::Attach { url: url.clone() }, &url, given.origin.clone(), None));
    }
    if let Some(given) = &input.overrides.serve {
        if spec.services.is_empty() {
            let message = format!("the setup `{}` has no services to start: its server runs elsewhere", spec.name);
            let help = format!("`--setup {}` attaches to it", spec.name);
            say(diagnostics, Diagnostic::error("setup/no-services", setup.input.places.key("/name"), message).help(help));
            return None;
        }
        let connect = Connect::Serve { port: given.value };
        return Some(reached(connect, "the stack that is up, else started by us", given.origin.clone(), None));
    }
    let Some(attach) = &spec.attach else {
        return Some(reached(Connect::Start, "started by us", "built-in".to_owned(), None));
    };
    let at = setup.input.places.value("/attach/url");
    let lookup = |name: &str| input.environment.get(name).filter(|value| !value.is_empty()).cloned();
    match expand_env(&attach.url, lookup) {
        Ok(text) => {
            let url = normal(&text, at)?;
            Some(reached(Connect::Attach { url: url.clone() }, &url, "the setup's `attach`".to_owned(), None))
        }
        Err(_) if !spec.services.is_empty() => Some(reached(
            Connect::Start,
            "started by us",
            "the setup's services, as its `attach` has no address".to_owned(),
            None,
        )),
        Err(names) => {
            let reason = format!("the environment variable `{}` is not set: it says where the server is", names.join("`, `"));
            Some(reached(Connect::Start, "not known", format!("environment {}", names.join(", ")), Some(reason)))
        }
    }
}

/// One suite × one setup on its way to cells.
struct Builder<'a> {
    map: &'a SourceMap,
    input: &'a PlanInput,
    suite: &'a SuiteInput,
    setup: &'a Chosen<'a>,
    connect: Reached,
    settings: Settings,
    explained: Vec<Explained>,
}

/// One choice of models.
struct Models {
    by_role: Vec<(String, String)>,
    /// The name in the catalogue, where it is from there, and the ids of roles that have several: they tell cells apart.
    telling: Vec<String>,
    explained: Vec<Explained>,
}

impl Builder<'_> {
    /// The product of all roles' models, flags over the setup.
    fn model_choices(&self) -> Vec<Models> {
        let spec = &self.setup.input.spec;
        let lookup = |name: &str| self.input.environment.get(name).filter(|value| !value.is_empty()).cloned();
        // A variable that is not set makes the cell's need unmet; the text is then only shown.
        let filled = |model: &String| expand_env(model, lookup).unwrap_or_else(|_| model.clone());
        let own = spec.models.iter().map(|(role, models)| {
            let at = self.setup.input.places.value(&format!("/models/{role}"));
            let origin = at.map_or_else(|| "the setup".to_owned(), |at| self.map.show(at));
            (role.clone(), models.all().iter().map(filled).collect(), origin)
        });
        let mut roles: Vec<(String, Vec<String>, String)> =
            self.setup.entry.and_then(entry::roles).unwrap_or_else(|| own.collect());
        for given in &self.input.overrides.models {
            let (role, models) = &given.value;
            let known = roles.iter().position(|(known, ..)| known == role);
            let entry = (role.clone(), models.clone(), given.origin.clone());
            match known {
                Some(at) => roles[at] = entry,
                None => roles.push(entry),
            }
        }
        // A text model that is named by a flag is asked for all that a text model does.
        let named = |role: &str| self.input.overrides.models.iter().any(|given| given.value.0 == role);
        if named("text") {
            roles.retain(|(role, ..)| named(role) || !TEXT_ROLES.contains(&role.as_str()));
        }
        let telling = self.setup.entry.map(|entry| entry.name.clone()).into_iter().collect();
        let mut choices = vec![Models { by_role: Vec::new(), telling, explained: Vec::new() }];
        for (role, models, origin) in roles.iter().filter(|(_, models, _)| !models.is_empty()) {
            choices = choices
                .iter()
                .flat_map(|choice| models.iter().map(move |model| choice.with(role, model, models.len() > 1, origin)))
                .collect();
        }
        choices
    }

    fn cell(&self, models: Models, files: &[DraftFile]) -> CellPlan {
        let (suite, setup) = (&self.suite.spec, &self.setup.input.spec);
        let mut id = format!("{}[{}]", suite.name, setup.name);
        let mut prefix = format!("{}.{}", slug(&suite.name), slug(&setup.name));
        if !models.telling.is_empty() {
            id = format!("{id}[{}]", models.telling.join(","));
            prefix = format!("{prefix}_{}", slug(&models.telling.join("_")));
        }
        let profile = setup.profile.as_ref().and_then(|name| self.profile(name)).map(|profile| profile.spec.clone());
        let (known, dialect) = profile.as_ref().map_or((&[][..], &[][..]), |profile| (&profile.known, &profile.dialect));
        let scenarios = Scenarios {
            builder: self,
            models: &models,
            written: known,
            known: Entries::of(known.iter().map(Known::place)),
            shows: Entries::of(dialect.iter().map(Dialect::place)),
        };
        let features = files
            .iter()
            .filter(|file| !file.drafts.is_empty())
            .map(|file| FeaturePlan {
                name: file.name.clone(),
                keyword: file.keyword.clone(),
                file: file.file.clone(),
                at: file.at.clone(),
                scenarios: scenarios.of(file, &format!("{prefix}.{}", file.slug).into()),
            })
            .collect();
        let mut explained = self.explained.clone();
        explained.push(self.connect.explained.clone());
        let profile_name = setup.profile.clone().unwrap_or_else(|| "none".to_owned());
        let origin = self.setup.input.places.value("/profile").filter(|_| profile.is_some());
        let origin = origin.map_or_else(|| "built-in".to_owned(), |at| self.map.show(at));
        explained.push(Explained { key: "profile".to_owned(), value: profile_name, origin });
        explained.extend(models.explained);
        CellPlan {
            id: CellId(id.into()),
            entry: self.setup.entry.map(entry::record),
            suite: suite.clone(),
            setup: setup.clone(),
            connect: self.connect.connect.clone(),
            models: models.by_role,
            profile,
            service_profiles: self.service_profiles(),
            contract: self.settings.contract,
            mode: self.settings.mode,
            skip: self.skip(),
            concurrency: self.settings.concurrency,
            sampling: self.settings.sampling.clone(),
            named: self.settings.named.clone(),
            explained,
            tools: self.input.tools.clone(),
            clients: Vec::new(),
            features,
        }
    }

    fn service_profiles(&self) -> Vec<(String, Arc<ProfileSpec>)> {
        let services = self.setup.input.spec.services.iter();
        let of =
            |(name, service): (&String, &Service)| Some((name.clone(), self.profile(service.profile.as_deref()?)?.spec.clone()));
        services.filter_map(of).collect()
    }

    fn profile(&self, name: &str) -> Option<&ProfileInput> {
        self.input.profiles.iter().find(|profile| profile.spec.name == name)
    }

    /// Needs are those of what we would start; an address given by hand has none of them.
    fn skip(&self) -> Option<String> {
        let spec = &self.setup.input.spec;
        // A tape needs nothing of what its server did.
        if self.settings.mode == Mode::Replay {
            return None;
        }
        if let Some(reason) = &self.connect.unset {
            return Some(reason.clone());
        }
        let ours = matches!(self.connect.connect, Connect::Start | Connect::Serve { .. })
            || (self.input.overrides.url.is_none() && spec.services.is_empty());
        let of_entry = || self.setup.entry.and_then(|entry| entry.unmet.as_ref());
        let lacking = || self.input.unmet.get(&spec.name).or_else(of_entry);
        ours.then(|| lacking().cloned()).flatten()
    }

    /// Why a scenario is not applicable to this setup.
    fn scenario_skip(&self, draft: &Draft, models: &Models) -> Option<String> {
        if !services::are_ours(&self.connect.connect) && !draft.services.is_empty() {
            return Some(services::not_ours());
        }
        let unset = Named::NAMES.iter().find(|(name, _)| self.settings.named.get(name).is_none() && mentions(draft, name));
        if let Some((name, flag)) = unset {
            return Some(format!(
                "nothing sets `{name}`, which it names: give `{flag}`, or `defaults: {{{name}: …}}` in the setup"
            ));
        }
        let abilities = || draft.tags.iter().filter_map(|tag| tag.strip_prefix('@')).filter(|tag| ABILITIES.contains(tag));
        if self.setup.bare {
            // Every ability is claimed, but some cannot be used by someone who does not know the server.
            let key = abilities().find_map(profile::needed)?;
            return Some(format!("no profile says how this server does it (`{key}:`): give `--setup` with a setup that has one"));
        }
        let spec = &self.setup.input.spec;
        let claims = |ability: &str| spec.abilities.iter().any(|claimed| claimed.trim_end_matches('?') == ability);
        let mut missing: Vec<String> = Vec::new();
        for ability in abilities() {
            if !claims(ability) {
                missing.push(format!("`{ability}`"));
            }
        }
        if !missing.is_empty() {
            return Some(format!("setup `{}` does not claim {}", spec.name, missing.join(", ")));
        }
        if let Some(reason) = self.setup.entry.and_then(|entry| entry::cannot(entry, abilities())) {
            return Some(reason);
        }
        // A profile of the project's own in place of a built-in one need not know all that the built-in setup claims.
        let profile = spec.profile.as_ref().and_then(|name| self.profile(name));
        if let (Some(profile), Some(key)) = (profile, abilities().find_map(|ability| profile?.spec.lacks(ability))) {
            return Some(format!("the profile `{}` does not say how the server does it (`{key}:`)", profile.spec.name));
        }
        let has = |role: &str| models.by_role.iter().any(|(known, _)| known == role);
        let filled = |role: &&&'static str| has(role) || (TEXT_ROLES.contains(role) && has("text"));
        let role = draft.roles.iter().find(|role| !filled(role))?;
        Some(format!("setup `{}` names no model for the role `{role}`", spec.name))
    }
}

impl Models {
    fn with(&self, role: &str, model: &str, one_of_several: bool, origin: &str) -> Self {
        let mut by_role = self.by_role.clone();
        by_role.push((role.to_owned(), model.to_owned()));
        let mut telling = self.telling.clone();
        telling.extend(one_of_several.then(|| model.to_owned()));
        let mut explained = self.explained.clone();
        explained.push(Explained { key: format!("models.{role}"), value: model.to_owned(), origin: origin.to_owned() });
        Self { by_role, telling, explained }
    }
}

/// Whether a text of a scenario's steps holds `{{name}}`.
fn mentions(draft: &Draft, name: &str) -> bool {
    let holds = |text: &str| {
        let mut parts = text.split("{{").skip(1);
        parts.any(|part| part.split_once("}}").is_some_and(|(inner, _)| inner.trim() == name))
    };
    draft.steps.iter().any(|step| {
        let cells = step.table.iter().flat_map(|rows| rows.iter()).flatten();
        holds(&step.text) || step.doc.as_ref().is_some_and(|doc| holds(&doc.content)) || cells.into_iter().any(|cell| holds(cell))
    })
}

/// Drafts become scenarios of one cell.
struct Scenarios<'a> {
    builder: &'a Builder<'a>,
    models: &'a Models,
    /// The profile's known failures.
    written: &'a [Known],
    known: Entries<'a>,
    shows: Entries<'a>,
}

impl Scenarios<'_> {
    fn of(&self, file: &DraftFile, classname: &Arc<str>) -> Vec<Arc<ScenarioPlan>> {
        let settings = &self.builder.settings;
        let of_model = |entry: &usize| self.written[*entry].is_about(&self.models.by_role);
        let mut out = Vec::with_capacity(file.drafts.len() * settings.repeats as usize);
        for draft in &file.drafts {
            let skip = self.builder.scenario_skip(draft, self.models);
            for number in 1..=settings.repeats {
                let name = name::repeat(&draft.name, number);
                let about = |entries: &Entries<'_>| entries.about(&name, &draft.name, &draft.tags, &draft.place.file);
                out.push(Arc::new(ScenarioPlan {
                    id: ScenarioId(format!("{classname}/{name}").into()),
                    classname: classname.clone(),
                    at: draft.place.clone(),
                    tags: draft.tags.clone(),
                    role: role_of(&draft.tags),
                    steps: draft.steps.clone(),
                    skip: skip.clone(),
                    known: about(&self.known).into_iter().filter(of_model).map(|entry| KnownClaim { entry }).collect(),
                    shows: about(&self.shows),
                    flags: draft.marks.flags,
                    locks: draft.marks.locks.clone(),
                    retries: draft.marks.retries.unwrap_or(settings.retries),
                    timeout: draft.marks.timeout.unwrap_or(settings.scenario_timeout),
                    step_timeout: settings.step_timeout,
                    name,
                }));
            }
        }
        out
    }
}

/// Mistakes of setups and flags that need no suite and that no setup file shows alone.
pub(super) fn check_setups(input: &PlanInput, map: &SourceMap, diagnostics: &mut Diagnostics) {
    for setup in &input.setups {
        let (spec, places) = (&setup.spec, &setup.places);
        for (role, models) in &spec.models {
            let pointer = format!("/models/{role}");
            if models.all().iter().all(|model| model.trim().is_empty()) {
                let message = format!("the role `{role}` names no model");
                diagnostics.push(Diagnostic::error("setup/no-model", places.value(&pointer), message));
            }
        }
        let of_services = spec
            .services
            .iter()
            .filter_map(|(name, service)| Some((service.profile.as_ref()?, format!("/services/{}/profile", pointer_part(name)))));
        for (profile, pointer) in spec.profile.iter().map(|profile| (profile, "/profile".to_owned())).chain(of_services) {
            if input.profiles.iter().any(|known| known.spec.name == *profile) || input.names.profiles.contains(profile) {
                continue;
            }
            let message = format!("there is no profile `{profile}`");
            let diagnostic = Diagnostic::error("setup/unknown-profile", places.value(&pointer), message);
            diagnostics.push(diagnostic.help(did_you_mean(profile, input.names.profiles.iter().map(String::as_str))));
        }
        let profile = spec.profile.as_ref().and_then(|name| input.profiles.iter().find(|known| known.spec.name == *name));
        for (at, ability) in spec.abilities.iter().enumerate() {
            let word = ability.trim_end_matches('?');
            let missing = match (profile, &spec.profile) {
                (Some(profile), _) => profile.spec.lacks(word),
                (None, None) => profile::needed(word),
                // A profile with mistakes, or one that is not there, has been told of.
                (None, Some(_)) => None,
            };
            let at = places.value(&format!("/abilities/{at}"));
            // A built-in setup claims with its own profile in mind; where another stands for it, the scenarios are skipped.
            let built_in = at.is_some_and(|at| map.file(at.file).name().starts_with(BUILTIN));
            if let Some(key) = missing.filter(|_| !built_in) {
                let message = format!("`{word}` is claimed, and no profile says how: `{key}:`");
                let diagnostic = Diagnostic::error("setup/no-names", at, message);
                let file = spec.profile.as_deref().unwrap_or("NAME");
                diagnostics.push(diagnostic.help(format!("add `{key}:` to `profiles/{file}.yaml`, or take the ability out")));
            }
        }
        if spec.services.is_empty() && spec.attach.is_none() {
            let message = format!("the setup `{}` neither starts nor attaches to a server", spec.name);
            let diagnostic = Diagnostic::error("setup/no-server", places.key("/name"), message);
            diagnostics.push(diagnostic.help("add `services:` or `attach:`".to_owned()));
        }
    }
    for given in &input.overrides.models {
        let role = &given.value.0;
        if !ROLES.contains(&role.as_str()) {
            let message = format!("{}: there is no role `{role}`", given.origin);
            diagnostics.push(Diagnostic::error("setup/unknown-role", None, message).help(offer(role, &ROLES)));
        }
    }
}

/// A suggestion from a closed list; the whole list where nothing is near.
fn offer(word: &str, known: &[&str]) -> Option<String> {
    did_you_mean(word, known.iter().copied()).or_else(|| Some(format!("known here: `{}`", known.join("`, `"))))
}
