//! The domain: agents, configs, commands, authorization, audit entries. Pure functions of values.
//!
//! State goes in, state and effects come out; time, randomness and ids are arguments. What an agent sends is
//! handled by [`session`], what it is told is built by [`offer`] alone.

mod actor;
pub mod agent;
mod audit;
pub mod calls;
mod command;
mod config;
pub mod difference;
mod event;
pub mod index;
pub mod metrics;
mod occasion;
pub mod offer;
pub mod plan;
pub mod query;
pub mod schemas;
pub mod session;
pub mod settings;
mod time;

pub use actor::{Action, Actor, Denied, Face, Scope, authorize};
pub use agent::Agent;
pub use audit::AuditEntry;
pub use command::{Command, CommandId, CommandKind, CommandState, Outcome};
pub use config::{Config, Origin, Push, PushId};
pub use event::{Event, EventKind};
pub use time::Timestamp;
