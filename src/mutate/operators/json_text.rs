//! What breaks a body as text: bytes that are no UTF-8, text that is no JSON, JSON that parsers read apart.

use serde_json::Value;

use crate::contract::Call;
use crate::mutate::change::{bytes, chunks, events, header, json, text, whole};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Encoding: detect, legal);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("byte-not-utf-8", &["W004", "W015"], "a letter of the text is a byte of Latin-1", |good| {
        let at = good.said()?.find(|c: char| c.is_ascii_alphabetic())?;
        let letter = good.said()?[at..].chars().next()?;
        letters(good, letter, |place, body| body[place] = 0xE9)
    }),
    detect("continuation-byte-lost", &["W004", "W015"], "a character lost one of its bytes", |good| {
        let letter = good.said()?.chars().find(|c| !c.is_ascii())?;
        letters(good, letter, |place, body| {
            body.remove(place + 1);
        })
    }),
    detect("body-in-utf-16", &["W003", "W004"], "the body is UTF-16", |good| {
        json_text(good, |text| Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()))
    }),
    detect("byte-order-mark", &["W201"], "a byte order mark stands before the JSON", |good| {
        plain(good, |text| format!("\u{FEFF}{text}"))
    }),
    detect("json-nan", &["W005"], "a key holds NaN", |good| key(good, "\"x_score\":NaN,")),
    detect("json-infinity", &["W005"], "a key holds -Infinity", |good| key(good, "\"x_score\":-Infinity,")),
    detect("json-half-a-surrogate-pair", &["W005"], "a key holds half a surrogate pair", |good| {
        key(good, "\"x_text\":\"\\ud83d\",")
    }),
    detect("json-key-twice", &["W005"], "a key stands twice", |good| {
        let name = first(good)?.keys().next()?.clone();
        key(good, &format!("{}:null,", Value::from(name)))
    }),
    detect("json-too-deep", &["W204"], "a key holds lists within lists, deeper than parsers go", |good| {
        key(good, &format!("\"x_tree\":{}{},", "[".repeat(200), "]".repeat(200)))
    }),
    detect("json-cut", &["W003"], "the JSON lacks its end", |good| {
        plain(good, |text| text[..text.floor_char_boundary(text.trim_end().len() - 1)].to_owned())
    }),
    detect("json-halved", &["W003"], "half of the JSON came", |good| {
        plain(good, |text| text[..text.floor_char_boundary(text.trim_end().len() / 2)].to_owned())
    }),
    detect("json-twice", &["W003"], "the JSON stands twice in the body", |good| plain(good, |text| format!("{text}{text}"))),
    detect("words-before-json", &["W003"], "a word stands before the JSON", |good| plain(good, |text| format!("OK {text}"))),
    detect("words-after-json", &["W003"], "a word stands behind the JSON", |good| plain(good, |text| format!("{text}\nDone."))),
    detect("guard-before-json", &["W003"], "a guard against scripts stands before the JSON", |good| {
        plain(good, |text| format!(")]}}',\n{text}"))
    }),
    detect("json-comma-too-many", &["W003"], "a comma stands before the last bracket", |good| {
        json_text(good, |text| Some(format!("{},}}", text.trim_end().strip_suffix('}')?).into_bytes()))
    }),
    detect("json-in-single-quotes", &["W003"], "the JSON has single quotes", |good| plain(good, |text| text.replace('"', "'"))),
    detect("json-of-python", &["W003"], "the JSON has None in place of a value", |good| {
        json_text(good, |text| Some(text.replacen(':', ":None,\"x\":", 1).into_bytes()))
    }),
    detect("raw-line-feed-in-json", &["W003"], "a line feed stands within a string", |good| {
        json_text(good, |text| Some(text.replacen("\":", "\n\":", 1).into_bytes()))
    }),
    detect("body-empty", &["W003", "W154"], "the body is empty", |good| good.is_json().then(|| bytes(good, ""))?),
    detect("body-blank", &["W003", "W154"], "the body is a blank line", |good| good.is_json().then(|| bytes(good, " \n"))?),
    detect("body-as-json-string", &["W021", "W163", "W155", "W291"], "the JSON is encoded twice", |good| {
        shaped(good, |text| Value::from(text).to_string())
    }),
    detect("body-in-a-list", &["W021", "W163", "W155", "W291"], "the JSON stands within a list", |good| {
        shaped(good, |text| format!("[{text}]"))
    }),
    detect("body-null", &["W021", "W163", "W155", "W154", "W291"], "the body is null", |good| {
        shaped(good, |_| "null".to_owned())
    }),
    detect("body-empty-object", &["W021", "W163", "W155", "W154", "W291"], "the body is an empty object", |good| {
        shaped(good, |_| "{}".to_owned())
    }),
    detect("body-of-another-api", &["W021", "W163", "W155", "W291"], "the body says success: true and nothing else", |good| {
        shaped(good, |_| r#"{"success":true}"#.to_owned())
    }),
    detect("body-html", &["W008"], "the body is a page", |good| {
        (good.is_api() && !good.exchange.body.is_empty()).then(|| bytes(good, "<!DOCTYPE html><title>x</title>"))?
    }),
    detect("body-html-by-its-label", &["W008"], "the reply is a page", |good| {
        let page = good.is_api().then(|| bytes(good, "\n<HTML><body>Bad gateway</body></HTML>"))??;
        Some(Exchange { headers: header(good, "content-type", "text/html")?.headers, ..page }).map(|mut page| {
            page.headers.retain(|(name, _)| name != "content-length");
            page
        })
    }),
    detect("stream-html", &["W008"], "a page comes under the label of a stream", |good| {
        good.stream().and_then(|_| bytes(good, "<html><body>Sign in</body></html>"))
    }),
    legal("json-on-many-lines", "the JSON is written on many lines", |good| {
        json_text(good, |_| serde_json::to_vec_pretty(good.body.as_ref()?).ok())
    }),
    legal("blanks-around-json", "blanks and line ends stand around the JSON", |good| {
        plain(good, |text| format!("\n \t{text}\r\n"))
    }),
    legal("json-keys-reversed", "the keys of the JSON stand in another order", |good| {
        json(good, good.body.as_ref().filter(|_| good.is_json() && good.is_api()), |body| {
            let object = body.as_object_mut()?;
            *object = std::mem::take(object).into_iter().rev().collect();
            Some(())
        })
        .or_else(|| reversed(good))
    }),
    legal("letters-as-escapes", "letters of the text are written as escapes", |good| {
        let letter = good.said()?.chars().find(char::is_ascii_uppercase)?;
        let escaped = format!("\\u{:04x}", u32::from(letter));
        letters(good, letter, |place, body| {
            body.splice(place..=place, escaped.bytes());
        })
    }),
    legal("slashes-as-escapes", "slashes are escaped", |good| {
        let fine = good.is_json() && good.is_api() && !good.text.contains("\\/");
        fine.then(|| text(good, |text| Some(text.replace('/', "\\/"))))?
    }),
];

/// Changes the first place of a letter in the text of an answer, whole or streamed, at its byte.
fn letters(good: &Good<'_>, letter: char, change: impl Fn(usize, &mut Vec<u8>)) -> Option<Exchange> {
    // The text is first marked with a character that stands nowhere, and the mark is then written as bytes.
    const MARK: &str = "\u{E123}";
    let mark = |content: &mut Value| {
        let at = content.as_str()?.find(letter)?;
        let text = content.as_str()?;
        *content = Value::from(format!("{}{MARK}{}", &text[..at], &text[at..]));
        Some(())
    };
    good.said()?;
    let marked = whole(good, |body| mark(body.pointer_mut("/choices/0/message/content")?)).or_else(|| {
        chunks(good, |list| list.iter_mut().find_map(|chunk| mark(chunk.pointer_mut("/choices/0/delta/content")?)))
    })?;
    let place = memchr::memmem::find(&marked.body, MARK.as_bytes())?;
    let mut body = marked.body.to_vec();
    body.drain(place..place + MARK.len());
    change(place, &mut body);
    bytes(good, body)
}

/// The object that the body or the first chunk is.
fn first<'g>(good: &'g Good<'_>) -> Option<&'g serde_json::Map<String, Value>> {
    let chunk = || good.stream()?.iter().find_map(|event| event.data.as_ref());
    good.body.as_ref().filter(|_| good.is_json()).or_else(chunk)?.as_object()
}

/// One key more at the beginning of the body, or of the first chunk of a stream.
fn key(good: &Good<'_>, pair: &str) -> Option<Exchange> {
    first(good).filter(|object| !object.is_empty())?;
    let with = |text: &str| text.find('{').map(|at| format!("{}{pair}{}", &text[..=at], &text[at + 1..]));
    if good.is_json() {
        return text(good, with);
    }
    events(good, |list| {
        let event = list.iter_mut().find(|event| event.contains('{'))?;
        *event = with(event)?;
        Some(())
    })
}

/// Another text of a body that calls itself JSON, and is an object or a list.
fn json_text(good: &Good<'_>, change: impl FnOnce(&str) -> Option<Vec<u8>>) -> Option<Exchange> {
    let fine = good.is_json() && good.text.trim_start().starts_with(['{', '[']);
    bytes(good, fine.then(|| change(good.text))??)
}

fn plain(good: &Good<'_>, change: impl FnOnce(&str) -> String) -> Option<Exchange> {
    json_text(good, |text| Some(change(text).into_bytes()))
}

/// Another text of a body that has a shape of its own: an answer, models, an error.
fn shaped(good: &Good<'_>, change: impl FnOnce(&str) -> String) -> Option<Exchange> {
    let error = good.error().is_some_and(|body| body.get("error").is_some_and(Value::is_object));
    let one = || matches!(good.call, Call::Model(_)) && good.body.as_ref().is_some_and(|body| body.get("id").is_some());
    let list = good.is_success() && (good.call == Call::Models || one());
    (good.is_api() && (good.whole().is_some() || list || error)).then(|| plain(good, change))?
}

/// The chunks of a stream with their keys in another order.
fn reversed(good: &Good<'_>) -> Option<Exchange> {
    let events = good.stream()?;
    let text = |event: &super::super::good::Event<'_>| match event.data.as_ref().and_then(Value::as_object) {
        Some(object) => {
            let back: serde_json::Map<String, Value> = object.clone().into_iter().rev().collect();
            crate::mutate::change::event(&Value::Object(back).to_string())
        }
        None => event.raw.to_owned(),
    };
    bytes(good, events.iter().map(text).collect::<String>())
}
