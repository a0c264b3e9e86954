//! Bodies on their way through the proxy: [`Upload`] to the server, [`Download`] to the client. Pieces go on as they come, and
//! no more than one of them is held.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

use super::hearing::Hearing;
use super::upstream::{Connection, Kept};
use crate::wire::{End, failed_on_the_way};

/// What is left of a reply once the client has what it wanted: libraries close at `[DONE]`, before the end of the framing.
const REST: Duration = Duration::from_millis(250);

/// How often a slow body goes on.
const BEAT: Duration = Duration::from_millis(50);

/// Lets so many bytes a second through.
pub(super) struct Pace {
    per_second: u64,
    due: Pin<Box<Sleep>>,
    held: Bytes,
}

impl Pace {
    pub(super) fn new(per_second: u64) -> Self {
        Self { per_second: per_second.max(1), due: Box::pin(tokio::time::sleep(Duration::ZERO)), held: Bytes::new() }
    }

    /// The next piece of what is held; `None` where nothing is.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.held.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.due.as_mut().poll(context));
        let beats = u64::try_from(BEAT.as_millis()).expect("a short time");
        let most = usize::try_from((self.per_second * beats / 1000).max(1)).unwrap_or(usize::MAX);
        let piece = self.held.split_to(most.min(self.held.len()));
        let lasts = Duration::from_secs_f64(piece.len() as f64 / self.per_second as f64);
        self.due.as_mut().reset(Instant::now() + lasts);
        Poll::Ready(Some(piece))
    }
}

type Next<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

/// The next piece of a body, at its pace.
fn slowly<E>(pace: Option<&mut Pace>, context: &mut Context<'_>, mut next: impl FnMut(&mut Context<'_>) -> Next<E>) -> Next<E> {
    let Some(pace) = pace else { return next(context) };
    loop {
        if let Some(piece) = ready!(pace.poll(context)) {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match ready!(next(context)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => pace.held = piece,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            },
            end => return Poll::Ready(end),
        }
    }
}

/// The body of a request on its way to the server.
pub(super) struct Upload {
    /// What was read already.
    first: VecDeque<Bytes>,
    rest: Incoming,
    hearing: Rc<Hearing>,
    pace: Option<Pace>,
}

impl Upload {
    pub(super) fn new(rest: Incoming, hearing: Rc<Hearing>) -> Self {
        Self { first: VecDeque::new(), rest, hearing, pace: None }
    }

    /// Reads ahead until its end, or so many bytes.
    pub(super) async fn read_ahead(&mut self, limit: usize) -> hyper::Result<()> {
        let mut length = 0;
        while length < limit {
            let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut self.rest).poll_frame(context)).await else { break };
            if let Ok(piece) = frame?.into_data() {
                length += piece.len();
                self.hearing.asked(&piece);
                self.first.push_back(piece);
            }
        }
        Ok(())
    }

    pub(super) fn slow(&mut self, per_second: u64) {
        self.pace = Some(Pace::new(per_second));
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let Self { first, rest, hearing, pace } = &mut *self;
        slowly(pace.as_mut(), context, |context| {
            if let Some(piece) = first.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            let next = ready!(Pin::new(&mut *rest).poll_frame(context));
            if let Some(Ok(frame)) = &next
                && let Some(piece) = frame.data_ref()
            {
                hearing.asked(piece);
            }
            Poll::Ready(next)
        })
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.rest.is_end_stream() && self.pace.as_ref().is_none_or(|pace| pace.held.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.first.iter().map(Bytes::len).sum::<usize>() + self.pace.as_ref().map_or(0, |pace| pace.held.len());
        with_held(&self.rest.size_hint(), held as u64)
    }
}

/// The length of what is to come and of what is held.
fn with_held(rest: &SizeHint, held: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    hint.set_lower(rest.lower() + held);
    if let Some(upper) = rest.upper() {
        hint.set_upper(upper + held);
    }
    hint
}

/// The body of a reply on its way to the client.
pub(super) enum Download {
    /// The server's.
    Passing(Box<Passing>),
    /// One of ours, not given yet.
    Made(Bytes, Rc<Hearing>),
    /// One of our own, about ourselves.
    Said(Bytes),
    /// One of a tape.
    Played(Box<Played>),
}

/// A body of a tape: its pieces as they were recorded, each when it is due.
pub(super) struct Played {
    pieces: VecDeque<(Instant, Bytes)>,
    due: Pin<Box<Sleep>>,
    /// How it ended when it was recorded.
    end: End,
    hearing: Rc<Hearing>,
}

impl Played {
    pub(super) fn new(pieces: VecDeque<(Instant, Bytes)>, end: End, hearing: Rc<Hearing>) -> Self {
        let due = Box::pin(tokio::time::sleep_until(pieces.front().map_or_else(Instant::now, |(at, _)| *at)));
        let played = Self { pieces, due, end, hearing };
        if played.is_over() {
            played.hearing.end(End::Complete);
        }
        played
    }

    /// Whether nothing more comes, and that is its proper end.
    fn is_over(&self) -> bool {
        self.pieces.is_empty() && self.end == End::Complete
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Next<io::Error> {
        if self.pieces.is_empty() {
            // The client left when this was recorded: its reply went on, and has no end until the client leaves again.
            if self.end == End::HungUp {
                return Poll::Pending;
            }
            self.hearing.end(self.end.clone());
            return Poll::Ready((self.end != End::Complete).then(|| Err(io::Error::other("it was cut when it was recorded"))));
        }
        ready!(self.due.as_mut().poll(context));
        let (_, piece) = self.pieces.pop_front().expect("it is not empty");
        if let Some((at, _)) = self.pieces.front() {
            self.due.as_mut().reset(*at);
        }
        self.hearing.came(&piece);
        if self.is_over() {
            self.hearing.end(End::Complete);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

/// A server's body with its connection.
pub(super) struct Passing {
    /// Taken where it is read on without a client.
    rest: Option<Incoming>,
    hearing: Rc<Hearing>,
    /// Taken at the end; closed where the end is not reached.
    connection: Option<Connection<Upload>>,
    /// Where the connection goes at the end; `None` where it is not used again.
    kept: Option<Rc<Kept<Upload>>>,
    pace: Option<Pace>,
}

impl Passing {
    pub(super) fn new(
        rest: Incoming,
        hearing: Rc<Hearing>,
        connection: Connection<Upload>,
        kept: Option<Rc<Kept<Upload>>>,
        slow: Option<u64>,
    ) -> Self {
        let pace = slow.map(Pace::new);
        let mut passing = Self { rest: Some(rest), hearing, connection: Some(connection), kept, pace };
        passing.look_for_end();
        passing
    }

    /// A body whose length was told ends with its last byte, and nobody asks for more.
    fn look_for_end(&mut self) {
        if self.rest.as_ref().is_some_and(Body::is_end_stream) {
            self.end(End::Complete);
        }
    }

    fn end(&mut self, end: End) {
        if let (Some(connection), Some(kept), End::Complete) = (self.connection.take(), &self.kept, &end) {
            kept.give_back(connection);
        }
        self.hearing.end(end);
    }

    /// The next piece as the server sends it.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Next<io::Error> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        Poll::Ready(match ready!(Pin::new(rest).poll_frame(context)) {
            Some(Ok(frame)) => Some(Ok(frame)),
            Some(Err(error)) => {
                self.end(End::Failed(failed_on_the_way(&error, Some(self.hearing.length()))));
                Some(Err(io::Error::other(error)))
            }
            None => None,
        })
    }
}

impl Drop for Passing {
    /// The client left, or has all that it wants: then the rest is heard, as nobody waits for it.
    fn drop(&mut self) {
        let (Some(connection), Some(mut rest)) = (self.connection.take(), self.rest.take()) else { return };
        if !self.hearing.said_all() {
            return;
        }
        let hearing = Rc::clone(&self.hearing);
        tokio::task::spawn_local(async move {
            let to_the_end = async {
                while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut rest).poll_frame(context)).await {
                    if let Ok(piece) = frame?.into_data() {
                        hearing.came(&piece);
                    }
                }
                hyper::Result::Ok(())
            };
            if let Ok(Ok(())) = tokio::time::timeout(REST, to_the_end).await {
                hearing.end(End::Complete);
            }
            drop(connection);
        });
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Next<io::Error> {
        let mut pace = self.pace.take();
        let next = slowly(pace.as_mut(), context, |context| self.poll_piece(context));
        self.pace = pace;
        match &next {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(piece) = frame.data_ref() {
                    self.hearing.came(piece);
                }
                if self.pace.as_ref().is_none_or(|pace| pace.held.is_empty()) {
                    self.look_for_end();
                }
            }
            Poll::Ready(None) => self.end(End::Complete),
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(Body::is_end_stream) && self.pace.as_ref().is_none_or(|pace| pace.held.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.pace.as_ref().map_or(0, |pace| pace.held.len()) as u64;
        with_held(&self.rest.as_ref().map(Body::size_hint).unwrap_or_default(), held)
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Next<io::Error> {
        match &mut *self {
            Self::Passing(passing) => Pin::new(&mut **passing).poll_frame(context),
            Self::Played(played) => played.poll(context),
            Self::Said(body) => {
                let piece = std::mem::take(body);
                Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
            }
            Self::Made(body, hearing) => {
                let piece = std::mem::take(body);
                hearing.came(&piece);
                hearing.end(End::Complete);
                Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passing(passing) => passing.is_end_stream(),
            Self::Made(body, _) | Self::Said(body) => body.is_empty(),
            Self::Played(played) => played.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passing(passing) => passing.size_hint(),
            Self::Made(body, _) | Self::Said(body) => SizeHint::with_exact(body.len() as u64),
            Self::Played(_) => SizeHint::default(),
        }
    }
}
