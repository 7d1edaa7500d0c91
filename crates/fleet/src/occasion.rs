//! When a message to an agent is built.

/// Why a message is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The first message to this agent on a connection, or any over HTTP: it names the server's capabilities
    /// (OpAMP S005, S165).
    Introduction,
    /// A later reply on a connection.
    Reply,
    /// Something is to be told that the agent did not ask for.
    Push,
}
