//! What breaks lists of models and pages of metrics.

use serde_json::{Value, json};

use crate::contract::Call;
use crate::mutate::change::{bytes, cut, json, put, swap, text};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Lists: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("list-object-lost", &["W163"], "the list of models has no object", |good| list(good, |body| cut(body, "object"))),
    detect("list-object-other", &["W163"], "the object of the list is another", |good| {
        list(good, |body| put(body, "object", json!("models")))
    }),
    detect("list-data-lost", &["W163"], "the list of models has no data", |good| list(good, |body| cut(body, "data"))),
    detect("list-data-null", &["W163"], "the data of the list is null", |good| {
        list(good, |body| swap(body, "data", json!(null)))
    }),
    detect("list-data-as-object", &["W163"], "the data of the list is an object", |good| {
        list(good, |body| swap(body, "data", body.pointer("/data/0")?.clone()))
    }),
    detect("list-without-envelope", &["W163"], "the list of models lacks its envelope", |good| {
        list(good, |body| {
            *body = body.get("data").filter(|data| data.is_array())?.clone();
            Some(())
        })
    }),
    detect("list-empty", &["W293"], "the list holds no models", |good| list(good, |body| swap(body, "data", json!([])))),
    detect("list-names-only", &["W163"], "the list holds the names of the models alone", |good| {
        list(good, |body| {
            let names =
                body.get("data")?.as_array()?.iter().map(|entry| entry.get("id").cloned()).collect::<Option<Vec<Value>>>()?;
            swap(body, "data", Value::Array(names))
        })
    }),
    detect("listed-model-without-id", &["W163"], "a model has no id", |good| entry(good, |entry| cut(entry, "id"))),
    detect("listed-model-of-empty-id", &["W163"], "the id of a model is empty", |good| {
        entry(good, |entry| swap(entry, "id", json!("")))
    }),
    detect("listed-model-of-number", &["W163"], "the id of a model is a number", |good| {
        entry(good, |entry| swap(entry, "id", json!(1)))
    }),
    detect("listed-model-twice", &["W163"], "a model stands twice", |good| {
        list(good, |body| {
            let data = body.get_mut("data")?.as_array_mut()?;
            data.push(data.first()?.clone());
            Some(())
        })
    }),
    detect("listed-model-of-another-object", &["W290"], "the object of a model is another", |good| {
        entry(good, |entry| put(entry, "object", json!("engine")))
    }),
    detect("listed-model-created-as-text", &["W290"], "created of a model is text", |good| {
        entry(good, |entry| put(entry, "created", json!("today")))
    }),
    detect("listed-model-created-in-milliseconds", &["W290"], "created of a model is in milliseconds", |good| {
        entry(good, |entry| put(entry, "created", json!(1_795_239_529_000_i64)))
    }),
    detect("listed-model-created-fraction", &["W290"], "created of a model has a fraction", |good| {
        entry(good, |entry| put(entry, "created", json!(1_795_239_529.5)))
    }),
    detect("listed-model-owner-null", &["W290"], "the owner of a model is null", |good| {
        entry(good, |entry| put(entry, "owned_by", json!(null)))
    }),
    detect("model-by-id-without-id", &["W291"], "a model that was asked for by its id has none", |good| {
        one(good, |body| cut(body, "id"))
    }),
    detect("model-by-id-as-list", &["W291"], "a list came where one model was asked for", |good| {
        one(good, |body| {
            *body = json!({"object": "list", "data": [body.clone()]});
            Some(())
        })
    }),
    detect("model-by-id-of-another-object", &["W290"], "the object of a model that was asked for by its id is another", |good| {
        one(good, |body| put(body, "object", json!("engine")))
    }),
    detect("metrics-line-broken", &["W292"], "a line of metrics has an equals sign", |good| {
        metrics(good, |line| line.replacen(' ', " = ", 1))
    }),
    detect("metrics-value-of-words", &["W292"], "the value of a metric is a word", |good| {
        metrics(good, |line| format!("{} many", line.split(' ').next().unwrap_or_default()))
    }),
    detect("metrics-html", &["W292", "W008"], "a page came in place of metrics", |good| {
        (good.call == Call::Metrics && good.is_success() && !good.text.trim().is_empty())
            .then(|| bytes(good, "<html><body>x</body></html>"))?
    }),
    legal("list-with-more-keys", "models have more keys than OpenAI's", |good| {
        list(good, |body| {
            put(body, "x_extra", json!(1))?;
            put(body.pointer_mut("/data/0").filter(|entry| entry.is_object())?, "permission", json!([]))
        })
    }),
    legal("list-without-dates-and-owners", "models have neither created nor owned_by", |good| {
        list(good, |body| {
            for entry in body.get_mut("data")?.as_array_mut()?.iter_mut().filter_map(Value::as_object_mut) {
                entry.retain(|key, _| key != "created" && key != "owned_by");
            }
            Some(())
        })
    }),
    legal("metrics-with-comment", "a comment stands among the metrics", |good| {
        (good.call == Call::Metrics && good.is_success()).then(|| text(good, |text| Some(format!("# a comment\n{text}"))))?
    }),
];

/// Another list of models.
fn list(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    json(good, good.models().filter(|body| body.is_object()), change)
}

/// Another first model of a list.
fn entry(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    list(good, |body| change(body.pointer_mut("/data/0")?))
}

/// Another model that was asked for by its id.
fn one(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    let one = matches!(good.call, Call::Model(_)) && good.is_success();
    json(good, good.body.as_ref().filter(|body| one && body.get("id").is_some()), change)
}

/// The first line with a value of a page of metrics, written another way.
fn metrics(good: &Good<'_>, change: fn(&str) -> String) -> Option<Exchange> {
    (good.call == Call::Metrics && good.is_success()).then_some(())?;
    let line = good.text.lines().find(|line| !line.starts_with('#') && line.contains(' '))?;
    text(good, |text| Some(text.replacen(line, &change(line), 1)))
}
