//! What does the engine cost per scenario, the wire left out, and does it grow with their number alone?
//!
//! Each size runs in a process of its own (so that peaks are its own): N scenarios of three steps that send
//! nothing is compiled, run through the engine, written to the record and folded into JUnit. Times are processor time of
//! the whole process. The goals are at most 12 for ten times the scenarios, 2.5 s beyond the plan and 250 MB for 100,000.
//! Run it with `cargo bench --bench engine`; it fails where one is missed by half.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use fireassay::event::{EventLog, RunEvent, Totals};
use fireassay::plan::{Connect, FeatureInput, Given, Overrides, Plan, PlanInput, SuiteInput, compile};
use fireassay::report::{JunitProfile, RunSummary, write_junit};
use fireassay::run::{Bus, Control, RunOptions, run};
use fireassay::source::SourceMap;
use fireassay::spec::files::Project;
use fireassay::spec::gherkin::parse;
use fireassay::stack::StackOptions;
use fireassay::wire::Secrets;

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
const PER_FILE: u64 = 1_000;
/// A run on a busy machine may miss a goal by this factor.
const SLACK: f64 = 1.5;

fn main() -> ExitCode {
    if let Some(size) = std::env::args().skip(1).find_map(|word| word.strip_prefix("--size=")?.parse().ok()) {
        measure(size);
        return ExitCode::SUCCESS;
    }
    println!("{:>9} {:>8} {:>8} {:>8} {:>9} {:>7}", "scenarios", "plan s", "run s", "junit s", "us each", "MiB");
    let rows: Vec<Row> = SIZES.iter().map(|size| Row::of(*size)).collect();
    let growth = rows[2].run / rows[1].run;
    println!("growth of the run from 10,000 to 100,000: {growth:.1}");
    let missed = growth > 12.0 * SLACK || rows[2].run + rows[2].junit > 2.5 * SLACK || rows[2].peak_mib > 250.0 * SLACK;
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Row {
    run: f64,
    junit: f64,
    peak_mib: f64,
}

impl Row {
    /// Measures one size in a process of its own.
    fn of(size: u64) -> Self {
        let me = std::env::current_exe().expect("our own path");
        let out = Command::new(me).arg(format!("--size={size}")).output().expect("it starts");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).expect("figures");
        let figures: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a figure")).collect();
        let [plan, run, junit, peak_mib] = figures[..] else { panic!("four figures: {text}") };
        let each = run * 1e6 / f64::from(u32::try_from(size).expect("small"));
        println!("{size:>9} {plan:>8.2} {run:>8.2} {junit:>8.2} {each:>9.1} {peak_mib:>7.0}");
        Self { run, junit, peak_mib }
    }
}

/// Compiles and runs `size` scenarios and prints: plan, run, JUnit in seconds of processor time, peak memory in MiB.
fn measure(size: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begin = processor_time();
    let plan = plan(size);
    let planned = processor_time();
    let summary = Rc::new(RefCell::new(RunSummary::default()));
    let bus = Bus::new(Secrets::default());
    bus.add(EventLog::create(&folder.path().join("events.ndjson")).expect("a record"));
    let fold = Rc::clone(&summary);
    bus.add(move |event: &RunEvent| {
        fold.borrow_mut().push(event);
        Ok(())
    });
    let options = RunOptions {
        stack: StackOptions {
            cache: folder.path().join("cache"),
            record: folder.path().to_owned(),
            project: Project::new(folder.path()),
            port: None,
            environment: Vec::new(),
            secrets: Secrets::default(),
        },
        fail_fast: false,
        epoch: Instant::now(),
        bearers: HashMap::new(),
        rerun: "fireassay run {}".to_owned(),
        body_limit: 64 << 20,
        reels: HashMap::new(),
    };
    let control = Control::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let totals = tokio::task::LocalSet::new().block_on(&runtime, run(&plan, &options, &bus, &control));
    assert_eq!(totals.totals, Totals { passed: size, ..Totals::default() }, "every scenario passes");
    let ran = processor_time();
    write_junit(&summary.borrow(), &folder.path().join("junit.xml"), JunitProfile::Rich).expect("a report");
    let reported = processor_time();
    println!("{} {} {} {}", planned - begin, ran - planned, reported - ran, peak_mib());
}

/// One file of scenarios.
fn feature(map: &mut SourceMap, number: u64) -> FeatureInput {
    let mut text = String::from("Feature: Many\n");
    for scenario in 0..PER_FILE {
        text.push_str("  Scenario: Number ");
        text.push_str(&scenario.to_string());
        text.push_str("\n    Given the temperature is 0\n    And the seed is 7\n    And at most 64 tokens\n");
    }
    let file = map.add(format!("many-{number}.feature"), text);
    let (document, mistakes) = parse(map, file);
    assert!(mistakes.is_empty(), "the feature is right");
    FeatureInput { file, document: Arc::new(document), mistakes: Arc::default(), lines: Vec::new() }
}

/// A plan of that many scenarios against a server that only says which models it has.
fn plan(size: u64) -> Plan {
    let mut map = SourceMap::new();
    let features = (0..size / PER_FILE).map(|number| feature(&mut map, number)).collect();
    let url = Given { value: models_server(), origin: "bench".to_owned() };
    let input = PlanInput {
        suites: vec![SuiteInput { features, complete: true, ..SuiteInput::default() }],
        overrides: Overrides { url: Some(url), ..Overrides::default() },
        bare_setup: true,
        ..PlanInput::default()
    };
    // That these scenarios claim nothing is the one mistake, and wanted: a claim needs a reply, and a reply is the wire's.
    let (mut plan, mistakes) = compile(&map, &input, &fireassay::steps::catalogue(), fireassay::steps::EXPECT);
    assert!(mistakes.iter().all(|mistake| mistake.code == "scenario/no-claim"), "{:?}", mistakes.first());
    assert_eq!(plan.planned(), size);
    for cell in &mut plan.cells {
        assert!(matches!(cell.connect, Connect::Attach { .. }), "attached to the bench's own address");
        cell.concurrency = 2;
    }
    plan
}

/// Answers every question with llama.cpp's recorded list of models, so that the run has something to attach to.
fn models_server() -> String {
    let models = include_str!("../tests/data/wire/llamacpp-models.json");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            let got = stream.read(&mut head).expect("a request");
            assert!(got > 0, "a request");
            let length = models.len();
            let head = "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: application/json\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {length}\r\n\r\n{models}").expect("an answer");
        }
    });
    url
}

/// Processor time of this process and its threads, in seconds.
fn processor_time() -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).expect("our usage");
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let micros = u32::try_from(time.tv_usec()).expect("below a million");
            f64::from(u32::try_from(time.tv_sec()).expect("a few seconds")) + f64::from(micros) / 1e6
        })
        .sum()
}

/// Peak of resident memory.
fn peak_mib() -> f64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).expect("our usage");
    // Linux says KiB, macOS bytes.
    let kib = if cfg!(target_os = "macos") { usage.max_rss() / 1024 } else { usage.max_rss() };
    f64::from(u32::try_from(kib).expect("below 4 TiB")) / 1024.0
}
