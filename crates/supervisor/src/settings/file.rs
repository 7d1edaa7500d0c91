//! Settings from the YAML file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::written::{Key, Layer, Written};
use super::{Host, SettingsError, handlers};
use crate::supervise::ConfigLimits;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    server: Server,
    agent: Agent,
    agents: Vec<Entry>,
    state_dir: Option<Spanned<String>>,
    probation: Option<Spanned<String>>,
    confirm: Option<Spanned<String>>,
    heartbeat: Option<Spanned<String>>,
    metrics: Metrics,
    redact: Option<Spanned<bool>>,
    on_hang: Option<Spanned<String>>,
    on_silence: Option<Spanned<String>>,
    silence: Option<Spanned<String>>,
    allow: Option<Vec<Spanned<String>>>,
    chatops: ChatOps,
    handlers: Option<Vec<Spanned<handlers::Entry>>>,
    limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Server {
    endpoint: Option<Spanned<String>>,
    tls: Tls,
    token_file: Option<Spanned<String>>,
    proxy: Option<Spanned<Secret>>,
    headers: BTreeMap<String, Spanned<Secret>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tls {
    ca_file: Option<Spanned<String>>,
    system_roots: Option<Spanned<bool>>,
}

/// A value that may be kept out of the settings file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Secret {
    Plain(String),
    Elsewhere(Elsewhere),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Elsewhere {
    File(String),
    Env(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Agent {
    kind: Option<Spanned<String>>,
    binary: Option<Spanned<String>>,
    config: Option<Spanned<String>>,
    attributes: BTreeMap<String, Spanned<String>>,
}

/// An agent among several.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    name: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    binary: Option<Spanned<String>>,
    config: Option<Spanned<String>>,
    attributes: BTreeMap<String, Spanned<String>>,
    state_dir: Option<Spanned<String>>,
    allow: Option<Vec<Spanned<String>>>,
    chatops: ChatOps,
    handlers: Option<Vec<Spanned<handlers::Entry>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ChatOps {
    port: Option<Spanned<u64>>,
    tags: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metrics {
    interval: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    max_message_bytes: Option<Spanned<u64>>,
    config: Config,
}

/// What offered configs may name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    paths: Option<Vec<Spanned<String>>>,
    run: Vec<Spanned<String>>,
}

/// Where values of one file go, with the place of each for errors.
struct Sheet<'a> {
    path: &'a Path,
    layer: Layer,
}

impl Sheet<'_> {
    fn put(&mut self, key: Key, field: &str, value: Option<Spanned<String>>) {
        self.put_named(key, field, "", value);
    }

    fn put_named(&mut self, key: Key, field: &str, name: &str, value: Option<Spanned<String>>) {
        let Some(value) = value else { return };
        let origin = self.origin(field, value.referenced.line());
        self.layer.put(key, Written { name: name.to_owned(), text: value.value, origin });
    }

    fn put_all(&mut self, key: Key, field: &str, values: Option<Vec<Spanned<String>>>) {
        for value in values.unwrap_or_default() {
            self.put(key, field, Some(value));
        }
    }

    fn put_chatops(&mut self, prefix: &str, chatops: ChatOps) {
        self.put(Key::ChatOpsPort, &format!("{prefix}chatops.port"), chatops.port.map(text_of));
        self.put_all(Key::ChatOpsTag, &format!("{prefix}chatops.tags"), chatops.tags);
    }

    /// What offered configs may name; the settings file itself is never theirs.
    fn config_limits(&self, config: Config) -> Result<ConfigLimits, SettingsError> {
        let wrong = |field: &str, value: &Spanned<String>, why: String| {
            let origin = self.origin(&format!("limits.config.{field}"), value.referenced.line());
            SettingsError::Value { origin, why }
        };
        let path = |value: Spanned<String>| match PathBuf::from(&value.value) {
            path if path.is_absolute() => Ok(path),
            _ => Err(wrong("paths", &value, format!("{:?} is not an absolute path", value.value))),
        };
        let run = |value: Spanned<String>| {
            if ConfigLimits::RUN.contains(&value.value.as_str()) {
                return Ok(value.value);
            }
            let why = format!("{:?} is none of {}", value.value, ConfigLimits::RUN.join(", "));
            Err(wrong("run", &value, why))
        };
        Ok(ConfigLimits {
            paths: config.paths.map(|paths| paths.into_iter().map(path).collect()).transpose()?,
            run: config.run.into_iter().map(run).collect::<Result<_, _>>()?,
            never: std::path::absolute(self.path).into_iter().collect(),
        })
    }

    fn origin(&self, field: &str, line: u64) -> String {
        format!("{}:{line}: {field}", self.path.display())
    }
}

/// What a settings file says, and what it says of each agent in its list; `path` is for errors.
pub(super) fn layers(path: &Path, text: &str, host: &Host<'_>) -> Result<(Layer, Vec<Layer>), SettingsError> {
    if text.trim().is_empty() {
        return Ok(<_>::default());
    }
    let file: File = serde_saphyr::from_str(text).map_err(|error| shape(path, &error))?;
    let mut sheet = Sheet { path, layer: Layer::default() };
    sheet.put(Key::Endpoint, "server.endpoint", file.server.endpoint);
    sheet.put(Key::CaFile, "server.tls.ca_file", file.server.tls.ca_file);
    sheet.put(Key::SystemRoots, "server.tls.system_roots", file.server.tls.system_roots.map(text_of));
    sheet.put(Key::TokenFile, "server.token_file", file.server.token_file);
    let mut secrets: Vec<PathBuf> = Vec::new();
    for (name, value) in file.server.headers {
        secrets.extend(kept_in(&value.value));
        let field = format!("server.headers.{name}");
        let origin = sheet.origin(&field, value.referenced.line());
        let secret = secret(value.value, host).map_err(|why| SettingsError::Value { origin, why })?;
        let value = Spanned::new(secret, value.referenced, value.defined);
        sheet.put_named(Key::Header, &field, &name, Some(value));
    }
    if let Some(value) = file.server.proxy {
        secrets.extend(kept_in(&value.value));
        let origin = sheet.origin("server.proxy", value.referenced.line());
        let secret = secret(value.value, host).map_err(|why| SettingsError::Value { origin, why })?;
        sheet.put(Key::Proxy, "server.proxy", Some(Spanned::new(secret, value.referenced, value.defined)));
    }
    sheet.put(Key::Kind, "agent.kind", file.agent.kind);
    sheet.put(Key::Binary, "agent.binary", file.agent.binary);
    sheet.put(Key::AgentConfig, "agent.config", file.agent.config);
    for (name, value) in file.agent.attributes {
        sheet.put_named(Key::Attribute, &format!("agent.attributes.{name}"), &name, Some(value));
    }
    sheet.put(Key::StateDir, "state_dir", file.state_dir);
    sheet.put(Key::Probation, "probation", file.probation);
    sheet.put(Key::Confirm, "confirm", file.confirm);
    sheet.put(Key::Heartbeat, "heartbeat", file.heartbeat);
    sheet.put(Key::Redact, "redact", file.redact.map(text_of));
    sheet.put(Key::MetricsInterval, "metrics.interval", file.metrics.interval);
    sheet.put(Key::OnHang, "on_hang", file.on_hang);
    sheet.put(Key::OnSilence, "on_silence", file.on_silence);
    sheet.put(Key::Silence, "silence", file.silence);
    sheet.put_all(Key::Allow, "allow", file.allow);
    sheet.put_chatops("", file.chatops);
    sheet.put(Key::MaxMessageBytes, "limits.max_message_bytes", file.limits.max_message_bytes.map(text_of));
    let mut limits = sheet.config_limits(file.limits.config)?;
    limits.never.extend(secrets);
    sheet.layer.1.limits = Some(limits);
    sheet.layer.1.handlers =
        file.handlers.map(|entries| handlers::handlers(path, "", entries, host)).transpose()?;
    let entries = file.agents.into_iter().enumerate().map(|(at, entry)| self::entry(path, at, entry, host));
    Ok((sheet.layer, entries.collect::<Result<_, _>>()?))
}

fn entry(path: &Path, at: usize, entry: Entry, host: &Host<'_>) -> Result<Layer, SettingsError> {
    let mut sheet = Sheet { path, layer: Layer::default() };
    let field = |name: &str| format!("agents[{at}].{name}");
    sheet.put(Key::Name, &field("name"), entry.name);
    sheet.put(Key::Kind, &field("kind"), entry.kind);
    sheet.put(Key::Binary, &field("binary"), entry.binary);
    sheet.put(Key::AgentConfig, &field("config"), entry.config);
    for (name, value) in entry.attributes {
        sheet.put_named(Key::Attribute, &field(&format!("attributes.{name}")), &name, Some(value));
    }
    sheet.put(Key::StateDir, &field("state_dir"), entry.state_dir);
    sheet.put_all(Key::Allow, &field("allow"), entry.allow);
    sheet.put_chatops(&field(""), entry.chatops);
    sheet.layer.1.handlers =
        entry.handlers.map(|entries| handlers::handlers(path, &field(""), entries, host)).transpose()?;
    Ok(sheet.layer)
}

/// The file that a secret is kept in, absolute, if it is kept in one.
fn kept_in(secret: &Secret) -> Option<PathBuf> {
    match secret {
        Secret::Elsewhere(Elsewhere::File(path)) => std::path::absolute(path).ok(),
        Secret::Plain(_) | Secret::Elsewhere(Elsewhere::Env(_)) => None,
    }
}

/// A secret from where it is kept, without the line end of a file.
fn secret(secret: Secret, host: &Host<'_>) -> Result<String, String> {
    match secret {
        Secret::Plain(text) => Ok(text),
        Secret::Elsewhere(Elsewhere::Env(name)) => {
            (host.variable)(&name).ok_or_else(|| format!("the environment has no variable {name}"))
        }
        Secret::Elsewhere(Elsewhere::File(path)) => (host.read)(Path::new(&path))
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| format!("cannot read {path}: {error}")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for use with map")]
fn text_of<T: ToString>(value: Spanned<T>) -> Spanned<String> {
    Spanned::new(value.value.to_string(), value.referenced, value.defined)
}

fn shape(path: &Path, error: &serde_saphyr::Error) -> SettingsError {
    let error = error.without_snippet();
    SettingsError::Shape {
        path: path.to_owned(),
        line: error.location().map_or(1, |location| location.line()),
        message: error.to_string(),
    }
}
