//! A loopback address that passes requests on to a real server, and its replies back: [`Relay`].

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use super::fault::Fault;
use super::server;
use crate::wire::{Base, Client, Request, WireError};

/// A relay could not be started.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The server's address is none.
    #[error(transparent)]
    Server(#[from] WireError),
    /// No loopback port could be had.
    #[error("cannot listen on a loopback port: {0}")]
    Listen(#[from] io::Error),
}

/// Listens on a loopback port of its own until it is dropped. A connection that fails is closed; others go on.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Starts a relay to a server; `choose` is asked for the fault of each request. Replies are taken whole from the server
    /// before they are passed on. **Errors**: the address is none, or no port can be had.
    pub fn start(server: &str, choose: impl Fn(&Request) -> Fault + Send + 'static) -> Result<Self, RelayError> {
        let client = Client::new(Base::new(server))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || {
            let tasks = LocalSet::new();
            runtime.block_on(tasks.run_until(async {
                tokio::select! {
                    // A sender that was dropped stops it as well.
                    _ = stopped => {}
                    () = accept(listener, client, choose) => {}
                }
            }));
        })?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address for clients, without `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the relay's thread has been printed; there is nobody to hand it to.
            drop(thread.join());
        }
    }
}

async fn accept(listener: TcpListener, client: Client, choose: impl Fn(&Request) -> Fault + Send + 'static) {
    let (client, choose): (_, Rc<server::Choose>) = (Rc::new(client), Rc::new(choose));
    // Out of handles for a moment: the next connection may be had again.
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let served = server::serve(socket, Rc::clone(&client), Rc::clone(&choose));
        // A client that left in the middle is what faults are for.
        tokio::task::spawn_local(async move { drop(served.await) });
    }
}
