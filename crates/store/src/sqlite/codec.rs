//! How values become columns.

use std::sync::Arc;

use prost::Message;
use tidegate_fleet::Timestamp;
use tidegate_fleet::agent::{Fact, Link, Reported, Sequence, Transport};
use tidegate_opamp::{AgentToServer, ConfigHash, EffectiveConfig, InstanceUid};

/// SQLite's integers are signed; the bits are what counts.
pub(super) const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) const fn time(number: i64) -> Timestamp {
    Timestamp(number.cast_unsigned())
}

/// A value that cannot be what was written, as an error of the column.
pub(super) fn damaged(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, what.to_owned().into())
}

pub(super) fn uid(column: usize, bytes: &[u8]) -> rusqlite::Result<InstanceUid> {
    InstanceUid::from_bytes(bytes).map_err(|error| damaged(column, &error.to_string()))
}

pub(super) fn hash(column: usize, bytes: &[u8]) -> rusqlite::Result<ConfigHash> {
    ConfigHash::from_bytes(bytes).ok_or_else(|| damaged(column, "a hash has 32 bytes"))
}

pub(super) fn message<M: Message + Default>(column: usize, bytes: &[u8]) -> rusqlite::Result<M> {
    M::decode(bytes).map_err(|error| damaged(column, &error.to_string()))
}

pub(super) const fn link(link: Link) -> (&'static str, Timestamp) {
    match link {
        Link::Up { transport: Transport::WebSocket, since } => ("up-websocket", since),
        Link::Up { transport: Transport::Http | Transport::Visits, since } => ("up-http", since),
        Link::Down { since } => ("down", since),
        Link::Departed { since } => ("departed", since),
    }
}

/// A stored link: a socket does not outlive its server, a polling agent comes back by itself.
pub(super) fn link_from(word: &str, since: Timestamp) -> Link {
    match word {
        "up-http" => Link::Up { transport: Transport::Http, since },
        "departed" => Link::Departed { since },
        _ => Link::Down { since },
    }
}

pub(super) const fn sequence(sequence: Sequence) -> Option<u64> {
    match sequence {
        Sequence::Unknown => None,
        Sequence::Exact(number) | Sequence::AtLeast(number) => Some(number),
    }
}

/// The reported parts but the effective config, in the order of the time columns.
pub(super) fn pack(reported: &Reported) -> (AgentToServer, [Option<u64>; 8]) {
    fn value<T: Clone>(fact: Option<&Fact<T>>) -> Option<T> {
        fact.map(|fact| (*fact.value).clone())
    }
    fn at<T>(fact: Option<&Fact<T>>) -> Option<u64> {
        fact.map(|fact| fact.observed_at.0)
    }
    let Reported {
        description,
        health,
        effective_config,
        remote_config_status,
        package_statuses,
        custom_capabilities,
        available_components,
        connection_settings_status,
    } = reported;
    let message = AgentToServer {
        agent_description: value(description.as_ref()),
        health: value(health.as_ref()),
        remote_config_status: value(remote_config_status.as_ref()),
        package_statuses: value(package_statuses.as_ref()),
        custom_capabilities: value(custom_capabilities.as_ref()),
        available_components: value(available_components.as_ref()),
        connection_settings_status: value(connection_settings_status.as_ref()),
        ..AgentToServer::default()
    };
    let times = [
        at(description.as_ref()),
        at(health.as_ref()),
        at(effective_config.as_ref()),
        at(remote_config_status.as_ref()),
        at(package_statuses.as_ref()),
        at(custom_capabilities.as_ref()),
        at(available_components.as_ref()),
        at(connection_settings_status.as_ref()),
    ];
    (message, times)
}

/// The reverse of [`pack`].
pub(super) fn unpack(
    message: AgentToServer,
    effective: Option<EffectiveConfig>,
    times: [Option<u64>; 8],
) -> Reported {
    fn fact<T>(value: Option<T>, at: Option<u64>) -> Option<Fact<T>> {
        Some(Fact { value: Arc::new(value?), observed_at: Timestamp(at.unwrap_or_default()) })
    }
    Reported {
        description: fact(message.agent_description, times[0]),
        health: fact(message.health, times[1]),
        effective_config: fact(effective, times[2]),
        remote_config_status: fact(message.remote_config_status, times[3]),
        package_statuses: fact(message.package_statuses, times[4]),
        custom_capabilities: fact(message.custom_capabilities, times[5]),
        available_components: fact(message.available_components, times[6]),
        connection_settings_status: fact(message.connection_settings_status, times[7]),
    }
}
