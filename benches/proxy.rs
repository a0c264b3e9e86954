//! Through the proxy against straight to the server, side by side in one run: short requests, streams, long bodies.
//!
//! The servers are real: llama.cpp by a setup like the shipped one, and Python's file server. The goals are 0.3 ms more for a
//! short request (median), and 0.9 of the throughput of streams.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fireassay::tape::{Orders, Proxy};
use fireassay::wire::Base;

const SETUP: &str = r#"name: fixed
extends: llamacpp
auth: {bearer: sesame}
services:
  server:
    command:
      ["<python>", "<assets>/llamacpp_server.py", "-m", "<files>/smollm2-f16.gguf", "--alias", "smollm2", "--host", "127.0.0.1",
       "--port", "<port>", "-c", "8192", "-np", "4", "-t", "1", "--api-key", "sesame"]
"#;

const FILES: &str = "import http.server as h; h.SimpleHTTPRequestHandler.protocol_version = 'HTTP/1.1'; \
s = h.ThreadingHTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); \
print('http://127.0.0.1:%d' % s.server_port, flush=True); s.serve_forever()";

const SHORT: usize = 500;
const STREAMS: usize = 5;
const LONG: u64 = 100_000_000;
const LONGS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("setups")).expect("a folder");
    std::fs::write(folder.path().join("setups/fixed.yaml"), SETUP).expect("a file");
    std::fs::File::create(folder.path().join("long.bin")).and_then(|file| file.set_len(LONG)).expect("a long file");

    println!("{:<28} {:>12} {:>12} {:>8}", "", "direct", "proxy", "");
    let mut files = Command::new("python3");
    files.args(["-c", FILES]).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut files = files.spawn().expect("python3");
    let mut url = String::new();
    BufReader::new(files.stdout.take().expect("a pipe")).read_line(&mut url).expect("its address");
    let long = b"GET /long.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    side_by_side("100 MB", url.trim(), LONGS, |url| whole(url, long));
    files.kill().and_then(|()| files.wait()).expect("it ends");

    let server = Up::start(folder.path());
    let ask = r#"{"model":"smollm2","messages":[{"role":"user","content":"Tell a story."}],"temperature":0,"max_tokens":200,"stream":true,"ignore_eos":true}"#;
    let length = ask.len();
    let stream = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer sesame\r\n\
         Content-Length: {length}\r\n\r\n{ask}"
    );
    side_by_side("stream of 200 tokens", &server.url, STREAMS, |url| whole(url, stream.as_bytes()));
    short(&server.url);
}

/// llama.cpp, until it is dropped.
struct Up<'a> {
    folder: &'a Path,
    url: String,
}

impl<'a> Up<'a> {
    fn start(folder: &'a Path) -> Self {
        let said = fireassay(folder, &["up", "fixed"]);
        let url = said.split_whitespace().find(|word| word.starts_with("http://")).expect("its address").to_owned();
        Self { folder, url }
    }
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        fireassay(self.folder, &["down", "fixed"]);
    }
}

fn fireassay(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fireassay"));
    let output = command.args(arguments).current_dir(folder).output().expect("the command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn proxy(to: &str) -> Proxy {
    Proxy::start(Orders::to(Base::new(to)).keep_nothing().ended(drop)).expect("a proxy")
}

fn connect(url: &str) -> TcpStream {
    let socket = TcpStream::connect(url.trim_start_matches("http://")).expect("it listens");
    socket.set_nodelay(true).expect("a socket");
    socket
}

/// One exchange over a connection of its own.
fn whole(url: &str, request: &[u8]) -> Duration {
    let began = Instant::now();
    let mut socket = connect(url);
    socket.write_all(request).expect("a request");
    let mut piece = vec![0; 1 << 18];
    while socket.read(&mut piece).expect("a reply") > 0 {}
    began.elapsed()
}

fn side_by_side(what: &str, url: &str, rounds: usize, one: impl Fn(&str) -> Duration) {
    let proxy = proxy(url);
    let (mut direct, mut passed) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        direct.push(one(url));
        passed.push(one(&proxy.url()));
    }
    let (direct, passed) = (median(direct), median(passed));
    println!("{what:<28} {direct:>12.2?} {passed:>12.2?} {:>7.2}×", direct.as_secs_f64() / passed.as_secs_f64());
}

/// Short requests on a connection that stays.
fn short(url: &str) {
    let proxy = proxy(url);
    let (near, far) = (proxy.url(), url);
    let (mut direct, mut passed) = (connect(far), connect(&near));
    let (mut straight, mut through) = (Vec::new(), Vec::new());
    for _ in 0..SHORT {
        straight.extend(health(&mut direct, far));
        through.extend(health(&mut passed, &near));
    }
    let (direct, passed) = (median(straight), median(through));
    println!("{:<28} {direct:>12.2?} {passed:>12.2?} {:>+8.2?}", "short request", passed.saturating_sub(direct));
}

/// The time of one; `None` where the server had enough of the connection, and there is a new one.
fn health(socket: &mut TcpStream, url: &str) -> Option<Duration> {
    let began = Instant::now();
    socket.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").expect("a request");
    let mut came = Vec::new();
    while !came.ends_with(b"}") {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).expect("a reply");
        if count == 0 {
            *socket = connect(url);
            return None;
        }
        came.extend_from_slice(&piece[..count]);
    }
    Some(began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
