//! The REST API's wire types and, with the feature `client`, a typed client.
//!
//! Only this crate and the server's REST module know the API's JSON. Keys are stable within a major version; every
//! text that comes from an agent is as the agent sent it, bounded and not escaped.

mod agent;
mod agent_config;
mod attention;
mod bulk;
#[cfg(feature = "client")]
pub mod client;
mod command;
mod completion;
mod event;
mod inspect;
mod metrics;
mod plan;
mod problem;
mod push;
mod repush;
mod schema;
mod server;
mod session;
mod settings;
pub mod sse;
pub mod text;

pub use agent::{
    Agent, AgentDetail, Attention, AvailableComponent, AvailableComponents, Axis, Component, ConfigAxis,
    ConfigFile, Facet, FacetValue, FleetSummary, List, Service, Total,
};
pub use agent_config::{
    AgentConfig, ConfigVersion, DifferenceHunk, DifferenceLine, EffectiveConfig, FileDifference,
};
pub use attention::{AttentionSentence, FleetAttention};
pub use bulk::{BulkAction, BulkRequest, Operation, OperationTarget};
pub use command::{Answer, Command, CommandRequest};
pub use completion::{Completion, Completions};
pub use event::{Event, Removed, WatchEvent};
pub use inspect::{
    AgentCapability, AgentCatalogue, AgentReport, ReportPart, SendableMessage, TimelineItem, TimelinePush,
};
pub use jiff::Timestamp;
pub use metrics::{AgentMetrics, ComponentMetrics, MetricCounts, MetricRates, MetricSeries, MetricsHistory};
pub use plan::{Plan, PlanAction, PlanAgent, PlanExecution};
pub use problem::{Problem, ProblemDetail};
pub use push::{Push, PushAgent, PushFile, PushListed, PushRequest, PushSummary, PushWarning};
pub use repush::{RetryRequest, RollBack, RollBackAgent, RollBackAgents, RollBackRequest, RollBackSummary};
pub use schema::PluginSchema;
pub use server::{
    Catalogue, CustomCapability, Direction, FieldForm, MessageField, MessageFlow, MessageType, ServerStatus,
    StoreCommit, StoreStatus, TaskRun, TaskStatus,
};
pub use session::{LogIn, LoginLink, Session};
pub use settings::{
    AgentSettings, Certificate, Destination, Heartbeat, HeartbeatSetting, Proxy, REDACTED, SettingsRequest,
    SettingsRule, SettingsSummary, SettingsTarget, SettingsWarning, Tls,
};

/// Base path of the API.
pub const BASE: &str = "/api/v1";

/// Media type of a list that is streamed, an object a line.
pub const NDJSON_TYPE: &str = "application/x-ndjson";

/// Media type of an error's body (RFC 9457).
pub const PROBLEM_TYPE: &str = "application/problem+json";
