//! Configs as the server keeps them, and pushes of them.

use std::sync::{Arc, OnceLock};

use tidegate_fluent::redact::{Key, redact};
use tidegate_opamp::{AgentConfigMap, AgentConfigObject, ConfigHash, InstanceUid, config_hash};

use crate::Timestamp;

/// A config body, immutable and known by the hash of its content.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Identifies the content.
    pub hash: ConfigHash,
    /// The files.
    pub files: Arc<AgentConfigMap>,
    /// When it was first stored.
    pub created_at: Timestamp,
    redacted: Redacted,
}

/// The files without their secrets, worked out when they are first asked for: most configs have none, and few agents
/// report theirs anew.
#[derive(Clone, Debug, Default)]
struct Redacted(OnceLock<Arc<AgentConfigMap>>);

/// It follows from the files, which are compared.
impl PartialEq for Redacted {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Config {
    /// A config from its files.
    #[must_use]
    pub fn new(files: AgentConfigMap, created_at: Timestamp) -> Self {
        Self { hash: config_hash(&files), files: Arc::new(files), created_at, redacted: Redacted::default() }
    }

    /// A config as it was stored.
    #[must_use]
    pub fn stored(hash: ConfigHash, files: Arc<AgentConfigMap>, created_at: Timestamp) -> Self {
        Self { hash, files, created_at, redacted: Redacted::default() }
    }

    /// The same files under another hash, so that an agent that refused them under theirs tries them anew (OpAMP S098).
    /// `act` tells one such config from the next.
    #[must_use]
    pub fn again(&self, act: &str, now: Timestamp) -> Self {
        let object = AgentConfigObject {
            body: self.hash.to_wire(),
            role: act.to_owned(),
            ..AgentConfigObject::default()
        };
        let config_map = [(String::new(), object)].into();
        let hash = config_hash(&AgentConfigMap { config_map, ..AgentConfigMap::default() });
        Self { hash, files: Arc::clone(&self.files), created_at: now, redacted: Redacted::default() }
    }

    /// The key that its secrets are marked under, here and by supervisors of ours: the hash of the content.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::new(config_hash(&self.files).to_string().as_bytes())
    }

    /// The files as a supervisor of ours reports them: each secret replaced by its mark under the key that the content's
    /// hash is (OpAMP C085).
    #[must_use]
    pub fn redacted(&self) -> &AgentConfigMap {
        self.redacted.0.get_or_init(|| {
            let key = self.key();
            let mut files = (*self.files).clone();
            for file in files.config_map.values_mut() {
                if let Ok(text) = std::str::from_utf8(&file.body) {
                    file.body = redact(text, &key).into();
                }
            }
            Arc::new(files)
        })
    }
}

/// Identifies a push; a UUID of version 7 in text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PushId(pub String);

/// One config body sent to the agents that matched a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Its id.
    pub id: PushId,
    /// What is pushed.
    pub config: ConfigHash,
    /// The query as the operator wrote it.
    pub query: String,
    /// Who pushed.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The agents it was assigned to.
    pub targets: Vec<InstanceUid>,
    /// The agents that matched and cannot take a config, with the reason.
    pub refused: Vec<(InstanceUid, String)>,
    /// What it follows from.
    pub origin: Origin,
}

/// What a push follows from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A config that someone gave.
    #[default]
    Config,
    /// Another push, for agents that failed it: the same files again.
    Retry(PushId),
    /// Another push, whose agents go back to what they had before.
    RollBack(PushId),
}

impl Origin {
    /// The push that it follows from.
    #[must_use]
    pub const fn of(&self) -> Option<&PushId> {
        match self {
            Self::Config => None,
            Self::Retry(of) | Self::RollBack(of) => Some(of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_config_when_it_is_to_be_tried_again_then_its_files_are_the_same_and_its_hash_is_not() {
        let object = AgentConfigObject {
            body: "[OUTPUT]\n  http_passwd secret\n".into(),
            ..AgentConfigObject::default()
        };
        let config_map = [("main".to_owned(), object)].into();
        let files = AgentConfigMap { config_map, ..AgentConfigMap::default() };
        let config = Config::new(files, Timestamp(1));
        let (one, other) = (config.again("p-1", Timestamp(2)), config.again("p-2", Timestamp(2)));
        assert_eq!((&one.files, &other.files), (&config.files, &config.files));
        assert!(one.hash != config.hash && other.hash != config.hash && one.hash != other.hash);
        assert_eq!(config.again("p-1", Timestamp(3)).hash, one.hash, "it follows from the act alone");
        assert_eq!(one.redacted(), config.redacted(), "secrets are marked as supervisors mark them");
    }
}
