//! How messages become bytes: a table per message, open enums, and unknown fields that survive.
//!
//! prost drops fields it does not know. A server that passes messages on, or stores them for a person to
//! read, must not lose what a newer agent said, so the messages here are declared with `message!`, which
//! uses prost's codec field by field and keeps the rest verbatim in [`UnknownFields`].

mod message;
mod open_enum;
mod unknown;
mod weigh;

pub(crate) use message::{field_encode, field_len, field_merge, field_type, message};
pub(crate) use open_enum::open_enum;
pub use unknown::UnknownFields;
pub(crate) use weigh::field_weigh;
pub use weigh::{MAX_ELEMENTS, Scale, TooHeavy, Weigh, weigh};

/// One row of a message's table: field number, name and kind, as `opamp.proto` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Field number on the wire.
    pub number: u32,
    /// Field name in snake case.
    pub name: &'static str,
    /// Kind of the field, in this crate's words (`uint64`, `option(AgentDescription)`, …).
    pub kind: &'static str,
}

/// A message that can name its own fields; tests hold these tables against the specification's.
pub trait Described {
    /// The message's name in `opamp.proto`.
    const NAME: &'static str;
    /// Its fields in ascending order of number.
    const FIELDS: &'static [FieldInfo];
}
