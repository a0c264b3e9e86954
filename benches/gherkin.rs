//! How fast is a feature file read, and does the time grow with its size alone?
//!
//! Each row reads a file from disk three ways: plain (read it, count its lines), parsed, and parsed with all pickles made.
//! `growth` is the time of one file of ten times the size by that of one of the size, which is taken from ten of them kept
//! at once, so that both touch as much memory: about 10 where the work is linear. Times are processor time where the system
//! tells it, else wall time.
//! Run it with `cargo bench --bench gherkin`; it fails where a growth is far above that.

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fireassay::source::SourceMap;
use fireassay::spec::gherkin::{Document, ScenarioNode, parse, scenarios};

const ENOUGH: Duration = Duration::from_millis(200);
/// Work that grows with the square of the size would show 100. Linear work shows 10 to 13, and a doc string up to 27: its
/// copies are single blocks so large that the allocator takes their pages anew from the system every time.
const MOST_GROWTH: f64 = 40.0;

/// Name, smaller size, and what makes a text of a size.
type Subject = (&'static str, usize, fn(usize) -> String);

const SUBJECTS: &[Subject] = &[
    ("lines", 5_000, feature),
    ("outline rows", 1_000, outline),
    ("table rows", 20_000, table),
    ("doc string lines", 20_000, doc_string),
    ("description lines", 20_000, description),
    ("tag lines", 20_000, tags),
];

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut steep = false;
    println!(
        "{:<18} {:>7} {:>8}  {:>9} {:>15} {:>15}  growth: parse, pickles",
        "what", "size", "bytes", "plain", "parse", "pickles"
    );
    for &(name, size, text) in SUBJECTS {
        let [small, large] = [(size, 10), (size * 10, 1)].map(|(size, times)| {
            let path = folder.path().join("bench.feature");
            std::fs::write(&path, text(size)).expect("a file in the temporary folder");
            Row::measure(&path, times)
        });
        println!("{name:<18} {size:>7} {small}");
        let growth = [large.parse.div_duration_f64(small.parse), large.pickles.div_duration_f64(small.pickles)];
        steep |= growth.iter().any(|&growth| growth > MOST_GROWTH);
        println!("{name:<18} {:>7} {large}  {:.1}, {:.1}", size * 10, growth[0], growth[1]);
    }
    if steep {
        println!("a growth above {MOST_GROWTH} is not linear");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Row {
    bytes: usize,
    plain: Duration,
    parse: Duration,
    pickles: Duration,
}

impl Row {
    fn measure(path: &Path, times: u32) -> Self {
        Self {
            bytes: read(path).len(),
            plain: mean(times, || {
                let text = read(path);
                let lines: usize = text.lines().map(str::len).sum();
                (text, lines)
            }),
            parse: mean(times, || document(path)),
            pickles: mean(times, || {
                let document = document(path);
                let steps = |node: &ScenarioNode<'_>| node.pickles(&[]).map(|pickle| pickle.steps.len()).sum::<usize>();
                let steps: usize = scenarios(&document).iter().map(steps).sum();
                (document, steps)
            }),
        }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let speed = |time: Duration| self.bytes as f64 / 1e6 / time.as_secs_f64();
        let by_plain = |time: Duration| time.div_duration_f64(self.plain);
        write!(out, "{:>8}  {:>4.0} MB/s", self.bytes, speed(self.plain))?;
        for time in [self.parse, self.pickles] {
            write!(out, "  {:>4.0} MB/s x{:<4.1}", speed(time), by_plain(time))?;
        }
        Ok(())
    }
}

/// The mean time of one piece of work, which is done several times with all results kept, over and over. Letting go of the
/// results is part of it.
fn mean<T>(times: u32, mut work: impl FnMut() -> T) -> Duration {
    let mut run = || drop(black_box((0..times).map(|_| work()).collect::<Vec<T>>()));
    run();
    let (wall, processor) = (Instant::now(), processor_time());
    let mut done = 0;
    loop {
        run();
        done += times;
        // The system counts in ticks of some milliseconds; this is many of them.
        let time = processor_time().zip(processor).map_or_else(|| wall.elapsed(), |(end, start)| end.saturating_sub(start));
        if time >= ENOUGH {
            return time / done;
        }
    }
}

/// What this thread has had of a processor, where the system tells it (Linux).
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file just written")
}

fn document(path: &Path) -> Document {
    let mut map = SourceMap::new();
    let file = map.add("bench.feature", read(path));
    let (document, diagnostics) = parse(&map, file);
    assert_eq!(diagnostics, []);
    document
}

fn repeat(head: &str, times: usize, line: impl Fn(usize) -> String) -> String {
    std::iter::once(head.to_owned()).chain((0..times).map(line)).collect()
}

fn feature(lines: usize) -> String {
    repeat("Feature: f\n", lines / 7, |index| {
        format!(
            "\n  @chat @row{index}\n  Scenario: number {index}\n    Given the model \"text\"\n    When I ask \"What is {index}?\"\n      | max_tokens | 64 |\n    Then the reply mentions \"{index}\"\n"
        )
    })
}

fn outline(rows: usize) -> String {
    let head = "Feature: f\n  Scenario Outline: capital of <country>\n    Given the model \"text\"\n    When I ask \"What is the capital of <country>?\"\n    Then the reply mentions \"<capital>\"\n    And it has:\n      | city | <capital> |\n    Examples:\n      | country | capital |\n";
    repeat(head, rows, |index| format!("      | country {index} | capital {index} |\n"))
}

fn table(rows: usize) -> String {
    repeat("Feature: f\n  Scenario: s\n    Given rows\n", rows, |index| format!("      | {index} | some text \\| more | a |\n"))
}

fn doc_string(lines: usize) -> String {
    let mut out = repeat("Feature: f\n  Scenario: s\n    Given a text\n      \"\"\"json\n", lines, |index| {
        format!("        {{\"index\": {index}, \"text\": \"<not> a placeholder\"}},\n")
    });
    out.push_str("      \"\"\"\n");
    out
}

fn description(lines: usize) -> String {
    repeat("Feature: f\n  Scenario: s\n", lines, |index| {
        format!("    Some words about the number {index}: nothing that would run.\n")
    })
}

fn tags(lines: usize) -> String {
    let mut out = repeat("Feature: f\n  Scenario: r\n    Given a\n", lines, |index| format!("  @a{index} @b # why\n"));
    out.push_str("  Scenario: s\n    Given b\n");
    out
}
