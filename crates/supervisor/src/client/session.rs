//! What both transports share: the agents of a connection, and where it leads.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tidegate_opamp::{AgentToServer, InstanceUid, ServerToAgent};
use tokio::sync::watch;

use super::effect::{Effect, Loss};
use super::member::{self, Event, Leave, Member};
use super::moves::{Interval, Moves, Step};
use super::{Backoff, ClientSettings, Target, Transport, Wiring};

/// What a transport is to do after a message of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Leave the server alone, for this time if it said one.
    Retreat(Option<Duration>),
    /// Say farewell: the target is another one.
    Move,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// Something may be due: look.
    Look,
    /// No agent is left to speak for, or some are to be left: see [`Session::leaving`].
    Leave,
}

pub(super) struct Session {
    pub(super) settings: ClientSettings,
    pub(super) backoff: Backoff,
    moves: Moves,
    /// The first of them decides where the connection leads.
    members: Vec<Member>,
    /// Whose turn it is to speak, so that none can keep the others from it.
    turn: usize,
}

impl Session {
    pub(super) fn new(settings: ClientSettings, agents: Vec<Wiring>) -> Self {
        let moves = Moves::new(settings.target.clone(), settings.keeper.load(), Instant::now());
        let members = agents.into_iter().map(Member::new).collect();
        let mut session = Self { settings, backoff: Backoff::default(), moves, members, turn: 0 };
        session.follow();
        session
    }

    /// The server that is spoken to now.
    pub(super) fn target(&self) -> &Target {
        self.moves.target()
    }

    /// The uid that names the connection before any message; `None` when no agent is left.
    pub(super) fn uid(&self) -> Option<InstanceUid> {
        self.members.first().map(|member| member.core.uid())
    }

    /// When offered settings must have been proven; a time that never comes where none are tried.
    pub(super) fn proven_by(&self) -> Option<Instant> {
        self.moves.until()
    }

    /// The shortest heartbeat interval in force; `None` while there are no heartbeats.
    pub(super) fn heartbeat(&self) -> Option<Duration> {
        self.members.iter().filter_map(|member| member.core.heartbeat()).min()
    }

    /// The target is another one: nothing is known of the server there, and it knows nothing.
    pub(super) fn moved(&mut self) {
        tracing::info!(endpoint = %self.target().endpoint, "the client turns to another server");
        self.backoff.reset();
        for member in &mut self.members {
            member.core.moved();
        }
        self.follow();
    }

    /// No connection, or one without an answer; true when the target is another one now.
    pub(super) fn failed(&mut self, why: &str, denied: bool) -> bool {
        self.settings.history.note(why);
        let step = self.moves.failed(why, denied, Instant::now());
        self.take_step(step)
    }

    /// Carries out a step; true when the target is another one now.
    fn take_step(&mut self, step: Step) -> bool {
        if step == Step::Stay {
            return false;
        }
        let mut moved = step == Step::Move;
        if let Err(error) = self.settings.keeper.store(self.moves.kept()) {
            tracing::error!(%error, "offered connection settings cannot be kept");
            moved |= self.moves.not_kept(&error.to_string()) == Step::Move;
        }
        self.follow();
        moved
    }

    /// Tells the machines what the moves say.
    fn follow(&mut self) {
        let polls = self.target().endpoint.transport == Transport::Http;
        for (at, member) in self.members.iter_mut().enumerate() {
            let own = member.own_heartbeat;
            let (interval, status) = if at == 0 {
                (self.moves.interval(), self.moves.status())
            } else {
                (member.follower.interval(), member.follower.status(&self.moves))
            };
            member.core.set_heartbeat(match interval {
                Interval::Own => Some(own),
                Interval::Every(seconds) => Some(Duration::from_secs(seconds)),
                // Polls go on: without them nothing would ever arrive (ruling A1).
                Interval::Off if polls => Some(own),
                Interval::Off => None,
            });
            if let Some(status) = status {
                member.core.settle(status);
            }
        }
    }

    /// Something came from the server, whatever it was: there is a way to it.
    pub(super) fn heard(&self) {
        self.members.iter().for_each(Member::heard);
    }

    /// A connection was opened: each agent speaks for itself there (OpAMP C051, C183).
    pub(super) fn connected(&mut self) {
        self.settings.history.connected();
        for member in &mut self.members {
            member.core.connected();
        }
    }

    /// What was taken was not answered and will not be, for no agent of the connection.
    pub(super) fn lost(&mut self) {
        self.settings.history.note("the connection ended");
        for member in &mut self.members {
            member.core.lost(Loss::Disconnected);
        }
    }

    /// The machine of an agent, by the uid that it was taken with.
    pub(super) fn member(&mut self, uid: InstanceUid) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.core.uid() == uid)
    }

    /// The next message that is due, of any agent.
    pub(super) fn take(&mut self, now: Instant) -> Option<(InstanceUid, AgentToServer)> {
        let count = self.members.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let Some(member) = self.members.get_mut(at) else { continue };
            if member.rests_until.is_some_and(|until| now < until) {
                continue;
            }
            member.rests_until = None;
            let uid = member.core.uid();
            if let Some(message) = member.core.take(now) {
                self.turn = at + 1;
                return Some((uid, message));
            }
        }
        None
    }

    /// When the next message is due unless something happens before.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let due = |member: &Member| {
            let due = member.core.due(now);
            member.rests_until.map_or(due, |until| due.max(until))
        };
        // Without an agent there is nothing to wait for.
        self.members.iter().map(due).min().unwrap_or(now)
    }

    /// Waits until the time comes, or something arrived that a machine was told of. Cancelling it loses nothing.
    pub(super) async fn wake(&mut self, until: Instant) -> Wake {
        if self.members.is_empty() {
            return Wake::Leave;
        }
        let events = self.members.iter_mut().map(|member| Box::pin(member.event()) as _).collect();
        tokio::select! {
            biased;
            event = first(events) => match event {
                Event::News => Wake::Look,
                Event::Leaves => Wake::Leave,
            },
            () = tokio::time::sleep_until(until.into()) => Wake::Look,
        }
    }

    /// Tells the machines what arrived while nobody waited for it.
    pub(super) fn catch_up(&mut self) {
        self.members.iter_mut().for_each(Member::catch_up);
    }

    /// Waits for a time in which nothing may be sent (OpAMP C076); agents that leave meanwhile leave without a word.
    /// False when none is left.
    pub(super) async fn rest(&mut self, until: Instant) -> bool {
        while Instant::now() < until {
            if self.wake(until).await == Wake::Leave && !self.drop_leaving() {
                return false;
            }
        }
        self.drop_leaving()
    }

    /// As [`Self::rest`], after a connection was lost or not made for want of a server: an agent whose config may have
    /// been the cause, and is changed, does not wait.
    pub(super) async fn rest_unless_wanted(&mut self, until: Instant) -> bool {
        let wanted = self.wanted();
        tokio::select! {
            stays = self.rest(until) => return stays,
            () = wanted => self.backoff.reset(),
        }
        self.drop_leaving()
    }

    /// Waits until an agent wants to hear of the server.
    pub(super) fn wanted(&self) -> impl Future<Output = ()> + Send + 'static {
        let all: Vec<_> = self.members.iter().map(Member::hearing).collect();
        async move { first(all.iter().map(|heard| Box::pin(heard.wanted()) as _).collect()).await }
    }

    /// Takes out the next agent that is to be left.
    pub(super) fn leaving(&mut self) -> Option<(Leave, Member)> {
        let at = self.members.iter().position(|member| member.leaves() != Leave::Stay)?;
        let member = self.members.remove(at);
        self.follow();
        Some((member.leaves(), member))
    }

    /// True when there is an agent to speak for.
    pub(super) const fn has_agents(&self) -> bool {
        !self.members.is_empty()
    }

    /// Lets agents that are to be left go without a farewell, for nobody is there to hear it; false when none is left.
    pub(super) fn drop_leaving(&mut self) -> bool {
        while let Some((_, member)) = self.leaving() {
            member.end();
        }
        self.has_agents()
    }

    /// The farewells of all agents, which stay: the target is another one.
    pub(super) fn farewells(&mut self) -> Vec<(InstanceUid, AgentToServer)> {
        self.members.iter_mut().map(|member| (member.core.uid(), member.core.farewell())).collect()
    }

    /// Handles that tell, apart from the session, when all its agents are to be left.
    pub(super) fn all_leave(&self) -> AllLeave {
        AllLeave(self.members.iter().map(Member::leave).collect())
    }

    /// Feeds the machine of the agent that a message is meant for and hands its effects on; gives what the transport is
    /// to do, if anything. `asked` is the agent whose request it answers, where the transport knows.
    pub(super) fn received(&mut self, message: ServerToAgent, asked: Option<InstanceUid>) -> Option<Turn> {
        let at = self.recipient(&message, asked)?;
        let member = self.members.get_mut(at)?;
        let mut turn = None;
        if member.core.is_answered_by(&message) {
            let step = self.moves.answered();
            turn = self.take_step(step).then_some(Turn::Move);
        }
        for effect in self.members.get_mut(at)?.core.received(message) {
            match effect {
                Effect::Retreat(after) => turn = Some(Turn::Retreat(after)),
                Effect::Connect(offers) if at == 0 => {
                    let step = self.moves.offered(*offers, Instant::now());
                    turn = if self.take_step(step) { Some(Turn::Move) } else { turn };
                }
                Effect::Connect(offers) => {
                    self.members.get_mut(at)?.follower.take(*offers);
                    self.follow();
                }
                Effect::Interval(seconds) => {
                    if let Interval::Every(seconds) = Interval::clamped(seconds) {
                        self.members.get_mut(at)?.core.set_heartbeat(Some(Duration::from_secs(seconds)));
                    }
                }
                other => self.members.get_mut(at)?.carry_out(other),
            }
        }
        turn
    }

    /// Which agent a message is meant for (OpAMP C182). One that names none is for the agent that asked, or for the
    /// only one there is.
    fn recipient(&self, message: &ServerToAgent, asked: Option<InstanceUid>) -> Option<usize> {
        let position = |uid: &[u8]| self.members.iter().position(|m| m.core.uid().as_bytes()[..] == *uid);
        let found = match (message.instance_uid.is_empty(), asked) {
            (false, _) => position(&message.instance_uid),
            (true, Some(asked)) => position(asked.as_bytes()),
            (true, None) => (self.members.len() == 1).then_some(0),
        };
        if found.is_none() {
            tracing::warn!("a message of the server is dropped: it is meant for no agent of this supervisor");
        }
        found
    }
}

/// Tells when all agents of a session are to be left.
pub(super) struct AllLeave(Vec<watch::Receiver<Leave>>);

impl AllLeave {
    pub(super) async fn wait(&mut self) {
        for leave in &mut self.0 {
            member::left(leave).await;
        }
    }
}

/// The first of several futures that comes to its end; the others are dropped.
async fn first<T>(mut futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> T {
    std::future::poll_fn(|context| {
        let ready = futures.iter_mut().find_map(|future| match future.as_mut().poll(context) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// A random number for jitter; a host without randomness gets none.
pub(super) fn random() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
