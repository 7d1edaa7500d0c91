//! Configs as the server keeps them, and pushes of them.

use std::sync::{Arc, OnceLock};

use tidegate_fluent::redact::{Key, redact};
use tidegate_opamp::{AgentConfigMap, ConfigHash, InstanceUid, config_hash};

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

    /// The files as a supervisor of ours reports them: each secret replaced by its mark under the key that the content's
    /// hash is (OpAMP C085).
    #[must_use]
    pub fn redacted(&self) -> &AgentConfigMap {
        self.redacted.0.get_or_init(|| {
            let key = Key::new(self.hash.to_string().as_bytes());
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
}
