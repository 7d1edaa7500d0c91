//! Sequence numbers: when the server has lost track of an agent (OpAMP S070–S078, rulings A6, A16).

use tidegate_opamp::AgentToServer;

use super::{FULL_STATE_PATIENCE, FullState};
use crate::agent::Sequence;
use crate::{Agent, Timestamp};

/// True when a message that is no full report has the number of the last one. The same bytes again change nothing.
pub(super) fn repeats(agent: &Agent, message: &AgentToServer) -> bool {
    agent.sequence == Sequence::Exact(message.sequence_num) && message.agent_description.is_none()
}

/// True for a full report whose number does not continue the last one: the agent's process, or its client, is new.
pub(super) fn begins_anew(agent: &Agent, message: &AgentToServer) -> bool {
    let number = message.sequence_num;
    let continues = match agent.sequence {
        Sequence::Exact(last) => number == last || number == last.wrapping_add(1),
        Sequence::AtLeast(last) => number > last,
        Sequence::Unknown => false,
    };
    message.agent_description.is_some() && !continues
}

/// Judges a message's number, remembers it, and says whether to ask for everything.
pub(super) fn judge(agent: &mut Agent, message: &AgentToServer, now: Timestamp) -> FullState {
    let number = message.sequence_num;
    let before = agent.sequence;
    agent.sequence = Sequence::Exact(number);
    if message.agent_description.is_some() {
        agent.full_state_asked_at = None;
        return FullState::Complete;
    }
    let ask = match before {
        // The same number again is a retry; the next one is what was expected.
        Sequence::Exact(last) if number == last || number == last.wrapping_add(1) => still_owed(agent, now),
        Sequence::AtLeast(last) if number > last => FullState::AskPaced,
        Sequence::Exact(_) | Sequence::AtLeast(_) | Sequence::Unknown => FullState::Ask,
    };
    match ask {
        FullState::Ask => agent.full_state_asked_at = Some(now),
        // Stays a lower bound until it is asked, so that the next message is judged the same.
        FullState::AskPaced => agent.sequence = Sequence::AtLeast(number),
        FullState::Complete => {}
    }
    ask
}

/// An agent that was asked and has not answered is asked again once a minute, not at every message.
fn still_owed(agent: &Agent, now: Timestamp) -> FullState {
    match agent.full_state_asked_at {
        Some(asked) if now.since(asked) >= FULL_STATE_PATIENCE => FullState::Ask,
        _ => FullState::Complete,
    }
}
