//! Claims about the list of models.

use serde_json::Value;

use super::{Held, broken, counted, status};
use crate::event::Whose;
use crate::wire::Exchange;

const KIND: &str = "assert.models";

/// Exactly so many models are listed.
pub fn count(exchange: &Exchange, wanted: u64) -> Held {
    judge(exchange, &format!("{} listed", are(wanted)), |ids| ids.len() as u64 == wanted)
}

/// So many models or more are listed.
pub fn at_least(exchange: &Exchange, bound: u64) -> Held {
    judge(exchange, &format!("at least {} listed", are(bound)), |ids| ids.len() as u64 >= bound)
}

/// A model is listed.
pub fn include(exchange: &Exchange, wanted: &str) -> Held {
    judge(exchange, &format!("the models include \"{wanted}\""), |ids| ids.iter().any(|id| id == wanted))
}

/// There is a list, and the model is not in it.
pub fn do_not_include(exchange: &Exchange, unwanted: &str) -> Held {
    judge(exchange, &format!("the models do not include \"{unwanted}\""), |ids| ids.iter().all(|id| id != unwanted))
}

/// `{"object": "list", "data": [{"id": text, "object": "model"}, …]}` with ids that are not empty, each once.
pub fn well_formed(exchange: &Exchange) -> Held {
    let faults = faults(exchange);
    if faults.is_empty() {
        return Ok(());
    }
    let message = format!("the models list is well-formed: {}", faults[0]);
    let expected = r#"{"object": "list", "data": [{"id": "…", "object": "model"}, …]}, each id once"#;
    broken(KIND, Whose::Wire, message, expected, format!("{}\nin {}", faults.join("\n"), status::shown(exchange)))
}

fn are(count: u64) -> String {
    if count == 1 { "1 model is".to_owned() } else { format!("{} are", counted(count, "model")) }
}

/// Ids of the list; `None` where there is no list.
fn ids(exchange: &Exchange) -> Option<Vec<String>> {
    let body = exchange.json().ok()?;
    let items = body.get("data")?.as_array()?;
    exchange.status.filter(|status| (200..300).contains(status))?;
    Some(items.iter().filter_map(|item| item.get("id")?.as_str().map(str::to_owned)).collect())
}

fn judge(exchange: &Exchange, claim: &str, holds: impl FnOnce(&[String]) -> bool) -> Held {
    let ids = ids(exchange);
    if ids.as_deref().is_some_and(holds) {
        return Ok(());
    }
    let actual = match ids {
        Some(ids) if ids.is_empty() => "an empty list".to_owned(),
        Some(ids) => format!("{}: {}", counted(ids.len() as u64, "model"), ids.join(", ")),
        None => format!("no list of models; the server answered {}", status::shown(exchange)),
    };
    broken(KIND, Whose::Capability, claim, claim, actual)
}

fn faults(exchange: &Exchange) -> Vec<String> {
    let body = match exchange.json() {
        Ok(body) if exchange.status.is_some_and(|status| (200..300).contains(&status)) => body,
        Ok(_) => return vec!["the request did not succeed".to_owned()],
        Err(error) => return vec![format!("the body is not JSON: {error}")],
    };
    let mut faults = Vec::new();
    if body["object"] != "list" {
        faults.push(format!("`object` is {}, not \"list\"", body["object"]));
    }
    let Some(items) = body["data"].as_array() else {
        faults.push("`data` is not an array".to_owned());
        return faults;
    };
    let mut seen: Vec<&str> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item["id"].as_str() {
            None | Some("") => faults.push(format!("`data[{at}].id` is {}, not a text", item["id"])),
            Some(id) if seen.contains(&id) => faults.push(format!("`data[{at}].id` is \"{id}\" again")),
            Some(id) => seen.push(id),
        }
        if item.get("object") != Some(&Value::from("model")) {
            faults.push(format!("`data[{at}].object` is {}, not \"model\"", item["object"]));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::sample::exchange;
    use super::*;

    const TWO: &str = r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b","object":"model"}]}"#;

    #[test]
    fn counts_and_members() {
        let two = exchange(200, TWO);
        assert!(count(&two, 2).is_ok() && count(&two, 1).is_err());
        assert!(at_least(&two, 2).is_ok() && at_least(&two, 3).is_err());
        assert!(include(&two, "a").is_ok() && include(&two, "c").is_err());
        assert!(do_not_include(&two, "c").is_ok() && do_not_include(&two, "a").is_err());
        let refused = exchange(401, r#"{"error":{"message":"m"}}"#);
        assert!(do_not_include(&refused, "a").is_err() && count(&refused, 0).is_err(), "no list proves nothing");
    }

    #[test]
    fn form() {
        for (body, good) in [
            (TWO, true),
            (r#"{"object":"list","data":[]}"#, true),
            (r#"{"data":[{"id":"a","object":"model"}]}"#, false),
            (r#"{"object":"list","data":[{"id":"","object":"model"}]}"#, false),
            (r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"a","object":"model"}]}"#, false),
            (r#"{"object":"list","data":[{"id":"a"}]}"#, false),
            (r#"{"object":"list"}"#, false),
            ("models: a, b", false),
        ] {
            assert_eq!(well_formed(&exchange(200, body)).is_ok(), good, "{body}");
        }
    }
}
