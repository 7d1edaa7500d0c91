//! What is kept of offered connection settings, in a file of the state folder with mode 0600: it may hold tokens.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tidegate_opamp::{ConnectionSettingsStatus, Message, OpAMPConnectionSettings};

use super::super::Target;
use super::{Interval, Offered};
use crate::files::{read_bounded, write_atomic};
use crate::hex::{hex, unhex};

/// Name of the file in the state folder.
const FILE: &str = "connection-settings.json";

/// Longest file that is read, in bytes: a message in hex and some more.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// What survives a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// Proven by an answer.
    pub accepted: Option<Offered>,
    /// Being tried (OpAMP C100).
    pub candidate: Option<Offered>,
    /// What the server is told of the last offer.
    pub answer: Option<ConnectionSettingsStatus>,
}

/// The file.
#[derive(Clone, Debug)]
pub struct Keeper {
    path: PathBuf,
    /// The host's own settings when it was written: once a person changes them they count again.
    base: String,
    /// Whether the host lets a server offer settings at all.
    allowed: bool,
}

#[derive(Deserialize, Serialize)]
struct Written {
    host_settings: String,
    accepted: Option<WrittenOffer>,
    candidate: Option<WrittenOffer>,
    answer: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct WrittenOffer {
    hash: String,
    /// An `OpAMPConnectionSettings` in hex.
    settings: String,
    /// Seconds; 0 for none; left out for the host's own.
    interval: Option<u64>,
}

impl Keeper {
    /// The file in a state folder, for a host with these settings. Where it does not allow offered ones (any more), what
    /// was kept stays in the file and counts for nothing.
    #[must_use]
    pub fn new(state_dir: &std::path::Path, base: &Target, allowed: bool) -> Self {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        part(base.endpoint.to_string().as_bytes());
        part(base.tls.authorities.as_bytes());
        part(&[u8::from(base.tls.system)]);
        for (name, value) in &base.headers {
            part(name.as_str().as_bytes());
            part(value.as_bytes());
        }
        if let Some(proxy) = &base.proxy {
            part(&proxy.identity());
        }
        Self { path: state_dir.join(FILE), base: hex(&digest.finalize()), allowed }
    }

    /// What is kept; nothing where the host's settings changed or the file cannot be understood, which is logged: the
    /// server offers again (OpAMP C193).
    #[must_use]
    pub fn load(&self) -> Kept {
        let unusable = |error: &dyn std::fmt::Display| {
            tracing::warn!(path = %self.path.display(), %error, "kept connection settings cannot be used");
            Kept::default()
        };
        let bytes = match read_bounded(&self.path, MOST_BYTES) {
            Ok(None) => return Kept::default(),
            Ok(Some(bytes)) => bytes,
            Err(error) => return unusable(&error),
        };
        if !self.allowed {
            tracing::info!(
                path = %self.path.display(),
                "this host does not allow connection settings: those that were offered before are not used"
            );
            return Kept::default();
        }
        let written: Written = match serde_json::from_slice(&bytes) {
            Ok(written) => written,
            Err(error) => return unusable(&error),
        };
        if written.host_settings != self.base {
            tracing::info!(
                "this host's own server settings changed: those that were offered before are dropped"
            );
            return Kept::default();
        }
        parse(&written).unwrap_or_else(|| unusable(&"it is damaged"))
    }

    /// Keeps it, where the host allows offered settings; there is nothing to keep otherwise but answers of offers that
    /// leave the way to the server as it is.
    ///
    /// # Errors
    /// What the file system said; what was kept before is whole then.
    pub fn store(&self, kept: &Kept) -> io::Result<()> {
        if !self.allowed {
            return Ok(());
        }
        let offer = |offered: &Offered| WrittenOffer {
            hash: hex(&offered.hash),
            settings: hex(&offered.settings.encode_to_vec()),
            interval: match offered.interval {
                Interval::Own => None,
                Interval::Every(seconds) => Some(seconds),
                Interval::Off => Some(0),
            },
        };
        let written = Written {
            host_settings: self.base.clone(),
            accepted: kept.accepted.as_ref().map(offer),
            candidate: kept.candidate.as_ref().map(offer),
            answer: kept.answer.as_ref().map(|answer| hex(&answer.encode_to_vec())),
        };
        write_atomic(&self.path, &serde_json::to_vec(&written).map_err(io::Error::other)?)
    }
}

fn parse(written: &Written) -> Option<Kept> {
    let offer = |written: &WrittenOffer| {
        Some(Offered {
            hash: Bytes::from(unhex(&written.hash)?),
            settings: OpAMPConnectionSettings::decode(&unhex(&written.settings)?[..]).ok()?,
            interval: match written.interval {
                None => Interval::Own,
                Some(0) => Interval::Off,
                Some(seconds) => Interval::clamped(seconds),
            },
        })
    };
    let whole = |part: &Option<WrittenOffer>| match part {
        None => Some(None),
        Some(written) => offer(written).map(Some),
    };
    let answer = match &written.answer {
        None => None,
        Some(text) => Some(ConnectionSettingsStatus::decode(&unhex(text)?[..]).ok()?),
    };
    Some(Kept { accepted: whole(&written.accepted)?, candidate: whole(&written.candidate)?, answer })
}
