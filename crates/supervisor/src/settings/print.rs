//! The settings in force, for a person to read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Allowed, Settings, duration};
use crate::supervise::Kind;

#[derive(Serialize)]
struct Printed<'a> {
    server: Server<'a>,
    agent: Agent<'a>,
    state_dir: String,
    probation: String,
    heartbeat: String,
    allow: Vec<&'static str>,
    chatops: ChatOps<'a>,
    limits: Limits,
}

#[derive(Serialize)]
struct Server<'a> {
    endpoint: String,
    tls: Tls,
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

#[derive(Serialize)]
struct ChatOps<'a> {
    port: u16,
    tags: &'a [String],
}

#[derive(Serialize)]
struct Limits {
    max_message_bytes: usize,
}

/// The settings in the form of a settings file; values of headers are hidden.
///
/// # Errors
/// A sentence, if they cannot be written as YAML.
pub fn print(settings: &Settings) -> Result<String, String> {
    let printed = Printed {
        server: Server {
            endpoint: settings.server.endpoint.to_string(),
            tls: Tls {
                ca_file: settings.ca_file.as_ref().map(|path| path.display().to_string()),
                system_roots: settings.server.tls.system,
            },
            headers: settings.server.headers.iter().map(|(name, _)| (name.as_str(), "(hidden)")).collect(),
        },
        agent: Agent {
            kind: match settings.kind {
                Kind::FluentBit => "fluent-bit",
            },
            binary: settings.binary.display().to_string(),
            config: settings.agent_config.display().to_string(),
            attributes: &settings.attributes,
        },
        state_dir: settings.state_dir.display().to_string(),
        probation: duration::write(settings.probation),
        heartbeat: duration::write(settings.heartbeat),
        allow: settings.allow.iter().copied().map(Allowed::word).collect(),
        chatops: ChatOps { port: settings.chatops.port, tags: &settings.chatops.tags },
        limits: Limits { max_message_bytes: settings.max_message_bytes },
    };
    serde_saphyr::to_string(&printed).map_err(|error| format!("the settings cannot be printed: {error}"))
}
