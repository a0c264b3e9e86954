//! One exchange on a tape, as a file that people can read and git can compare: [`Recorded`].
//!
//! A JSON head, a line of `---`, then the body of the reply, byte for byte. The head holds the request, the reply's head, and
//! when which byte of the body had come.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::blob::{self, Blobs};
use super::key::{BLOTTED, Keying, read};
use crate::event::ExchangeId;
use crate::wire::{Chunk, End, Exchange, Redactor, Request, TransportError, TransportKind, is_secret_header, masked_address};

/// What stands between head and body.
const BORDER: &[u8] = b"\n---\n";

/// An exchange as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// All but the reply's body.
    pub head: Head,
    /// The reply's body, as it came; packed bodies are unpacked.
    pub body: Bytes,
    /// Long texts of the request.
    pub blobs: Blobs,
}

/// What stands above the border.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Key of the request: [`crate::tape::Key::hash`].
    pub key: String,
    /// `GET`, `POST`, ….
    pub method: String,
    /// Path below the base address, with its query.
    pub path: String,
    /// Headers in order; secrets are blotted out.
    pub request_headers: Vec<(String, String)>,
    /// Which key it carried, where it was not the right one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credentials: Option<String>,
    /// How much of the reply was to be read, where that was not all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub read: Option<String>,
    /// The request's body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<Content>,
    /// HTTP status; absent where no head came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// The reply's headers in order.
    pub headers: Vec<(String, String)>,
    /// Time to the reply's head. **Units**: µs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub head_us: Option<u64>,
    /// Time to the end. **Units**: µs.
    pub took_us: u64,
    /// How it ended.
    pub end: Ending,
    /// Reads of the body in order: when, and how long it was then. **Shape**: `312:200 954:431`. **Units**: µs, bytes.
    pub chunks: String,
    /// SHA-256 of the body, hex.
    pub sha256: String,
}

/// A body in the form in which people can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A JSON value, members in the order in which they were sent; long texts are kept beside.
    Json(Value),
    /// Other text.
    Text(String),
    /// Bytes that are no text, in base64.
    Base64(String),
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// By its framing.
    Complete,
    /// The client left.
    HungUp,
    /// The connection failed: the kind, and what was said.
    Failed(String, String),
}

/// A file is none, or is another one than was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// It has no border, or its head is none.
    #[error("it is no recorded exchange: {0}")]
    Form(String),
    /// Its body was changed, or cut.
    #[error("its body is not the one that was recorded: its SHA-256 is {found}, the head says {said}")]
    Body {
        /// Of the body that is there.
        found: String,
        /// As written.
        said: String,
    },
}

const KINDS: [(TransportKind, &str); 7] = [
    (TransportKind::NotSent, "not_sent"),
    (TransportKind::Connect, "connect"),
    (TransportKind::Timeout, "timeout"),
    (TransportKind::NoReply, "no_reply"),
    (TransportKind::Truncated, "truncated"),
    (TransportKind::Malformed, "malformed"),
    (TransportKind::TooLong, "too_long"),
];

impl Recorded {
    /// An exchange without its secrets. The key is that of the request as it will be asked again: with its secrets.
    pub fn of(exchange: &Exchange, keying: &Keying, redactor: &Redactor) -> Self {
        let request = &exchange.request;
        let plain = |(name, value): &(String, String)| {
            (name.clone(), if is_secret_header(name) { BLOTTED.to_owned() } else { redactor.text(value) })
        };
        let came = exchange.headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()));
        let mut body = exchange.body.to_vec();
        redactor.blot(&mut body);
        let end = match &exchange.end {
            End::Complete => Ending::Complete,
            End::HungUp => Ending::HungUp,
            End::Failed(error) => Ending::Failed(word(error.kind).to_owned(), redactor.text(&error.message)),
        };
        let key = keying.key(request);
        let chunks: Vec<String> = exchange.chunks.iter().map(|it| format!("{}:{}", micros(it.at), it.end)).collect();
        let (content, blobs) = request.body.as_deref().map(|body| Content::of(body, redactor)).unzip();
        let head = Head {
            key: key.hash,
            method: request.method.clone(),
            path: redactor.text(&masked_address(key.canonical["path"].as_str().unwrap_or_default())),
            request_headers: request.headers.iter().map(plain).collect(),
            credentials: keying.credentials(request).map(str::to_owned),
            read: read(request.read),
            request: content,
            status: exchange.status,
            headers: came.map(|header| plain(&header)).collect(),
            head_us: exchange.head_at.map(micros),
            took_us: micros(exchange.took),
            end,
            chunks: chunks.join(" "),
            sha256: format!("{:x}", Sha256::digest(&body)),
        };
        Self { head, body: body.into(), blobs: blobs.unwrap_or_default() }
    }

    /// The exchange again, as the reply to this request; its times are those of the tape.
    pub fn exchange(&self, id: ExchangeId, request: Request, url: String) -> Exchange {
        let head = &self.head;
        let chunk = |read: &str| {
            let (at, end) = read.split_once(':')?;
            Some(Chunk { at: Duration::from_micros(at.parse().ok()?), end: end.parse().ok()? })
        };
        Exchange {
            id,
            request,
            url,
            sent: Instant::now(),
            resent: None,
            status: head.status,
            headers: head.headers.iter().map(|(name, value)| (name.clone(), Bytes::from(value.clone()))).collect(),
            head_at: head.head_us.map(Duration::from_micros),
            body: self.body.clone(),
            chunks: head.chunks.split(' ').filter_map(chunk).collect(),
            end: match &head.end {
                Ending::Complete => End::Complete,
                Ending::HungUp => End::HungUp,
                Ending::Failed(kind, message) => End::Failed(TransportError { kind: kind_of(kind), message: message.clone() }),
            },
            took: Duration::from_micros(head.took_us),
        }
    }

    /// What the key was made of: of a request whose secrets are blotted out.
    pub(super) fn canonical(&self, volatile: &[String]) -> Value {
        let mut canonical = Keying { volatile: volatile.to_vec(), tokens: Vec::new() }.key(&self.request()).canonical;
        for (name, value) in [("credentials", &self.head.credentials), ("read", &self.head.read)] {
            if let Some(value) = value {
                canonical[name] = value.clone().into();
            }
        }
        canonical
    }

    /// About how long the request's body was. **Units**: bytes.
    pub(super) fn asked_bytes(&self) -> usize {
        let beside: usize = self.blobs.values().map(Bytes::len).sum();
        beside + serde_json::to_string(&self.head.request).map_or(0, |text| text.len())
    }

    /// The request, but for its secrets.
    pub fn request(&self) -> Request {
        Request {
            method: self.head.method.clone(),
            target: self.head.path.clone(),
            headers: self.head.request_headers.clone(),
            body: self.head.request.as_ref().map(|content| content.bytes(&self.blobs)),
            ..Request::default()
        }
    }

    /// The file's bytes.
    pub fn render(&self) -> Vec<u8> {
        let head = serde_json::to_string_pretty(&self.head).expect("a head can be written as JSON");
        [head.as_bytes(), BORDER, &self.body].concat()
    }

    /// The hashes of the long texts that are kept beside.
    pub(super) fn wanted(&self) -> Vec<String> {
        match &self.head.request {
            Some(Content::Json(value)) => blob::wanted(value),
            _ => Vec::new(),
        }
    }

    /// Reads a file, but for what is kept beside. **Errors**: it is none, or its body is another one than was recorded.
    pub fn parse(file: &[u8]) -> Result<Self, EntryError> {
        let recorded = Self::split(file)?;
        let found = format!("{:x}", Sha256::digest(&recorded.body));
        if found != recorded.head.sha256 {
            return Err(EntryError::Body { found, said: recorded.head.sha256 });
        }
        Ok(recorded)
    }

    /// Reads a file whose reply people may have edited: what the head says of the body's length is made true. **Errors**: it is none.
    pub(super) fn parse_edited(file: &[u8]) -> Result<Self, EntryError> {
        let mut recorded = Self::split(file)?;
        let (head, length) = (&mut recorded.head, recorded.body.len());
        let found = format!("{:x}", Sha256::digest(&recorded.body));
        if found != head.sha256 {
            head.sha256 = found;
            let reads: Vec<(&str, usize)> = head.chunks.split(' ').filter_map(read_of).collect();
            let last = reads.len().saturating_sub(1);
            let fit = reads.into_iter().enumerate().map(|(number, (at, end))| {
                let end = if number == last { length } else { end.min(length) };
                format!("{at}:{end}")
            });
            head.chunks = fit.collect::<Vec<_>>().join(" ");
            for (_, value) in head.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
                *value = length.to_string();
            }
        }
        Ok(recorded)
    }

    fn split(file: &[u8]) -> Result<Self, EntryError> {
        let form = |what: &str| EntryError::Form(what.to_owned());
        // A pretty head has no line that is no JSON, so the first border is the one.
        let at = memchr::memmem::find(file, BORDER).ok_or_else(|| form("no line `---` ends its head"))?;
        let head: Head = serde_json::from_slice(&file[..at]).map_err(|error| form(&error.to_string()))?;
        // Files are named after the beginning of the key.
        if head.key.len() < 8 || !head.key.is_ascii() {
            return Err(form("its `key` is none"));
        }
        let body = Bytes::copy_from_slice(&file[at + BORDER.len()..]);
        Ok(Self { head, body, blobs: Blobs::new() })
    }
}

impl Content {
    fn of(body: &[u8], redactor: &Redactor) -> (Self, Blobs) {
        let mut body = body.to_vec();
        redactor.blot(&mut body);
        // What a value would write otherwise (blanks, keys that stand twice) is kept as text: it is sent again byte for byte.
        let value = serde_json::from_slice::<Value>(&body).ok().filter(|value| value.to_string().as_bytes() == body);
        if let Some(mut value) = value.filter(|value| !blob::is_marked(value)) {
            let blobs = blob::take(&mut value);
            return (Self::Json(value), blobs);
        }
        let content = match String::from_utf8(body) {
            Ok(text) => Self::Text(text),
            Err(bytes) => Self::Base64(STANDARD.encode(bytes.into_bytes())),
        };
        (content, Blobs::new())
    }
}

impl Content {
    /// The body's bytes.
    pub fn bytes(&self, blobs: &Blobs) -> Bytes {
        match self {
            Self::Json(value) => {
                let mut value = value.clone();
                blob::put_back(&mut value, blobs);
                value.to_string().into()
            }
            Self::Text(text) => text.clone().into(),
            // What is no base64 was edited by hand; it is then sent as it stands.
            Self::Base64(text) => STANDARD.decode(text).map_or_else(|_| text.clone().into(), Bytes::from),
        }
    }
}

/// A read of the body as it is written: when, and how long the body was then.
fn read_of(read: &str) -> Option<(&str, usize)> {
    let (at, end) = read.split_once(':')?;
    Some((at, end.parse().ok()?))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn word(kind: TransportKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("malformed", |(_, word)| word)
}

fn kind_of(word: &str) -> TransportKind {
    KINDS.iter().find(|(_, known)| *known == word).map_or(TransportKind::Malformed, |(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn streamed() -> Exchange {
        let request = Request::post_json("/v1/chat/completions", &json!({"model": "m", "stream": true})).bearer("sk-planted");
        let body = Bytes::from_static(b"data: {\"id\":\"sk-planted\"}\n\n---\ndata: [DONE]\n\n\xff");
        Exchange {
            status: Some(200),
            headers: vec![("content-type".to_owned(), "text/event-stream".into()), ("set-cookie".to_owned(), "session=1".into())],
            head_at: Some(Duration::from_micros(312)),
            chunks: vec![
                Chunk { at: Duration::from_micros(400), end: 27 },
                Chunk { at: Duration::from_micros(954), end: body.len() },
            ],
            body,
            end: End::Failed(TransportError { kind: TransportKind::Truncated, message: "cut at sk-planted".to_owned() }),
            took: Duration::from_millis(1),
            ..Exchange::begun(ExchangeId(1), request, "http://h/v1/chat/completions".to_owned())
        }
    }

    #[test]
    fn what_was_recorded_is_read_again_without_its_secrets() {
        let redactor = Redactor::new(["sk-planted"], Vec::new());
        let was = streamed();
        let recorded = Recorded::of(&was, &Keying::default(), &redactor);
        let file = recorded.render();
        assert!(memchr::memmem::find(&file, b"planted").is_none(), "{}", String::from_utf8_lossy(&file));
        assert!(memchr::memmem::find(&file, b"session=1").is_none());
        let read = Recorded::parse(&file).unwrap();
        assert_eq!(read, recorded);
        let again = read.exchange(ExchangeId(7), was.request.clone(), was.url.clone());
        assert_eq!((again.status, again.head_at, again.took), (was.status, was.head_at, was.took));
        assert_eq!(again.chunks, was.chunks);
        assert_eq!(again.body.len(), was.body.len());
        assert!(again.body.ends_with(b"---\ndata: [DONE]\n\n\xff"), "a border within the body is none");
        assert_eq!(again.failure().unwrap().kind, TransportKind::Truncated);
        assert_eq!(again.header("content-type"), Some("text/event-stream"));
    }

    #[test]
    fn a_file_that_is_cut_or_changed_is_told() {
        let file = Recorded::of(&streamed(), &Keying::default(), &Redactor::default()).render();
        let error = Recorded::parse(&file[..file.len() - 1]).unwrap_err();
        assert!(matches!(&error, EntryError::Body { .. }), "{error}");
        let text = String::from_utf8_lossy(&file).replace("\"status\": 200", "\"statuss\": 200");
        assert!(Recorded::parse(text.as_bytes()).unwrap_err().to_string().contains("unknown field `statuss`"));
        let of_no_key = String::from_utf8_lossy(&file).replace(&Recorded::parse(&file).unwrap().head.key, "short");
        assert!(Recorded::parse(of_no_key.as_bytes()).unwrap_err().to_string().contains("its `key` is none"));
        assert_eq!(Recorded::parse(b"{}").unwrap_err().to_string(), "it is no recorded exchange: no line `---` ends its head");
    }

    #[test]
    fn what_people_edit_in_a_reply_is_made_whole() {
        let mut was = streamed();
        was.headers.push(("Content-Length".to_owned(), was.body.len().to_string().into()));
        let file = Recorded::of(&was, &Keying::default(), &Redactor::default()).render();
        let at = memchr::memmem::find(&file, b"\n---\n").unwrap() + 5;
        let shorter = [&file[..at], b"data: []\n\n"].concat();
        assert!(matches!(Recorded::parse(&shorter), Err(EntryError::Body { .. })));
        let edited = Recorded::parse_edited(&shorter).unwrap();
        assert_eq!(edited.head.chunks, "400:10 954:10");
        assert_eq!(edited.head.headers.last().unwrap().1, "10");
        assert_eq!(Recorded::parse(&edited.render()).unwrap(), edited);
        assert_eq!(Recorded::parse_edited(&file).unwrap(), Recorded::parse(&file).unwrap(), "what was not edited stays");
    }

    #[test]
    fn bodies_of_requests_are_kept_in_a_form_to_read() {
        let of = |body: &[u8]| Content::of(body, &Redactor::default()).0;
        assert_eq!(of(b"{\"b\":1,\"a\":2.0}"), Content::Json(json!({"b": 1, "a": 2.0})));
        assert_eq!(of(b"{\"b\": 1}"), Content::Text("{\"b\": 1}".to_owned()));
        assert_eq!(of(b"{\"b\": "), Content::Text("{\"b\": ".to_owned()));
        assert_eq!(of(b"\xff\xfe"), Content::Base64("//4=".to_owned()));
    }
}
