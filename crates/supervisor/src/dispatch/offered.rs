//! The last offer of destinations for own telemetry, written down before anything is answered to it: a supervisor that
//! ends before its process side has taken the offer is followed by one that hands it on. Private, for it may hold
//! credentials.

use std::io;
use std::path::{Path, PathBuf};

use tidegate_opamp::{ConnectionSettingsOffers, Message};

use crate::agent::OwnOffer;
use crate::files::{read_bounded, write_atomic};

/// Name of the file in the state folder: a `ConnectionSettingsOffers`.
const FILE: &str = "own-telemetry-offer.bin";

/// Longest file that is read, in bytes: more than any message that is taken.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// The file.
#[derive(Debug)]
pub(super) struct Offered(PathBuf);

impl Offered {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join(FILE))
    }

    /// What was offered last; nothing where it cannot be understood, which is logged: the server may offer it again.
    pub(super) fn load(&self) -> Option<OwnOffer> {
        let bytes = match read_bounded(&self.0, MOST_BYTES) {
            Ok(bytes) => bytes?,
            Err(error) => {
                tracing::warn!(path = %self.0.display(), %error, "the last offer of own telemetry cannot be read");
                return None;
            }
        };
        match ConnectionSettingsOffers::decode(&bytes[..]) {
            Ok(offers) => {
                Some(OwnOffer { hash: offers.hash, metrics: offers.own_metrics, logs: offers.own_logs })
            }
            Err(error) => {
                tracing::warn!(path = %self.0.display(), %error, "the last offer of own telemetry is damaged");
                None
            }
        }
    }

    /// Writes an offer down in place of the last one.
    pub(super) fn store(&self, offer: &OwnOffer) -> io::Result<()> {
        let offers = ConnectionSettingsOffers {
            hash: offer.hash.clone(),
            own_metrics: offer.metrics.clone(),
            own_logs: offer.logs.clone(),
            ..ConnectionSettingsOffers::default()
        };
        write_atomic(&self.0, &offers.encode_to_vec())
    }
}
