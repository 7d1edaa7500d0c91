//! What can go wrong with a call.

use crate::Problem;

/// A call that did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server's address cannot be used.
    #[error("cannot use the server address {server:?}: {reason}")]
    Address {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
    /// The server does not answer.
    #[error("cannot reach the server {server}; is it running?")]
    Unreachable {
        /// The address.
        server: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server says no.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The server's answer cannot be read.
    #[error("cannot read the answer of {server}: {reason}")]
    Answer {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
}

impl ClientError {
    pub(super) fn address(server: &str, reason: String) -> Self {
        Self::Address { server: server.to_owned(), reason }
    }
}
