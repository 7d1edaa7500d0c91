//! The fleet in memory: what the store holds, and the connections it does not.

mod connection;
mod core;
mod exchange;
mod flush;
mod pace;
mod registry;
mod stream;

pub(crate) use connection::{Connection, ConnectionId, Parting};
pub(crate) use core::{Core, Options};
pub(crate) use exchange::Inbound;
pub(crate) use flush::Extent;
pub(crate) use registry::{Entry, Registry};
pub(crate) use stream::{Notice, Stream};
