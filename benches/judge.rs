//! Judging an exchange by every rule against parsing the same bytes into parsed, side by side in one run.
//!
//! Whole replies and streams of 10 and 2,000 chunks, made of recorded ones. The folded form is the steps' own and is made in
//! any case, so that it is shown apart. The goal is a ratio of 3 or less.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fireassay::contract::{Context, judge};
use fireassay::event::ExchangeId;
use fireassay::wire::{Chunk, End, Exchange, Request, fold_chat, sse};

const STREAMS: &[(&str, &str)] = &[
    ("llamacpp text", include_str!("../tests/data/wire/llamacpp-chat.sse")),
    ("vllm reasoning", include_str!("../tests/data/wire/vllm-think.sse")),
    ("mlx text", include_str!("../tests/data/wire/mlx-chat.sse")),
];

const ASKED: &str = r#"{"model":"m","temperature":0,"max_tokens":4096,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"What is the capital of France?"}]}"#;

fn main() {
    println!("{:<16} {:>7} {:>12} {:>12} {:>12} {:>7}", "stream", "chunks", "parsed", "judge", "folded", "ratio");
    for (name, recorded) in STREAMS {
        for chunks in [10, 2000] {
            let exchange = long(recorded, chunks);
            let rounds = 40_000 / chunks;
            let models = ["m".to_owned()];
            let context = Context { key: Some("a-key-of-this-run"), models: &models, now: None };
            let (mut parsed, mut folding, mut judges) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                parsed.push(time(|| plain(&exchange.body)));
                folding.push(time(|| fold_chat(&exchange).events));
                let chat = fold_chat(&exchange);
                judges.push(time(|| judge(&exchange, &chat, &context).findings.len() as u64));
            }
            let (parsed, folded, ruled) = (median(parsed), median(folding), median(judges));
            let ratio = ruled.as_secs_f64() / parsed.as_secs_f64();
            println!("{name:<16} {chunks:>7} {parsed:>12.2?} {ruled:>12.2?} {folded:>12.2?} {ratio:>7.2}");
        }
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

/// A stream of so many frames, each its own network read.
fn long(recorded: &str, frames: usize) -> Exchange {
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
        id: ExchangeId(1),
        request: Request::post_raw("/v1/chat/completions", "application/json", ASKED),
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
