//! What breaks the order of a stream: roles, pieces, ends, usage, the choices of a chunk.

use serde_json::{Value, json};

use crate::mutate::change::{chunks, cut, delta, last, pieces, some};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Order: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("role-lost", &["W056"], "no delta has a role", |good| {
        chunks(good, |list| {
            let deltas = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0/delta")?.as_object_mut());
            some(deltas.filter_map(|delta| delta.shift_remove("role")).count())
        })
    }),
    detect("role-late", &["W056"], "the role comes behind the first pieces", |good| {
        chunks(good, |list| {
            let at = *pieces(list, "content").get(1)?;
            let roles = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0/delta")?.as_object_mut());
            roles.filter_map(|delta| delta.shift_remove("role")).last()?;
            list[at].pointer_mut("/choices/0/delta")?["role"] = json!("assistant");
            Some(())
        })
    }),
    detect("role-repeated", &["W057"], "the role comes again", |good| {
        chunks(good, |list| {
            let roles = list.iter().filter(|chunk| chunk.pointer("/choices/0/delta/role").is_some_and(Value::is_string)).count();
            let at = *pieces(list, "content").get(1).filter(|_| roles == 1)?;
            list[at].pointer_mut("/choices/0/delta")?["role"] = json!("assistant");
            Some(())
        })
    }),
    detect("role-user", &["W025"], "the role is user", |good| roles(good, &json!("user"))),
    detect("role-in-capitals", &["W025"], "the role is Assistant", |good| roles(good, &json!("Assistant"))),
    detect("role-as-number", &["W060"], "the role is a number", |good| roles(good, &json!(1))),
    detect("role-changes", &["W025"], "the role is another in a later delta", |good| {
        chunks(good, |list| {
            let at = *pieces(list, "content").get(1)?;
            list[at].pointer_mut("/choices/0/delta")?["role"] = json!("user");
            Some(())
        })
    }),
    detect("finish-first", &["W059"], "the choice finishes before its text", |good| {
        chunks(good, |list| {
            let end = last(list).filter(|end| *end > 1)?;
            let bare = !pieces(list, "content").contains(&end);
            let stop = list.remove(end);
            list.insert(1, stop);
            (bare && pieces(list, "content").iter().any(|at| *at > 1)).then_some(())
        })
    }),
    detect("piece-after-finish", &["W059"], "the last piece of text comes behind the finish", |good| {
        chunks(good, |list| {
            let end = last(list)?;
            let at = *pieces(list, "content").iter().rfind(|at| **at < end)?;
            let piece = list.remove(at);
            list.insert(end, piece);
            Some(())
        })
    }),
    detect("text-after-finish", &["W059"], "another piece of text comes behind the finish", |good| {
        late(good, &json!({"content": " Indeed."}))
    }),
    detect("empty-delta-after-finish", &["W059"], "an empty delta comes behind the finish", |good| late(good, &json!({}))),
    detect("role-after-finish", &["W059", "W057"], "the role comes behind the finish", |good| {
        late(good, &json!({"role": "assistant"}))
    }),
    detect("chunks-reversed", &["W059"], "the chunks come backwards", |good| {
        chunks(good, |list| {
            let some = last(list)? > 0 && pieces(list, "content").iter().any(|at| *at < last(list).unwrap_or(0));
            list.reverse();
            some.then_some(())
        })
    }),
    detect("answer-twice", &["W058"], "all chunks come twice", |good| {
        chunks(good, |list| {
            let twice = list.clone();
            list.extend(twice);
            Some(())
        })
    }),
    detect("pieces-twice", &["W262"], "all pieces of text come twice", |good| {
        chunks(good, |list| {
            let places = pieces(list, "content");
            let billed = usize::try_from(good.count("completion_tokens")?).ok()?;
            if places.len() * 2 <= billed || good.reply.choices.len() != 1 || !good.reply.tool_calls().is_empty() {
                return None;
            }
            let whole = |chunk: &Value| chunk.pointer("/choices/0/finish_reason").is_none_or(Value::is_null);
            let twice: Vec<Value> = places.iter().map(|at| list[*at].clone()).filter(whole).collect();
            let end = last(list)?;
            let more = twice.len();
            list.splice(end..end, twice).for_each(drop);
            (places.len() + more > billed && billed > 0).then_some(())
        })
    }),
    detect("text-so-far", &["W261"], "each piece holds all of the text so far", |good| {
        chunks(good, |list| {
            let places = pieces(list, "content");
            let mut all = String::new();
            for at in &places {
                let text = list[*at].pointer_mut("/choices/0/delta/content")?;
                all.push_str(text.as_str()?);
                *text = json!(all);
            }
            (places.len() > 4).then_some(())
        })
    }),
    detect("usage-before-text", &["W264"], "usage comes before the text", |good| usage_at(good, |_| Some(1))),
    detect("usage-before-finish", &["W264"], "usage comes before the finish", |good| usage_at(good, last)),
    detect("choice-index-lost-on-chunk", &["W055"], "a choice of a chunk has no index", |good| {
        choice(good, |choice| cut(choice, "index"))
    }),
    detect("choice-index-as-text", &["W055"], "a choice of a chunk has an index of text", |good| index(good, json!("0"))),
    detect("choice-index-null", &["W055"], "a choice of a chunk has the index null", |good| index(good, json!(null))),
    detect("choice-index-fraction", &["W055"], "a choice of a chunk has an index with a fraction", |good| {
        index(good, json!(0.0))
    }),
    detect("choice-index-negative", &["W055"], "a choice of a chunk has an index below 0", |good| index(good, json!(-1))),
    detect("choice-index-beyond", &["W055"], "a choice of a chunk has an index that nobody asked for", |good| {
        index(good, json!(good.n() + 2))
    }),
    detect("choice-twice-in-chunk", &["W055"], "a choice stands twice in one chunk", |good| {
        chunks(good, |list| {
            let at = crate::mutate::change::middle(list)?;
            let choices = list[at].get_mut("choices")?.as_array_mut()?;
            choices.push(choices.first()?.clone());
            Some(())
        })
    }),
    detect("second-choice-lost", &["W024"], "one of the choices that were asked for does not come", |good| {
        chunks(good, |list| {
            (good.n() > 1 && good.reply.choices.len() as u64 == good.n()).then_some(())?;
            let first = |chunk: &Value| chunk.pointer("/choices/0/index").is_none_or(|index| index == 0);
            list.retain(first);
            Some(())
        })
    }),
    detect("second-finish-lost", &["W061"], "one of two choices never finishes", |good| {
        chunks(good, |list| {
            (good.reply.choices.len() > 1).then_some(())?;
            let second = |chunk: &Value| {
                chunk.pointer("/choices/0/index").is_some_and(|index| index == 1)
                    && chunk.pointer("/choices/0/finish_reason").is_some_and(Value::is_string)
            };
            let at = list.iter().position(second)?;
            list[at]["choices"][0]["finish_reason"] = json!(null);
            Some(())
        })
    }),
    detect("chunk-of-nothing", &["W054"], "a chunk has no choices and nothing else", |good| {
        chunks(good, |list| {
            let at = crate::mutate::change::middle(list)?;
            let mut bare = list[at].clone();
            bare["choices"] = json!([]);
            bare.as_object_mut()?.retain(|key, _| ["id", "object", "created", "model", "choices"].contains(&key.as_str()));
            list.insert(at, bare);
            Some(())
        })
    }),
    detect("delta-lost", &["W260"], "a choice of a chunk has no delta", |good| choice(good, |choice| cut(choice, "delta"))),
    detect("delta-as-text", &["W260"], "a delta is text", |good| replaced(good, json!(" of"))),
    detect("delta-null", &["W260"], "a delta is null", |good| replaced(good, json!(null))),
    detect("delta-as-list", &["W260"], "a delta is a list", |good| replaced(good, json!([]))),
    detect("message-for-delta", &["W263"], "a chunk has a message in place of its delta", |good| {
        choice(good, |choice| {
            let delta = choice.as_object_mut()?.shift_remove("delta")?;
            choice["message"] = delta;
            Some(())
        })
    }),
    detect("messages-for-all-deltas", &["W263"], "all chunks have messages in place of deltas", |good| {
        chunks(good, |list| {
            for choice in list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0")) {
                let delta = choice.as_object_mut()?.shift_remove("delta")?;
                choice["message"] = delta;
            }
            Some(())
        })
    }),
    detect("text-for-delta", &["W260"], "a chunk is one of the older completions", |good| {
        choice(good, |choice| {
            *choice = json!({"index": choice.get("index")?, "text": " of", "finish_reason": null});
            Some(())
        })
    }),
    detect("whole-reply-as-event", &["W263", "W050"], "one event holds the whole reply", |good| {
        chunks(good, |list| {
            let mut whole = list.first()?.clone();
            whole["object"] = json!("chat.completion");
            let message = json!({"role": "assistant", "content": good.said()?});
            whole["choices"] = json!([{"index": 0, "message": message, "finish_reason": good.finish()?}]);
            *list = vec![whole];
            Some(())
        })
    }),
    detect("content-as-object", &["W060"], "the content of a delta is an object", |good| {
        content(good, |text| json!({"text": text}))
    }),
    detect("content-as-list", &["W060"], "the content of a delta is a list of parts", |good| {
        content(good, |text| json!([{"type": "text", "text": text}]))
    }),
    detect("content-as-number-in-delta", &["W060"], "the content of a delta is a number", |good| content(good, |_| json!(3))),
    detect("refusal-as-flag-in-delta", &["W060"], "the refusal of a delta is true", |good| {
        delta(good, |delta| {
            delta.as_object_mut()?.insert("refusal".to_owned(), json!(true));
            Some(())
        })
    }),
];

/// Another role wherever one stands.
fn roles(good: &Good<'_>, role: &Value) -> Option<Exchange> {
    chunks(good, |list| {
        let deltas = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0/delta/role"));
        deltas.filter(|known| known.is_string()).map(|known| *known = role.clone()).count().checked_sub(1).map(drop)
    })
}

/// One more chunk of the choice behind the one that finishes it.
fn late(good: &Good<'_>, delta: &Value) -> Option<Exchange> {
    chunks(good, |list| {
        let at = last(list)?;
        let mut late = list[at].clone();
        late.as_object_mut()?.shift_remove("usage");
        let choice = late.pointer_mut("/choices/0")?;
        *choice = json!({"index": choice.get("index")?, "delta": delta, "finish_reason": null});
        list.insert(at + 1, late);
        Some(())
    })
}

/// The chunk with usage alone at another place.
fn usage_at(good: &Good<'_>, place: fn(&[Value]) -> Option<usize>) -> Option<Exchange> {
    chunks(good, |list| {
        let bare = |chunk: &Value| chunk.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let counted = |chunk: &Value| chunk.get("usage").is_some_and(Value::is_object);
        let at = list.iter().rposition(|chunk| counted(chunk) && bare(chunk))?;
        (list.iter().filter(|chunk| counted(chunk)).count() == 1).then_some(())?;
        let usage = list.remove(at);
        let to = place(list)?;
        list.insert(to, usage);
        Some(())
    })
}

/// The first choice of a chunk from the middle of a stream.
fn choice(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Exchange> {
    crate::mutate::change::chunk(good, |chunk| change(chunk.pointer_mut("/choices/0")?))
}

fn index(good: &Good<'_>, index: Value) -> Option<Exchange> {
    choice(good, |choice| crate::mutate::change::put(choice, "index", index))
}

fn replaced(good: &Good<'_>, delta: Value) -> Option<Exchange> {
    choice(good, |choice| crate::mutate::change::swap(choice, "delta", delta))
}

/// Another content of a delta that brings a piece of text.
fn content(good: &Good<'_>, change: fn(&str) -> Value) -> Option<Exchange> {
    chunks(good, |list| {
        let at = *pieces(list, "content").last()?;
        let text = list[at].pointer_mut("/choices/0/delta/content")?;
        *text = change(text.as_str()?);
        Some(())
    })
}
