//! What breaks log probabilities, where they were asked for and where they were not.

use serde_json::{Value, json};

use crate::mutate::change::{chunks, cut, put, swap, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Structure: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("probability-over-zero", &["W038"], "a log probability is over 0", |good| {
        item(good, |item| swap(item, "logprob", json!(1.5)))
    }),
    detect("probability-for-its-logarithm", &["W038"], "a probability came in place of its logarithm", |good| {
        item(good, |item| swap(item, "logprob", json!(0.97)))
    }),
    detect("probability-as-text", &["W038"], "a log probability is text", |good| {
        item(good, |item| swap(item, "logprob", json!("-1.5")))
    }),
    detect("probability-null", &["W038"], "a log probability is null", |good| {
        item(good, |item| swap(item, "logprob", json!(null)))
    }),
    detect("probability-lost", &["W038"], "an item has no log probability", |good| item(good, |item| cut(item, "logprob"))),
    detect("token-lost", &["W038"], "an item has no token", |good| item(good, |item| cut(item, "token"))),
    detect("token-as-number", &["W038"], "a token is a number", |good| item(good, |item| swap(item, "token", json!(504)))),
    detect("token-byte-over-255", &["W038"], "a byte of a token is over 255", |good| {
        item(good, |item| put(item, "bytes", json!([84, 300])))
    }),
    detect("token-byte-negative", &["W038"], "a byte of a token is below 0", |good| {
        item(good, |item| put(item, "bytes", json!([84, -1])))
    }),
    detect("token-bytes-as-text", &["W038"], "the bytes of a token are text", |good| {
        item(good, |item| put(item, "bytes", json!("VGhl")))
    }),
    detect("token-bytes-of-another", &["W230"], "the bytes of a token are those of another", |good| {
        item(good, |item| {
            let token = item.get("token")?.as_str()?;
            let plain = !token.is_empty() && token != "Zz" && !token.starts_with("token_id:") && !token.contains('\u{FFFD}');
            plain.then(|| put(item, "bytes", json!([90, 122])))?
        })
    }),
    detect("item-null", &["W038"], "an item is null", |good| {
        item(good, |item| {
            *item = Value::Null;
            Some(())
        })
    }),
    detect("alternatives-as-object", &["W038"], "the alternatives of a token are an object", |good| {
        item(good, |item| put(item, "top_logprobs", json!({"The": -1.0})))
    }),
    detect("alternative-over-zero", &["W038"], "the log probability of an alternative is over 0", |good| {
        item(good, |item| put(item, "top_logprobs", json!([{"token": "The", "bytes": null, "logprob": 0.2}])))
    }),
    detect("more-alternatives-than-asked", &["W039"], "there are more alternatives than asked", |good| {
        let most = usize::try_from(good.asked.top_logprobs.unwrap_or(0).max(1)).ok()? + 1;
        let other = json!({"token": "The", "bytes": null, "logprob": -2.0});
        item(good, |item| put(item, "top_logprobs", json!(vec![other.clone(); most])))
    }),
    detect("logprobs-lost", &["W038", "W072"], "there are no log probabilities although they were asked for", |good| {
        every(good, |_| json!(null))
    }),
    detect("logprobs-as-list", &["W038", "W072"], "the log probabilities lack their object", |good| {
        every(good, |known| known.get("content").cloned().unwrap_or_default())
    }),
    detect("logprobs-as-text", &["W038", "W072", "W228"], "the log probabilities are text", |good| {
        every(good, |_| json!("none"))
    }),
    detect("logprobs-of-another-text", &["W232"], "the tokens are those of another text", |good| {
        let items = good.reply.first()?.logprobs.as_ref()?.get("content")?.as_array()?;
        let named = items.iter().all(|item| item.get("token").and_then(Value::as_str).is_some_and(|token| !token.contains('Ġ')));
        let fine = named && good.said()?.len() > 4 && good.reply.first()?.reasoning.is_none();
        fine.then(|| {
            item(good, |item| {
                put(item, "bytes", json!(null))?;
                swap(item, "token", json!("Rome!Rome!"))
            })
        })?
    }),
    detect("logprobs-unasked", &["W231"], "there are log probabilities that nobody asked for", |good| {
        good.said().filter(|_| !good.asked.logprobs && good.asked.top_logprobs.is_none())?;
        let none = good.reply.choices.iter().all(|choice| choice.logprobs.as_ref().is_none_or(Value::is_null));
        let one = json!({"content": [{"token": "The", "logprob": -0.5, "bytes": null, "top_logprobs": []}]});
        none.then_some(())?;
        whole(good, |body| put(body.pointer_mut("/choices/0")?, "logprobs", one.clone())).or_else(|| {
            chunks(good, |list| {
                let at = crate::mutate::change::middle(list)?;
                put(list[at].pointer_mut("/choices/0")?, "logprobs", one.clone())
            })
        })
    }),
    detect("logprobs-unasked-as-text", &["W228"], "log probabilities that nobody asked for are text", |good| {
        (!good.asked.logprobs).then_some(())?;
        crate::mutate::change::choice(good, |choice| put(choice, "logprobs", json!("none")))
    }),
    legal("token-without-bytes", "the bytes of a token are null", |good| {
        item(good, |item| {
            let fine = item.get("token")?.as_str().is_some_and(|token| !token.contains('\u{FFFD}'));
            fine.then(|| put(item, "bytes", json!(null)))?
        })
    }),
    legal("fewer-alternatives", "a token has fewer alternatives than asked", |good| {
        item(good, |item| item.get_mut("top_logprobs")?.as_array_mut().filter(|list| list.len() > 1)?.pop().map(drop))
    }),
    legal("probability-of-nothing", "a log probability is -9999.0", |good| {
        item(good, |item| swap(item, "logprob", json!(-9999.0)))
    }),
    legal("logprobs-null", "log probabilities that nobody asked for are null", |good| {
        (!good.asked.logprobs).then_some(())?;
        whole(good, |body| put(body.pointer_mut("/choices/0")?, "logprobs", json!(null))).or_else(|| {
            chunks(good, |list| {
                let choices = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0")?.as_object_mut());
                for choice in choices {
                    choice.entry("logprobs").or_insert(Value::Null);
                }
                Some(())
            })
        })
    }),
];

/// The first item of the log probabilities, where they were asked for.
fn item(good: &Good<'_>, change: impl Fn(&mut Value) -> Option<()>) -> Option<Exchange> {
    const AT: &str = "/choices/0/logprobs/content/0";
    good.asked.logprobs.then_some(())?;
    whole(good, |body| change(body.pointer_mut(AT)?))
        .or_else(|| chunks(good, |list| change(list.iter_mut().find_map(|chunk| chunk.pointer_mut(AT))?)))
}

/// Other log probabilities wherever some stand, of an answer that says something.
fn every(good: &Good<'_>, change: impl Fn(&Value) -> Value) -> Option<Exchange> {
    good.said().filter(|_| good.asked.logprobs)?;
    let other = |choice: &mut Value| {
        let known = choice.get("logprobs").filter(|known| known.is_object())?;
        let new = change(known);
        put(choice, "logprobs", new)
    };
    whole(good, |body| other(body.pointer_mut("/choices/0")?)).or_else(|| {
        chunks(good, |list| {
            let choices = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0"));
            choices.filter_map(other).count().checked_sub(1).map(drop)
        })
    })
}
