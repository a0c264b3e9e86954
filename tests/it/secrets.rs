//! Secrets, planted wherever a run and a proxy have a place for one: nothing that is written holds any of them, in any form.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::faults::Server;
use crate::harness::{Project, real_servers};
use crate::proxy::{Says, ask_raw};

/// How many there are.
const PLANTED: usize = 36;
/// Those that only a pattern of the user's tells.
const TICKETS: [usize; 2] = [31, 32];

/// The server says in its log what it is asked.
const SETUP: &str = r#"name: mine
extends: llamacpp
tape: {redact: ["ticket-[0-9a-f]{20}"]}
services:
  server:
    command:
      ["<python>", "<assets>/llamacpp_server.py", "-m", "<files>/smollm2-f16.gguf", "--alias", "smollm2", "--host", "127.0.0.1",
       "--port", "<port>", "-c", "8192", "-np", "2", "-t", "1", "--chat-template-file", "<assets>/templates/fewshot-tools.jinja",
       "--api-key", "<key>", "-v"]
"#;

/// The part that nobody else writes.
fn core(number: usize) -> String {
    let hash = format!("{:x}", Sha256::digest(number.to_string()));
    hash[..20].to_owned()
}

/// Every third one has characters that each way of writing writes otherwise.
fn secret(number: usize) -> String {
    match (TICKETS.contains(&number), number % 3) {
        (true, _) => format!("ticket-{}", core(number)),
        (_, 0) => format!("s/{number}+é\"{}&", core(number)),
        _ => format!("sk-{number}-{}", core(number)),
    }
}

/// As an encoder writes it that leaves only letters and digits.
fn in_address(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02x}") })
        .collect()
}

/// JSON in which only ASCII stands.
fn in_ascii(value: &Value) -> String {
    let units = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    value.to_string().chars().map(|c| if c.is_ascii() { c.to_string() } else { units(c) }).collect()
}

/// A picture of one dot with a text among its metadata.
fn picture(text: &str) -> String {
    let chunk = |kind: &[u8], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&length[..], kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let head = chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    let note = chunk(b"tEXt", &[b"Comment\0", text.as_bytes()].concat());
    let pixels = chunk(b"IDAT", &[0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1]);
    let png = [&b"\x89PNG\r\n\x1a\n"[..], &head, &note, &pixels, &chunk(b"IEND", b"")].concat();
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

fn chat(content: &Value, more: &Value) -> Value {
    let mut body = json!({"model": "smollm2", "max_tokens": 1, "messages": [{"role": "user", "content": content}]});
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    body
}

/// What a model can say no other than this.
fn only(text: &str) -> Value {
    json!({"grammar": format!("root ::= {}", json!(text)), "max_tokens": 80, "stream": true})
}

fn feature() -> String {
    let mut out = "Feature: Secrets\n".to_owned();
    let mut scenario = |name: &str, steps: &[String]| {
        out.push_str(&format!("  Scenario: {name}\n"));
        for step in steps {
            out.push_str(&format!("    {step}\n"));
        }
        out.push_str("    Then the status is not 999\n");
    };
    let post = |target: &str, media: &str, body: &str| {
        format!("When I post to \"{target}\":\n      \"\"\"{media}\n{body}\n      \"\"\"")
    };
    let send = |body: &Value| post("/v1/chat/completions", "", &body.to_string());
    let ask = || "When I ask \"Say yes.\"".to_owned();
    let get = |target: String| format!("When I get \"{target}\"");
    let header = |name: &str, value: String| format!("Given the header \"{name}\" is \"{value}\"");

    scenario("In a prompt", &[format!("Given the system prompt \"The key is {}.\"", secret(1)), ask()]);
    scenario("In a question", &[format!("When I ask \"Is {} a key?\"", secret(2))]);
    scenario("Nested", &[send(&chat(&json!("Hi"), &json!({"metadata": {"a": [{"b": secret(3)}]}, "user": secret(4)})))]);
    let escaped = in_ascii(&chat(&json!(secret(6)), &json!({})));
    scenario("Escaped", &[post("/v1/chat/completions", "", &escaped)]);
    scenario("In base64", &[send(&chat(&json!(STANDARD.encode(format!("user:{}", secret(5)))), &json!({})))]);
    scenario("In an address in a text", &[send(&chat(&json!(format!("see /?x={}", in_address(&secret(9)))), &json!({})))]);
    let tool =
        json!([{"type": "function", "function": {"name": "f", "description": secret(7), "parameters": {"type": "object"}}}]);
    scenario("Of a tool", &[send(&chat(&json!("Hi"), &json!({"tools": tool, "max_tokens": 1})))]);
    let args = json!({"key": secret(12)}).to_string();
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": args}}]);
    let turns = json!([{"role": "user", "content": "Go"}, {"role": "assistant", "content": null, "tool_calls": call},
        {"role": "tool", "tool_call_id": "c", "content": secret(8)}]);
    scenario("Of a call and its result", &[send(&chat(&json!(""), &json!({"messages": turns})))]);
    let image =
        json!([{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": picture(&secret(10))}}]);
    scenario("In a picture", &[send(&chat(&image, &json!({})))]);
    scenario(
        "Said by a model",
        &[
            send(&chat(&json!("Go"), &only(&format!("It is {}, you know.", secret(11))))),
            "Then the reply mentions \"Oslo\"".to_owned(),
        ],
    );
    let schema = json!({"type": "object", "properties": {"key": {"const": secret(13)}}, "required": ["key"]});
    let tool = json!([{"type": "function", "function": {"name": "f", "description": "Go", "parameters": schema}}]);
    let forced = json!({"tools": tool, "tool_choice": "required", "stream": true, "max_tokens": 120});
    scenario("Called by a model", &[send(&chat(&json!("Go"), &forced))]);
    scenario("In an error", &[send(&chat(&json!("Hi"), &json!({"tool_choice": secret(14)})))]);
    scenario("In another error", &[send(&chat(&json!("Hi"), &json!({"response_format": {"type": secret(15)}})))]);
    scenario("In what is no JSON", &[post("/v1/chat/completions", "", &format!("{{\"a\": {}", secret(16)))]);
    scenario("As a model", &[send(&chat(&json!("Hi"), &json!({"model": secret(17)})))]);
    scenario("In a header", &[header("x-trace", secret(19)), ask()]);
    scenario("In a path", &[get(format!("/v1/{}", secret(20)))]);
    scenario("In a query", &[get(format!("/v1/models?note={}", in_address(&secret(18))))]);

    scenario("As a key", &[format!("Given the API key \"{}\"", secret(22)), send(&chat(&json!(secret(22)), &json!({})))]);
    let basic = STANDARD.encode(format!("me:{}", secret(21)));
    scenario("As a password", &[header("authorization", format!("Basic {basic}")), get("/v1/models".to_owned())]);
    let echoed = |number: usize| send(&chat(&json!("Hi"), &json!({"model": secret(number)})));
    scenario("As another key", &[header("x-api-key", secret(23)), echoed(23)]);
    scenario("In cookies", &[header("cookie", format!("a={}; b={}", secret(25), secret(26))), echoed(26)]);
    scenario("As a token", &[header("x-auth-token", secret(28)), echoed(28)]);
    scenario("As a key in a query", &[get(format!("/v1/models?a=1&key={}", in_address(&secret(24)))), echoed(24)]);
    scenario("In a body", &[send(&chat(&json!("Hi"), &json!({"api_key": secret(27), "model": secret(27)})))]);
    let form = "application/x-www-form-urlencoded";
    scenario("In a form", &[post("/v1/models", form, &format!("a=1&client_secret={}", in_address(&secret(30)))), echoed(30)]);
    let parts = format!("--x\\r\\nContent-Disposition: form-data; name=\"password\"\\r\\n\\r\\n{}\\r\\n--x--", secret(29));
    let parts = parts.replace("\\r\\n", "\r\n");
    scenario("In parts", &[post("/v1/models", "multipart/form-data; boundary=x", &parts), echoed(29)]);

    scenario("By a pattern", &[send(&chat(&json!("Go"), &only(&format!("See {}.", secret(31)))))]);
    scenario("By a pattern in an error", &[send(&chat(&json!("Hi"), &json!({"tool_choice": secret(32)})))]);
    out
}

/// Every file below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true if path.is_symlink() => {}
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// What of the secrets stands in these bytes.
fn leaks(bytes: &[u8]) -> Vec<String> {
    let holds = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    let mut found = Vec::new();
    for number in 1..=PLANTED {
        let core = core(number);
        let plain = core.as_bytes().windows(10).any(holds);
        let encoded = (0..3).any(|before| {
            let text = STANDARD.encode([vec![b' '; before], secret(number).into_bytes()].concat());
            let inner = &text.as_bytes()[4..text.len() - 4];
            inner.windows(16).any(holds)
        });
        if plain || encoded {
            found.push(format!("{number}{}", if plain { "" } else { " in base64" }));
        }
    }
    found
}

/// Fails with each place that holds a secret.
#[track_caller]
fn holds_none(project: &Project, folders: &[&str], printed: &str) -> usize {
    let mut all = Vec::new();
    for folder in folders.iter().map(|folder| project.path(folder)) {
        if folder.is_dir() { files(&folder, &mut all) } else { all.push(folder) }
    }
    let mut wrong = Vec::new();
    let mut look = |name: String, bytes: &[u8]| {
        // What a stream says piece by piece counts as well.
        let text = String::from_utf8_lossy(bytes);
        let pieces = regex::Regex::new(r#"\\*"(?:content|arguments|text)\\*":\\*"((?:[^"\\]|\\+[^"])*)\\*""#).expect("a pattern");
        let said: String = pieces.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        // A server that logs each token as it comes splits it among lines that are not ours to join.
        let said = if name.ends_with("server.log") { String::new() } else { said };
        let found = [leaks(bytes), leaks(said.as_bytes())].concat();
        if !found.is_empty() {
            wrong.push(format!("{name}: {}", found.join(", ")));
        }
    };
    look("what is printed".to_owned(), printed.as_bytes());
    for path in &all {
        look(path.display().to_string(), &std::fs::read(path).expect("a file"));
    }
    assert!(wrong.is_empty(), "secrets are left:\n{}", wrong.join("\n"));
    all.len()
}

#[test]
fn nothing_that_is_written_holds_a_secret() {
    let _lock = real_servers();
    let project = Project::new().file("secrets.feature", &feature()).file("setups/mine.yaml", SETUP);
    let given = format!("PLANTED_36_TOKEN={}", secret(36));
    let run = |mode: &str| {
        let flags = ["--mode", mode, "--env", &given, "--verbose", "--concurrency", "1"];
        let reports = ["--junit", "junit.xml", "--report", "json=report.json", "--report", "console=report.txt"];
        let mut command = project.command(&[&["run", "secrets.feature", "--setup", "mine"], &flags[..], &reports].concat());
        for number in (1..=20).chain([33]) {
            command.env(format!("PLANTED_{number}_KEY"), secret(number));
        }
        crate::harness::ran(&command.output().expect("it starts"))
    };
    let ran = run("record");
    ran.exits(1).says(&["Oslo", "***"]);
    let mine = ["tapes", ".fireassay", "junit.xml", "report.json", "report.txt"];
    let count = holds_none(&project, &mine, &ran.all());
    assert!(count > 30, "only {count} files were looked at");
    let log = project.read(".fireassay/runs/latest/logs/server.log");
    assert!(log.contains("***"), "the server's log holds none, as nothing secret came to it:\n{log}");

    // The tape knows the requests all the same, although it does not know their secrets.
    let again = run("replay");
    again.exits(1).says(&["Oslo"]);
    assert!(!again.all().contains("is not on the tape"), "{}", again.all());
    holds_none(&project, &mine, &again.all());

    let server = Server::start();
    let project = Project::new();
    let to = server.url.replace("http://", &format!("http://me:{}@", secret(34)));
    let arguments = ["proxy", "--to", &to, "--mode", "record", "--tape", "tape", "--secret-env", "PLANTED"];
    let mut command = project.command(&arguments);
    command.env("PLANTED", secret(33)).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let proxy = Says::new(command.spawn().expect("it starts"));
    let body = json!({"model": secret(35), "max_tokens": 1, "messages": [{"role": "user", "content": secret(33)}]}).to_string();
    let head = format!("Authorization: Bearer sesame\r\nX-Api-Key: {}\r\nCookie: s={}\r\n", secret(35), secret(22));
    let came = ask_raw(&proxy.url, &format!("/v1/chat/completions?token={}", in_address(&secret(30))), &head, &body);
    assert!(came.starts_with("HTTP/1.1 200 "), "{came}");
    let ended = proxy.end();
    ended.exits(0).says(&["tape: 1 exchanges", "?token=***"]);
    holds_none(&project, &["tape"], &ended.all());
}
