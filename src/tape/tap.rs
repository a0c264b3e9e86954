//! A loopback address through which somebody else's client talks to a real server, while everything is kept: [`Tap`].
//!
//! Requests and replies pass as they are, pieces as they come. A reply that breaks off breaks off for the client as well, and
//! a client that leaves leaves the server: nothing is made up.

use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::listener::{Listener, RelayError, Served};
use super::script::{Framing, Script};
use super::server;
use crate::event::ExchangeId;
use crate::wire::{Client, End, Exchange, Onward, Passing, Request};

/// How long a client's last exchanges may take to end once it is gone.
const LAST: Duration = Duration::from_secs(10);

/// What is left of a reply once the client has what it wanted: libraries close at `[DONE]`, before the end of the framing.
const REST: Duration = Duration::from_millis(250);

/// Changes where a request goes, and what it carries.
type Direct = dyn Fn(&mut Request);

/// Listens on a loopback port of its own until it is dropped.
#[derive(Debug)]
pub struct Tap {
    listener: Listener,
    heard: Arc<Mutex<Vec<Exchange>>>,
    open: watch::Receiver<usize>,
}

impl Tap {
    /// Starts listening; `direct` may change where a request goes, and what it carries. **Errors**: no port can be had.
    pub fn start(client: Client, direct: impl Fn(&mut Request) + Send + 'static) -> Result<Self, RelayError> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (count, open) = watch::channel(0);
        let kept = Arc::clone(&heard);
        let listener = Listener::start("tap", move || {
            let direct: Rc<Direct> = Rc::new(direct);
            let (client, count) = (Rc::new(client), Rc::new(count));
            Rc::new(move |socket| -> Served {
                let (client, direct, count, kept) =
                    (Rc::clone(&client), Rc::clone(&direct), Rc::clone(&count), Arc::clone(&kept));
                Box::pin(async move {
                    count.send_modify(|open| *open += 1);
                    let served = pass(socket, &client, &*direct).await;
                    if let Ok(Some(exchange)) = &served {
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.clone());
                    }
                    count.send_modify(|open| *open -= 1);
                    served.map(drop)
                })
            })
        })?;
        Ok(Self { listener, heard, open })
    }

    /// The address for clients, without `/v1`.
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// What was said through it, in the order in which it began; waits until nothing is under way. **Errors**: something still
    /// is, long after the client has gone.
    pub async fn heard(mut self) -> Result<Vec<Exchange>, String> {
        let quiet = tokio::time::timeout(LAST, self.open.wait_for(|open| *open == 0)).await;
        if quiet.is_err() {
            return Err(format!("an exchange is still under way {} s after the client ended", LAST.as_secs()));
        }
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        heard.sort_by_key(|exchange| exchange.sent);
        Ok(heard)
    }
}

/// Serves one request of a connection and closes it; `None` where the client sent nothing.
async fn pass(mut socket: TcpStream, client: &Client, direct: &Direct) -> io::Result<Option<Exchange>> {
    socket.set_nodelay(true)?;
    let Some(mut request) = server::read(&mut socket).await? else { return Ok(None) };
    direct(&mut request);
    let (parts, inbox) = mpsc::unbounded_channel();
    let left = CancellationToken::new();
    let onward = Onward { parts, left: left.clone() };
    let (from, mut to) = socket.split();
    // The reply's own end closes the channel, and so ends the writing.
    let both = async { tokio::join!(client.send_onward(ExchangeId(0), request, onward), write(&mut to, inbox, &left)) };
    let (exchange, written) = tokio::select! {
        done = both => done,
        never = watch_for_leaving(from, &left) => match never {},
    };
    // Without the end of its framing, a reply that broke off is seen to be broken off.
    if let (Ok(Some(Framing::Chunked)), End::Complete) = (&written, &exchange.end) {
        // The client may be gone; the exchange is whole all the same.
        drop(to.write_all(b"0\r\n\r\n").await);
    }
    Ok(Some(exchange))
}

/// Cancels soon after the client closes its side; then waits for ever, as the exchange ends the connection.
async fn watch_for_leaving(mut from: ReadHalf<'_>, left: &CancellationToken) -> std::convert::Infallible {
    let mut more = [0; 64];
    // Bytes of a further request are not read: the head says that the connection closes.
    while matches!(from.read(&mut more).await, Ok(1..)) {}
    tokio::time::sleep(REST).await;
    left.cancel();
    std::future::pending().await
}

/// Writes the parts of a reply as they come; how its length was told. A client that left cancels.
async fn write(
    to: &mut WriteHalf<'_>,
    mut inbox: mpsc::UnboundedReceiver<Passing>,
    left: &CancellationToken,
) -> io::Result<Option<Framing>> {
    let mut framing = None;
    while let Some(part) = inbox.recv().await {
        let written = match part {
            Passing::Head { status, headers } => {
                let (head, told) = head(status, &headers);
                framing = Some(told);
                to.write_all(&head).await
            }
            Passing::Bytes(bytes) => match &framing {
                Some(framing) => server::put(to, &bytes, framing).await,
                // No body comes before its head.
                None => Ok(()),
            },
        };
        if let Err(error) = written {
            left.cancel();
            return Err(error);
        }
    }
    Ok(framing)
}

/// The head as the server had it, but for what belongs to the connection, and how the length of the body is told.
fn head(status: u16, headers: &[(String, Bytes)]) -> (Vec<u8>, Framing) {
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok());
    let framing = match length {
        _ if matches!(status, 204 | 304) => Framing::Bodiless,
        Some(length) => Framing::Length(length),
        None => Framing::Chunked,
    };
    (Script::head_of(status, headers, framing.clone()).head(), framing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, headers: &[(&str, &str)], expect: &str) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), Bytes::from((*value).to_owned()))).collect();
        let (head, _) = head(status, &headers);
        assert_eq!(String::from_utf8(head).unwrap(), expect);
    }

    #[test]
    fn the_head_is_the_servers_but_for_the_connection() {
        check(
            200,
            &[("Content-Type", "a/b"), ("Connection", "keep-alive"), ("Content-Length", "3"), ("X-Id", "7")],
            "HTTP/1.1 200 Relayed\r\nconnection: close\r\nContent-Type: a/b\r\nX-Id: 7\r\ncontent-length: 3\r\n\r\n",
        );
        check(
            200,
            &[("transfer-encoding", "chunked")],
            "HTTP/1.1 200 Relayed\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        );
        check(204, &[], "HTTP/1.1 204 Relayed\r\nconnection: close\r\n\r\n");
    }
}
