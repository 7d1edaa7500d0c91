//! The keys of the language.

use crate::agent::axes::{Attention, ConfigState, Connection, Health, Proof};

/// What a term asks about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A bare word: the name or the uid.
    Word,
    /// The `instance_uid`.
    Uid,
    /// What people call it.
    Name,
    /// The connection axis.
    Connection,
    /// The health axis.
    Health,
    /// The config axis.
    Config,
    /// The derived flag.
    Attention,
    /// What its "applied" is worth.
    Proof,
    /// How it reaches the server.
    Transport,
    /// An OpAMP capability or a custom one.
    Capability,
    /// What went wrong last: of its health or of its config.
    Error,
    /// Hash of the config that it should run, in hexadecimal.
    ConfigHash,
    /// How long ago it first reported.
    FirstSeen,
    /// How long ago it last spoke.
    LastSeen,
    /// An attribute that the agent reports.
    Attribute(Box<str>),
    /// A label that operators set.
    Label(Box<str>),
}

/// Short names of attributes.
pub const ALIASES: [(&str, &str); 4] =
    [("service", "service.name"), ("version", "service.version"), ("os", "os.type"), ("arch", "host.arch")];

/// The keys by name, `attr.…` and `label.…` apart.
pub const NAMES: [&str; 17] = [
    "uid",
    "name",
    "connection",
    "health",
    "config",
    "attention",
    "proof",
    "transport",
    "capability",
    "error",
    "config_hash",
    "first_seen",
    "last_seen",
    "service",
    "version",
    "os",
    "arch",
];

/// Keys of things that this server does not know yet; named so that they are refused with that reason.
const NOT_YET: [&str; 10] = [
    "group",
    "namespace",
    "rollout",
    "package",
    "certificate",
    "plugin",
    "metric",
    "tag",
    "owner",
    "revision",
];

/// The words of what carries an applied config.
pub const TRANSPORTS: [&str; 2] = ["websocket", "http"];

/// Why a key is none.
pub(super) struct UnknownKey {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Key {
    /// The key of a name.
    pub(super) fn read(name: &str) -> Result<Self, UnknownKey> {
        let long = |prefix: &str, make: fn(Box<str>) -> Self| {
            name.strip_prefix(prefix).map(|rest| if rest.is_empty() { None } else { Some(make(rest.into())) })
        };
        if let Some(key) = long("attr.", Self::Attribute).or_else(|| long("label.", Self::Label)) {
            return key
                .ok_or_else(|| UnknownKey { message: format!("a name must follow {name:?}"), hint: None });
        }
        if let Some((_, attribute)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
            return Ok(Self::Attribute((*attribute).into()));
        }
        Ok(match name {
            "uid" => Self::Uid,
            "name" => Self::Name,
            "connection" => Self::Connection,
            "health" => Self::Health,
            "config" => Self::Config,
            "attention" => Self::Attention,
            "proof" => Self::Proof,
            "transport" => Self::Transport,
            "capability" => Self::Capability,
            "error" => Self::Error,
            "config_hash" => Self::ConfigHash,
            "first_seen" => Self::FirstSeen,
            "last_seen" => Self::LastSeen,
            other => return Err(unknown(other)),
        })
    }

    /// The name that the language has for it; empty for a bare word.
    pub(super) fn write(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
        match self {
            Self::Word => Ok(()),
            Self::Uid => to.write_str("uid"),
            Self::Name => to.write_str("name"),
            Self::Connection => to.write_str("connection"),
            Self::Health => to.write_str("health"),
            Self::Config => to.write_str("config"),
            Self::Attention => to.write_str("attention"),
            Self::Proof => to.write_str("proof"),
            Self::Transport => to.write_str("transport"),
            Self::Capability => to.write_str("capability"),
            Self::Error => to.write_str("error"),
            Self::ConfigHash => to.write_str("config_hash"),
            Self::FirstSeen => to.write_str("first_seen"),
            Self::LastSeen => to.write_str("last_seen"),
            Self::Attribute(name) => match ALIASES.iter().find(|(_, long)| **long == **name) {
                Some((alias, _)) => to.write_str(alias),
                None => write!(to, "attr.{name}"),
            },
            Self::Label(name) => write!(to, "label.{name}"),
        }
    }

    /// The words that its values are taken from, where there are only these.
    #[must_use]
    pub fn words(&self) -> Option<Vec<&'static str>> {
        Some(match self {
            Self::Connection => Connection::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Health => Health::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Config => ConfigState::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Attention => Attention::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Proof => Proof::ALL.iter().map(|value| value.as_str()).collect(),
            Self::Transport => TRANSPORTS.to_vec(),
            _ => return None,
        })
    }

    /// True for points in time, which are compared by their age.
    #[must_use]
    pub const fn is_time(&self) -> bool {
        matches!(self, Self::FirstSeen | Self::LastSeen)
    }

    /// True for keys whose values change while the agent stays what it is.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Health
                | Self::Config
                | Self::Attention
                | Self::Proof
                | Self::Transport
                | Self::Error
                | Self::ConfigHash
                | Self::FirstSeen
                | Self::LastSeen
        )
    }

    /// True for keys whose values can be compared as versions or numbers.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        matches!(self, Self::Attribute(_) | Self::Label(_))
    }

    /// True for keys of which a part of the value is enough.
    pub(super) const fn takes_parts(&self) -> bool {
        matches!(self, Self::Word | Self::Error)
    }
}

impl Key {
    /// The key of a name, for orders and facets.
    ///
    /// # Errors
    /// What is wrong with the name, in a sentence.
    pub fn named(name: &str) -> Result<Self, String> {
        Self::read(name).map_err(|unknown| match unknown.hint {
            Some(hint) => format!("{}; did you mean {hint}?", unknown.message),
            None => unknown.message,
        })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.write(f)
    }
}

fn unknown(name: &str) -> UnknownKey {
    let first = name.split('.').next().unwrap_or_default();
    if NOT_YET.contains(&first) {
        return UnknownKey { message: format!("{first:?} is not known to this server"), hint: None };
    }
    let message = format!(
        "unknown key {name:?}; known are {}, attr.NAME (an attribute such as attr.host.name) and label.KEY",
        NAMES.join(", ")
    );
    UnknownKey { message, hint: nearest(name, NAMES).map(ToOwned::to_owned) }
}

/// The candidate that `word` starts, or else is most likely a slip of, where one is near.
pub(super) fn nearest(
    word: &str,
    candidates: impl IntoIterator<Item = &'static str> + Clone,
) -> Option<&'static str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let started: String = word.iter().collect();
    let starts = |candidate: &&'static str| word.len() >= 3 && candidate.starts_with(&started);
    if let Some(whole) = candidates.clone().into_iter().find(starts) {
        return Some(whole);
    }
    let near = |candidate: &'static str| (distance(&word, candidate), candidate);
    let (distance, candidate) = candidates.into_iter().map(near).min()?;
    (distance <= 1 + candidate.len() / 4).then_some(candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(word: &[char], other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (row[j] + 1).min(last[j + 1] + 1).min(last[j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}
