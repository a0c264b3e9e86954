//! Reading and folding a long stream against plain parsing of the same chunks into values, side by side in one run.
//!
//! The stream is made of recorded ones: their frames between the first and the last are repeated. Ratio 1.0 means that
//! folding costs as much as parsing alone; the goal is 0.5 or more.

mod recorded;

use fireassay::wire::{Request, fold_chat};
use recorded::{long, median, plain, time};

const RECORDED: &[(&str, &str)] = &[
    ("llamacpp text", include_str!("../tests/data/wire/llamacpp-chat.sse")),
    ("llamacpp tool call", include_str!("../tests/data/wire/llamacpp-tool.sse")),
    ("vllm reasoning", include_str!("../tests/data/wire/vllm-think.sse")),
    ("mlx text", include_str!("../tests/data/wire/mlx-chat.sse")),
];

const FRAMES: usize = 4003;
const ROUNDS: usize = 40;

fn main() {
    println!("{:<20} {:>7} {:>9} {:>12} {:>12} {:>6}", "stream", "frames", "KiB", "values", "read + fold", "ratio");
    for (name, recorded) in RECORDED {
        let exchange = long(recorded, Request::default(), FRAMES);
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
