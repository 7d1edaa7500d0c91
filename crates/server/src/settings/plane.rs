//! The agents' plane: where it listens, who may speak there, and how.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tidegate_fleet::settings::check_endpoint;
use tidegate_opamp::DEFAULT_PATH;

use super::file::{self, WrongField};
use super::{Flags, duration};

/// The least and the most that an interval of agents may be.
const INTERVAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));

/// The least and the most of the other times.
const TIME: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60 * 60));

/// The least that a frame may have: below it, headers outweigh what they carry.
const LEAST_FRAME_BYTES: usize = 128;

/// The agents' plane.
#[derive(Clone, Debug, Serialize)]
pub struct AgentsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The path of the OpAMP endpoint.
    pub path: String,
    /// The interval in which agents are expected to speak.
    #[serde(serialize_with = "duration::write")]
    pub heartbeat_interval: Duration,
    /// The URL by which agents reach this server, for agents that are told where to connect (OpAMP S120); without one
    /// each keeps the URL that it used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertised_endpoint: Option<String>,
    /// Whether agents that show no credential may come from other hosts (decision D7).
    pub allow_unauthenticated_network: bool,
    /// Whether what agents say may cross a network unencrypted (decision D7, OpAMP S202).
    pub allow_plaintext_network: bool,
    /// The certificate that the plane shows; without one it speaks plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,
    /// The file of the tokens that agents may show; without one agents are not authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_file: Option<PathBuf>,
    /// How often certificates and tokens are looked at for changes.
    #[serde(serialize_with = "duration::write")]
    pub reload_interval: Duration,
    /// How long a client may take for a TLS handshake, and then for the head of its first request.
    #[serde(serialize_with = "duration::write")]
    pub handshake_timeout: Duration,
    /// How long a message that has begun may take to arrive.
    #[serde(serialize_with = "duration::write")]
    pub message_timeout: Duration,
    /// How long a WebSocket may stay open before its first message.
    #[serde(serialize_with = "duration::write")]
    pub first_message_timeout: Duration,
    /// Silence after which a WebSocket's peer is pinged; one that is silent for as long again is gone (OpAMP S029).
    #[serde(serialize_with = "duration::write")]
    pub ping_interval: Duration,
    /// Over how long the sockets of a server that stops are closed (OpAMP S177).
    #[serde(serialize_with = "duration::write")]
    pub drain: Duration,
    /// Largest WebSocket frame that is sent, in bytes; a larger message leaves in several (OpAMP S031).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_frame_bytes: Option<usize>,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsSettings {
    /// PEM: the server's certificate, then those between it and the root.
    pub cert: PathBuf,
    /// PEM: the key of the first certificate.
    pub key: PathBuf,
    /// The oldest version that is spoken (OpAMP S202).
    pub min_version: TlsVersion,
}

/// A version of TLS. Older ones are never spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

impl AgentsSettings {
    /// What was typed and what stands in the file, over the defaults.
    pub(super) fn resolve(flags: &Flags, file: file::Agents) -> Result<Self, WrongField> {
        let default = Self::default();
        let path = file.path.unwrap_or(default.path);
        if !path.starts_with('/') || path.contains(['?', '#', ' ']) {
            return Err(WrongField::new(
                "agents.path",
                format!("{path:?} is no path such as {DEFAULT_PATH}"),
            ));
        }
        if let Some(bytes) = file.max_frame_bytes.filter(|bytes| *bytes < LEAST_FRAME_BYTES) {
            let message = format!("{bytes} is less than {LEAST_FRAME_BYTES}");
            return Err(WrongField::new("agents.max_frame_bytes", message));
        }
        if let Some(Err(message)) = file.advertised_endpoint.as_deref().map(check_endpoint) {
            return Err(WrongField::new("agents.advertised_endpoint", message));
        }
        let time = |field, text: &Option<String>, default, bounds| {
            duration::between(field, text.as_deref(), default, bounds)
        };
        let drain = (Duration::ZERO, TIME.1);
        Ok(Self {
            listen: flags.agents.or(file.listen).unwrap_or(default.listen),
            path,
            heartbeat_interval: time(
                "agents.heartbeat_interval",
                &file.heartbeat_interval,
                default.heartbeat_interval,
                INTERVAL,
            )?,
            advertised_endpoint: file.advertised_endpoint,
            allow_unauthenticated_network: file.allow_unauthenticated_network.unwrap_or(false),
            allow_plaintext_network: file.allow_plaintext_network.unwrap_or(false),
            tls: TlsSettings::resolve(flags, file.tls)?,
            tokens_file: flags.agents_tokens.clone().or(file.tokens_file),
            reload_interval: time(
                "agents.reload_interval",
                &file.reload_interval,
                default.reload_interval,
                TIME,
            )?,
            handshake_timeout: time(
                "agents.handshake_timeout",
                &file.handshake_timeout,
                default.handshake_timeout,
                TIME,
            )?,
            message_timeout: time(
                "agents.message_timeout",
                &file.message_timeout,
                default.message_timeout,
                TIME,
            )?,
            first_message_timeout: time(
                "agents.first_message_timeout",
                &file.first_message_timeout,
                default.first_message_timeout,
                TIME,
            )?,
            ping_interval: time("agents.ping_interval", &file.ping_interval, default.ping_interval, TIME)?,
            drain: time("agents.drain", &file.drain, default.drain, drain)?,
            max_frame_bytes: file.max_frame_bytes,
        })
    }

    /// Why the plane may not be heard beyond this machine, and what to do about it (decision D7).
    pub(super) fn open_door(&self) -> Option<String> {
        if self.listen.ip().is_loopback() {
            return None;
        }
        let at = self.listen;
        if self.tokens_file.is_none() && !self.allow_unauthenticated_network {
            return Some(format!(
                "agents would be heard on {at} without authentication, and any host there could join the fleet; give \
                 --agents-tokens FILE, listen on 127.0.0.1, or accept it in the settings file with \
                 `agents: {{allow_unauthenticated_network: true}}`"
            ));
        }
        if self.tls.is_none() && !self.allow_plaintext_network {
            return Some(format!(
                "agents would be heard on {at} unencrypted, and any host between could read and change what they are \
                 told; give --agents-cert FILE and --agents-key FILE, listen on 127.0.0.1, or accept it in the settings \
                 file with `agents: {{allow_plaintext_network: true}}`"
            ));
        }
        None
    }
}

impl TlsSettings {
    fn resolve(flags: &Flags, file: Option<file::Tls>) -> Result<Option<Self>, WrongField> {
        let file = file.unwrap_or_default();
        let min_version = match file.min_version.as_deref() {
            None => None,
            Some("1.2") => Some(TlsVersion::V1_2),
            Some("1.3") => Some(TlsVersion::V1_3),
            Some(other) => {
                return Err(WrongField::new(
                    "agents.tls.min_version",
                    format!("{other:?} is neither \"1.2\" nor \"1.3\""),
                ));
            }
        };
        match (flags.agents_cert.clone().or(file.cert), flags.agents_key.clone().or(file.key)) {
            (Some(cert), Some(key)) => {
                Ok(Some(Self { cert, key, min_version: min_version.unwrap_or_default() }))
            }
            (Some(_), None) => Err(WrongField::new(
                "agents.tls.key",
                "the certificate needs its key: give --agents-key FILE".into(),
            )),
            (None, Some(_)) => Err(WrongField::new(
                "agents.tls.cert",
                "the key needs its certificate: give --agents-cert FILE".into(),
            )),
            (None, None) if min_version.is_some() => Err(WrongField::new(
                "agents.tls.min_version",
                "it means nothing without a certificate: give --agents-cert FILE and --agents-key FILE"
                    .into(),
            )),
            (None, None) => Ok(None),
        }
    }
}

impl Default for AgentsSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4320)),
            path: DEFAULT_PATH.to_owned(),
            heartbeat_interval: Duration::from_secs(30),
            advertised_endpoint: None,
            allow_unauthenticated_network: false,
            allow_plaintext_network: false,
            tls: None,
            tokens_file: None,
            reload_interval: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(10),
            message_timeout: Duration::from_secs(30),
            first_message_timeout: Duration::from_secs(60),
            ping_interval: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            max_frame_bytes: None,
        }
    }
}
