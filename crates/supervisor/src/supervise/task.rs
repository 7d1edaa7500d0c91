//! The serial task: one thing at a time is done with the process, and only a stop interrupts it.

mod confirmed;
mod interrupted;
mod replace;

use std::time::{Duration, Instant};

use tidegate_opamp::{AgentRemoteConfig, RemoteConfigStatus, RemoteConfigStatuses};
use tokio::{sync::mpsc, time::sleep};

use super::{
    AgentSettings,
    answer::answer,
    backoff::Backoff,
    confirm::{Confirmation, Step},
    mailbox::{End, Mailbox, Order},
    silence::Silences,
};
use crate::{
    agent::{AgentCommand, AgentHandle, AgentReport, Heard},
    apply::{self, Policy},
    child::Exit,
    hex::hex,
    kind::ComponentState,
    machine::{Machine, Quiet},
    report::{Phase, Publisher},
    state::{Journal, StatusRecord},
};

/// How many commands may wait to be looked at.
const COMMANDS: usize = 16;
/// How often the agent is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked at until it was seen at work.
const LOOK_AT_START: Duration = Duration::from_millis(200);
/// How often the run folder is compared with what it should hold.
const COMPARE: Duration = Duration::from_secs(30);
/// The least time between two restarts by command: a storm of them must not keep the agent from its work.
const RESTART_SPACING: Duration = Duration::from_secs(5);

/// Within this time a report is seen by whoever sends it, where the connection takes it.
const SEEN: Duration = Duration::from_millis(50);

/// Longest config hash that is taken, in bytes; it is kept on disk several times.
const HASH_LIMIT: usize = 1024;

/// What the agent needs, by what was seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// To be started anew, for it lives and does not answer.
    Answer(Quiet),
    /// The files that it should have.
    Files,
    /// Another config, for the server was not heard.
    Config(Step),
    /// To send its own telemetry as who it is by now.
    Own,
}

struct Task {
    machine: Machine,
    journal: Journal,
    settings: AgentSettings,
    policy: Policy,
    confirmation: Confirmation,
    backoff: Backoff,
    silences: Silences,
    /// When the run folder was last compared.
    compared: Instant,
    /// When to look or to start next.
    due: Instant,
    last_restart: Option<Instant>,
    /// When a status was said last.
    said: Option<Instant>,
}

/// A handle, and what it takes to supervise the agent that it leads to.
pub(super) fn handle(first: AgentReport) -> (AgentHandle, mpsc::Receiver<AgentCommand>, Publisher) {
    let (commands, receiver) = mpsc::channel(COMMANDS);
    let (publisher, reports) = Publisher::new(first);
    (AgentHandle { commands, reports, heard: Heard::default() }, receiver, publisher)
}

/// Supervises until an order ends it.
pub(super) async fn supervise(
    machine: Machine,
    journal: Journal,
    settings: AgentSettings,
    mut mailbox: Mailbox,
    heard: Heard,
) {
    let mut task = Task {
        machine,
        journal,
        policy: Policy {
            probation: settings.probation,
            on_hang: settings.patience.on_hang,
            confirm: settings.confirm.is_some(),
        },
        confirmation: Confirmation::new(settings.confirm.filter(|_| settings.allow_remote_config), heard),
        settings,
        backoff: Backoff::default(),
        silences: Silences::default(),
        compared: Instant::now(),
        due: Instant::now(),
        last_restart: None,
        said: None,
    };
    if let Some(offer) = task.interrupted() {
        mailbox.push(offer);
    }
    let end = task.run(&mut mailbox).await;
    task.ends_in_order();
    let reply = match end {
        End::Stop(reply) => {
            // What cannot be killed is told in the last report, and the next supervisor finds it.
            let _ = task.machine.stop().await;
            task.machine.is_stopped();
            // Before the answer: whoever asked may want the state folder next.
            drop(task);
            reply
        }
        End::Release(reply) => {
            // With the state folder, which the next one locks.
            drop(task);
            reply
        }
        End::Leave => return,
    };
    // Whoever asked may have gone.
    let _ = reply.send(());
}

impl Task {
    async fn run(&mut self, mailbox: &mut Mailbox) -> End {
        loop {
            if let Some(reply) = mailbox.take_release() {
                return End::Release(reply);
            }
            let ready = self.last_restart.is_none_or(|at| at.elapsed() >= RESTART_SPACING);
            if let Some(order) = mailbox.take_if(ready) {
                let carried_out = tokio::select! {
                    biased;
                    end = mailbox.end() => Some(end),
                    () = self.carry_out(order) => None,
                };
                if let Some(end) = carried_out {
                    return end;
                }
                continue;
            }
            let need = tokio::select! {
                biased;
                received = mailbox.receive() => match received {
                    Some(end) => return end,
                    None => None,
                },
                need = self.turn() => need,
            };
            if let Some(need) = need {
                tokio::select! {
                    biased;
                    end = mailbox.end() => return end,
                    () = Box::pin(self.see_to(need)) => {}
                }
            }
        }
    }

    /// Waits for the next event of the process and deals with it, all but what takes time. May be dropped and called
    /// again.
    async fn turn(&mut self) -> Option<Need> {
        let wait = self.due.saturating_duration_since(Instant::now());
        tokio::select! {
            biased;
            exit = self.machine.exited() => self.crashed(exit),
            () = sleep(wait) => {
                if let Some(step) = self.confirmation() {
                    return Some(Need::Config(step));
                }
                if self.machine.running.is_some() {
                    self.machine.look().await;
                    self.schedule_look();
                    return self.need();
                } else {
                    self.start().await;
                }
            }
        }
        None
    }

    fn schedule_look(&mut self) {
        let pause = if self.machine.phase == Phase::Running { LOOK } else { LOOK_AT_START };
        self.due = Instant::now() + pause;
    }

    /// What is to be done about what was seen, if something is.
    fn need(&mut self) -> Option<Need> {
        let running = self.machine.running.as_ref()?;
        if let Some((quiet, silent)) = self.machine.silence() {
            let is_over = self.silences.is_over(self.settings.patience, quiet, silent);
            return is_over.then_some(Need::Answer(quiet));
        }
        self.silences.answers(running.since.elapsed());
        let due = running.reloaded_unasked || self.compared.elapsed() >= COMPARE;
        if self.machine.phase == Phase::Running && self.machine.own.stale {
            return Some(Need::Own);
        }
        if self.machine.phase != Phase::Running || !due {
            return None;
        }
        self.compared = Instant::now();
        let edited = self.machine.is_edited();
        if let Some(running) = self.machine.running.as_mut().filter(|_| !edited) {
            running.reloaded_unasked = false;
        }
        edited.then_some(Need::Files)
    }

    async fn see_to(&mut self, need: Need) {
        match need {
            Need::Answer(quiet) => {
                tracing::error!(?quiet, "the agent lives and does not answer: it is to be started anew");
                self.replace(Some(quiet)).await;
            }
            Need::Config(Step::Restore) => self.restore().await,
            Need::Config(_) => self.take_back().await,
            Need::Own => apply::renew_own_telemetry(&mut self.machine, self.policy).await,
            Need::Files => {
                apply::reassert(&mut self.machine).await;
                if let Some(running) = &mut self.machine.running {
                    running.reloaded_unasked = false;
                }
                self.due = Instant::now();
            }
        }
    }

    async fn start(&mut self) {
        match self.machine.start().await {
            Ok(()) => self.due = Instant::now() + LOOK_AT_START,
            Err(fault) => {
                let wait = self.backoff.crashed(Duration::ZERO, jitter());
                tracing::error!(retry_in_ms = wait.as_millis(), "{fault}");
                self.machine.could_not_start(&fault);
                self.due = Instant::now() + wait;
            }
        }
    }

    fn crashed(&mut self, exit: Exit) {
        let uptime = self.machine.running.as_ref().map_or(Duration::ZERO, |running| running.since.elapsed());
        let wait = self.backoff.crashed(uptime, jitter());
        let phase = if self.backoff.is_loop() { Phase::CrashLoop } else { Phase::Crashed };
        if self.backoff.is_loop() {
            self.machine.give_own_up();
        }
        let cause = self.machine.has_ended(exit, phase);
        tracing::error!(restart_in_ms = wait.as_millis(), "{cause}");
        self.due = Instant::now() + wait;
    }

    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Restart => {
                tracing::info!("restarting on command");
                self.last_restart = Some(Instant::now());
                self.backoff.reset();
                self.replace(None).await;
            }
            Order::Replaced(hash) => {
                self.let_be_seen().await;
                self.say(
                    &hash,
                    RemoteConfigStatuses::Failed,
                    "replaced by a newer offer before it was applied",
                );
            }
            Order::Apply(offer) => {
                self.let_be_seen().await;
                self.is_followed();
                Box::pin(self.apply(&offer, self.confirmation.is_on())).await;
            }
            Order::OwnTelemetry(offer) => {
                Box::pin(apply::own_telemetry(&mut self.machine, &offer, self.policy)).await;
                self.machine.publish_health();
                self.due = Instant::now();
            }
            Order::Renamed(uid) => self.machine.rename_own(uid),
            Order::Answer(question) => Box::pin(answer(&mut self.machine, &self.journal, question)).await,
        }
    }

    /// Applies an offer; `confirm`: what ran before is kept until the server was heard.
    async fn apply(&mut self, offer: &AgentRemoteConfig, confirm: bool) {
        let hash = &offer.config_hash;
        if hash.len() > HASH_LIMIT {
            let hash = hash.clone();
            return self.machine.publisher.remote_config_status(RemoteConfigStatus {
                last_remote_config_hash: hash,
                status: RemoteConfigStatuses::Failed,
                error_message: format!("the config hash is longer than {HASH_LIMIT} bytes"),
                ..RemoteConfigStatus::default()
            });
        }
        if !self.settings.allow_remote_config {
            let refusal = "this host's settings do not allow remote config";
            return self.say(hash, RemoteConfigStatuses::Failed, refusal);
        }
        let (machine, journal) = (&mut self.machine, &mut self.journal);
        let stands = apply::stands(machine, journal, offer).await;
        // Also where the end follows at once: whoever waits for the answer to this offer sees one.
        self.say(hash, RemoteConfigStatuses::Applying, "");
        let failed = if stands {
            None
        } else {
            let policy = Policy { confirm, ..self.policy };
            apply::apply(&mut self.machine, &mut self.journal, offer, policy).await
        };
        self.confirmation.begin();
        let remark = self.machine.take_remark().unwrap_or_default();
        self.machine.config_state = match &failed {
            None => ComponentState { error: remark.into(), ..ComponentState::running() },
            Some(report) => ComponentState::failing("failed", report.clone()),
        };
        match &failed {
            None => {
                self.backoff.reset();
                self.machine.is_sound();
                tracing::info!(config = %hex(hash), "applied an offered config");
                self.say(hash, RemoteConfigStatuses::Applied, "");
            }
            Some(report) => self.say(hash, RemoteConfigStatuses::Failed, report),
        }
        self.machine.publish_health();
        self.due = Instant::now();
    }

    /// Whoever sends the reports sees the newest only: the status of one offer is given time before the next one's.
    async fn let_be_seen(&self) {
        sleep(SEEN.saturating_sub(self.said.map_or(SEEN, |said| said.elapsed()))).await;
    }

    /// Writes a status down and reports it. One that cannot be written is reported all the same.
    fn say(&mut self, hash: &[u8], state: RemoteConfigStatuses, error: &str) {
        self.said = Some(Instant::now());
        self.journal.status = Some(StatusRecord { hash: hex(hash), state: state.0, error: error.to_owned() });
        if let Err(error) = self.machine.state.save_journal(&self.journal) {
            tracing::warn!(%error, "the state of an offer could not be written down");
        }
        self.tell_status();
    }

    /// Reports the state of the last offer as it is written down.
    fn tell_status(&self) {
        if let Some(status) = self.journal.status_message() {
            self.machine.publisher.remote_config_status(status);
        }
    }
}

/// A random byte; without randomness agents start in step, which is bearable.
fn jitter() -> u8 {
    let mut byte = [0];
    getrandom::fill(&mut byte).map_or(0, |()| byte[0])
}
