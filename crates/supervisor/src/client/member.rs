//! One agent of a connection: its machine, and the channels that feed it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_opamp::{CustomMessage, InstanceUid};
use tokio::sync::{mpsc, oneshot, watch};

use super::core::{Core, CoreSettings};
use super::effect::Effect;
use super::moves::Follower;
use crate::agent::{AgentReport, Heard};

/// Carries out what the server asked for. Must return at once: the connection is read by the same task
/// (OpAMP C023).
pub trait Outlet: Send {
    /// Called once per effect, in order; never with one that the client carries out itself: [`Effect::Connect`],
    /// [`Effect::Interval`] and [`Effect::Retreat`].
    fn carry_out(&mut self, effect: Effect);
}

/// An agent that the client speaks for.
pub struct Wiring {
    /// What its machine needs.
    pub core: CoreSettings,
    /// Its uid.
    pub uid: InstanceUid,
    /// The number of the last message that was sent for it; 0 when there was none.
    pub sequence_num: u64,
    /// The hash of the last offer that concerned own telemetry, where an earlier supervisor handed it on.
    pub handed_on: Option<Bytes>,
    /// The process side's newest report.
    pub reports: watch::Receiver<AgentReport>,
    /// Answers of custom handlers.
    pub answers: mpsc::Receiver<CustomMessage>,
    /// Where it is noted that the server was heard.
    pub heard: Heard,
    /// Where effects go.
    pub outlet: Box<dyn Outlet>,
    /// How the client is to leave off speaking for it.
    pub leave: watch::Receiver<Leave>,
    /// Told the uid and the number of the last message once the client has left off.
    pub left: oneshot::Sender<(InstanceUid, u64)>,
}

/// How the client is to leave off speaking for an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leave {
    /// Not at all.
    #[default]
    Stay,
    /// With a farewell: the agent ends (OpAMP C177).
    Farewell,
    /// Without one: somebody else goes on speaking for it.
    Silently,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Something may be due.
    News,
    /// The agent is to be left.
    Leaves,
}

pub(super) struct Member {
    pub(super) core: Core,
    /// The interval of its host's settings.
    pub(super) own_heartbeat: Duration,
    /// What it was offered, where another agent decides on the connection.
    pub(super) follower: Follower,
    /// Until when it may not speak, for its last request was refused while those of others are taken.
    pub(super) rests_until: Option<Instant>,
    wiring: Channels,
}

struct Channels {
    heard: Heard,
    reports: watch::Receiver<AgentReport>,
    answers: mpsc::Receiver<CustomMessage>,
    outlet: Box<dyn Outlet>,
    leave: watch::Receiver<Leave>,
    left: oneshot::Sender<(InstanceUid, u64)>,
    reports_open: bool,
    answers_open: bool,
}

impl Member {
    pub(super) fn new(wiring: Wiring) -> Self {
        let Wiring { core, uid, sequence_num, handed_on, mut reports, answers, heard, outlet, leave, left } =
            wiring;
        let report = reports.borrow_and_update().clone();
        let own_heartbeat = core.heartbeat;
        let mut core = Core::new(core, uid, sequence_num, report);
        core.has_handed_on(handed_on);
        Self {
            core,
            own_heartbeat,
            follower: Follower::default(),
            rests_until: None,
            wiring: Channels {
                heard,
                reports,
                answers,
                outlet,
                leave,
                left,
                reports_open: true,
                answers_open: true,
            },
        }
    }

    /// How the client is to leave off speaking for it, now. Whoever could say so being gone means farewell.
    pub(super) fn leaves(&self) -> Leave {
        let said = *self.wiring.leave.borrow();
        let gone = said == Leave::Stay && self.wiring.leave.has_changed().is_err();
        if gone { Leave::Farewell } else { said }
    }

    /// A handle that tells when it leaves, apart from the member.
    pub(super) fn leave(&self) -> watch::Receiver<Leave> {
        self.wiring.leave.clone()
    }

    /// Waits until something arrived that the machine was told of, or the agent is to be left. Cancelling it loses
    /// nothing.
    pub(super) async fn event(&mut self) -> Event {
        let wiring = &mut self.wiring;
        tokio::select! {
            biased;
            () = left(&mut wiring.leave) => Event::Leaves,
            changed = wiring.reports.changed(), if wiring.reports_open => {
                match changed {
                    Ok(()) => self.core.report(wiring.reports.borrow_and_update().clone()),
                    Err(_) => wiring.reports_open = false,
                }
                Event::News
            }
            answer = wiring.answers.recv(), if wiring.answers_open => {
                match answer {
                    Some(answer) => self.core.answer(answer),
                    None => wiring.answers_open = false,
                }
                Event::News
            }
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

    /// Something came from the server.
    pub(super) fn heard(&self) {
        self.wiring.heard.note();
    }

    /// Where the agent's process side says that it wants to hear of the server.
    pub(super) fn hearing(&self) -> Heard {
        self.wiring.heard.clone()
    }

    pub(super) fn carry_out(&mut self, effect: Effect) {
        self.wiring.outlet.carry_out(effect);
    }

    /// The client does not speak for it any more.
    pub(super) fn end(self) {
        // Whoever wanted to know may be gone.
        let _ = self.wiring.left.send((self.core.uid(), self.core.sequence_num()));
    }
}

/// Ends when an agent is to be left; a sender that is gone means so as well.
pub(super) async fn left(leave: &mut watch::Receiver<Leave>) {
    // An error says that the sender is gone.
    let _ = leave.wait_for(|leave| *leave != Leave::Stay).await;
}
