//! The OpAMP client: a pure machine ([`core`]) and two thin transports that drive it.
//!
//! ```text
//! process side → reports ┐                                   ┌ websocket.rs → server
//! handlers     → answers ┴→ session.rs → core.rs (decides) → ┤
//!                                           └→ Outlet        └ http.rs      → server
//! ```
//!
//! `moves` decides to which server: the host's, or one that was offered and proven. There is one connection at a time
//! (OpAMP C106, C179). While the server is away the client keeps the newest report
//! only, and tries again for ever; nothing that the server does or fails to do touches the agent.

mod backoff;
pub mod core;
mod effect;
mod endpoint;
mod handshake;
pub mod headers;
mod http;
mod link;
mod moves;
mod outbox;
mod parts;
mod retry_after;
mod session;
mod tls;
mod websocket;

pub use backoff::{Backoff, Reason};
pub use core::{Core, CoreSettings, capabilities};
pub use effect::{Effect, Loss};
pub use endpoint::{Endpoint, InvalidEndpoint, Transport};
pub use moves::{Keeper, Kept};
pub use session::{Outlet, Wiring};
pub use tls::{InvalidTls, MOST_PEM_BYTES, TlsSettings, Version};

use std::time::Instant;

use ::http::{HeaderName, HeaderValue};
use tidegate_opamp::InstanceUid;

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("tidegate-supervisor/", env!("CARGO_PKG_VERSION"));

/// Header that names the agent before its message is read (OpAMP C032).
pub(crate) const INSTANCE_UID_HEADER: &str = "OpAMP-Instance-UID";

/// Where and how a server is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Where it is.
    pub endpoint: Endpoint,
    /// Sent with every handshake or POST (OpAMP C184). Values are secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How TLS is spoken, where the endpoint asks for it.
    pub tls: TlsSettings,
}

/// What the client needs to know.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The server, as the host's own settings have it.
    pub target: Target,
    /// What the protocol machine needs.
    pub core: CoreSettings,
    /// Largest message that is received, in bytes (OpAMP C016, C020).
    pub max_message_bytes: usize,
    /// Where connection settings that the server offered are kept.
    pub keeper: Keeper,
}

/// How a transport's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// The client was told to stop.
    Stopped,
    /// The target is another one.
    Moved,
}

/// Speaks for the agent until it is told to stop; then says farewell and closes, within a few seconds.
pub async fn run(settings: ClientSettings, uid: InstanceUid, wiring: Wiring) {
    let mut session = session::Session::new(settings, uid, wiring);
    // Two servers that send the agent to each other must not make it run.
    let mut pace = Backoff::default();
    loop {
        let began = Instant::now();
        let left = match session.target().endpoint.transport {
            Transport::WebSocket => Box::pin(websocket::run(&mut session)).await,
            Transport::Http => Box::pin(http::run(&mut session)).await,
        };
        match left {
            Left::Stopped => return,
            Left::Moved => session.moved(),
        }
        let pause = pace.after_connection(began.elapsed(), Reason::Lost, session::random());
        if session.rest(Instant::now() + pause).await == session::Wake::Stop {
            return;
        }
    }
}
