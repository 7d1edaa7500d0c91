//! What is asked of an agent again and again, worked out when it changes: listings, queries and offers read this and
//! decode nothing.

use tidegate_opamp::{AgentConfigMap, EffectiveConfig, RemoteConfigStatuses};

use super::axes::{self, Health, Proof, RENDERED_FILE};
use super::{Desired, Fact, Reported};

/// Starts before the year 2000 are none, in nanoseconds since 1970 (fluent-opamp.md, "Other behaviour to expect of its
/// supervisor").
const EARLIEST_START: u64 = 946_684_800_000_000_000;

/// The outcome of comparing what an agent runs with what it should run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// Not compared: nothing is assigned, reported or applied.
    Unseen,
    /// The same, and how much that is worth.
    Same(Proof),
    /// Other files.
    Other,
}

/// What is derived from an agent's reports and its assignment, and from nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Digest {
    /// Health, where it was reported, with the reason; an empty one is none.
    pub(super) health: Option<(Health, Box<str>)>,
    /// The root's start time, nanoseconds since 1970.
    pub(super) start_time: u64,
    /// The hash of the config status, where it has the length of ours.
    pub(super) acknowledged: Option<[u8; 32]>,
    /// How far that config has come.
    pub(super) status: RemoteConfigStatuses,
    /// Whether what runs is what should.
    pub(super) running: Running,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            health: None,
            start_time: 0,
            acknowledged: None,
            status: RemoteConfigStatuses::Unset,
            running: Running::Unseen,
        }
    }
}

impl Digest {
    pub(super) fn of_health(&mut self, reported: &Reported) {
        let health = reported.health.as_ref().map(Fact::get);
        // A known supervisor reports its uptime there: that is no time at which anything started.
        let start_time = health.as_ref().map_or(0, |health| health.start_time_unix_nano);
        self.start_time = if start_time < EARLIEST_START { 0 } else { start_time };
        self.health = health.map(|health| {
            let (value, reason) = axes::judge(&health);
            (value, reason.into_boxed_str())
        });
    }

    pub(super) fn of_status(&mut self, reported: &Reported) {
        let status = reported.remote_config_status.as_ref().map(Fact::get).unwrap_or_default();
        self.acknowledged = status.last_remote_config_hash[..].try_into().ok();
        self.status = status.status;
    }

    /// Compares only where the answer is asked for: of a config that the agent says it applied.
    pub(super) fn of_running(&mut self, reported: &Reported, desired: Option<&Desired>) {
        self.running = match (desired, &reported.effective_config) {
            (Some(desired), Some(effective))
                if self.status == RemoteConfigStatuses::Applied
                    && self.acknowledged == Some(desired.config.hash.0) =>
            {
                compare(&effective.get(), desired)
            }
            _ => Running::Unseen,
        };
    }
}

/// Compares the offered files with the effective ones. A supervisor of ours reports the offered files under their
/// names and the rendered one beside them, without their secrets unless its host wants that otherwise; any other is
/// believed, and its word marked as unproven (decision D6).
fn compare(effective: &EffectiveConfig, desired: &Desired) -> Running {
    let Some(effective) = effective.config_map.as_ref() else {
        return Running::Other;
    };
    if !effective.config_map.contains_key(RENDERED_FILE) {
        return Running::Same(Proof::Unproven);
    }
    let is = |offered: &AgentConfigMap| {
        let offered = &offered.config_map;
        effective.config_map.len() == offered.len() + 1
            && offered.iter().all(|(name, file)| {
                effective.config_map.get(name).is_some_and(|running| running.body == file.body)
            })
    };
    if is(&desired.config.files) || is(desired.config.redacted()) {
        Running::Same(Proof::Proven)
    } else {
        Running::Other
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidegate_fluent::redact::{Key, redact};
    use tidegate_opamp::{AgentConfigObject, InstanceUid, RemoteConfigStatus};

    use super::*;
    use crate::agent::Assignment;
    use crate::{Agent, Config, PushId, Timestamp};

    const NOW: Timestamp = Timestamp(1);
    const BODY: &str = "[OUTPUT]\n    Name http\n    HTTP_Passwd s3cr3t\n";

    fn map(files: &[(&str, &str)]) -> AgentConfigMap {
        let object = |(name, body): &(&str, &str)| {
            let body = body.as_bytes().to_vec().into();
            ((*name).to_owned(), AgentConfigObject { body, ..AgentConfigObject::default() })
        };
        AgentConfigMap { config_map: files.iter().map(object).collect(), ..AgentConfigMap::default() }
    }

    /// What becomes of an agent that should run [`BODY`] and reports this in its place.
    fn reported(body: impl Fn(&Key) -> String) -> Running {
        let config = Config::new(map(&[("main", BODY)]), NOW);
        let key = Key::new(config.hash.to_string().as_bytes());
        let status = RemoteConfigStatus {
            last_remote_config_hash: config.hash.to_wire(),
            status: RemoteConfigStatuses::Applied,
            ..RemoteConfigStatus::default()
        };
        let assignment = Assignment { config, push: PushId("p".into()), since: NOW };
        let mut agent = Agent::new(InstanceUid::from_bytes(&[7; 16]).unwrap(), NOW);
        agent.assign(Some(Desired::new(Arc::new(assignment))));
        agent.hear_config_status(&status, NOW);
        let config_map = Some(map(&[("main", &body(&key)), (RENDERED_FILE, "whatever")]));
        agent.hear_effective_config(&EffectiveConfig { config_map, ..EffectiveConfig::default() }, NOW);
        agent.digest.running
    }

    /// C085: marks stand for the secrets that they were made of, and for no others.
    #[test]
    fn given_secrets_in_a_config_when_their_marks_are_reported_then_it_is_proven_and_drift_still_shows() {
        let other = BODY.replace("s3cr3t", "another");
        let foreign = Key::new(b"another key");
        let cases: [(&str, Running); 5] = [
            ("marks", Running::Same(Proof::Proven)),
            ("as it is", Running::Same(Proof::Proven)),
            ("another secret", Running::Other),
            ("another key", Running::Other),
            ("another line", Running::Other),
        ];
        for (what, expected) in cases {
            let running = reported(|key| match what {
                "marks" => redact(BODY, key),
                "as it is" => BODY.to_owned(),
                "another secret" => redact(&other, key),
                "another key" => redact(BODY, &foreign),
                _ => redact(BODY, key) + "# more\n",
            });
            assert_eq!(running, expected, "{what}");
        }
    }
}
