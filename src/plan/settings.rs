//! Which value wins, and where it came from: flags > environment > setup > suite > built-in.

use std::fmt::Display;
use std::time::Duration;

use super::{Contract, Explained, Given, Mode, Named, Overrides, Sampling, SetupInput, SuiteInput};
use crate::source::{Diagnostic, Diagnostics, SourceMap};
use crate::spec::yaml::Span;

/// Built-in time limit of a step.
const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// Built-in time limit of a scenario.
const SCENARIO_TIMEOUT: Duration = Duration::from_mins(5);

/// What a cell's scenarios run under.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub sampling: Sampling,
    pub named: Named,
    pub step_timeout: Duration,
    pub scenario_timeout: Duration,
    pub retries: u32,
    pub repeats: u32,
    pub concurrency: u32,
    pub mode: Mode,
    pub contract: Contract,
}

/// Values with their origins, as they are resolved.
struct Resolver<'a> {
    map: &'a SourceMap,
    suite: &'a SuiteInput,
    setup: &'a SetupInput,
    explained: Vec<Explained>,
}

impl Resolver<'_> {
    /// Takes the first value that is said, and writes down where.
    fn pick<T: Display>(
        &mut self,
        key: &str,
        flag: Option<(T, &str)>,
        setup: Option<T>,
        suite: Option<T>,
        built_in: Option<T>,
    ) -> Option<T> {
        let pointer = format!("/defaults/{key}");
        let origin_in = |places: &crate::spec::Places, what: &str| {
            places.value(&pointer).map_or_else(|| what.to_owned(), |at| self.map.show(at))
        };
        let (value, origin) = if let Some((value, origin)) = flag {
            (Some(value), origin.to_owned())
        } else if let Some(value) = setup {
            (Some(value), origin_in(&self.setup.places, "the setup"))
        } else if let Some(value) = suite {
            (Some(value), origin_in(&self.suite.places, "the suite"))
        } else {
            (built_in, "built-in".to_owned())
        };
        let unset = if key == "safety_shield" { "not set" } else { "not sent" };
        let shown = value.as_ref().map_or_else(|| unset.to_owned(), ToString::to_string);
        self.explained.push(Explained { key: key.to_owned(), value: shown, origin });
        value
    }
}

fn flag<T: Clone>(given: Option<&Given<T>>) -> Option<(T, &str)> {
    given.map(|given| (given.value.clone(), given.origin.as_str()))
}

/// Resolves everything but models and addresses.
pub(super) fn resolve(
    map: &SourceMap,
    suite: &SuiteInput,
    setup: &SetupInput,
    overrides: &Overrides,
    diagnostics: &mut Diagnostics,
) -> (Settings, Vec<Explained>) {
    let mut resolver = Resolver { map, suite, setup, explained: Vec::new() };
    let (low, high) = (&suite.spec.defaults, &setup.spec.defaults);
    let r = &mut resolver;
    let span =
        |given: Option<&Given<Duration>>| given.map(|given| Given { value: Span(given.value), origin: given.origin.clone() });
    let scenario_flag = span(overrides.scenario_timeout.as_ref());

    let timeout = r.pick("timeout", None, high.timeout, low.timeout, Some(Span(STEP_TIMEOUT)));
    let scenario_timeout = r.pick(
        "scenario_timeout",
        flag(scenario_flag.as_ref()),
        high.scenario_timeout,
        low.scenario_timeout,
        Some(Span(SCENARIO_TIMEOUT)),
    );
    let retries = r.pick("retries", flag(overrides.retries.as_ref()), high.retries, low.retries, Some(0));
    let repeats = r.pick("repeats", flag(overrides.repeats.as_ref()), high.repeats, low.repeats, Some(1));
    let concurrency = r.pick("concurrency", flag(overrides.concurrency.as_ref()), high.concurrency, low.concurrency, Some(1));
    let step_timeout = timeout.map_or(STEP_TIMEOUT, |span| span.0);
    let sampling = Sampling {
        temperature: r.pick("temperature", None, high.temperature, low.temperature, None),
        seed: r.pick("seed", None, high.seed, low.seed, None),
        max_tokens: r.pick("max_tokens", None, high.max_tokens, low.max_tokens, None),
        top_p: r.pick("top_p", None, high.top_p, low.top_p, None),
        timeout: Some(step_timeout),
        extra: serde_json::Map::new(),
    };
    let dimension = flag(overrides.embedding_dimension.as_ref());
    let shield = flag(overrides.safety_shield.as_ref());
    let named = Named {
        embedding_dimension: r.pick("embedding_dimension", dimension, high.embedding_dimension, low.embedding_dimension, None),
        safety_shield: r.pick("safety_shield", shield, high.safety_shield.clone(), low.safety_shield.clone(), None),
    };
    let (mode, origin) = match (&overrides.mode, setup.spec.mode) {
        (Some(given), _) => (given.value, given.origin.clone()),
        (None, Some(mode)) => (mode, setup.places.value("/mode").map_or_else(|| "the setup".to_owned(), |at| map.show(at))),
        (None, None) if overrides.no_stack_named => (Mode::Replay, "built-in, as no stack is named".to_owned()),
        (None, None) => (Mode::Live, "built-in".to_owned()),
    };
    r.explained.push(Explained { key: "mode".to_owned(), value: mode.word().to_owned(), origin });
    let (contract, origin) = match (&overrides.contract, &setup.spec.profile) {
        (Some(given), _) => (given.value, given.origin.clone()),
        (None, Some(_)) => (Contract::Profile, "built-in".to_owned()),
        (None, None) => (Contract::Generic, "built-in, as no profile is named".to_owned()),
    };
    r.explained.push(Explained { key: "contract".to_owned(), value: contract.word().to_owned(), origin });

    let zeros = [
        ("repeats", repeats, overrides.repeats.is_some(), high.repeats.is_some()),
        ("concurrency", concurrency, overrides.concurrency.is_some(), high.concurrency.is_some()),
    ];
    for (key, value, by_flag, by_setup) in zeros {
        if value == Some(0) {
            let places = if by_setup { &setup.places } else { &suite.places };
            let at = if by_flag { None } else { places.value(&format!("/defaults/{key}")) };
            diagnostics.push(Diagnostic::error("run/bad-value", at, format!("`{key}` is 0")).help("it is at least 1".to_owned()));
        }
    }
    let settings = Settings {
        sampling,
        named,
        step_timeout,
        scenario_timeout: scenario_timeout.map_or(SCENARIO_TIMEOUT, |span| span.0),
        retries: retries.unwrap_or(0),
        repeats: repeats.unwrap_or(1).max(1),
        concurrency: concurrency.unwrap_or(1).max(1),
        mode,
        contract,
    };
    (settings, resolver.explained)
}
