//! A connection that can be cut.

use std::fmt::{Debug, Formatter};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes on what comes to its port, as long as it is open.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    state: watch::Sender<State>,
    gate: Arc<Gate>,
}

/// What lets nothing through while it says so.
#[derive(Default)]
struct Gate(OnceLock<Box<dyn Fn() -> bool + Send + Sync>>);

impl Gate {
    fn is_shut(&self) -> bool {
        self.0.get().is_some_and(|is_shut| is_shut())
    }

    /// Passes on what comes; ends with the connection, or with the first bytes that find the gate shut.
    async fn pass(&self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if self.is_shut() || to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}

impl Debug for Gate {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    cuts: u64,
    is_shut: bool,
}

impl Relay {
    /// Begins to relay to an address.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn to(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, seen) = watch::channel(State::default());
        let gate = Arc::new(Gate::default());
        let passed = Arc::clone(&gate);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut seen, gate) = (seen.clone(), Arc::clone(&passed));
                if seen.borrow_and_update().is_shut || gate.is_shut() {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
                        (near.split(), far.split());
                    tokio::select! {
                        () = gate.pass(&mut near_in, &mut far_out) => {}
                        () = gate.pass(&mut far_in, &mut near_out) => {}
                        _ = seen.changed() => {}
                    }
                });
            }
        });
        Ok(Self { address, state, gate })
    }

    /// The endpoint for agents.
    #[must_use]
    pub fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://{}/v1/opamp", self.address)
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// From now on, nothing that comes passes while this is so, and what it came by is broken. Once in a relay's life.
    pub fn shut_while(&self, is_shut: impl Fn() -> bool + Send + Sync + 'static) {
        assert!(self.gate.0.set(Box::new(is_shut)).is_ok(), "a relay has one gate");
    }

    /// Breaks every connection and takes no other until it is opened.
    pub fn shut(&self, is_shut: bool) {
        self.state.send_if_modified(|state| std::mem::replace(&mut state.is_shut, is_shut) != is_shut);
    }
}
