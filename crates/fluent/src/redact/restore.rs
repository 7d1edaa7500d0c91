//! The way back: secrets in the places of their marks.

use std::collections::BTreeMap;

use super::{Key, mark, spans};
use crate::splice::{Splice, apply};

/// Secrets by their marks, for those marks alone that a text has.
#[derive(Clone, Debug, Default)]
pub struct Restorer {
    /// `None` until the secret is known.
    secrets: BTreeMap<String, Option<String>>,
}

impl Restorer {
    /// Notes the marks that stand in the places of secrets in a text.
    pub fn want(&mut self, text: &str) {
        if !text.contains(mark::PREFIX) {
            return;
        }
        for span in spans(text) {
            if let Some(mark) = text.get(span).filter(|text| mark::is_mark(text)) {
                self.secrets.entry(mark::bare(mark).to_owned()).or_default();
            }
        }
    }

    /// True when no mark was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// True when no mark waits for its secret.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.secrets.values().all(Option::is_some)
    }

    /// Learns the secrets of a text whose marks are made under `key`.
    pub fn learn(&mut self, text: &str, key: &Key) {
        for secret in super::secrets(text) {
            if let Some(known) = self.secrets.get_mut(&key.mark(secret)) {
                *known = Some(secret.to_owned());
            }
        }
    }

    /// The text with secrets in the places of their marks.
    ///
    /// # Errors
    /// The line, from 1 on, of the first mark whose secret is not known.
    pub fn restore(&self, text: &str) -> Result<String, usize> {
        let mut splices = Vec::new();
        for span in spans(text) {
            let Some(mark) = text.get(span.clone()).filter(|text| mark::is_mark(text)) else { continue };
            let Some(Some(secret)) = self.secrets.get(mark::bare(mark)) else {
                let before = text.get(..span.start).unwrap_or_default();
                return Err(before.matches('\n').count() + 1);
            };
            splices.push(Splice { span, text: secret.clone() });
        }
        Ok(apply(text, &splices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{redact, redact_rest};

    const TEXT: &str =
        "[OUTPUT]\n    Name http\n    HTTP_Passwd  a b #c\n    header Authorization Bearer abc.def\n";

    fn restored(text: &str, of: &str, key: &Key) -> Result<String, usize> {
        let mut restorer = Restorer::default();
        restorer.want(text);
        restorer.learn(of, key);
        restorer.restore(text)
    }

    #[test]
    fn given_a_text_without_its_secrets_when_they_are_known_then_it_is_whole_again_wherever_they_stand() {
        let key = Key::new(b"k");
        for text in [
            TEXT,
            "  - http_passwd: 'it''s' # x\n    tls: on\n",
            "password: \"a\\\"b\"\n",
            "token: |\n  one\n  two\nname: x\n",
            "token: \"abc\n  def\"\nname: x\n",
            "  url: https://bob:abc@h/p\n",
            "  header: [\"X-Api-Key abc\", \"X-Scope a\"]\n",
            "security.users:\n- bob abc\n- eve def\nname: x\n",
        ] {
            let marked = redact(text, &key);
            assert_ne!(marked, text);
            assert_eq!(restored(&marked, text, &key).as_deref(), Ok(text), "{marked}");
            assert_eq!(redact_rest(&marked, &key), marked);
        }
    }

    #[test]
    fn given_a_text_that_was_changed_then_what_is_new_stays_and_a_mark_of_no_known_secret_has_its_line() {
        let key = Key::new(b"k");
        let edited = redact(TEXT, &key).replace("Name http\n", "Name http\n    http_token new\n");
        let whole = TEXT.replace("Name http\n", "Name http\n    http_token new\n");
        assert_eq!(restored(&edited, TEXT, &key), Ok(whole));
        assert_eq!(restored(&redact(TEXT, &key), TEXT, &Key::new(b"other")), Err(3));
        let first = redact(TEXT, &key).replace(&key.mark("Bearer abc.def"), "redacted-0123456789abcdef");
        assert_eq!(restored(&first, TEXT, &key), Err(4));
        // A mark where no secret can stand is text like any other.
        assert_eq!(
            restored("  tag redacted-0123456789abcdef\n", "", &key),
            Ok("  tag redacted-0123456789abcdef\n".into())
        );
    }

    #[test]
    fn given_nothing_that_waits_then_it_is_done_and_nothing_else_is_kept() {
        let (key, mut restorer) = (Key::new(b"k"), Restorer::default());
        restorer.want(TEXT);
        restorer.learn(TEXT, &key);
        assert!(restorer.is_done() && restorer.secrets.is_empty());
        restorer.want(&redact(TEXT, &key));
        assert!(!restorer.is_done());
        restorer.learn(TEXT, &key);
        assert!(restorer.is_done());
    }
}
