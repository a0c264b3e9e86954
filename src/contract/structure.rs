//! Has the content the form that was asked for? Stop texts, JSON, schemas.

use serde_json::Value;

use super::asked::Format;
use super::excerpt;
use super::finding::{Findings, Spot};
use super::rule::{Rule, Scope, Severity, Surface};
use super::seen::Seen;
use crate::schema::Schema;
use crate::wire::Choice;

/// The rules of this topic.
pub(super) static RULES: &[&Rule] = &[&W037, &W040, &W041, &W250, &W251];

pub(super) static W037: Rule = Rule {
    id: "W037",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "no stop text occurs in the content, and an answer cut by one finishes with stop",
    why: "callers split at the stop text and find too much",
    source: "OpenAI API reference, stop; mlx_lm.server goes on after it",
    breaks: r#"stop: ["Paris"] answered with "The capital is Paris.""#,
};

pub(super) static W040: Rule = Rule {
    id: "W040",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under json_object a content that finished with stop parses as a JSON object",
    why: "callers parse it without a second look",
    source: "OpenAI API reference, response_format; ignored by mlx_lm.server",
    breaks: r#""content":"Sure! Here is the JSON: {…}""#,
};

pub(super) static W041: Rule = Rule {
    id: "W041",
    surface: Surface::Chat,
    severity: Severity::Violation,
    scope: Scope::Exchange,
    statement: "under a strict json_schema a content that finished with stop and is no refusal fits the schema",
    why: "structured output exists so that callers need no checks",
    source: "OpenAI API reference, structured outputs; words of a schema that llama.cpp and vLLM skip",
    breaks: r#""content":"{\"name\":\"Paris\",\"capital\":\"yes\"}" where capital is a boolean"#,
};

pub(super) static W250: Rule = Rule {
    id: "W250",
    surface: Surface::Chat,
    severity: Severity::Dialect,
    scope: Scope::Exchange,
    statement: "under json_schema, strict or not, a content that finished with stop parses as JSON",
    why: "prose cannot be what a schema describes",
    source: "OpenAI API reference, structured outputs",
    breaks: r#""content":"Paris is the capital of France.""#,
};

pub(super) static W251: Rule = Rule {
    id: "W251",
    surface: Surface::Chat,
    severity: Severity::Advice,
    scope: Scope::Exchange,
    statement: "under a json_schema that is not strict a content that finished with stop fits the schema",
    why: "it was asked for; only its promise is weaker",
    source: "OpenAI API reference: strict is off by default",
    breaks: r#""content":"{\"city\":\"Paris\"}" where name is required"#,
};

/// Checks one exchange.
pub(super) fn check(seen: &Seen<'_>, out: &mut Findings<'_>) {
    if !seen.is_chat() || seen.chat.error.is_some() {
        return;
    }
    let schema = match &seen.asked.format {
        Format::JsonSchema { schema, .. } => Schema::compile(schema).ok(),
        _ => None,
    };
    for choice in &seen.chat.choices {
        stops(choice, seen, out);
        form(choice, schema.as_ref(), seen, out);
    }
}

fn spot(choice: &Choice, seen: &Seen<'_>) -> Spot {
    let spot = Spot::whole().choice(choice.index);
    if seen.streamed() { spot } else { spot.path(format!("choices[{}].message.content", choice.index)) }
}

fn stops(choice: &Choice, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let Some(content) = &choice.content else { return };
    let body = seen.asked.body.as_ref();
    // An extension of vLLM that asks for the stop text itself.
    if body.and_then(|body| body.get("include_stop_str_in_output")).and_then(Value::as_bool) == Some(true) {
        return;
    }
    for stop in &seen.asked.stop {
        if memchr::memmem::find(content.as_bytes(), stop.as_bytes()).is_some() {
            out.add(&W037, spot(choice, seen), format!("the content holds the stop text {stop:?}"), "the text before it");
        }
    }
}

fn form(choice: &Choice, schema: Option<&Schema>, seen: &Seen<'_>, out: &mut Findings<'_>) {
    let refused = choice.refusal.as_deref().is_some_and(|refusal| !refusal.is_empty());
    if choice.finish_reason.as_deref() != Some("stop") || refused || !choice.tool_calls.is_empty() {
        return;
    }
    let content = choice.content.as_deref().unwrap_or_default();
    let parsed = || serde_json::from_str::<Value>(content);
    match &seen.asked.format {
        Format::JsonObject => match parsed() {
            Ok(value) if value.is_object() => {}
            Ok(_) => out.add(&W040, spot(choice, seen), "JSON, but no object", "a JSON object"),
            Err(error) => out.add(&W040, spot(choice, seen), no_json(content, &error), "a JSON object"),
        },
        Format::JsonSchema { strict, .. } => match (parsed(), schema) {
            (Err(error), _) => {
                let rule = if *strict { &W041 } else { &W250 };
                out.add(rule, spot(choice, seen), no_json(content, &error), "JSON that fits the schema");
            }
            (Ok(value), Some(schema)) => {
                for fault in schema.validate(&value).into_iter().take(5) {
                    let rule = if *strict { &W041 } else { &W251 };
                    let spot = spot(choice, seen).path(format!("choices[{}].message.content{}", choice.index, fault.at));
                    out.add(rule, spot, fault.to_string(), "JSON that fits the schema");
                }
            }
            (Ok(_), None) => {}
        },
        Format::Text | Format::Other => {}
    }
}

fn no_json(content: &str, error: &serde_json::Error) -> String {
    format!("no JSON ({error}): {:?}", excerpt::bounded(content, 80))
}
