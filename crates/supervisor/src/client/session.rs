//! What both transports share: the machine, and the channels that feed it.

use std::time::{Duration, Instant};

use tidegate_opamp::{CustomMessage, InstanceUid, ServerToAgent};
use tokio::sync::{mpsc, watch};

use super::core::Core;
use super::effect::Effect;
use super::moves::{Interval, Moves, Step};
use super::{Backoff, ClientSettings, Target, Transport};
use crate::agent::AgentReport;

/// Carries out what the server asked for. Must return at once: the connection is read by the same task
/// (OpAMP C023).
pub trait Outlet: Send {
    /// Called once per effect, in order; never with one that the client carries out itself: [`Effect::Connect`],
    /// [`Effect::Interval`] and [`Effect::Retreat`].
    fn carry_out(&mut self, effect: Effect);
}

/// What a client is connected to on its own host.
pub struct Wiring {
    /// The process side's newest report.
    pub reports: watch::Receiver<AgentReport>,
    /// Answers of custom handlers.
    pub answers: mpsc::Receiver<CustomMessage>,
    /// Where effects go.
    pub outlet: Box<dyn Outlet>,
    /// True once the client is to say farewell.
    pub stop: watch::Receiver<bool>,
}

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
    /// The client is to say farewell.
    Stop,
}

pub(super) struct Session {
    pub(super) settings: ClientSettings,
    pub(super) core: Core,
    pub(super) backoff: Backoff,
    moves: Moves,
    wiring: Wiring,
    reports_open: bool,
    answers_open: bool,
}

impl Session {
    pub(super) fn new(settings: ClientSettings, uid: InstanceUid, mut wiring: Wiring) -> Self {
        let report = wiring.reports.borrow_and_update().clone();
        let core = Core::new(settings.core.clone(), uid, report);
        let moves = Moves::new(settings.target.clone(), settings.keeper.load(), Instant::now());
        let mut session = Self {
            settings,
            core,
            backoff: Backoff::default(),
            moves,
            wiring,
            reports_open: true,
            answers_open: true,
        };
        session.follow();
        session
    }

    /// The server that is spoken to now.
    pub(super) fn target(&self) -> &Target {
        self.moves.target()
    }

    /// When offered settings must have been proven; a time that never comes where none are tried.
    pub(super) fn proven_by(&self) -> Option<Instant> {
        self.moves.until()
    }

    /// The target is another one: nothing is known of the server there, and it knows nothing.
    pub(super) fn moved(&mut self) {
        tracing::info!(endpoint = %self.target().endpoint, "the client turns to another server");
        self.backoff.reset();
        self.core.moved();
        self.follow();
    }

    /// No connection, or one without an answer; true when the target is another one now.
    pub(super) fn failed(&mut self, why: &str, denied: bool) -> bool {
        let step = self.moves.failed(why, denied, Instant::now());
        self.take(step)
    }

    /// Carries out a step; true when the target is another one now.
    fn take(&mut self, step: Step) -> bool {
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

    /// Tells the machine what the moves say.
    fn follow(&mut self) {
        let own = self.settings.core.heartbeat;
        self.core.set_heartbeat(match self.moves.interval() {
            Interval::Own => Some(own),
            Interval::Every(seconds) => Some(Duration::from_secs(seconds)),
            // Polls go on: without them nothing would ever arrive (ruling A1).
            Interval::Off if self.target().endpoint.transport == Transport::Http => Some(own),
            Interval::Off => None,
        });
        if let Some(status) = self.moves.status() {
            self.core.settle(status);
        }
    }

    /// Waits until the time comes, or something arrived that the machine was told of. Cancelling it loses
    /// nothing.
    pub(super) async fn wake(&mut self, until: Instant) -> Wake {
        let wiring = &mut self.wiring;
        tokio::select! {
            biased;
            () = stopped(&mut wiring.stop) => Wake::Stop,
            changed = wiring.reports.changed(), if self.reports_open => {
                match changed {
                    Ok(()) => self.core.report(wiring.reports.borrow_and_update().clone()),
                    Err(_) => self.reports_open = false,
                }
                Wake::Look
            }
            answer = wiring.answers.recv(), if self.answers_open => {
                match answer {
                    Some(answer) => self.core.answer(answer),
                    None => self.answers_open = false,
                }
                Wake::Look
            }
            () = tokio::time::sleep_until(until.into()) => Wake::Look,
        }
    }

    /// Tells the machine what arrived while nobody waited for it.
    pub(super) fn catch_up(&mut self) {
        if self.wiring.reports.has_changed().unwrap_or(false) {
            self.core.report(self.wiring.reports.borrow_and_update().clone());
        }
        while let Ok(answer) = self.wiring.answers.try_recv() {
            self.core.answer(answer);
        }
    }

    /// Waits for a time in which nothing may be sent (OpAMP C076).
    pub(super) async fn rest(&mut self, until: Instant) -> Wake {
        while Instant::now() < until {
            if self.wake(until).await == Wake::Stop {
                return Wake::Stop;
            }
        }
        Wake::Look
    }

    /// A handle that tells when the client is to stop, apart from the session.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.wiring.stop.clone()
    }

    /// Feeds the machine and hands its effects on; gives what the transport is to do, if anything.
    pub(super) fn received(&mut self, message: ServerToAgent) -> Option<Turn> {
        let mut turn = None;
        if self.core.is_answered_by(&message) {
            let step = self.moves.answered();
            turn = self.take(step).then_some(Turn::Move);
        }
        for effect in self.core.received(message) {
            match effect {
                Effect::Retreat(after) => turn = Some(Turn::Retreat(after)),
                Effect::Connect(offers) => {
                    let step = self.moves.offered(*offers, Instant::now());
                    turn = if self.take(step) { Some(Turn::Move) } else { turn };
                }
                Effect::Interval(seconds) => {
                    if let Interval::Every(seconds) = Interval::clamped(seconds) {
                        self.core.set_heartbeat(Some(Duration::from_secs(seconds)));
                    }
                }
                other => self.wiring.outlet.carry_out(other),
            }
        }
        turn
    }
}

/// Ends when the client is to stop; a sender that is gone means stop as well.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A random number for jitter; a host without randomness gets none.
pub(super) fn random() -> u32 {
    let mut bytes = [0; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes),
        Err(_) => u32::MAX,
    }
}
