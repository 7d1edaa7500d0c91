//! What both transports share: the machine, and the channels that feed it.

use std::time::Instant;

use tidegate_opamp::{CustomMessage, InstanceUid, ServerToAgent};
use tokio::sync::{mpsc, watch};

use super::core::{Core, Effect};
use super::{Backoff, ClientSettings};
use crate::agent::AgentReport;

/// Carries out what the server asked for. Must return at once: the connection is read by the same task
/// (OpAMP C023).
pub trait Outlet: Send {
    /// Called once per effect, in order; never with [`Effect::Retreat`], which the transport carries out.
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
    wiring: Wiring,
    reports_open: bool,
    answers_open: bool,
}

impl Session {
    pub(super) fn new(settings: ClientSettings, uid: InstanceUid, mut wiring: Wiring) -> Self {
        let report = wiring.reports.borrow_and_update().clone();
        let core = Core::new(settings.core.clone(), uid, report);
        Self { settings, core, backoff: Backoff::default(), wiring, reports_open: true, answers_open: true }
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

    /// Feeds the machine and hands its effects on; gives the retreat, if the server asked for one.
    pub(super) fn received(&mut self, message: ServerToAgent) -> Option<Effect> {
        let mut retreat = None;
        for effect in self.core.received(message) {
            match effect {
                Effect::Retreat(_) => retreat = Some(effect),
                other => self.wiring.outlet.carry_out(other),
            }
        }
        retreat
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
