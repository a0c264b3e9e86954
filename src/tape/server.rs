//! One connection of a client: its request is read, sent on to the real server, and the reply is written as a script says.

use std::io;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fault::Fault;
use super::script::{Ending, Framing, Script};
use crate::event::ExchangeId;
use crate::wire::{Client, Request};

/// Longest request. **Units**: bytes.
const LONGEST: usize = 64 << 20;

/// Chooses the fault of a request.
pub(super) type Choose = dyn Fn(&Request) -> Fault + Send;

/// Serves one request of a connection and closes it.
pub(super) async fn serve(mut socket: TcpStream, client: Rc<Client>, choose: Rc<Choose>) -> io::Result<()> {
    let Some(request) = read(&mut socket).await? else { return Ok(()) };
    let fault = choose(&request);
    let reply = client.send(ExchangeId(0), request).await;
    let script = match reply.failure() {
        None => fault.script(&reply),
        Some(error) => {
            let message = format!("the relay has no whole reply of the server: {}", error.message);
            let mut script = Script::of(&reply);
            script.status = 502;
            script.headers = vec![("content-type".to_owned(), "application/json".into())];
            script.writes = vec![serde_json::json!({"error": {"message": message, "type": "relay"}}).to_string().into_bytes()];
            script
        }
    };
    write(&mut socket, &script).await
}

/// Reads a request; `None` where the client sent nothing. **Errors**: what came is no request, or is too long.
pub(super) async fn read(socket: &mut TcpStream) -> io::Result<Option<Request>> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut bytes = Vec::new();
    let (head, start) = loop {
        if let Some(at) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            let head = std::str::from_utf8(&bytes[..at]).map_err(|_| bad("the head of a request is not UTF-8"))?;
            break (head.to_owned(), at + 4);
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(bad("the head of a request was cut")) };
        }
        if bytes.len() > LONGEST {
            return Err(bad("the head of a request is too long"));
        }
    };
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().ok_or_else(|| bad("a request without target"))?.to_owned();
    let mut request = Request { method, target, ..Request::default() };
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(|_| bad("a length that is no number"))?,
            "transfer-encoding" => return Err(bad("a request in chunks, which no client library sends")),
            "host" | "connection" => {}
            _ => request = request.header(name, value.trim()),
        }
    }
    if length > LONGEST {
        return Err(bad("a request is too long"));
    }
    while bytes.len() < start + length {
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(bad("the body of a request was cut"));
        }
    }
    request.body = (length > 0).then(|| bytes[start..start + length].to_vec().into());
    Ok(Some(request))
}

async fn write(socket: &mut TcpStream, script: &Script) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.write_all(&script.head()).await?;
    for piece in &script.writes {
        put(socket, piece, &script.framing).await?;
    }
    match &script.ending {
        Ending::Dropped => {}
        Ending::Stalled => wait(socket).await?,
        Ending::Left => {
            end(socket, &script.framing).await?;
            wait(socket).await?;
        }
        Ending::Repeated(piece) => loop {
            put(socket, piece, &script.framing).await?;
        },
        Ending::Proper => {
            end(socket, &script.framing).await?;
            socket.shutdown().await?;
        }
    }
    Ok(())
}

/// Until the client leaves, or sends what nobody reads.
async fn wait(socket: &mut TcpStream) -> io::Result<()> {
    let mut more = [0; 1];
    socket.read(&mut more).await.map(drop)
}

async fn end(socket: &mut TcpStream, framing: &Framing) -> io::Result<()> {
    match framing {
        Framing::Chunked => socket.write_all(b"0\r\n\r\n").await,
        Framing::Length(_) | Framing::Bodiless => Ok(()),
    }
}

pub(super) async fn put(socket: &mut (impl AsyncWriteExt + Unpin), piece: &[u8], framing: &Framing) -> io::Result<()> {
    if piece.is_empty() {
        return Ok(());
    }
    match framing {
        Framing::Bodiless => Ok(()),
        Framing::Length(_) => socket.write_all(piece).await,
        Framing::Chunked => {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            socket.write_all(&chunk).await
        }
    }
}
