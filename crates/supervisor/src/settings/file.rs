//! Settings from the YAML file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::SettingsError;
use super::written::{Key, Layer, Written};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    server: Server,
    agent: Agent,
    state_dir: Option<Spanned<String>>,
    probation: Option<Spanned<String>>,
    heartbeat: Option<Spanned<String>>,
    allow: Option<Vec<Spanned<String>>>,
    chatops: ChatOps,
    limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Server {
    endpoint: Option<Spanned<String>>,
    tls: Tls,
    headers: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    ca_file: Option<Spanned<String>>,
    system_roots: Option<Spanned<bool>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Agent {
    kind: Option<Spanned<String>>,
    binary: Option<Spanned<String>>,
    config: Option<Spanned<String>>,
    attributes: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ChatOps {
    port: Option<Spanned<u64>>,
    tags: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    max_message_bytes: Option<Spanned<u64>>,
}

/// What a settings file says; `path` is for errors.
pub(super) fn layer(path: &Path, text: &str) -> Result<Layer, SettingsError> {
    if text.trim().is_empty() {
        return Ok(Layer::default());
    }
    let file: File = serde_saphyr::from_str(text).map_err(|error| shape(path, &error))?;
    let mut layer = Layer::default();
    let mut put = |key, field: &str, name: &str, value: Option<Spanned<String>>| {
        let Some(value) = value else { return };
        let origin = format!("{}:{}: {field}", path.display(), value.referenced.line());
        layer.put(key, Written { name: name.to_owned(), text: value.value, origin });
    };
    let number = |value: Spanned<u64>| Spanned::new(value.value.to_string(), value.referenced, value.defined);
    put(Key::Endpoint, "server.endpoint", "", file.server.endpoint);
    put(Key::CaFile, "server.tls.ca_file", "", file.server.tls.ca_file);
    let flag = |value: Spanned<bool>| Spanned::new(value.value.to_string(), value.referenced, value.defined);
    put(Key::SystemRoots, "server.tls.system_roots", "", file.server.tls.system_roots.map(flag));
    for (name, value) in file.server.headers {
        put(Key::Header, &format!("server.headers.{name}"), &name, Some(value));
    }
    put(Key::Kind, "agent.kind", "", file.agent.kind);
    put(Key::Binary, "agent.binary", "", file.agent.binary);
    put(Key::AgentConfig, "agent.config", "", file.agent.config);
    for (name, value) in file.agent.attributes {
        put(Key::Attribute, &format!("agent.attributes.{name}"), &name, Some(value));
    }
    put(Key::StateDir, "state_dir", "", file.state_dir);
    put(Key::Probation, "probation", "", file.probation);
    put(Key::Heartbeat, "heartbeat", "", file.heartbeat);
    for value in file.allow.unwrap_or_default() {
        put(Key::Allow, "allow", "", Some(value));
    }
    put(Key::ChatOpsPort, "chatops.port", "", file.chatops.port.map(number));
    for value in file.chatops.tags.unwrap_or_default() {
        put(Key::ChatOpsTag, "chatops.tags", "", Some(value));
    }
    put(Key::MaxMessageBytes, "limits.max_message_bytes", "", file.limits.max_message_bytes.map(number));
    Ok(layer)
}

fn shape(path: &Path, error: &serde_saphyr::Error) -> SettingsError {
    let error = error.without_snippet();
    SettingsError::Shape {
        path: path.to_owned(),
        line: error.location().map_or(1, |location| location.line()),
        message: error.to_string(),
    }
}
