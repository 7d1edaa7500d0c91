//! An open socket as all that is done with it shares it: who speaks on it, how it ends, and how it is written to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_fleet::offer::Occasion;
use tidegate_opamp::InstanceUid;
use tidegate_opamp::ws::{self, Close};
use tokio::io::AsyncWriteExt;

use super::Guard;
use super::budget::Charge;
use super::stream::Stream;
use super::vigil::Vigil;
use crate::rate::Rate;
use crate::state::{Connection, Core};

/// How long a peer may take to read what it is sent.
pub(super) const WRITE_DEADLINE: Duration = Duration::from_secs(20);

/// Bytes of answers that are gathered before they are written.
pub(super) const WRITE_AT: usize = 64 * 1024;

/// Why a connection ends.
pub(super) enum End {
    /// The transport is gone.
    Gone,
    /// This side closes, with a code.
    Close(Close),
    /// The peer closed; its close is answered with its own code.
    Answer(Option<Close>),
}

/// An agent that has spoken on a socket.
#[derive(Clone, Copy)]
pub(super) struct Speaker {
    /// Of the next message to it.
    pub(super) occasion: Occasion,
    pub(super) rate: Rate,
}

/// An open socket.
pub(super) struct Socket {
    pub(super) stream: Stream,
    pub(super) reader: ws::Reader,
    pub(super) core: Arc<Core>,
    pub(super) guard: Arc<Guard>,
    pub(super) connection: Arc<Connection>,
    pub(super) agents: BTreeMap<InstanceUid, Speaker>,
    pub(super) offences: u32,
    /// Messages that were taken.
    pub(super) messages: u64,
    /// For what has arrived of a message.
    pub(super) held: Charge,
    pub(super) opened: Instant,
    pub(super) vigil: Vigil,
}

impl Socket {
    /// Milliseconds since the socket opened.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// As [`Self::write_all`], without a word where there is nothing.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.write_all(bytes).await
    }

    /// Writes all of it, or ends: who does not read what it is sent is not waited for.
    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> Result<(), End> {
        let write = async {
            self.stream.write_all(bytes).await?;
            // Under TLS the last record may still be on its way.
            self.stream.flush().await
        };
        match tokio::time::timeout(WRITE_DEADLINE, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}
