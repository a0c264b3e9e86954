//! How a change is written down: bytes, JSON, events, chunks, and the parts of an answer that whole and streamed replies have
//! in common. Each of these gives the changed exchange, or nothing where there is no such part or nothing changed.

use bytes::Bytes;
use serde_json::{Value, json};

use super::good::Good;
use crate::wire::{Chunk, Exchange};

/// What a change of a part gives: nothing where the part is not there.
pub(super) type Done = Option<()>;

/// Another body: its length is said honestly, and its reads keep their times.
pub(super) fn bytes(good: &Good<'_>, body: impl Into<Vec<u8>>) -> Option<Exchange> {
    let body = body.into();
    let old = &good.exchange.body;
    if body[..] == old[..] {
        return None;
    }
    let mut changed = good.exchange.clone();
    let packed = good.exchange.header("content-encoding").is_some();
    for (_, value) in changed.headers.iter_mut().filter(|(name, _)| name == "content-length" && !packed) {
        *value = Bytes::from(body.len().to_string());
    }
    changed.chunks = reads(&good.exchange.chunks, old, &body);
    changed.body = Bytes::from(body);
    Some(changed)
}

/// The reads of a changed body: those before and behind the change stay, those within it are stretched over it.
fn reads(chunks: &[Chunk], old: &[u8], new: &[u8]) -> Vec<Chunk> {
    let before = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - before;
    let behind = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (from, to) = (old.len() - behind - before, new.len() - behind - before);
    let end = |end: usize| match end {
        end if end <= before => end,
        end if end >= old.len() - behind => new.len() - (old.len() - end),
        end => before + (end - before) * to / from.max(1),
    };
    let mut reads: Vec<Chunk> = chunks.iter().map(|chunk| Chunk { end: end(chunk.end), ..*chunk }).collect();
    match reads.last_mut() {
        Some(last) => last.end = new.len(),
        None => reads.push(Chunk { at: std::time::Duration::ZERO, end: new.len() }),
    }
    reads
}

/// Another body by its text.
pub(super) fn text(good: &Good<'_>, change: impl FnOnce(&str) -> Option<String>) -> Option<Exchange> {
    bytes(good, change(good.text)?)
}

/// Another JSON body.
pub(super) fn json(good: &Good<'_>, body: Option<&Value>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    let body = body?;
    let mut changed = body.clone();
    change(&mut changed)?;
    if changed == *body { None } else { bytes(good, changed.to_string()) }
}

/// Another whole answer to a chat.
pub(super) fn whole(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    json(good, good.whole(), change)
}

/// Another error reply.
pub(super) fn error(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    json(good, good.error(), change)
}

/// Other events of a streamed answer, each as text with its blank line.
pub(super) fn events(good: &Good<'_>, change: impl FnOnce(&mut Vec<String>) -> Done) -> Option<Exchange> {
    let mut list: Vec<String> = good.stream()?.iter().map(|event| event.raw.to_owned()).collect();
    change(&mut list)?;
    bytes(good, list.concat())
}

/// An event with this data.
pub(super) fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// Where the end marker stands.
pub(super) fn done(list: &[String]) -> Option<usize> {
    list.iter().position(|event| event.trim_end().ends_with("[DONE]"))
}

/// Other chunks of a streamed answer; those that stay keep their bytes, and so does all that is no chunk.
pub(super) fn chunks(good: &Good<'_>, change: impl FnOnce(&mut Vec<Value>) -> Done) -> Option<Exchange> {
    let events = good.stream()?;
    let old: Vec<&Value> = events.iter().filter_map(|event| event.data.as_ref()).collect();
    let mut new: Vec<Value> = old.iter().map(|value| (*value).clone()).collect();
    change(&mut new)?;
    let mut body = String::with_capacity(good.text.len());
    if new.len() == old.len() {
        let mut list = new.iter();
        for was in events {
            match was.data.as_ref().and_then(|data| list.next().filter(|value| *value != data)) {
                Some(value) => body.push_str(&event(&value.to_string())),
                None => body.push_str(was.raw),
            }
        }
    } else {
        let first = events.iter().position(|event| event.data.is_some())?;
        events[..first].iter().for_each(|event| body.push_str(event.raw));
        body.extend(new.iter().map(|value| event(&value.to_string())));
        events[first..].iter().filter(|event| event.data.is_none()).for_each(|event| body.push_str(event.raw));
    }
    bytes(good, body)
}

/// The whole answer, or every chunk of a streamed one that has the part.
pub(super) fn each(good: &Good<'_>, change: impl Fn(&mut Value) -> Done) -> Option<Exchange> {
    whole(good, &change).or_else(|| chunks(good, |list| some(list.iter_mut().filter_map(&change).count())))
}

/// Whether there was any.
pub(super) fn some(count: usize) -> Done {
    (count > 0).then_some(())
}

/// The whole answer, or a chunk from the middle of a stream.
pub(super) fn envelope(good: &Good<'_>, change: impl Fn(&mut Value) -> Done) -> Option<Exchange> {
    whole(good, &change).or_else(|| chunk(good, &change))
}

/// A chunk from the middle of a stream, neither the first nor one that finishes.
pub(super) fn chunk(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    chunks(good, |list| {
        let at = middle(list)?;
        change(&mut list[at])
    })
}

/// The first choice of the whole answer, or of a chunk from the middle.
pub(super) fn choice(good: &Good<'_>, change: impl Fn(&mut Value) -> Done) -> Option<Exchange> {
    envelope(good, |value| change(value.pointer_mut("/choices/0")?))
}

/// The message of the whole answer's first choice.
pub(super) fn message(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    whole(good, |body| change(body.pointer_mut("/choices/0/message")?))
}

/// The delta of a chunk from the middle.
pub(super) fn delta(good: &Good<'_>, change: impl FnOnce(&mut Value) -> Done) -> Option<Exchange> {
    chunk(good, |value| change(value.pointer_mut("/choices/0/delta")?))
}

/// The message of the whole answer, or a delta from the middle.
pub(super) fn part(good: &Good<'_>, change: impl Fn(&mut Value) -> Done) -> Option<Exchange> {
    message(good, &change).or_else(|| delta(good, &change))
}

/// The counts of tokens: those of the whole answer, or the last of a stream.
pub(super) fn usage(good: &Good<'_>, change: impl Fn(&mut Value) -> Done) -> Option<Exchange> {
    let counts = |value: &&mut Value| value.get("usage").is_some_and(Value::is_object);
    whole(good, |body| change(Some(body).filter(counts)?.get_mut("usage")?))
        .or_else(|| chunks(good, |list| change(list.iter_mut().rev().find(counts)?.get_mut("usage")?)))
}

/// The reason that the first choice finished for.
pub(super) fn finish(good: &Good<'_>, change: impl Fn(&mut Value)) -> Option<Exchange> {
    const AT: &str = "/choices/0/finish_reason";
    let other = |value: &mut Value| value.pointer_mut(AT).map(&change);
    whole(good, other).or_else(|| chunks(good, |list| other(finishing(list)?)))
}

/// The chunk that finishes a choice.
pub(super) fn finishing(list: &mut [Value]) -> Option<&mut Value> {
    let at = last(list)?;
    list.get_mut(at)
}

/// The place of the chunk that finishes a choice.
pub(super) fn last(list: &[Value]) -> Option<usize> {
    list.iter().position(|value| value.pointer("/choices/0/finish_reason").is_some_and(Value::is_string))
}

/// A chunk from the middle that brings something; else any but the first and the one that finishes.
pub(super) fn middle(list: &[Value]) -> Option<usize> {
    let open = |at: &usize| {
        let choice = list[*at].pointer("/choices/0");
        choice.is_some_and(|choice| !choice.get("finish_reason").is_some_and(Value::is_string))
    };
    let brings = |at: &usize| {
        let delta = list[*at].pointer("/choices/0/delta");
        delta.and_then(Value::as_object).is_some_and(|delta| {
            let full = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty()) || value.is_array();
            delta.iter().any(|(key, value)| key != "role" && full(value))
        })
    };
    let some: Vec<usize> = (1..list.len()).filter(open).filter(brings).collect();
    some.get(some.len() / 2).copied().or_else(|| (1..list.len()).find(open))
}

/// Places of the chunks that bring a piece of text of the first choice under this key.
pub(super) fn pieces(list: &[Value], key: &str) -> Vec<usize> {
    let has = |at: &usize| {
        let choice = list[*at].pointer("/choices/0");
        let first = choice.and_then(|choice| choice.get("index")).and_then(Value::as_u64) == Some(0);
        let text = choice.and_then(|choice| choice.get("delta")?.get(key)?.as_str());
        first && text.is_some_and(|text| !text.is_empty())
    };
    (0..list.len()).filter(has).collect()
}

/// The text under a key of the first choice's message, whole or in pieces.
pub(super) fn spoken(good: &Good<'_>, key: &str, change: impl Fn(&str) -> Option<String>) -> Option<Exchange> {
    message(good, |message| {
        let text = message.get(key)?.as_str().filter(|text| !text.is_empty())?;
        message[key] = json!(change(text)?);
        Some(())
    })
    .or_else(|| {
        chunks(good, |list| {
            let places = pieces(list, key);
            let at = format!("/choices/0/delta/{key}");
            let text: String = places.iter().filter_map(|place| list[*place].pointer(&at)?.as_str()).collect();
            let new = change(&text)?;
            let (first, last) = (*places.first()?, *places.last()?);
            let (place, piece) = if let Some(more) = new.strip_prefix(&text) {
                (last, format!("{}{more}", list[last].pointer(&at)?.as_str()?))
            } else if let Some(more) = new.strip_suffix(&text) {
                (first, format!("{more}{}", list[first].pointer(&at)?.as_str()?))
            } else {
                for (place, piece) in places.iter().zip(shares(&new, places.len())) {
                    *list[*place].pointer_mut(&at)? = json!(piece);
                }
                return Some(());
            };
            *list[place].pointer_mut(&at)? = json!(piece);
            Some(())
        })
    })
}

/// A text in so many pieces, about equally long.
pub(super) fn shares(text: &str, count: usize) -> impl Iterator<Item = &str> {
    let cut = move |nth: usize| text.floor_char_boundary(text.len() * nth / count);
    (0..count).map(move |nth| &text[cut(nth)..cut(nth + 1)])
}

/// The content of the first choice, where it has some and no calls beside it.
pub(super) fn content(good: &Good<'_>, change: impl Fn(&str) -> Option<String>) -> Option<Exchange> {
    good.said()?;
    spoken(good, "content", change)
}

/// The thinking of the first choice, under the name it has.
pub(super) fn thought(good: &Good<'_>, change: impl Fn(&str) -> Option<String>) -> Option<Exchange> {
    let key = good.reply.first()?.reasoning_field?;
    spoken(good, key, change)
}

/// Takes a key out of an object.
pub(super) fn cut(value: &mut Value, key: &str) -> Done {
    value.as_object_mut()?.shift_remove(key).map(drop)
}

/// Puts a value under a key of an object, there or not.
pub(super) fn put(value: &mut Value, key: &str, new: Value) -> Done {
    value.as_object_mut()?.insert(key.to_owned(), new);
    Some(())
}

/// Puts a value in place of one that is there.
pub(super) fn swap(value: &mut Value, key: &str, new: Value) -> Done {
    *value.as_object_mut()?.get_mut(key)? = new;
    Some(())
}

/// Another value of a header, there or not.
pub(super) fn header(good: &Good<'_>, name: &str, value: &str) -> Option<Exchange> {
    let mut changed = good.exchange.clone();
    changed.headers.retain(|(known, _)| known != name);
    changed.headers.push((name.to_owned(), Bytes::copy_from_slice(value.as_bytes())));
    (good.exchange.header(name) != Some(value)).then_some(changed)
}

/// No header of this name.
pub(super) fn no_header(good: &Good<'_>, name: &str) -> Option<Exchange> {
    let mut changed = good.exchange.clone();
    changed.headers.retain(|(known, _)| known != name);
    (changed.headers.len() < good.exchange.headers.len()).then_some(changed)
}

/// Another status.
pub(super) fn status(good: &Good<'_>, status: u16) -> Option<Exchange> {
    (good.exchange.status != Some(status)).then(|| Exchange { status: Some(status), ..good.exchange.clone() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(old: &str, ends: &[usize], new: &str, expect: &[usize]) {
        let chunks: Vec<Chunk> = ends.iter().map(|end| Chunk { at: Duration::ZERO, end: *end }).collect();
        let now: Vec<usize> = reads(&chunks, old.as_bytes(), new.as_bytes()).iter().map(|chunk| chunk.end).collect();
        assert_eq!(now, expect, "{old:?} {new:?}");
    }

    #[test]
    fn reads_outside_of_a_change_stay_and_those_within_it_stretch() {
        check("aabbcc", &[2, 4, 6], "aaXXXXcc", &[2, 6, 8]);
        check("aabbcc", &[2, 3, 4, 6], "aaXXXXcc", &[2, 4, 6, 8]);
        check("aabbcc", &[2, 4, 6], "aabb", &[2, 4, 4]);
        check("aabbcc", &[2, 4, 6], "", &[0, 0, 0]);
        check("aaaa", &[2, 4], "aaaaaa", &[2, 6]);
        check("", &[], "x", &[1]);
    }

    #[test]
    fn a_text_is_shared_out_between_its_characters() {
        let shared = |text, count| shares(text, count).collect::<Vec<_>>();
        assert_eq!(shared("abcdef", 3), ["ab", "cd", "ef"]);
        assert_eq!(shared("aé", 2), ["a", "é"]);
        assert_eq!(shared("", 2), ["", ""]);
        assert_eq!(shared("a", 3).concat(), "a");
    }
}
