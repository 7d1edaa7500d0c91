//! Configs as the server keeps them, and pushes of them.

use std::sync::Arc;

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
}

impl Config {
    /// A config from its files.
    #[must_use]
    pub fn new(files: AgentConfigMap, created_at: Timestamp) -> Self {
        Self { hash: config_hash(&files), files: Arc::new(files), created_at }
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
