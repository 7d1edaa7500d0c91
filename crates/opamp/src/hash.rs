//! The hash that identifies a config's content.

use sha2::{Digest, Sha256};

use crate::{AgentConfigMap, AgentConfigObject, ConnectionSettingsOffers};

/// SHA-256 over a config's names, bodies, content types and roles (OpAMP S102, S205); never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigHash(pub [u8; 32]);

impl ConfigHash {
    /// The hash as a message's field.
    #[must_use]
    pub fn to_wire(&self) -> bytes::Bytes {
        bytes::Bytes::copy_from_slice(&self.0)
    }

    /// Reads a hash that this server made; `None` for bytes of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for ConfigHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Hashes a config. Equal content gives an equal hash, whatever the order in which it was built; every part
/// is preceded by its length, so that no two contents run together.
#[must_use]
pub fn config_hash(config: &AgentConfigMap) -> ConfigHash {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    for (name, AgentConfigObject { body, content_type, role, .. }) in &config.config_map {
        part(name.as_bytes());
        part(body);
        part(content_type.as_bytes());
        part(role.as_bytes());
    }
    ConfigHash(hasher.finalize().into())
}

/// Hashes connection settings: SHA-256 over all of them as they are encoded, their own hash apart (OpAMP S113). Equal
/// content gives an equal hash, and none is empty (S114).
#[must_use]
pub fn connection_settings_hash(settings: &ConnectionSettingsOffers) -> [u8; 32] {
    let unhashed = ConnectionSettingsOffers { hash: bytes::Bytes::new(), ..settings.clone() };
    Sha256::digest(prost::Message::encode_to_vec(&unhashed)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(files: &[(&str, &str, &str, &str)]) -> AgentConfigMap {
        let object = |body: &str, kind: &str, role: &str| AgentConfigObject {
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
            content_type: kind.into(),
            role: role.into(),
            ..AgentConfigObject::default()
        };
        AgentConfigMap {
            config_map: files.iter().map(|(n, b, k, r)| ((*n).to_owned(), object(b, k, r))).collect(),
            ..AgentConfigMap::default()
        }
    }

    #[test]
    fn given_any_change_of_content_when_hashed_then_the_hash_changes() {
        let base = config(&[("a", "1", "t", ""), ("b", "2", "t", "")]);
        assert_eq!(config_hash(&base), config_hash(&config(&[("b", "2", "t", ""), ("a", "1", "t", "")])));
        for other in [
            config(&[("a", "1", "t", "")]),
            config(&[("a", "1", "t", ""), ("c", "2", "t", "")]),
            config(&[("a", "1", "t", ""), ("b", "3", "t", "")]),
            config(&[("a", "1", "t", ""), ("b", "2", "u", "")]),
            config(&[("a", "1", "t", ""), ("b", "2", "t", "main")]),
            config(&[("a", "1t", "", ""), ("b", "2", "t", "")]),
        ] {
            assert_ne!(config_hash(&base), config_hash(&other));
        }
    }
}
