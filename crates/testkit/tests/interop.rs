//! OpAMP clients of others against this server: opamp-go, the Python and the Node client; and opamp-go's server against
//! the supervisor. Each is a small program in `tests/interop` that is driven line by line. A peer whose runtime or packages are missing is skipped, but not in
//! continuous integration.

#![expect(clippy::unwrap_used, reason = "a test: a failed step of its own fails it")]

#[path = "interop/go.rs"]
mod go;
#[path = "interop/go_server.rs"]
mod go_server;
#[path = "interop/mcp.rs"]
mod mcp;
#[path = "interop/node.rs"]
mod node;
#[path = "interop/overload.rs"]
mod overload;
#[path = "interop/peer.rs"]
mod peer;
#[path = "interop/python.rs"]
mod python;
#[path = "interop/relay.rs"]
mod relay;
#[path = "interop/runtime.rs"]
mod runtime;
#[path = "interop/story.rs"]
mod story;
#[path = "interop/tls.rs"]
mod tls;
