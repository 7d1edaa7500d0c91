//! The operators' plane: where it listens, and what browsers call it.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Serialize;

use super::Flags;
use super::file::{self, WrongField};

/// Most names of the console.
const MOST_NAMES: usize = 32;

/// Longest name, in bytes, as DNS has it.
const MOST_BYTES: usize = 253;

/// The operators' plane.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether the token may cross a network unencrypted (decision D7).
    pub allow_plaintext_network: bool,
    /// Names by which browsers reach the console, in lower case; IP addresses and `localhost` need none.
    pub names: Vec<String>,
}

impl OperatorsSettings {
    /// What was typed, over what stands in the file, over the defaults.
    pub(super) fn resolve(flags: &Flags, file: &file::Operators) -> Result<Self, WrongField> {
        let wrong = |message| WrongField::new("operators.names", message);
        if file.names.len() > MOST_NAMES {
            return Err(wrong(format!("{} names are more than {MOST_NAMES}", file.names.len())));
        }
        let is_name = |name: &String| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            (1..=MOST_BYTES).contains(&name.len()) && name.bytes().all(known)
        };
        if let Some(odd) = file.names.iter().find(|name| !is_name(name)) {
            return Err(wrong(format!(
                "{odd:?} is no name such as tidegate.example.com, without a scheme and a port"
            )));
        }
        Ok(Self {
            listen: flags
                .operators
                .or(file.listen)
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 4321))),
            allow_plaintext_network: file.allow_plaintext_network.unwrap_or(false),
            names: file.names.iter().map(|name| name.to_ascii_lowercase()).collect(),
        })
    }
}
