//! One connection of a client: each of its requests goes on to the server, or meets a fault, and the reply comes back.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::bodies::{Download, Passing, Upload};
use super::fault::{Fault, Manner};
use super::faults::{Faults, Planned};
use super::hearing::{By, Ended, Hearing, OF_CONNECTION};
use super::line::Line;
use super::pen::{Begun, Pen};
use super::proxy::{Choose, Direct};
use super::replay::Player;
use super::upstream::{Connection, Kept, Upstream};
use crate::wire::{self, Base, End, TransportError, TransportKind};

/// What all connections of a proxy share, on its thread.
pub(super) struct Core {
    pub(super) to: Base,
    pub(super) upstream: Upstream,
    pub(super) direct: Option<Box<Direct>>,
    pub(super) choose: Option<Box<Choose>>,
    pub(super) reads_ahead: bool,
    /// Longest body that is kept. **Units**: bytes.
    pub(super) keep: usize,
    /// Faults that may be changed over HTTP, at [`CONTROL`].
    pub(super) control: Option<Arc<Faults>>,
    pub(super) player: Option<Rc<Player>>,
    pub(super) ended: Rc<Ended>,
    pub(super) busy: Rc<watch::Sender<usize>>,
}

/// Where faults are changed.
pub(super) const CONTROL: &str = "/-/faults";

/// Longest list of faults. **Units**: bytes.
const LONGEST_LIST: usize = 64 << 10;

/// One connection.
struct Served {
    core: Rc<Core>,
    line: Line,
    kept: Rc<Kept<Upload>>,
    /// Whether the next request on it gets no answer.
    left: std::cell::Cell<bool>,
}

/// The connection ends here, without an answer or with one that was written past hyper.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends here")]
struct Over;

/// Serves a connection until either side ends it.
pub(super) async fn serve(socket: TcpStream, core: Rc<Core>) -> io::Result<()> {
    let line = Line::new(socket)?;
    let served = Rc::new(Served { core, line: line.clone(), kept: Rc::default(), left: false.into() });
    let service = service_fn(move |request| {
        let served = Rc::clone(&served);
        async move { served.answer(request).await }
    });
    http1::Builder::new()
        .auto_date_header(false)
        .preserve_header_case(true)
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(line), service)
        .await
        .map_err(io::Error::other)
}

impl Served {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Download>, Over> {
        if self.left.get() {
            return Err(Over);
        }
        let core = &self.core;
        if let Some(faults) = core.control.as_deref().filter(|_| request.uri().path() == CONTROL) {
            return control(faults, request).await;
        }
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let asked = wire::Request { method: parts.method.to_string(), target: path, ..told(&parts.headers) };
        let hearing = Rc::new(Hearing::begin(asked, core.keep, Rc::clone(&core.ended), Rc::clone(&core.busy)));
        let mut upload = Upload::new(body, Rc::clone(&hearing));
        if core.reads_ahead {
            upload.read_ahead(core.to.body_limit).await.map_err(|_| Over)?;
        }
        let mut request = hearing.request();
        if let Some(direct) = &core.direct {
            let before = request.headers.clone();
            direct(&mut request);
            if request.headers != before {
                parts.headers = redirected(&parts.headers, &request.headers);
            }
        }
        let url = core.to.address(&request.target);
        hearing.goes_on(&request, url.clone());
        let fault = core.choose.as_ref().map(|choose| choose(&request)).unwrap_or_default();
        if matches!(fault, Fault::None) {
            if let Some(answer) = core.player.as_ref().and_then(|player| player.answer(&request, &hearing)) {
                return Ok(answer);
            }
        } else {
            hearing.answered_by(By::Fault(fault.to_string()));
        }
        if matches!(fault.manner(), Manner::Answered(..)) || matches!(fault, Fault::Garbage) {
            // Whoever answers has heard the question.
            upload.read_ahead(core.to.body_limit).await.map_err(|_| Over)?;
        }
        match &fault {
            Fault::Delay(time) => tokio::time::sleep(*time).await,
            Fault::SlowRequest(per_second) => upload.slow(*per_second),
            Fault::Garbage => {
                // Whether it was taken or not, the connection is over.
                drop(Pen::new(&self.line, &hearing).garbage().await);
                return Err(Over);
            }
            _ => {}
        }
        if let Manner::Answered(status, headers, body) = fault.manner() {
            return Ok(made(&hearing, status, &headers, body));
        }
        let sent = match aimed(&url) {
            Ok((to, path)) => {
                parts.uri = path;
                set_host(&mut parts.headers, &to);
                core.upstream.send(&self.kept, &to, Request::from_parts(parts, upload)).await
            }
            Err(message) => Err(TransportError { kind: TransportKind::NotSent, message }),
        };
        match sent {
            Ok((response, connection)) => self.pass_on(&fault, hearing, response, connection).await,
            Err(error) => {
                hearing.end(End::Failed(error));
                Err(Over)
            }
        }
    }

    /// The server's reply on its way to the client.
    async fn pass_on(
        &self,
        fault: &Fault,
        hearing: Rc<Hearing>,
        response: Response<Incoming>,
        connection: Connection<Upload>,
    ) -> Result<Response<Download>, Over> {
        let (mut head, body) = response.into_parts();
        if let Fault::Without(name) = &fault {
            head.headers = without(&head.headers, name);
        }
        let status = head.status.as_u16();
        if !matches!(fault.manner(), Manner::Http) {
            let reply = Begun { status, headers: listed(&head.headers), body };
            // Whether it was taken or not, the connection is over, and with it the server's.
            drop(Pen::new(&self.line, &hearing).write(fault, reply, self.core.to.body_limit).await);
            drop(connection);
            return Err(Over);
        }
        hearing.head(status, listed(&head.headers));
        self.left.set(matches!(fault, Fault::Leave));
        // Some servers close a connection after a stream although their head says that they keep it.
        let again = !is_stream(&head.headers);
        let slow = if let Fault::SlowReply(per_second) = fault { Some(*per_second) } else { None };
        let passing = Passing::new(body, hearing, connection, again.then(|| Rc::clone(&self.kept)), slow);
        Ok(Response::from_parts(head, Download::Passing(Box::new(passing))))
    }
}

/// `GET` tells the faults to come, a line each; `PUT` puts others in their place, `DELETE` none.
async fn control(faults: &Faults, request: Request<Incoming>) -> Result<Response<Download>, Over> {
    let (status, text) = match request.method().as_str() {
        "PUT" => {
            let mut body = request.into_body();
            let mut list = Vec::new();
            while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                list.extend(frame.map_err(|_| Over)?.into_data().unwrap_or_default());
                if list.len() > LONGEST_LIST {
                    return Err(Over);
                }
            }
            let list = String::from_utf8_lossy(&list);
            let planned: Result<Vec<_>, _> = list.lines().filter(|line| !line.trim().is_empty()).map(Planned::parse).collect();
            match planned {
                Ok(planned) => {
                    faults.replace(planned);
                    (200, faults.render())
                }
                Err(error) => (400, error),
            }
        }
        "DELETE" => {
            faults.clear();
            (200, String::new())
        }
        "GET" => (200, faults.render()),
        _ => (405, "GET, PUT or DELETE".to_owned()),
    };
    let response = Response::builder().status(status).header(header::CONTENT_TYPE, "text/plain");
    Ok(response.body(Download::Said(text.into())).expect("a status and a plain header"))
}

/// The headers that say something of the request itself.
fn told(headers: &HeaderMap) -> wire::Request {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let own = headers.iter().filter(|(name, _)| !OF_CONNECTION.contains(&name.as_str()));
    wire::Request { headers: own.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(), ..Default::default() }
}

fn listed(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect()
}

fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// The headers of a request with those that were directed to be others; what belongs to the connection stays, and the order.
fn redirected(from: &HeaderMap, to: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(from.len());
    let valid = |name: &str, value: &str| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?));
    for name in from.keys() {
        if OF_CONNECTION.contains(&name.as_str()) {
            headers.extend(from.get_all(name).iter().map(|value| (name.clone(), value.clone())));
        } else {
            let named = to.iter().filter(|(other, _)| name.as_str().eq_ignore_ascii_case(other));
            for (name, value) in named.filter_map(|(name, value)| valid(name, value)) {
                headers.append(name, value);
            }
        }
    }
    for (name, value) in to.iter().filter_map(|(name, value)| valid(name, value)) {
        if !from.contains_key(&name) {
            headers.append(name, value);
        }
    }
    headers
}

/// The headers but for one; taking one out of a map would change the order of the others.
fn without(headers: &HeaderMap, unwanted: &str) -> HeaderMap {
    let others = headers.iter().filter(|(name, _)| !name.as_str().eq_ignore_ascii_case(unwanted));
    let mut left = HeaderMap::with_capacity(headers.len());
    for (name, value) in others {
        left.append(name.clone(), value.clone());
    }
    left
}

/// The server's name in place of ours, where it stood.
fn set_host(headers: &mut HeaderMap, to: &Uri) {
    if let (Some(host), Some(authority)) = (headers.get_mut(header::HOST), to.authority())
        && let Ok(name) = HeaderValue::try_from(authority.as_str())
    {
        *host = name;
    }
}

/// A whole address, and its path alone.
fn aimed(url: &str) -> Result<(Uri, Uri), String> {
    let bad = |error: &dyn std::error::Error| format!("`{url}` is not an address: {error}");
    let to: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| bad(&error))?;
    let path = to.path_and_query().map_or("/", |path| path.as_str());
    let path = path.parse().map_err(|error: hyper::http::uri::InvalidUri| bad(&error))?;
    Ok((to, path))
}

/// An answer of somebody between client and server.
pub(super) fn made(hearing: &Rc<Hearing>, status: u16, headers: &[(&str, String)], body: String) -> Response<Download> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    let length = body.len();
    let mut response = response
        .header(header::CONTENT_LENGTH, length)
        .body(Download::Made(body.into(), Rc::clone(hearing)))
        .expect("a status of three digits and plain headers");
    hearing.head(status, listed(response.headers()));
    // Who answers for somebody else has not read all that was said to them.
    response.headers_mut().append(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        map
    }

    #[track_caller]
    fn check(headers: &HeaderMap, expect: &[(&str, &str)]) {
        let found: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn headers_keep_their_order() {
        let headers = map(&[("host", "a"), ("x", "1"), ("authorization", "old"), ("y", "2"), ("connection", "close")]);
        check(&without(&headers, "X"), &[("host", "a"), ("authorization", "old"), ("y", "2"), ("connection", "close")]);
        let directed = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let new = directed(&[("x", "1"), ("Authorization", "new"), ("y", "2"), ("z", "3")]);
        let expect = [("host", "a"), ("x", "1"), ("authorization", "new"), ("y", "2"), ("connection", "close"), ("z", "3")];
        check(&redirected(&headers, &new), &expect);
        let none = directed(&[("x", "1"), ("y", "2")]);
        check(&redirected(&headers, &none), &[("host", "a"), ("x", "1"), ("y", "2"), ("connection", "close")]);
        assert_eq!(told(&headers).headers, directed(&[("x", "1"), ("authorization", "old"), ("y", "2")]));
    }

    #[test]
    fn the_server_is_told_its_own_name() {
        let (to, path) = aimed("http://127.0.0.1:80/base/v1/models?a=%20b").unwrap();
        assert_eq!(path, "/base/v1/models?a=%20b");
        let mut headers = map(&[("a", "1"), ("host", "127.0.0.1:9"), ("b", "2")]);
        set_host(&mut headers, &to);
        check(&headers, &[("a", "1"), ("host", "127.0.0.1:80"), ("b", "2")]);
        assert!(aimed("http://a b/").is_err());
    }
}
