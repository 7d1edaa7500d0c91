//! The OpAMP client: a pure machine ([`core`]) and two thin transports that drive it.
//!
//! ```text
//! process side → reports ┐                                          ┌ websocket.rs → server
//! handlers     → answers ┴→ member.rs → core.rs → session.rs (all) → ┤
//!                                         └→ Outlet                  └ http.rs      → server
//! ```
//!
//! One client speaks for all agents of a supervisor over one connection, each with a machine of its own (OpAMP C181).
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
mod history;
mod http;
mod link;
mod member;
mod moves;
mod outbox;
mod pace;
mod parts;
mod post;
mod proxy;
mod retry_after;
mod session;
mod tls;
mod websocket;

pub use backoff::{Backoff, Reason};
pub use core::{Core, CoreSettings, capabilities};
pub use effect::{Effect, Loss};
pub use endpoint::{Endpoint, InvalidEndpoint, Transport};
pub use history::History;
pub use member::{Leave, Outlet, Wiring};
pub use moves::{Keeper, Kept};
pub use proxy::{InvalidProxy, Proxy, ProxyKind};
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
    /// What the connection goes through, if anything.
    pub proxy: Option<Proxy>,
}

/// What the client needs to know.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The server, as the host's own settings have it.
    pub target: Target,
    /// Largest message that is received, in bytes (OpAMP C016, C020).
    pub max_message_bytes: usize,
    /// Where connection settings that the server offered are kept.
    pub keeper: Keeper,
    /// Where what happens to the connection is noted.
    pub history: History,
}

/// How a transport's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// The client was told to stop.
    Stopped,
    /// The target is another one.
    Moved,
}

/// Speaks for agents over one connection until each is to be left, then closes, within a few seconds.
pub async fn run(settings: ClientSettings, agents: Vec<Wiring>) {
    let mut session = session::Session::new(settings, agents);
    // Two servers that send the agents to each other must not make them run.
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
        if !session.rest(Instant::now() + pause).await {
            return;
        }
    }
}

/// Connects to a server as the client does, without a message: over WebSocket up to the upgrade, over HTTP up to the
/// connection and its TLS.
///
/// # Errors
/// What is in the way, in a sentence.
pub async fn reach(target: &Target, uid: InstanceUid) -> Result<(), String> {
    let mut tls = None;
    let reached = match target.endpoint.transport {
        Transport::WebSocket => handshake::open(target, &mut tls, uid).await.map(drop),
        Transport::Http => handshake::connect(target, &mut tls).await.map(drop),
    };
    reached.map_err(|error| error.to_string())
}
