//! Long streams made of recorded ones, plain parsing to compare with, and times: what the benches of streams share.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fireassay::event::ExchangeId;
use fireassay::wire::{Chunk, Exchange, Request, sse};

/// What anybody would do: lines that begin with `data: `, each parsed into a value.
pub fn plain(body: &[u8]) -> u64 {
    let text = std::str::from_utf8(body).expect("recorded streams are UTF-8");
    let mut frames = 0;
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        if data != sse::DONE {
            black_box(serde_json::from_str::<serde_json::Value>(data).expect("recorded frames are JSON"));
        }
        frames += 1;
    }
    frames
}

/// A stream of so many frames, each its own network read, as the answer to this request: the frames between the first and the
/// last of a recorded one are repeated.
pub fn long(recorded: &str, request: Request, frames: usize) -> Exchange {
    let events: Vec<&str> = recorded.split_inclusive("\n\n").filter(|event| event.starts_with("data: {")).collect();
    let (first, rest) = events.split_first().expect("a first frame");
    let (middle, last) = rest.split_at(rest.len() - 2);
    let mut body = (*first).to_owned();
    let mut chunks = vec![Chunk { at: Duration::ZERO, end: body.len() }];
    for (number, event) in (1..).zip(middle.iter().cycle().take(frames - 3).chain(last)) {
        body.push_str(event);
        chunks.push(Chunk { at: Duration::from_millis(number), end: body.len() });
    }
    body.push_str("data: [DONE]\n\n");
    Exchange {
        status: Some(200),
        headers: vec![("content-type".to_owned(), Bytes::from_static(b"text/event-stream"))],
        head_at: Some(Duration::ZERO),
        body: body.into(),
        chunks,
        ..Exchange::begun(ExchangeId(1), request, String::new())
    }
}

/// How long the work takes, once.
pub fn time(work: impl Fn() -> u64) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// The one in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
