//! What is known of codes and sessions. Pure: the time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::attempts::{Attempts, Peer, Refused};

/// How long a code lets in.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(15 * 60);

/// How long a session lives that nobody uses, and how long at most.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 60 * 60);
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Most codes and sessions; the oldest code and the session that was used least recently give way.
const MOST_CODES: usize = 16;
const MOST_SESSIONS: usize = 1000;

/// Longest secret that is looked at, in bytes; ours have 64.
const MOST_BYTES: usize = 256;

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Until(pub(crate) Instant);

type Hash = [u8; 32];

/// Where a secret is equal to a kept one shows only as an equal hash, so that no comparison tells how much of a guess is
/// right.
fn hash(secret: &str) -> Option<Hash> {
    (secret.len() <= MOST_BYTES).then(|| Sha256::digest(secret.as_bytes()).into())
}

#[derive(Clone, Copy, Debug)]
struct Session {
    began: Instant,
    used: Instant,
}

impl Session {
    fn until(self) -> Until {
        Until((self.began + LIFE).min(self.used + IDLE))
    }
}

#[derive(Debug, Default)]
pub(super) struct Book {
    /// The oldest first.
    codes: Vec<(Hash, Instant)>,
    sessions: HashMap<Hash, Session>,
    attempts: Attempts,
}

impl Book {
    pub(super) fn add_code(&mut self, code: &str, now: Instant) {
        let Some(hash) = hash(code) else { return };
        self.codes.retain(|(_, until)| *until > now);
        if self.codes.len() == MOST_CODES {
            self.codes.remove(0);
        }
        self.codes.push((hash, now + CODE_LIFE));
    }

    /// Takes a code out of the book: it lets in once.
    pub(super) fn spend(&mut self, code: &str, peer: Peer, now: Instant) -> Result<(), Refused> {
        self.codes.retain(|(_, until)| *until > now);
        let at = hash(code).and_then(|hash| self.codes.iter().position(|(known, _)| *known == hash));
        self.judge(peer, at.is_some(), now)?;
        if let Some(at) = at {
            self.codes.remove(at);
        }
        Ok(())
    }

    /// Lets in who has shown what is right, unless too many have failed of late.
    pub(super) fn judge(&mut self, peer: Peer, is_right: bool, now: Instant) -> Result<(), Refused> {
        self.attempts.judge(peer, is_right, now)
    }

    pub(super) fn begin(&mut self, session: &str, now: Instant) -> Until {
        self.sessions.retain(|_, session| session.until().0 > now);
        if self.sessions.len() >= MOST_SESSIONS
            && let Some(least) =
                self.sessions.iter().min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash)
        {
            self.sessions.remove(&least);
        }
        let begun = Session { began: now, used: now };
        if let Some(hash) = hash(session) {
            self.sessions.insert(hash, begun);
        }
        begun.until()
    }

    pub(super) fn touch(&mut self, session: &str, now: Instant) -> Option<Until> {
        let hash = hash(session)?;
        let known = self.sessions.get_mut(&hash)?;
        if known.until().0 <= now {
            self.sessions.remove(&hash);
            return None;
        }
        known.used = now;
        Some(known.until())
    }

    /// When a session ends unless it is used; it does not count as used by this.
    pub(super) fn until(&self, session: &str, now: Instant) -> Option<Until> {
        let until = self.sessions.get(&hash(session)?)?.until();
        (until.0 > now).then_some(until)
    }

    pub(super) fn end(&mut self, session: &str) {
        if let Some(hash) = hash(session) {
            self.sessions.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn peer() -> Peer {
        Peer::of([127, 0, 0, 1].into())
    }

    #[test]
    fn given_a_code_when_spent_then_it_lets_in_once_and_not_when_it_is_old() {
        let (mut book, now) = (Book::default(), Instant::now());
        book.add_code("a", now);
        book.add_code("b", now);
        assert_eq!(book.spend("c", peer(), now), Err(Refused::Wrong));
        assert_eq!(book.spend("a", peer(), now), Ok(()));
        assert_eq!(book.spend("a", peer(), now), Err(Refused::Wrong));
        assert_eq!(book.spend("b", peer(), now + CODE_LIFE), Err(Refused::Wrong));
    }

    #[test]
    fn given_a_session_when_used_then_it_lives_on_to_its_longest_and_ends_when_idle_or_told() {
        let (mut book, now) = (Book::default(), Instant::now());
        assert_eq!(book.begin("a", now), Until(now + IDLE));
        book.begin("b", now);
        book.begin("c", now);
        assert_eq!(book.touch("x", now), None);
        assert_eq!(book.touch("b", now + IDLE), None, "it was idle");
        let mut at = now;
        while at + IDLE < now + LIFE {
            at += IDLE - SECOND;
            assert!(book.touch("a", at).is_some_and(|until| until <= Until(now + LIFE)));
        }
        assert_eq!(book.touch("a", now + LIFE), None, "it was long enough");
        book.begin("c", now);
        assert_eq!(book.until("c", now + SECOND), Some(Until(now + IDLE)), "looking is no use");
        assert_eq!(book.until("c", now + IDLE), None);
        book.end("c");
        assert_eq!(book.until("c", now), None);
        assert_eq!(book.touch("c", now), None);
    }

    #[test]
    fn given_too_many_failures_when_the_right_code_comes_then_it_is_refused_there_and_not_spent() {
        let (mut book, now, peer) = (Book::default(), Instant::now(), peer());
        book.add_code("right", now);
        while book.spend("wrong", peer, now) == Err(Refused::Wrong) {}
        assert_eq!(book.spend("right", peer, now), Err(Refused::TooMany(60 * SECOND)));
        assert_eq!(book.spend("right", Peer::of([127, 0, 0, 2].into()), now), Ok(()));
    }

    #[test]
    fn given_more_than_fit_then_the_oldest_code_and_the_least_used_session_give_way() {
        let (mut book, now) = (Book::default(), Instant::now());
        for number in 0..=MOST_CODES {
            book.add_code(&number.to_string(), now);
        }
        assert_eq!(book.spend("0", peer(), now), Err(Refused::Wrong));
        assert_eq!(book.spend("1", peer(), now), Ok(()));
        for number in 0..MOST_SESSIONS {
            book.begin(&number.to_string(), now);
        }
        assert!(book.touch("0", now + SECOND).is_some());
        book.begin("new", now + SECOND);
        let lost =
            (0..MOST_SESSIONS).filter(|number| book.touch(&number.to_string(), now + SECOND).is_none());
        assert_eq!(lost.count(), 1);
        assert!(book.touch("0", now + SECOND).is_some() && book.touch("new", now + SECOND).is_some());
        book.add_code(&"x".repeat(MOST_BYTES + 1), now);
        assert_eq!(book.spend(&"x".repeat(MOST_BYTES + 1), peer(), now), Err(Refused::Wrong));
    }
}
