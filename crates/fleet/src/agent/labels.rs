//! Labels: what operators say of an agent, beside what it reports of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Labels of one agent, in order of key. An agent without any costs no more than a pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    held: Option<Arc<BTreeMap<Box<str>, Box<str>>>>,
}

/// A change of labels: a value sets, none removes.
pub type LabelPatch = BTreeMap<String, Option<String>>;

/// Labels that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidLabel {
    /// The key at which it is wrong; empty when it is about all of them.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Labels {
    /// Most labels of one agent.
    pub const MAX: usize = 64;
    /// Most bytes of a key.
    pub const MAX_KEY_BYTES: usize = 63;
    /// Most bytes of a value.
    pub const MAX_VALUE_BYTES: usize = 63;

    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.held.as_ref()?.get(key).map(|value| &**value)
    }

    /// All of them, in order of key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.held.iter().flat_map(|held| held.iter()).map(|(key, value)| (&**key, &**value))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.len())
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These labels with a change made to them.
    ///
    /// # Errors
    /// [`InvalidLabel`] for a key or value that is none, and for more than [`Self::MAX`] labels.
    pub fn patched(&self, patch: &LabelPatch) -> Result<Self, InvalidLabel> {
        let mut pairs: BTreeMap<Box<str>, Box<str>> = self.held.as_deref().cloned().unwrap_or_default();
        for (key, value) in patch {
            check_key(key)?;
            match value {
                Some(value) => {
                    check_value(key, value)?;
                    pairs.insert(key.as_str().into(), value.as_str().into());
                }
                None => {
                    pairs.remove(key.as_str());
                }
            }
        }
        if pairs.len() > Self::MAX {
            let message = format!("an agent has at most {} labels, this makes {}", Self::MAX, pairs.len());
            return Err(InvalidLabel { key: String::new(), message });
        }
        Ok(pairs.into_iter().collect())
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for Labels {
    /// Labels as they were checked before.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let pairs: BTreeMap<_, _> =
            pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { held: (!pairs.is_empty()).then(|| Arc::new(pairs)) }
    }
}

fn check_key(key: &str) -> Result<(), InvalidLabel> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte);
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = key.as_bytes();
    if bytes.len() <= Labels::MAX_KEY_BYTES
        && bytes.iter().copied().all(fits)
        && ends(bytes.first())
        && ends(bytes.last())
    {
        return Ok(());
    }
    let message = format!(
        "{:?} is no key: 1 to {} of a-z, 0-9, '-', '_', '.', '/', with a letter or digit at both ends",
        key.chars().take(80).collect::<String>(),
        Labels::MAX_KEY_BYTES
    );
    Err(InvalidLabel { key: key.to_owned(), message })
}

fn check_value(key: &str, value: &str) -> Result<(), InvalidLabel> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    if value.len() <= Labels::MAX_VALUE_BYTES && value.bytes().all(fits) {
        return Ok(());
    }
    let message = format!(
        "{:?} is no value: at most {} of A-Z, a-z, 0-9, '-', '_', '.', '/', ':', '@'",
        value.chars().take(80).collect::<String>(),
        Labels::MAX_VALUE_BYTES
    );
    Err(InvalidLabel { key: key.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(pairs: &[(&str, Option<&str>)]) -> LabelPatch {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(ToOwned::to_owned))).collect()
    }

    #[test]
    fn given_patches_when_made_then_values_are_set_and_removed() {
        let none = Labels::default();
        let one = none.patched(&patch(&[("env", Some("prod")), ("ring", Some("1"))])).unwrap();
        assert_eq!(one.iter().collect::<Vec<_>>(), [("env", "prod"), ("ring", "1")]);
        let two = one.patched(&patch(&[("env", None), ("absent", None)])).unwrap();
        assert_eq!(two.iter().collect::<Vec<_>>(), [("ring", "1")]);
        let same = two.patched(&patch(&[("ring", Some("1")), ("env", None)])).unwrap();
        assert_eq!(two, same);
        assert_eq!(two.patched(&patch(&[("ring", None)])).unwrap(), none);
    }

    #[test]
    fn given_keys_and_values_when_set_then_only_plain_ones_pass() {
        let long = "x".repeat(64);
        for key in ["a", "env", "team/ring-1", "a.b_c", &long[..63]] {
            assert!(Labels::default().patched(&patch(&[(key, Some("v"))])).is_ok(), "{key}");
        }
        for key in ["", "Env", "-a", "a-", "a b", "a:b", "a\u{1b}", "ü", &long] {
            let error = Labels::default().patched(&patch(&[(key, None)])).unwrap_err();
            assert_eq!(error.key, key);
        }
        for value in ["", "1", "eu-west-1", "a@b:c/d.e_f", &long[..63]] {
            assert!(Labels::default().patched(&patch(&[("k", Some(value))])).is_ok(), "{value}");
        }
        for value in [" ", "a b", "a,b", "\u{1b}[2J", "ü", "a\"b", &long] {
            assert!(Labels::default().patched(&patch(&[("k", Some(value))])).is_err(), "{value}");
        }
        let many: LabelPatch = (0..65).map(|n| (format!("k{n}"), Some(String::new()))).collect();
        assert!(Labels::default().patched(&many).unwrap_err().message.contains("at most 64"));
    }
}
