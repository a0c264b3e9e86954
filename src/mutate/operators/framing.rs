//! What breaks the events of a stream as bytes.

use crate::mutate::change::{bytes, done, event, events, middle, text};
use crate::mutate::good::Good;
use crate::mutate::operator::Operator;
use crate::wire::Exchange;

family!(Framing: detect);

/// The operators of this file.
pub(super) static OPERATORS: &[Operator] = &[
    detect("done-dropped", &["W017"], "the stream ends without `[DONE]`", |good| {
        events(good, |list| done(list).map(|at| drop(list.remove(at))))
    }),
    detect("done-doubled", &["W016"], "`[DONE]` comes twice", |good| {
        events(good, |list| done(list).map(|at| list.insert(at, event("[DONE]"))))
    }),
    detect("done-first", &["W016"], "`[DONE]` comes before everything else", |good| {
        events(good, |list| done(list).map(|at| list[..=at].rotate_right(1)))
    }),
    detect("done-in-the-middle", &["W016"], "`[DONE]` comes while the answer goes on", |good| {
        events(good, |list| {
            let at = done(list).filter(|at| *at > 1)?;
            list[at / 2..=at].rotate_right(1);
            Some(())
        })
    }),
    detect("done-before-last-chunk", &["W016"], "`[DONE]` comes before the last chunk", |good| {
        events(good, |list| done(list).filter(|at| *at > 0).map(|at| list.swap(at - 1, at)))
    }),
    detect("done-in-lower-case", &["W013"], "the stream ends with `[done]`", |good| end(good, "data: [done]\n\n")),
    detect("done-as-json-string", &["W013"], "the stream ends with `\"[DONE]\"`", |good| end(good, "data: \"[DONE]\"\n\n")),
    detect("done-padded", &["W013"], "a blank stands behind `[DONE]`", |good| end(good, "data: [DONE] \n\n")),
    detect("done-without-field", &["W017"], "`[DONE]` stands on a line without `data:`", |good| end(good, "[DONE]\n\n")),
    detect("chunk-after-done", &["W016"], "a chunk comes again behind `[DONE]`", |good| {
        events(good, |list| {
            let more = list.get(1)?.clone();
            done(list).map(|at| list.insert(at + 1, more))
        })
    }),
    detect("usage-after-done", &["W016"], "the last chunk comes behind `[DONE]`", |good| {
        events(good, |list| {
            let at = done(list).filter(|at| *at > 0)?;
            list[at - 1..=at].rotate_left(1);
            Some(())
        })
    }),
    detect("last-event-open", &["W018"], "the stream ends before the blank line of its last chunk", |good| {
        events(good, |list| {
            list.truncate(done(list)?);
            let last = list.last_mut()?;
            last.truncate(last.trim_end().len());
            Some(())
        })
    }),
    detect("blank-lines-lost", &["W018", "W013"], "no blank line closes an event", |good| {
        text(good, |text| good.stream().map(|_| text.replace("\r\n", "\n").replace("\n\n", "\n")))
    }),
    detect("cut-within-event", &["W061"], "the stream ends in the middle of an event", |good| {
        events(good, |list| {
            let at = before_finish(good, list)?;
            list.truncate(at + 1);
            let half = list[at].floor_char_boundary(list[at].len() / 2);
            list[at].truncate(half);
            Some(())
        })
    }),
    detect("field-misspelt", &["W210"], "a payload stands behind `date:`", |good| {
        one(good, |event| Some(event.replacen("data:", "date:", 1)))
    }),
    detect("field-name-lost", &["W210"], "a payload stands on a line of its own", |good| {
        one(good, |event| event.find('{').map(|at| event[at..].to_owned()))
    }),
    detect("lines-for-events", &["W003", "W007", "W006"], "lines of JSON come in place of events", |good| {
        events(good, |list| {
            let data = list.iter().filter_map(|event| event.find('{').map(|at| format!("{}\n", event[at..].trim_end())));
            *list = data.collect();
            Some(())
        })
    }),
    detect("events-joined", &["W013"], "two payloads come in one event", |good| {
        two(good, |first, second| format!("{}\n{second}", first.trim_end()))
    }),
    detect("payloads-on-one-line", &["W013"], "two payloads come on one line", |good| {
        two(good, |first, second| format!("{}{}", first.trim_end(), &second[second.find('{').unwrap_or(0)..]))
    }),
    detect("event-halved", &["W013"], "only half of a payload comes", |good| {
        one(good, |event| {
            let half = event.floor_char_boundary(event.trim_end().len() / 2);
            Some(format!("{}\n\n", &event[..half]))
        })
    }),
    detect("payload-over-two-events", &["W013"], "a payload is split over two events", |good| {
        one(good, |event| {
            let half = event.floor_char_boundary(event.trim_end().len() / 2);
            Some(format!("{}\n\ndata: {}", &event[..half], &event[half..]))
        })
    }),
    detect("raw-line-feed-in-payload", &["W013"], "a line feed stands within a string of a payload", |good| {
        one(good, |event| event.rfind("\":").map(|at| format!("{}\n{}", &event[..at], &event[at..])))
    }),
    detect("event-as-list", &["W013"], "a payload is a list", |good| {
        one(good, |event| Some(self::event(&format!("[{}]", event[event.find('{')?..].trim_end()))))
    }),
    detect("event-as-string", &["W013"], "a payload is a string", |good| insert(good, "\"Hello\"")),
    detect("event-as-null", &["W013"], "a payload is null", |good| insert(good, "null")),
    detect("event-as-number", &["W013"], "a payload is a number", |good| insert(good, "17")),
    detect("event-as-words", &["W013"], "a sign of life comes as data", |good| insert(good, "keep-alive")),
    detect("event-as-empty-object", &["W049"], "a payload is an empty object", |good| insert(good, "{}")),
    detect("error-name-on-chunk", &["W019"], "a good chunk is named `error`", |good| {
        one(good, |event| Some(format!("event: error\n{}", &event[event.find("data:")?..])))
    }),
    detect("stream-empty", &["W266"], "the stream holds nothing", |good| good.stream().and_then(|_| bytes(good, ""))),
    detect("stream-of-done-alone", &["W266"], "the stream holds only `[DONE]`", |good| {
        events(good, |list| {
            *list = vec![event("[DONE]")];
            Some(())
        })
    }),
    detect("stream-of-comments", &["W266"], "the stream holds only comments", |good| {
        good.stream().and_then(|_| bytes(good, ": waiting\n\n: waiting\n\n"))
    }),
    detect("stream-of-zeros", &["W266", "W003"], "the stream holds only zeros", |good| {
        good.stream().and_then(|_| bytes(good, vec![0; 4096]))
    }),
    detect("stream-of-noise", &["W266", "W004", "W015"], "the stream is packed, and nothing says so", |good| {
        let noise = |at: u32| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] | 0x80;
        good.stream().and_then(|_| bytes(good, (0..4096).map(noise).collect::<Vec<u8>>()))
    }),
    detect("stream-twice", &["W016", "W058"], "the whole stream comes twice", |good| {
        good.stream().and_then(|_| bytes(good, format!("{}\n\n{}", good.text.trim_end(), good.text)))
    }),
];

/// Another end of the stream.
fn end(good: &Good<'_>, marker: &str) -> Option<Exchange> {
    events(good, |list| done(list).map(|at| marker.clone_into(&mut list[at])))
}

/// An event from the middle.
fn at(good: &Good<'_>) -> Option<usize> {
    let events = good.stream()?;
    let places: Vec<usize> = (0..events.len()).filter(|at| events[*at].data.is_some()).collect();
    let chunks: Vec<_> = places.iter().filter_map(|at| events[*at].data.clone()).collect();
    places.get(middle(&chunks)?).copied()
}

/// The first event from the middle on that the stream may end within: no choice has finished before.
fn before_finish(good: &Good<'_>, list: &[String]) -> Option<usize> {
    at(good).filter(|at| !list[..=*at].iter().any(|event| event.contains("\"finish_reason\":\"")))
}

/// An event from the middle, written another way.
fn one(good: &Good<'_>, change: impl FnOnce(&str) -> Option<String>) -> Option<Exchange> {
    let at = at(good)?;
    events(good, |list| {
        list[at] = change(&list[at])?;
        Some(())
    })
}

/// An event from the middle and the one behind it, as one.
fn two(good: &Good<'_>, join: impl FnOnce(&str, &str) -> String) -> Option<Exchange> {
    let at = at(good)?;
    events(good, |list| {
        let second = list.get(at + 1).filter(|event| event.contains('{'))?.clone();
        list[at] = join(&list[at], &second);
        list.remove(at + 1);
        Some(())
    })
}

/// One event more in the middle.
fn insert(good: &Good<'_>, data: &str) -> Option<Exchange> {
    let at = at(good)?;
    events(good, |list| {
        list.insert(at, event(data));
        Some(())
    })
}
