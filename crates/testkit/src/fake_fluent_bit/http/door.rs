//! A listening socket with one thread per connection, that can be shut at once.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

/// How long an idle connection lives (measured: 9.3–10 s).
pub const DOOR_IDLE: Duration = Duration::from_secs(10);

/// Connections served at once; more are dropped.
const MAX_CONNECTIONS: usize = 64;

type Handler = dyn Fn(TcpStream) + Send + Sync;

/// An open listener. Dropping it closes the socket and every connection, as the end of an engine does.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    closing: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl Door {
    /// Listens on `listen:port` and hands each connection to `handler` on a thread of its own.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn open(listen: &str, port: u16, handler: Arc<Handler>) -> io::Result<Self> {
        let listener = TcpListener::bind((listen, port))?;
        let address = listener.local_addr()?;
        let closing = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let accepting = {
            let (closing, open) = (Arc::clone(&closing), Arc::clone(&open));
            thread::Builder::new()
                .name("door".to_owned())
                .spawn(move || accept(&listener, &closing, &open, &handler))?
        };
        Ok(Self { address, closing, open, accepting: Some(accepting) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // `accept` has no deadline, so a connection of our own wakes it.
        drop(TcpStream::connect_timeout(&reachable(self.address), Duration::from_secs(1)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        for stream in self.open.lock().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

fn accept(
    listener: &TcpListener,
    closing: &AtomicBool,
    open: &Arc<Mutex<Vec<TcpStream>>>,
    handler: &Arc<Handler>,
) {
    for stream in listener.incoming() {
        if closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(kept) = stream.try_clone() else { continue };
        let mut open_now = open.lock();
        if open_now.len() >= MAX_CONNECTIONS {
            continue;
        }
        open_now.push(kept);
        drop(open_now);
        let (handler, open) = (Arc::clone(handler), Arc::clone(open));
        let peer = stream.peer_addr().ok();
        let spawned = thread::Builder::new().name("connection".to_owned()).spawn(move || {
            handler(stream);
            open.lock().retain(|other| other.peer_addr().ok() != peer);
        });
        drop(spawned);
    }
}
