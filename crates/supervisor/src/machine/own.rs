//! The agent's own telemetry: what is kept of it, and the configs that carry it (OpAMP C118–C123, C048, C067).

use std::{fs, sync::Arc};

use bytes::Bytes;
use tidegate_opamp::{ConnectionSettingsStatus, ConnectionSettingsStatuses, InstanceUid};

use super::{Fixed, Loaded, Machine};
use crate::{
    agent::OwnReport,
    kind::{OwnTelemetry, Signals},
    own::Kept,
    report::describe,
    state::StateDir,
};

/// How the files begin that hold it, in the run folder.
const FILES: &str = "own-";

/// What the agent is to send of its own.
#[derive(Clone, Debug)]
pub struct Own {
    /// What is kept of offers.
    pub kept: Kept,
    /// The uid under which it is sent.
    uid: InstanceUid,
    /// Why it is not sent although it is kept, where that is the agent's doing.
    given_up: Option<&'static str>,
    /// What is sent says something else of the agent than is known by now.
    pub stale: bool,
}

impl Own {
    /// What is kept in the state folder.
    #[must_use]
    pub fn load(state: &StateDir, fixed: &Fixed) -> Self {
        let kept = if fixed.own_telemetry.is_some() { state.own_telemetry() } else { Kept::default() };
        Self { kept, uid: fixed.uid, given_up: None, stale: false }
    }

    /// The config with what sends own telemetry, where there is anything to send and the config can carry it; without
    /// otherwise.
    #[must_use]
    pub fn carry(&self, fixed: &Fixed, state: &StateDir, version: &str, mut loaded: Loaded) -> Loaded {
        loaded.rendered.detach();
        if let Ok((suffix, files)) = self.attachment(fixed, state, version, &loaded) {
            loaded.rendered.attach(suffix, files);
        }
        loaded
    }

    /// What would be attached to a config that carries nothing.
    ///
    /// # Errors
    /// Why nothing is; empty where nothing is wanted.
    fn attachment(
        &self,
        fixed: &Fixed,
        state: &StateDir,
        version: &str,
        loaded: &Loaded,
    ) -> Result<(String, Vec<(std::path::PathBuf, String)>), String> {
        let (Some(kind), Some(cleartext)) = (fixed.kind.own_telemetry(), fixed.own_telemetry) else {
            return Err(String::new());
        };
        if let Some(why) = self.given_up {
            return Err(why.to_owned());
        }
        let wanted = self.kept.wanted(cleartext)?;
        if wanted.is_nothing() {
            return Err(String::new());
        }
        let description =
            describe(fixed.kind.service_name(), version, &self.uid, &fixed.host, &fixed.attributes);
        let text = |value: &tidegate_opamp::AnyValue| value.to_string();
        let resource: Vec<(String, String)> = description
            .identifying_attributes
            .iter()
            .map(|pair| (pair.key.clone(), pair.value.as_ref().map(text).unwrap_or_default()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let files = kind.files(&wanted, &resource, &state.run());
        let (include, _) = files.first().ok_or_else(String::new)?;
        let suffix = kind.attachment(&loaded.rendered, include)?;
        Ok((suffix, files))
    }
}

impl Machine {
    /// A config as it would be loaded now, with own telemetry where it can carry that.
    #[must_use]
    pub fn carry(&self, loaded: Loaded) -> Loaded {
        self.own.carry(&self.fixed, &self.state, &self.version, loaded)
    }

    /// Why own telemetry that is wanted cannot go with this config; `None` where it can, or nothing is wanted.
    #[must_use]
    pub fn why_not_carried(&self, loaded: &Loaded) -> Option<String> {
        let mut bare = loaded.clone();
        bare.rendered.detach();
        let refused = self.own.attachment(&self.fixed, &self.state, &self.version, &bare).err()?;
        (!refused.is_empty()).then_some(refused)
    }

    /// The kind's part in own telemetry, while the config that counts carries some.
    pub(super) fn own_kind(&self) -> Option<&dyn OwnTelemetry> {
        self.loaded.rendered.own.as_ref()?;
        self.fixed.kind.own_telemetry()
    }

    /// Whether a line of the log is about own telemetry.
    pub(super) fn is_about_own(&self, line: &str) -> bool {
        self.own_kind().is_some_and(|own| own.is_about(line))
    }

    /// What the agent's build can send of its own.
    #[must_use]
    pub fn own_signals(&self) -> Signals {
        let newest = self.publisher.newest();
        let kind = self.fixed.kind.own_telemetry();
        match (kind, newest.available_components) {
            (Some(kind), Some(components)) => kind.signals(&self.version, &components),
            _ => Signals::default(),
        }
    }

    /// Begins anew with what is kept: an offer lifts what was given up before.
    pub fn keep_own(&mut self, kept: Kept) -> Kept {
        self.own.given_up = None;
        std::mem::replace(&mut self.own.kept, kept)
    }

    /// The agent has another uid.
    pub fn rename_own(&mut self, uid: InstanceUid) {
        self.own.stale |= uid != self.own.uid;
        self.own.uid = uid;
    }

    /// The agent does not survive: what is not its work is taken out of its config, until the next offer.
    pub fn give_own_up(&mut self) {
        if self.loaded.rendered.own.is_none() {
            return;
        }
        tracing::warn!("the agent crashes again and again; it is started without its own telemetry");
        self.own.given_up = Some("the agent crashed again and again, so it was started without it");
        self.loaded.rendered.detach();
        self.sweep_own();
        self.publish_own();
    }

    /// Publishes what can be sent, and what became of the last offer as seen from the config that counts.
    pub fn publish_own(&self) {
        let signals = self.own_signals();
        let able = signals.metrics || signals.logs || self.own.kept.answer.is_some();
        let report = (self.fixed.own_telemetry.is_some() && able).then(|| {
            let mut status = self.own.kept.answer.clone();
            if let Some(status) = status.as_mut().filter(|s| s.status == ConnectionSettingsStatuses::Applied)
                && let Some(why) = self.not_carried()
            {
                status.status = ConnectionSettingsStatuses::Failed;
                status.error_message = self.publisher.clean(&why).into_owned();
            }
            Arc::new(OwnReport { metrics: signals.metrics, logs: signals.logs, status })
        });
        self.publisher.own_telemetry(report);
    }

    /// Why the config that counts does not carry what is kept.
    fn not_carried(&self) -> Option<String> {
        if self.loaded.rendered.own.is_some()
            || self.own.kept.metrics.is_none() && self.own.kept.logs.is_none()
        {
            return None;
        }
        let why = self.why_not_carried(&self.loaded);
        Some(why.unwrap_or_else(|| "the agent does not take it any more".to_owned()))
    }

    /// Says what becomes of an offer, here and in the state folder. What cannot be written is said all the same.
    pub fn say_own(&mut self, hash: &Bytes, status: ConnectionSettingsStatuses, why: &str) {
        let why = self.publisher.clean(why).into_owned();
        tracing::info!(status = ?status, why, "offered destinations of own telemetry");
        self.own.kept.say(hash.clone(), status, &why);
        if let Err(error) = self.state.save_own_telemetry(&self.own.kept) {
            tracing::warn!(%error, "what became of an offer of own telemetry could not be written down");
        }
        self.publish_own();
    }

    /// Removes files of own telemetry that the config that counts does not carry: they may hold credentials.
    pub fn sweep_own(&self) {
        let carried = &self.loaded.rendered.includes;
        let Ok(entries) = fs::read_dir(self.state.run()) else { return };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let is_own = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(FILES));
            if is_own
                && carried.iter().all(|(kept, _)| *kept != path)
                && let Err(error) = fs::remove_file(&path)
            {
                tracing::warn!(path = %path.display(), %error, "a file of own telemetry could not be removed");
            }
        }
    }

    /// An apply that an earlier supervisor did not end has failed: what was kept before it is in force.
    pub fn own_was_interrupted(&mut self) {
        let interrupted = self.own.kept.answer.as_ref().filter(|answer| is_applying(answer));
        if let Some(hash) = interrupted.map(|answer| answer.last_connection_settings_hash.clone()) {
            let why = "the supervisor ended while it applied this; what was in force before still is";
            self.say_own(&hash, ConnectionSettingsStatuses::Failed, why);
            // What it would have put in force stands beside what is, unless that is still to be put back.
            if !self.is_edited() {
                self.sweep_own();
            }
        }
    }
}

fn is_applying(answer: &ConnectionSettingsStatus) -> bool {
    answer.status == ConnectionSettingsStatuses::Applying
}

#[cfg(test)]
mod tests;
