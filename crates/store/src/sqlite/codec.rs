//! How values become columns.

use std::sync::Arc;

use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use rusqlite::Row;
use tidegate_fleet::agent::{Fact, Link, Reported, Sequence, Transport};
use tidegate_fleet::{Origin, PushId, Timestamp};
use tidegate_opamp::{ConfigHash, InstanceUid};

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

/// The word for what a push follows from.
pub(super) const fn origin(origin: &Origin) -> Option<&'static str> {
    match origin {
        Origin::Config => None,
        Origin::Retry(_) => Some("retry"),
        Origin::RollBack(_) => Some("roll-back"),
    }
}

/// What a push follows from, out of two columns.
pub(super) fn read_origin(row: &Row<'_>, column: usize) -> rusqlite::Result<Origin> {
    let of = row.get::<_, Option<String>>(column + 1)?.map(PushId);
    match (row.get_ref(column)?.as_str_or_null()?, of) {
        (None, _) => Ok(Origin::Config),
        (Some("retry"), Some(of)) => Ok(Origin::Retry(of)),
        (Some("roll-back"), Some(of)) => Ok(Origin::RollBack(of)),
        _ => Err(damaged(column, "unknown origin of a push")),
    }
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

/// Numbers of the parts in an [`AgentToServer`], in the order of the time columns; the effective config lies apart.
const PARTS: [u32; 8] = [3, 5, 6, 7, 8, 12, 14, 15];
const EFFECTIVE: usize = 2;

/// The reported parts but the effective config, in the order of the time columns. Parts are kept encoded, so they are
/// put together as they are.
pub(super) fn pack(reported: &Reported) -> (Vec<u8>, [Option<u64>; 8]) {
    fn part<T: Message + Default>(fact: Option<&Fact<T>>) -> Option<(&[u8], u64)> {
        fact.map(|fact| (&**fact.encoded(), fact.observed_at.0))
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
    let parts = [
        part(description.as_ref()),
        part(health.as_ref()),
        part(effective_config.as_ref()),
        part(remote_config_status.as_ref()),
        part(package_statuses.as_ref()),
        part(custom_capabilities.as_ref()),
        part(available_components.as_ref()),
        part(connection_settings_status.as_ref()),
    ];
    let mut message = Vec::new();
    for (index, (number, part)) in PARTS.iter().zip(parts).enumerate() {
        if let Some((bytes, _)) = part.filter(|_| index != EFFECTIVE) {
            encode_key(*number, WireType::LengthDelimited, &mut message);
            encode_varint(bytes.len() as u64, &mut message);
            message.extend_from_slice(bytes);
        }
    }
    (message, parts.map(|part| part.map(|(_, at)| at)))
}

/// The reverse of [`pack`].
pub(super) fn unpack(
    column: usize,
    mut message: &[u8],
    effective: Option<Arc<[u8]>>,
    times: [Option<u64>; 8],
) -> rusqlite::Result<Reported> {
    fn fact<T: Message + Default>(part: &mut Option<Arc<[u8]>>, at: Option<u64>) -> Option<Fact<T>> {
        Some(Fact::from_encoded(part.take()?, Timestamp(at.unwrap_or_default())))
    }
    let wrong = |error: prost::DecodeError| damaged(column, &error.to_string());
    let mut parts: [Option<Arc<[u8]>>; 8] = std::array::from_fn(|_| None);
    parts[EFFECTIVE] = effective;
    while !message.is_empty() {
        let (number, _) = decode_key(&mut message).map_err(wrong)?;
        let length = usize::try_from(decode_varint(&mut message).map_err(wrong)?).unwrap_or(usize::MAX);
        let (bytes, rest) =
            message.split_at_checked(length).ok_or_else(|| damaged(column, "a report is cut short"))?;
        if let Some(index) = PARTS.iter().position(|part| *part == number) {
            parts[index] = Some(bytes.into());
        }
        message = rest;
    }
    let [description, health, effective, status, packages, custom, components, connection] = &mut parts;
    Ok(Reported {
        description: fact(description, times[0]),
        health: fact(health, times[1]),
        effective_config: fact(effective, times[2]),
        remote_config_status: fact(status, times[3]),
        package_statuses: fact(packages, times[4]),
        custom_capabilities: fact(custom, times[5]),
        available_components: fact(components, times[6]),
        connection_settings_status: fact(connection, times[7]),
    })
}

#[cfg(test)]
mod tests {
    use tidegate_opamp::{AgentDescription, AgentToServer, ConnectionSettingsStatus, KeyValue};

    use super::*;

    #[test]
    fn given_parts_when_packed_then_they_are_an_agents_message_and_come_back_as_they_were() {
        let description = AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
            ..AgentDescription::default()
        };
        let status = ConnectionSettingsStatus { error_message: "e".into(), ..Default::default() };
        let reported = Reported {
            description: Some(Fact::new(&description, Timestamp(3))),
            connection_settings_status: Some(Fact::new(&status, Timestamp(4))),
            ..Reported::default()
        };
        let (message, times) = pack(&reported);
        let decoded = AgentToServer::decode(&*message).unwrap();
        assert_eq!(decoded.agent_description, Some(description));
        assert_eq!(decoded.connection_settings_status, Some(status));
        assert_eq!(unpack(0, &message, None, times).unwrap(), reported);
        assert!(unpack(0, &message[..message.len() - 1], None, times).is_err());
    }
}
