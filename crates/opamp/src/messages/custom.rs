//! Custom capabilities and their messages.

use crate::wire::message;

message! {
    /// The custom capabilities of a peer; replaces the list sent before.
    pub struct CustomCapabilities {
        /// Names in reverse-domain form, with an optional `/version`.
        1 capabilities: strings,
    }
}

message! {
    /// A message of a custom capability that both peers listed.
    pub struct CustomMessage {
        /// The capability's name.
        1 capability: string,
        /// The kind of message, as the capability defines it.
        2 kind: string,
        /// The payload, as the capability defines it.
        3 data: bytes,
    }
}
