//! The OpAMP protocol, both roles: messages, framing, limits, capability sets, hashes.
//!
//! Nothing here knows of a fleet, of JSON, of tokio, or reads a clock. Baseline: OpAMP v0.20.0.

pub mod body;
mod capabilities;
pub mod frame;
mod hash;
mod messages;
pub mod peek;
mod uid;
pub mod wire;
pub mod ws;

pub use capabilities::{AgentCapabilities, ServerCapabilities};
pub use hash::{ConfigHash, config_hash, connection_settings_hash};
pub use messages::*;
pub use prost::{DecodeError, Message};
pub use uid::{InstanceUid, InvalidUid};

/// Path at which an OpAMP server listens unless told otherwise (OpAMP S002).
pub const DEFAULT_PATH: &str = "/v1/opamp";

/// Media type of an OpAMP message in an HTTP body, without parameters (OpAMP S050).
pub const CONTENT_TYPE: &str = "application/x-protobuf";

/// Largest message accepted or sent unless configured otherwise, in bytes (OpAMP S026).
pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
