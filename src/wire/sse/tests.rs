//! Server-sent events: a table of streams, and splits that must not matter.

use proptest::prelude::*;

use super::FramingFaultKind::{
    AfterDone, BadRetry, BadUtf8, BareCr, Bom, EmptyData, Id, NoData, Nul, UnknownField, Unterminated, UnterminatedDone,
};
use super::{EventCounter, FramingFaultKind, read};

/// Events are written `name|data`, the name empty where there is none.
#[track_caller]
fn check(body: &[u8], events: &[&str], faults: &[FramingFaultKind]) {
    let stream = read(body);
    let got: Vec<String> =
        stream.events.iter().map(|event| format!("{}|{}", event.name.as_deref().unwrap_or(""), event.data)).collect();
    assert_eq!(got, events);
    assert_eq!(stream.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), faults);
    for size in [1, 2, 3, 5, 7, body.len().max(1)] {
        let mut counter = EventCounter::default();
        let mut count = 0;
        for piece in body.chunks(size) {
            count = counter.feed(piece);
        }
        assert_eq!(count, events.len() as u64, "counted in pieces of {size}");
    }
}

#[test]
fn line_ends() {
    check(b"data: a\n\ndata: b\n\n", &["|a", "|b"], &[]);
    check(b"data: a\r\n\r\ndata: b\r\n\r\n", &["|a", "|b"], &[]);
    check(b"data: a\r\ndata: b\r\n\r\n", &["|a\nb"], &[]);
    check(b"data: a\r\rdata: b\r\r", &["|a", "|b"], &[BareCr]);
    check(b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r\r\n", &["|a", "|b", "|c"], &[BareCr]);
    check(b"\n\n\r\n\ndata: a\n\n\n\n", &["|a"], &[]);
}

#[test]
fn values_and_fields() {
    check(b"data:a\n\n", &["|a"], &[]);
    check(b"data:  a \n\n", &["| a "], &[]);
    check(b"data: a\ndata: b\ndata:\ndata: c\n\n", &["|a\nb\n\nc"], &[]);
    check(b"data\n\n", &["|"], &[EmptyData]);
    check(b"data\ndata\n\n", &["|\n"], &[]);
    check(b"data:\n\n", &["|"], &[EmptyData]);
    check(b"data: a:b: c\n\n", &["|a:b: c"], &[]);
    check(b" data: a\n\n", &[], &[UnknownField, NoData]);
    check(b"DATA: a\n\n", &[], &[UnknownField, NoData]);
    check(b"database: a\n\n", &[], &[UnknownField, NoData]);
    check(b"{\"error\":\"plain JSON\"}\n\ndata: a\n\n", &["|a"], &[UnknownField, NoData]);
}

#[test]
fn names_ids_and_retry() {
    check(b"event: ping\ndata: a\n\ndata: b\n\n", &["ping|a", "|b"], &[]);
    check(b"event: ping\n\ndata: b\n\n", &["|b"], &[NoData]);
    check(b"data: a\nevent: one\nevent: two\n\n", &["two|a"], &[]);
    check(b"event\ndata: a\n\n", &["|a"], &[]);
    check(b"id: 7\ndata: a\n\n", &["|a"], &[Id]);
    check(b"retry: 300\ndata: a\n\n", &["|a"], &[]);
    check(b"retry: soon\nretry\ndata: a\n\n", &["|a"], &[BadRetry]);
}

#[test]
fn comments_and_marks() {
    check(b": keep alive\n\n:\n\ndata: a\n\n", &["|a"], &[]);
    check(b"data: a\n: between\ndata: b\n\n", &["|a\nb"], &[]);
    check(b"\xEF\xBB\xBFdata: a\n\n", &["|a"], &[Bom]);
    check(b"\xEF\xBB\xBF\ndata: a\n\n", &["|a"], &[Bom]);
    check(b"data: a\n\n\xEF\xBB\xBFdata: b\n\n", &["|a"], &[UnknownField, NoData]);
    check(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: b\n\n", &[], &[Bom, UnknownField, NoData]);
    assert_eq!(read(b":1\n:2\n\ndata: a\n\n:3").comments, 3);
}

#[test]
fn text() {
    check("data: 你好 🦀\n\n".as_bytes(), &["|你好 🦀"], &[]);
    check(b"data: \xE4\xBD\ndata: b\n\n", &["|\u{FFFD}\nb"], &[BadUtf8]);
    check(b"data: a\xFFb\n\ndata: \xC0\n\n", &["|a\u{FFFD}b", "|\u{FFFD}"], &[BadUtf8]);
    check(b": \xFF\n\ndata: a\n\n", &["|a"], &[BadUtf8]);
    check(b"data: a\0b\n\n", &["|a\0b"], &[Nul]);
}

#[test]
fn ends() {
    check(b"", &[], &[]);
    check(b"data: a\n\ndata: b", &["|a"], &[Unterminated]);
    check(b"data: a\n\ndata: b\n", &["|a"], &[Unterminated]);
    check(b"data: a\n\ndata: [DONE]", &["|a"], &[UnterminatedDone]);
    check(b"data: a\n\nevent: x", &["|a"], &[]);
    check(b"data: a\n\ndata: [DONE]\n\n: bye\n\n", &["|a", "|[DONE]"], &[]);
    check(b"data: [DONE]\n\ndata: a\n\n", &["|[DONE]", "|a"], &[AfterDone]);
    check(b"data: [DONE]\n\ndata: a", &["|[DONE]"], &[Unterminated, AfterDone]);
    assert_eq!(read(b"data: a\n\ndata: b\n").tail.map(|tail| (tail.data.into_owned(), tail.start)), Some(("b".to_owned(), 9)));
}

#[test]
fn ranges_cover_the_event_and_faults_say_where() {
    let body = b": hi\n\nevent: e\ndata: a\r\n\r\ndata: \xFF\n\ndata: \xFF\n\n";
    let stream = read(body);
    let ranges: Vec<_> = stream.events.iter().map(super::SseEvent::range).collect();
    assert_eq!(ranges, [6..26, 26..35, 35..44]);
    assert_eq!((stream.faults[0].offset, stream.faults[0].count), (32, 2));
}

proptest! {
    /// The counter sees the same events as the reader, wherever the reads were cut.
    #[test]
    fn cuts_do_not_matter(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "data", ":", " ", "\n", "\r", "\r\n", "\n\n", "a", "data: x\n\n", "event: e\n", ":c\n", "\u{FEFF}", "é", "[DONE]",
            ]),
            0..40,
        ),
        cuts in prop::collection::vec(0usize..200, 0..12),
    ) {
        let body = pieces.concat().into_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
        cuts.extend([0, body.len()]);
        cuts.sort_unstable();
        let mut counter = EventCounter::default();
        for pair in cuts.windows(2) {
            counter.feed(&body[pair[0]..pair[1]]);
        }
        prop_assert_eq!(counter.feed(b""), read(&body).events.len() as u64);
    }
}
