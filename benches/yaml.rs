//! How long a case file of about twenty thousand lines takes to read with places, against `serde_json` on the same data.
//!
//! `cargo bench --bench yaml` prints the best of several runs of each and their ratio.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use fireassay::source::SourceMap;
use fireassay::spec::CaseFile;
use fireassay::spec::yaml::load_list;

fn main() {
    let yaml = case_file(2000);
    let mut map = SourceMap::new();
    let file = map.add("cases/big.yaml", yaml.as_str());
    let (loaded, diagnostics) = load_list::<CaseFile>(&map, file);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let json = serde_json::to_string_pretty(&loaded.expect("a good file").raw).expect("plain JSON");

    let yaml_time = best_of(7, || {
        let (loaded, _) = load_list::<CaseFile>(&map, file);
        assert!(loaded.is_some());
    });
    let json_time = best_of(7, || {
        let cases: CaseFile = serde_json::from_str(&json).expect("the same data");
        assert!(matches!(cases, CaseFile::Many(_)));
    });
    let ratio = yaml_time.as_secs_f64() / json_time.as_secs_f64();
    println!("yaml with places: {} lines, {} KiB, {yaml_time:.2?}", yaml.lines().count(), yaml.len() / 1024);
    println!("serde_json:       {} lines, {} KiB, {json_time:.2?}", json.lines().count(), json.len() / 1024);
    println!("ratio: {ratio:.1}");
}

fn case_file(cases: usize) -> String {
    (0..cases).fold(String::new(), |mut text, n| {
        write!(
            text,
            "- name: capital of country {n} is <capital>\n  tags: [chat, slow]\n  given:\n    model: text\n    params: {{max_tokens: 32, seed: {n}}}\n    \
             system: Answer in one sentence.\n  ask: What is the capital of country {n}?\n  expect:\n    - reply: {{mentions: Paris}}\n    - finish: stop\n"
        )
        .expect("a string takes it");
        text
    })
}

fn best_of(runs: usize, mut work: impl FnMut()) -> Duration {
    let time = |()| {
        let began = Instant::now();
        work();
        began.elapsed()
    };
    std::iter::repeat_n((), runs).map(time).min().unwrap_or_default()
}
