//! The secrets of the configs at hand, so that no log line, status or health quotes one (OpAMP C085).

use std::borrow::Cow;

use tidegate_fluent::redact::secrets;

/// Most secrets that are looked for; of more the oldest are forgotten.
const MOST: usize = 512;

/// A shorter one is a word that may stand anywhere.
const LEAST_BYTES: usize = 6;

/// A longer one stands in no log line.
const MOST_BYTES: usize = 4096;

/// What stands in a secret's place.
const MARK: &str = "(secret)";

/// Secrets that were found in configs.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Adds the secrets of a text.
    pub fn learn(&mut self, text: &str) {
        for secret in secrets(text).filter(|secret| (LEAST_BYTES..=MOST_BYTES).contains(&secret.len())) {
            if self.0.iter().all(|known| known != secret) {
                self.0.push(secret.to_owned());
            }
        }
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    /// The secrets themselves.
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }

    /// The text without them.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        crate::text::without(text, &self.0, MARK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_secrets_of_configs_when_a_text_quotes_them_then_they_are_gone() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.clean("s3cr3t"), "s3cr3t");
        secrets.learn("http_passwd s3cr3t\nshared_key s3cr3t-longer\ntoken: on-it\ntls.key_passwd ab\n");
        assert_eq!(secrets.clean("[error] s3cr3t-longer, s3cr3t, ab"), "[error] (secret), (secret), ab");
    }

    #[test]
    fn given_more_secrets_than_are_kept_when_learned_then_the_newest_are() {
        let mut secrets = Secrets::default();
        let all: String = (0..600).map(|n| format!("token value-{n:04}\n")).collect();
        secrets.learn(&all);
        secrets.learn(&all);
        assert_eq!(secrets.0.len(), MOST);
        assert_eq!(secrets.clean("value-0599"), MARK);
    }
}
