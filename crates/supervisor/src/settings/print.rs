//! The settings in force, for a person to read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Allowed, Settings, duration, handlers};
use crate::apply::OnHang;
use crate::client::Proxy;
use crate::supervise::{Kind, OnSilence};

#[derive(Serialize)]
struct Printed<'a> {
    server: Server<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Agent<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agents: Vec<Entry<'a>>,
    state_dir: String,
    probation: String,
    confirm: String,
    heartbeat: String,
    metrics: Metrics,
    redact: bool,
    on_hang: &'static str,
    on_silence: &'static str,
    silence: String,
    allow: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chatops: Option<ChatOps<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    handlers: Vec<handlers::Printed<'a>>,
    limits: Limits<'a>,
}

#[derive(Serialize)]
struct Server<'a> {
    endpoint: String,
    tls: Tls,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    headers: BTreeMap<&'a str, &'static str>,
}

#[derive(Serialize)]
struct Tls {
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    system_roots: bool,
}

#[derive(Serialize)]
struct Agent<'a> {
    kind: &'static str,
    binary: String,
    config: String,
    attributes: &'a BTreeMap<String, String>,
}

/// An agent of the list, with all that holds for it.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    #[serde(flatten)]
    agent: Agent<'a>,
    state_dir: String,
    allow: Vec<&'static str>,
    chatops: ChatOps<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    handlers: Vec<handlers::Printed<'a>>,
}

#[derive(Serialize)]
struct ChatOps<'a> {
    port: u16,
    tags: &'a [String],
}

#[derive(Serialize)]
struct Metrics {
    interval: String,
}

#[derive(Serialize)]
struct Limits<'a> {
    max_message_bytes: usize,
    config: Config<'a>,
}

#[derive(Serialize)]
struct Config<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    paths: Option<Vec<String>>,
    run: Vec<&'a str>,
}

/// The settings in the form of a settings file; values of headers are hidden.
///
/// # Errors
/// A sentence, if they cannot be written as YAML.
pub fn print(settings: &Settings) -> Result<String, String> {
    let single = match &settings.agents[..] {
        [agent] if agent.name.is_empty() => Some(agent),
        _ => None,
    };
    let listed = settings.agents.iter().filter(|_| single.is_none());
    let connection = Allowed::ConnectionSettings;
    let everywhere = settings.allow_connection_settings.then_some(connection).into_iter();
    let token = settings.token_file.is_some();
    let shown = |name: &&http::HeaderName| !token || **name != http::header::AUTHORIZATION;
    let printed = Printed {
        server: Server {
            endpoint: settings.server.endpoint.to_string(),
            tls: Tls {
                ca_file: settings.ca_file.as_deref().map(text),
                system_roots: settings.server.tls.system,
            },
            token_file: settings.token_file.as_deref().map(text),
            proxy: settings.server.proxy.as_ref().map(Proxy::shown),
            headers: settings
                .server
                .headers
                .iter()
                .map(|(name, _)| name)
                .filter(shown)
                .map(|name| (name.as_str(), "(hidden)"))
                .collect(),
        },
        agent: single.map(agent),
        agents: listed
            .map(|listed| Entry {
                name: &listed.name,
                agent: agent(listed),
                state_dir: text(&listed.state_dir),
                allow: words(listed.allow.iter().copied().filter(|what| *what != connection)),
                chatops: chatops(listed),
                handlers: own(listed),
            })
            .collect(),
        state_dir: text(&settings.state_dir),
        probation: duration::write(settings.probation),
        confirm: settings.confirm.map_or_else(|| "off".to_owned(), duration::write),
        heartbeat: duration::write(settings.heartbeat),
        redact: settings.redact,
        metrics: Metrics {
            interval: settings.metrics_interval.map_or_else(|| "off".to_owned(), duration::write),
        },
        on_hang: word(&OnHang::WORDS, settings.patience.on_hang),
        on_silence: word(&OnSilence::WORDS, settings.patience.on_silence),
        silence: duration::write(settings.patience.silence),
        allow: single.map_or_else(|| words(everywhere), |agent| words(agent.allow.iter().copied())),
        chatops: single.map(chatops),
        handlers: single.map(own).unwrap_or_default(),
        limits: Limits {
            max_message_bytes: settings.max_message_bytes,
            config: Config {
                paths: settings
                    .limits
                    .paths
                    .as_ref()
                    .map(|paths| paths.iter().map(|path| text(path)).collect()),
                run: settings.limits.run.iter().map(String::as_str).collect(),
            },
        },
    };
    serde_saphyr::to_string(&printed).map_err(|error| format!("the settings cannot be printed: {error}"))
}

fn agent(agent: &super::Agent) -> Agent<'_> {
    Agent {
        kind: match agent.kind {
            Kind::FluentBit => "fluent-bit",
        },
        binary: text(&agent.binary),
        config: text(&agent.config),
        attributes: &agent.attributes,
    }
}

fn chatops(agent: &super::Agent) -> ChatOps<'_> {
    ChatOps { port: agent.chatops.port, tags: &agent.chatops.tags }
}

fn own(agent: &super::Agent) -> Vec<handlers::Printed<'_>> {
    agent.handlers.iter().map(handlers::Printed::of).collect()
}

fn words(allowed: impl Iterator<Item = Allowed>) -> Vec<&'static str> {
    allowed.map(Allowed::word).collect()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], value: T) -> &'static str {
    words.iter().find(|(known, _)| *known == value).map_or("", |(_, word)| word)
}
