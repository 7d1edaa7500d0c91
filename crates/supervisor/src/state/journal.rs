//! The journal of configs: what was offered, what is proven, what was refused (hard-cases.md, 16 and 22).

use serde::{Deserialize, Serialize};
use tidegate_opamp::{RemoteConfigStatus, RemoteConfigStatuses};

use crate::hex::unhex;

/// How many refused configs are remembered.
const REFUSED_KEPT: usize = 16;

/// What the supervisor knows of offered configs across its own restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// An offer whose proof is not finished. Found at start, it is applied anew.
    pub candidate: Option<Entry>,
    /// How often an apply of the candidate was begun and not ended in order.
    pub begun: u32,
    /// The last offer that was proven; `None` means the host's own config.
    pub current: Option<Entry>,
    /// Offers that failed, newest last.
    pub refused: Vec<Refused>,
    /// The status last reported (OpAMP C091).
    pub status: Option<StatusRecord>,
    /// An applied offer after which the server was not heard yet.
    pub unconfirmed: Option<Unconfirmed>,
}

/// How far the confirmation of an applied offer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unconfirmed {
    /// It runs.
    Runs {
        /// The offer that ran before; `None` means the host's own config.
        former: Option<Entry>,
    },
    /// What ran before runs again.
    TakenBack {
        /// The offer that was taken back.
        config: Entry,
    },
}

/// An offered config on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The server's hash of it, in hexadecimal.
    pub hash: String,
    /// The folder under `configs/` that holds its files: our own hash of the content.
    pub content: String,
}

/// A config that failed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The server's hash of it, in hexadecimal.
    pub hash: String,
    /// Our own hash of its content.
    pub content: String,
    /// What was reported.
    pub error: String,
}

/// A remote config status, as kept on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRecord {
    /// The hash it concerns, in hexadecimal.
    pub hash: String,
    /// The number of the state on the wire.
    pub state: i32,
    /// Why it failed; empty otherwise.
    pub error: String,
}

impl Journal {
    /// Takes note that an apply begins, which makes the entry the candidate.
    pub fn begin(&mut self, entry: &Entry) {
        let again = self.candidate.as_ref().is_some_and(|candidate| candidate.content == entry.content);
        self.begun = if again { self.begun.saturating_add(1) } else { 1 };
        self.candidate = Some(entry.clone());
    }

    /// Takes note that there is no apply to take up again.
    pub fn drop_candidate(&mut self) {
        self.candidate = None;
        self.begun = 0;
    }

    /// The remembered failure of an offer: the same hash and content again need not touch the agent.
    #[must_use]
    pub fn refusal(&self, hash: &str, content: &str) -> Option<&str> {
        let found = self.refused.iter().rev().find(|r| r.hash == hash && r.content == content);
        found.map(|refused| refused.error.as_str())
    }

    /// Remembers a failure; the oldest goes when there are too many.
    pub fn refuse(&mut self, entry: &Entry, error: &str) {
        self.refused.retain(|refused| refused.content != entry.content);
        self.refused.push(Refused {
            hash: entry.hash.clone(),
            content: entry.content.clone(),
            error: error.to_owned(),
        });
        let surplus = self.refused.len().saturating_sub(REFUSED_KEPT);
        self.refused.drain(..surplus);
    }

    /// Makes the candidate the current config; `confirm`: until the server is heard, what ran before is kept.
    pub fn commit(&mut self, entry: Entry, confirm: bool) {
        self.refused.retain(|refused| refused.content != entry.content);
        self.drop_candidate();
        let former = self.current.replace(entry);
        let same =
            former.as_ref().map(|former| &former.content) == self.current.as_ref().map(|it| &it.content);
        self.unconfirmed = (confirm && !same).then_some(Unconfirmed::Runs { former });
    }

    /// Makes the offer before an unconfirmed one the current config again, and gives the one that was; `None` when none
    /// is to be taken back.
    pub fn take_back(&mut self) -> Option<Entry> {
        let Some(Unconfirmed::Runs { former }) = &self.unconfirmed else { return None };
        let config = std::mem::replace(&mut self.current, former.clone())?;
        self.unconfirmed = Some(Unconfirmed::TakenBack { config: config.clone() });
        Some(config)
    }

    /// The folders under `configs/` of offers that may run again.
    #[must_use]
    pub fn contents(&self) -> Vec<&str> {
        let unconfirmed = self.unconfirmed.as_ref().and_then(|unconfirmed| match unconfirmed {
            Unconfirmed::Runs { former } => former.as_ref(),
            Unconfirmed::TakenBack { config } => Some(config),
        });
        self.current.iter().chain(unconfirmed).map(|entry| entry.content.as_str()).collect()
    }

    /// The status last reported, as a message.
    #[must_use]
    pub fn status_message(&self) -> Option<RemoteConfigStatus> {
        self.status.as_ref().map(|status| RemoteConfigStatus {
            last_remote_config_hash: unhex(&status.hash).unwrap_or_default().into(),
            status: RemoteConfigStatuses(status.state),
            error_message: status.error.clone(),
            ..RemoteConfigStatus::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;

    fn entry(name: &str) -> Entry {
        Entry { hash: hex(name.as_bytes()), content: name.to_owned() }
    }

    #[test]
    fn given_refusals_when_too_many_then_the_oldest_is_forgotten_and_each_content_stands_once() {
        let mut journal = Journal::default();
        for number in 0..20 {
            journal.refuse(&entry(&format!("c{number}")), "bad");
            journal.refuse(&entry(&format!("c{number}")), "worse");
        }
        assert_eq!(journal.refused.len(), REFUSED_KEPT);
        assert_eq!(journal.refusal(&hex(b"c19"), "c19"), Some("worse"));
        assert_eq!(journal.refusal(&hex(b"c3"), "c3"), None);
        assert_eq!(
            journal.refusal(&hex(b"c19"), "other"),
            None,
            "another content under the same hash is new"
        );
    }

    #[test]
    fn given_a_refused_config_when_it_is_proven_after_all_then_the_refusal_goes() {
        let mut journal = Journal { candidate: Some(entry("a")), ..Journal::default() };
        journal.refuse(&entry("a"), "bad");
        journal.commit(entry("a"), false);
        assert_eq!(journal, Journal { current: Some(entry("a")), ..Journal::default() });
    }

    #[test]
    fn given_a_candidate_when_begun_again_then_it_is_counted_and_another_starts_over() {
        let mut journal = Journal::default();
        for (name, expect) in [("a", 1), ("a", 2), ("b", 1), ("b", 2)] {
            journal.begin(&entry(name));
            assert_eq!((journal.begun, journal.candidate.clone()), (expect, Some(entry(name))));
        }
        journal.drop_candidate();
        assert_eq!(journal, Journal::default());
    }

    #[test]
    fn given_a_proven_offer_when_it_is_to_be_confirmed_then_what_ran_before_is_kept_until_then() {
        let mut journal = Journal { current: Some(entry("a")), ..Journal::default() };
        journal.commit(entry("b"), true);
        assert_eq!(journal.unconfirmed, Some(Unconfirmed::Runs { former: Some(entry("a")) }));
        assert_eq!(journal.contents(), ["b", "a"]);
        assert_eq!(journal.take_back(), Some(entry("b")));
        assert_eq!((journal.current.clone(), journal.contents()), (Some(entry("a")), vec!["a", "b"]));
        assert_eq!(journal.take_back(), None, "it is taken back already");
        journal.commit(entry("b"), false);
        assert_eq!((journal.unconfirmed.clone(), journal.contents()), (None, vec!["b"]));
        journal.commit(entry("b"), true);
        assert_eq!(journal.unconfirmed, None, "nothing else ran before");
    }
}
