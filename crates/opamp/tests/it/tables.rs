//! The messages' own tables against the specification's, `schema.tsv`: message or enum, number, field or
//! value, type. A message without fields has one row of dashes.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_opamp::wire::{Described, FieldInfo};
use tidegate_opamp::*;

use super::catalogue::with_every_message;

const SCHEMA: &str = include_str!("schema.tsv");

struct Row {
    owner: &'static str,
    number: &'static str,
    name: &'static str,
    kind: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    SCHEMA.lines().skip(1).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [owner, number, name, kind] = columns[..] else { panic!("not four columns: {line}") };
        Row { owner, number, name, kind }
    })
}

fn enum_names() -> BTreeSet<&'static str> {
    rows().filter(|row| row.kind == "enum").map(|row| row.owner).collect()
}

/// A type of the specification in this crate's words.
fn kind_of(proto: &str, enums: &BTreeSet<&str>) -> String {
    match proto {
        "string" | "bytes" | "uint64" | "fixed64" | "int64" | "bool" | "double" => proto.to_owned(),
        "repeated string" => "strings".to_owned(),
        "map<string, string>" => "string_map".to_owned(),
        name if enums.contains(name) => format!("open({name})"),
        _ => {
            if let Some(inner) = proto.strip_prefix("repeated ") {
                format!("repeated({inner})")
            } else if let Some(inner) = proto.strip_prefix("map<string, ") {
                format!("map({})", inner.trim_end_matches('>'))
            } else {
                format!("option({proto})")
            }
        }
    }
}

/// `type` is a word of Rust.
fn field_name(proto: &str) -> &str {
    if proto == "type" { "kind" } else { proto }
}

#[test]
fn the_tables_of_all_messages_are_the_specifications() {
    let enums = enum_names();
    let mut expected = BTreeMap::<String, Vec<(u32, String, String)>>::new();
    for row in rows().filter(|row| row.kind != "enum") {
        let fields = expected.entry(row.owner.to_owned()).or_default();
        if row.number != "-" {
            let number = row.number.parse().unwrap();
            fields.push((number, field_name(row.name).to_owned(), kind_of(row.kind, &enums)));
        }
    }
    let mut actual = BTreeMap::new();
    let mut put = |name: &str, fields: &[FieldInfo]| {
        let fields: Vec<_> =
            fields.iter().map(|field| (field.number, field.name.to_owned(), field.kind.to_owned())).collect();
        actual.insert(name.to_owned(), fields);
    };
    macro_rules! put_all {
        ($($message:ident),*) => { $( put($message::NAME, $message::FIELDS); )* };
    }
    with_every_message!(put_all);
    assert_eq!(actual, expected);
    assert_eq!(actual.len(), 41);
}

#[test]
fn the_values_of_all_enums_and_flags_are_the_specifications() {
    let mut expected = BTreeMap::<&str, BTreeSet<(u64, String)>>::new();
    for row in rows().filter(|row| row.kind == "enum") {
        let name = row.name.strip_prefix(row.owner).unwrap().trim_start_matches('_').to_lowercase();
        // The empty set of flags needs no name.
        if name != "unspecified" {
            expected.entry(row.owner).or_default().insert((row.number.parse().unwrap(), name));
        }
    }
    let mut actual = BTreeMap::<&str, BTreeSet<(u64, String)>>::new();
    macro_rules! put_enums {
        ($($name:ident),*) => { $(
            let values = $name::KNOWN.iter().map(|(value, label)| {
                (u64::try_from(value.0).unwrap(), label.replace('-', "").to_lowercase())
            });
            actual.insert(stringify!($name), values.collect());
        )* };
    }
    put_enums!(
        AgentCapabilities,
        CommandType,
        ConnectionSettingsStatuses,
        PackageStatusEnum,
        PackageType,
        RemoteConfigStatuses,
        ServerCapabilities,
        ServerErrorResponseType
    );
    let flags = |flags: &[(u64, &str)]| flags.iter().map(|(bit, name)| (*bit, (*name).to_owned())).collect();
    actual.insert(
        "AgentToServerFlags",
        flags(&[(agent_to_server_flags::REQUEST_INSTANCE_UID, "requestinstanceuid")]),
    );
    actual.insert(
        "ServerToAgentFlags",
        flags(&[
            (server_to_agent_flags::REPORT_FULL_STATE, "reportfullstate"),
            (server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS, "reportavailablecomponents"),
        ]),
    );
    assert_eq!(actual, expected);
}
