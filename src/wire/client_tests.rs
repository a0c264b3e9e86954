//! Requests as they are written, without a server.

use super::*;

#[track_caller]
fn address(base: &str, target: &str, expect: &str) {
    assert_eq!(Base::new(base).address(target), expect);
}

#[test]
fn addresses() {
    address("http://127.0.0.1:8080", "/v1/models", "http://127.0.0.1:8080/v1/models");
    address(" http://127.0.0.1:8080/v1/ ", "/v1/models", "http://127.0.0.1:8080/v1/models");
    address("https://host/openai/v1", "v1/models", "https://host/openai/v1/models");
    address("http://host/", "https://other/x", "https://other/x");
}

#[test]
fn a_base_that_is_no_address_is_refused() {
    for bad in ["", "127.0.0.1:8080", "localhost:80", "ftp://host", "http://"] {
        let error = Client::new(Base::new(bad)).expect_err(bad).to_string();
        assert!(error.contains("is not an HTTP address"), "{error}");
    }
}

#[test]
fn loopback_hosts() {
    for (host, expect) in
        [("localhost", true), ("127.0.0.9", true), ("[::1]", true), ("10.0.0.1", false), ("localhost.example", false)]
    {
        assert_eq!(is_loopback(host), expect, "{host}");
    }
}

fn send(request: Request, base: &str) -> Exchange {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { Client::new(Base::new(base)).expect("a client").send(ExchangeId(1), request).await })
}

/// An address on which nothing listens: bound once, then closed.
fn dead_end() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", socket.local_addr().expect("its address"))
}

#[test]
fn a_refused_connection_is_part_of_the_exchange() {
    let exchange = send(Request::get("/health"), &dead_end());
    let failure = exchange.failure().expect("a failure");
    assert_eq!(failure.kind, TransportKind::Connect, "{}", failure.message);
    assert!(failure.message.contains("refused"), "{}", failure.message);
    assert_eq!((exchange.status, exchange.body.len(), exchange.chunks.len()), (None, 0, 0));
}

#[test]
fn what_cannot_be_written_is_not_sent() {
    let base = dead_end();
    for request in [
        Request::get("/").header("x bad", "1"),
        Request::get("/").header("x", "two\nlines"),
        Request { method: "GE T".to_owned(), ..Request::get("/") },
        Request::get("http://"),
    ] {
        let exchange = send(request, &base);
        assert_eq!(exchange.failure().map(|failure| failure.kind), Some(TransportKind::NotSent), "{:?}", exchange.end);
    }
}

#[test]
fn a_silent_peer_meets_the_time_limit_or_the_plan() {
    // The kernel completes the connection from the backlog; nobody ever answers.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", socket.local_addr().expect("its address"));
    let limit = Duration::from_millis(30);
    let exchange = send(Request::get("/").timeout(limit), &base);
    assert_eq!(exchange.failure().map(|failure| failure.kind), Some(TransportKind::Timeout));
    assert!(exchange.took >= limit);
    let exchange = send(Request::get("/").timeout(limit * 100).read(ReadPlan::For(limit)), &base);
    assert_eq!(exchange.end, End::HungUp);
}
