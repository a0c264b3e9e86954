//! Is the list of models one that clients can choose from?

use super::asked::Call;
use super::chat_body::Fits;
use super::finding::{Findings, Spot};
use super::json;
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::wire::json::Value;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W163, &W164, &W290, &W291, &W293];

pub(super) static W163: Rule = Rule {
    id: "W163",
    surface: Surface::Models,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "the list of models has `object` list and `data` with ids that are not empty and unique; a tested model that is not listed is dialect",
    why: "clients choose from it",
    source: "OpenAI API reference, models; llama-stack lacks object, mlx_lm.server lists its cache",
    breaks: r#"{"data":[{"id":""},{"id":"a"},{"id":"a"}]}"#,
};

pub(super) static W164: Rule = Rule {
    id: "W164",
    surface: Surface::Models,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "models have `created` and `owned_by`, and /v1/models/{id} works",
    why: "typed clients expect them",
    source: "OpenAI API reference, models; vLLM and llama.cpp have no route for one",
    breaks: "404 for GET /v1/models/smollm2",
};

pub(super) static W290: Rule = Rule {
    id: "W290",
    surface: Surface::Models,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "a model of the list has `object` model, and `created` and `owned_by` of the right types where they are there",
    why: "typed clients raise, or hand out objects with holes",
    source: "OpenAI API reference, models",
    breaks: r#"{"id":"a","object":"engine","created":"today"}"#,
};

pub(super) static W291: Rule = Rule {
    id: "W291",
    surface: Surface::Models,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "/v1/models/{id} answers with that one model, and an unknown id with 404",
    why: "clients ask to know whether it exists",
    source: "OpenAI API reference, models; mlx_lm.server answers with a list",
    breaks: "200 with an empty list for /v1/models/nosuch",
};

pub(super) static W293: Rule = Rule {
    id: "W293",
    surface: Surface::Models,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "the list of models holds at least one",
    why: "clients that choose from it have no choice",
    source: "OpenAI API reference, models",
    breaks: r#"{"object":"list","data":[]}"#,
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    let body = seen.body.as_ref().and_then(|body| body.as_ref().ok()).map(|parsed| &parsed.value);
    match &seen.call {
        Call::Models if seen.is_success() => {
            if let Some(body) = body {
                list(body, seen, out);
            }
        }
        Call::Model(id) => one(id, body, seen, out),
        _ => {}
    }
}

fn list(body: &Value<'_>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    if body.get("object").and_then(Value::as_str) != Some("list") {
        let found =
            body.get("object").map_or_else(|| "no `object`".to_owned(), |object| format!("`object` is {}", json::kind(object)));
        out.add(&W163, Spot::whole().path("object"), found, "\"list\"");
    }
    let Some(data) = body.get("data").and_then(Value::as_array) else {
        let found = body.get("data").map_or_else(|| "no `data`".to_owned(), |data| format!("`data` is {}", json::kind(data)));
        return out.add(&W163, Spot::whole().path("data"), found, "a list of models");
    };
    if data.is_empty() {
        out.add(&W293, Spot::whole().path("data"), "no models", "the models that answer");
    }
    let mut ids: Vec<&str> = Vec::new();
    for (place, entry) in data.iter().enumerate() {
        let spot = || Spot::whole().path(format!("data[{place}].id"));
        match entry.get("id") {
            Some(Value::String(id)) if id.is_empty() => out.add(&W163, spot(), "an empty id", "the name of a model"),
            Some(Value::String(id)) if ids.contains(&&**id) => {
                out.add(&W163, spot(), format!("{id:?} stands twice"), "each model once");
            }
            Some(Value::String(id)) => ids.push(id),
            Some(other) => out.add(&W163, spot(), format!("`id` is {}", json::kind(other)), "a string"),
            None => out.add(&W163, spot(), "a model without `id`", "the name of a model"),
        }
        described(entry, &format!("data[{place}]"), out);
    }
    // An alias, a tag or a path of a listed model is that model.
    let listed = |model: &String| ids.iter().any(|id| id.contains(model.as_str()) || model.contains(id));
    let tested = seen.context.models;
    if let Some(missing) = tested.iter().find(|model| !listed(model)) {
        let found = format!("{missing:?} is not listed");
        out.weigh(&W163, Severity::Dialect, Spot::whole().path("data"), found, "every model that answers");
    }
}

fn described(entry: &Value<'_>, path: &str, out: &mut Findings<'_>) {
    let keys: [(&str, Fits, &str); 3] = [
        ("object", |value| value == "model", "\"model\""),
        (
            "created",
            |value| value.as_i64().is_some_and(|created| (0..100_000_000_000).contains(&created)),
            "a whole number of seconds",
        ),
        ("owned_by", |value| value.is_string(), "a string"),
    ];
    for (key, fits, right) in keys {
        let spot = || Spot::whole().path(format!("{path}.{key}"));
        match entry.get(key) {
            None => out.add(&W164, spot(), format!("`{key}` is missing"), right),
            Some(value) if !fits(value) => out.add(&W290, spot(), format!("`{key}` is {}", json::kind(value)), right),
            Some(_) => {}
        }
    }
}

fn one(id: &str, body: Option<&Value<'_>>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let known = seen.context.models.iter().any(|model| model == id);
    match (seen.exchange.status, body) {
        (Some(404), _) if known => {
            out.add(&W164, Spot::whole(), format!("404 for {id:?}, which is tested"), "the model");
        }
        (Some(200..=299), Some(body)) if body.get("id").and_then(Value::as_str).is_none() => {
            out.add(&W291, Spot::whole(), "no model by itself", "{\"id\":…,\"object\":\"model\"}");
        }
        (Some(200..=299), Some(body)) => described(body, "", out),
        _ => {}
    }
}
