//! `fireassay proxy` between plain sockets and real servers: llama.cpp, and Python's file server for bodies of any length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::faults::Server;
use crate::harness::{Project, Ran, real_servers, signal};

/// Python's file server over kept connections; prints its port.
const FILES: &str = "import http.server as h, sys; h.SimpleHTTPRequestHandler.protocol_version = 'HTTP/1.1'; \
s = h.ThreadingHTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); s.request_queue_size = 256; s.socket.listen(256); \
print('http://127.0.0.1:%d' % s.server_port, flush=True); s.serve_forever()";

/// Much less than the bodies that pass. **Units**: bytes.
const BOUND: u64 = 90 << 20;
const LONG: u64 = 100_000_000;

/// A process that says its address in its first line, and is ended with this.
pub struct Says {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub url: String,
}

impl Says {
    pub fn new(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("a first line");
        let url = first.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {first:?}")).to_owned();
        Self { child, lines, url }
    }

    pub fn proxy(project: &Project, arguments: &[&str]) -> Self {
        Self::new(project.start(&[&["proxy"], arguments].concat()))
    }

    fn files(project: &Project) -> Self {
        let mut server = Command::new("python3");
        server.args(["-c", FILES]).current_dir(project.path("")).stdout(Stdio::piped()).stderr(Stdio::null());
        Self::new(server.spawn().expect("python3"))
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.url.trim_start_matches("http://")).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a socket");
        socket
    }

    /// Ends it as Ctrl-C does.
    pub fn end(mut self) -> Ran {
        signal(self.child.id(), Signal::SIGINT);
        let mut stdout = String::new();
        self.lines.read_to_string(&mut stdout).expect("text");
        let mut stderr = String::new();
        self.child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
        Ran { code: self.child.wait().expect("it ends").code(), stdout, stderr }
    }

    fn memory(&self, system: &mut sysinfo::System) -> u64 {
        let pid = sysinfo::Pid::from_u32(self.child.id());
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).map_or(0, sysinfo::Process::memory)
    }
}

impl Drop for Says {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One reply on a connection that stays: its head, and its body of the length that the head tells.
fn reply(socket: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break end + 4;
        }
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).expect("a reply");
        assert!(count > 0, "the connection ended in the head: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&piece[..count]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
    let mut body = bytes.split_off(end);
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.unwrap_or_else(|| panic!("no length in {head}"));
    let already = body.len();
    body.resize(length, 0);
    socket.read_exact(&mut body[already..]).expect("the whole body");
    (head, body)
}

#[test]
fn long_bodies_pass_in_bounded_memory_and_many_connections_stay() {
    let project = Project::new().file("small.txt", "hello\n");
    let long = std::fs::File::create(project.path("long.bin")).expect("a file");
    long.set_len(LONG).expect("a long file");
    let files = Says::files(&project);
    let proxy = Says::proxy(&project, &["--to", &files.url]);

    let mut system = sysinfo::System::new().expect("the list of processes");
    let mut socket = proxy.connect();
    socket.write_all(b"GET /long.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("a request");
    let (mut came, mut most) = (0, 0);
    let mut piece = vec![0; 1 << 20];
    loop {
        let count = socket.read(&mut piece).expect("the body goes on") as u64;
        if count == 0 {
            break;
        }
        if (came + count) >> 23 > came >> 23 {
            most = most.max(proxy.memory(&mut system));
        }
        came += count;
    }
    assert!(came > LONG && came < LONG + 1000, "{came} bytes came with their head");
    assert!(most > 0 && most < BOUND, "the proxy took {} MiB", most >> 20);

    // What a server says of itself is written as it writes it.
    let ask = b"GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n";
    let told = |of: &Says| {
        let mut socket = of.connect();
        socket.write_all(ask).expect("a request");
        let (head, _) = reply(&mut socket);
        head.lines().filter(|line| !line.starts_with("Date:")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&proxy), told(&files));

    let mut sockets: Vec<TcpStream> = (0..200).map(|_| proxy.connect()).collect();
    for round in 0..2 {
        for socket in &mut sockets {
            socket.write_all(ask).expect("a request");
        }
        for (number, socket) in sockets.iter_mut().enumerate() {
            assert_eq!(reply(socket).1, b"hello\n", "connection {number} in round {round}");
        }
    }
    drop(sockets);
    let ended = proxy.end();
    ended.exits(0);
    assert_eq!(ended.stdout.matches("200 GET /small.txt").count(), 401, "{}", ended.all());
}

const QUESTION: &str = r#"{"model":"smollm2","messages":[{"role":"user","content":"What is the capital of France?"}],"temperature":0,"seed":7,"max_tokens":24,"stream":true}"#;

/// Asks over a connection that closes; all that comes.
fn ask(of: &str, body: &str, padding: u64) -> Vec<u8> {
    ask_with("sesame", of, body, padding)
}

fn ask_with(key: &str, of: &str, body: &str, padding: u64) -> Vec<u8> {
    let mut socket = TcpStream::connect(of.trim_start_matches("http://")).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_mins(2))).expect("a socket");
    let length = body.len() as u64 + padding;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).expect("a head");
    let blanks = vec![b' '; 1 << 20];
    let mut left = padding;
    while left > 0 {
        let some = left.min(blanks.len() as u64);
        socket.write_all(&blanks[..usize::try_from(some).expect("a piece")]).expect("the body is taken");
        left -= some;
    }
    socket.write_all(body.as_bytes()).expect("a body");
    let mut came = Vec::new();
    socket.read_to_end(&mut came).expect("a reply");
    came
}

/// Posts JSON with a head of the asker's own over a connection that closes; all that comes.
pub fn ask_raw(of: &str, target: &str, head: &str, body: &str) -> String {
    let mut socket = TcpStream::connect(of.trim_start_matches("http://")).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_mins(2))).expect("a socket");
    let length = body.len();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all((head + body).as_bytes()).expect("a request");
    let mut came = Vec::new();
    socket.read_to_end(&mut came).expect("a reply");
    String::from_utf8_lossy(&came).into_owned()
}

/// The chunks of a chunked reply.
fn chunks(reply: &[u8]) -> Vec<&[u8]> {
    let start = memchr::memmem::find(reply, b"\r\n\r\n").expect("a head") + 4;
    let (mut rest, mut found) = (&reply[start..], Vec::new());
    loop {
        let line = memchr::memmem::find(rest, b"\r\n").expect("a chunk's length");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).expect("text"), 16).expect("a number");
        if length == 0 {
            return found;
        }
        found.push(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 4 + length..];
    }
}

#[test]
fn a_real_servers_streams_pass_and_are_recorded_and_replayed() {
    let _lock = real_servers();
    let server = Server::start();
    let project = Project::new();

    let proxy = Says::proxy(&project, &["--to", &server.url]);
    let (direct, passed) = (ask(&server.url, QUESTION, 0), ask(&proxy.url, QUESTION, 0));
    assert!(chunks(&direct).len() > 5, "{}", String::from_utf8_lossy(&direct));
    assert_eq!(chunks(&passed).len(), chunks(&direct).len(), "chunks are the server's");

    // A request of any length, as well: here 100 MB of blanks before the JSON.
    let before = proxy.memory(&mut sysinfo::System::new().expect("the list of processes"));
    let passed = ask(&proxy.url, QUESTION, LONG);
    assert_eq!(chunks(&passed).len(), chunks(&direct).len(), "{}", String::from_utf8_lossy(&passed));
    let after = proxy.memory(&mut sysinfo::System::new().expect("the list of processes"));
    assert!(after.saturating_sub(before) < BOUND, "from {before} to {after} bytes of memory");

    // A client that leaves leaves the server as well: it is told, and the server has time for others.
    let endless = QUESTION.replace("\"max_tokens\":24", "\"max_tokens\":4000,\"ignore_eos\":true");
    let mut socket = proxy.connect();
    let length = endless.len();
    let head = format!("POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer sesame\r\nContent-Length: {length}\r\n\r\n");
    socket.write_all((head + &endless).as_bytes()).expect("a request");
    socket.read_exact(&mut [0; 512]).expect("it begins");
    drop(socket);
    let mut proxy = proxy;
    let mut line = String::new();
    while !line.contains("the client left") {
        line.clear();
        assert!(proxy.lines.read_line(&mut line).expect("text") > 0, "nobody said that the client left");
    }
    proxy.end().exits(0);

    let proxy = Says::proxy(&project, &["--to", &server.url, "--mode", "record", "--tape", "tape"]);
    // The server wants its key; the tape does not.
    let recorded = ask(&proxy.url, QUESTION, 0);
    proxy.end().exits(0).says(&["tape: 1 exchanges, 1 of them new"]);
    let files = std::fs::read_dir(project.path("tape")).expect("a tape").map(|entry| entry.expect("a file").path());
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(memchr::memmem::find(&bytes, b"sesame").is_none(), "{} holds the key", file.display());
    }
    drop(server);
    let proxy = Says::proxy(&project, &["--mode", "replay", "--tape", "tape", "--pace", "recorded"]);
    let replayed = ask_with("another", &proxy.url, QUESTION, 0);
    assert_eq!(chunks(&replayed), chunks(&recorded));
    let other = ask(&proxy.url, &QUESTION.replace("France", "Italy"), 0);
    let other = String::from_utf8_lossy(&other);
    assert!(other.starts_with("HTTP/1.1 400 ") && other.contains("not on the tape") && other.contains("Italy"), "{other}");
    proxy.end().exits(0).says(&["[tape]", "not on the tape"]);
}

#[test]
fn what_a_proxy_cannot_do_is_told() {
    let project = Project::new();
    let bad = |arguments: &[&str], says: &str| project.run(&[&["proxy"], arguments].concat()).exits(2).says(&[says]).code;
    bad(&["--to", "ftp://x"], "is not http or https");
    bad(&["--to", "http://x", "--fault", "kut=3"], "there is no fault `kut`");
    bad(&["--to", "http://x", "--mode", "fault"], "needs a fault");
    bad(&["--to", "http://x", "--mode", "record"], "this mode needs `--tape FOLDER`");
    bad(&["--to", "http://x", "--mode", "record", "--tape", "t", "--fault", "cut=1"], "faults are for `--mode fault`");
    bad(&["--mode", "replay", "--tape", "none"], "there is no tape in `none`");
    bad(&["--to", "http://x", "--tape", "t"], "needs `--mode record`");
    bad(&["--to", "http://x", "--mode", "fill", "--tape", "t", "--secret-env", "FIREASSAY_NO_SUCH"], "has no such variable");
    project.run(&["proxy", "--faults"]).exits(0).says(&["cut=3", "is cut after so many events"]);
}
