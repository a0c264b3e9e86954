//! What breaks the counts of tokens.

use serde_json::{Value, json};

use crate::mutate::change::{chunks, cut, put, swap, usage, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Counts: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("usage-lost", &["W029", "W065"], "there is no usage", |good| {
        good.reply.usage.as_ref()?;
        whole(good, |body| cut(body, "usage")).or_else(|| {
            chunks(good, |list| {
                list.retain(|chunk| !is_bare(chunk));
                list.iter_mut().filter_map(Value::as_object_mut).for_each(|chunk| chunk.retain(|key, _| key != "usage"));
                good.asked.include_usage.then_some(())
            })
        })
    }),
    detect("usage-null", &["W029", "W065"], "usage is null", |good| {
        good.reply.usage.as_ref()?;
        whole(good, |body| swap(body, "usage", json!(null))).or_else(|| {
            chunks(good, |list| {
                let last = list.iter_mut().filter(|chunk| chunk.get("usage").is_some_and(Value::is_object));
                last.for_each(|chunk| chunk["usage"] = json!(null));
                good.asked.include_usage.then_some(())
            })
        })
    }),
    detect("usage-as-text", &["W029"], "usage is text", |good| replaced(good, &json!("45 tokens"))),
    detect("usage-as-list", &["W029"], "usage is a list", |good| replaced(good, &json!([37, 8, 45]))),
    detect("usage-empty", &["W029"], "usage is an empty object", |good| replaced(good, &json!({}))),
    detect("usage-of-another-api", &["W029"], "usage has the names of another API", |good| {
        usage(good, |usage| {
            let count = |key: &str| usage.get(key).cloned();
            *usage = json!({"input_tokens": count("prompt_tokens")?, "output_tokens": count("completion_tokens")?,
                "total_tokens": count("total_tokens")?});
            Some(())
        })
    }),
    detect("total-off-by-one", &["W030"], "the total is one too many", |good| add(good, "total_tokens", 1)),
    detect("total-without-prompt", &["W030"], "the total leaves the prompt out", |good| {
        good.count("prompt_tokens").filter(|count| *count > 0)?;
        usage(good, |usage| swap(usage, "total_tokens", usage.get("completion_tokens")?.clone()))
    }),
    detect("total-zero", &["W030"], "the total is 0", |good| {
        good.count("total_tokens").filter(|count| *count > 0)?;
        usage(good, |usage| swap(usage, "total_tokens", json!(0)))
    }),
    detect("total-lost", &["W029"], "there is no total", |good| usage(good, |usage| cut(usage, "total_tokens"))),
    detect("prompt-count-lost", &["W029"], "there is no count of the prompt", |good| {
        usage(good, |usage| cut(usage, "prompt_tokens"))
    }),
    detect("completion-count-lost", &["W029"], "there is no count of the answer", |good| {
        usage(good, |usage| cut(usage, "completion_tokens"))
    }),
    detect("count-as-text", &["W029"], "a count is text", |good| {
        usage(good, |usage| swap(usage, "total_tokens", json!(usage.get("total_tokens")?.to_string())))
    }),
    detect("count-null", &["W029"], "a count is null", |good| usage(good, |usage| swap(usage, "prompt_tokens", json!(null)))),
    detect("count-fraction", &["W029"], "a count has a fraction", |good| {
        usage(good, |usage| swap(usage, "completion_tokens", json!(usage.get("completion_tokens")?.as_f64()? + 0.5)))
    }),
    detect("count-negative", &["W029"], "a count is below 0", |good| {
        usage(good, |usage| swap(usage, "completion_tokens", json!(-8)))
    }),
    detect("answer-of-no-tokens", &["W031"], "the answer costs nothing", |good| {
        let choice = good.reply.first()?;
        let text = choice.content.as_deref().is_some_and(|text| !text.is_empty()) || choice.reasoning.is_some();
        (text || !choice.tool_calls.is_empty()).then(|| counts(good, None, Some(0)))?
    }),
    detect("more-tokens-than-allowed", &["W032"], "the answer costs more than its bound", |good| {
        let (_, bound) = good.asked.bound?;
        let within = good.count("completion_tokens")? <= bound;
        within.then_some(())?;
        counts(good, None, Some(bound * good.n().max(good.reply.choices.len() as u64).max(1) + 1))
    }),
    detect("more-tokens-than-bytes", &["W240", "W032"], "the answer costs more tokens than it has bytes", |good| {
        let plain = plain(good)? && good.finish() == Some("stop");
        plain.then(|| counts(good, None, Some(good.said()?.len() as u64 + 500)))?
    }),
    detect("fewer-tokens-than-words", &["W240", "W262"], "the answer costs one token for more than 128 bytes", |good| {
        (plain(good)? && good.said()?.len() > 128).then(|| counts(good, None, Some(1)))?
    }),
    detect("fewer-tokens-than-pieces", &["W262"], "the answer costs fewer tokens than came pieces", |good| {
        let [choice] = good.reply.choices.as_slice() else { return None };
        (good.stream().is_some() && choice.content_pieces > 1 && choice.tool_calls.is_empty())
            .then(|| counts(good, None, Some(1)))?
    }),
    detect("prompt-of-no-tokens", &["W241"], "the prompt costs nothing", |good| counts(good, Some(0), None)),
    detect("prompt-of-one-token", &["W241"], "the prompt of many words costs one token", |good| {
        let messages = good.asked.body.as_ref()?.get("messages")?.as_array()?;
        let texts = messages.iter().filter_map(|message| message.get("content")?.as_str());
        let words: usize = texts.map(|text| text.split_whitespace().count()).sum();
        (words >= 8).then(|| counts(good, Some(1), None))?
    }),
    detect("prompt-and-answer-swapped", &["W032"], "the counts of prompt and answer are swapped", |good| {
        let (prompt, completion) = (good.count("prompt_tokens")?, good.count("completion_tokens")?);
        let (_, bound) = good.asked.bound?;
        let over = prompt > bound * good.n().max(good.reply.choices.len() as u64).max(1);
        over.then(|| counts(good, Some(completion), Some(prompt)))?
    }),
    detect("more-cached-than-prompt", &["W034"], "more of the prompt was cached than there is", |good| {
        let count = good.count("prompt_tokens")?;
        usage(good, |usage| put(usage, "prompt_tokens_details", json!({"cached_tokens": count + 1})))
    }),
    detect("more-thinking-than-answer", &["W117"], "more tokens were thought than produced", |good| {
        let count = good.count("completion_tokens")?;
        usage(good, |usage| put(usage, "completion_tokens_details", json!({"reasoning_tokens": count + 1})))
    }),
    detect("more-audio-than-answer", &["W034"], "more tokens were sound than produced", |good| {
        let count = good.count("completion_tokens")?;
        usage(good, |usage| put(usage, "completion_tokens_details", json!({"audio_tokens": count + 1})))
    }),
    detect("detail-negative", &["W034"], "a detail is below 0", |good| detail(good, &json!({"cached_tokens": -1}))),
    detect("detail-as-text", &["W034"], "a detail is text", |good| detail(good, &json!({"cached_tokens": "0"}))),
    detect("detail-fraction", &["W034"], "a detail has a fraction", |good| detail(good, &json!({"cached_tokens": 0.5}))),
    detect("details-as-list", &["W034"], "details are a list", |good| detail(good, &json!([]))),
    detect("details-as-number", &["W034"], "details are a number", |good| detail(good, &json!(36))),
    detect("usage-beside-choices", &["W066"], "usage stands on a chunk with a choice", |good| {
        chunks(good, |list| {
            let index = list.first()?.pointer("/choices/0/index")?.clone();
            let chunk = list.iter_mut().find(|chunk| is_bare(chunk) && chunk.get("usage").is_some_and(Value::is_object))?;
            chunk["choices"] = json!([{"index": index, "delta": {}, "finish_reason": null}]);
            (good.asked.include_usage && !good.asked.continuous_usage).then_some(())
        })
    }),
    detect("usage-unasked", &["W067"], "a chunk with usage comes that nobody asked for", |good| {
        chunks(good, |list| {
            let mut more = list.last()?.clone();
            more["choices"] = json!([]);
            more["usage"] = json!({"prompt_tokens": 10, "completion_tokens": 500, "total_tokens": 510});
            let none = list.iter().all(|chunk| chunk.get("usage").is_none_or(Value::is_null));
            list.push(more);
            (none && !good.asked.include_usage).then_some(())
        })
    }),
    detect("usage-twice", &["W066"], "the chunk with usage comes twice", |good| {
        chunks(good, |list| {
            let more = list.iter().rfind(|chunk| is_bare(chunk) && chunk.get("usage").is_some_and(Value::is_object))?.clone();
            list.push(more);
            (!good.asked.continuous_usage).then_some(())
        })
    }),
    detect("usage-falls", &["W264"], "usage comes again, and is less", |good| {
        chunks(good, |list| {
            let mut more = list.iter().rfind(|chunk| is_bare(chunk) && chunk.get("usage").is_some_and(Value::is_object))?.clone();
            let usage = more.get_mut("usage")?;
            let less = usage.get("completion_tokens")?.as_u64()?.checked_sub(1)?;
            usage["completion_tokens"] = json!(less);
            usage["total_tokens"] = json!(usage.get("prompt_tokens")?.as_u64()? + less);
            list.push(more);
            Some(())
        })
    }),
    legal("details-null", "details of usage are null", |good| {
        usage(good, |usage| {
            for key in ["prompt_tokens_details", "completion_tokens_details"] {
                usage.as_object_mut()?.entry(key).or_insert(json!(null));
            }
            Some(())
        })
    }),
    legal("details-of-zero", "details of usage are 0", |good| {
        usage(good, |usage| {
            let zeros = json!({"audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0});
            usage.as_object_mut()?.entry("completion_tokens_details").or_insert(zeros);
            Some(())
        })
    }),
    legal("usage-with-more-keys", "usage has more keys", |good| usage(good, |usage| put(usage, "x_extra", json!(null)))),
];

/// Whether a chunk has no choices.
fn is_bare(chunk: &Value) -> bool {
    chunk.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty)
}

fn replaced(good: &Good<'_>, new: &Value) -> Option<Exchange> {
    usage(good, |usage| {
        *usage = new.clone();
        Some(())
    })
}

fn add(good: &Good<'_>, key: &str, more: u64) -> Option<Exchange> {
    let count = good.count(key)?;
    usage(good, |usage| swap(usage, key, json!(count + more)))
}

fn detail(good: &Good<'_>, new: &Value) -> Option<Exchange> {
    usage(good, |usage| put(usage, "prompt_tokens_details", new.clone()))
}

/// Other counts that add up, and no details.
fn counts(good: &Good<'_>, prompt: Option<u64>, completion: Option<u64>) -> Option<Exchange> {
    let prompt = prompt.or_else(|| good.count("prompt_tokens"))?;
    let completion = completion.or_else(|| good.count("completion_tokens"))?;
    usage(good, |usage| {
        let object = usage.as_object_mut()?;
        object.retain(|key, _| !key.ends_with("_details"));
        object.insert("prompt_tokens".to_owned(), json!(prompt));
        object.insert("completion_tokens".to_owned(), json!(completion));
        object.insert("total_tokens".to_owned(), json!(prompt + completion));
        Some(())
    })
}

/// Whether text and tokens of an answer can be held against each other: one choice, no tools, stop texts or thinking.
fn plain(good: &Good<'_>) -> Option<bool> {
    let [choice] = good.reply.choices.as_slice() else { return None };
    let asked = good.asked.tools.is_empty() && good.asked.stop.is_empty();
    let hidden = good.reply.usage.as_ref()?.detail("completion_tokens_details.reasoning_tokens").unwrap_or(0);
    Some(asked && hidden == 0 && choice.reasoning.is_none() && choice.tool_calls.is_empty())
}
