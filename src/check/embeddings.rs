//! Claims about embeddings.

use serde_json::Value;

use super::{Held, broken, counted, status};
use crate::event::Whose;
use crate::wire::{Exchange, floats_of_base64};

const KIND: &str = "assert.embeddings";

/// So many embeddings come back.
pub fn count(exchange: &Exchange, wanted: u64) -> Held {
    let items = items(exchange);
    if items.as_ref().is_some_and(|items| items.len() as u64 == wanted) {
        return Ok(());
    }
    let wanted = counted(wanted, "embedding");
    let actual = match items {
        Some(items) => counted(items.len() as u64, "embedding"),
        None => nothing(exchange),
    };
    broken(KIND, Whose::Wire, format!("{wanted} come back"), wanted, actual)
}

/// Every embedding is a list of numbers (or its base64), all of one length: the request's `dimensions`, where it asks for some.
pub fn same_length(exchange: &Exchange) -> Held {
    let items = items(exchange);
    let lengths: Option<Vec<Option<usize>>> = items.as_ref().map(|items| items.iter().map(length).collect());
    let asked = asked(exchange);
    if let Some([Some(first), rest @ ..]) = lengths.as_deref()
        && asked.map_or(*first > 0, |asked| *first as u64 == asked)
        && rest.iter().all(|length| length == &Some(*first))
    {
        return Ok(());
    }
    let actual = match lengths {
        Some(lengths) if !lengths.is_empty() => {
            let listed = lengths
                .iter()
                .map(|length| length.map_or_else(|| "not a list of numbers".to_owned(), |length| length.to_string()));
            format!("lengths: {}", listed.collect::<Vec<_>>().join(", "))
        }
        Some(_) => "no embeddings".to_owned(),
        None => nothing(exchange),
    };
    let wanted = match asked {
        Some(asked) => format!("lists of {asked} numbers, as the request asks for"),
        None => "lists of numbers, all of one length".to_owned(),
    };
    broken(KIND, Whose::Wire, "every embedding has the same length", wanted, actual)
}

/// The embeddings carry the indexes 0, 1, 2, … in this order.
pub fn in_order(exchange: &Exchange) -> Held {
    let items = items(exchange);
    let indexes: Option<Vec<Option<u64>>> = items.as_ref().map(|items| items.iter().map(|item| item["index"].as_u64()).collect());
    if let Some(indexes) = &indexes
        && !indexes.is_empty()
        && indexes.iter().copied().eq((0..).map(Some).take(indexes.len()))
    {
        return Ok(());
    }
    let actual = match indexes {
        Some(indexes) => {
            let listed = indexes.iter().map(|index| index.map_or_else(|| "none".to_owned(), |index| index.to_string()));
            format!("indexes: {}", listed.collect::<Vec<_>>().join(", "))
        }
        None => nothing(exchange),
    };
    broken(KIND, Whose::Wire, "the embeddings are numbered in order", "the indexes 0, 1, 2, … in order", actual)
}

/// The cosine between two embeddings is larger than that between the first of them and a third. Numbers count from 1.
pub fn nearer(exchange: &Exchange, one: u64, near: u64, far: u64) -> Held {
    let vectors: Option<Vec<Vec<f64>>> =
        items(exchange).map(|items| items.iter().map(|item| numbers(item).unwrap_or_default()).collect());
    let claim = format!("embedding {one} is nearer to {near} than to {far}");
    let wanted = format!("a larger cosine with embedding {near} than with {far}");
    let Some(vectors) = vectors else { return broken(KIND, Whose::Wire, claim, wanted, nothing(exchange)) };
    let of = |number: u64| usize::try_from(number.checked_sub(1)?).ok().and_then(|at| vectors.get(at));
    let cosine = |other: u64| of(one).zip(of(other)).and_then(|(a, b)| cosine(a, b));
    let actual = match (cosine(near), cosine(far)) {
        (Some(near), Some(far)) if near > far => return Ok(()),
        (Some(with_near), Some(with_far)) => format!("cosine with {near}: {with_near:.3}, with {far}: {with_far:.3}"),
        _ => format!("no three vectors of one length: {}", counted(vectors.len() as u64, "vector")),
    };
    broken(KIND, Whose::Model, claim, wanted, actual)
}

/// The numbers of an embedding in either form: a list, or the base64 that clients ask for because it is shorter.
fn numbers(item: &Value) -> Option<Vec<f64>> {
    match &item["embedding"] {
        Value::Array(numbers) => numbers.iter().map(Value::as_f64).collect(),
        Value::String(text) => Some(floats_of_base64(text).ok()?.into_iter().map(f64::from).collect()),
        _ => None,
    }
}

/// `None` where there is none: lengths that differ, or a vector of zeros.
fn cosine(one: &[f64], other: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(one, other) / (dot(one, one) * dot(other, other)).sqrt();
    (one.len() == other.len() && cosine.is_finite()).then_some(cosine)
}

/// The length that the request asks for.
fn asked(exchange: &Exchange) -> Option<u64> {
    let body: Value = serde_json::from_slice(exchange.request.body.as_ref()?).ok()?;
    body["dimensions"].as_u64()
}

fn items(exchange: &Exchange) -> Option<Vec<Value>> {
    exchange.status.filter(|status| (200..300).contains(status))?;
    match exchange.json().ok()?.get_mut("data")?.take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn length(item: &Value) -> Option<usize> {
    numbers(item).map(|numbers| numbers.len())
}

fn nothing(exchange: &Exchange) -> String {
    format!("no embeddings; the server answered {}", status::shown(exchange))
}

#[cfg(test)]
mod tests {
    use super::super::sample::exchange;
    use super::*;

    #[track_caller]
    fn check(status: u16, data: &str, two: bool, same: bool, order: bool) {
        let exchange = exchange(status, &format!(r#"{{"object":"list","data":{data}}}"#));
        let seen = [count(&exchange, 2), same_length(&exchange), in_order(&exchange)].map(|held| held.is_ok());
        assert_eq!(seen, [two, same, order], "{data}");
    }

    #[test]
    fn nearness_is_by_angle() {
        let near = |data: &str, numbers: [u64; 3]| {
            let exchange = exchange(200, &format!(r#"{{"data":{data}}}"#));
            nearer(&exchange, numbers[0], numbers[1], numbers[2])
        };
        let data = r#"[{"embedding":[1,0]},{"embedding":[9,1]},{"embedding":[0.5,0.5]}]"#;
        assert!(near(data, [1, 2, 3]).is_ok(), "length does not count");
        let error = near(data, [1, 3, 2]).unwrap_err();
        assert_eq!(error.actual.as_deref(), Some("cosine with 3: 0.707, with 2: 0.994"));
        assert!(near(data, [1, 2, 2]).is_err(), "as near is not nearer");
        let packed = r#"[{"embedding":"AACAPwAAAAA="},{"embedding":[9,1]},{"embedding":[0.5,0.5]}]"#;
        assert!(near(packed, [1, 2, 3]).is_ok(), "base64 of floats is as good as a list");
        for (data, numbers) in [
            (data, [1, 2, 4]),
            (data, [0, 1, 2]),
            // What is no vector keeps its number.
            (r#"[{"embedding":[1,0]},{"embedding":"?"},{"embedding":[9,1]},{"embedding":[0,1]}]"#, [1, 2, 3]),
            ("[]", [1, 2, 3]),
            (r#"[{"embedding":[0,0]},{"embedding":[1,0]},{"embedding":[0,1]}]"#, [1, 2, 3]),
            (r#"[{"embedding":[1]},{"embedding":[1,0]},{"embedding":[0,1]}]"#, [1, 2, 3]),
        ] {
            assert!(near(data, numbers).is_err(), "{data} {numbers:?}");
        }
    }

    #[test]
    fn a_length_that_was_asked_for_is_held() {
        let mut exchange = exchange(200, r#"{"data":[{"embedding":[1,2]},{"embedding":[3,4]}]}"#);
        for (request, expect) in [(r#"{"dimensions":2}"#, true), (r#"{"dimensions":3}"#, false), (r#"{"input":"a"}"#, true)] {
            exchange.request.body = Some(request.into());
            assert_eq!(same_length(&exchange).is_ok(), expect, "{request}");
        }
    }

    #[test]
    fn both_directions() {
        check(200, r#"[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1.5,2]}]"#, true, true, true);
        check(200, r#"[{"index":0,"embedding":[1,2]}]"#, false, true, true);
        check(200, r#"[{"index":1,"embedding":[1,2]},{"index":0,"embedding":[1]}]"#, true, false, false);
        check(200, r#"[{"embedding":"AAAA"}]"#, false, false, false);
        check(200, "[]", false, false, false);
        check(500, r#"[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1,2]}]"#, false, false, false);
    }
}
