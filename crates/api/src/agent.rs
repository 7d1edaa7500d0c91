//! Agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AgentSettings, Heartbeat, Timestamp};

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Names the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many rows there are on all pages.
    pub total: Total,
    /// The facets that were asked for, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<String, Facet>,
}

/// How many rows have which value of a key. Terms of the query about that key itself are not felt, so that the other
/// values can be offered beside the chosen one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Facet {
    /// The most frequent values, at most 50.
    pub values: Vec<FacetValue>,
    /// Rows with other values than these.
    pub other: u64,
    /// Rows without a value.
    pub missing: u64,
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// How many rows have it.
    pub count: u64,
}

/// How many agents stand where, on each axis, by service, version and operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetSummary {
    /// How many agents there are.
    pub total: u64,
    /// The counts, by key.
    pub by: BTreeMap<String, Facet>,
}

/// A count.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Total {
    /// The number.
    pub value: u64,
    /// Whether it is exact.
    pub exact: bool,
}

/// One axis of an agent's state, with its age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Axis {
    /// The value, in the words of the state model.
    pub value: String,
    /// When it was last heard.
    pub observed_at: Timestamp,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The axis of the config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfigAxis {
    /// The axis.
    #[serde(flatten)]
    pub axis: Axis,
    /// Hash of the config that the agent should run, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<String>,
    /// Hash that the agent last acknowledged, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// The push that the desired config came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
    /// What the agent's "applied" is worth: `proven` or `unproven`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// How loudly an agent calls for a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attention {
    /// `ok`, `watch` or `act`.
    pub level: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Service {
    /// `service.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `service.version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// An agent, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Agent {
    /// Its `instance_uid` as a lowercase UUID.
    pub uid: String,
    /// What people call it.
    pub name: String,
    /// What runs.
    pub service: Service,
    /// Whether it is there.
    pub connection: Axis,
    /// How it fares.
    pub health: Axis,
    /// Whether it runs what it should.
    pub config: ConfigAxis,
    /// Whether a person should look.
    pub attention: Attention,
    /// How often it should speak, and whether it knows; servers before 0.2 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
    /// How it reaches the server, while it does: `websocket` or `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// When it first reported.
    pub first_seen: Timestamp,
    /// When it last spoke.
    pub last_seen: Timestamp,
    /// When its process started, while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// Its attributes, under OpenTelemetry's names.
    pub attributes: BTreeMap<String, String>,
    /// What operators say of it.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Its OpAMP capabilities by name; unknown bits as numbers.
    pub capabilities: Vec<String>,
    /// Its custom capabilities by bare name.
    pub custom_capabilities: Vec<String>,
}

/// An agent, with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentDetail {
    /// What lists show.
    #[serde(flatten)]
    pub agent: Agent,
    /// Its components, by name.
    #[serde(default)]
    pub components: BTreeMap<String, Component>,
    /// The files that it runs.
    #[serde(default)]
    pub effective_config: Vec<ConfigFile>,
    /// The files that it should run.
    #[serde(default)]
    pub desired_config: Vec<ConfigFile>,
    /// What its build can run, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_components: Option<AvailableComponents>,
    /// The hash of its build's schema of plugins, in hexadecimal; where the server has it, it is at `/schemas/{hash}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Its connection settings, where it has some or had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_settings: Option<AgentSettings>,
}

/// What an agent's build can run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AvailableComponents {
    /// Identifies the list, in hexadecimal.
    pub hash: String,
    /// By name; empty while only the hash is known.
    #[serde(default)]
    pub components: BTreeMap<String, AvailableComponent>,
}

/// One component that a build has, or a group of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AvailableComponent {
    /// Facts about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The components below, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schema(no_recursion))]
    pub components: BTreeMap<String, AvailableComponent>,
}

/// The health of one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Component {
    /// Whether it works.
    pub healthy: bool,
    /// Its own word for its state.
    pub status: String,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_error: String,
    /// When the state was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// Further facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The components below.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schema(no_recursion))]
    pub components: BTreeMap<String, Component>,
}

/// A file of a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfigFile {
    /// Its name.
    pub name: String,
    /// Its media type, where it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// What it is for, where it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// Its content; bytes that are no UTF-8 are replaced.
    pub body: String,
}
