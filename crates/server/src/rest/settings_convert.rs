//! Connection settings from the API's values to the protocol's, and back without their secrets.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_api as api;
use tidegate_fleet::settings::{
    Heartbeat, HeartbeatSetting, HeartbeatView, OfferView, Own, Settings, Target,
};
use tidegate_opamp::{
    Header, Headers, OpAMPConnectionSettings, OtherConnectionSettings, ProxyConnectionSettings,
    TLSCertificate, TLSConnectionSettings, TelemetryConnectionSettings,
};

use super::problem::Failure;
use super::time::time;
use crate::control::RuleView;

/// The secrets of the rule that is written anew, by JSON pointer: they stand where the caller sends back what they were
/// shown in their place.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    pub(super) fn of(settings: Option<&Settings>) -> Self {
        let mut all = Self::default();
        for (pointer, destination) in settings.into_iter().flat_map(destinations) {
            all.note(&format!("{pointer}/headers"), destination.headers);
            if let Some(certificate) = destination.certificate {
                let key = String::from_utf8_lossy(&certificate.private_key).into_owned();
                all.0.insert(format!("{pointer}/certificate/private_key"), key);
            }
            let proxy = destination.proxy.and_then(|proxy| proxy.connect_headers);
            all.note(&format!("{pointer}/proxy/headers"), proxy);
        }
        all
    }

    fn note(&mut self, pointer: &str, headers: Option<Headers>) {
        for header in headers.into_iter().flat_map(|headers| headers.headers) {
            self.0.insert(format!("{pointer}/{}", header.key), header.value);
        }
    }

    /// The value that was sent, or the one that it stands for.
    fn reveal(&self, pointer: &str, sent: &str) -> Result<String, Failure> {
        if sent != api::REDACTED {
            return Ok(sent.to_owned());
        }
        let missing = || Failure::invalid(pointer, "no value is stored here that this could stand for");
        self.0.get(pointer).cloned().ok_or_else(missing)
    }
}

/// The parts that every destination has, whatever its message.
#[derive(Default)]
struct Parts {
    endpoint: String,
    headers: Option<Headers>,
    certificate: Option<TLSCertificate>,
    tls: Option<TLSConnectionSettings>,
    proxy: Option<ProxyConnectionSettings>,
    settings: BTreeMap<String, String>,
}

macro_rules! parts {
    ($($message:ident),*) => { $(
        impl From<$message> for Parts {
            fn from(from: $message) -> Self {
                let $message { destination_endpoint: endpoint, headers, certificate, tls, proxy, .. } = from;
                Self { endpoint, headers, certificate, tls, proxy, settings: BTreeMap::new() }
            }
        }

        impl From<Parts> for $message {
            fn from(from: Parts) -> Self {
                let Parts { endpoint: destination_endpoint, headers, certificate, tls, proxy, .. } = from;
                Self { destination_endpoint, headers, certificate, tls, proxy, ..Self::default() }
            }
        }
    )* };
}

parts!(OpAMPConnectionSettings, TelemetryConnectionSettings, OtherConnectionSettings);

fn destinations(settings: &Settings) -> Vec<(String, Parts)> {
    let opamp = settings.opamp.clone().map(|opamp| ("/opamp".to_owned(), opamp.into()));
    let own = Own::ALL.into_iter().zip(settings.own.clone());
    let own = own.filter_map(|(kind, own)| Some((format!("/{}", kind.as_str()), own?.into())));
    let other = settings.other.clone().into_iter().map(|(name, other)| {
        let further = other.other_settings.clone();
        (format!("/other_connections/{name}"), Parts { settings: further, ..other.into() })
    });
    opamp.into_iter().chain(own).chain(other).collect()
}

/// The settings that a request asks for.
pub(super) fn settings(request: &api::SettingsRequest, secrets: &Secrets) -> Result<Settings, Failure> {
    let one = |pointer: &str, destination: &Option<api::Destination>| {
        destination.as_ref().map(|it| parts(pointer, it, secrets)).transpose()
    };
    let own = |pointer: &str, destination: &Option<api::Destination>| -> Result<_, Failure> {
        if destination.as_ref().is_some_and(|it| !it.settings.is_empty()) {
            let message = "only other connections have further settings";
            return Err(Failure::invalid(format!("{pointer}/settings"), message));
        }
        one(pointer, destination)
    };
    let mut other = BTreeMap::new();
    for (name, destination) in &request.other_connections {
        let mut parts = parts(&format!("/other_connections/{name}"), destination, secrets)?;
        let other_settings = std::mem::take(&mut parts.settings);
        other.insert(name.clone(), OtherConnectionSettings { other_settings, ..parts.into() });
    }
    Ok(Settings {
        heartbeat: request.heartbeat.as_ref().map(heartbeat_setting).transpose()?,
        opamp: own("/opamp", &request.opamp)?.map(Into::into),
        own: [
            own("/own_metrics", &request.own_metrics)?.map(Into::into),
            own("/own_traces", &request.own_traces)?.map(Into::into),
            own("/own_logs", &request.own_logs)?.map(Into::into),
        ],
        other,
    })
}

fn heartbeat_setting(heartbeat: &api::HeartbeatSetting) -> Result<HeartbeatSetting, Failure> {
    let interval = match (heartbeat.interval_seconds, heartbeat.off) {
        (Some(seconds), false) => Heartbeat::Every(seconds),
        (None, true) => Heartbeat::Off,
        _ => return Err(Failure::invalid("/heartbeat", "give interval_seconds, or off: true")),
    };
    Ok(HeartbeatSetting { interval, force: heartbeat.force })
}

fn parts(pointer: &str, from: &api::Destination, secrets: &Secrets) -> Result<Parts, Failure> {
    let list = |pointer: String, map: &BTreeMap<String, String>| -> Result<Headers, Failure> {
        let mut headers = Vec::with_capacity(map.len());
        for (key, value) in map {
            let value = secrets.reveal(&format!("{pointer}/{key}"), value)?;
            headers.push(Header { key: key.clone(), value, ..Header::default() });
        }
        Ok(Headers { headers, ..Headers::default() })
    };
    let headers = |pointer: String, map: &Option<BTreeMap<String, String>>| {
        map.as_ref().map(|map| list(pointer, map)).transpose()
    };
    let certificate = |it: &api::Certificate| -> Result<TLSCertificate, Failure> {
        let key = secrets.reveal(&format!("{pointer}/certificate/private_key"), &it.private_key)?;
        Ok(TLSCertificate {
            cert: Bytes::copy_from_slice(it.cert.as_bytes()),
            private_key: Bytes::from(key),
            ca_cert: Bytes::copy_from_slice(it.ca_cert.as_bytes()),
            ..TLSCertificate::default()
        })
    };
    let proxy = |it: &api::Proxy| -> Result<ProxyConnectionSettings, Failure> {
        let connect_headers = headers(format!("{pointer}/proxy/headers"), &it.headers)?;
        Ok(ProxyConnectionSettings { url: it.url.clone(), connect_headers, ..Default::default() })
    };
    Ok(Parts {
        endpoint: from.endpoint.clone(),
        headers: headers(format!("{pointer}/headers"), &from.headers)?,
        certificate: from.certificate.as_ref().map(certificate).transpose()?,
        tls: from.tls.as_ref().map(|it| TLSConnectionSettings {
            ca_pem_contents: it.ca.clone(),
            include_system_ca_certs_pool: it.include_system_ca,
            min_version: it.min_version.clone(),
            max_version: it.max_version.clone(),
            cipher_suites: it.cipher_suites.clone(),
            ..TLSConnectionSettings::default()
        }),
        proxy: from.proxy.as_ref().map(proxy).transpose()?,
        settings: from.settings.clone(),
    })
}

fn destination(parts: Parts) -> api::Destination {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    api::Destination {
        endpoint: parts.endpoint,
        headers: redacted(parts.headers.as_ref()),
        certificate: parts.certificate.map(|it| api::Certificate {
            cert: text(&it.cert),
            private_key: api::REDACTED.to_owned(),
            ca_cert: text(&it.ca_cert),
        }),
        tls: parts.tls.map(|it| api::Tls {
            ca: it.ca_pem_contents,
            include_system_ca: it.include_system_ca_certs_pool,
            min_version: it.min_version,
            max_version: it.max_version,
            cipher_suites: it.cipher_suites,
        }),
        proxy: parts
            .proxy
            .map(|it| api::Proxy { url: it.url, headers: redacted(it.connect_headers.as_ref()) }),
        settings: parts.settings,
    }
}

/// A rule as it is shown.
pub(super) fn rule(view: &RuleView) -> api::SettingsRule {
    let rule = &view.rule;
    let mut shown: BTreeMap<String, api::Destination> =
        destinations(&rule.settings).into_iter().map(|(at, parts)| (at, destination(parts))).collect();
    let target = match &rule.target {
        Target::Fleet => api::SettingsTarget { all: true, ..Default::default() },
        Target::Selector(selector) => {
            api::SettingsTarget { q: Some(selector.text.clone()), ..Default::default() }
        }
        Target::Agent(uid) => api::SettingsTarget { agent: Some(uid.to_string()), ..Default::default() },
    };
    let heartbeat = rule.settings.heartbeat.map(|heartbeat| api::HeartbeatSetting {
        interval_seconds: seconds(heartbeat.interval),
        off: heartbeat.interval == Heartbeat::Off,
        force: heartbeat.force,
    });
    let count = |state: &str| view.agents.get(state).copied().unwrap_or(0);
    api::SettingsRule {
        name: rule.name.to_string(),
        rule: api::SettingsRequest {
            target,
            priority: rule.priority,
            heartbeat,
            opamp: shown.remove("/opamp"),
            own_metrics: shown.remove("/own_metrics"),
            own_traces: shown.remove("/own_traces"),
            own_logs: shown.remove("/own_logs"),
            other_connections: shown
                .into_iter()
                .filter_map(|(at, it)| Some((at.strip_prefix("/other_connections/")?.to_owned(), it)))
                .collect(),
        },
        revision: rule.revision,
        actor: rule.actor.clone(),
        at: time(rule.at),
        agents: api::SettingsSummary {
            total: view.agents.values().sum(),
            pending: count("pending"),
            offered: count("offered"),
            acknowledged: count("acknowledged"),
            failed: count("failed"),
            unsupported: count("unsupported"),
        },
        warnings: view
            .warnings
            .iter()
            .map(|it| api::SettingsWarning { pointer: it.pointer.clone(), message: it.message.clone() })
            .collect(),
    }
}

const fn seconds(interval: Heartbeat) -> Option<u32> {
    match interval {
        Heartbeat::Every(seconds) => Some(seconds),
        Heartbeat::Off => None,
    }
}

/// How often an agent should speak.
pub(super) fn heartbeat(view: &HeartbeatView) -> api::Heartbeat {
    api::Heartbeat {
        interval_seconds: seconds(view.interval),
        source: view.rule.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string),
        state: view.state.as_str().to_owned(),
        reason: view.reason.clone(),
        expected_seconds: view.expected.map(|expected| expected.as_secs()),
    }
}

/// All settings of an agent.
pub(super) fn agent_settings(view: &OfferView) -> api::AgentSettings {
    let hexadecimal = |hash: &[u8; 32]| tidegate_opamp::ConfigHash(*hash).to_string();
    let desired = &view.desired;
    let mut sources = BTreeMap::new();
    let mut source = |name: String, rule: Option<String>| {
        sources.extend(rule.map(|rule| (name, rule)));
    };
    source("heartbeat".into(), desired.heartbeat.as_ref().map(|part| part.rule.to_string()));
    source("opamp".into(), desired.opamp.as_ref().map(|part| part.rule.to_string()));
    for (kind, own) in Own::ALL.into_iter().zip(&desired.own) {
        source(kind.as_str().into(), own.as_ref().map(|part| part.rule.to_string()));
    }
    for (name, other) in &desired.other {
        source(format!("other_connections/{name}"), Some(other.rule.to_string()));
    }
    api::AgentSettings {
        desired: hexadecimal(&desired.hash),
        answered: view.answered.as_ref().map(hexadecimal),
        state: view.state.as_str().to_owned(),
        reason: view.reason.clone(),
        offered_at: view.offered_at.map(time),
        sources,
        withheld: view.withheld.clone(),
        moved_to: view.moved.as_ref().map(|(endpoint, _)| endpoint.to_string()),
        left_at: view.moved.as_ref().and_then(|(_, left)| left.map(time)),
    }
}

/// The headers of a message as a map, with nothing of their values.
fn redacted(headers: Option<&Headers>) -> Option<BTreeMap<String, String>> {
    let headers = headers?;
    Some(headers.headers.iter().map(|header| (header.key.clone(), api::REDACTED.to_owned())).collect())
}
