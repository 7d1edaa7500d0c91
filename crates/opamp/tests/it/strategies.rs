//! Messages of every shape, unknown fields included.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use prost::encoding::{WireType, encode_key, encode_varint};
use tidegate_opamp::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zé/_.]{1,8}"]
}

fn blob() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..12).prop_map(Bytes::from)
}

fn by_name<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<String, T>> {
    btree_map(text(), value, 0..3)
}

/// A run of fields that no message has.
fn newer_fields() -> impl Strategy<Value = Vec<u8>> {
    let field = (100..536_870_911u32, any::<u64>(), blob(), 0..5).prop_map(|(number, value, blob, kind)| {
        let mut raw = Vec::new();
        let mut key = |wire_type| encode_key(number, wire_type, &mut raw);
        match kind {
            0 => {
                key(WireType::Varint);
                encode_varint(value, &mut raw);
            }
            1 => {
                key(WireType::SixtyFourBit);
                raw.extend(value.to_le_bytes());
            }
            2 => {
                key(WireType::ThirtyTwoBit);
                raw.extend(&value.to_le_bytes()[..4]);
            }
            3 => {
                key(WireType::LengthDelimited);
                encode_varint(blob.len() as u64, &mut raw);
                raw.extend(&blob);
            }
            _ => {
                key(WireType::StartGroup);
                encode_key(1, WireType::Varint, &mut raw);
                encode_varint(value, &mut raw);
                encode_key(number, WireType::EndGroup, &mut raw);
            }
        }
        raw
    });
    prop_oneof![3 => Just(Vec::new()), 1 => vec(field, 1..3).prop_map(|fields| fields.concat())]
}

/// Adds unknown fields to a message.
fn newer<M>(message: impl Strategy<Value = M> + 'static) -> BoxedStrategy<M>
where
    M: Message + Default + std::fmt::Debug + 'static,
{
    // Boxed, for unboxed strategies of messages this large do not fit on a test's stack.
    (message, newer_fields())
        .prop_map(|(mut message, raw)| {
            message.merge(raw.as_slice()).unwrap();
            message
        })
        .boxed()
}

/// Fills in a message's fields from a tuple of strategies; all other fields keep their defaults.
macro_rules! filled {
    ($name:ident { $($field:ident : $strategy:expr),* $(,)? }) => {
        newer(($($strategy,)*).prop_map(|($($field,)*)| $name { $($field,)* ..$name::default() }))
    };
}

fn any_value() -> impl Strategy<Value = AnyValue> {
    let wrap = |value: Value| AnyValue { value: Some(value), ..AnyValue::default() };
    let leaf = newer(prop_oneof![
        Just(AnyValue::default()),
        text().prop_map(move |text| wrap(Value::String(text))),
        any::<bool>().prop_map(move |flag| wrap(Value::Bool(flag))),
        any::<i64>().prop_map(move |number| wrap(Value::Int(number))),
        any::<f64>().prop_map(move |number| wrap(Value::Double(number))),
        blob().prop_map(move |bytes| wrap(Value::Bytes(bytes))),
    ])
    .boxed();
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let list = filled!(ArrayValue { values: vec(inner.clone(), 0..3) });
        let pair = filled!(KeyValue { key: text(), value: of(inner) });
        let map = filled!(KeyValueList { values: vec(pair, 0..3) });
        prop_oneof![
            list.prop_map(move |list| wrap(Value::Array(list))),
            map.prop_map(move |map| wrap(Value::Kvlist(map))),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(filled!(KeyValue { key: text(), value: of(any_value()) }), 0..3)
}

pub(super) fn health() -> impl Strategy<Value = ComponentHealth> {
    let leaf = filled!(ComponentHealth {
        healthy: any::<bool>(),
        start_time_unix_nano: any::<u64>(),
        last_error: text(),
        status: text(),
        status_time_unix_nano: any::<u64>(),
        attributes: attributes(),
    })
    .boxed();
    leaf.prop_recursive(3, 8, 2, |inner| {
        filled!(ComponentHealth { healthy: any::<bool>(), component_health_map: by_name(inner) })
    })
}

fn components() -> impl Strategy<Value = AvailableComponents> {
    let leaf = filled!(ComponentDetails { metadata: attributes() }).boxed();
    let details = leaf.prop_recursive(3, 8, 2, |inner| {
        filled!(ComponentDetails { metadata: attributes(), sub_component_map: by_name(inner) })
    });
    filled!(AvailableComponents { components: by_name(details), hash: blob() })
}

fn config_map() -> impl Strategy<Value = AgentConfigMap> {
    let object = filled!(AgentConfigObject { body: blob(), content_type: text(), role: text() });
    filled!(AgentConfigMap { config_map: by_name(object) })
}

pub(super) fn package_statuses() -> impl Strategy<Value = PackageStatuses> {
    let details = filled!(PackageDownloadDetails {
        download_percent: any::<f64>(),
        download_bytes_per_second: any::<f64>(),
    });
    let status = filled!(PackageStatus {
        name: text(),
        agent_has_version: text(),
        agent_has_hash: blob(),
        server_offered_version: text(),
        server_offered_hash: blob(),
        status: any::<i32>().prop_map(PackageStatusEnum),
        error_message: text(),
        download_details: of(details),
    });
    filled!(PackageStatuses {
        packages: by_name(status),
        server_provided_all_packages_hash: blob(),
        error_message: text(),
    })
}

fn headers() -> impl Strategy<Value = Headers> {
    filled!(Headers { headers: vec(filled!(Header { key: text(), value: text() }), 0..3) })
}

fn certificate() -> impl Strategy<Value = TLSCertificate> {
    filled!(TLSCertificate { cert: blob(), private_key: blob(), ca_cert: blob() })
}

pub(super) fn tls() -> impl Strategy<Value = TLSConnectionSettings> {
    filled!(TLSConnectionSettings {
        ca_pem_contents: text(),
        include_system_ca_certs_pool: any::<bool>(),
        insecure_skip_verify: any::<bool>(),
        min_version: text(),
        max_version: text(),
        cipher_suites: vec(text(), 0..3),
    })
}

fn proxy() -> impl Strategy<Value = ProxyConnectionSettings> {
    filled!(ProxyConnectionSettings { url: text(), connect_headers: of(headers()) })
}

fn connection_settings() -> impl Strategy<Value = ConnectionSettingsOffers> {
    let opamp = filled!(OpAMPConnectionSettings {
        destination_endpoint: text(),
        headers: of(headers()),
        certificate: of(certificate()),
        heartbeat_interval_seconds: any::<u64>(),
        tls: of(tls()),
        proxy: of(proxy()),
    });
    let telemetry = filled!(TelemetryConnectionSettings {
        destination_endpoint: text(),
        headers: of(headers()),
        certificate: of(certificate()),
        tls: of(tls()),
        proxy: of(proxy()),
    })
    .boxed();
    let other = filled!(OtherConnectionSettings {
        destination_endpoint: text(),
        headers: of(headers()),
        certificate: of(certificate()),
        other_settings: by_name(text()),
        tls: of(tls()),
        proxy: of(proxy()),
    });
    filled!(ConnectionSettingsOffers {
        hash: blob(),
        opamp: of(opamp),
        own_metrics: of(telemetry.clone()),
        own_traces: of(telemetry.clone()),
        own_logs: of(telemetry),
        other_connections: by_name(other),
    })
}

fn custom_capabilities() -> impl Strategy<Value = CustomCapabilities> {
    filled!(CustomCapabilities { capabilities: vec(text(), 0..3) })
}

fn custom_message() -> impl Strategy<Value = CustomMessage> {
    filled!(CustomMessage { capability: text(), kind: text(), data: blob() })
}

pub(super) fn agent_to_server() -> impl Strategy<Value = AgentToServer> {
    let request = filled!(CertificateRequest { csr: blob() });
    let request = filled!(OpAMPConnectionSettingsRequest { certificate_request: of(request) });
    let core = filled!(AgentToServer {
        instance_uid: blob(),
        sequence_num: any::<u64>(),
        agent_description: of(filled!(AgentDescription {
            identifying_attributes: attributes(),
            non_identifying_attributes: attributes(),
        })),
        capabilities: any::<u64>(),
        health: of(health()),
        effective_config: of(filled!(EffectiveConfig { config_map: of(config_map()) })),
        remote_config_status: of(filled!(RemoteConfigStatus {
            last_remote_config_hash: blob(),
            status: any::<i32>().prop_map(RemoteConfigStatuses),
            error_message: text(),
        })),
        package_statuses: of(package_statuses()),
    });
    let rest = filled!(AgentToServer {
        agent_disconnect: of(newer(Just(AgentDisconnect::default()))),
        flags: any::<u64>(),
        connection_settings_request: of(filled!(ConnectionSettingsRequest { opamp: of(request) })),
        custom_capabilities: of(custom_capabilities()),
        custom_message: of(custom_message()),
        available_components: of(components()),
        connection_settings_status: of(filled!(ConnectionSettingsStatus {
            last_connection_settings_hash: blob(),
            status: any::<i32>().prop_map(ConnectionSettingsStatuses),
            error_message: text(),
        })),
    });
    (core, rest).prop_map(|(core, rest)| AgentToServer {
        instance_uid: core.instance_uid,
        sequence_num: core.sequence_num,
        agent_description: core.agent_description,
        capabilities: core.capabilities,
        health: core.health,
        effective_config: core.effective_config,
        remote_config_status: core.remote_config_status,
        package_statuses: core.package_statuses,
        ..rest
    })
}

pub(super) fn server_to_agent() -> impl Strategy<Value = ServerToAgent> {
    let file = filled!(DownloadableFile {
        download_url: text(),
        content_hash: blob(),
        signature: blob(),
        headers: of(headers()),
    });
    let package = filled!(PackageAvailable {
        kind: any::<i32>().prop_map(PackageType),
        version: text(),
        file: of(file),
        hash: blob(),
    });
    let retry = filled!(RetryInfo { retry_after_nanoseconds: any::<u64>() });
    let kind = any::<i32>();
    filled!(ServerToAgent {
        instance_uid: blob(),
        error_response: of(filled!(ServerErrorResponse {
            kind: kind.prop_map(ServerErrorResponseType),
            error_message: text(),
            retry_info: of(retry),
        })),
        remote_config: of(filled!(AgentRemoteConfig { config: of(config_map()), config_hash: blob() })),
        connection_settings: of(connection_settings()),
        packages_available: of(filled!(PackagesAvailable {
            packages: by_name(package),
            all_packages_hash: blob()
        })),
        flags: any::<u64>(),
        capabilities: any::<u64>(),
        agent_identification: of(filled!(AgentIdentification { new_instance_uid: blob() })),
        command: of(filled!(ServerToAgentCommand { kind: kind.prop_map(CommandType) })),
        custom_capabilities: of(custom_capabilities()),
        custom_message: of(custom_message()),
    })
}
