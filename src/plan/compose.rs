//! `--stack ability=provider,…`: several setups as one stack, each ability asked of its own provider.
//!
//! An ability that is named goes to its provider. What else a provider claims goes to the first that claims it, in the order
//! written. A role's model is the one of the provider of the role's ability. Where all providers have one profile, it is the
//! stack's; else every dialect is tolerated, as with a setup that names none.

use super::SetupInput;
use crate::source::{Diagnostic, did_you_mean};
use crate::spec::SetupSpec;
use crate::spec::setup::ABILITIES;

/// What one provider has a share in.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub setup: SetupInput,
    pub abilities: Vec<String>,
    pub roles: Vec<String>,
}

/// The setup that providers make together, and their shares in the order written.
pub(super) fn compose(pairs: &[(String, String)], setups: &[SetupInput]) -> Result<(SetupSpec, Vec<Share>), Diagnostic> {
    let mut shares: Vec<Share> = Vec::new();
    for (ability, provider) in pairs {
        let at = shares.iter().position(|share| share.setup.spec.name == *provider);
        let at = at.map_or_else(|| added(&mut shares, provider, setups), Ok)?;
        let share = &mut shares[at];
        if !claims(&share.setup.spec, ability) {
            let known = share.setup.spec.abilities.join(", ");
            let message = format!("`{ability}={provider}`: the setup `{provider}` does not claim `{ability}`");
            return Err(Diagnostic::error("setup/not-claimed", share.setup.places.key("/name"), message)
                .help(format!("it claims {known}")));
        }
        share.abilities.push(ability.clone());
    }
    for ability in ABILITIES {
        let taken = shares.iter().any(|share| share.abilities.iter().any(|known| known == ability));
        if !taken && let Some(first) = shares.iter_mut().find(|share| claims(&share.setup.spec, ability)) {
            first.abilities.push(ability.to_owned());
        }
    }
    let spec = together(pairs, &mut shares);
    Ok((spec, shares))
}

fn added(shares: &mut Vec<Share>, provider: &str, setups: &[SetupInput]) -> Result<usize, Diagnostic> {
    let Some(setup) = setups.iter().find(|setup| setup.spec.name == provider) else {
        let message = format!("there is no setup `{provider}`");
        let help = did_you_mean(provider, setups.iter().map(|setup| setup.spec.name.as_str()));
        return Err(Diagnostic::error("suite/unknown-setup", None, message).help(help));
    };
    shares.push(Share { setup: setup.clone(), abilities: Vec::new(), roles: Vec::new() });
    Ok(shares.len() - 1)
}

fn claims(setup: &SetupSpec, ability: &str) -> bool {
    setup.abilities.iter().any(|claimed| claimed.trim_end_matches('?') == ability)
}

/// The ability that a role's model is asked for.
fn ability_of(role: &str) -> &str {
    match role {
        "tools" => "tools",
        "reasoning" => "thinking",
        "vision" => "vision",
        "embedding" => "embeddings",
        _ => "chat",
    }
}

fn together(pairs: &[(String, String)], shares: &mut [Share]) -> SetupSpec {
    let name = pairs.iter().map(|(ability, provider)| format!("{ability}={provider}")).collect::<Vec<_>>().join(",");
    let mut spec = SetupSpec { name, description: "composed of several setups".to_owned(), ..SetupSpec::default() };
    let profile = shares.first().and_then(|share| share.setup.spec.profile.clone());
    spec.profile = profile.filter(|name| shares.iter().all(|share| share.setup.spec.profile.as_deref() == Some(name)));
    spec.defaults = shares.first().map(|share| share.setup.spec.defaults.clone()).unwrap_or_default();
    for role in crate::spec::setup::ROLES {
        let has = |share: &&mut Share| share.setup.spec.models.contains_key(role);
        let asked = |share: &Share| share.abilities.iter().any(|ability| ability == ability_of(role));
        let owner = shares.iter().position(|share| asked(share) && share.setup.spec.models.contains_key(role));
        let owner = owner.or_else(|| shares.iter_mut().position(|share| has(&share)));
        if let Some(share) = owner.map(|at| &mut shares[at]) {
            spec.models.insert(role.to_owned(), share.setup.spec.models[role].clone());
            share.roles.push(role.to_owned());
        }
    }
    for share in shares {
        let of = |ability: &&String| share.abilities.iter().any(|known| known == ability.trim_end_matches('?'));
        spec.abilities.extend(share.setup.spec.abilities.iter().filter(of).cloned());
        for label in &share.setup.spec.labels {
            if !spec.labels.contains(label) {
                spec.labels.push(label.clone());
            }
        }
    }
    spec
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;

    fn setups(values: &[Value]) -> Vec<SetupInput> {
        let of = |value: &Value| SetupInput {
            spec: Arc::new(serde_json::from_value(value.clone()).unwrap()),
            ..SetupInput::default()
        };
        values.iter().map(of).collect()
    }

    fn pairs(text: &str) -> Vec<(String, String)> {
        let pair =
            |pair: &str| pair.split_once('=').map(|(ability, provider)| (ability.to_owned(), provider.to_owned())).unwrap();
        text.split(',').map(pair).collect()
    }

    fn known() -> Vec<SetupInput> {
        setups(&[
            json!({"name": "a", "abilities": ["chat", "tools", "health", "embeddings?"], "profile": "p",
                   "models": {"text": "a-text", "tools": "a-tools", "embedding": "a-embeds"}}),
            json!({"name": "b", "abilities": ["embeddings", "health", "metrics"], "profile": "p", "models": {"embedding": "b-embeds"}}),
            json!({"name": "c", "abilities": ["chat"], "profile": "q", "models": {"text": "c-text"}}),
        ])
    }

    #[test]
    fn what_is_named_goes_to_its_provider_and_the_rest_to_the_first_that_claims_it() {
        let (spec, shares) = compose(&pairs("chat=a,embeddings=b"), &known()).unwrap();
        assert_eq!(spec.name, "chat=a,embeddings=b");
        assert_eq!(spec.profile.as_deref(), Some("p"));
        assert_eq!(shares[0].abilities, ["chat", "tools", "health"]);
        assert_eq!(shares[1].abilities, ["embeddings", "metrics"]);
        assert_eq!(spec.abilities, ["chat", "tools", "health", "embeddings", "metrics"]);
        let models: Vec<&String> = spec.models.values().flat_map(crate::spec::setup::OneOrMany::all).collect();
        assert_eq!(models, ["a-text", "a-tools", "b-embeds"]);
        assert_eq!(
            (&shares[0].roles[..], &shares[1].roles[..]),
            (&["text".to_owned(), "tools".to_owned()][..], &["embedding".to_owned()][..])
        );
        let (spec, shares) = compose(&pairs("embeddings=b,chat=c,health=b"), &known()).unwrap();
        assert_eq!((spec.profile, shares.len()), (None, 2));
    }

    #[test]
    fn a_provider_that_does_not_claim_it_is_refused() {
        let error = compose(&pairs("chat=b"), &known()).unwrap_err();
        assert_eq!(error.message, "`chat=b`: the setup `b` does not claim `chat`");
        assert_eq!(compose(&pairs("chat=d"), &known()).unwrap_err().message, "there is no setup `d`");
    }
}
