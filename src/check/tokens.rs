//! Claims about token counting and its opposite.

use serde_json::Value;

use super::{Held, broken, status};
use crate::event::{Mismatch, Whose};
use crate::wire::{ChatReply, Exchange};

const KIND: &str = "assert.tokens";

/// The ids of the tokens that a text became; never empty.
pub fn ids(exchange: &Exchange) -> Result<Vec<Value>, Box<Mismatch>> {
    let body = success(exchange);
    let ids = body.as_ref().and_then(|body| body.get("tokens")?.as_array()).filter(|ids| !ids.is_empty());
    if let Some(ids) = ids.filter(|ids| ids.iter().all(Value::is_u64)) {
        return Ok(ids.clone());
    }
    let expected = "{\"tokens\": [ids]}, one or more";
    Err(told("the text has become tokens", expected, status::shown(exchange)))
}

/// Tokens became this text. **Shape**: `content` (llama.cpp) or `prompt` (vLLM).
pub fn text_is(exchange: &Exchange, wanted: &str) -> Held {
    let body = success(exchange);
    let text = body.as_ref().and_then(|body| ["content", "prompt"].iter().find_map(|key| body.get(key)?.as_str()));
    if text == Some(wanted) {
        return Ok(());
    }
    let actual = text.map_or_else(|| status::shown(exchange), str::to_owned);
    broken(KIND, Whose::Wire, "the tokens give the same text back", wanted, actual)
}

/// A count of tokens is what a reply was billed for. **Shape**: `count` (vLLM), `input_tokens` (OpenAI, llama.cpp), or as many `tokens`.
pub fn count_is(exchange: &Exchange, billed: &ChatReply, instead: Option<&str>) -> Held {
    const CLAIM: &str = "the server counts the prompt as it billed it";
    let Some(billed) = billed.usage.as_ref().and_then(|usage| usage.prompt) else {
        let actual = instead.map_or_else(|| "no usage in the reply".to_owned(), str::to_owned);
        return broken(KIND, Whose::Wire, CLAIM, "a reply with usage.prompt_tokens", actual);
    };
    let body = success(exchange);
    let count = body.as_ref().and_then(|body| {
        let said = ["count", "input_tokens"].iter().find_map(|key| body.get(key)?.as_u64());
        said.or_else(|| Some(body.get("tokens")?.as_array()?.len() as u64))
    });
    match count {
        Some(count) if count == billed => Ok(()),
        Some(count) => {
            broken(KIND, Whose::Wire, CLAIM, format!("{billed} tokens, as in usage"), format!("{count} tokens counted"))
        }
        None => broken(KIND, Whose::Wire, CLAIM, "a count of tokens", status::shown(exchange)),
    }
}

fn success(exchange: &Exchange) -> Option<Value> {
    exchange.status.filter(|status| (200..300).contains(status)).and_then(|_| exchange.json().ok())
}

fn told(claim: &str, expected: &str, actual: String) -> Box<Mismatch> {
    Box::new(Mismatch::new(KIND, Whose::Wire, claim).expected(expected).actual(actual))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{choice, exchange, whole};
    use super::*;
    use crate::wire::fold_chat;

    #[test]
    fn tokens_are_ids_and_one_at_least() {
        assert_eq!(ids(&exchange(200, r#"{"tokens":[504,905]}"#)).expect("ids").len(), 2);
        for body in [r#"{"tokens":[]}"#, r#"{"tokens":["a"]}"#, r#"{"tokens":[-1]}"#, "{}", "no"] {
            assert!(ids(&exchange(200, body)).is_err(), "{body}");
        }
        assert!(ids(&exchange(404, r#"{"tokens":[504]}"#)).is_err());
    }

    #[test]
    fn the_text_comes_back_under_either_name() {
        assert!(text_is(&exchange(200, r#"{"content":" a "}"#), " a ").is_ok());
        assert!(text_is(&exchange(200, r#"{"prompt":" a "}"#), " a ").is_ok());
        let other = text_is(&exchange(200, r#"{"prompt":"a "}"#), " a ").expect_err("a space is lost");
        assert_eq!((other.expected.as_deref(), other.actual.as_deref()), (Some(" a "), Some("a ")));
        let none = text_is(&exchange(500, r#"{"content":" a "}"#), " a ").expect_err("an error");
        assert!(none.actual.is_some_and(|actual| actual.starts_with("500: ")));
    }

    #[track_caller]
    fn check(status: u16, body: &str, expect: Result<(), &str>) {
        let usage = r#","usage":{"prompt_tokens":37,"completion_tokens":1,"total_tokens":38}"#;
        let billed = fold_chat(&exchange(200, &whole(&choice(0, "a", "stop"), usage)));
        let held = count_is(&exchange(status, body), &billed, None);
        assert_eq!(held.map_err(|mismatch| mismatch.actual.unwrap_or_default()), expect.map_err(str::to_owned), "{body}");
    }

    #[test]
    fn counts_are_those_of_usage() {
        check(200, r#"{"count":37,"tokens":[]}"#, Ok(()));
        check(200, r#"{"input_tokens":37}"#, Ok(()));
        check(200, r#"{"tokens":[1]}"#, Err("1 tokens counted"));
        check(200, r#"{"count":36}"#, Err("36 tokens counted"));
        check(404, r#"{"count":37}"#, Err(r#"404: {"count":37}"#));
        let bare = fold_chat(&exchange(200, &whole(&choice(0, "a", "stop"), "")));
        let held = count_is(&exchange(200, r#"{"count":37}"#), &bare, None);
        assert_eq!(held.expect_err("nothing was billed").actual.as_deref(), Some("no usage in the reply"));
    }
}
