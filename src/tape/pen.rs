//! Writes a reply past hyper, as a fault has it: what comes of it is no honest HTTP.

use std::future::pending;
use std::io;
use std::pin::Pin;

use hyper::body::{Body, Bytes, Incoming};

use super::course::Course;
use super::fault::{Fault, Manner, noise};
use super::hearing::Hearing;
use super::line::Line;
use super::script::{Ending, Framing, Script, event_end};
use crate::event::ExchangeId;
use crate::wire::{End, Exchange, Request, TransportError, TransportKind};

/// Bytes of one noise.
const NOISE: u32 = 4096;

/// A reply of the server of which only the head has come.
pub(super) struct Begun {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Bytes)>,
    pub(super) body: Incoming,
}

/// Writes one reply; the connection ends with it.
pub(super) struct Pen<'a> {
    line: &'a Line,
    hearing: &'a Hearing,
    framing: Framing,
    /// Bytes that the client takes for the body yet, where it was told a length.
    told: Option<usize>,
}

impl<'a> Pen<'a> {
    pub(super) fn new(line: &'a Line, hearing: &'a Hearing) -> Self {
        Self { line, hearing, framing: Framing::Chunked, told: None }
    }

    /// Noise in place of a reply.
    pub(super) async fn garbage(self) -> io::Result<()> {
        self.line.put(&noise(NOISE)).await?;
        self.failed(TransportKind::Malformed, "the answer is not HTTP");
        self.line.half_close()
    }

    /// The reply as the fault has it.
    pub(super) async fn write(mut self, fault: &Fault, reply: Begun, longest: usize) -> io::Result<()> {
        if matches!(fault.manner(), Manner::Whole) {
            let script = fault.script(&whole(reply, longest).await?);
            self.head(&script).await?;
            for piece in &script.writes {
                self.piece(piece).await?;
            }
            return self.end(script.ending).await;
        }
        self.head(&Script::head_of(reply.status, &reply.headers, Framing::Chunked)).await?;
        let mut events = Events::of(reply, longest);
        let mut course = Course::new(fault);
        let ending = loop {
            if let Some(ending) = course.over() {
                break ending;
            }
            let Some(event) = events.next().await? else {
                let (last, ending) = course.end();
                for piece in last {
                    self.piece(&piece).await?;
                }
                break ending;
            };
            for piece in course.event(event) {
                self.piece(&piece).await?;
            }
        };
        // A server must not go on for nobody.
        drop(events);
        self.end(ending).await
    }

    async fn head(&mut self, script: &Script) -> io::Result<()> {
        self.framing = script.framing.clone();
        self.told = if let Framing::Length(length) = script.framing { Some(length) } else { None };
        self.hearing.head(script.status, script.all_headers());
        self.line.put(&script.head()).await
    }

    async fn piece(&mut self, piece: &[u8]) -> io::Result<()> {
        self.line.put(&self.framing.piece(piece)).await?;
        let taken = self.told.map_or(piece.len(), |told| told.min(piece.len()));
        self.told = self.told.map(|told| told - taken);
        self.hearing.came(&piece[..taken]);
        Ok(())
    }

    async fn end(mut self, ending: Ending) -> io::Result<()> {
        match ending {
            Ending::Dropped => self.cut(),
            Ending::Reset => {
                self.cut();
                self.line.reset()?;
            }
            Ending::HalfClosed => {
                self.line.half_close()?;
                self.cut();
                pending::<()>().await;
            }
            Ending::Stalled => pending::<()>().await,
            Ending::Noise => {
                self.piece(&noise(NOISE)).await?;
                self.proper().await?;
            }
            Ending::Repeated(piece) if piece.is_empty() => pending::<()>().await,
            Ending::Repeated(piece) => loop {
                self.piece(&piece).await?;
            },
            Ending::Proper => self.proper().await?,
        }
        Ok(())
    }

    async fn proper(&self) -> io::Result<()> {
        self.line.put(self.framing.end()).await?;
        match self.told {
            Some(1..) => self.cut(),
            _ => self.hearing.end(End::Complete),
        }
        self.line.half_close()
    }

    fn cut(&self) {
        self.failed(TransportKind::Truncated, &format!("the body was cut after {} bytes", self.hearing.length()));
    }

    fn failed(&self, kind: TransportKind, what: &str) {
        let message = format!("{what}; a fault of the test did it");
        self.hearing.end(End::Failed(TransportError { kind, message }));
    }
}

/// A server's whole reply. **Errors**: it is cut, or longer than is kept.
async fn whole(reply: Begun, longest: usize) -> io::Result<Exchange> {
    let mut exchange = Exchange::begun(ExchangeId(0), Request::default(), String::new());
    let mut events = Events { body: reply.body, read: Vec::new(), streamed: false, over: false, longest };
    exchange.body = events.next().await?.unwrap_or_default().into();
    exchange.status = Some(reply.status);
    exchange.headers = reply.headers;
    Ok(exchange)
}

/// The events of a reply while they come; one that is no stream is one event.
struct Events {
    body: Incoming,
    read: Vec<u8>,
    streamed: bool,
    over: bool,
    longest: usize,
}

impl Events {
    fn of(reply: Begun, longest: usize) -> Self {
        let is_stream = |(name, value): &(String, Bytes)| {
            name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().starts_with(b"text/event-stream")
        };
        let streamed = reply.headers.iter().any(is_stream);
        Self { body: reply.body, read: Vec::new(), streamed, over: false, longest }
    }

    async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if self.streamed
                && let Some(end) = event_end(&self.read)
            {
                let rest = self.read.split_off(end);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            if self.over {
                return Ok(Some(std::mem::take(&mut self.read)).filter(|rest| !rest.is_empty()));
            }
            match std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await {
                None => self.over = true,
                Some(frame) => {
                    if let Ok(piece) = frame.map_err(io::Error::other)?.into_data() {
                        self.read.extend_from_slice(&piece);
                    }
                    if self.read.len() > self.longest {
                        return Err(io::Error::other("the reply is too long for a fault that needs it whole"));
                    }
                }
            }
        }
    }
}
