//! Every message, by name, so that a test can visit them all.

/// Calls a macro with the names of all messages.
macro_rules! with_every_message {
    ($visit:ident) => {
        $visit!(
            AgentConfigMap,
            AgentConfigObject,
            AgentDescription,
            AgentDisconnect,
            AgentIdentification,
            AgentRemoteConfig,
            AgentToServer,
            AnyValue,
            ArrayValue,
            AvailableComponents,
            CertificateRequest,
            ComponentDetails,
            ComponentHealth,
            ConnectionSettingsOffers,
            ConnectionSettingsRequest,
            ConnectionSettingsStatus,
            CustomCapabilities,
            CustomMessage,
            DownloadableFile,
            EffectiveConfig,
            Header,
            Headers,
            KeyValue,
            KeyValueList,
            OpAMPConnectionSettings,
            OpAMPConnectionSettingsRequest,
            OtherConnectionSettings,
            PackageAvailable,
            PackageDownloadDetails,
            PackageStatus,
            PackageStatuses,
            PackagesAvailable,
            ProxyConnectionSettings,
            RemoteConfigStatus,
            RetryInfo,
            ServerErrorResponse,
            ServerToAgent,
            ServerToAgentCommand,
            TLSCertificate,
            TLSConnectionSettings,
            TelemetryConnectionSettings
        )
    };
}

pub(super) use with_every_message;
