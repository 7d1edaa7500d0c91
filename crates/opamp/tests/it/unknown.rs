//! What this version does not name survives: fields at every level, values of enums, bits of sets.

use prost::encoding::{WireType, encode_key, encode_varint};
use tidegate_opamp::*;

use super::catalogue::with_every_message;

/// Fields with numbers that no message has, of every wire type.
fn newer_fields() -> Vec<u8> {
    let mut raw = Vec::new();
    encode_key(100, WireType::Varint, &mut raw);
    encode_varint(u64::MAX, &mut raw);
    encode_key(101, WireType::SixtyFourBit, &mut raw);
    raw.extend([1; 8]);
    encode_key(102, WireType::LengthDelimited, &mut raw);
    raw.extend([3, 7, 8, 9]);
    encode_key(103, WireType::StartGroup, &mut raw);
    encode_key(1, WireType::Varint, &mut raw);
    raw.push(5);
    encode_key(2, WireType::StartGroup, &mut raw);
    encode_key(2, WireType::EndGroup, &mut raw);
    encode_key(103, WireType::EndGroup, &mut raw);
    encode_key(536_870_911, WireType::ThirtyTwoBit, &mut raw);
    raw.extend([2; 4]);
    raw
}

#[test]
fn given_newer_fields_in_any_message_when_it_passes_through_then_they_survive() {
    let newer = newer_fields();
    macro_rules! check_all {
        ($($name:ident),*) => { $(
            let decoded = $name::decode(newer.as_slice()).unwrap();
            assert_eq!(decoded.unknown.as_bytes(), newer, stringify!($name));
            assert_eq!(decoded.encoded_len(), newer.len(), stringify!($name));
            assert_eq!(decoded.encode_to_vec(), newer, stringify!($name));
        )* };
    }
    with_every_message!(check_all);
}

#[test]
fn given_newer_fields_in_nested_messages_when_it_passes_through_then_they_survive() {
    let newer = newer_fields();
    let value = AnyValue { unknown: AnyValue::decode(newer.as_slice()).unwrap().unknown, .."v".into() };
    let part = ComponentHealth {
        attributes: vec![KeyValue { value: Some(value), ..KeyValue::text("k", "") }],
        ..ComponentHealth::decode(newer.as_slice()).unwrap()
    };
    let report = AgentToServer {
        health: Some(ComponentHealth {
            component_health_map: [("input".to_owned(), part)].into(),
            ..ComponentHealth::default()
        }),
        ..AgentToServer::decode(newer.as_slice()).unwrap()
    };
    let bytes = report.encode_to_vec();
    assert_eq!(bytes.windows(newer.len()).filter(|window| *window == newer).count(), 3);
    let decoded = AgentToServer::decode(bytes.as_slice()).unwrap();
    assert_eq!(decoded, report);
    assert_eq!(decoded.encode_to_vec(), bytes);
}

#[test]
fn given_newer_values_and_bits_when_a_message_passes_through_then_they_survive() {
    let report = AgentToServer {
        capabilities: AgentCapabilities(1 << 63 | 0x1).0,
        flags: 1 << 40,
        remote_config_status: Some(RemoteConfigStatus {
            status: RemoteConfigStatuses(77),
            ..RemoteConfigStatus::default()
        }),
        connection_settings_status: Some(ConnectionSettingsStatus {
            status: ConnectionSettingsStatuses(-1),
            ..ConnectionSettingsStatus::default()
        }),
        ..AgentToServer::default()
    };
    let decoded = AgentToServer::decode(report.encode_to_vec().as_slice()).unwrap();
    assert_eq!(decoded, report);
    assert_eq!(format!("{:?}", decoded.remote_config_status.unwrap().status), "RemoteConfigStatuses(77)");
}
