//! Settings as they were written, from any source.

use std::collections::BTreeMap;

use crate::handlers::HandlerSettings;
use crate::supervise::ConfigLimits;

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Endpoint,
    CaFile,
    SystemRoots,
    TokenFile,
    Proxy,
    Header,
    Name,
    Kind,
    Binary,
    AgentConfig,
    Attribute,
    StateDir,
    Probation,
    Confirm,
    Heartbeat,
    MetricsInterval,
    Redact,
    OnHang,
    OnSilence,
    Silence,
    Allow,
    ChatOpsPort,
    ChatOpsTag,
    MaxMessageBytes,
}

impl Key {
    /// Every setting that has a flag and a variable, with the flag's name.
    pub(super) const FLAGS: [(Self, &'static str); 16] = [
        (Self::Endpoint, "endpoint"),
        (Self::CaFile, "ca-file"),
        (Self::TokenFile, "token-file"),
        (Self::Proxy, "proxy"),
        (Self::Kind, "kind"),
        (Self::Binary, "binary"),
        (Self::AgentConfig, "agent-config"),
        (Self::Attribute, "attribute"),
        (Self::StateDir, "state-dir"),
        (Self::Probation, "probation"),
        (Self::Confirm, "confirm"),
        (Self::Heartbeat, "heartbeat"),
        (Self::MetricsInterval, "metrics-interval"),
        (Self::Allow, "allow"),
        (Self::ChatOpsPort, "chatops-port"),
        (Self::ChatOpsTag, "chatops-tag"),
    ];

    /// The flag's name without dashes; empty for settings of the file only.
    pub(super) fn flag(self) -> &'static str {
        Self::FLAGS.iter().find(|(key, _)| *key == self).map_or("", |(_, flag)| flag)
    }

    /// Whether it is a list.
    pub(super) const fn is_list(self) -> bool {
        matches!(self, Self::Allow | Self::ChatOpsTag | Self::Attribute | Self::Header)
    }

    /// Whether it is a list of `NAME=VALUE`.
    pub(super) const fn is_map(self) -> bool {
        matches!(self, Self::Attribute | Self::Header)
    }
}

/// One value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// The name, for settings that are maps.
    pub(super) name: String,
    pub(super) text: String,
    /// Where it was written.
    pub(super) origin: String,
}

/// What one source says.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer(pub(super) BTreeMap<Key, Vec<Written>>, pub(super) Structured);

/// Settings that are no plain values; the file alone has them, checked already.
#[derive(Clone, Debug, Default)]
pub(super) struct Structured {
    pub(super) handlers: Option<Vec<HandlerSettings>>,
    pub(super) limits: Option<ConfigLimits>,
}

impl Layer {
    pub(super) fn put(&mut self, key: Key, written: Written) {
        self.0.entry(key).or_default().push(written);
    }

    /// Adds the text of a flag or variable; a map's is split at its first `=`, and without one the name is empty.
    pub(super) fn put_text(&mut self, key: Key, text: &str, origin: &str) {
        let (name, text) = match text.split_once('=') {
            Some((name, text)) if key.is_map() => (name, text),
            _ => ("", text),
        };
        self.put(key, Written { name: name.to_owned(), text: text.to_owned(), origin: origin.to_owned() });
    }
}

/// All sources, the highest first.
#[derive(Clone)]
pub(super) struct Layers(pub(super) Vec<Layer>);

impl Layers {
    /// The value of the highest source that has one.
    pub(super) fn one(&self, key: Key) -> Option<&Written> {
        self.list(key).last()
    }

    /// The list of the highest source that has one.
    pub(super) fn list(&self, key: Key) -> &[Written] {
        self.0.iter().find_map(|layer| layer.0.get(&key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// A structured setting of the highest source that has it.
    pub(super) fn structured<T: Clone>(&self, of: impl Fn(&Structured) -> Option<&T>) -> Option<T> {
        self.0.iter().find_map(|layer| of(&layer.1)).cloned()
    }

    /// The lists of all sources, the highest last.
    pub(super) fn all(&self, key: Key) -> impl Iterator<Item = &Written> {
        self.0.iter().rev().filter_map(move |layer| layer.0.get(&key)).flatten()
    }
}
