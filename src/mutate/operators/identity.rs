//! What breaks the names of a reply: id, object, created, model, fingerprint.

use serde_json::{Value, json};

use crate::mutate::change::{chunk, chunks, cut, each, envelope, finishing, put, swap, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Identity: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("id-lost", &["W021", "W049"], "there is no id", |good| envelope(good, |value| cut(value, "id"))),
    detect("id-empty", &["W021", "W051"], "the id is empty", |good| envelope(good, |value| swap(value, "id", json!("")))),
    detect("id-null", &["W021", "W049"], "the id is null", |good| envelope(good, |value| swap(value, "id", json!(null)))),
    detect("id-as-number", &["W021", "W049"], "the id is a number", |good| envelope(good, |value| swap(value, "id", json!(7)))),
    detect("id-changes", &["W051"], "a chunk has another id", |good| {
        chunk(good, |value| swap(value, "id", json!("chatcmpl-other")))
    }),
    detect("id-of-each-chunk", &["W051"], "each chunk has an id of its own", |good| {
        chunks(good, |list| {
            let many = list.len() > 1;
            list.iter_mut().enumerate().for_each(|(at, chunk)| chunk["id"] = json!(format!("chatcmpl-{at}")));
            many.then_some(())
        })
    }),
    detect("id-changes-at-finish", &["W051"], "the chunk that finishes has another id", |good| {
        chunks(good, |list| (list.len() > 1).then(|| swap(finishing(list)?, "id", json!("chatcmpl-x")))?)
    }),
    detect("id-changes-at-usage", &["W051"], "the chunk with usage has another id", |good| {
        chunks(good, |list| {
            let bare = |value: &&mut Value| value.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
            swap(list.iter_mut().skip(1).find(bare)?, "id", json!("chatcmpl-x"))
        })
    }),
    detect("answer-changes-in-the-middle", &["W051", "W053"], "the second half of the stream is from another answer", |good| {
        chunks(good, |list| {
            let half = list.len().div_ceil(2);
            for chunk in list.iter_mut().skip(half) {
                chunk["id"] = json!("chatcmpl-b");
                chunk["model"] = json!("b");
            }
            Some(())
        })
    }),
    detect("id-and-model-swapped", &["W051", "W053"], "id and model are swapped on a chunk", |good| {
        chunk(good, |value| {
            let (id, model) = (value.get("id")?.clone(), value.get("model")?.clone());
            swap(value, "id", model)?;
            swap(value, "model", id)
        })
    }),
    detect("object-lost", &["W021", "W049"], "there is no object", |good| envelope(good, |value| cut(value, "object"))),
    detect("object-null", &["W021", "W049"], "the object is null", |good| {
        envelope(good, |value| swap(value, "object", json!(null)))
    }),
    detect("object-of-another-call", &["W021", "W050"], "the object is that of the older completions", |good| {
        envelope(good, |value| swap(value, "object", json!("text_completion")))
    }),
    detect(
        "object-of-another-delivery",
        &["W021", "W050"],
        "a whole reply calls itself a chunk, or a chunk a whole reply",
        |good| {
            whole(good, |value| swap(value, "object", json!("chat.completion.chunk"))).or_else(|| {
                let right = good.text.matches("\"chat.completion\"").count() == 0;
                right.then(|| chunk(good, |value| swap(value, "object", json!("chat.completion"))))?
            })
        },
    ),
    detect("created-lost", &["W021", "W049"], "there is no created", |good| envelope(good, |value| cut(value, "created"))),
    detect("created-null", &["W021", "W049"], "created is null", |good| {
        envelope(good, |value| swap(value, "created", json!(null)))
    }),
    detect("created-as-text", &["W021", "W049"], "created is text", |good| {
        envelope(good, |value| swap(value, "created", json!(value.get("created")?.to_string())))
    }),
    detect("created-as-date", &["W021", "W049"], "created is a date", |good| {
        envelope(good, |value| swap(value, "created", json!("2026-11-21T06:00:00Z")))
    }),
    detect("created-fraction", &["W021", "W049"], "created has a fraction", |good| {
        envelope(good, |value| swap(value, "created", json!(value.get("created")?.as_f64()? + 0.25)))
    }),
    detect("created-in-milliseconds", &["W022"], "created is in milliseconds", |good| {
        all(good, |value| swap(value, "created", json!(value.get("created")?.as_i64()? * 1000)))
    }),
    detect("created-zero", &["W022"], "created is 0", |good| all(good, |value| swap(value, "created", json!(0)))),
    detect("created-negative", &["W022"], "created is below 0", |good| all(good, |value| swap(value, "created", json!(-5)))),
    detect("created-in-1970", &["W227"], "created is a day of 1970", |good| {
        all(good, |value| swap(value, "created", json!(86_400)))
    }),
    detect("created-changes", &["W052"], "a chunk has another created", |good| {
        chunks(good, |list| {
            let first = list.first()?.get("created")?.as_i64()?;
            let same = list.iter().all(|chunk| chunk.get("created").and_then(Value::as_i64) == Some(first));
            let at = crate::mutate::change::middle(list).filter(|_| same)?;
            swap(&mut list[at], "created", json!(first + 1))
        })
    }),
    detect("model-lost", &["W021", "W049"], "there is no model", |good| envelope(good, |value| cut(value, "model"))),
    detect("model-null", &["W021", "W049"], "the model is null", |good| {
        envelope(good, |value| swap(value, "model", json!(null)))
    }),
    detect("model-empty", &["W021", "W053"], "the model is empty", |good| {
        envelope(good, |value| swap(value, "model", json!("")))
    }),
    detect("model-as-number", &["W021", "W049"], "the model is a number", |good| {
        envelope(good, |value| swap(value, "model", json!(2)))
    }),
    detect("model-changes", &["W053"], "a chunk has another model", |good| {
        chunk(good, |value| swap(value, "model", json!("other")))
    }),
    detect("model-of-another-vendor", &["W222"], "another model answered", |good| {
        // Where another one than the one that was asked answers already, nothing is worse than it was.
        let (asked, came) = (good.asked.body.as_ref()?.get("model")?.as_str()?, good.reply.model.as_deref()?);
        let known = asked != "other-model-9b" && (asked.contains(came) || came.contains(asked));
        known.then(|| all(good, |value| swap(value, "model", json!("other-model-9b"))))?
    }),
    detect("fingerprint-changes", &["W267"], "a chunk has another fingerprint", |good| {
        chunk(good, |value| {
            value.get("system_fingerprint")?.as_str()?;
            swap(value, "system_fingerprint", json!("b1-other"))
        })
    }),
    detect("tier-as-number", &["W228"], "service_tier is a number", |good| {
        envelope(good, |value| put(value, "service_tier", json!(1)))
    }),
    detect("choices-lost", &["W021", "W049"], "there are no choices", |good| envelope(good, |value| cut(value, "choices"))),
    detect("choices-null", &["W021", "W049"], "choices are null", |good| {
        envelope(good, |value| swap(value, "choices", json!(null)))
    }),
    detect("choices-as-object", &["W021", "W049"], "choices are an object", |good| {
        envelope(good, |value| swap(value, "choices", value.pointer("/choices/0")?.clone()))
    }),
    detect("choices-empty", &["W023"], "there is no choice", |good| whole(good, |value| swap(value, "choices", json!([])))),
    legal("id-of-another-form", "the id has another form", |good| {
        all(good, |value| swap(value, "id", json!("0f8fad5b-d9cb-469f-a165-70867728950e")))
    }),
    legal("model-dated", "the model is called by its name and a date", |good| {
        let asked = good.asked.body.as_ref()?.get("model")?.as_str()?;
        all(good, |value| swap(value, "model", json!(format!("{asked}-2026-11-21"))))
    }),
    legal("fingerprint-lost", "there is no fingerprint", |good| each(good, |value| cut(value, "system_fingerprint"))),
    legal("more-keys", "there are more keys than OpenAI has", |good| {
        each(good, |value| {
            put(value, "x_extra", json!({"a": [1]}))?;
            for choice in value.get_mut("choices")?.as_array_mut()? {
                put(choice, "x_extra", json!(1))?;
                let key = if choice.get("delta").is_some() { "delta" } else { "message" };
                put(choice.get_mut(key)?, "x_extra", json!("a"))?;
            }
            Some(())
        })
    }),
    legal("tier-said", "service_tier is there", |good| each(good, |value| put(value, "service_tier", json!("default")))),
    legal("optional-keys-null", "optional keys are null", |good| {
        whole(good, |value| {
            for key in ["service_tier", "system_fingerprint"] {
                put(value, key, json!(null))?;
            }
            let message = value.pointer_mut("/choices/0/message")?.as_object_mut()?;
            for key in ["refusal", "annotations", "audio", "function_call", "tool_calls", "reasoning", "reasoning_content"] {
                message.entry(key).or_insert(json!(null));
            }
            Some(())
        })
    }),
    legal("optional-keys-lost", "refusal, logprobs and annotations are not there where they say nothing", |good| {
        whole(good, |value| {
            let choice = value.pointer_mut("/choices/0")?.as_object_mut()?;
            if choice.get("logprobs").is_some_and(Value::is_null) {
                choice.shift_remove("logprobs");
            }
            let message = choice.get_mut("message")?.as_object_mut()?;
            message.retain(|key, value| {
                !(value.is_null() && ["refusal", "annotations", "audio", "function_call"].contains(&key.as_str()))
            });
            Some(())
        })
    }),
];

/// A key of the whole answer, or of all chunks.
fn all(good: &Good<'_>, change: impl Fn(&mut Value) -> Option<()>) -> Option<Exchange> {
    whole(good, &change).or_else(|| chunks(good, |list| list.iter_mut().try_for_each(&change)))
}
