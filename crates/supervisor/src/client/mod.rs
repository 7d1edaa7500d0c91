//! The OpAMP client: a pure machine ([`core`]) and two thin transports that drive it.
//!
//! ```text
//! process side → reports ┐                                   ┌ websocket.rs → server
//! handlers     → answers ┴→ session.rs → core.rs (decides) → ┤
//!                                           └→ Outlet        └ http.rs      → server
//! ```
//!
//! There is one connection at a time (OpAMP C179). While the server is away the client keeps the newest report
//! only, and tries again for ever; nothing that the server does or fails to do touches the agent.

mod backoff;
pub mod core;
mod endpoint;
mod handshake;
mod http;
mod outbox;
mod parts;
mod retry_after;
mod session;
mod websocket;

pub use backoff::{Backoff, Reason};
pub use core::{Core, CoreSettings, Effect, Loss, capabilities};
pub use endpoint::{Endpoint, InvalidEndpoint, Transport};
pub use session::{Outlet, Wiring};

use ::http::{HeaderName, HeaderValue};
use tidegate_opamp::InstanceUid;

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("tidegate-supervisor/", env!("CARGO_PKG_VERSION"));

/// Header that names the agent before its message is read (OpAMP C032).
pub(crate) const INSTANCE_UID_HEADER: &str = "OpAMP-Instance-UID";

/// What the client needs to know.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Sent with every handshake or POST (OpAMP C184). Values are secret.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the protocol machine needs.
    pub core: CoreSettings,
    /// Largest message that is received, in bytes (OpAMP C016, C020).
    pub max_message_bytes: usize,
}

/// Speaks for the agent until it is told to stop; then says farewell and closes, within a few seconds.
pub async fn run(settings: ClientSettings, uid: InstanceUid, wiring: Wiring) {
    let mut session = session::Session::new(settings, uid, wiring);
    match session.settings.endpoint.transport {
        Transport::WebSocket => Box::pin(websocket::run(&mut session)).await,
        Transport::Http => Box::pin(http::run(&mut session)).await,
    }
}
