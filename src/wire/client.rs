//! What did the server answer, byte for byte and when? [`Request`] → [`Exchange`], over HTTP/1.1.
//!
//! [`Client::send`] never fails, follows no redirect and asks for no compression, but unpacks what comes packed. It repeats a
//! request only where a kept connection was found closed, and says so. A client belongs to one thread: on a current-thread
//! runtime a long stream costs a tenth of what it costs on a pool of workers.
//! Dropping the future of an exchange closes its connection.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep_until};

use super::coding::Unpack;
use super::exchange::{Chunk, End, Exchange, ReadPlan, Request, TransportError, TransportKind};
use super::failure;
use super::sse::EventCounter;
use crate::event::ExchangeId;

/// Where requests go, and what bounds hold for all of them.
#[derive(Debug, Clone)]
pub struct Base {
    /// Address without trailing slash and without `/v1`.
    pub url: String,
    /// Longest time for a connection.
    pub connect_timeout: Duration,
    /// Longest body that is kept. **Units**: bytes.
    pub body_limit: usize,
}

impl Base {
    /// Longest body that is kept unless another bound is set: twice what a stream of 100 000 tokens holds.
    pub const BODY_LIMIT: usize = 64 << 20;

    /// An address as people write it, with or without `/v1`: 10 s to connect, bodies up to [`Base::BODY_LIMIT`].
    pub fn new(url: &str) -> Self {
        let url = url.trim().trim_end_matches('/');
        let url = url.strip_suffix("/v1").unwrap_or(url).trim_end_matches('/');
        Self { url: url.to_owned(), connect_timeout: Duration::from_secs(10), body_limit: Self::BODY_LIMIT }
    }

    /// The whole address of a target.
    pub fn address(&self, target: &str) -> String {
        if target.starts_with("http://") || target.starts_with("https://") {
            target.to_owned()
        } else if target.starts_with('/') || target.is_empty() {
            format!("{}{target}", self.url)
        } else {
            format!("{}/{target}", self.url)
        }
    }
}

/// A client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The base address is none.
    #[error("`{url}` is not an HTTP address: {reason}; write it like http://127.0.0.1:8080")]
    Address {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS or the resolver could not be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(String),
}

/// Word that so many events of a reply have come, while it is read on.
#[derive(Debug)]
pub struct Tell {
    events: u64,
    /// Dropped with the reply where it had fewer.
    reached: oneshot::Sender<()>,
}

impl Tell {
    /// Tells the receiver once `events` have come; it gets an error where the reply ended with fewer.
    pub fn after(events: u64) -> (Self, oneshot::Receiver<()>) {
        let (reached, told) = oneshot::channel();
        (Self { events, reached }, told)
    }
}

/// Sends requests to one base address.
#[derive(Debug, Clone)]
pub struct Client {
    /// For requests that are not answered by a stream.
    kept: reqwest::Client,
    /// For those that may be, so that the others never meet a connection that carried a stream.
    streams: reqwest::Client,
    /// For those that may be, once a connection after a stream was found closed: a connection each.
    fresh: OnceLock<reqwest::Client>,
    /// Whether a request of `streams` was answered: the next one may meet the connection that it left.
    answered: Arc<AtomicBool>,
    /// Made when the first `https` address is met: it reads the system's certificates.
    secure: OnceLock<reqwest::Client>,
    base: Base,
}

/// How long a connection is kept: less than the 5 s of common servers, so that one does not close under our request.
///
/// llama.cpp closes its own a moment after a stream although its head says keep-alive. A request that meets such a connection
/// got no answer because nobody read it, so it is sent again, once, on a connection of its own; [`Exchange::resent`] says so,
/// and from then on every stream of this client gets its own.
const IDLE: Duration = Duration::from_secs(2);

/// A length header is trusted for this much memory before the bytes are there.
const RESERVE: usize = 16 << 20;

impl Client {
    /// Makes a client. **Errors**: the address is no HTTP address, or TLS cannot be set up.
    pub fn new(base: Base) -> Result<Self, WireError> {
        let bad = |reason: String| WireError::Address { url: base.url.clone(), reason };
        let url = reqwest::Url::parse(&base.url).map_err(|error| bad(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(format!("`{}:` is not http or https", url.scheme())));
        }
        install_tls();
        let [kept, streams] = [build(Self::plain(&base))?, build(Self::plain(&base))?];
        let client = Self { kept, streams, fresh: OnceLock::new(), answered: Arc::default(), secure: OnceLock::new(), base };
        if url.scheme() == "https" {
            client.secure()?;
        }
        Ok(client)
    }

    fn builder(base: &Base) -> reqwest::ClientBuilder {
        let loopback = reqwest::Url::parse(&base.url).is_ok_and(|url| url.host_str().is_some_and(is_loopback));
        let builder = reqwest::Client::builder()
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(base.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true);
        if loopback { builder.no_proxy() } else { builder }
    }

    /// Requests to plain addresses need no certificates, and reading them takes longer than a short exchange.
    fn plain(base: &Base) -> reqwest::ClientBuilder {
        let no_tls = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        Self::builder(base).tls_backend_preconfigured(no_tls)
    }

    fn fresh(&self) -> Result<&reqwest::Client, WireError> {
        made(&self.fresh, || Self::plain(&self.base).pool_max_idle_per_host(0))
    }

    fn secure(&self) -> Result<&reqwest::Client, WireError> {
        made(&self.secure, || Self::builder(&self.base))
    }

    /// The head of the reply.
    async fn head(&self, exchange: &mut Exchange, request: reqwest::Request) -> Result<reqwest::Response, TransportError> {
        let unset = |error: WireError| TransportError { kind: TransportKind::NotSent, message: error.to_string() };
        if request.url().scheme() == "https" {
            let http = self.secure().map_err(unset)?;
            return http.execute(request).await.map_err(|error| failure::before_head(&error));
        }
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let may_stream = memchr::memmem::find(body, b"\"stream\"").is_some();
        let (http, shared) = match self.fresh.get() {
            _ if !may_stream => (&self.kept, false),
            None => (&self.streams, true),
            Some(fresh) => (fresh, false),
        };
        let error = match http.execute(request).await {
            Ok(response) => {
                self.answered.fetch_or(shared, Ordering::Relaxed);
                return Ok(response);
            }
            Err(error) => failure::before_head(&error),
        };
        if !shared || error.kind != TransportKind::NoReply || !self.answered.load(Ordering::Relaxed) {
            return Err(error);
        }
        exchange.resent = Some(error.message);
        exchange.sent = Instant::now();
        let again = written(&exchange.request, &exchange.url)?;
        self.fresh().map_err(unset)?.execute(again).await.map_err(|error| failure::before_head(&error))
    }

    /// The base address and its bounds.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// Sends a request and keeps everything that comes back. Whatever goes wrong is in [`Exchange::end`].
    pub async fn send(&self, id: ExchangeId, request: Request) -> Exchange {
        self.run(id, request, None).await
    }

    /// As [`Client::send`]; says when so many events have come.
    pub async fn send_and_tell(&self, id: ExchangeId, request: Request, tell: Option<Tell>) -> Exchange {
        self.run(id, request, tell).await
    }

    async fn run(&self, id: ExchangeId, request: Request, tell: Option<Tell>) -> Exchange {
        let url = self.base.address(&request.target);
        let mut exchange = Exchange::begun(id, request, url);
        let mut body = BytesMut::new();
        exchange.end = match self.exchange(&mut exchange, &mut body, tell).await {
            Ok(end) => end,
            Err(error) => End::Failed(error),
        };
        exchange.body = body.freeze();
        exchange.took = exchange.sent.elapsed();
        exchange
    }

    async fn exchange(
        &self,
        exchange: &mut Exchange,
        body: &mut BytesMut,
        mut tell: Option<Tell>,
    ) -> Result<End, TransportError> {
        let request = written(&exchange.request, &exchange.url)?;
        let mut deadline = Deadline::of(exchange.sent, &exchange.request);
        let mut response = match deadline.hold(self.head(exchange, request)).await {
            Ok(response) => response?,
            Err(HungUp) => return deadline.reached("without an answer"),
        };
        exchange.head_at = Some(exchange.sent.elapsed());
        exchange.status = Some(response.status().as_u16());
        exchange.headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())))
            .collect();
        if let Some(length) = response.content_length() {
            body.reserve(usize::try_from(length).unwrap_or(usize::MAX).min(RESERVE).min(self.base.body_limit));
        }
        let mut events = EventCounter::default();
        let mut unpack = Unpack::of(response.headers().get("content-encoding").map(reqwest::header::HeaderValue::as_bytes));
        loop {
            let Ok(read) = deadline.hold(response.chunk()).await else {
                return deadline.reached(&format!("after {} bytes of the body", body.len()));
            };
            let Some(bytes) = read.map_err(|error| failure::in_body(&error, body.len()))? else {
                body.extend(unpack.end().map_err(|error| failure::packed(&error, body.len()))?);
                return Ok(End::Complete);
            };
            let bytes = unpack.feed(&bytes).map_err(|error| failure::packed(&error, body.len()))?;
            let room = self.base.body_limit - body.len();
            let kept = &bytes[..bytes.len().min(room)];
            body.extend_from_slice(kept);
            exchange.chunks.push(Chunk { at: exchange.sent.elapsed(), end: body.len() });
            if kept.len() < bytes.len() {
                return Err(failure::too_long(self.base.body_limit));
            }
            let hangs_up_after = if let ReadPlan::Events(wanted) = exchange.request.read { Some(wanted) } else { None };
            if hangs_up_after.is_none() && tell.is_none() {
                continue;
            }
            let seen = events.feed(kept);
            if let Some(tell) = tell.take_if(|tell| seen >= tell.events) {
                // Whoever waited for it may have been cancelled.
                let _unheard = tell.reached.send(());
            }
            if hangs_up_after.is_some_and(|wanted| seen >= wanted) {
                return Ok(End::HungUp);
            }
        }
    }
}

/// Our patience with one exchange: the earlier of its time limit and its read plan.
struct Deadline {
    /// One timer for the whole exchange: one for each read costs a tenth of a long stream.
    over: Option<Pin<Box<Sleep>>>,
    limit: Duration,
    planned: bool,
}

/// The deadline came first.
struct HungUp;

impl Deadline {
    fn of(sent: Instant, request: &Request) -> Self {
        let planned = match request.read {
            ReadPlan::For(time) => Some(time),
            ReadPlan::All | ReadPlan::Events(_) => None,
        };
        let by_plan = planned.is_some_and(|time| request.timeout.is_none_or(|limit| time <= limit));
        let limit = if by_plan { planned } else { request.timeout };
        let at = limit.and_then(|limit| sent.checked_add(limit));
        let over = at.map(|at| Box::pin(sleep_until(at.into())));
        Self { over, limit: limit.unwrap_or_default(), planned: by_plan }
    }

    async fn hold<T>(&mut self, work: impl Future<Output = T>) -> Result<T, HungUp> {
        let Some(over) = self.over.as_mut() else { return Ok(work.await) };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = over => Err(HungUp),
        }
    }

    fn reached(&self, state: &str) -> Result<End, TransportError> {
        if self.planned {
            return Ok(End::HungUp);
        }
        let message = format!("the time limit of {:?} was reached {state}", self.limit);
        Err(TransportError { kind: TransportKind::Timeout, message })
    }
}

/// A client that is made when it is first needed.
fn made(slot: &OnceLock<reqwest::Client>, builder: impl Fn() -> reqwest::ClientBuilder) -> Result<&reqwest::Client, WireError> {
    if let Some(client) = slot.get() {
        return Ok(client);
    }
    let client = build(builder())?;
    Ok(slot.get_or_init(|| client))
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, WireError> {
    builder.build().map_err(|error| WireError::Setup(failure::chain(&error)))
}

/// The request as reqwest wants it; the time limit is ours, so that a cut body is kept.
fn written(request: &Request, url: &str) -> Result<reqwest::Request, TransportError> {
    let bad = |what: String| TransportError { kind: TransportKind::NotSent, message: what };
    let method = reqwest::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| bad(format!("`{}` is not an HTTP method", request.method)))?;
    let address = reqwest::Url::parse(url).map_err(|error| bad(format!("`{url}` is not an address: {error}")))?;
    let mut out = reqwest::Request::new(method, address);
    for (name, value) in &request.headers {
        let key = reqwest::header::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad(format!("`{name}` is not a header name")))?;
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| bad(format!("the value of header `{name}` has characters that HTTP does not allow")))?;
        out.headers_mut().append(key, value);
    }
    if let Some(body) = &request.body {
        *out.body_mut() = Some(body.clone().into());
    }
    Ok(out)
}

/// Installs ring as the process's TLS provider; another one that is there already is as good.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only when another thread was faster, and then there is one.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
    });
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
