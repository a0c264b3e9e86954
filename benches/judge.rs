//! Judging an exchange by every rule against parsing the same bytes into parsed, side by side in one run.
//!
//! Whole replies and streams of 10 and 2,000 chunks, made of recorded ones. The folded form is the steps' own and is made in
//! any case, so that it is shown apart. The goal is a ratio of 3 or less.

mod recorded;

use fireassay::contract::{Context, judge};
use fireassay::wire::{Request, fold_chat};
use recorded::{long, median, plain, time};

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
            let exchange = long(recorded, Request::post_raw("/v1/chat/completions", "application/json", ASKED), chunks);
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
