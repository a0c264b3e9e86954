//! What breaks the end of an answer: its reason, and whether it ends at all.

use serde_json::{Value, json};

use crate::mutate::change::{choice, chunks, content, cut, events, finish, finishing, last, put, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Finish: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("finish-chunk-duplicated", &["W058"], "the chunk that finishes comes twice", |good| {
        chunks(good, |list| {
            let at = last(list)?;
            list.insert(at, list[at].clone());
            Some(())
        })
    }),
    detect("finish-with-two-reasons", &["W058"], "the choice finishes twice, for two reasons", |good| {
        chunks(good, |list| {
            let at = last(list)?;
            let other = if good.finish()? == "length" { "stop" } else { "length" };
            let mut more = list[at].clone();
            let choice = more.pointer_mut("/choices/0")?;
            *choice = json!({"index": choice.get("index")?, "delta": {}, "finish_reason": other});
            list.insert(at + 1, more);
            Some(())
        })
    }),
    detect("finish-chunk-lost", &["W061"], "the chunk that finishes does not come", |good| {
        chunks(good, |list| {
            let at = last(list).filter(|_| list.len() > 1)?;
            list.remove(at);
            Some(())
        })
    }),
    detect("finish-lost", &["W027", "W061"], "no reason is said", |good| {
        whole(good, |body| cut(body.pointer_mut("/choices/0")?, "finish_reason"))
            .or_else(|| chunks(good, |list| cut(finishing(list)?.pointer_mut("/choices/0")?, "finish_reason")))
    }),
    detect("finish-null", &["W027", "W061"], "the reason is null", |good| said(good, &json!(null))),
    detect("finish-empty", &["W027", "W058"], "the reason is empty", |good| said(good, &json!(""))),
    detect("finish-unknown", &["W027", "W058"], "the reason is one that nobody knows", |good| said(good, &json!("eos"))),
    detect("finish-in-capitals", &["W027", "W058"], "the reason is in capitals", |good| {
        said(good, &json!(good.finish()?.to_ascii_uppercase()))
    }),
    detect("finish-of-another-api", &["W027", "W058"], "the reason is that of another API", |good| {
        said(good, &json!("end_turn"))
    }),
    detect("finish-as-number", &["W027", "W265"], "the reason is a number", |good| said(good, &json!(1))),
    detect("finish-as-list", &["W027", "W265"], "the reason is a list", |good| said(good, &json!([good.finish()?]))),
    detect("finish-as-object", &["W027", "W265"], "the reason is an object", |good| said(good, &json!({"type": good.finish()?}))),
    detect("finish-as-flag-on-chunk", &["W265"], "a chunk that does not finish says false", |good| {
        good.stream()?;
        choice(good, |choice| put(choice, "finish_reason", json!(false)))
    }),
    detect("finish-on-every-chunk", &["W058", "W059"], "every chunk says why the choice finished", |good| {
        chunks(good, |list| {
            let reason = json!(good.finish()?);
            let choices = list.iter_mut().filter_map(|chunk| chunk.pointer_mut("/choices/0"));
            choices.map(|choice| choice["finish_reason"] = reason.clone()).count().checked_sub(2).map(drop)
        })
    }),
    detect("cut-before-finish", &["W061"], "the stream ends before the choice finishes", |good| {
        events(good, |list| {
            let at = finishing_event(list)?;
            list.truncate(at);
            Some(())
        })
    }),
    detect("cut-before-finish-and-done", &["W061"], "the stream ends with `[DONE]` before the choice finishes", |good| {
        events(good, |list| {
            let at = finishing_event(list)?;
            let done = list.iter().position(|event| event.trim_end().ends_with("[DONE]"))?;
            (at < done).then(|| list.drain(at..done)).map(drop)
        })
    }),
    detect("cut-after-first-chunk", &["W061"], "the stream ends behind its first chunk", |good| {
        events(good, |list| {
            let at = finishing_event(list)?;
            list.truncate(1.max(list.iter().position(|event| event.contains("\"choices\":[{"))? + 1));
            (at >= list.len()).then_some(())
        })
    }),
    detect("calls-promised", &["W082"], "the reason is tool_calls, and there are none", |good| {
        good.reply.choices.iter().all(|choice| choice.tool_calls.is_empty()).then(|| said(good, &json!("tool_calls")))?
    }),
    detect("function-promised", &["W082"], "the reason is function_call, and there is none", |good| {
        let none = good.reply.choices.iter().all(|choice| choice.tool_calls.is_empty());
        (none && !good.text.contains("\"function_call\":{")).then(|| said(good, &json!("function_call")))?
    }),
    detect("length-called-stop", &["W033"], "an answer that its bound cut says stop", |good| {
        (good.finish() == Some("length") && is_cut(good)?).then(|| said(good, &json!("stop")))?
    }),
    detect("stop-called-length", &["W242"], "an answer that ended by itself says length", |good| {
        let (_, bound) = good.asked.bound?;
        let below = good.count("completion_tokens")? + 1 < bound && good.count("total_tokens")? < 256;
        let one = good.n() == 1 && good.reply.choices.len() == 1 && good.finish() == Some("stop");
        (one && below).then(|| said(good, &json!("length")))?
    }),
    detect("answer-empty", &["W028", "W040", "W041", "W250", "W271"], "an answer of many tokens is empty", |good| {
        let billed = good.count("completion_tokens")? > 1 && good.reply.first()?.refusal.is_none();
        let open = good.finish() == Some("stop") && good.asked.stop.is_empty() && billed;
        open.then(|| content(good, |_| Some(String::new())))?
    }),
    detect("pieces-lost", &["W028", "W040", "W041", "W250", "W271"], "none of the pieces of text came", |good| {
        let billed = good.count("completion_tokens")? > 1 && good.reply.choices.len() == 1;
        let open = good.finish() == Some("stop") && good.asked.stop.is_empty() && billed && good.said().is_some();
        chunks(good, |list| {
            let text =
                |chunk: &Value| chunk.pointer("/choices/0/delta/content").is_some_and(|text| text != "" && !text.is_null());
            let kept = |chunk: &Value| chunk.pointer("/choices/0/finish_reason").is_some_and(Value::is_string) || !text(chunk);
            let head = list.iter().position(|chunk| chunk.pointer("/choices/0/delta/role").is_some())?;
            let alone = !text(&list[head]);
            list.retain(kept);
            for chunk in list.iter_mut().filter(|chunk| text(chunk)) {
                chunk["choices"][0]["delta"]["content"] = json!("");
            }
            (open && alone).then_some(())
        })
    }),
];

/// Another reason.
fn said(good: &Good<'_>, reason: &Value) -> Option<Exchange> {
    finish(good, |known| *known = reason.clone())
}

/// The event that finishes the first choice; nothing of another choice finished before.
fn finishing_event(list: &[String]) -> Option<usize> {
    list.iter().position(|event| {
        let data = event.find('{').and_then(|at| serde_json::from_str::<Value>(event[at..].trim_end()).ok());
        data.is_some_and(|data| data.pointer("/choices/0/finish_reason").is_some_and(Value::is_string))
    })
}

/// Whether one answer used up its bound and shows that it was cut there: it breaks off in a sentence.
fn is_cut(good: &Good<'_>) -> Option<bool> {
    let (_, bound) = good.asked.bound?;
    let [choice] = good.reply.choices.as_slice() else { return None };
    let text = good.said()?.trim_end();
    let open = text.chars().next_back().is_some_and(char::is_alphanumeric) && text.split_whitespace().count() > 2;
    let prose = !text.contains('\n') && !text.starts_with(|first: char| first.is_ascii_digit());
    let pieces = choice.content_pieces == bound && bound > 1;
    Some(good.n() == 1 && good.asked.stop.is_empty() && good.count("completion_tokens")? == bound && ((open && prose) || pieces))
}
