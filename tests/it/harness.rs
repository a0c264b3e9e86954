//! A project folder, the real command in it, and the machine-wide lock that keeps real servers from running side by side.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A setup of the user's own: the shipped one with a fixed key, so that other runs can attach to its server.
pub const FIXED_KEY: &str = r#"name: fixed
extends: llamacpp
auth: {bearer: sesame}
services:
  server:
    command:
      ["<python>", "<assets>/llamacpp_server.py", "-m", "<files>/smollm2-f16.gguf", "--alias", "smollm2", "--host", "127.0.0.1",
       "--port", "<port>", "-c", "8192", "-np", "4", "-t", "1", "--chat-template-file", "<assets>/templates/fewshot-tools.jinja",
       "--api-key", "sesame"]
"#;

/// A folder with a user's files; removed at the end.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What the command printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Fails with everything that was printed unless the exit code is this one.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    /// Fails with everything that was printed unless all parts are in it.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> &Self {
        let all = self.all();
        for part in parts {
            assert!(all.contains(part), "`{part}` is not in:\n{all}");
        }
        self
    }
}

impl Project {
    /// An empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Writes a file.
    pub fn file(self, path: &str, text: &str) -> Self {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// A path in the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Text of a file in the folder.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The command in this folder, with no settings of the tester's own environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fireassay"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("FIREASSAY_") && name != "FIREASSAY_CACHE" {
                command.env_remove(name);
            }
        }
        command.args(arguments).current_dir(self.folder.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().expect("the command starts"))
    }

    /// Starts the command; its output is read when it has ended.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
    }

    /// The events of the newest run, one JSON object each; a last line cut by a kill is left out.
    pub fn events(&self) -> Vec<serde_json::Value> {
        events(&self.path(".fireassay/runs/latest/events.ndjson"))
    }

    /// Waits until an event of the newest run meets a condition, and returns it.
    #[track_caller]
    pub fn wait_for(&self, what: &str, meets: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let path = self.path(".fireassay/runs/latest/events.ndjson");
        wait(what, || events(&path).into_iter().find(|event| meets(event)))
    }
}

/// The output of a command that ran to its end.
pub fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn events(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Polls a condition, with a bound that only a broken product reaches.
#[track_caller]
pub fn wait<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(5);
    while Instant::now() < end {
        if let Some(found) = poll() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("waited 300 s for {what}");
}

/// Held while real servers run; one for the whole machine, so that two test processes do not slow each other down.
pub struct ServerLock {
    _file: File,
}

/// Takes the lock, waiting for whoever holds it.
pub fn real_servers() -> ServerLock {
    let path = std::env::temp_dir().join("fireassay-real-servers.lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).expect("a lock file");
    file.lock().expect("the lock");
    ServerLock { _file: file }
}

/// Whether anything listens on a port of this machine.
pub fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// The port of an address such as `http://127.0.0.1:8080`.
pub fn port(url: &str) -> u16 {
    url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {url}"))
}

/// Sends a signal to a process.
pub fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a pid"));
    nix::sys::signal::kill(pid, signal).expect("the process lives");
}

/// Whether a process works in a folder below this one, or has it on its command line.
pub fn processes_of(folder: &str) -> bool {
    let mut system = sysinfo::System::new().expect("the list of processes");
    system.refresh_processes(sysinfo::ProcessesToUpdate::All, true);
    system.processes().values().any(|process| {
        let named = process.cmd().iter().any(|word| word.to_string_lossy().contains(folder));
        let inside = process.cwd().is_some_and(|path| path.starts_with(folder));
        (named || inside) && process.status() != sysinfo::ProcessStatus::Zombie
    })
}
