//! Connection settings: offers, requests for credentials, statuses.

use crate::wire::{message, open_enum};

message! {
    /// Where and how an agent should connect; what is left out stays as it is.
    pub struct ConnectionSettingsOffers {
        /// Identifies all settings, also those left out; never empty.
        1 hash: bytes,
        /// For OpAMP itself.
        2 opamp: option(OpAMPConnectionSettings),
        /// For the agent's own metrics.
        3 own_metrics: option(TelemetryConnectionSettings),
        /// For the agent's own traces.
        4 own_traces: option(TelemetryConnectionSettings),
        /// For the agent's own logs.
        5 own_logs: option(TelemetryConnectionSettings),
        /// For whatever else the agent connects to, by name.
        6 other_connections: map(OtherConnectionSettings),
    }
}

message! {
    /// How to connect to an OpAMP server.
    pub struct OpAMPConnectionSettings {
        /// `ws`, `wss`, `http` or `https` URL.
        1 destination_endpoint: string,
        /// Headers of the handshake or of each POST.
        2 headers: option(Headers),
        /// Client certificate; left out means none.
        3 certificate: option(TLSCertificate),
        /// Seconds between heartbeats; 0 is ruled by A1.
        4 heartbeat_interval_seconds: uint64,
        /// How to use TLS.
        5 tls: option(TLSConnectionSettings),
        /// How to use a proxy.
        6 proxy: option(ProxyConnectionSettings),
    }
}

message! {
    /// How to send the agent's own telemetry.
    pub struct TelemetryConnectionSettings {
        /// OTLP/HTTP URL with its path; empty withdraws (ruling A9).
        1 destination_endpoint: string,
        /// Headers of each request.
        2 headers: option(Headers),
        /// Client certificate; left out means none.
        3 certificate: option(TLSCertificate),
        /// How to use TLS.
        4 tls: option(TLSConnectionSettings),
        /// How to use a proxy.
        5 proxy: option(ProxyConnectionSettings),
    }
}

message! {
    /// How to connect to something else.
    pub struct OtherConnectionSettings {
        /// In the form that the agent expects.
        1 destination_endpoint: string,
        /// Headers of each request.
        2 headers: option(Headers),
        /// Client certificate.
        3 certificate: option(TLSCertificate),
        /// Further settings by name.
        4 other_settings: string_map,
        /// How to use TLS.
        5 tls: option(TLSConnectionSettings),
        /// How to use a proxy.
        6 proxy: option(ProxyConnectionSettings),
    }
}

message! {
    /// How to use TLS.
    pub struct TLSConnectionSettings {
        /// Authorities to trust, in PEM.
        1 ca_pem_contents: string,
        /// Trust the host's authorities as well.
        2 include_system_ca_certs_pool: bool,
        /// Do not verify the server.
        3 insecure_skip_verify: bool,
        /// Lowest TLS version.
        4 min_version: string,
        /// Highest TLS version.
        5 max_version: string,
        /// Cipher suites in IANA names.
        6 cipher_suites: strings,
    }
}

message! {
    /// How to use a proxy.
    pub struct ProxyConnectionSettings {
        /// Its URL.
        1 url: string,
        /// Headers of the CONNECT request.
        2 connect_headers: option(Headers),
    }
}

message! {
    /// HTTP headers in order.
    pub struct Headers {
        /// One row each.
        1 headers: repeated(Header),
    }
}

message! {
    /// One HTTP header.
    pub struct Header {
        /// Its name.
        1 key: string,
        /// Its value.
        2 value: string,
    }
}

message! {
    /// A client certificate in PEM.
    pub struct TLSCertificate {
        /// The certificate.
        1 cert: bytes,
        /// Its key; left out where the agent made the key itself.
        2 private_key: bytes,
        /// The authority that signed it.
        3 ca_cert: bytes,
    }
}

message! {
    /// Asks the server for connection settings.
    pub struct ConnectionSettingsRequest {
        /// For OpAMP itself.
        1 opamp: option(OpAMPConnectionSettingsRequest),
    }
}

message! {
    /// Asks the server for OpAMP credentials.
    pub struct OpAMPConnectionSettingsRequest {
        /// A certificate to sign.
        1 certificate_request: option(CertificateRequest),
    }
}

message! {
    /// A certificate signing request.
    pub struct CertificateRequest {
        /// In PEM.
        1 csr: bytes,
    }
}

message! {
    /// How far the last offered connection settings have come.
    pub struct ConnectionSettingsStatus {
        /// The hash of the offer, as it was received.
        1 last_connection_settings_hash: bytes,
        /// How far it has come.
        2 status: open(ConnectionSettingsStatuses),
        /// Why it failed.
        3 error_message: string,
    }
}

open_enum! {
    /// States of connection settings.
    pub enum ConnectionSettingsStatuses {
        /// Nothing was offered yet.
        0 Unset = "unset",
        /// The offer is in use.
        1 Applied = "applied",
        /// The offer is being tried.
        2 Applying = "applying",
        /// The offer does not work.
        3 Failed = "failed",
    }
}
