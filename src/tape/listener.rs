//! A port with a thread of its own that serves every connection: [`Listener`].

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::thread::JoinHandle;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::wire::WireError;

/// A proxy could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The server's address is none.
    #[error(transparent)]
    Server(#[from] WireError),
    /// The port cannot be had.
    #[error("cannot listen at {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// No thread can be had.
    #[error("cannot start a thread for the proxy: {0}")]
    Thread(io::Error),
}

/// What becomes of one connection.
pub(super) type Served = Pin<Box<dyn Future<Output = io::Result<()>>>>;
/// Serves a connection, on the listener's thread.
pub(super) type Serve = dyn Fn(TcpStream) -> Served;

/// Listens until it is dropped. A connection that fails is closed; others go on.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts the thread, which calls `make` once. **Errors**: the port cannot be had.
    pub(super) fn start(
        name: &str,
        at: SocketAddr,
        make: impl FnOnce() -> Rc<Serve> + Send + 'static,
    ) -> Result<Self, ProxyError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ProxyError::Thread)?;
        let listening = || {
            // Not tokio's own way to listen: whoever starts us may be inside another runtime.
            let socket = std::net::TcpListener::bind(at)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            let _inside = runtime.enter();
            Ok((TcpListener::from_std(socket)?, address))
        };
        let (listener, address) = listening().map_err(|error| ProxyError::Listen(at, error))?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let tasks = LocalSet::new();
            runtime.block_on(tasks.run_until(async {
                tokio::select! {
                    // A sender that was dropped stops it as well.
                    _ = stopped => {}
                    () = accept(listener, make()) => {}
                }
            }));
        });
        let thread = thread.map_err(ProxyError::Thread)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address for clients, without `/v1`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nobody to hand it to.
            drop(thread.join());
        }
    }
}

/// A loopback port that is taken and does not listen: every connection to it is refused.
#[derive(Debug)]
pub struct Refusing {
    address: SocketAddr,
    _socket: Socket,
}

impl Refusing {
    /// Takes a port. **Errors**: none can be had.
    pub fn start() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        let address = socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("the port has no address"))?;
        Ok(Self { address, _socket: socket })
    }

    /// The address for clients, without `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn accept(listener: TcpListener, serve: Rc<Serve>) {
    // Out of handles for a moment: the next connection may be had again.
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let served = serve(socket);
        // A client that left in the middle is what faults are for.
        tokio::task::spawn_local(async move { drop(served.await) });
    }
}
