//! The fleet in memory: what the store holds, and the connections it does not.

mod bodies;
mod components;
mod connection;
mod core;
mod due;
mod entry;
mod exchange;
mod flush;
mod hash;
mod heartbeat;
mod identity;
mod index;
mod operations;
mod oversize;
mod pace;
mod registry;
mod samples;
mod schemas;
mod settings;
mod stream;
mod wheel;

use bodies::Bodies;
use components::Components;
pub(crate) use connection::{Connection, ConnectionId, Parting, Peer};
pub(crate) use core::{Core, Options};
pub(crate) use entry::Entry;
pub(crate) use exchange::Inbound;
pub(crate) use flush::Extent;
use identity::Identities;
pub(crate) use index::Index;
pub(crate) use operations::{Commanded, Operation, Operations, Outcome, Target};
pub(crate) use registry::Registry;
use schemas::Schemas;
pub(crate) use stream::{Follower, Stream};
use wheel::Wheel;
