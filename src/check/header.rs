//! Claims about response headers.

use super::{Held, broken};
use crate::event::Whose;
use crate::wire::{Exchange, text_of};

const KIND: &str = "assert.header";

/// The header has this value, case of the value included.
pub fn is(exchange: &Exchange, name: &str, wanted: &str) -> Held {
    judge(exchange, name, &format!("is \"{wanted}\""), |value| value.trim() == wanted.trim())
}

/// The header has this text somewhere, ignoring case.
pub fn mentions(exchange: &Exchange, name: &str, wanted: &str) -> Held {
    judge(exchange, name, &format!("mentions \"{wanted}\""), |value| says(value, wanted))
}

/// A response came that has this text in no such header, ignoring case; without the header it has it nowhere.
pub fn does_not_mention(exchange: &Exchange, name: &str, unwanted: &str) -> Held {
    let (claim, expected) = (format!("does not mention \"{unwanted}\""), format!("a header {name} without \"{unwanted}\""));
    lacks(exchange, name, &claim, expected, |value| says(value, unwanted))
}

/// The header came.
pub fn is_present(exchange: &Exchange, name: &str) -> Held {
    judge(exchange, name, "is present", |_| true)
}

/// A response came without the header.
pub fn is_absent(exchange: &Exchange, name: &str) -> Held {
    lacks(exchange, name, "is absent", format!("a response without the header {name}"), |_| true)
}

fn says(value: &str, wanted: &str) -> bool {
    value.to_lowercase().contains(&wanted.to_lowercase())
}

/// A response came, and none of its values of the header is such a one.
fn lacks(exchange: &Exchange, name: &str, claim: &str, expected: String, unwanted: impl Fn(&str) -> bool) -> Held {
    let values = values(exchange, name);
    if exchange.status.is_some() && !values.iter().any(|value| unwanted(value)) {
        return Ok(());
    }
    broken(KIND, Whose::Wire, format!("the header {name} {claim}"), expected, shown(exchange, name, &values))
}

fn judge(exchange: &Exchange, name: &str, claim: &str, holds: impl Fn(&str) -> bool) -> Held {
    let values = values(exchange, name);
    if values.iter().any(|value| holds(value)) {
        return Ok(());
    }
    let expected = format!("a header {name} that {claim}");
    broken(KIND, Whose::Wire, format!("the header {name} {claim}"), expected, shown(exchange, name, &values))
}

fn values(exchange: &Exchange, name: &str) -> Vec<String> {
    let same = exchange.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    same.map(|(_, value)| text_of(value).into_owned()).collect()
}

fn shown(exchange: &Exchange, name: &str, values: &[String]) -> String {
    if !values.is_empty() {
        return values.iter().map(|value| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    }
    if exchange.status.is_none() {
        return super::status::shown(exchange);
    }
    let names: Vec<&str> = exchange.headers.iter().map(|(name, _)| name.as_str()).collect();
    format!("no such header; there are {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::sample::exchange;
    use super::*;

    #[test]
    fn both_directions() {
        let exchange = exchange(200, "{}");
        assert!(is(&exchange, "Content-Type", "application/json").is_ok());
        assert!(is(&exchange, "content-type", "text/plain").is_err());
        assert!(mentions(&exchange, "content-type", "JSON").is_ok());
        assert!(mentions(&exchange, "content-type", "xml").is_err());
        assert!(does_not_mention(&exchange, "content-type", "xml").is_ok());
        assert!(does_not_mention(&exchange, "x-none", "xml").is_ok());
        assert!(does_not_mention(&exchange, "content-type", "JSON").is_err());
        assert!(is_present(&exchange, "content-type").is_ok() && is_absent(&exchange, "content-type").is_err());
        assert!(is_present(&exchange, "x-none").is_err() && is_absent(&exchange, "x-none").is_ok());
    }
}
