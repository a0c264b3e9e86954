//! From flags and environment to what the planner reads: selection, overrides, request to load.

use std::collections::BTreeMap;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::args::SelectArgs;
use super::load::LoadRequest;
use crate::plan::{Given, Overrides, Selection};
use crate::source::{Diagnostic, Diagnostics, did_you_mean};
use crate::spec::models::EVERY_MODEL;
use crate::spec::setup::{ABILITIES, ROLES};

/// Reads the flags; mistakes in them have no place in a file.
pub(super) fn select(args: &SelectArgs, matches: Option<&ArgMatches>) -> (LoadRequest, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let origin = |id: &str, flag: &str| {
        let from_env = matches.is_some_and(|matches| matches.value_source(id) == Some(ValueSource::EnvVariable));
        if from_env {
            format!("environment FIREASSAY_{}", flag.to_uppercase().replace('-', "_"))
        } else {
            format!("flag --{flag}")
        }
    };
    let mut overrides = Overrides::default();
    let mut selection = Selection { setups: args.setups.clone(), ..Selection::default() };
    match args.stack.as_deref().map(stack) {
        Some(Stack::Address(url)) => overrides.url = Some(Given { value: url, origin: origin("stack", "stack") }),
        Some(Stack::Setup(name)) => selection.setups = vec![name],
        Some(Stack::Server(name, port)) => {
            selection.setups = vec![name];
            overrides.serve = Some(Given { value: port, origin: origin("stack", "stack") });
        }
        Some(Stack::Composed(pairs)) => {
            for (ability, _) in &pairs {
                if !ABILITIES.contains(&ability.as_str()) {
                    let message = format!("`--stack`: there is no ability `{ability}`");
                    let help = did_you_mean(ability, ABILITIES);
                    diagnostics.push(Diagnostic::error("flag/unknown-ability", None, message).help(help));
                }
            }
            selection.setups = pairs.iter().map(|(_, provider)| provider.clone()).collect();
            overrides.compose = Some(Given { value: pairs, origin: origin("stack", "stack") });
        }
        Some(Stack::Unknown(form)) => diagnostics.push(
            Diagnostic::error("flag/stack-form", None, format!("`--stack {form}` is not a form that is known")).help(
                "write a setup's name or file, `server:NAME`, `server:NAME:PORT`, `ABILITY=SETUP,…`, or an address such as http://127.0.0.1:8080"
                    .to_owned(),
            ),
        ),
        None => {}
    }
    if let Some(url) = &args.url {
        overrides.url = Some(Given { value: url.clone(), origin: origin("url", "url") });
    }
    if let Some(Given { value, .. }) = &overrides.url
        && let Err(error) = crate::wire::Client::new(crate::wire::Base::new(value))
    {
        diagnostics.push(Diagnostic::error("flag/url", None, error.to_string()));
    }
    let roles = [
        ("text", "text-model", &args.text_model),
        ("vision", "vision-model", &args.vision_model),
        ("embedding", "embedding-model", &args.embedding_model),
        ("judge", "judge-model", &args.judge_model),
    ];
    for (role, flag, value) in roles {
        if let Some(value) = value {
            overrides.models.push(Given { value: (role.to_owned(), list(value)), origin: origin(&flag.replace('-', "_"), flag) });
        }
    }
    for pair in &args.models {
        match pair.split_once('=') {
            Some((role, ids)) if ROLES.contains(&role) && !list(ids).is_empty() => {
                overrides.models.push(Given { value: (role.to_owned(), list(ids)), origin: origin("models", "model") });
            }
            Some((role, _)) if !ROLES.contains(&role) => diagnostics.push(
                Diagnostic::error("flag/unknown-role", None, format!("`--model {pair}`: there is no role `{role}`"))
                    .help(did_you_mean(role, ROLES)),
            ),
            _ => diagnostics.push(
                Diagnostic::error("flag/model-form", None, format!("`--model {pair}` names no model"))
                    .help("write ROLE=ID, such as text=smollm2".to_owned()),
            ),
        }
    }
    overrides.safety_shield =
        args.safety_shield.clone().map(|value| Given { value, origin: origin("safety_shield", "safety-shield") });
    overrides.embedding_dimension =
        args.embedding_dimension.map(|value| Given { value, origin: origin("embedding_dimension", "embedding-dimension") });
    let given = |id: &str, value: Option<u32>| value.map(|value| Given { value, origin: origin(id, id) });
    overrides.concurrency = given("concurrency", args.concurrency);
    overrides.retries = given("retries", args.retries);
    overrides.repeats = given("repeats", args.repeats);
    overrides.scenario_timeout = args.timeout.map(|span| Given { value: span.0, origin: origin("timeout", "timeout") });
    let mode = if args.live { Some(super::args::ModeArg::Live) } else { args.mode };
    overrides.mode = mode.map(|mode| Given { value: mode.into(), origin: origin("mode", "mode") });
    overrides.contract = args.contract.map(|contract| Given { value: contract.into(), origin: origin("contract", "contract") });
    selection.tags = args.tags.clone().map(|tags| (tags, None));
    if let Some(pattern) = &args.name {
        match regex::Regex::new(pattern) {
            Ok(regex) => selection.name = Some(regex),
            Err(error) => diagnostics.push(Diagnostic::error(
                "flag/name",
                None,
                format!("`--name {pattern}` is not a regular expression: {error}"),
            )),
        }
    }
    let mut environment: BTreeMap<String, String> = std::env::vars().collect();
    for pair in &args.env {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                environment.insert(key.to_owned(), value.to_owned());
            }
            _ => diagnostics.push(
                Diagnostic::error("flag/env-form", None, format!("`--env {pair}` sets nothing"))
                    .help("write KEY=VALUE".to_owned()),
            ),
        }
    }
    let named = |names: Vec<String>| if names.iter().any(|name| name == EVERY_MODEL) { Vec::new() } else { names };
    let catalogue = args.catalogue.as_deref().map(list).map(named);
    overrides.no_stack_named = selection.setups.is_empty() && overrides.url.is_none() && catalogue.is_none();
    let suites = if args.suites.is_empty() && args.paths.is_empty() { vec!["base".to_owned()] } else { args.suites.clone() };
    let paths = args.paths.clone();
    let request = LoadRequest { suites, paths, selection, overrides, environment, catalogue, ..LoadRequest::default() };
    (request, diagnostics)
}

/// A form of `--stack`.
#[derive(Debug, PartialEq, Eq)]
enum Stack {
    Address(String),
    /// By name or file.
    Setup(String),
    Server(String, Option<u16>),
    /// Abilities with the setups that are asked for them.
    Composed(Vec<(String, String)>),
    Unknown(String),
}

fn stack(form: &str) -> Stack {
    let unknown = || Stack::Unknown(form.to_owned());
    if form.starts_with("http://") || form.starts_with("https://") {
        return Stack::Address(form.to_owned());
    }
    if let Some(server) = form.strip_prefix("server:") {
        let (name, port) = server.split_once(':').map_or((server, None), |(name, port)| (name, Some(port)));
        return match port.map(str::parse::<u16>) {
            _ if name.is_empty() || name.contains(['=', ',']) => unknown(),
            None => Stack::Server(name.to_owned(), None),
            Some(Ok(port)) if port > 0 => Stack::Server(name.to_owned(), Some(port)),
            Some(_) => unknown(),
        };
    }
    if form.contains('=') {
        let pairs: Option<Vec<(String, String)>> = form.split(',').map(pair).collect();
        return pairs.map_or_else(unknown, Stack::Composed);
    }
    if form.is_empty() || form.contains([':', '=', ',']) { unknown() } else { Stack::Setup(form.to_owned()) }
}

/// `chat=llamacpp` of a composed stack.
fn pair(text: &str) -> Option<(String, String)> {
    let (ability, provider) = text.trim().split_once('=')?;
    let whole = !ability.is_empty() && !provider.is_empty() && !provider.contains([':', '=']);
    whole.then(|| (ability.to_owned(), provider.to_owned()))
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: &str, expect: &Stack) {
        assert_eq!(&stack(form), expect, "{form}");
    }

    #[test]
    fn every_form_of_a_stack_is_told_apart() {
        check("http://127.0.0.1:8080/v1", &Stack::Address("http://127.0.0.1:8080/v1".to_owned()));
        check("llamacpp", &Stack::Setup("llamacpp".to_owned()));
        check("setups/mine.yaml", &Stack::Setup("setups/mine.yaml".to_owned()));
        check("server:llamacpp", &Stack::Server("llamacpp".to_owned(), None));
        check("server:llamacpp:8080", &Stack::Server("llamacpp".to_owned(), Some(8080)));
        check("server:./mine.yaml:8080", &Stack::Server("./mine.yaml".to_owned(), Some(8080)));
        let pairs = [("chat", "llamacpp"), ("embeddings", "./mine.yaml")];
        let pairs = pairs.map(|(ability, provider)| (ability.to_owned(), provider.to_owned())).to_vec();
        check("chat=llamacpp,embeddings=./mine.yaml", &Stack::Composed(pairs));
        for form in [
            "",
            "chat=",
            "=a",
            "chat=a,",
            "chat=a,b",
            "chat=server:a",
            "server:",
            "server::8080",
            "server:a:",
            "server:a:0",
            "server:a:70000",
            "server:a:b",
            "a:b",
            "ftp://h",
        ] {
            check(form, &Stack::Unknown(form.to_owned()));
        }
    }
}
