//! Reading and folding a long stream against plain parsing of the same chunks into values, side by side in one run.
//!
//! The stream is made of recorded ones: their frames between the first and the last are repeated. Ratio 1.0 means that
//! folding costs as much as parsing alone; the goal is 0.5 or more.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fireassay::event::ExchangeId;
use fireassay::wire::{Chunk, End, Exchange, Request, fold_chat, sse};

const RECORDED: &[(&str, &str)] = &[
    ("llamacpp text", include_str!("../tests/data/wire/llamacpp-chat.sse")),
    ("llamacpp tool call", include_str!("../tests/data/wire/llamacpp-tool.sse")),
    ("vllm reasoning", include_str!("../tests/data/wire/vllm-think.sse")),
    ("mlx text", include_str!("../tests/data/wire/mlx-chat.sse")),
];

const FRAMES: usize = 4000;
const ROUNDS: usize = 40;

fn main() {
    println!("{:<20} {:>7} {:>9} {:>12} {:>12} {:>6}", "stream", "frames", "KiB", "values", "read + fold", "ratio");
    for (name, recorded) in RECORDED {
        let exchange = long(recorded);
        let (mut values, mut folds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            values.push(time(|| plain(&exchange.body)));
            folds.push(time(|| fold_chat(&exchange).events));
        }
        let (values, fold) = (median(values), median(folds));
        let ratio = values.as_secs_f64() / fold.as_secs_f64();
        let frames = exchange.chunks.len();
        println!("{name:<20} {frames:>7} {:>9} {values:>12.2?} {fold:>12.2?} {ratio:>6.2}", exchange.body.len() / 1024);
    }
}

/// What anybody would do: lines that begin with `data: `, each parsed into a value.
fn plain(body: &[u8]) -> u64 {
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

/// A stream of thousands of frames, each its own network read.
fn long(recorded: &str) -> Exchange {
    let events: Vec<&str> = recorded.split_inclusive("\n\n").filter(|event| event.starts_with("data: {")).collect();
    let (first, rest) = events.split_first().expect("a first frame");
    let (middle, last) = rest.split_at(rest.len() - 2);
    let mut body = (*first).to_owned();
    let mut chunks = vec![Chunk { at: Duration::ZERO, end: body.len() }];
    for (number, event) in (1..).zip(middle.iter().cycle().take(FRAMES).chain(last)) {
        body.push_str(event);
        chunks.push(Chunk { at: Duration::from_millis(number), end: body.len() });
    }
    body.push_str("data: [DONE]\n\n");
    Exchange {
        id: ExchangeId(1),
        request: Request::default(),
        url: String::new(),
        sent: Instant::now(),
        status: Some(200),
        headers: vec![("content-type".to_owned(), Bytes::from_static(b"text/event-stream"))],
        head_at: Some(Duration::ZERO),
        body: body.into(),
        chunks,
        end: End::Complete,
        took: Duration::ZERO,
    }
}

fn time(work: impl Fn() -> u64) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
