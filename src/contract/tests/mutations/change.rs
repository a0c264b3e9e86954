//! How a recorded reply is corrupted: [`Change`], and the few ways to write one down.

use bytes::Bytes;
use serde_json::Value;

use crate::wire::Exchange;

/// Changes an exchange in one way.
pub(super) type Change = Box<dyn Fn(&mut Exchange)>;

/// Sets the body; a length that no longer fits is taken out.
pub(super) fn set(exchange: &mut Exchange, body: impl Into<Vec<u8>>) {
    exchange.headers.retain(|(name, _)| name != "content-length");
    exchange.body = Bytes::from(body.into());
    if let Some(chunk) = exchange.chunks.last_mut() {
        chunk.end = exchange.body.len();
    }
}

/// Another body altogether.
pub(super) fn raw(body: impl Into<Vec<u8>>) -> Change {
    let body = body.into();
    Box::new(move |exchange| set(exchange, body.clone()))
}

/// Changes the bytes of the body.
pub(super) fn bytes(change: impl Fn(&mut Vec<u8>) + 'static) -> Change {
    Box::new(move |exchange| {
        let mut body = exchange.body.to_vec();
        change(&mut body);
        assert_ne!(body, exchange.body, "the change did not take");
        set(exchange, body);
    })
}

/// Changes the body as text.
pub(super) fn text(change: impl Fn(&str) -> String + 'static) -> Change {
    bytes(move |body| *body = change(std::str::from_utf8(body).expect("text")).into_bytes())
}

/// Replaces the first place of a text.
pub(super) fn swap(from: &'static str, to: &'static str) -> Change {
    text(move |text| text.replacen(from, to, 1))
}

/// Replaces every place of a text.
pub(super) fn swap_all(from: &'static str, to: &'static str) -> Change {
    text(move |text| text.replace(from, to))
}

/// Changes a whole body as JSON.
pub(super) fn json(change: impl Fn(&mut Value) + 'static) -> Change {
    text(move |text| {
        let mut body: Value = serde_json::from_str(text).expect("a JSON body");
        change(&mut body);
        body.to_string()
    })
}

/// Puts a value at a pointer of a whole body, there or not.
pub(super) fn put(pointer: &'static str, value: Value) -> Change {
    json(move |body| put_at(body, pointer, value.clone()))
}

/// Takes what stands at a pointer out of a whole body.
pub(super) fn cut(pointer: &'static str) -> Change {
    json(move |body| cut_at(body, pointer))
}

pub(super) fn put_at(value: &mut Value, pointer: &str, new: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match parent {
        Value::Array(list) => list[key.parse::<usize>().expect("a place")] = new,
        other => drop(other.as_object_mut().expect("an object").insert(key.to_owned(), new)),
    }
}

pub(super) fn cut_at(value: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match parent {
        Value::Array(list) => drop(list.remove(key.parse().expect("a place"))),
        other => drop(other.as_object_mut().expect("an object").shift_remove(key)),
    }
}

/// Changes the list of events as text, each with the blank line that closes it.
pub(super) fn events(change: impl Fn(&mut Vec<String>) + 'static) -> Change {
    text(move |text| {
        let mut list: Vec<String> = text.split_inclusive("\n\n").map(str::to_owned).collect();
        change(&mut list);
        list.concat()
    })
}

/// The first event that holds a text.
pub(super) fn place(list: &[String], part: &str) -> usize {
    list.iter().position(|event| event.contains(part)).unwrap_or_else(|| panic!("no event with {part}"))
}

/// Changes the frames of a stream as JSON; `[DONE]` stays at its end.
pub(super) fn frames(change: impl Fn(&mut Vec<Value>) + 'static) -> Change {
    text(move |text| {
        let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let (done, data): (Vec<&str>, Vec<&str>) = data.partition(|data| *data == "[DONE]");
        let mut frames: Vec<Value> = data.into_iter().map(|data| serde_json::from_str(data).expect("a frame")).collect();
        change(&mut frames);
        frames.iter().map(ToString::to_string).chain(done.into_iter().map(str::to_owned)).map(|data| event(&data)).collect()
    })
}

/// Changes the first frame that holds a text.
pub(super) fn frame(part: &'static str, change: impl Fn(&mut Value) + 'static) -> Change {
    frames(move |frames| {
        let at = nth(frames, part, 0);
        change(&mut frames[at]);
    })
}

/// Changes every frame.
pub(super) fn each(change: impl Fn(&mut Value) + 'static) -> Change {
    frames(move |frames| frames.iter_mut().for_each(&change))
}

/// The nth frame that holds a text.
pub(super) fn nth(frames: &[Value], part: &str, nth: usize) -> usize {
    let mut found = (0..frames.len()).filter(|at| frames[*at].to_string().contains(part));
    found.nth(nth).unwrap_or_else(|| panic!("no frame {nth} with {part}"))
}

/// An event with this data.
pub(super) fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

/// Changes the request as JSON.
pub(super) fn ask(change: impl Fn(&mut Value) + 'static) -> Change {
    Box::new(move |exchange| {
        let body = exchange.request.body.as_deref().expect("a request with a body");
        let mut body: Value = serde_json::from_slice(body).expect("a JSON request");
        change(&mut body);
        exchange.request.body = Some(Bytes::from(body.to_string()));
    })
}

/// Puts a key into the request.
pub(super) fn asked(key: &'static str, value: Value) -> Change {
    ask(move |body| body[key] = value.clone())
}

/// Sets a header of the reply.
pub(super) fn header(name: &'static str, value: &'static str) -> Change {
    Box::new(move |exchange| {
        exchange.headers.retain(|(known, _)| known != name);
        exchange.headers.push((name.to_owned(), Bytes::from_static(value.as_bytes())));
    })
}

/// Takes all headers of the reply out but one.
pub(super) fn only_header(name: &'static str) -> Change {
    Box::new(move |exchange| exchange.headers.retain(|(known, _)| known == name))
}

/// Sets the status.
pub(super) fn status(status: u16) -> Change {
    Box::new(move |exchange| exchange.status = Some(status))
}

/// Two changes, one after the other.
pub(super) fn both(first: Change, second: Change) -> Change {
    Box::new(move |exchange| {
        first(exchange);
        second(exchange);
    })
}
