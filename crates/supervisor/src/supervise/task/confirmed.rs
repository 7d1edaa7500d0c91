//! What a config after which the server was heard, or was not, comes to.

use tidegate_opamp::{RemoteConfigStatus, RemoteConfigStatuses};

use super::{
    super::{
        choose::{local, offered},
        confirm::Step,
    },
    Task,
    interrupted::offer_of,
};
use crate::{
    apply,
    hex::unhex,
    kind::ComponentState,
    machine::Loaded,
    state::{Entry, Unconfirmed},
    text,
};

/// How the config is told of after it was put back without having been to blame.
const CLEARED: &str =
    "the server was not heard after it was applied, nor after it was taken back for a while";

impl Task {
    /// What is to be done about a config that is not confirmed, if anything; what is settled is written down here.
    pub(super) fn confirmation(&mut self) -> Option<Step> {
        let step = self.confirmation.step(self.journal.unconfirmed.as_ref()?);
        match step {
            Step::Wait => None,
            Step::Settle => {
                self.settle();
                None
            }
            Step::TakeBack | Step::Restore => Some(step),
        }
    }

    /// A config through which the next offer has come has left the way open, however short it ran.
    pub(super) fn is_followed(&mut self) {
        if self.journal.unconfirmed.is_some() && self.confirmation.is_heard() {
            self.settle();
        }
    }

    /// What runs is not waited on any more.
    fn settle(&mut self) {
        self.journal.unconfirmed = None;
        if let Err(error) = self.machine.state.save_journal(&self.journal) {
            tracing::warn!(%error, "it could not be written down that the config is confirmed");
        }
        apply::keep_configs(&self.machine, &self.journal);
    }

    /// Puts back what ran before the config after which the server was not heard.
    pub(super) async fn take_back(&mut self) {
        let Some(Unconfirmed::Runs { former }) = self.journal.unconfirmed.clone() else { return };
        let waited = self.confirmation.within().as_secs();
        self.tell_undecided();
        let taken = match self.loaded(former).await {
            Ok(former) => {
                let on_hang = self.policy.on_hang;
                apply::take_back(&mut self.machine, &mut self.journal, former, on_hang)
                    .await
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        self.confirmation.begin_anew();
        match taken {
            Ok(Some(config)) => {
                let why = format!(
                    "confirm proof failed: the server was not heard for {waited} s after this config was applied; \
                     what ran before it was put back"
                );
                tracing::warn!(config = %config.hash, "{why}");
                self.machine.config_state = ComponentState::failing("failed", why.clone());
                self.say(&unhex(&config.hash).unwrap_or_default(), RemoteConfigStatuses::Failed, &why);
                self.machine.publish_health();
            }
            Ok(None) => self.tell_status(),
            Err(error) => {
                self.tell_status();
                tracing::error!(
                    error,
                    "the server was not heard for {waited} s after a config was applied, and what ran before cannot \
                     be put back: the config stays"
                );
                self.settle();
            }
        }
    }

    /// Says no more that the config is applied: it is being taken back, and the server may come back before that is done.
    fn tell_undecided(&self) {
        if let Some(status) = self.journal.status_message() {
            let undecided = RemoteConfigStatus { status: RemoteConfigStatuses::Applying, ..status };
            self.machine.publisher.remote_config_status(undecided);
        }
    }

    /// Applies again what was taken back: the server was not heard without it either.
    pub(super) async fn restore(&mut self) {
        let Some(Unconfirmed::TakenBack { config }) = self.journal.unconfirmed.take() else { return };
        match offer_of(&self.machine.state, &config) {
            Ok(offer) => {
                tracing::info!(config = %config.hash, "{CLEARED}: it is applied again");
                self.machine.set_remark(CLEARED.to_owned());
                Box::pin(self.apply(&offer, false)).await;
            }
            Err(error) => {
                tracing::warn!(error, "a config that was taken back cannot be applied again");
                self.settle();
            }
        }
    }

    /// The former config in the form in which the agent loads it.
    async fn loaded(&self, former: Option<Entry>) -> Result<Loaded, String> {
        let (fixed, state, ports) = (&self.machine.fixed, &self.machine.state, self.machine.ports());
        let carry = |loaded| self.machine.carry(loaded);
        let loaded = match former {
            Some(entry) => {
                offered(entry, fixed, state, ports).await.map(carry).map_err(|error| error.to_string())
            }
            None => {
                local(&self.settings, fixed, state, ports, &carry).await.map_err(|error| error.to_string())
            }
        };
        loaded.map_err(|error| text::head(&error, 1000).to_owned())
    }
}
