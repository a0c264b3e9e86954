//! The way to the server: connections over TCP or TLS, one after another for each connection of a client.
//!
//! A connection that is let go before its reply is over is closed at once, so that the server learns that the client left.
//! Where the environment names a proxy for an address that is not of this machine, it is asked for a tunnel.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use tower_service::Service;

use crate::wire::{TransportError, TransportKind, failed_on_the_way, install_tls};

/// How long a connection is kept: less than the 5 s of common servers, so that one does not close under a request.
const IDLE: Duration = Duration::from_secs(2);

/// Connects to servers.
pub(super) struct Upstream {
    connector: HttpConnector,
    proxies: Matcher,
    /// Made when the first `https` address is met: it reads the system's certificates.
    tls: RefCell<Option<TlsConnector>>,
}

/// A connection with a server on which one reply at a time is under way.
pub(super) struct Connection<B> {
    origin: String,
    sender: SendRequest<B>,
    /// Reads and writes; closes the connection when it is dropped.
    _work: AbortOnDropHandle<()>,
    idle_since: Instant,
}

/// The connections of one client: at most one, which waits for the next request.
pub(super) struct Kept<B>(RefCell<Option<Connection<B>>>);

impl<B> Default for Kept<B> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<B> Kept<B> {
    /// Keeps a connection whose reply is over for the next request.
    pub(super) fn give_back(&self, mut connection: Connection<B>) {
        connection.idle_since = Instant::now();
        *self.0.borrow_mut() = Some(connection);
    }

    fn take(&self, origin: &str) -> Option<Connection<B>> {
        let kept = self.0.borrow_mut().take()?;
        (kept.origin == origin && !kept.sender.is_closed() && kept.idle_since.elapsed() < IDLE).then_some(kept)
    }
}

impl Upstream {
    /// **Errors** are met when a connection is asked for.
    pub(super) fn new(connect_timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        Self { connector, proxies: Matcher::from_env(), tls: RefCell::new(None) }
    }

    /// Sends a request to an address and waits for the head of the reply.
    pub(super) async fn send<B>(
        &self,
        kept: &Kept<B>,
        to: &Uri,
        mut request: Request<B>,
    ) -> Result<(Response<Incoming>, Connection<B>), TransportError>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let origin = format!("{}://{}", to.scheme_str().unwrap_or("http"), to.authority().map_or("", |host| host.as_str()));
        if let Some(mut connection) = kept.take(&origin) {
            match connection.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    // Closed before anything of it was written.
                    Some(unsent) => request = unsent,
                    None => return Err(failed_on_the_way(error.error(), None)),
                },
            }
        }
        let mut connection = self.connect(to, origin).await?;
        match connection.sender.send_request(request).await {
            Ok(response) => Ok((response, connection)),
            Err(error) => Err(failed_on_the_way(&error, None)),
        }
    }

    async fn connect<B>(&self, to: &Uri, origin: String) -> Result<Connection<B>, TransportError>
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let none = |what: String| TransportError { kind: TransportKind::Connect, message: format!("no connection: {what}") };
        let tunnel = self.proxies.intercept(to).filter(|_| !to.host().is_some_and(crate::wire::is_loopback));
        let mut connector = self.connector.clone();
        let plain = match tunnel {
            None => connector.call(to.clone()).await.map_err(|error| none(in_words(&error)))?,
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
                if let Some(key) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(key.clone());
                }
                tunnel.call(to.clone()).await.map_err(|error| none(in_words(&error)))?
            }
        };
        let (sender, work) = if to.scheme_str() == Some("https") {
            let host = to.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(host).map_err(|error| none(error.to_string()))?;
            let tls = self.tls().map_err(|error| none(in_words(&error)))?;
            let secure = tls.connect(name, plain.into_inner()).await.map_err(|error| none(in_words(&error)))?;
            shake(TokioIo::new(secure)).await
        } else {
            shake(plain).await
        }
        .map_err(|error| none(in_words(&error)))?;
        Ok(Connection { origin, sender, _work: work, idle_since: Instant::now() })
    }

    fn tls(&self) -> io::Result<TlsConnector> {
        if let Some(tls) = &*self.tls.borrow() {
            return Ok(tls.clone());
        }
        install_tls();
        let config = rustls::ClientConfig::with_platform_verifier().map_err(io::Error::other)?;
        let tls = TlsConnector::from(Arc::new(config));
        *self.tls.borrow_mut() = Some(tls.clone());
        Ok(tls)
    }
}

async fn shake<B, T>(io: T) -> hyper::Result<(SendRequest<B>, AbortOnDropHandle<()>)>
where
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T: Read + Write + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new().preserve_header_case(true).handshake(io).await?;
    // What goes wrong with it is told to whoever waits for its reply.
    let work = tokio::task::spawn_local(async move { drop(connection.await) });
    Ok((sender, AbortOnDropHandle::new(work)))
}

/// An error with its causes.
fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = error.source();
    }
    words
}
