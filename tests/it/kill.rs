//! Runs that are killed at random moments, half of them while their server starts or stops: nothing is left, the next run works.
//!
//! `FIREASSAY_KILLS=200 cargo test --test it kill:: -- --nocapture` kills that many and prints the figures; without it, six.
//! `FIREASSAY_SEED` repeats a sequence.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::harness::{Project, listens, ran, real_servers, signal, wait};

const FEATURE: &str = r#"Feature: Stories
  Scenario Outline: A story about <animal>
    Given at most 48 tokens
    And replies are <delivery>
    When I ask "Write a story about a <animal>."
    Then the reply is not empty
    Examples:
      | animal | delivery |
      | fox    | streamed |
      | bear   | whole    |
      | wolf   | streamed |
"#;

/// A variable that every process of one run inherits.
const MARK: &str = "FIREASSAY_KILL_MARK";

/// Longest time from a kill, or from the end of a run that was asked to end, until nothing of it is left.
const LONGEST: Duration = Duration::from_secs(5);

/// Moments of an undisturbed run, after its start.
#[derive(Debug, Clone, Copy)]
struct Course {
    ready: Duration,
    stopping: Duration,
    end: Duration,
}

impl Course {
    /// A moment while the server starts or stops, or while scenarios run.
    fn moment(&self, edge: bool, random: &mut Random) -> Duration {
        let (edges, middle) = (self.ready + self.end.saturating_sub(self.stopping), self.stopping.saturating_sub(self.ready));
        if !edge {
            return self.ready + middle.mul_f64(random.fraction());
        }
        let at = edges.mul_f64(random.fraction());
        if at < self.ready { at } else { self.stopping + at.saturating_sub(self.ready) }
    }
}

/// Xorshift: enough to choose moments.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / f64::from(u32::MAX)
    }
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_nothing() {
    let _lock = real_servers();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = number("FIREASSAY_KILLS").unwrap_or(6);
    let seed = number("FIREASSAY_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1).max(1);
    let project = Project::new().file("stories.feature", FEATURE);
    std::fs::create_dir(project.path("tmp")).expect("a folder");
    let course = undisturbed(&project);
    println!("seed {seed}; undisturbed: {course:?}");
    let (mut random, mut slowest, mut early) = (Random(seed), Duration::ZERO, 0);
    for kill in 0..kills {
        let how = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL][usize::try_from(random.next() % 3).expect("small")];
        let moment = course.moment(kill % 2 == 0, &mut random);
        let mark = format!("{seed}-{kill}");
        let (left, ended) = killed(&project, how, moment, &mark);
        println!("{kill}: {how} after {moment:.2?}: nothing left after {left:.2?}{}", if ended { ", had ended" } else { "" });
        slowest = slowest.max(left);
        early += u64::from(ended);
        if kill % 20 == 19 {
            undisturbed(&project);
        }
    }
    undisturbed(&project);
    println!("{kills} kills ({early} after the end), slowest {slowest:.2?} until nothing was left");
}

/// Runs to the end; it passes, and its moments are known by its events.
fn undisturbed(project: &Project) -> Course {
    let began = Instant::now();
    let mut child = command(project, "undisturbed").spawn().expect("the command starts");
    let seen = |what: &str, phase: &str| {
        project.wait_for(what, |event| event["event"] == "stack" && event["phase"] == phase);
        began.elapsed()
    };
    // The events of the run before are this file's until the new one begins.
    let ready = seen("a server that is ready", "ready");
    let stopping = seen("a server that stops", "stop");
    let status = child.wait().expect("it ends");
    assert!(status.success(), "the next run works: {status}");
    Course { ready: ready.min(stopping), stopping, end: began.elapsed() }
}

fn command(project: &Project, mark: &str) -> std::process::Command {
    drop(std::fs::remove_dir_all(project.path(".fireassay")));
    let mut command = project.command(&["run", "stories.feature", "--setup", "llamacpp", "--concurrency", "1", "--quiet"]);
    command.env(MARK, mark).env("TMPDIR", project.path("tmp"));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

/// Kills a run; how long it took until nothing was left, and whether the run had ended before.
fn killed(project: &Project, how: Signal, moment: Duration, mark: &str) -> (Duration, bool) {
    let began = Instant::now();
    let mut child = command(project, mark).spawn().expect("the command starts");
    while began.elapsed() < moment {
        std::thread::park_timeout(moment.saturating_sub(began.elapsed()));
    }
    let ended = child.try_wait().expect("its state").is_some();
    if !ended {
        signal(child.id(), how);
    }
    let asked = Instant::now();
    let output = ran(&child.wait_with_output().expect("it ends"));
    let from = if how == Signal::SIGKILL { asked } else { Instant::now() };
    if !ended && how != Signal::SIGKILL {
        let code = Some(128 + how as i32);
        assert!(output.code == code || output.code == Some(0) || output.code.is_none(), "{how}: {}", output.all());
    }
    // A process may be dead as a whole a moment before its port is free.
    let gone = || processes_with(mark).is_empty() && !ports(project).into_iter().any(listens);
    wait("everything of the run to end", || gone().then_some(()));
    let left = from.elapsed();
    assert!(left < LONGEST, "{how} after {moment:?}: something was left for {left:?}");
    let scratch: Vec<_> = std::fs::read_dir(project.path("tmp")).expect("a folder").flatten().map(|it| it.path()).collect();
    assert!(scratch.is_empty(), "{scratch:?}");
    (asked.elapsed(), ended)
}

/// Ports that services of the run were started on.
fn ports(project: &Project) -> Vec<u16> {
    let port = |event: &serde_json::Value| event["message"].as_str()?.split_once(", port ")?.1.parse().ok();
    project.events().iter().filter_map(port).collect()
}

/// Living processes that inherited a mark.
fn processes_with(mark: &str) -> Vec<String> {
    let mut system = sysinfo::System::new().expect("the list of processes");
    let what = sysinfo::ProcessRefreshKind::everything();
    system.refresh_processes_specifics(sysinfo::ProcessesToUpdate::All, true, what);
    let wanted = format!("{MARK}={mark}");
    let has = |process: &&sysinfo::Process| {
        process.status() != sysinfo::ProcessStatus::Zombie && process.environ().iter().any(|pair| *pair == *wanted)
    };
    system.processes().values().filter(has).map(|process| format!("{:?}", process.cmd())).collect()
}
