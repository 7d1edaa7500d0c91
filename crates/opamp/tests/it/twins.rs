//! The messages' codec against prost's own derive. The twins are declared anew from the specification; they
//! drop unknown fields, so a comparison ends where those begin.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidegate_opamp::Message;

use super::strategies;

#[derive(Clone, PartialEq, prost::Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 2, 3, 4, 5, 6, 7")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    String(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(ArrayValue),
    #[prost(message, tag = "6")]
    Kvlist(KeyValueList),
    #[prost(bytes, tag = "7")]
    Bytes(Vec<u8>),
}

#[derive(Clone, PartialEq, prost::Message)]
struct ComponentHealth {
    #[prost(bool, tag = "1")]
    healthy: bool,
    #[prost(fixed64, tag = "2")]
    start_time_unix_nano: u64,
    #[prost(string, tag = "3")]
    last_error: String,
    #[prost(string, tag = "4")]
    status: String,
    #[prost(fixed64, tag = "5")]
    status_time_unix_nano: u64,
    #[prost(btree_map = "string, message", tag = "6")]
    component_health_map: BTreeMap<String, ComponentHealth>,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PackageStatuses {
    #[prost(btree_map = "string, message", tag = "1")]
    packages: BTreeMap<String, PackageStatus>,
    #[prost(bytes = "vec", tag = "2")]
    server_provided_all_packages_hash: Vec<u8>,
    #[prost(string, tag = "3")]
    error_message: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PackageStatus {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    agent_has_version: String,
    #[prost(bytes = "vec", tag = "3")]
    agent_has_hash: Vec<u8>,
    #[prost(string, tag = "4")]
    server_offered_version: String,
    #[prost(bytes = "vec", tag = "5")]
    server_offered_hash: Vec<u8>,
    #[prost(int32, tag = "6")]
    status: i32,
    #[prost(string, tag = "7")]
    error_message: String,
    #[prost(message, optional, tag = "8")]
    download_details: Option<PackageDownloadDetails>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PackageDownloadDetails {
    #[prost(double, tag = "1")]
    download_percent: f64,
    #[prost(double, tag = "2")]
    download_bytes_per_second: f64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TlsConnectionSettings {
    #[prost(string, tag = "1")]
    ca_pem_contents: String,
    #[prost(bool, tag = "2")]
    include_system_ca_certs_pool: bool,
    #[prost(bool, tag = "3")]
    insecure_skip_verify: bool,
    #[prost(string, tag = "4")]
    min_version: String,
    #[prost(string, tag = "5")]
    max_version: String,
    #[prost(string, repeated, tag = "6")]
    cipher_suites: Vec<String>,
}

/// Reads ours as the twin, writes it, reads that as ours again and compares all bytes: what the twin knows is
/// what ours is without its unknown fields.
fn check<Ours, Twin>(ours: &Ours) -> Result<(), TestCaseError>
where
    Ours: Message + Default,
    Twin: Message + Default + PartialEq,
{
    let twin = Twin::decode(ours.encode_to_vec().as_slice()).unwrap();
    let known = twin.encode_to_vec();
    let again = Ours::decode(known.as_slice()).unwrap();
    prop_assert_eq!(again.encoded_len(), known.len());
    prop_assert_eq!(again.encode_to_vec(), known.clone());
    prop_assert!(Twin::decode(again.encode_to_vec().as_slice()).unwrap() == twin);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn given_a_health_tree_when_a_derived_codec_reads_it_then_both_agree(message in strategies::health()) {
        check::<_, ComponentHealth>(&message)?;
    }

    #[test]
    fn given_package_statuses_when_a_derived_codec_reads_them_then_both_agree(
        message in strategies::package_statuses(),
    ) {
        check::<_, PackageStatuses>(&message)?;
    }

    #[test]
    fn given_tls_settings_when_a_derived_codec_reads_them_then_both_agree(message in strategies::tls()) {
        check::<_, TlsConnectionSettings>(&message)?;
    }
}
