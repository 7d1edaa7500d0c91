//! OpAMP custom capabilities: names, versions and bounded payloads, one definition for both ends.
//!
//! Three capabilities are those of the system that Tidegate stays compatible with on the wire, others are its own
//! (`io.tidegate.…`); all of them carry UTF-8 JSON. Nothing here does IO, reads a clock or makes ids.

mod answer;
mod catalogue;
pub mod chatops;
pub mod inspect;
mod message;
pub mod metrics;
mod name;
pub mod order;
mod payload;
pub mod schema;

pub use answer::{Answer, MAX_ANSWER_BODY_BYTES};
pub use catalogue::{Capability, Direction, Field, JsonForm, MessageType, catalogue, describe};
pub use message::{Message, ParseError, message_id, parse, with_id};
pub use name::{
    CHATOPS, DIAGNOSTICS, DRY_RUN, InvalidName, LOGS, MAX_NAME_BYTES, METRICS, NULL_COMMAND, REQUEST_PREFIX,
    SCHEMA, SHUTDOWN, bare, check_name, listed_as, prefixed,
};
pub use payload::{
    MAX_BODY_BYTES, MAX_DATA_BYTES, MAX_ID_BYTES, MAX_TEXT_BYTES, PayloadError, excerpt, is_unknown_outcome,
};
