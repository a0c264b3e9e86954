//! Claims about an error the server answered.

use serde_json::Value;

use super::json_path::pretty;
use super::{Held, broken, status};
use crate::event::Whose;
use crate::wire::{ApiError, ChatReply, Exchange};

const KIND: &str = "assert.error";

/// The error says something.
pub fn has_message(exchange: &Exchange, reply: &ChatReply) -> Held {
    judge(exchange, reply, "the error has a message", "an error with a message", |error| !error.message.trim().is_empty())
}

/// The message has this text somewhere, ignoring case.
pub fn mentions(exchange: &Exchange, reply: &ChatReply, wanted: &str) -> Held {
    let message = format!("the error message mentions \"{wanted}\"");
    let expected = format!("an error message with \"{wanted}\"");
    judge(exchange, reply, &message, &expected, |error| error.message.to_lowercase().contains(&wanted.to_lowercase()))
}

/// The error's `type`.
pub fn type_is(exchange: &Exchange, reply: &ChatReply, wanted: &str) -> Held {
    let expected = format!("an error whose type is \"{wanted}\"");
    judge(exchange, reply, &format!("the error type is \"{wanted}\""), &expected, |error| error.kind.as_deref() == Some(wanted))
}

/// `{"error": {"message": text, "type": text, "param": text or null, "code": text or null}}`; the last two may be left out.
pub fn has_openai_form(exchange: &Exchange, reply: &ChatReply) -> Held {
    let expected = r#"{"error": {"message": "…", "type": "…", "param": null or "…", "code": null or "…"}}"#;
    judge(exchange, reply, "the error has the OpenAI form", expected, |error| is_openai(&error.raw))
}

fn is_openai(raw: &Value) -> bool {
    let error = &raw["error"];
    let optional = |key: &str| matches!(&error[key], Value::Null | Value::String(_));
    error["message"].is_string() && error["type"].is_string() && optional("param") && optional("code")
}

fn judge(exchange: &Exchange, reply: &ChatReply, message: &str, expected: &str, holds: impl FnOnce(&ApiError) -> bool) -> Held {
    match &reply.error {
        Some(error) if holds(error) => Ok(()),
        Some(error) => {
            let status = exchange.status.map(|status| format!("{status}: ")).unwrap_or_default();
            broken(KIND, Whose::Wire, message, expected, format!("{status}{}", pretty(&error.raw)))
        }
        None => {
            broken(KIND, Whose::Wire, message, expected, format!("no error; the server answered {}", status::shown(exchange)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::exchange;
    use super::*;
    use crate::wire::fold_chat;

    #[track_caller]
    fn check(status: u16, body: &str, expect: [bool; 4]) {
        let exchange = exchange(status, body);
        let reply = fold_chat(&exchange);
        let seen = [
            has_message(&exchange, &reply),
            mentions(&exchange, &reply, "MODEL"),
            type_is(&exchange, &reply, "not_found_error"),
            has_openai_form(&exchange, &reply),
        ];
        assert_eq!(seen.map(|held| held.is_ok()), expect, "{body}");
    }

    #[test]
    fn both_directions() {
        let full = r#"{"error":{"message":"no such model","type":"not_found_error","param":null,"code":"model_not_found"}}"#;
        check(404, full, [true; 4]);
        check(404, r#"{"error":{"message":"no such model","type":"other","code":404}}"#, [true, true, false, false]);
        check(404, r#"{"detail":"no such model"}"#, [true, true, false, false]);
        check(404, "", [false; 4]);
        check(200, r#"{"choices":[]}"#, [false; 4]);
    }
}
