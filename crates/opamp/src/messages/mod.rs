//! Every message of OpAMP v0.20.0, by what it is about.

mod agent_to_server;
mod any_value;
mod components;
mod config;
mod connection;
mod custom;
mod description;
mod health;
mod packages;
mod server_to_agent;

pub use agent_to_server::{AgentDisconnect, AgentToServer, agent_to_server_flags};
pub use any_value::{AnyValue, ArrayValue, KeyValue, KeyValueList, Value};
pub use components::{AvailableComponents, ComponentDetails};
pub use config::{
    AgentConfigMap, AgentConfigObject, AgentRemoteConfig, EffectiveConfig, RemoteConfigStatus,
    RemoteConfigStatuses,
};
pub use connection::{
    CertificateRequest, ConnectionSettingsOffers, ConnectionSettingsRequest, ConnectionSettingsStatus,
    ConnectionSettingsStatuses, Header, Headers, OpAMPConnectionSettings, OpAMPConnectionSettingsRequest,
    OtherConnectionSettings, ProxyConnectionSettings, TLSCertificate, TLSConnectionSettings,
    TelemetryConnectionSettings,
};
pub use custom::{CustomCapabilities, CustomMessage};
pub use description::AgentDescription;
pub use health::ComponentHealth;
pub use packages::{
    DownloadableFile, PackageAvailable, PackageDownloadDetails, PackageStatus, PackageStatusEnum,
    PackageStatuses, PackageType, PackagesAvailable,
};
pub use server_to_agent::{
    AgentIdentification, CommandType, RetryInfo, ServerErrorResponse, ServerErrorResponseType, ServerToAgent,
    ServerToAgentCommand, server_to_agent_flags,
};
