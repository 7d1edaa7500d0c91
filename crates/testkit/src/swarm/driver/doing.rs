//! The command under way, and when it is done.

use std::time::{Duration, Instant};

use tidegate_opamp::AgentToServer;

use super::super::agent::{Agent, Profile};
use super::super::command::{Command, Traffic};
use super::super::report::Tally;
use super::conn::{Conn, Fate, Peer, Stage};
use super::{Swarm, unix_nanos};

/// Messages sent in one turn of the loop, so that answers are read meanwhile.
const BURST: u64 = 512;

/// How long the answers to the last messages of a rate may take.
const TAIL: Duration = Duration::from_secs(10);

/// How long farewells may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// A command that was begun.
pub(super) struct Doing {
    line: String,
    command: Result<Command, String>,
    begun: Instant,
    /// When it was over, for those that then wait for answers.
    over: Option<Instant>,
    /// Messages of a rate so far.
    sent: u64,
}

impl Doing {
    pub(super) fn begin(line: String, swarm: &mut Swarm) -> Self {
        let command = line.parse();
        let begun = Instant::now();
        match command {
            Ok(Command::Connect { agents, profile, mux }) => swarm.populate(agents, profile, mux),
            Ok(Command::Storm(share)) => swarm.storm(share),
            Ok(Command::Die(share)) => swarm.die(share),
            Ok(Command::Leave(share)) => swarm.leave(share),
            Ok(Command::Mark) => swarm.tally = Tally::default(),
            _ => {}
        }
        Self { line, command, begun, over: None, sent: 0 }
    }

    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// How long it took, without the wait for the last answers.
    pub(super) fn seconds(&self) -> f64 {
        self.over.map_or_else(|| self.begun.elapsed(), |over| over - self.begun).as_secs_f64()
    }

    pub(super) const fn quits(&self) -> bool {
        matches!(self.command, Ok(Command::Quit))
    }

    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.command, Ok(Command::Heartbeats(_) | Command::Statuses(_) | Command::Digests(_)))
    }
}

impl Swarm {
    /// Looks how a command goes; gives its end.
    pub(super) fn progress(&mut self, doing: &mut Doing) -> Option<Result<(), String>> {
        let elapsed = doing.begun.elapsed();
        let patience = self.options.patience;
        match &doing.command {
            Err(why) => Some(Err(why.clone())),
            Ok(Command::Connect { .. } | Command::Storm(_)) => {
                let (answered, expected) = (self.answered, self.staying);
                let late = || {
                    let trouble = &self.tally.trouble;
                    format!("{answered} of {expected} agents were answered; last trouble: {trouble}")
                };
                reached(answered >= expected && self.dialling == 0, elapsed > patience, late)
            }
            Ok(Command::Idle(time)) => (elapsed >= *time).then_some(Ok(())),
            Ok(Command::Heartbeats(traffic) | Command::Statuses(traffic) | Command::Digests(traffic)) => {
                let traffic = *traffic;
                self.traffic(doing, traffic)
            }
            Ok(Command::Leave(_)) => {
                let leaving = self.conns.iter().filter(|c| c.fate == Fate::Leave && c.link.is_some()).count();
                reached(leaving == 0, elapsed > FAREWELL, || format!("{leaving} farewells were not heard"))
            }
            Ok(Command::WaitOffers(wanted, most)) => {
                let offers = self.tally.counts.offers;
                reached(offers >= *wanted, elapsed > *most, || format!("{offers} of {wanted} offers came"))
            }
            Ok(Command::WaitSettled(wanted, most)) => {
                let settled = self.tally.counts.applied + self.tally.counts.failed;
                reached(settled >= *wanted, elapsed > *most, || format!("{settled} of {wanted} settled"))
            }
            Ok(Command::Die(_) | Command::Mark | Command::Stats | Command::Quit) => Some(Ok(())),
        }
    }

    fn traffic(&mut self, doing: &mut Doing, traffic: Traffic) -> Option<Result<(), String>> {
        if self.answered == 0 {
            return Some(Err("no agent is connected".to_owned()));
        }
        let elapsed = doing.begun.elapsed();
        let say = match doing.command {
            Ok(Command::Statuses(_)) => Agent::change_health,
            Ok(Command::Digests(_)) => Agent::digest,
            _ => |agent: &mut Agent, _| agent.heartbeat(),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates and times are positive and far below 2^52 together"
        )]
        let wanted = (traffic.rate * elapsed.min(traffic.time).as_secs_f64()) as u64;
        let turn = wanted.saturating_sub(doing.sent).min(BURST);
        for _ in 0..turn {
            self.one_more(say);
        }
        doing.sent += turn;
        if elapsed < traffic.time || doing.sent < wanted {
            return None;
        }
        let over = *doing.over.get_or_insert_with(Instant::now);
        let waiting = self.peers.iter().filter(|peer| peer.unanswered > 0).count();
        reached(waiting == 0, over.elapsed() > TAIL, || format!("{waiting} agents were not answered"))
    }

    /// Lets the next agent speak, in an order that goes over all of them and looks random.
    fn one_more(&mut self, say: fn(&mut Agent, u64) -> AgentToServer) {
        let count = self.peers.len() as u64;
        // A prime stride that divides no fleet of a size that fits in memory visits each agent once a round.
        self.turn = self.turn.wrapping_add(2_147_483_647);
        let now = self.now();
        let agent = u32::try_from(self.turn % count.max(1)).unwrap_or(0);
        let Some(peer) = self.peers.get_mut(agent as usize) else { return };
        if !peer.answered || peer.unanswered > 0 || peer.hushed_until > now {
            self.tally.counts.skipped += 1;
            return;
        }
        let message = say(&mut peer.agent, unix_nanos());
        self.send(agent, &message);
    }

    fn populate(&mut self, agents: u32, profile: Profile, mux: u32) {
        let end = u32::try_from(self.peers.len()).unwrap_or(u32::MAX).saturating_add(agents);
        let now = unix_nanos();
        loop {
            let first = u32::try_from(self.peers.len()).unwrap_or(u32::MAX);
            let count = end.saturating_sub(first).min(mux);
            if count == 0 {
                return;
            }
            let conn = u32::try_from(self.conns.len()).unwrap_or(u32::MAX);
            let peer = |index| Peer {
                agent: Agent::new(index, profile, &self.world, now),
                conn,
                unanswered: 0,
                sent_at: 0,
                answered: false,
                hushed_until: 0,
                interval: self.options.heartbeat,
                rhythm: 0,
            };
            let peers = (first..first + count).map(peer).collect();
            self.add(Conn::new(first, count), peers);
        }
    }

    /// A share of the connections that are there, by lot.
    fn draw(&mut self, share: f64) -> Vec<u32> {
        let open =
            self.conns.iter().zip(0u32..).filter(|(conn, _)| conn.is_open() && conn.fate == Fate::Stay);
        let open: Vec<u32> = open.map(|(_, slot)| slot).collect();
        open.into_iter().filter(|_| self.random.chance(share)).collect()
    }

    fn storm(&mut self, share: f64) {
        for slot in self.draw(share) {
            self.end(slot, "", None);
        }
    }

    fn die(&mut self, share: f64) {
        for slot in self.draw(share) {
            if let Some(conn) = self.conns.get_mut(slot as usize) {
                conn.fate = Fate::Gone;
                self.staying -= u64::from(conn.count);
                let _ = conn.link.as_ref().map(super::super::link::Link::abort_at_end);
            }
            self.end(slot, "", None);
        }
    }

    fn leave(&mut self, share: f64) {
        for slot in self.draw(share) {
            let Some(conn) = self.conns.get_mut(slot as usize) else { continue };
            conn.fate = Fate::Leave;
            self.staying -= u64::from(conn.count);
            let (agents, is_socket) = (conn.agents(), matches!(conn.stage, Stage::Socket(_)));
            for agent in agents {
                if let Some(message) = self.peers.get_mut(agent as usize).map(|peer| peer.agent.farewell()) {
                    self.send(agent, &message);
                }
            }
            if is_socket {
                self.say_close(slot);
            }
        }
    }
}

fn reached(is_there: bool, is_late: bool, why: impl FnOnce() -> String) -> Option<Result<(), String>> {
    if is_there { Some(Ok(())) } else { is_late.then(|| Err(why())) }
}
