//! Faults in a proxy that is another process: [`Remote`] puts them there, and takes them away again when it is dropped.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::faults::Planned;
use super::server::CONTROL;

/// How long such a proxy, on the same machine, may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The list of faults of a proxy that was started with `--control`.
#[derive(Debug)]
pub struct Remote {
    /// Host and port.
    at: String,
}

impl Remote {
    /// Takes hold of the proxy at this address; its list is empty then. **Errors**: there is none that can be controlled.
    pub fn hold(url: &str) -> io::Result<Self> {
        let at = url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        let remote = Self { at };
        remote.say("DELETE", "")?;
        Ok(remote)
    }

    /// Puts these in the place of its list.
    pub fn put(&self, faults: &[Planned]) -> io::Result<()> {
        let list: String = faults.iter().map(|planned| format!("{planned}\n")).collect();
        self.say("PUT", &list)
    }

    fn say(&self, method: &str, body: &str) -> io::Result<()> {
        let none = || io::Error::other(format!("`{}` is no address", self.at));
        let address = self.at.to_socket_addrs()?.next().ok_or_else(none)?;
        let mut socket = TcpStream::connect_timeout(&address, LIMIT)?;
        socket.set_read_timeout(Some(LIMIT))?;
        socket.set_write_timeout(Some(LIMIT))?;
        let (at, length) = (&self.at, body.len());
        let request =
            format!("{method} {CONTROL} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        socket.write_all(request.as_bytes())?;
        let mut reply = String::new();
        socket.read_to_string(&mut reply)?;
        if reply.starts_with("HTTP/1.1 200 ") {
            return Ok(());
        }
        let said = reply.split_once("\r\n\r\n").map_or(reply.as_str(), |(_, body)| body).trim();
        Err(io::Error::other(format!("no proxy that can be controlled (`fireassay proxy --control`) answers at {at}: {said}")))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // Where it is gone, its faults are as well.
        drop(self.say("DELETE", ""));
    }
}
