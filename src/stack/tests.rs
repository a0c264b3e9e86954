//! Process life with real processes: whatever a service does, it is told in words and nothing of it is left.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::guardian::{self, Guardian};
use super::logs::Logs;
use super::os::{self, Listening};
use super::process::{Launch, Process};
use super::service::{Running, Start};
use super::{Door, Gone, LogMark, Order, Progress, Stack, StackError, StackOptions};
use crate::spec::SetupSpec;
use crate::spec::files::Project;
use crate::spec::setup::Service;
use crate::wire::Secrets;

const PATIENCE: Duration = Duration::from_mins(1);
/// Python's own file server: a real process that listens where it is told.
const SERVER: &str = "[python3, -m, http.server, '<port>', --bind, 127.0.0.1]";

/// A stack's surroundings in a temporary folder, and what was said on the way.
struct Bench {
    folder: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Self {
        guarded_by_this_binary();
        Self { folder: tempfile::tempdir().unwrap(), said: Arc::default() }
    }

    fn options(&self) -> StackOptions {
        let at = |name: &str| self.folder.path().join(name);
        StackOptions {
            cache: at("cache"),
            record: at("record"),
            project: Project::new(self.folder.path()),
            port: None,
            environment: Vec::new(),
            secrets: Secrets::default(),
        }
    }

    fn progress(&self) -> Progress {
        let said = Arc::clone(&self.said);
        Arc::new(move |phase, line: &str| said.lock().unwrap().push(format!("{phase:?} {line}")))
    }

    fn heard(&self, part: &str) -> bool {
        self.said.lock().unwrap().iter().any(|line| line.contains(part))
    }

    async fn up(&self, services: &str) -> Result<Stack, StackError> {
        Stack::up(&setup(services), &[], &self.options(), self.progress()).await
    }

    async fn fails(&self, services: &str) -> StackError {
        let error = self.up(services).await.expect_err("it must not come up");
        for group in self.groups() {
            assert!(os::living(group).is_empty(), "{group} is left behind: {error}");
        }
        error
    }

    /// Groups that were started, by what was said of them.
    fn groups(&self) -> Vec<Pid> {
        let said = self.said.lock().unwrap();
        let number = |line: &String| line.split_once("started as process ")?.1.split(',').next()?.parse().ok();
        said.iter().filter_map(number).map(Pid::from_raw).collect()
    }
}

/// The guardian is another run of this test binary: of the one test that calls its `main`.
pub(super) fn guarded_by_this_binary() {
    let test = "stack::tests::guardian_entry";
    let arguments = [test, "--exact", "--nocapture", guardian::ARGUMENT].map(str::to_owned).to_vec();
    guardian::set_program(std::env::current_exe().unwrap(), arguments);
}

#[test]
fn guardian_entry() {
    if std::env::args().any(|argument| argument == guardian::ARGUMENT) {
        std::process::exit(guardian::main());
    }
}

fn setup(services: &str) -> SetupSpec {
    serde_yaml::from_str(&format!("name: bench\nservices: {services}")).unwrap()
}

/// A service in words of YAML, ready when `/` answers.
fn serving(command: &str, more: &str) -> String {
    format!("{{server: {{command: {command}, ready: {{http: /, within: 60s}}{more}}}}}")
}

fn port_of(stack: &Stack) -> u16 {
    stack.url().rsplit(':').next().unwrap().parse().unwrap()
}

fn listens(port: u16) -> bool {
    os::listening(port, None) != Listening::Nobody
}

#[track_caller]
fn until(what: &str, mut claim: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !claim() {
        assert!(Instant::now() < deadline, "{what} did not come true");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_stack_comes_up_answers_and_is_gone() {
    let bench = Bench::new();
    let mut stack = bench.up(&serving(SERVER, "")).await.unwrap();
    let port = port_of(&stack);
    stack.alive().unwrap();
    assert!(stack.server().starts_with("SimpleHTTP/"), "{}", stack.server());
    until("the log has the health request", || stack.log_since(&LogMark::default(), 9000).contains("GET / "));
    stack.down(false, bench.progress()).await.unwrap();
    assert!(!listens(port));
    assert!(os::living(bench.groups()[0]).is_empty());
    let log = std::fs::read_to_string(bench.options().record.join("logs/server.log")).unwrap();
    assert!(log.contains("GET / "), "{log}");
}

#[tokio::test]
async fn a_service_that_dies_early_is_told_with_its_code_and_last_words() {
    let bench = Bench::new();
    let error = bench.fails(&serving("[sh, -c, 'echo model not found >&2; exit 3']", "")).await;
    assert_eq!(error.kind, "infra.start");
    assert_eq!(error.message, "`server` died before it was ready: exit code 3; last words: model not found");
    let error = bench.fails(&serving("[/no/such/program]", "")).await;
    assert!(error.message.starts_with("the command `/no/such/program` of service `server` is not found"), "{error}");
}

#[tokio::test]
async fn a_service_that_never_gets_ready_is_told_with_the_last_status() {
    let bench = Bench::new();
    let services = format!("{{server: {{command: {SERVER}, ready: {{http: /nope, within: 3s}}}}}}");
    let error = bench.fails(&services).await;
    assert_eq!(error.kind, "infra.ready");
    assert!(error.message.starts_with("`server` was not ready within 3s; last: "), "{error}");
    let error = bench.fails("{server: {command: [sleep, '600'], ready: {within: 200ms}}}").await;
    assert!(error.message.contains("last: it does not listen on port "), "{error}");
}

#[tokio::test]
async fn a_service_that_refuses_to_generate_is_told_at_once() {
    let bench = Bench::new();
    let services = serving(SERVER, ", warm_up: {chat: text}");
    let error = Stack::up(&setup(&services), &[("text".to_owned(), "m".to_owned())], &bench.options(), bench.progress()).await;
    let error = error.expect_err("a file server does not generate");
    assert!(error.message.starts_with("`server` refuses to generate with the model `m`: status 501"), "{error}");
}

#[tokio::test]
async fn a_service_that_hangs_on_the_signal_is_killed_with_its_children() {
    let bench = Bench::new();
    let hanging = "[sh, -c, 'trap \"\" TERM; sleep 600 & python3 -m http.server <port> --bind 127.0.0.1']";
    let stack = bench.up(&serving(hanging, ", stop: {grace: 300ms}")).await.unwrap();
    let (port, group) = (port_of(&stack), bench.groups()[0]);
    assert!(os::living(group).len() >= 3);
    stack.down(false, bench.progress()).await.unwrap();
    assert!(bench.heard("killed, it did not end within 0.3 s"), "{:?}", bench.said);
    assert!(os::living(group).is_empty() && !listens(port));
}

/// Leaves its group and its session, as daemons do.
const DAEMON: &str = "import os, sys, subprocess; subprocess.Popen([sys.executable, '-m', 'http.server', '<port>', '--bind', \
                      '127.0.0.1'], start_new_session=True)";

#[tokio::test]
async fn a_service_that_forks_and_leaves_is_told_and_found() {
    let bench = Bench::new();
    for then in ["", "; import time; time.sleep(600)"] {
        let error = bench.fails(&serving(&format!("[python3, -c, \"{DAEMON}{then}\"]"), "")).await;
        assert!(error.message.starts_with("`server` left `"), "{error}");
        assert!(error.message.ends_with("in the background; a service must stay in the foreground"), "{error}");
        let said = bench.said.lock().unwrap();
        let port = said.iter().rev().find_map(|line| line.split_once(", port ")?.1.parse().ok()).unwrap();
        assert!(!listens(port), "what left is ended as well");
    }
}

#[tokio::test]
async fn children_born_while_we_look_have_not_left() {
    let _bench = Bench::new();
    let (guardian, logs) = (Guardian::start().unwrap(), Logs::create(None, Secrets::default()).unwrap());
    let words = ["sh", "-c", "while :; do readlink x | readlink y; done"].map(str::to_owned).to_vec();
    let launch = Launch { name: "server".to_owned(), words, ..Launch::default() };
    let mut process = Process::spawn(&launch, &guardian, &logs).unwrap();
    for _ in 0..300 {
        assert_eq!(process.strays(), []);
    }
    process.stop(Signal::SIGKILL, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn what_a_service_leaves_behind_at_its_end_is_ended() {
    let bench = Bench::new();
    let leaves = "[sh, -c, 'python3 -c \"import subprocess; subprocess.Popen([\\\"sleep\\\", \\\"601\\\"], start_new_session=True)\"; exec python3 -m http.server <port> --bind 127.0.0.1']";
    let stack = bench.up(&serving(leaves, "")).await.unwrap();
    let environment = std::fs::read_to_string(format!("/proc/{}/environ", bench.groups()[0])).unwrap();
    let mark = environment.split('\0').find_map(|pair| pair.strip_prefix("FIREASSAY_SERVICE=")).unwrap();
    assert_eq!(os::marked(mark).len(), 2, "the server and the one that left");
    stack.down(false, bench.progress()).await.unwrap();
    assert!(os::marked(mark).is_empty());
}

#[tokio::test]
async fn a_service_that_logs_a_gigabyte_is_read_and_takes_little_disk() {
    let bench = Bench::new();
    let loud =
        "[sh, -c, 'head -c 1000000000 /dev/zero | tr \"\\0\" x; echo; exec python3 -u -m http.server <port> --bind 127.0.0.1']";
    let us = super::usage::Watched { name: "us".to_owned(), group: nix::unistd::getpgrp(), limit: None };
    let mut memory = super::usage::Sampler::new(vec![(None, Arc::new(Mutex::new(vec![us])))]).unwrap();
    let before = memory.sample().services[0].rss;
    let stack = bench.up(&serving(loud, "").replace("within: 60s", "within: 300s")).await.unwrap();
    let after = memory.sample().services[0].rss;
    assert!(after < before + (200 << 20), "{before} bytes before, {after} after");
    until("the last lines are kept", || stack.log_since(&LogMark::default(), 1 << 20).contains("GET / "));
    stack.down(false, bench.progress()).await.unwrap();
    let files =
        std::fs::read_dir(bench.options().record.join("logs")).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let size: u64 = files.sum();
    assert!(size > 1 << 20 && size <= 32 << 20, "{size} bytes on disk");
}

#[tokio::test]
async fn a_hurry_caps_the_grace() {
    let bench = Bench::new();
    let hanging = "[sh, -c, 'trap \"\" TERM; python3 -m http.server <port> --bind 127.0.0.1']";
    let stack = bench.up(&serving(hanging, ", stop: {grace: 600s}")).await.unwrap();
    stack.down(true, bench.progress()).await.unwrap();
    assert!(bench.heard("killed, it did not end within 2.0 s"), "{:?}", bench.said);
}

#[tokio::test]
async fn a_fixed_port_that_is_taken_names_who_has_it() {
    let bench = Bench::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = bench.fails(&serving(SERVER, &format!(", port: {port}"))).await;
    let expect = format!("`server` cannot listen: port {port} is taken by pid {}: ", std::process::id());
    assert!(error.message.starts_with(&expect), "{error}");
    assert!(error.message.ends_with("; end it, or set `port: auto`"), "{error}");
    assert!(bench.groups().is_empty(), "nothing was started");
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the stranger is unharmed");
}

#[tokio::test]
async fn a_port_that_a_stranger_takes_first_is_left_to_him() {
    let bench = Bench::new();
    let service: Service = serde_yaml::from_str("{command: [x], ready: {http: /}}").unwrap();
    let (guardian, logs) = (Guardian::start().unwrap(), Logs::create(None, Secrets::default()).unwrap());
    let stranger: Mutex<Option<TcpListener>> = Mutex::default();
    // This test is the stranger: it takes the first port between its choice and the start.
    let launch = |port: u16| {
        stranger.lock().unwrap().get_or_insert_with(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        let words = ["python3", "-m", "http.server", &port.to_string(), "--bind", "127.0.0.1"].map(str::to_owned).to_vec();
        Ok(Launch { name: "server".to_owned(), words, ..Launch::default() })
    };
    let progress = bench.progress();
    let start = Start {
        name: "server",
        service: &service,
        port: None,
        launch: &launch,
        warm_up: None,
        bearer: None,
        guardian: &guardian,
        logs: &logs,
        progress: &progress,
    };
    let running = Running::start(&start).await.unwrap();
    let taken = stranger.lock().unwrap().as_ref().unwrap().local_addr().unwrap().port();
    assert_ne!(running.port(), taken);
    assert!(bench.heard(&format!("port {taken} was taken by pid {}", std::process::id())), "{:?}", bench.said);
    running.stop(Duration::MAX, &progress).await.unwrap();
    for group in bench.groups() {
        assert!(os::living(group).is_empty());
    }
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_a_death_is_noticed() {
    let bench = Bench::new();
    let mut stack = bench.up(&serving(SERVER, "")).await.unwrap();
    let port = port_of(&stack);
    kill(bench.groups()[0], Signal::SIGKILL).unwrap();
    until("the death is noticed", || stack.alive().is_err());
    let error = stack.alive().unwrap_err();
    assert!(error.message.contains("`server` died: signal 9 (SIGKILL)"), "{error}");
    stack.restart(bench.progress()).await.unwrap();
    stack.alive().unwrap();
    assert!(listens(port) && port_of(&stack) == port);
    stack.down(false, bench.progress()).await.unwrap();
    assert!(!listens(port));
}

#[tokio::test]
async fn a_stack_that_is_dropped_is_killed() {
    let bench = Bench::new();
    let stack = bench.up(&serving(SERVER, "")).await.unwrap();
    let port = port_of(&stack);
    drop(stack);
    assert!(os::living(bench.groups()[0]).is_empty() && !listens(port));
}

#[tokio::test]
async fn a_cancelled_start_leaves_nothing() {
    let bench = Bench::new();
    let services = "{server: {command: [sleep, '600']}}";
    let started = async {
        while bench.groups().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        _ = bench.up(services) => panic!("`sleep` never listens"),
        () = started => {}
    }
    assert!(os::living(bench.groups()[0]).is_empty());
}

/// Not a test by itself: brings a stack up and waits to be killed. Runs only when the test below starts it.
#[tokio::test]
async fn held_until_killed() {
    if !std::env::args().any(|argument| argument == "hold") {
        return;
    }
    let bench = Bench::new();
    let stack = bench.up("{server: {command: [sh, -c, 'sleep 600 & cd <scratch> && python3 -m http.server <port> --bind 127.0.0.1'], ready: {http: /}}}").await.unwrap();
    let group = bench.groups()[0];
    let folder = std::fs::read_link(format!("/proc/{group}/cwd")).unwrap_or_default();
    println!("held {group} {} {}", port_of(&stack), folder.display());
    std::future::pending::<()>().await;
}

#[test]
fn nothing_is_left_when_we_are_killed() {
    use std::io::BufRead;
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["stack::tests::held_until_killed", "--exact", "--nocapture", "hold"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(holder.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find_map(|line| line.split_once("held ").map(|(_, rest)| rest.to_owned())).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let (group, port) = (Pid::from_raw(words[0].parse().unwrap()), words[1].parse().unwrap());
    assert!(os::living(group).len() >= 2 && listens(port));
    holder.kill().unwrap();
    holder.wait().unwrap();
    until("the group is gone", || os::living(group).is_empty());
    assert!(!listens(port));
    if !words[2].is_empty() {
        assert!(words[2].contains(guardian::SCRATCH_PREFIX), "{line}");
        until("the scratch folder is gone", || !std::path::Path::new(words[2]).exists());
    }
}

#[test]
fn a_command_does_not_run_if_we_die_before_it_is_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    let mut child = Command::new("/bin/sh")
        .args(["-c", super::process::GATE, "fireassay", "touch", mark.to_str().unwrap()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(!mark.exists());
}

#[tokio::test]
async fn attaching_to_nobody_says_so() {
    let port = os::free_port().unwrap();
    let error = Stack::attach(&format!("127.0.0.1:{port}/v1"), None).await.unwrap_err();
    assert_eq!(error.kind, "infra.identity");
    assert!(error.message.starts_with(&format!("nothing answers at http://127.0.0.1:{port} (")), "{error}");
}

#[tokio::test]
async fn what_is_ended_by_order_is_no_death_and_comes_back_where_it_was() {
    let bench = Bench::new();
    let ready = "ready: {http: /, within: 60s}";
    let services = format!(
        "{{server: {{command: {SERVER}, {ready}, after: [backend]}}, backend: {{command: {SERVER}, {ready}, auth: {{bearer: own-<key>}}}}}}"
    );
    let mut stack = bench.up(&services).await.unwrap();
    let at = |stack: &Stack, name: &str| stack.addresses().into_iter().find(|address| address.name == name).unwrap();
    let port = |url: &str| url.rsplit(':').next().unwrap().parse().unwrap();
    let (server, backend) = (at(&stack, "server"), at(&stack, "backend"));
    assert!(server.bearer.is_none() && backend.bearer.as_ref().is_some_and(|key| key.starts_with("own-")));
    let names = |gone: &[Gone]| gone.iter().map(|gone| gone.name.clone()).collect::<Vec<_>>();
    let kill = Order::Kill("backend".to_owned());

    let gone = stack.obey(&kill, bench.progress()).await.unwrap();
    assert_eq!((names(&gone), gone[0].killed_after), (vec!["backend".to_owned()], None));
    assert!(!listens(port(&backend.url)) && listens(port(&server.url)));
    stack.alive().unwrap();
    assert!(stack.ended().is_empty());
    let again = stack.obey(&kill, bench.progress()).await.unwrap_err();
    assert_eq!((again.kind, &*again.message), ("author.step", "there is no service `backend` that runs: was it ended before?"));

    let start = Order::Start("backend".to_owned());
    stack.obey(&start, bench.progress()).await.unwrap();
    assert!(listens(port(&backend.url)) && at(&stack, "backend") == backend);
    assert_eq!(stack.obey(&start, bench.progress()).await.unwrap_err().kind, "author.step");

    // Back again, it is ended after what needs it, as if it had never been away.
    let gone = stack.obey(&Order::Stop, bench.progress()).await.unwrap();
    assert_eq!(names(&gone), ["server", "backend"]);
    assert!(!listens(port(&backend.url)) && !listens(port(&server.url)));
    stack.obey(&Order::StartAll, bench.progress()).await.unwrap();
    assert!(listens(port(&backend.url)) && listens(port(&server.url)));
    stack.down(false, bench.progress()).await.unwrap();
    for group in bench.groups() {
        assert!(os::living(group).is_empty());
    }
}

#[tokio::test]
async fn an_order_waits_for_its_answer_or_for_the_end_of_the_run() {
    let (door, mut orders) = Door::new();
    let owner = async {
        orders.recv().await.unwrap().tell(Ok(Vec::new()));
        // The run ends: the next order is not obeyed.
        drop(orders.recv().await);
    };
    let scenario = async {
        assert_eq!(door.order(Order::Stop).await, Ok(Vec::new()));
        assert_eq!(door.order(Order::Stop).await.unwrap_err().kind, "infra.not_run");
    };
    tokio::join!(owner, scenario);
    drop(orders);
    assert_eq!(door.order(Order::StartAll).await.unwrap_err().kind, "infra.not_run");
}
