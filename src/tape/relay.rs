//! A loopback address that passes requests on to a real server, and its replies back, which it may corrupt: [`Relay`].

use std::rc::Rc;

use super::fault::Fault;
use super::listener::{Listener, RelayError, Served};
use super::server;
use crate::wire::{Base, Client, Request};

/// Listens on a loopback port of its own until it is dropped. A connection that fails is closed; others go on.
#[derive(Debug)]
pub struct Relay(Listener);

impl Relay {
    /// Starts a relay to a server; `choose` is asked for the fault of each request. Replies are taken whole from the server
    /// before they are passed on. **Errors**: the address is none, or no port can be had.
    pub fn start(server: &str, choose: impl Fn(&Request) -> Fault + Send + 'static) -> Result<Self, RelayError> {
        let client = Client::new(Base::new(server))?;
        let listener = Listener::start("relay", move || {
            let (client, choose): (_, Rc<server::Choose>) = (Rc::new(client), Rc::new(choose));
            Rc::new(move |socket| -> Served { Box::pin(server::serve(socket, Rc::clone(&client), Rc::clone(&choose))) })
        })?;
        Ok(Self(listener))
    }

    /// The address for clients, without `/v1`.
    pub fn url(&self) -> String {
        self.0.url()
    }
}
