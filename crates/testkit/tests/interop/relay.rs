//! A TCP relay between a peer and the server, for what goes wrong on the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// They pass.
    Fair,
    /// Requests pass, answers vanish, connections stay open.
    Silence,
    /// Requests pass; the connection is closed where an answer should come.
    Loss,
}

/// A running relay; connections end with it.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    server: Mutex<SocketAddr>,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<usize>,
    connections: AtomicUsize,
    lost: AtomicUsize,
}

impl Relay {
    /// Starts one in front of a server.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            server: Mutex::new(server),
            weather: watch::Sender::new(Weather::Fair),
            cuts: watch::Sender::new(0),
            connections: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&state)));
        Self { address, state, task }
    }

    /// The endpoint for peers.
    pub(crate) fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://{}/v1/opamp", self.address)
    }

    /// Changes the weather.
    pub(crate) fn set(&self, weather: Weather) {
        self.state.weather.send_replace(weather);
    }

    /// Closes every connection at once.
    pub(crate) fn cut(&self) {
        self.state.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// How many pieces of answers were lost so far.
    pub(crate) fn lost(&self) -> usize {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// Leads new connections to another server.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.state.server.lock() = server;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn listen(listener: TcpListener, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(carry(client, Arc::clone(&state)));
    }
}

/// Carries bytes until an end closes, or the relay closes both.
async fn carry(client: TcpStream, state: Arc<State>) {
    let mut cut = state.cuts.subscribe();
    let address = *state.server.lock();
    let Ok(server) = TcpStream::connect(address).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async { drop(tokio::io::copy(&mut from_client, &mut to_server).await) };
    let back = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut buffer).await {
            let weather = *state.weather.borrow();
            if weather != Weather::Fair {
                state.lost.fetch_add(1, Ordering::Relaxed);
            }
            match weather {
                Weather::Fair if to_client.write_all(&buffer[..length]).await.is_ok() => {}
                Weather::Silence => {}
                Weather::Fair | Weather::Loss => return,
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = cut.changed() => {}
    }
}
