//! Where the agent's own telemetry goes, kept across restarts; private, for it holds credentials.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tidegate_opamp::{ConnectionSettingsStatus, Message, TelemetryConnectionSettings};

use super::{StateDir, StateError};
use crate::{
    hex::{hex, unhex},
    own::Kept,
};

/// Name of the file in the state folder.
const FILE: &str = "own-telemetry.json";

/// Messages in hex; what is `None` is left out.
#[derive(Deserialize, Serialize)]
struct Written {
    metrics: Option<String>,
    logs: Option<String>,
    answer: Option<String>,
}

impl StateDir {
    /// What is kept; nothing where it cannot be understood: the server may offer it again.
    #[must_use]
    pub fn own_telemetry(&self) -> Kept {
        let read = self.read_json::<Written>(FILE).unwrap_or_else(|error| {
            tracing::warn!(%error, "it is not known where the agent's own telemetry goes; it goes nowhere");
            None
        });
        let Some(written) = read else { return Kept::default() };
        let parse = || {
            Some(Kept {
                metrics: message::<TelemetryConnectionSettings>(written.metrics.as_deref())?,
                logs: message::<TelemetryConnectionSettings>(written.logs.as_deref())?,
                answer: message::<ConnectionSettingsStatus>(written.answer.as_deref())?,
            })
        };
        parse().unwrap_or_else(|| {
            tracing::warn!("what was kept of the agent's own telemetry is damaged and is dropped");
            Kept::default()
        })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old content stays.
    pub fn save_own_telemetry(&self, kept: &Kept) -> Result<(), StateError> {
        fn text(message: Option<&impl Message>) -> Option<String> {
            message.map(|message| hex(&message.encode_to_vec()))
        }
        let written = Written {
            metrics: text(kept.metrics.as_ref()),
            logs: text(kept.logs.as_ref()),
            answer: text(kept.answer.as_ref()),
        };
        self.write_json(FILE, &written)
    }
}

/// The message of a text; `None` for a text that is none.
fn message<M: Message + Default>(text: Option<&str>) -> Option<Option<M>> {
    let Some(text) = text else { return Some(None) };
    M::decode(Bytes::from(unhex(text)?)).ok().map(Some)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use tidegate_opamp::ConnectionSettingsStatuses;

    use super::*;

    /// C193: it comes back whole, is private, and is dropped where it is damaged.
    #[test]
    fn given_destinations_when_kept_then_they_come_back_and_no_damage_stops_the_supervisor() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        assert_eq!(state.own_telemetry(), Kept::default());
        let mut kept = Kept {
            metrics: Some(TelemetryConnectionSettings {
                destination_endpoint: "https://x/".into(),
                ..TelemetryConnectionSettings::default()
            }),
            ..Kept::default()
        };
        kept.say("h".into(), ConnectionSettingsStatuses::Applied, "");
        state.save_own_telemetry(&kept).unwrap();
        assert_eq!(state.own_telemetry(), kept);
        let path = folder.path().join("state").join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let whole = fs::read_to_string(&path).unwrap();
        for damaged in [whole.replace("\"metrics\": \"0a", "\"metrics\": \"zz"), whole[..10].to_owned()] {
            assert_ne!(damaged, whole);
            fs::write(&path, damaged).unwrap();
            assert_eq!(state.own_telemetry(), Kept::default());
        }
    }
}
