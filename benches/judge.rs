//! Judging an exchange by every rule against parsing the same bytes into values, side by side in one run.
//!
//! Streams of 10 and 2,000 chunks, made of recorded ones. All that is done to a reply counts: reading its events and their
//! JSON, folding them, and the rules. The goal is a ratio of 3 or less.

mod recorded;

use fireassay::contract::{Context, judge};
use fireassay::wire::{Reading, Request};
use recorded::{long, median, plain, time};

const STREAMS: &[(&str, &str)] = &[
    ("llamacpp text", include_str!("../tests/data/wire/llamacpp-chat.sse")),
    ("vllm reasoning", include_str!("../tests/data/wire/vllm-think.sse")),
    ("mlx text", include_str!("../tests/data/wire/mlx-chat.sse")),
];

const ASKED: &str = r#"{"model":"m","temperature":0,"max_tokens":4096,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"What is the capital of France?"}]}"#;

fn main() {
    println!("{:<16} {:>7} {:>11} {:>11} {:>11} {:>11} {:>6}", "stream", "chunks", "values", "read", "fold", "rules", "ratio");
    for (name, recorded) in STREAMS {
        for chunks in [10, 2000] {
            let exchange = long(recorded, Request::post_raw("/v1/chat/completions", "application/json", ASKED), chunks);
            let rounds = 40_000 / chunks;
            let models = ["m".to_owned()];
            let context = Context { key: Some("a-key-of-this-run"), models: &models, now: None };
            let (mut values, mut reads, mut folds, mut rules) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                values.push(time(|| plain(&exchange.body)));
                reads.push(time(|| Reading::of(&exchange).frames.len() as u64));
                let reading = Reading::of(&exchange);
                folds.push(time(|| reading.chat().events));
                let chat = reading.chat();
                rules.push(time(|| judge(&reading, &chat, &context).findings.len() as u64));
            }
            let [values, read, fold, rules] = [values, reads, folds, rules].map(median);
            let ratio = (read + fold + rules).as_secs_f64() / values.as_secs_f64();
            println!("{name:<16} {chunks:>7} {values:>11.2?} {read:>11.2?} {fold:>11.2?} {rules:>11.2?} {ratio:>6.2}");
        }
    }
}
