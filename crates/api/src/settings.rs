//! Connection settings: how often agents speak, where they connect, where their own telemetry goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Stands for a secret in every answer. Sent back in a rule, it leaves the secret as it is stored.
pub const REDACTED: &str = "(redacted)";

/// Whom a rule is for: exactly one of the three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsTarget {
    /// The whole fleet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// The agents that match, in the search language; only by what an agent is, not by how it fares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// One agent, by its uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// How often agents should speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HeartbeatSetting {
    /// Seconds between heartbeats, 1 to 86400; for agents that poll, between polls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// No heartbeats at all; in the place of an interval.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// Offer it also to agents that report heartbeats and do not accept OpAMP connection settings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// Where something connects, and what it needs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Its URL. For OpAMP, left out stands for this server; for telemetry it is a full OTLP/HTTP URL with its path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Headers of each request; left out, an agent keeps those it has. Answers show no values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// The client certificate; left out means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// How to use TLS; left out, an agent keeps what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The proxy on the way; left out, an agent keeps what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Further settings by name; only for other connections.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// A client certificate in PEM.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The certificate.
    pub cert: String,
    /// Its private key; answers do not show it.
    pub private_key: String,
    /// The authority that signed it; needed unless it signed itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ca_cert: String,
}

/// How to use TLS. There is no way to turn verification off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Authorities to trust, in PEM.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ca: String,
    /// Trust the host's authorities as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_system_ca: bool,
    /// Lowest TLS version, such as `1.2`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    /// Highest TLS version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub max_version: String,
    /// Cipher suites in IANA names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
}

/// A proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Its URL.
    pub url: String,
    /// Headers of the CONNECT request. Answers show no values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
}

/// A rule as an operator writes it: whom it is for and what it sets. What it leaves out is left to the rules below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsRequest {
    /// Whom it is for.
    pub target: SettingsTarget,
    /// Among rules for the same kind of target the highest wins, then the newest.
    #[serde(default)]
    pub priority: i32,
    /// How often agents speak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatSetting>,
    /// Where and how they connect to OpAMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opamp: Option<Destination>,
    /// Where their own metrics go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_metrics: Option<Destination>,
    /// Where their own traces go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_traces: Option<Destination>,
    /// Where their own logs go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_logs: Option<Destination>,
    /// What else they connect to, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_connections: BTreeMap<String, Destination>,
}

/// A rule as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SettingsRule {
    /// Its name.
    pub name: String,
    /// What was written; secrets are shown as [`REDACTED`].
    #[serde(flatten)]
    pub rule: SettingsRequest,
    /// Counts its versions from 1; its `ETag`.
    pub revision: u64,
    /// Who wrote it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// How far the agents that get something of it have come.
    pub agents: SettingsSummary,
    /// What is unwise about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<SettingsWarning>,
}

/// Something unwise in a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SettingsWarning {
    /// A JSON pointer into the rule.
    pub pointer: String,
    /// What.
    pub message: String,
}

/// How many agents stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SettingsSummary {
    /// All of them.
    pub total: u64,
    /// Wait to be offered their settings.
    pub pending: u64,
    /// Were offered them and have not answered, or never do.
    pub offered: u64,
    /// Have taken them.
    pub acknowledged: u64,
    /// Could not take them.
    pub failed: u64,
    /// Cannot be offered any of them.
    pub unsupported: u64,
}

/// How often an agent should speak, and whether it knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    /// Seconds between heartbeats as they should be; absent when they are off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// The rule that says so, or `default`.
    pub source: String,
    /// `default`, `pending`, `offered`, `acknowledged`, `failed` or `unsupported`.
    pub state: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The interval by which silence is judged now; absent when the agent owes no heartbeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_seconds: Option<u64>,
}

/// The connection settings of one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentSettings {
    /// Hash of the settings that it should have, in hexadecimal.
    pub desired: String,
    /// Hash that it named last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    /// `default`, `pending`, `offered`, `acknowledged`, `failed` or `unsupported`.
    pub state: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When they were last offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_at: Option<Timestamp>,
    /// The rule that each part comes from, by the part's name.
    pub sources: BTreeMap<String, String>,
    /// The parts that the agent has no capability for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// The other server that it was told to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// Since when it has been gone from here, where it left after it was told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
}
