//! Who is asked for what: one schema at a time, of one agent, whatever the size of the fleet.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use tidegate_custom::schema::{Chunk, Fetch, SchemaHash, Unavailable};
use tidegate_opamp::InstanceUid;

use crate::Timestamp;

/// Most schemas that wait for being fetched.
const MAX_WANTED: usize = 64;

/// Agents that are remembered for each, so that there is another when one fails.
const MAX_AGENTS: usize = 16;

/// How long nothing may come of an agent that was asked, in milliseconds; one that polls answers in its own time.
const STALL_MS: u64 = 60_000;

/// How long an agent rests after it could not give a schema, in milliseconds, for each time that anyone could not.
const REST_MS: u64 = 60_000;

/// Longest rest, in times of [`REST_MS`].
const MAX_RESTS: u64 = 60;

/// Transfers that one agent may begin while the server runs: a usual one begins none or one for each version of its
/// agent, and a hostile one can have any number of schemas.
const MAX_BEGUN: u32 = 32;

/// Agents whose transfers are counted.
const MAX_COUNTED: usize = 100_000;

/// What came of a message about a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was not asked for.
    Unasked,
    /// There is more to fetch.
    More,
    /// The document is here, packed; nothing else is fetched until [`Gathering::settled`] says what became of it.
    Whole(SchemaHash, Bytes),
    /// It does not fit what came before, or the agent cannot give it; the transfer is over.
    Failed(String),
}

#[derive(Clone, Debug)]
struct Wanted {
    hash: SchemaHash,
    /// Who can give it, and from when on each may be asked.
    agents: VecDeque<(InstanceUid, Timestamp)>,
    failures: u64,
}

#[derive(Clone, Debug)]
struct Transfer {
    hash: SchemaHash,
    agent: InstanceUid,
    received: Vec<u8>,
    /// Bytes of the whole, once a piece said so.
    total: Option<usize>,
    /// When it went on last.
    at: Timestamp,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The agent is to be asked.
    Due,
    /// It was asked.
    Asked,
    /// All of it is here and is being looked at.
    Whole,
}

/// The schemas that are wanted, and the transfer that is under way.
#[derive(Clone, Debug, Default)]
pub struct Gathering {
    wanted: VecDeque<Wanted>,
    transfer: Option<Transfer>,
    begun: HashMap<InstanceUid, u32>,
}

impl Gathering {
    /// An agent can give a schema that is not held. It has one build at a time: what it could give before, it cannot
    /// any more.
    pub fn offered(&mut self, hash: SchemaHash, agent: InstanceUid) {
        for other in self.wanted.iter_mut().filter(|wanted| wanted.hash != hash) {
            other.agents.retain(|(known, _)| *known != agent);
        }
        let under_way = self.transfer.as_ref().map(|transfer| transfer.hash);
        self.wanted.retain(|wanted| {
            !wanted.agents.is_empty() || wanted.hash == hash || Some(wanted.hash) == under_way
        });
        if let Some(wanted) = self.wanted.iter_mut().find(|wanted| wanted.hash == hash) {
            if wanted.agents.len() < MAX_AGENTS && wanted.agents.iter().all(|(known, _)| *known != agent) {
                wanted.agents.push_back((agent, Timestamp(0)));
            }
        } else if self.wanted.len() < MAX_WANTED {
            let agents = VecDeque::from([(agent, Timestamp(0))]);
            self.wanted.push_back(Wanted { hash, agents, failures: 0 });
        }
    }

    /// Begins the next transfer, where none is under way and one may begin; gives the agent to be asked.
    pub fn begin(&mut self, now: Timestamp) -> Option<InstanceUid> {
        if self.transfer.is_some() {
            return None;
        }
        let (begun, mut next) = (&self.begun, None);
        for wanted in &mut self.wanted {
            wanted.agents.retain(|(agent, _)| begun.get(agent).is_none_or(|times| *times < MAX_BEGUN));
            let ready = wanted.agents.iter().position(|(_, from)| *from <= now);
            if let Some((agent, _)) = ready.and_then(|place| wanted.agents.remove(place)) {
                next = Some((wanted.hash, agent));
                break;
            }
        }
        // What nobody can give is wanted again when somebody can.
        self.wanted
            .retain(|wanted| !wanted.agents.is_empty() || next.is_some_and(|(hash, _)| hash == wanted.hash));
        let (hash, agent) = next?;
        if self.begun.len() >= MAX_COUNTED {
            self.begun.clear();
        }
        *self.begun.entry(agent).or_default() += 1;
        let received = Vec::new();
        self.transfer = Some(Transfer { hash, agent, received, total: None, at: now, step: Step::Due });
        Some(agent)
    }

    /// The agent that is to be asked for something, where there is one.
    #[must_use]
    pub fn due(&self) -> Option<InstanceUid> {
        self.transfer.as_ref().filter(|transfer| transfer.step == Step::Due).map(|transfer| transfer.agent)
    }

    /// How many schemas are wanted.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted.len()
    }

    /// The agent that the transfer waits for, where one does.
    #[must_use]
    pub fn waits_for(&self) -> Option<InstanceUid> {
        self.transfer.as_ref().filter(|transfer| transfer.step != Step::Whole).map(|transfer| transfer.agent)
    }

    /// An agent is not there any more: what waited for it is over.
    pub fn left(&mut self, agent: &InstanceUid) {
        if self.waits_for() == Some(*agent) {
            if self.due() == Some(*agent) {
                // It was not even asked.
                self.begun.entry(*agent).and_modify(|times| *times = times.saturating_sub(1));
            }
            self.failed();
        }
    }

    /// What an agent is to be asked for now; told once.
    pub fn ask(&mut self, agent: &InstanceUid) -> Option<Fetch> {
        let due = |transfer: &&mut Transfer| transfer.agent == *agent && transfer.step == Step::Due;
        let transfer = self.transfer.as_mut().filter(due)?;
        transfer.step = Step::Asked;
        Some(Fetch { hash: transfer.hash, offset: transfer.received.len(), id: None })
    }

    /// Takes a piece.
    pub fn take(&mut self, agent: &InstanceUid, chunk: &Chunk, now: Timestamp) -> Taken {
        let Some(transfer) = self.asked(agent, chunk.hash) else { return Taken::Unasked };
        let fits = transfer.total.is_none_or(|total| total == chunk.total);
        if !fits || chunk.offset != transfer.received.len() {
            self.failed();
            return Taken::Failed("the pieces do not fit together".to_owned());
        }
        transfer.total = Some(chunk.total);
        transfer.at = now;
        transfer.received.extend_from_slice(&chunk.data);
        if transfer.received.len() < chunk.total {
            transfer.step = Step::Due;
            return Taken::More;
        }
        transfer.step = Step::Whole;
        Taken::Whole(transfer.hash, std::mem::take(&mut transfer.received).into())
    }

    /// Takes what an agent sent in the place of a piece and cannot be read, for this reason.
    pub fn unreadable(&mut self, agent: &InstanceUid, reason: String) -> Taken {
        let waits = |transfer: &Transfer| transfer.agent == *agent && transfer.step == Step::Asked;
        if !self.transfer.as_ref().is_some_and(waits) {
            return Taken::Unasked;
        }
        self.failed();
        Taken::Failed(reason)
    }

    /// Takes an agent's word that it cannot give what it was asked for.
    pub fn refused(&mut self, agent: &InstanceUid, said: Unavailable, now: Timestamp) -> Taken {
        let hash = said.hash.or_else(|| self.transfer.as_ref().map(|transfer| transfer.hash));
        if hash.and_then(|hash| self.asked(agent, hash)).is_none() {
            return Taken::Unasked;
        }
        if let Some(wanted) = self.failed() {
            // It may be able to later; others come first.
            let from = Timestamp(now.0 + REST_MS * wanted.failures.min(MAX_RESTS));
            wanted.agents.push_back((*agent, from));
        }
        Taken::Failed(said.reason)
    }

    /// The transfer, where it waits for this agent to answer.
    fn asked(&mut self, agent: &InstanceUid, hash: SchemaHash) -> Option<&mut Transfer> {
        let same = |transfer: &&mut Transfer| {
            transfer.agent == *agent && transfer.hash == hash && transfer.step == Step::Asked
        };
        self.transfer.as_mut().filter(same)
    }

    /// What became of a document that was whole: it is held, or it is no good.
    pub fn settled(&mut self, hash: SchemaHash, held: bool) {
        if held {
            self.transfer.take_if(|transfer| transfer.hash == hash);
            self.wanted.retain(|wanted| wanted.hash != hash);
        } else if self.transfer.as_ref().is_some_and(|transfer| transfer.hash == hash) {
            self.failed();
        }
    }

    /// Gives up a transfer that nothing came of for too long; gives the agent that it waited for.
    pub fn give_up(&mut self, now: Timestamp) -> Option<InstanceUid> {
        let stalled = self.transfer.as_ref().filter(|transfer| {
            transfer.step != Step::Whole && now.0 >= transfer.at.0.saturating_add(STALL_MS)
        });
        let agent = stalled?.agent;
        self.failed();
        Some(agent)
    }

    /// Ends the transfer without success.
    fn failed(&mut self) -> Option<&mut Wanted> {
        let hash = self.transfer.take()?.hash;
        let place = self.wanted.iter().position(|wanted| wanted.hash == hash)?;
        // Others have their turn before it.
        let failed = self.wanted.remove(place)?;
        self.wanted.push_back(failed);
        let wanted = self.wanted.back_mut()?;
        wanted.failures += 1;
        Some(wanted)
    }
}

#[cfg(test)]
#[path = "gathering_tests.rs"]
mod tests;
