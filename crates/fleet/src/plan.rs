//! A command for many agents, described and hashed before it happens, so that what is carried out is what was shown.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tidegate_opamp::InstanceUid;

use crate::{Actor, Timestamp};

/// How long a plan can be carried out.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Characters of an id behind its prefix.
const ID_CHARACTERS: usize = 12;

/// What agents would be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// To restart.
    Restart,
    /// A message of a custom capability.
    Message {
        /// The bare name of the capability.
        capability: String,
        /// The type of the message.
        kind: String,
        /// Its payload, as it was given.
        data: Bytes,
    },
}

impl Planned {
    /// What it is called.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Restart => "restart".into(),
            Self::Message { capability, kind, .. } => format!("{capability} {kind}"),
        }
    }
}

/// A command for the agents that a query matched, at one moment, for one actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names it: `pl_` and 12 characters of `a-z0-9`.
    pub id: String,
    /// The name of the actor who planned, who alone may carry it out.
    pub actor: String,
    /// The query, as it was given.
    pub query: String,
    /// What to tell them.
    pub command: Planned,
    /// The agents that it would be sent to.
    pub targets: BTreeSet<InstanceUid>,
    /// When it was made.
    pub made_at: Timestamp,
}

/// Why a plan is not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another actor made it; to this one there is no such plan.
    #[error("there is no such plan")]
    Foreign,
    /// The hash is not that of the plan.
    #[error("the hash is not that of the plan: what was shown is not what would be done")]
    OtherHash,
    /// It is too old.
    #[error("the plan is older than 15 minutes")]
    Expired,
    /// The query matches other agents by now.
    #[error("it was planned for {} and the query matches {} now ({joined} came, {left} went)", agents(*planned), agents(*now))]
    Moved {
        /// How many were planned for.
        planned: usize,
        /// How many match now.
        now: usize,
        /// How many of these were not planned for.
        joined: usize,
        /// How many that were planned for do not match any more.
        left: usize,
    },
    /// What was typed is not what confirms it.
    #[error("what was typed does not confirm the plan")]
    Unconfirmed,
}

impl Plan {
    /// An id from random bytes.
    #[must_use]
    pub fn id_of(random: [u8; ID_CHARACTERS]) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let letter = |byte: u8| char::from(LETTERS[usize::from(byte % 32)]);
        random.into_iter().map(letter).fold("pl_".to_owned(), |mut id, letter| {
            id.push(letter);
            id
        })
    }

    /// Until when it can be carried out.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.made_at.plus(LIFETIME)
    }

    /// How many agents it would be sent to, in words.
    #[must_use]
    pub fn agents(&self) -> String {
        agents(self.targets.len())
    }

    /// Commits to all of it, in hexadecimal: who, what, to whom, until when.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // With its length before it no part can run into the next.
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.id.as_bytes());
        part(self.actor.as_bytes());
        part(self.query.as_bytes());
        part(&self.made_at.0.to_be_bytes());
        match &self.command {
            Planned::Restart => part(b"restart"),
            Planned::Message { capability, kind, data } => {
                part(b"message");
                part(capability.as_bytes());
                part(kind.as_bytes());
                part(data);
            }
        }
        for uid in &self.targets {
            part(uid.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a person types to confirm it: what is done, and to how many. It cannot be typed without having read it.
    #[must_use]
    pub fn phrase(&self) -> String {
        let verb = match &self.command {
            Planned::Restart => "restart",
            Planned::Message { capability, .. } if capability == tidegate_custom::SHUTDOWN => "shut down",
            Planned::Message { .. } => "send to",
        };
        format!("{verb} {}", self.targets.len())
    }

    /// Whether `actor`, who was shown `hash`, may carry it out at `now`, when `found` are the agents that match.
    ///
    /// # Errors
    /// [`Refusal`], which says why not.
    pub fn admit(
        &self,
        actor: &Actor,
        hash: &str,
        now: Timestamp,
        found: &BTreeSet<InstanceUid>,
    ) -> Result<(), Refusal> {
        if self.actor != actor.name {
            return Err(Refusal::Foreign);
        }
        if self.hash() != hash {
            return Err(Refusal::OtherHash);
        }
        if now >= self.expires_at() {
            return Err(Refusal::Expired);
        }
        let joined = found.difference(&self.targets).count();
        let left = self.targets.difference(found).count();
        if joined + left > 0 {
            return Err(Refusal::Moved { planned: self.targets.len(), now: found.len(), joined, left });
        }
        Ok(())
    }

    /// Whether a person confirmed it by what they typed.
    ///
    /// # Errors
    /// [`Refusal::Unconfirmed`].
    pub fn confirm(&self, typed: &str) -> Result<(), Refusal> {
        if typed.trim() == self.phrase() { Ok(()) } else { Err(Refusal::Unconfirmed) }
    }
}

/// A number of agents in words: `1 agent`, `2 agents`.
#[must_use]
pub fn agents(count: usize) -> String {
    if count == 1 { "1 agent".into() } else { format!("{count} agents") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Face;

    fn uid(byte: u8) -> InstanceUid {
        InstanceUid::from_bytes(&[byte; 16]).unwrap()
    }

    fn plan() -> Plan {
        Plan {
            id: Plan::id_of([7; ID_CHARACTERS]),
            actor: "admin".into(),
            query: "name:*".into(),
            command: Planned::Restart,
            targets: [uid(1), uid(2)].into(),
            made_at: Timestamp(1_000),
        }
    }

    #[test]
    fn given_a_plan_when_it_is_carried_out_then_only_as_it_was_shown_by_who_was_shown_it_and_in_time() {
        let (plan, admin) = (plan(), Actor::admin(Face::Mcp));
        let other = Actor { name: "other".into(), ..admin.clone() };
        let (hash, found, now) = (plan.hash(), plan.targets.clone(), Timestamp(2_000));
        assert_eq!(plan.admit(&admin, &hash, now, &found), Ok(()));
        assert_eq!(plan.admit(&other, &hash, now, &found), Err(Refusal::Foreign));
        assert_eq!(plan.admit(&admin, &hash[1..], now, &found), Err(Refusal::OtherHash));
        assert_eq!(plan.admit(&admin, &hash, plan.expires_at(), &found), Err(Refusal::Expired));
        let moved = |joined, left, now| Err(Refusal::Moved { planned: 2, now, joined, left });
        assert_eq!(plan.admit(&admin, &hash, now, &[uid(1)].into()), moved(0, 1, 1));
        assert_eq!(plan.admit(&admin, &hash, now, &[uid(1), uid(3)].into()), moved(1, 1, 2));
    }

    #[test]
    fn given_plans_that_differ_in_one_thing_then_their_hashes_differ() {
        let message = |kind: &str, data: &'static [u8]| Planned::Message {
            capability: "c".into(),
            kind: kind.into(),
            data: Bytes::from_static(data),
        };
        let plans = [
            plan(),
            Plan { id: "pl_other".into(), ..plan() },
            Plan { actor: "other".into(), ..plan() },
            Plan { query: "name:a".into(), ..plan() },
            Plan { targets: [uid(1)].into(), ..plan() },
            Plan { made_at: Timestamp(1_001), ..plan() },
            Plan { command: message("a", b"b"), ..plan() },
            Plan { command: message("ab", b""), ..plan() },
        ];
        let hashes: BTreeSet<_> = plans.iter().map(Plan::hash).collect();
        assert_eq!(hashes.len(), plans.len());
    }

    #[test]
    fn given_a_plan_when_confirmed_then_by_what_is_done_and_the_number_alone() {
        let plan = plan();
        assert_eq!(plan.phrase(), "restart 2");
        assert_eq!(plan.confirm(" restart 2 "), Ok(()));
        for typed in ["", "yes", "restart", "restart 3", "true", "RESTART 2"] {
            assert_eq!(plan.confirm(typed), Err(Refusal::Unconfirmed), "{typed:?}");
        }
    }

    #[test]
    fn given_numbers_of_agents_when_told_then_one_is_one() {
        assert_eq!([0, 1, 2].map(agents), ["0 agents", "1 agent", "2 agents"]);
        assert_eq!(plan().agents(), "2 agents");
    }

    #[test]
    fn given_random_bytes_then_an_id_is_plain() {
        let id = Plan::id_of(std::array::from_fn(|index| u8::try_from(index * 21).unwrap()));
        assert!(
            id.len() == 15 && id[3..].bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
            "{id}"
        );
    }
}
