//! What breaks the border between thinking and answer.

use serde_json::{Value, json};

use crate::contract::Thinking;
use crate::mutate::change::{chunks, content, cut, last, message, pieces, put, thought, usage};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Reasoning: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("thinking-as-list", &["W110"], "the thinking is a list", |good| retyped(good, |text| json!([text]))),
    detect("thinking-as-object", &["W110"], "the thinking is an object", |good| retyped(good, |text| json!({"text": text}))),
    detect("thinking-as-number", &["W110"], "the thinking is a number", |good| retyped(good, |_| json!(7))),
    detect("thinking-under-two-names", &["W110"], "there are two thoughts under two names", |good| {
        let other = other(good.reply.first()?.reasoning_field?);
        renamed(good, |part, key| put(part, other, json!(format!("{} But.", part.get(key)?.as_str()?))))
    }),
    detect("end-of-thinking-in-content", &["W111"], "the end marker of the thinking stands in the content", |good| {
        marked(good, "</think>", |text| format!("</think>\n\n{text}"))
    }),
    detect("thinking-open-in-content", &["W111"], "the content begins with an open thought", |good| {
        marked(good, "<think>", |text| format!("<think>The user asks.\n{text}"))
    }),
    detect("thinking-whole-in-content", &["W111"], "a thought with its markers stands in the content", |good| {
        marked(good, "<think>", |text| format!("<think>The user asks.</think>{text}"))
    }),
    detect("channels-in-content", &["W111"], "channels of the model stand in the content", |good| {
        marked(good, "<|channel|>", |text| format!("<|channel|>final<|message|>{text}"))
    }),
    detect("end-of-turn-in-content", &["W111"], "the end of the turn stands in the content", |good| {
        marked(good, "<|im_end|>", |text| format!("{text}<|im_end|>"))
    }),
    detect("end-of-text-in-content", &["W111"], "the end of all text stands in the content", |good| {
        marked(good, "<|endoftext|>", |text| format!("{text}<|endoftext|>"))
    }),
    detect("next-turn-in-content", &["W111"], "the turn of the user is in the content", |good| {
        marked(good, "<|im_start|>", |text| format!("{text}<|im_start|>user\nAnd Spain?"))
    }),
    detect("marker-over-two-pieces", &["W111"], "a marker of thinking stands in two pieces", |good| {
        good.said().filter(|_| is_plain(good, "</think>"))?;
        chunks(good, |list| {
            let places = pieces(list, "content");
            let pair = places.windows(2).find(|pair| pair[0] + 1 == pair[1])?;
            let mut add = |at: usize, before: &str, after: &str| {
                let text = list[at].pointer_mut("/choices/0/delta/content")?;
                *text = json!(format!("{before}{}{after}", text.as_str()?));
                Some(())
            };
            add(pair[0], "", "</thi")?;
            add(pair[1], "nk>", "")
        })
    }),
    detect("channels-in-thinking", &["W270"], "channels of the model stand in the thinking", |good| {
        in_thought(good, "<|channel|>", |text| format!("<|channel|>analysis<|message|>{text}"))
    }),
    detect("end-of-thinking-in-thinking", &["W270"], "the end marker stands in the thinking", |good| {
        in_thought(good, "</think>", |text| format!("{text}</think>"))
    }),
    detect("call-in-thinking", &["W270", "W120"], "a call stands in the thinking", |good| {
        in_thought(good, "<tool_call>", |text| format!("{text}<tool_call>{{\"name\": \"get_weather\"}}</tool_call>"))
    }),
    detect(
        "answer-in-thinking",
        &["W271", "W040", "W041", "W250"],
        "the answer stands in the thinking, and the content is empty",
        |good| {
            let fits = good.finish() == Some("stop") && good.asked.stop.is_empty() && good.reply.first()?.refusal.is_none();
            let answer = good.said()?.to_owned();
            let key = good.reply.first()?.reasoning_field.filter(|_| fits)?;
            message(good, |message| {
                let text = format!("{}{answer}", message.get(key)?.as_str()?);
                put(message, key, json!(text))?;
                put(message, "content", json!(null))
            })
            .or_else(|| {
                chunks(good, |list| {
                    for at in pieces(list, "content") {
                        let delta = list[at].pointer_mut("/choices/0/delta")?;
                        let text = delta.as_object_mut()?.shift_remove("content")?;
                        put(delta, key, text)?;
                    }
                    Some(())
                })
            })
        },
    ),
    detect("thinking-repeated-in-content", &["W114"], "the content begins with the thinking", |good| {
        let thought = good.reply.first()?.reasoning.as_deref().filter(|text| text.trim().len() >= 12)?.trim();
        let fresh = !good.said()?.trim_start().starts_with(thought) && good.said()?.trim().len() > 1;
        fresh.then(|| content(good, |text| Some(format!("{thought}\n\n{text}"))))?
    }),
    detect("thinking-although-off", &["W115"], "there is thinking although it is off", |good| {
        let quiet = good.asked.thinking == Thinking::Off && good.reply.first()?.reasoning.is_none();
        good.said().filter(|_| quiet)?;
        message(good, |message| put(message, "reasoning_content", json!("The user asks about France."))).or_else(|| {
            chunks(good, |list| {
                let at = *pieces(list, "content").first()?;
                put(list[at].pointer_mut("/choices/0/delta")?, "reasoning_content", json!("The user asks about France."))
            })
        })
    }),
    detect("thinking-counted-although-off", &["W115"], "thinking is billed although it is off", |good| {
        let quiet = good.asked.thinking == Thinking::Off && good.reply.choices.iter().all(|choice| choice.reasoning.is_none());
        let count = good.count("completion_tokens").filter(|count| quiet && *count > 0)?;
        usage(good, |usage| put(usage, "completion_tokens_details", json!({"reasoning_tokens": count})))
    }),
    detect("thinking-after-content", &["W113"], "the thinking goes on behind the first text", |good| {
        let key = good.reply.first()?.reasoning_field?;
        good.said().filter(|text| !text.trim().is_empty())?;
        chunks(good, |list| {
            let at = last(list)?;
            let text = pieces(list, "content").into_iter().any(|place| place < at);
            list.insert(at, one(&list[at], &json!({key: "Wait."}))?);
            text.then_some(())
        })
    }),
    detect("thinking-after-finish", &["W059"], "the thinking goes on behind the finish", |good| {
        let key = good.reply.first()?.reasoning_field?;
        chunks(good, |list| {
            let at = last(list)?;
            list.insert(at + 1, one(&list[at], &json!({key: "Wait."}))?);
            Some(())
        })
    }),
    legal("thinking-under-its-other-name", "the thinking stands under its other name", |good| {
        let to = other(good.reply.first()?.reasoning_field?);
        renamed(good, |part, key| {
            let text = part.get(key)?.clone();
            cut(part, key)?;
            put(part, to, text)
        })
    }),
    legal("thinking-under-both-names", "the same thinking stands under both names", |good| {
        let to = other(good.reply.first()?.reasoning_field?);
        renamed(good, |part, key| put(part, to, part.get(key)?.clone()))
    }),
    legal("thinking-null", "the thinking is null where there is none", |good| {
        good.reply.first()?.reasoning.is_none().then_some(())?;
        message(good, |message| {
            message.as_object_mut()?.entry("reasoning_content").or_insert(json!(null));
            Some(())
        })
    }),
    legal("thinking-and-answer-in-one-delta", "the last thought and the first text come in one delta", |good| {
        let key = good.reply.first()?.reasoning_field?;
        chunks(good, |list| {
            let at = *pieces(list, "content").first()?;
            let from = *pieces(list, key).last().filter(|from| **from + 1 == at && **from > 0)?;
            let quiet = |at: usize| list[at].pointer("/choices/0/logprobs").is_none_or(Value::is_null);
            (quiet(at) && quiet(from) && list[from].get("usage").is_none_or(Value::is_null)).then_some(())?;
            let text = list[from].pointer("/choices/0/delta")?.get(key)?.clone();
            put(list[at].pointer_mut("/choices/0/delta")?, key, text)?;
            list.remove(from);
            Some(())
        })
    }),
];

/// The other name of thinking.
fn other(name: &str) -> &'static str {
    if name == "reasoning_content" { "reasoning" } else { "reasoning_content" }
}

/// Each part of the thinking, in its message or deltas, written another way.
fn renamed(good: &Good<'_>, change: impl Fn(&mut Value, &str) -> Option<()>) -> Option<Exchange> {
    let key = good.reply.first()?.reasoning_field?;
    message(good, |message| {
        message.get(key)?.as_str()?;
        change(message, key)
    })
    .or_else(|| {
        chunks(good, |list| {
            for chunk in list.iter_mut() {
                let Some(delta) = chunk.pointer_mut("/choices/0/delta") else { continue };
                if delta.get(key).is_some_and(|text| text.as_str().is_some_and(|text| !text.is_empty())) {
                    change(delta, key)?;
                }
            }
            Some(())
        })
    })
}

fn retyped(good: &Good<'_>, change: impl Fn(&str) -> Value) -> Option<Exchange> {
    renamed(good, |part, key| {
        let new = change(part.get(key)?.as_str()?);
        put(part, key, new)
    })
}

/// Whether nobody asked about a marker, or to have thoughts in the content, or JSON.
fn is_plain(good: &Good<'_>, marker: &str) -> bool {
    let has_some = |text: &str| text.contains("think>") || text.contains("<|");
    !good.asked.thinking_in_content && !good.asked.prompt_has(marker) && !good.said().is_some_and(has_some)
}

/// A content with a marker of the model.
fn marked(good: &Good<'_>, marker: &str, change: impl Fn(&str) -> String) -> Option<Exchange> {
    is_plain(good, marker).then(|| content(good, |text| Some(change(text))))?
}

/// A thought with a marker of the model.
fn in_thought(good: &Good<'_>, marker: &str, change: impl Fn(&str) -> String) -> Option<Exchange> {
    (!good.asked.prompt_has(marker)).then(|| thought(good, |text| Some(change(text))))?
}

/// One more chunk of a choice, with this delta.
fn one(like: &Value, delta: &Value) -> Option<Value> {
    let mut chunk = like.clone();
    chunk.as_object_mut()?.shift_remove("usage");
    let choice = chunk.pointer_mut("/choices/0")?;
    *choice = json!({"index": choice.get("index")?, "delta": delta, "finish_reason": null});
    Some(chunk)
}
