//! Claims about replies that were asked for as JSON: the schema that was asked for, and refusals.

use serde_json::Value;

use super::fits_schema::fits;
use super::json_path::Subject;
use super::{Held, Said, broken, text};
use crate::event::{Mismatch, Whose};
use crate::schema::Schema;
use crate::wire::{ChatReply, Exchange};

const KIND: &str = "assert.schema";

/// The schema that a request asked the reply to fit, and whether strictly; `None` where it asked for none.
pub fn asked_schema(exchange: &Exchange) -> Option<(Value, bool)> {
    let body: Value = serde_json::from_slice(exchange.request.body.as_deref()?).ok()?;
    let of_chat = body.get("response_format").and_then(|format| format.get("json_schema"));
    let asked = of_chat.or_else(|| body.get("text")?.get("format"))?;
    Some((asked.get("schema")?.clone(), asked.get("strict") == Some(&Value::Bool(true))))
}

/// The reply is JSON and fits the schema that its request asked for. **Whose**: the server's where it was strict.
pub fn fits_asked(reply: &ChatReply, said: &Said<'_>, schema: &Schema, strict: bool) -> Held {
    let whose = if strict { Whose::Capability } else { Whose::Model };
    if let Some(refusal) = refusal(reply) {
        let message = "the reply fits the schema it was asked for (the model refused to answer)";
        return broken(KIND, Whose::Model, message, "JSON that fits the schema", format!("refused: {refusal}"));
    }
    let value = text::json(said).map_err(|mismatch| explained(reply, mismatch))?;
    fits(&Subject { value: &value, name: "the reply", whose }, schema)
}

/// Says of a reply that is not JSON that it was cut off, where it was.
fn explained(reply: &ChatReply, mut mismatch: Box<Mismatch>) -> Box<Mismatch> {
    if reply.first().and_then(|choice| choice.finish_reason.as_deref()) == Some("length") {
        mismatch.message.push_str(" (cut off by the token limit)");
    }
    mismatch
}

/// The model refused to answer.
pub fn refuses(reply: &ChatReply, said: &Said<'_>) -> Held {
    if said.is_reply() && refusal(reply).is_some() {
        return Ok(());
    }
    broken(KIND, said.whose(Whose::Model), "the reply is a refusal", "a refusal", said.shown())
}

/// There is a reply, and it is no refusal.
pub fn refuses_not(reply: &ChatReply, said: &Said<'_>) -> Held {
    match refusal(reply) {
        None if said.is_reply() => Ok(()),
        refusal => {
            let actual = refusal.map_or_else(|| said.shown(), |refusal| format!("refused: {refusal}"));
            broken(KIND, said.whose(Whose::Model), "the reply is not a refusal", "no refusal", actual)
        }
    }
}

fn refusal(reply: &ChatReply) -> Option<&str> {
    reply.first()?.refusal.as_deref().filter(|refusal| !refusal.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{exchange, finish, stream, whole};
    use super::*;
    use crate::wire::{Request, fold_chat};

    fn answer(message: &Value, finish: &str) -> Exchange {
        exchange(200, &whole(&json!({"index": 0, "message": message, "finish_reason": finish}).to_string(), ""))
    }

    #[track_caller]
    fn check(exchange: &Exchange, strict: bool, expect: Result<(), (Whose, &str)>) {
        let schema = Schema::compile(&json!({"type": "object", "required": ["a"]})).expect("a schema");
        let reply = fold_chat(exchange);
        match (fits_asked(&reply, &Said::of(&reply, exchange), &schema, strict), expect) {
            (Ok(()), Ok(())) => {}
            (Err(mismatch), Err((whose, part))) if mismatch.whose == whose && mismatch.message.contains(part) => {}
            (held, _) => panic!("expected {expect:?}, got {held:?}"),
        }
    }

    #[test]
    fn a_misfit_a_cut_and_a_refusal_are_told_apart() {
        let text = |text: &str| json!({"role": "assistant", "content": text});
        check(&answer(&text(r#"{"a": 1}"#), "stop"), true, Ok(()));
        check(&answer(&text(r#"{"b": 1}"#), "stop"), true, Err((Whose::Capability, "fits the schema: at the root")));
        check(&answer(&text(r#"{"b": 1}"#), "stop"), false, Err((Whose::Model, "fits the schema: at the root")));
        check(&answer(&text(r#"{"a": "#), "length"), true, Err((Whose::Model, "cut off by the token limit")));
        check(&answer(&text("sorry"), "stop"), true, Err((Whose::Model, "is JSON")));
        let refused = json!({"role": "assistant", "content": null, "refusal": "I cannot help with that."});
        check(&answer(&refused, "stop"), true, Err((Whose::Model, "the model refused")));
    }

    #[test]
    fn refusals_come_whole_and_streamed() {
        let whole = answer(&json!({"role": "assistant", "content": null, "refusal": "No."}), "stop");
        let part = |text: &str| {
            format!(r#"{{"choices":[{{"index":0,"delta":{{"role":"assistant","refusal":"{text}"}},"finish_reason":null}}]}}"#)
        };
        let streamed = stream(&[&part("N"), &part("o."), &finish("stop")]);
        for exchange in [whole, streamed] {
            let reply = fold_chat(&exchange);
            let said = Said::of(&reply, &exchange);
            assert_eq!(refusal(&reply), Some("No."));
            assert!(refuses(&reply, &said).is_ok() && refuses_not(&reply, &said).is_err());
        }
        let plain = answer(&json!({"role": "assistant", "content": "Yes.", "refusal": null}), "stop");
        let reply = fold_chat(&plain);
        let said = Said::of(&reply, &plain);
        assert!(refuses(&reply, &said).is_err() && refuses_not(&reply, &said).is_ok());
        let error = exchange(500, r#"{"error":{"message":"x"}}"#);
        let reply = fold_chat(&error);
        assert!(refuses_not(&reply, &Said::of(&reply, &error)).is_err());
    }

    #[test]
    fn the_schema_is_read_from_what_was_sent() {
        let schema = json!({"type": "object"});
        let format = json!({"type": "json_schema", "json_schema": {"name": "reply", "strict": true, "schema": schema}});
        let mut asked = answer(&json!({}), "stop");
        assert_eq!(asked_schema(&asked), None);
        asked.request = Request::post_json("/v1/chat/completions", &json!({"response_format": format}));
        assert_eq!(asked_schema(&asked), Some((schema.clone(), true)));
        let format = json!({"type": "json_schema", "name": "reply", "schema": schema});
        asked.request = Request::post_json("/v1/responses", &json!({"text": {"format": format}}));
        assert_eq!(asked_schema(&asked), Some((schema, false)));
    }
}
