//! Simulated agents, thousands in one process, on one thread: the load that a server is measured under.
//!
//! What an agent says is decided in [`agent`], a function of values, over the plausible fleet of [`load`]; the
//! `driver` gives it sockets and time. Commands come one a line ([`command`]), and each is answered with one JSON
//! object ([`report`]). [`bare_loop`] is what a server's heartbeats are compared with.

pub mod agent;
pub mod bare_loop;
pub mod command;
mod driver;
pub mod histogram;
mod link;
pub mod load;
pub mod options;
pub mod outcome;
mod poller;
pub mod random;
pub mod report;
mod start;
pub mod tls;
mod wire;

pub use driver::Swarm;
pub use start::main;
