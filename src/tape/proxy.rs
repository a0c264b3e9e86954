//! A loopback address between any client and a real server: [`Proxy`].
//!
//! Requests and replies pass as they are, pieces as they come, whatever their length. A reply that breaks off breaks off for
//! the client as well, and a client that leaves leaves the server at once: nothing is made up. A fault changes a reply on its
//! way. What was said can be kept, or handed on exchange by exchange.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::deck::Deck;
use super::fault::Fault;
use super::faults::Faults;
use super::hearing::{Ended, Passed};
use super::listener::{Listener, ProxyError, Served};
use super::replay::{Pace, Player};
use super::server::{Core, serve};
use super::upstream::Upstream;
use crate::wire::{Base, Client, Exchange, Request};

/// How long a client's last exchanges may take to end once it is gone.
const LAST: Duration = Duration::from_secs(10);

/// Changes where a request goes, and its headers.
pub(super) type Direct = dyn Fn(&mut Request) + Send;
/// Chooses the fault of a request.
pub(super) type Choose = dyn Fn(&Request) -> Fault + Send;

/// What a proxy does.
pub struct Orders {
    to: Base,
    listen: SocketAddr,
    direct: Option<Box<Direct>>,
    choose: Option<Box<Choose>>,
    ended: Option<Box<dyn Fn(Passed) + Send>>,
    reads_ahead: bool,
    player: Option<Player>,
    keep: usize,
    control: Option<Arc<Faults>>,
}

impl Orders {
    /// Passes everything on to a server, on a loopback port of its own, and keeps bodies up to [`Base::body_limit`].
    pub fn to(server: Base) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let keep = server.body_limit;
        Self {
            to: server,
            listen,
            direct: None,
            choose: None,
            ended: None,
            reads_ahead: false,
            player: None,
            keep,
            control: None,
        }
    }

    /// Listens at this address.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Has each request's target and headers changed. Its body is there up to the limit, so that it goes on only then.
    #[must_use]
    pub fn direct(mut self, direct: impl Fn(&mut Request) + Send + 'static) -> Self {
        self.direct = Some(Box::new(direct));
        self.reads_ahead = true;
        self
    }

    /// Asks for the fault of each request; nothing of its body is there yet, unless [`Orders::read_ahead`] has it read.
    #[must_use]
    pub fn choose(mut self, choose: impl Fn(&Request) -> Fault + Send + 'static) -> Self {
        self.choose = Some(Box::new(choose));
        self
    }

    /// Each request meets the next of these faults.
    #[must_use]
    pub fn faults(self, faults: &Arc<Faults>) -> Self {
        let faults = Arc::clone(faults);
        self.choose(move |_| faults.next())
    }

    /// As [`Orders::faults`]; `GET`, `PUT` and `DELETE` of `/-/faults` tell and change them, a line each.
    #[must_use]
    pub fn controlled(mut self, faults: &Arc<Faults>) -> Self {
        self.control = Some(Arc::clone(faults));
        self.faults(faults)
    }

    /// Keeps no bodies.
    #[must_use]
    pub fn keep_nothing(mut self) -> Self {
        self.keep = 0;
        self
    }

    /// Reads the body of a request, up to the limit, before it is looked at.
    #[must_use]
    pub fn read_ahead(mut self) -> Self {
        self.reads_ahead = true;
        self
    }

    /// Has a tape answer, or keep what the server answers, or both; requests that meet a fault are left out.
    #[must_use]
    pub fn tape(mut self, deck: Arc<Deck>, pace: Pace) -> Self {
        self.player = Some(Player { deck, pace, any_key: false });
        self.reads_ahead = true;
        self
    }

    /// As [`Orders::tape`], for a tape that answers whoever asks, whatever their key.
    #[must_use]
    pub fn tape_for_all(self, deck: Arc<Deck>, pace: Pace) -> Self {
        let mut orders = self.tape(deck, pace);
        if let Some(player) = &mut orders.player {
            player.any_key = true;
        }
        orders
    }

    /// Hands on each exchange that is over, on the proxy's thread; then [`Proxy::heard`] has none.
    #[must_use]
    pub fn ended(mut self, ended: impl Fn(Passed) + Send + 'static) -> Self {
        self.ended = Some(Box::new(ended));
        self
    }
}

/// Listens until it is dropped. A connection that fails is closed; others go on.
#[derive(Debug)]
pub struct Proxy {
    listener: Listener,
    heard: Arc<Mutex<Vec<Exchange>>>,
    busy: watch::Receiver<usize>,
}

impl Proxy {
    /// Starts listening. **Errors**: the server's address is none, or no port can be had.
    pub fn start(orders: Orders) -> Result<Self, ProxyError> {
        // Says what is wrong with an address, in the words of every other place.
        drop(Client::new(orders.to.clone())?);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (count, busy) = watch::channel(0);
        let kept = Arc::clone(&heard);
        let listener = Listener::start("proxy", orders.listen, move || {
            let ended: Rc<Ended> = match orders.ended {
                Some(ended) => Rc::from(ended as Box<Ended>),
                None => Rc::new(move |passed: Passed| {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(passed.exchange);
                }),
            };
            let player = orders.player.map(Rc::new);
            let ended: Rc<Ended> = match player.clone() {
                None => ended,
                Some(player) => Rc::new(move |passed| {
                    player.keep(&passed);
                    ended(passed);
                }),
            };
            let core = Rc::new(Core {
                upstream: Upstream::new(orders.to.connect_timeout),
                to: orders.to,
                direct: orders.direct,
                choose: orders.choose,
                reads_ahead: orders.reads_ahead,
                player,
                keep: orders.keep,
                control: orders.control,
                ended,
                busy: Rc::new(count),
            });
            Rc::new(move |socket| -> Served { Box::pin(serve(socket, Rc::clone(&core))) })
        })?;
        Ok(Self { listener, heard, busy })
    }

    /// The address for clients, without `/v1`.
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// What was said through it since the last call, in the order in which it began; waits until nothing is under way.
    /// **Errors**: something still is, long after the client has gone.
    pub async fn heard(&mut self) -> Result<Vec<Exchange>, String> {
        let quiet = tokio::time::timeout(LAST, self.busy.wait_for(|busy| *busy == 0)).await;
        if quiet.is_err() {
            return Err(format!("an exchange is still under way {} s after the client ended", LAST.as_secs()));
        }
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        heard.sort_by_key(|exchange| exchange.sent);
        Ok(heard)
    }
}
