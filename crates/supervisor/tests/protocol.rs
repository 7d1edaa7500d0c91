//! The protocol side against a small server of its own: both transports, custom capabilities, the program itself.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers may fail loudly, and the lints only know functions marked as tests"
)]

#[path = "protocol/http.rs"]
mod http;
#[path = "protocol/moves.rs"]
mod moves;
#[path = "protocol/peer.rs"]
mod peer;
#[path = "protocol/program.rs"]
mod program;
#[path = "protocol/proxy.rs"]
mod proxy;
#[path = "protocol/several.rs"]
mod several;
#[path = "protocol/tls.rs"]
mod tls;
#[path = "protocol/websocket.rs"]
mod websocket;
#[path = "protocol/world.rs"]
mod world;
